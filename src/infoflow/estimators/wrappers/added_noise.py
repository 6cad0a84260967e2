"""Any estimator on a layer with noise added, which makes the information of a deterministic layer finite."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import classes, is_classes, paired, samples
from infoflow.core.estimate import Estimate, LayerInformation
from infoflow.core.protocols import Estimator
from infoflow.core.settings import NonNegativeFloat, Seed
from infoflow.estimators.wrappers.family import Wrapper, required_inputs


@dataclass(frozen=True)
class AddedNoise(Wrapper):
    """I(X+ε;Y) with ε ~ N(0, σ²I) by another estimator, from samples with one draw of the noise each.

    Parameters
    ----------
    estimator
        Name or object of the estimator inside.
    variance
        σ². With 0 the estimator inside receives the layer unchanged.
    seed
        Seed of the noise.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown estimator.

    Notes
    -----
    The information between a deterministic layer T and its input is infinite as a rule. I(X;T+ε) is finite and depends
    on σ², as the information plane by kernel density does.

    References
    ----------
    Elad et al. (2019), Direct validation of the information bottleneck principle for deep nets, section 4, with MINE
    inside and σ² = 2.

    Examples
    --------
    >>> x = torch.linspace(-2, 2, 400)[:, None]
    >>> AddedNoise("gaussian", variance=0.01).estimate(x, 3 * x).nats > AddedNoise("gaussian").estimate(x, 3 * x).nats
    True
    """

    estimator: str | Estimator = "mine"
    variance: NonNegativeFloat = 2.0
    seed: Seed = 0

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X+ε;Y) in nats.

        Parameters
        ----------
        x : array-like of shape (n, ...)
            Samples that receive the noise.
        y : array-like of shape (n, ...)
            Paired samples, or classes.

        Returns
        -------
        Estimate
            Of the kind of the estimator inside.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ, and as the estimator inside raises.
        """
        noisy = self._noisy(x, "x")
        other = classes(y, "y")[0] if is_classes(y) else samples(y, "y")
        paired(noisy, other)
        return self._finished(self.inner.estimate(noisy, other), "I(X+ε;Y)", _constant(x, "x"))

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate I(X;T+ε) and I(T+ε;Y) in nats, with the same noise.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Activations.
        y : array-like of shape (n,)
            Classes.
        x : array-like of shape (n, ...)
            The network's inputs; required.

        Returns
        -------
        LayerInformation
            Both estimates.

        Raises
        ------
        InvalidArgument
            Without x, and as `estimate` raises.
        """
        required_inputs(x, "I(X;T+ε)")
        noisy, inputs, labels = self._noisy(t, "t"), samples(x, "x"), classes(y, "y")[0]
        paired(noisy, labels, "t", "y")
        paired(noisy, inputs, "t", "x")
        constant = _constant(t, "t")
        return LayerInformation(
            self._finished(self.inner.estimate(inputs, noisy), "I(X;T+ε)", constant),
            self._finished(self.inner.estimate(noisy, labels), "I(T+ε;Y)", constant),
        )

    def _noisy(self, value: Any, name: str) -> Tensor:
        values = samples(value, name).double()
        # Drawn on the CPU, so that every device gives the same noise.
        noise = torch.randn(values.shape, generator=torch.Generator().manual_seed(self.seed), dtype=torch.float64)
        return values + math.sqrt(self.variance) * noise.to(values.device)

    def _finished(self, found: Estimate, quantity: str, constant: str) -> Estimate:
        if constant:  # only noise is left, and an estimate of it would be chance
            found = replace(found, nats=0.0, interval=None, warnings=(*found.warnings, constant))
        quantity = quantity if self.variance else quantity.replace("+ε", "")
        return replace(found, quantity=quantity, estimator=type(self).__name__, parameters=self._parameters())


def _constant(value: Any, name: str) -> str:
    """The warning for samples that are all equal, or ""."""
    values = samples(value, name)
    return f"{name} is constant, so it carries no information" if bool((values == values[0]).all()) else ""
