"""What the lists of a recipe must hold, so that its experiment can be reported; known before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from infoflow.core.errors import InvalidArgument


class Entries(NamedTuple):
    """What a list must hold.

    Parameters
    ----------
    including
        Entries that it must have.
    at_least
        Least number of its entries.
    """

    including: tuple[Any, ...] = ()
    at_least: int = 1


Needs: TypeAlias = Mapping[str, Entries]
"""Name of a list of the recipe -> what it must hold."""


def check_lists(recipe: Any, needs: Needs) -> None:
    """Check the lists of a recipe.

    Parameters
    ----------
    recipe
        A dataclass.
    needs
        What its lists must hold.

    Raises
    ------
    InvalidArgument
        If a list is too short or lacks an entry.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> check_lists(SimpleNamespace(weights=(0.5,)), {"weights": Entries((0.0,))})
    Traceback (most recent call last):
    ...
    infoflow.core.errors.InvalidArgument: recipe.weights must be a list with 0.0, which the report needs, got (0.5,).
    """
    for name, need in needs.items():
        found = tuple(getattr(recipe, name))
        missing = [f"with {each}" for each in need.including if each not in found]
        if len(found) < need.at_least:
            fewest = f"of at least {need.at_least} entr{'y' if need.at_least == 1 else 'ies'}"
            missing = missing if len(need.including) >= need.at_least else [fewest, *missing]
        if missing:
            raise InvalidArgument(f"recipe.{name}", f"a list {' and '.join(missing)}, which the report needs", found)


def lists_of(settings: Mapping[str, Any]) -> list[str]:
    """Return the names of the settings that are lists.

    Parameters
    ----------
    settings
        Settings in their JSON form.

    Returns
    -------
    list of str
        Names.

    Examples
    --------
    >>> lists_of({"weights": [0.5], "epochs": 3})
    ['weights']
    """
    return [name for name, value in settings.items() if isinstance(value, list)]
