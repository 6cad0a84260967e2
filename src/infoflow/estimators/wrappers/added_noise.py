"""Any estimator on a layer with noise added: what makes the information of a deterministic layer finite."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import classes, integer, is_classes, paired, positive, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, LayerInformation
from infoflow.core.protocols import Estimator
from infoflow.estimators.registry import resolve


@dataclass(frozen=True)
class AddedNoise:
    """I(X+ε;Y), ε ~ N(0, σ²I), by the estimator inside, on samples with one draw of the noise each.

    `variance` is σ². Between a deterministic layer T and its input the information is infinite as a rule; I(X;T+ε)
    isn't, and depends on σ² as a plane by kernel density does. `measure(t, y, x)` gives I(X;T+ε) and I(T+ε;Y). With
    σ² = 0 the estimator inside meets the layer as it is. The noise comes from `seed` alone. Nats.

    Raises InvalidArgument or TooFewSamples, and what the estimator inside raises. Elad et al. (2019), section 4, with
    MINE inside and σ² = 2.

    >>> x = torch.linspace(-2, 2, 400)[:, None]
    >>> AddedNoise("gaussian", variance=0.01).estimate(x, 3 * x).nats > AddedNoise("gaussian").estimate(x, 3 * x).nats
    True
    """

    estimator: str | Estimator = "mine"
    variance: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        resolve(self.estimator)
        positive(self.variance, "variance", zero=True)
        integer(self.seed, "seed", minimum=0)

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(X+ε;Y)."""
        noisy, other = self._noisy(x, "x"), _checked(y, "y")
        paired(noisy, other)
        return self._told(resolve(self.estimator).estimate(noisy, other), "I(X+ε;Y)", _constant(x, "x"))

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """I(X;T+ε) and I(T+ε;Y) with the same draw; the network's inputs `x` are needed."""
        if x is None:
            raise InvalidArgument("x is None; want the network's inputs for I(X;T)")
        noisy, inputs, labels = self._noisy(t, "t"), samples(x, "x"), classes(y, "y")[0]
        paired(noisy, labels, "t", "y")
        paired(noisy, inputs, "t", "x")
        inner, dead = resolve(self.estimator), _constant(t, "t")
        return LayerInformation(
            self._told(inner.estimate(inputs, noisy), "I(X;T+ε)", dead),
            self._told(inner.estimate(noisy, labels), "I(T+ε;Y)", dead),
        )

    def _noisy(self, value: Any, name: str) -> Tensor:
        values = samples(value, name).double()
        # Drawn on the CPU, so that a device changes nothing.
        noise = torch.randn(values.shape, generator=torch.Generator().manual_seed(self.seed), dtype=torch.float64)
        return values + math.sqrt(self.variance) * noise.to(values.device)

    def _told(self, found: Estimate, quantity: str, constant: str) -> Estimate:
        if constant:  # noise alone: what an estimator makes of it is chance
            found = replace(found, nats=0.0, interval=None, warnings=(*found.warnings, constant))
        return replace(
            found,
            quantity=quantity,
            estimator=type(self).__name__,
            parameters={"estimator": self.estimator, "variance": self.variance, "seed": self.seed},
        )


def _checked(value: Any, name: str) -> Any:
    return classes(value, name)[0] if is_classes(value) else samples(value, name)


def _constant(value: Any, name: str) -> str:
    """The warning, where all samples are one."""
    values = samples(value, name)
    return f"{name} is constant; it carries no information" if bool((values == values[0]).all()) else ""
