"""Protocols of estimators and tasks."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from infoflow.core.estimate import Estimate


@runtime_checkable
class Estimator(Protocol):
    """An object that estimates I(X;Y) from paired samples."""

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(X;Y) from samples of shape (n, ...); an integer `y` counts as classes."""
        ...


@runtime_checkable
class Task(Protocol):
    """A joint distribution of X and Y whose mutual information is known."""

    @property
    def name(self) -> str:
        """Name of the task."""
        ...

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        ...

    def sample(self, n: int, seed: int) -> tuple[Any, Any]:
        """Draw n pairs; the same seed gives the same pairs."""
        ...
