"""Sample propagation: mutual information in networks with Gaussian noise of known variance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from infoflow.core.checks import classes, integer, paired, positive, samples, squarable
from infoflow.core.estimate import Estimate, Interval, Kind, LayerInformation
from infoflow.entropies.discrete import plug_in
from infoflow.entropies.gaussian_mixture import MonteCarlo, noisy_information


@dataclass(frozen=True)
class SamplePropagation:
    """Mutual information with T = S + ε, ε ~ N(0, σ²I), from the entropies of Gaussian mixtures of known σ².

    S are a layer's values before its noise is added, ĥ(·) the Monte-Carlo entropy of the mixture centered on a set of
    them, n their number:

    - `entropy(t)`: I(X;T) for a deterministic S = f(X): ĥ(S_n) − d/2·log 2πeσ². This is what `measure` gives as input.
    - `estimate(t, y)`: I(T;Y) = ĥ(S_n) − Σ_y n_y/n·ĥ(S_y) for integer `y`. With y the number of the input that row
      i came from, many rows to one input, this is I(X;T) of a network whose earlier layers are noisy too:
      I = ĥ(S_n) − 1/n Σ_i ĥ(S_n(x_i)), its eq. 11.

    `t` has shape (n, ...), `y` (n,). Nats; the interval (95 %) is over the Monte-Carlo draws, `draws` from every
    component, with these samples held fixed. For a finite sample ĥ(S_n) is below the entropy on average, so that
    I(X;T) is a plug-in that can't pass log n, whatever the truth. O(draws·n²·d).

    Raises InvalidArgument or TooFewSamples for arguments and samples that it can't use.

    Goldfeld et al. (2019), "Estimating information flow in deep neural networks", eq. 11 and 14.

    >>> import torch
    >>> t = torch.tensor([[0.0], [0.0], [50.0], [50.0]])
    >>> round(SamplePropagation(variance=1.0).estimate(t, [0, 0, 1, 1]).bits, 4)
    1.0
    """

    variance: float = 0.1
    draws: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        positive(self.variance, "variance")
        integer(self.draws, "draws", minimum=2)
        integer(self.seed, "seed", minimum=0)

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(T;Y) of the layer `x` before its noise and the classes (or numbers of the inputs) `y`."""
        t, codes = squarable(samples(x, "x"), "x", least=0.0), classes(y, "y")[0]
        paired(t, codes)
        found = noisy_information(t, self.variance, codes, draws=self.draws, seed=self.seed)
        assert found.label is not None
        return self._label(found.label, t, codes)

    def entropy(self, t: Any) -> Estimate:
        """I(X;T) of a deterministic layer with noise added at its end."""
        values = squarable(samples(t, "t"), "t", least=0.0)
        return self._input(noisy_information(values, self.variance, draws=self.draws, seed=self.seed).component, values)

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Both from the same draws; the inputs `x` are not needed."""
        values, codes = squarable(samples(t, "t"), "t", least=0.0), classes(y, "y")[0]
        paired(values, codes, "t", "y")
        found = noisy_information(values, self.variance, codes, draws=self.draws, seed=self.seed)
        assert found.label is not None
        return LayerInformation(self._input(found.component, values), self._label(found.label, values, codes))

    def _input(self, value: MonteCarlo, t: Tensor) -> Estimate:
        return self._made(value, "I(X;T+ε)", t, math.log(len(t)), "log n")

    def _label(self, value: MonteCarlo, t: Tensor, codes: Tensor) -> Estimate:
        return self._made(value, "I(T+ε;Y)", t, float(plug_in(codes.bincount())), "H(Y)")

    def _made(self, value: MonteCarlo, quantity: str, t: Tensor, ceiling: float, name: str) -> Estimate:
        warnings = []
        if bool((t == t[0]).all()):
            warnings.append("t is constant; it carries no information")
        elif ceiling == 0:
            warnings.append("y is constant: its information is 0 by definition")
        elif name == "log n" and value.nats > 0.9 * ceiling:
            warnings.append(
                "close to log n: the noise tells nearly all samples apart; more samples or a larger variance"
            )
        half = 1.96 * value.error
        return Estimate(
            value.nats,
            quantity=quantity,
            kind=Kind.PLUG_IN,
            estimator="SamplePropagation",
            n=len(t),
            parameters={"variance": self.variance, "draws": self.draws, "seed": self.seed},
            ceiling=ceiling,
            ceiling_name=name,
            interval=Interval(value.nats - half, value.nats + half, "Monte-Carlo draws"),
            warnings=tuple(warnings),
        )
