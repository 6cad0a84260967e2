"""Parts of reports that the experiments share: curves over a setting, their rows, claims and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.harness.trial import Results

POINTS = "percentage points"
"""Unit of differences between percentages."""

Curve = Mapping[float, Sequence[float]]
"""Value of a setting -> one value per seed."""


def curve(results: Results, name: str, axis: str, places: Sequence[float], **settings: Any) -> dict[float, list[float]]:
    """Return a result over the values of a setting.

    Parameters
    ----------
    results
        Results of the trials.
    name
        Name of the result.
    axis
        Name of the setting.
    places
        Its values.
    **settings
        Other settings of the trials.

    Returns
    -------
    dict
        One value per seed for each value of the setting.
    """
    return {place: results.values(name, **{axis: place}, **settings) for place in places}


def layer_curves(results: Results, name: str, betas: Sequence[float]) -> dict[str, dict[float, list[float]]]:
    """Return a result that every layer has, over β.

    Parameters
    ----------
    results
        Results of the trials.
    name
        Name of the result, a mapping by layer.
    betas
        Values of β.

    Returns
    -------
    dict
        A curve per layer.
    """
    return {
        layer: {beta: [found[name][layer] for found in results.of(beta=beta)] for beta in betas}
        for layer in results.of()[0][name]
    }


def rows(what: str, found: Curve, unit: str, symbol: str = "β = ") -> list[Row]:
    """Return one row per value of a setting.

    Parameters
    ----------
    what
        Description of the result.
    found
        The result over the setting.
    unit
        Its unit.
    symbol
        Text before the value of the setting.

    Returns
    -------
    list of Row
        Rows in the order of the curve.
    """
    return [Row(f"{what}, {symbol}{place:g}", values, unit) for place, values in found.items()]


def falling(text: str, found: Curve, *, published: bool = True) -> Claim:
    """Return the claim that a curve falls.

    Parameters
    ----------
    text
        The claim.
    found
        A result over a setting.
    published
        Whether the paper makes the claim.

    Returns
    -------
    Claim
        As `Claim.falling` judges it.
    """
    return Claim.falling(text, [list(values) for values in zip(*found.values(), strict=True)], published=published)


def best_on_held_out(results: Results, axis: str, places: Sequence[float], **settings: Any) -> float:
    """Return the value of a setting with the smallest held-out error, averaged over seeds.

    Parameters
    ----------
    results
        Results of the trials.
    axis
        Name of the setting.
    places
        Its values. A single one is returned as it is, since nothing need be held out then.
    **settings
        Other settings of the trials.

    Returns
    -------
    float
        One of `places`.
    """
    if len(places) == 1:
        return places[0]
    means = {
        place: np.mean(values) for place, values in curve(results, "held_out_error", axis, places, **settings).items()
    }
    return min(means, key=lambda place: means[place])


def differences(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """Return first − second for each seed.

    Parameters
    ----------
    first, second
        One value per seed.

    Returns
    -------
    list of float
        The differences.
    """
    return [a - b for a, b in zip(first, second, strict=True)]
