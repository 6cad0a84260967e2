"""What an estimator, a critic and a task must offer."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from infoflow.core.estimate import Estimate


@runtime_checkable
class Estimator(Protocol):
    """Estimates I(X;Y) from paired samples of shape (n, ...); an integer `y` means classes."""

    def estimate(self, x: Any, y: Any) -> Estimate: ...


@runtime_checkable
class Task(Protocol):
    """A joint distribution whose mutual information (nats) is known."""

    @property
    def name(self) -> str: ...

    @property
    def mutual_information(self) -> float: ...

    def sample(self, n: int, seed: int) -> tuple[Any, Any]: ...
