"""The command that makes committed results, and whether their recipe is that of this version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from typing import Any

from infoflow.core.provenance import plain
from infoflow_reproductions.harness.registry import experiments
from infoflow_reproductions.harness.running import digest

_OLD = "# earlier recipe"
# Stored settings that state which experiment it is and how many seeds were planned.
_NOT_OF_RECIPE = ("paper", "experiment", "scale", "planned_seeds", "smaller")


def command(summary: Mapping[str, Any]) -> str:
    """Return the command that makes results.

    Parameters
    ----------
    summary
        Content of results.json.

    Returns
    -------
    str
        The command; a comment names settings without an option, and an earlier recipe that no setting shows.
    """
    settings = summary["settings"]
    experiment = experiments(settings["paper"])[settings["experiment"]]
    recipe = experiment.recipe(settings["scale"])
    words = [f"infoflow reproduce {settings['paper']} {settings['experiment']} --scale {settings['scale']}"]
    options, others = _differing(settings, recipe)
    words += options
    stored = summary["provenance"].get("recipe")
    if others:
        words.append(f"{_OLD} with other {', '.join(others)}")
    elif stored is not None and all(option.startswith("--recipe.seeds ") for option in options):
        same = replace(recipe, seeds=settings["seeds"]) if "seeds" in settings else recipe
        words += [] if digest(experiment.trials(same)) == stored else [_OLD]
    return " ".join(words).replace("`", "'")  # it stands between backticks


def is_earlier(summary: Mapping[str, Any]) -> bool:
    """Return whether results are known to come from another recipe than that of this version.

    Parameters
    ----------
    summary
        Content of results.json.

    Returns
    -------
    bool
        False where the same command makes them, as far as their settings show.
    """
    return _OLD in command(summary)


def _differing(settings: Mapping[str, Any], recipe: Any) -> tuple[list[str], list[str]]:
    """Return options for the settings that differ from a recipe, and the names of those that have no option."""
    options: list[str] = []
    others: list[str] = _removed(settings, recipe)
    for field in fields(recipe):
        name, usual = field.name, getattr(recipe, field.name)
        if name == "smaller":
            continue
        if name not in settings:
            if is_dataclass(usual) and (moved := [one for one in fields(usual) if one.name in settings]):
                # Earlier versions had these settings in the recipe itself, where others may have their name.
                own = {one.name for one in fields(recipe)}
                inner = [one.name for one in moved if one.name not in own]
                others += [one for one in inner if not _same(settings[one], getattr(usual, one))]
            elif _default(field) != usual:
                others.append(name)
            continue
        value = settings[name]
        values = value if isinstance(value, list) else [value]
        if _same(value, usual):
            continue
        # Of an empty list the recipe's own entries show whether its kind of entry can be given as an option.
        if any(isinstance(one, dict | list) for one in values or plain(usual)):
            others.append(name)
        else:
            options.append(" ".join([f"--recipe.{name.replace('_', '-')}", *map(str, values)]))
    return options, others


def _removed(settings: Mapping[str, Any], recipe: Any) -> list[str]:
    """Return the names of stored settings that neither a recipe nor a part of it has any more."""
    parts = [getattr(recipe, field.name) for field in fields(recipe)]
    known = {field.name for one in (recipe, *filter(is_dataclass, parts)) for field in fields(one)}
    return [name for name in settings if name not in known and name not in _NOT_OF_RECIPE]


def _default(field: Field[Any]) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _same(stored: Any, current: Any) -> bool:
    """Whether a stored setting is that of the recipe; a field that did not exist then had what is its default now."""
    if is_dataclass(current) and isinstance(stored, dict):
        return stored.keys() <= {field.name for field in fields(current)} and all(
            _same(stored[field.name], getattr(current, field.name))
            if field.name in stored
            else _default(field) == getattr(current, field.name)
            for field in fields(current)
        )
    if isinstance(current, list | tuple) and isinstance(stored, list):
        return len(stored) == len(current) and all(map(_same, stored, current))
    return bool(stored == plain(current))
