"""What is smaller in a recipe than in the full one, as text."""

from __future__ import annotations

from typing import Any

from infoflow_reproductions.harness.trial import flat

_NOT_SCALE = ("seeds", "first_seed", "tolerance", "smaller")


def states_reduction(recipe: Any) -> bool:
    """Return whether a recipe itself has a text on what is smaller than in the paper.

    Parameters
    ----------
    recipe
        A recipe.

    Returns
    -------
    bool
        True if it has a text `smaller`.
    """
    return isinstance(getattr(recipe, "smaller", None), str)


def reduction(recipe: Any, full: Any) -> str:
    """Return what differs between a recipe and the full one.

    Parameters
    ----------
    recipe
        A recipe; one with a text `smaller` states it there, and compares itself with the paper.
    full
        The recipe of the published scale.

    Returns
    -------
    str
        Settings with their values and those of the full recipe; empty at the published scale. The number of seeds is
        among them where it is smaller.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Recipe:
    ...     epochs: int = 100
    ...     seeds: int = 5
    >>> reduction(Recipe(4, 3), Recipe()), reduction(Recipe(seeds=9), Recipe())
    ('epochs 4 instead of 100, seeds 3 instead of 5', '')
    """
    if states_reduction(recipe):
        return str(recipe.smaller)
    mine, others = flat(recipe, complete=True), flat(full, complete=True)
    parts = [
        f"{name.replace('_', ' ')} {_short(value)} instead of {_short(others[name])}"
        for name, value in mine.items()
        if name in others and name not in _NOT_SCALE and value != others[name]
    ]
    return with_fewer_seeds(", ".join(parts), mine.get("seeds"), others.get("seeds"))


def with_fewer_seeds(reduced: str, seeds: int | None, full: int | None) -> str:
    """Return a text on what is smaller with the number of seeds, where that is smaller.

    Parameters
    ----------
    reduced
        The text, which may contain the number already.
    seeds
        Number of seeds.
    full
        That of the full recipe.

    Returns
    -------
    str
        The text.

    Examples
    --------
    >>> with_fewer_seeds("epochs 4 instead of 100", 3, 5), with_fewer_seeds("", 5, 5)
    ('epochs 4 instead of 100, seeds 3 instead of 5', '')
    """
    if seeds is None or full is None or seeds >= full or "seeds " in reduced:
        return reduced
    return f"{reduced}{', ' if reduced else ''}seeds {seeds} instead of {full}"


def _short(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(_short, value)) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)
