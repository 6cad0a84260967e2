"""The unit of a reproduction: one function with its settings, independent of the other trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pandas as pd

from infoflow.core.errors import UnknownName

T = TypeVar("T")


class Context(NamedTuple):
    """Where a trial runs; apart from rounding on another device, nothing here changes its result.

    Parameters
    ----------
    data_root
        Folder of the data sets; None searches the default folders.
    device
        Device such as "cpu" or "cuda".
    checkpoint
        File name reserved for a checkpoint of this trial's training.
    progress
        Whether to show progress bars.
    """

    data_root: Path | None
    device: str
    checkpoint: Path
    progress: bool

    def resumable(self, fingerprint: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of `infoflow.training.fit` that resume an interrupted training.

        Parameters
        ----------
        fingerprint
            Settings that a checkpoint must agree with.

        Returns
        -------
        dict
            Keywords: checkpoint, resume, fingerprint and progress.
        """
        return {
            "checkpoint": self.checkpoint,
            "resume": True,
            "fingerprint": dict(fingerprint),
            "progress": self.progress,
        }


@dataclass(frozen=True)
class Trial:
    """A function and its settings; the result is stored under both.

    Parameters
    ----------
    name
        Unique within an experiment. It also seeds what the trial draws from torch's global random state.
    run
        Function of a module, so that other processes can import it. It is called as `run(settings, context=context)`
        for a dataclass and as `run(context=context, **settings)` for a mapping, and returns scalars, lists and nested
        lists by name.
    settings
        A frozen dataclass, or a mapping of keywords, that holds values with a JSON form.

    Examples
    --------
    >>> Trial("half/seed=0", max, {"seed": 0}).name
    'half/seed=0'
    """

    name: str
    run: Callable[..., Mapping[str, Any]]
    settings: Any

    @cached_property
    def arguments(self) -> Mapping[str, Any]:
        """The settings by name; those of nested dataclasses stand in the place of the field that holds them."""
        return flat(self.settings)

    def __call__(self, context: Context) -> Mapping[str, Any]:
        """Run the trial.

        Parameters
        ----------
        context
            Where it runs.

        Returns
        -------
        mapping
            What `run` returns.
        """
        if is_dataclass(self.settings):
            return self.run(self.settings, context=context)
        return self.run(context=context, **self.settings)


def flat(settings: Any, *, complete: bool = False) -> dict[str, Any]:
    """Return the fields of a dataclass, and of the dataclasses in it, as one mapping.

    Parameters
    ----------
    settings
        A dataclass or a mapping; only dataclasses are expanded.
    complete
        Whether to include defaults of fields whose metadata has `omit_default`.

    Returns
    -------
    dict
        Values by field name, in the order of the fields.

    Examples
    --------
    >>> flat({"width": 0.5, "seed": 0})
    {'width': 0.5, 'seed': 0}
    """
    if isinstance(settings, Mapping):
        return dict(settings)
    found: dict[str, Any] = {}
    for field in fields(settings):
        value = getattr(settings, field.name)
        if not complete and field.metadata.get("omit_default") and value == field.default:
            continue
        found |= flat(value, complete=complete) if is_dataclass(value) else {field.name: value}
    return found


def part(settings: Any, kind: type[T]) -> T:
    """Return the settings that a base class declares, as an object of that class.

    Parameters
    ----------
    settings
        A dataclass derived from `kind`, such as a recipe that adds the number of seeds.
    kind
        The base class.

    Returns
    -------
    object
        An instance of `kind`.
    """
    return kind(**{field.name: getattr(settings, field.name) for field in fields(kind)})  # type: ignore[arg-type]


class Results:
    """Results of trials, by name, by setting or as a table.

    Parameters
    ----------
    trials
        The trials, in the order of the table's rows.
    found
        Result of each trial by its name.
    seconds
        Run time of all trials together.

    Examples
    --------
    >>> trial = Trial("a/seed=0", max, {"method": "a", "seed": 0})
    >>> results = Results([trial], {"a/seed=0": {"error": 0.25, "curve": [1, 2]}})
    >>> results["a/seed=0"]["curve"], results.of(method="a")[0]["error"], results.values("error", method="a")
    ([1, 2], 0.25, [0.25])
    >>> results.frame
       trial method  seed  error
    0  a/seed=0      a     0   0.25
    """

    def __init__(self, trials: Sequence[Trial], found: Mapping[str, Mapping[str, Any]], seconds: float = 0.0) -> None:
        self._trials = list(trials)
        self._found = found
        self.seconds = seconds

    def __getitem__(self, trial: str) -> Mapping[str, Any]:
        try:
            return self._found[trial]
        except KeyError:
            raise UnknownName("trial", trial, self._found) from None

    def __iter__(self) -> Iterator[str]:
        return iter(trial.name for trial in self._trials)

    def __len__(self) -> int:
        return len(self._trials)

    def of(self, **settings: Any) -> list[Mapping[str, Any]]:
        """Return the results of the trials that have these settings.

        Parameters
        ----------
        **settings
            Settings by name; those that are not given may have any value.

        Returns
        -------
        list of mapping
            Results in the order of the trials.
        """
        return [
            self._found[trial.name]
            for trial in self._trials
            if all(trial.arguments.get(name) == value for name, value in settings.items())
        ]

    def values(self, name: str, *, scale: float = 1.0, **settings: Any) -> list[float]:
        """Return one number of each trial that has these settings.

        Parameters
        ----------
        name
            Name of the number in the results.
        scale
            Factor on every number, such as 100 for percent.
        **settings
            Settings by name, as in `of`.

        Returns
        -------
        list of float
            Numbers in the order of the trials, usually one per seed.
        """
        return [scale * float(found[name]) for found in self.of(**settings)]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A row per trial: its name, its settings and those of its results that are single values."""
        rows = []
        for trial in self._trials:
            single = {k: v for k, v in self._found[trial.name].items() if isinstance(v, bool | int | float | str)}
            rows.append({"trial": trial.name, **trial.arguments, **single})
        return pd.DataFrame(rows)
