"""What is smaller in a recipe than in the paper, and than in the full recipe where the paper states nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from infoflow_reproductions.deep_infomax.methods import LABELS, LOCAL
from infoflow_reproductions.harness.trial import Trial, flat

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
        "measure_epochs",
    }
)
"""Settings of a full recipe that the paper does not state: they are choices of this package."""

PREDICTOR_UNITS = 512
"""Largest number of units of the coordinate predictors, that of appendix A.6; a smaller critic has smaller ones."""

# A longer training and further methods are additions, and seeds are stated apart.
_NOT_SCALE = ("seeds", "longer", "revision")
_ADDED = ("random", "dim-g-prior", "dim-g-all", "dim-l-dv", "dim-lg", "nt-xent", "vicreg", "amdim")
_WORDS = {
    "images": "{} images instead of {}",
    "labeled": "{} labeled images instead of {}",
    "epochs": "{} epochs instead of {}",
    "width": "widths × {} instead of {}",
    "units": "units of the local critic {} instead of {}",
    "predictor_units": "units of the coordinate predictors {} instead of {}",
    "locations": "coordinates predicted at {} locations per step instead of {}",
    "probe_averaged": "probe accuracy averaged over the last {} epochs instead of {}",
    "probe_epochs": "{} probe epochs instead of {}",
    "ndm_epochs": "{} epochs of NDM instead of {}",
    "ndm_networks": "{} networks of NDM instead of {}",
    "mine_epochs": "{} epochs of MINE instead of {}",
    "decoder_epochs": "{} epochs of the decoder instead of {}",
}
_USED_BY: Mapping[str, Collection[str]] = {
    "probe_epochs": ("mlp", "ss"),
    "probe_rate": ("mlp", "ss"),
    "probe_milestones": ("mlp",),
    "probe_averaged": ("mlp",),
    "ndm_epochs": ("ndm", "ndm-samples"),
    "ndm_networks": ("ndm", "ndm-samples"),
    "mine_epochs": ("mine",),
    "decoder_epochs": ("ms-ssim",),
}
"""Setting -> measures that use it; all others are used by every method."""


def smaller_than(
    full: Any,
    *,
    trials: Callable[[Any], Sequence[Trial]] | None = None,
    unstated: Collection[str] = UNSTATED,
    units: int | None = None,
    runs: int = 0,
) -> Callable[[Any], str]:
    """Return the function from a recipe to what is smaller in it.

    Parameters
    ----------
    full
        The recipe of the published scale.
    trials
        Function from a recipe to its trials; settings that none of them uses are left out. By default all are used.
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
    >>> described(FULL), described(CPU).partition(". ")[0]
    ('', '10,000 images instead of 50,000, 6 epochs instead of 1000, learning rate 0.001 instead of 0.0001, ...')
    """
    published = flat(full)

    def described(recipe: Any) -> str:
        stated: list[str] = []
        others: list[str] = []
        unused = () if trials is None else _unused(trials(recipe))
        mine = flat(recipe)
        if trials is not None and "units" in mine:
            mine["predictor_units"] = min(mine["units"], PREDICTOR_UNITS)
        for name, value in mine.items():
            theirs = PREDICTOR_UNITS if name == "predictor_units" else published.get(name, value)
            if name in _NOT_SCALE or name in unused:
                continue
            if name == "units" and units is not None:
                value, theirs = min(value, units), min(theirs, units)
            if value != theirs and (text := _difference(name, value, theirs)):
                (others if name in unstated else stated).append(text)
        if 0 < getattr(recipe, "seeds", runs) < runs:
            stated.append(f"{recipe.seeds} runs instead of {runs}")
        parts = [", ".join(stated)] if stated else []
        if others:
            parts.append(f"Not stated in the paper, and other than in our full recipe: {', '.join(others)}")
        return ". ".join(parts)

    return described


def _unused(trials: Sequence[Trial]) -> set[str]:
    """Names of settings that no trial uses."""
    arguments = [trial.arguments for trial in trials]
    measures = {name for one in arguments for name in one["measures"]}
    unused = {name for name, users in _USED_BY.items() if not measures & set(users)}
    if not any(one["method"] in (*LOCAL, "amdim") for one in arguments):
        unused.add("units")
    if not any("coordinates" in one["options"] for one in arguments):
        unused.add("predictor_units")
    return unused


def _difference(name: str, value: Any, full: Any) -> str:
    """Words for a setting that differs; empty where nothing is missing that the paper has."""
    words = name.replace("_", " ")
    if isinstance(value, tuple | list) and isinstance(full, tuple | list) and set(value) <= set(full):
        missing = [one for one in full if one not in value and one not in _ADDED]
        return f"{words} without {', '.join(_short(LABELS.get(one, one)) for one in missing)}" if missing else ""
    return _WORDS.get(name, f"{words} {{}} instead of {{}}").format(_short(value), _short(full))


def _short(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(_short, value)) + ")"
    if value is None:
        return "all"
    if isinstance(value, int) and value >= 10_000:
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else str(value)
