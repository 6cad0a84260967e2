"""What the reports share: values by seed in per cent, rows beside the published figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infoflow_reproductions.deep_infomax.learning import Learning
from infoflow_reproductions.deep_infomax.recipes import TOLERANCE, in_short
from infoflow_reproductions.harness.findings import Row
from infoflow_reproductions.harness.trial import Results


def percent(results: Results, layer: str, **arguments: Any) -> list[float]:
    """Accuracies in per cent, one a seed, in the order of the seeds."""
    return [100 * float(found[layer]) for found in results.of(**arguments)]


def differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """first − second, seed by seed.

    >>> differences([3.0, 2.0], [1.0, 1.0])
    [2.0, 1.0]
    """
    return [a - b for a, b in zip(first, second, strict=True)]


def accuracy_row(learning: Learning, what: str, values: Sequence[float], published: float | None) -> Row:
    """An accuracy in per cent beside the published one; at a smaller scale it says what is smaller."""
    smaller = in_short(learning) if published is not None else ""
    return Row(what, values, "%", published, TOLERANCE, comparable=not smaller, why=smaller)
