"""What is smaller in a recipe than in the published settings, as text."""

from __future__ import annotations

from typing import Any

from infoflow_reproductions.harness.trial import flat

_NOT_SCALE = ("seeds", "first_seed", "tolerance", "smaller")


def reduction(recipe: Any, full: Any) -> str:
    """Return what differs between a recipe and that of the published scale.

    Parameters
    ----------
    recipe
        A recipe; one with a text `smaller` states it there.
    full
        The recipe of the published scale.

    Returns
    -------
    str
        Settings with their values and the published ones; empty at the published scale.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Recipe:
    ...     epochs: int = 100
    ...     seeds: int = 5
    >>> reduction(Recipe(4, 3), Recipe()), reduction(Recipe(seeds=2), Recipe())
    ('epochs 4 for 100', '')
    """
    if isinstance(stated := getattr(recipe, "smaller", None), str):
        return stated
    mine, published = flat(recipe), flat(full)
    parts = [
        f"{name.replace('_', ' ')} {_short(value)} for {_short(published[name])}"
        for name, value in mine.items()
        if name in published and name not in _NOT_SCALE and value != published[name]
    ]
    return ", ".join(parts)


def _short(value: Any) -> str:
    if isinstance(value, tuple | list):
        return "(" + ", ".join(map(_short, value)) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)
