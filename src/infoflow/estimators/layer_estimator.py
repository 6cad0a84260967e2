"""What the estimators of a layer share that need its activations and labels alone, and not the network's inputs.

Each goes through the same steps: check both sides, then compute one or both estimates of the information plane. A
subclass states how the activations are checked, and its estimates.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from torch import Tensor

from infoflow.core.checks import classes, paired
from infoflow.core.estimate import Estimate, Interval, Kind, LayerInformation
from infoflow.core.settings import Settings

Ceiling = tuple[float, str]
"""The largest value, in nats, and its name."""


class Labels(NamedTuple):
    """Codes (n,) below `number`, with their name in quantities and what warnings they bring."""

    codes: Tensor
    number: int
    name: str = "Y"
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class StatedSettings(Settings):
    """Settings that appear in an estimate: those in `_stated`, and all others that differ from their defaults."""

    def _parameters(self) -> dict[str, Any]:
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: value for name, (value, default) in values.items() if name in self._stated or value != default}

    def _made(
        self,
        nats: float,
        quantity: str,
        n: int,
        ceiling: Ceiling,
        warnings: tuple[str, ...] = (),
        *,
        kind: Kind = Kind.PLUG_IN,
        interval: Interval | None = None,
        p_value: float | None = None,
        **more: Any,
    ) -> Estimate:
        return Estimate(
            nats,
            quantity=quantity,
            kind=kind,
            estimator=type(self).__name__,
            n=n,
            parameters=self._parameters() | more,
            ceiling=ceiling[0],
            ceiling_name=ceiling[1],
            interval=interval,
            p_value=p_value,
            warnings=warnings,
        )


@dataclass(frozen=True)
class LayerEstimator(StatedSettings, abc.ABC):
    """Base of the estimators of I(X;T) and I(T;Y) from activations and labels."""

    @abc.abstractmethod
    def _samples(self, value: Any, name: str) -> Tensor:
        """The activations, checked: (n, d), or codes (n,)."""

    @abc.abstractmethod
    def _estimates(self, layer: Tensor, labels: Labels | None, side: str) -> list[Estimate]:
        """The layer's own information and, with labels, its information about them; `side` is "X" or "T"."""

    def _labels(self, y: Any) -> Labels:
        return Labels(*classes(y, "y"))

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate the information about the labels, I(X;Y), in nats.

        Parameters
        ----------
        x : array-like of shape (n, ...)
            Activations of a layer, or other samples.
        y : array-like of shape (n,)
            Integer classes; the class of the estimator states what else it accepts.

        Returns
        -------
        Estimate
            Its `quantity` names what was estimated.

        Raises
        ------
        InvalidArgument
            If the samples have an unsuitable type, shape or content, or their lengths differ; `TooFewSamples` for
            fewer than 2.
        """
        layer, labels = self._samples(x, "x"), self._labels(y)
        paired(layer, labels.codes)
        return self._estimates(layer, labels, "X")[-1]

    def entropy(self, t: Any) -> Estimate:
        """Estimate the layer's entropy, which is I(X;T) where T is a function of X, in nats.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Activations.

        Returns
        -------
        Estimate
            Its `quantity` names what was estimated.

        Raises
        ------
        InvalidArgument
            If the samples have an unsuitable type, shape or content; `TooFewSamples` for fewer than 2.
        """
        return self._estimates(self._samples(t, "t"), None, "T")[0]

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate a layer's I(X;T) and I(T;Y) in nats, in one pass.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Activations.
        y : array-like of shape (n,)
            Integer classes.
        x : array-like of shape (n, ...)
            The network's inputs; ignored.

        Returns
        -------
        LayerInformation
            Both estimates.

        Raises
        ------
        InvalidArgument
            If the samples have an unsuitable type, shape or content, y is no classes, or their lengths differ;
            `TooFewSamples` for fewer than 2.
        """
        layer, labels = self._samples(t, "t"), Labels(*classes(y, "y"))
        paired(layer, labels.codes, "t", "y")
        own, about_labels = self._estimates(layer, labels, "T")
        return LayerInformation(own, about_labels)


def constant_labels(name: str) -> str:
    """The warning for labels that are all equal.

    >>> constant_labels("Y")
    'Y is constant, so the information about it is 0'
    """
    return f"{name} is constant, so the information about it is 0"
