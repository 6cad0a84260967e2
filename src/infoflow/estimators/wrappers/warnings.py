"""Warnings of several estimates, one for each cause."""

from __future__ import annotations

from collections.abc import Sequence

from infoflow.core.estimate import Estimate


def gathered(estimates: Sequence[Estimate], what: str) -> tuple[str, ...]:
    """One warning for each cause, told by its first words, with how many of the estimates had it."""
    first: dict[str, str] = {}
    count: dict[str, int] = {}
    for estimate in estimates:
        for warning in estimate.warnings:
            cause = " ".join(warning.split()[:3])
            first.setdefault(cause, warning)
            count[cause] = count.get(cause, 0) + 1
    return tuple(f"in {count[cause]} of {len(estimates)} {what}: {text}" for cause, text in first.items())
