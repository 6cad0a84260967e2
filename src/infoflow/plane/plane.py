"""The information plane as users hold it: the table with its figure, report and audit."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import Any

import pandas as pd

from infoflow.core.estimate import NATS_PER_BIT
from infoflow.plane.auditing import Audit, audit
from infoflow.plane.figure import draw
from infoflow.plane.report import write
from infoflow.plane.table import PlaneTable


class Plane(PlaneTable):
    """The information plane of networks through training: I(X;T) and I(T;Y) of every layer.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row for each network, probe, layer, seed, epoch, estimator and axis. `axis` is "input" for I(X;T) or the
        quantity that stands for it, "label" for I(T;Y). `nats` is never NaN; `low` and `high` (nats) are NaN where the
        estimator returned no interval.
    metrics : pandas.DataFrame
        Columns network, seed, epoch, metric and value.
    provenance : mapping
        Settings, versions and machines behind the numbers; stored as plain JSON values.

    Raises
    ------
    InvalidArgument
        If a column is missing or of a wrong type, an estimate is NaN, or two rows describe one point.

    Notes
    -----
    `infoflow.plane.analyse` returns one. The plane was proposed in Tishby and Zaslavsky (2015), section III.

    References
    ----------
    N. Tishby and N. Zaslavsky, "Deep learning and the information bottleneck principle", ITW 2015.

    Examples
    --------
    >>> import pandas as pd
    >>> row = dict(network="net", probe="probe", layer="tanh1", depth=0, seed=0, epoch=0,
    ...            estimator="Binning(bins=30)", axis="label", quantity="I(Q(T);Y)", kind="plug-in", nats=0.5,
    ...            ceiling=0.69, ceiling_name="H(Y)", saturated=False, low=float("nan"), high=float("nan"),
    ...            spans="", n=100, warnings="")
    >>> Plane(pd.DataFrame([row]))
    Plane(1 estimate: 1 network, 1 layer, 1 seed, 1 epoch; Binning(bins=30))
    """

    def __repr__(self) -> str:
        layers = len(self.frame[["network", "layer"]].drop_duplicates())
        counts = {"network": len(self.networks), "layer": layers}
        counts |= {name: self.frame[name].nunique() for name in ("seed", "epoch")}
        held = ", ".join(_counted(count, name) for name, count in counts.items())
        return f"Plane({_counted(len(self.frame), 'estimate')}: {held}; {', '.join(self.estimators)})"

    def _repr_html_(self) -> str:
        """The last epoch as a table for notebooks: mean over seeds of every layer, in bits."""
        return f"<p>{html.escape(repr(self))}</p>{_last_epoch(self.frame).to_html()}"

    def figure(self, path: str | os.PathLike[str], **options: Any) -> Path:
        """Draw the plane into an image file.

        Parameters
        ----------
        path
            Image file; its ending (.png, .pdf, .svg) sets the format.
        **options
            `estimator`, `units` and `probe` of `infoflow.plane.figure.draw`.

        Returns
        -------
        Path
            The file.
        """
        draw(self, path, **options)
        return Path(path)

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write the plane as one HTML page that opens offline.

        Parameters
        ----------
        path
            HTML file; an earlier one is replaced.

        Returns
        -------
        Path
            The file.
        """
        write(self, path)
        return Path(path)

    def audit(self) -> Audit:
        """Check every number against what must hold, and judge what each layer did: `infoflow.plane.audit`."""
        return audit(self)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _last_epoch(frame: pd.DataFrame) -> pd.DataFrame:
    last = frame[frame["epoch"] == frame.groupby("network")["epoch"].transform("max")]
    keys = ["network", "probe", "estimator", "depth", "layer", "epoch"]
    table = last.assign(bits=last["nats"] / NATS_PER_BIT).pivot_table(
        index=keys, columns="axis", values="bits", sort=False
    )
    return table.rename(columns={"input": "I(X;T) [bits]", "label": "I(T;Y) [bits]"}).round(3)
