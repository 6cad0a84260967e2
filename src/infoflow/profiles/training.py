"""Profiles through training: one table of all steps that were measured."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.files import write_text
from infoflow.profiles.labels import Codes
from infoflow.profiles.result import COLUMNS, Profile

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from infoflow.profiles.token_readings import TokenReadings

STEP_COLUMNS = ("step", *COLUMNS)
"""Columns of the table of a training."""


@dataclass(frozen=True)
class TrainingProfile:
    """What each layer of a network holds, at every step of a training that was measured.

    Parameters
    ----------
    frame : pandas.DataFrame
        The column "step", and those of `Profile`.
    metrics : pandas.DataFrame
        Columns step, metric and value: numbers of the training such as its loss.
    codes
        Codes of the tokens, which are the same at every step.

    Raises
    ------
    InvalidArgument
        If a column is missing.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> import infoflow
    >>> model = nn.Sequential(nn.Linear(4, 80), nn.ReLU(), nn.Linear(80, 3))
    >>> x, y = torch.randn(300, 4), torch.arange(300) % 3
    >>> one = infoflow.profile(model, [(x, y)])
    >>> TrainingProfile.of({0: one, 10: one}).steps
    [0, 10]
    """

    frame: pd.DataFrame
    metrics: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["step", "metric", "value"]))
    codes: Codes | None = None

    def __post_init__(self) -> None:
        missing = [name for name in STEP_COLUMNS if name not in self.frame.columns]
        if missing:
            wanted = f"a table with the columns {', '.join(STEP_COLUMNS)}"
            raise InvalidArgument("frame", wanted, got_text=f"one without {', '.join(missing)}")

    @classmethod
    def of(
        cls,
        profiles: Mapping[int, Profile],
        metrics: Mapping[int, Mapping[str, float]] | None = None,
        codes: Codes | None = None,
    ) -> TrainingProfile:
        """Join profiles by their step.

        Parameters
        ----------
        profiles
            Profiles by step.
        metrics
            Numbers by name and step.
        codes
            Codes of the tokens; by default those of the profiles.

        Returns
        -------
        TrainingProfile
            All steps, in their order.
        """
        frames = [profiles[step].frame.assign(step=step)[list(STEP_COLUMNS)] for step in sorted(profiles)]
        frame = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(STEP_COLUMNS))
        numbers = [
            (step, name, float(value))
            for step, named in sorted((metrics or {}).items())
            for name, value in named.items()
        ]
        found = codes if codes is not None else next((each.codes for each in profiles.values()), None)
        return cls(frame, pd.DataFrame(numbers, columns=["step", "metric", "value"]), found)

    @property
    def steps(self) -> list[int]:
        """The steps that were measured, in their order."""
        return sorted({int(step) for step in self.frame["step"]})

    @property
    def layers(self) -> list[str]:
        """Names of the layers in the order of the forward pass."""
        return list(dict.fromkeys(self.frame.sort_values("depth", kind="stable")["layer"]))

    @property
    def quantities(self) -> list[str]:
        """Names of the quantities."""
        return list(dict.fromkeys(self.frame["quantity"]))

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return f"TrainingProfile of {len(self.layers)} layers at {len(self.steps)} steps: {', '.join(self.quantities)}"

    def at(self, step: int) -> Profile:
        """Return the profile of one step.

        Parameters
        ----------
        step
            One of `steps`.

        Returns
        -------
        Profile
            Its rows.

        Raises
        ------
        UnknownName
            If that step was not measured.
        """
        if step not in self.steps:
            raise UnknownName("step", step, map(str, self.steps))
        rows = self.frame[self.frame["step"] == step]
        return Profile(rows[list(COLUMNS)].reset_index(drop=True), self.codes)

    def table(self, quantity: str, column: str = "value") -> pd.DataFrame:
        """Return one quantity as a table of layers by steps.

        Parameters
        ----------
        quantity
            One of `quantities`.
        column
            Column of the frame, such as "value", "null", "ceiling" or "se".

        Returns
        -------
        pandas.DataFrame
            A row for each layer in the order of the forward pass, a column for each step.

        Raises
        ------
        UnknownName
            If there is no such quantity or column.
        """
        if quantity not in self.quantities:
            raise UnknownName("quantity", quantity, self.quantities)
        if column not in self.frame.columns:
            raise UnknownName("column", column, list(self.frame.columns))
        rows = self.frame[self.frame["quantity"] == quantity]
        found = rows.pivot(index="layer", columns="step", values=column)
        return found.reindex([layer for layer in self.layers if layer in found.index]).sort_index(axis=1)

    def plot(self, quantities: Sequence[str] | None = None) -> Figure:
        """Draw quantities as heat maps of depth by training above curves with null values and ceilings.

        Parameters
        ----------
        quantities
            Names of quantities; by default up to three about labels.

        Returns
        -------
        matplotlib.figure.Figure
            The picture.

        Raises
        ------
        UnknownName
            If there is no such quantity.
        """
        from infoflow.profiles.training_figure import maps_and_curves

        return maps_and_curves(self, quantities)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        title: str = "Information profile through training",
        tokens: TokenReadings | None = None,
    ) -> None:
        """Write one self-contained HTML page with any quantity by depth and step, and the numbers of single tokens.

        Parameters
        ----------
        path
            HTML file; an earlier one is replaced atomically.
        title
            Heading of the page.
        tokens
            Numbers of the tokens of a passage.
        """
        from infoflow.profiles.training_page import render

        write_text(path, render(self, title, tokens))

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the table, with the warnings of a row joined by "; ".

        Parameters
        ----------
        path
            CSV file; an earlier one is replaced atomically.
        """
        frame = self.frame.assign(warnings=self.frame["warnings"].map("; ".join))
        write_text(path, frame.to_csv(index=False))
