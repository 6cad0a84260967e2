"""What the reports share: results by setting, and settings chosen on held-out images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoflow_reproductions.harness.trial import Results


def per_seed(results: Results, key: str, **arguments: Any) -> list[float]:
    """One value for each seed, in the order of the trials."""
    return [float(found[key]) for found in results.of(**arguments)]


def by(results: Results, key: str, axis: str, places: Sequence[float], **arguments: Any) -> dict[float, list[float]]:
    """Place on the axis -> one value per seed."""
    return {place: per_seed(results, key, **{axis: place}, **arguments) for place in places}


def by_seed(results: Results, key: str, axis: str, places: Sequence[float], **arguments: Any) -> list[list[float]]:
    """For each seed its values over the places."""
    return [list(values) for values in zip(*by(results, key, axis, places, **arguments).values(), strict=True)]


def best_on_held_out(results: Results, axis: str, places: Sequence[float], **arguments: Any) -> float:
    """The place whose mean held-out error over seeds is the smallest; the only one there is needs none held out."""
    if len(places) == 1:
        return places[0]
    return min(places, key=lambda place: np.mean(per_seed(results, "held_out_error", **{axis: place}, **arguments)))


def differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """first − second, seed by seed."""
    return [a - b for a, b in zip(first, second, strict=True)]
