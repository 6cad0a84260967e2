"""What the estimators of layers with noise of known distribution share: a Gaussian mixture centered on the samples.

A subclass states the mixture, its quantities and its warnings.
"""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from infoflow.core.checks import SMALLEST_SQUARABLE, samples, squarable
from infoflow.core.estimate import Estimate, Interval
from infoflow.entropies.discrete import plug_in
from infoflow.entropies.gaussian_mixture import MixtureInformation, MonteCarlo
from infoflow.estimators.layer_estimator import Ceiling, Labels, LayerEstimator, constant_labels


@dataclass(frozen=True)
class NoisyLayer(LayerEstimator):
    """Base of the estimators of a layer's information by the Monte-Carlo entropies of a mixture."""

    _quantities: ClassVar[tuple[str, str]]
    """Names of the information about the input and about the labels."""
    _noise: ClassVar[str]
    """Name of the setting that widens the noise."""
    _least: ClassVar[float] = SMALLEST_SQUARABLE

    @abc.abstractmethod
    def _mixture(self, layer: Tensor, labels: Tensor | None) -> MixtureInformation:
        """The information about the mixture's component and, with labels, about its class."""

    def _warnings(self, layer: Tensor) -> tuple[str, ...]:
        """Warnings about the values before the noise."""
        return ()

    def _samples(self, value: Any, name: str) -> Tensor:
        return squarable(samples(value, name), name, least=self._least)

    def _estimates(self, layer: Tensor, labels: Labels | None, side: str) -> list[Estimate]:
        found = self._mixture(layer, None if labels is None else labels.codes)
        input_name, label_name = self._quantities
        estimates = [self._finished(found.component, input_name, layer, (math.log(len(layer)), "log n"))]
        if labels is not None and found.label is not None:
            ceiling = float(plug_in(labels.codes.bincount())), "H(Y)"
            estimates.append(self._finished(found.label, label_name, layer, ceiling))
        return estimates

    def _finished(self, value: MonteCarlo, quantity: str, layer: Tensor, ceiling: Ceiling) -> Estimate:
        warnings = self._warnings(layer)
        if bool((layer == layer[0]).all()):
            warnings += ("t is constant, so it carries no information",)
        elif ceiling[0] == 0:
            warnings += (constant_labels("y"),)
        elif ceiling[1] == "log n" and value.nats > 0.9 * ceiling[0]:
            warnings += (
                "close to log n: the noise leaves nearly all samples distinguishable, so the estimate is only a lower "
                f"limit; use more samples or a larger {self._noise}",
            )
        half = 1.96 * value.error
        interval = Interval(value.nats - half, value.nats + half, "Monte-Carlo draws")
        return self._made(value.nats, quantity, len(layer), ceiling, warnings, interval=interval)
