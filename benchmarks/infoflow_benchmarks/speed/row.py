"""One line of a speed table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """Our time and the reference's for the same task, and whether both gave the same answer.

    >>> Row("binning", "N = 10", "np.unique", 2.0, 0.5, 4.0, wanted_ratio=5.0).reached
    False
    """

    benchmark: str
    case: str
    reference: str
    """What the reference is."""
    reference_seconds: float
    seconds: float
    ratio: float
    """Reference's seconds / ours, pair by pair."""
    wanted_ratio: float | None = None
    difference: float | None = None
    """Largest difference between both answers; None where the reference answers a question not quite the same."""
    mebibytes: float | None = None
    """Peak memory beyond what was there before, of ours."""
    reference_mebibytes: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the ratio is as wanted; None where none is wanted."""
        return None if self.wanted_ratio is None else self.ratio >= self.wanted_ratio
