"""The unit of a reproduction: small, independent of the others, and remembered."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from infoflow.core.errors import UnknownName


class Context(NamedTuple):
    """Where and how a trial runs; nothing here changes what it finds (but for rounding on another device)."""

    data_root: Path | None
    """Where data sets lie; None: where they are looked for by default."""
    device: str
    """ "cpu", "cuda", ..."""
    checkpoint: Path
    """A file name of the trial's own, for a checkpoint of its training."""
    progress: bool
    """Whether to show it."""


class Trial(NamedTuple):
    """A function and its arguments.

    `run(context=..., **arguments)` returns scalars, lists and nested lists by name. It is a function of a module, so
    that other processes can call it; the arguments are plain values (what JSON can hold), and the result is remembered
    under them.

    >>> Trial("half/seed=0", max, {"seed": 0}).name
    'half/seed=0'
    """

    name: str
    run: Callable[..., Mapping[str, Any]]
    arguments: Mapping[str, Any]


class Results:
    """What the trials found, by name, by argument or as a table.

    >>> trial = Trial("a/seed=0", max, {"method": "a", "seed": 0})
    >>> results = Results([trial], {"a/seed=0": {"error": 0.25, "curve": [1, 2]}})
    >>> results["a/seed=0"]["curve"], results.of(method="a")[0]["error"]
    ([1, 2], 0.25)
    >>> results.frame
       trial method  seed  error
    0  a/seed=0      a     0   0.25
    """

    def __init__(self, trials: Sequence[Trial], found: Mapping[str, Mapping[str, Any]], seconds: float = 0.0) -> None:
        self._trials = list(trials)
        self._found = found
        self.seconds = seconds
        """How long the trials took, added up."""

    def __getitem__(self, trial: str) -> Mapping[str, Any]:
        try:
            return self._found[trial]
        except KeyError:
            raise UnknownName("trial", trial, self._found) from None

    def __iter__(self) -> Iterator[str]:
        return iter(trial.name for trial in self._trials)

    def __len__(self) -> int:
        return len(self._trials)

    def of(self, **arguments: Any) -> list[Mapping[str, Any]]:
        """What the trials with these arguments found, in their order."""
        return [
            self._found[trial.name]
            for trial in self._trials
            if all(trial.arguments.get(name) == value for name, value in arguments.items())
        ]

    @cached_property
    def frame(self) -> pd.DataFrame:
        """A row for each trial: its name, its arguments and those of its results that are single values."""
        rows = []
        for trial in self._trials:
            single = {k: v for k, v in self._found[trial.name].items() if isinstance(v, bool | int | float | str)}
            rows.append({"trial": trial.name, **trial.arguments, **single})
        return pd.DataFrame(rows)
