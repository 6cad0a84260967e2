"""What is smaller in a recipe than in the paper, and than in the full recipe where the paper states nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from infoflow_reproductions.deep_infomax.methods import LABELS
from infoflow_reproductions.harness.trial import flat

UNSTATED = frozenset(
    {
        "batch_size",
        "probe_epochs",
        "probe_rate",
        "probe_milestones",
        "ndm_epochs",
        "mine_epochs",
        "decoder_epochs",
        "alphas",
        "betas",
        "gammas",
        "negatives",
        "locations",
        "measure_epochs",
    }
)
"""Settings of a full recipe that the paper does not state: they are choices of this package."""

# A longer training and further methods are additions, and seeds are stated apart.
_NOT_SCALE = ("seeds", "longer", "revision")
_ADDED = ("random", "dim-g-prior", "dim-g-all", "dim-l-dv", "dim-lg", "nt-xent", "vicreg", "amdim")
_WORDS = {
    "probe_averaged": "last epochs of probes averaged,",
    "width": "widths ×",
    "units": "critic units",
    "locations": "locations per step whose coordinates are predicted,",
}


def smaller_than(
    full: Any, *, unstated: Collection[str] = UNSTATED, units: int | None = None, runs: int = 0
) -> Callable[[Any], str]:
    """Return the function from a recipe to what is smaller in it.

    Parameters
    ----------
    full
        The recipe of the published scale.
    unstated
        Names of its settings that the paper does not state.
    units
        Largest number of hidden units of the critic that is used.
    runs
        Number of runs in the paper, where it states one.

    Returns
    -------
    callable
        Function that returns settings with their values and those of `full`, those that the paper states first; empty
        at the published scale.

    Examples
    --------
    >>> from infoflow_reproductions.deep_infomax.recipes import CPU, FULL
    >>> described = smaller_than(FULL)
    >>> described(FULL), described(CPU).partition("; ")[0]
    ('', 'images 10000 for 50000, epochs 6 for 1000, learning rate 0.001 for 0.0001, widths × 0.25 for 1, ...')
    """
    published = flat(full)

    def described(recipe: Any) -> str:
        stated: list[str] = []
        others: list[str] = []
        for name, value in flat(recipe).items():
            theirs = published.get(name, value)
            if name in _NOT_SCALE:
                continue
            if name == "units" and units is not None:
                value, theirs = min(value, units), min(theirs, units)
            if value != theirs and (text := _difference(name, value, theirs)):
                (others if name in unstated else stated).append(text)
        if 0 < getattr(recipe, "seeds", runs) < runs:
            stated.append(f"{recipe.seeds} runs for {runs}")
        parts = [", ".join(stated)] if stated else []
        if others:
            parts.append(f"than the full recipe, where the paper states nothing: {', '.join(others)}")
        return "; ".join(parts)

    return described


def _difference(name: str, value: Any, full: Any) -> str:
    """Words for a setting that differs; empty where nothing is missing that the paper has."""
    words = _WORDS.get(name, name.replace("_", " "))
    if isinstance(value, tuple | list) and isinstance(full, tuple | list) and set(value) <= set(full):
        missing = [one for one in full if one not in value and one not in _ADDED]
        return f"{words} without {', '.join(_short(LABELS.get(one, one)) for one in missing)}" if missing else ""
    return f"{words} {_short(value)} for {_short(full)}"


def _short(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(_short, value)) + ")"
    if value is None:
        return "all"
    return f"{value:g}" if isinstance(value, float) else str(value)
