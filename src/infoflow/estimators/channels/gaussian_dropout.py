"""The information plane of networks with Gaussian dropout: multiplicative noise of known size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from infoflow.core.checks import classes, integer, paired, positive, samples, squarable
from infoflow.core.estimate import Estimate, Interval, Kind, LayerInformation
from infoflow.entropies.discrete import plug_in
from infoflow.entropies.gaussian_mixture import MonteCarlo, multiplied_information


@dataclass(frozen=True)
class GaussianDropoutInformation:
    """Mutual information with Z = F∘(1 + σε), ε ~ N(0, I): a layer under Gaussian dropout.

    I(X;Z) = h(Z) − h(Z|X), with h(Z|X) = Σ_i E log(|f_i|·σ·√(2πe)) and h(Z) the Monte-Carlo entropy of the mixture of
    N(f_j, σ² diag f_j²); I(Z;Y) likewise with the mixture of each class. `t` (the values F before the noise) has shape
    (n, ...), `y` (n,) integers. Nats; the interval (95 %) is over the Monte-Carlo draws, `draws` from every component.

    Where a value f_i is exactly 0 (ReLU) both entropies are −∞ and their difference is undefined, as dropout leaves the
    zero untouched. The information itself is not: a zero is then an atom of Z's distribution that tells which units
    are off. It is computed so, and a warning says how many values were zero.

    Raises InvalidArgument or TooFewSamples for arguments and samples that it can't use.

    Adilova, Geiger & Fischer (2023), "Information plane analysis for dropout neural networks", section 4.

    >>> import torch
    >>> t = torch.tensor([[1.0], [1.0], [90.0], [90.0]])
    >>> round(GaussianDropoutInformation(sigma=0.1).estimate(t, [0, 0, 1, 1]).bits, 4)
    1.0
    """

    sigma: float = 0.1
    draws: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        positive(self.sigma, "sigma")
        integer(self.draws, "draws", minimum=2)
        integer(self.seed, "seed", minimum=0)

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(Z;Y) of the layer `x` before its noise and classes `y`."""
        t, codes = squarable(samples(x, "x"), "x"), classes(y, "y")[0]
        paired(t, codes)
        found = multiplied_information(t, self.sigma, codes, draws=self.draws, seed=self.seed)
        assert found.label is not None
        return self._label(found.label, t, codes)

    def entropy(self, t: Any) -> Estimate:
        """I(X;Z) of a deterministic layer whose values are multiplied by the noise."""
        values = squarable(samples(t, "t"), "t")
        found = multiplied_information(values, self.sigma, draws=self.draws, seed=self.seed)
        return self._input(found.component, values)

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Both from the same draws; the inputs `x` are not needed."""
        values, codes = squarable(samples(t, "t"), "t"), classes(y, "y")[0]
        paired(values, codes, "t", "y")
        found = multiplied_information(values, self.sigma, codes, draws=self.draws, seed=self.seed)
        assert found.label is not None
        return LayerInformation(self._input(found.component, values), self._label(found.label, values, codes))

    def _input(self, value: MonteCarlo, t: Tensor) -> Estimate:
        return self._made(value, "I(X;Z)", t, math.log(len(t)), "log n")

    def _label(self, value: MonteCarlo, t: Tensor, codes: Tensor) -> Estimate:
        return self._made(value, "I(Z;Y)", t, float(plug_in(codes.bincount())), "H(Y)")

    def _made(self, value: MonteCarlo, quantity: str, t: Tensor, ceiling: float, name: str) -> Estimate:
        warnings = []
        zeros = float((t == 0).double().mean())
        if zeros:
            warnings.append(
                f"{zeros:.1%} of the values are exactly 0: dropout leaves them alone, so h(Z) − h(Z|X) is undefined "
                "and which units are off counts as information; use an activation that is never 0"
            )
        if bool((t == t[0]).all()):
            warnings.append("t is constant; it carries no information")
        elif ceiling == 0:
            warnings.append("y is constant: its information is 0 by definition")
        elif name == "log n" and value.nats > 0.9 * ceiling:
            warnings.append("close to log n: the noise tells nearly all samples apart; more samples or a larger sigma")
        half = 1.96 * value.error
        return Estimate(
            value.nats,
            quantity=quantity,
            kind=Kind.PLUG_IN,
            estimator="GaussianDropoutInformation",
            n=len(t),
            parameters={"sigma": self.sigma, "draws": self.draws, "seed": self.seed},
            ceiling=ceiling,
            ceiling_name=name,
            interval=Interval(value.nats - half, value.nats + half, "Monte-Carlo draws"),
            warnings=tuple(warnings),
        )
