"""The result of a profile: one row per layer, quantity and label, with figure, table and page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from infoflow.core.errors import UnknownName
from infoflow.core.files import write_text
from infoflow.profiles.labels import Codes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = ("layer", "depth", "quantity", "label", "value", "unit", "null", "ceiling", "se", "kind", "n", "warnings")
"""Columns of a profile's table."""


@dataclass(frozen=True)
class Profile:
    """What each layer of a network holds, as a tidy table.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row for each layer, quantity and label: layer, depth (its place), quantity, label (empty for a quantity
        without labels), value, unit, null (the value that shuffled labels give), ceiling (the largest value that it can
        have), se (standard error over documents), kind, n (rows) and warnings, a tuple of sentences.
    codes
        Codes of the tokens; pass them to the profile of another checkpoint, so that both compare.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> import infoflow
    >>> model = nn.Sequential(nn.Linear(4, 80), nn.ReLU(), nn.Linear(80, 3))
    >>> x, y = torch.randn(300, 4), torch.arange(300) % 3
    >>> infoflow.profile(model, [(x, y)]).layers
    ['1']
    """

    frame: pd.DataFrame
    codes: Codes | None = None

    @property
    def layers(self) -> list[str]:
        """Names of the layers in the order of the forward pass."""
        return list(dict.fromkeys(self.frame["layer"]))

    @property
    def quantities(self) -> list[str]:
        """Names of the quantities."""
        return list(dict.fromkeys(self.frame["quantity"]))

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return f"Profile of {len(self.layers)} layers: {', '.join(self.quantities)}"

    def _repr_html_(self) -> str:
        shown: str = self.frame.drop(columns="warnings").to_html(index=False, float_format="{:.4g}".format)
        return shown

    def select(self, quantity: str) -> pd.DataFrame:
        """Return the rows of one quantity, in the order of the layers.

        Parameters
        ----------
        quantity
            One of `quantities`.

        Returns
        -------
        pandas.DataFrame
            The rows.

        Raises
        ------
        UnknownName
            If there is no such quantity.
        """
        if quantity not in self.quantities:
            raise UnknownName("quantity", quantity, self.quantities)
        rows = self.frame[self.frame["quantity"] == quantity]
        return rows.sort_values("depth", kind="stable").reset_index(drop=True)

    def plot(self, ax: Axes | None = None, *, quantities: Sequence[str] | None = None) -> Axes:
        """Draw values by depth, with standard errors, null values (dotted) and ceilings (dashed).

        Parameters
        ----------
        ax
            Axes to draw on; new ones by default.
        quantities
            Quantities to draw; by default all that are in nats about a label, or, without labels, all.

        Returns
        -------
        matplotlib.axes.Axes
            The axes.

        Raises
        ------
        UnknownName
            If there is no such quantity.
        """
        from infoflow.profiles.figures import curves

        return curves(self, list(quantities or self._shown()), ax)

    def report(self, path: str | os.PathLike[str], *, title: str = "Information profile") -> None:
        """Write one self-contained HTML page with every quantity by depth, the warnings and the table.

        Parameters
        ----------
        path
            HTML file; an earlier one is replaced atomically.
        title
            Heading of the page.
        """
        from infoflow.profiles.page import render

        write_text(path, render(self, title))

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the table, with the warnings of a row joined by "; ".

        Parameters
        ----------
        path
            CSV file; an earlier one is replaced atomically.
        """
        frame = self.frame.assign(warnings=self.frame["warnings"].map("; ".join))
        write_text(path, frame.to_csv(index=False))

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the rows as plain values."""
        return [dict(zip(COLUMNS, row, strict=True)) for row in self.frame.itertuples(index=False)]

    def _shown(self) -> list[str]:
        labeled = self.frame["quantity"][self.frame["label"] != ""]
        return list(dict.fromkeys(labeled)) or self.quantities
