"""Did a layer compress? The fall of I(X;T) from its peak, judged by its band over seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from infoflow.core.estimate import NATS_PER_BIT
from infoflow.estimators.histogram.decision_rule import NO_DECISION

COMPRESSES = "compresses"
DOES_NOT = "does not compress"
VARIES = "varies by seed"
SATURATED = "saturated (lower bound only)"
NO_FIT = "not fitted yet"
EMPTY = "carries no information"
TOO_FEW = "inconclusive (one snapshot)"
NO_RULE = "none (not one unit per class)"

THRESHOLD = 0.05
"""A fall or a rise counts when it exceeds this share of the peak of I(X;T), or of H(Y)."""
BAND = (0.1, 0.9)
"""The band over seeds lies between these quantiles."""
# Below this many nats a layer carries nothing that could be lost.
_NOTHING = 1e-6

_LAYER = ["network", "probe", "estimator", "depth", "layer"]
_BANDED = [f"{name}{end}" for name in ("fall", "share", "fit") for end in ("", "_low", "_high")]
_SEEDS = ["seeds", "first", "peak", "peak_epoch", "final", "rise", *_BANDED, "fall_bits", "saturated"]
COLUMNS = [*_LAYER, *_SEEDS, "verdict"]


def compression(frame: pd.DataFrame) -> pd.DataFrame:
    """Judge for every network, probe, estimator and layer of a plane's frame whether the layer compressed.

    Parameters
    ----------
    frame : pandas.DataFrame
        Frame of a plane: at least the columns network, probe, estimator, depth, layer, seed, epoch, axis, nats,
        ceiling and saturated; warnings where there are any.

    Returns
    -------
    pandas.DataFrame
        One row per network, probe, estimator and layer, in nats, with medians over seeds. For each seed, `peak` is the
        greatest I(X;T) of the snapshots, at `peak_epoch` (for an even number of seeds the lower of the two middle ones,
        so that it is a recorded snapshot); `first` and `final` are the first and the last; `rise` =
        peak - first, `fall` = peak - final, `share` = fall / peak, and `fit` = I(T;Y) of the last snapshot minus that
        of the first. `_low` and `_high` are the 10 % and 90 % quantiles over seeds (for one seed, both are its value).
        `saturated` is the share of seeds whose last I(X;T) is at its ceiling. `verdict` is described below.

    Notes
    -----
    The verdict is the first that applies:

    1. "none (not one unit per class)": the estimator reads decisions from a layer that makes none;
    2. "inconclusive (one snapshot)": there is no second one;
    3. "carries no information": I(X;T) is zero in every snapshot and seed;
    4. "saturated (lower bound only)": in half of the seeds or more, the last I(X;T) is at its ceiling, so that the true
       value may be anything above;
    5. "not fitted yet": I(T;Y) rose by less than 5 % of H(Y) (its ceiling) in the whole band, to less than half of it,
       so that a compression after fitting cannot be observed;
    6. "compresses": the whole band of `share` is above 5 %;
    7. "does not compress": the whole band is at or below 5 %;
    8. "varies by seed": the band contains 5 %.

    A verdict covers the recorded epochs only: a layer whose I(X;T) still rises at the last one may fall later. A peak
    is the greatest of noisy values, so a small fall is always found, hence the threshold of 5 %. A peak at its ceiling
    makes the fall a lower bound.

    Examples
    --------
    >>> frame = pd.DataFrame({
    ...     "network": "net", "probe": "probe", "estimator": "exact", "layer": "tanh1", "depth": 0, "seed": 0,
    ...     "epoch": [0, 0, 1, 1, 2, 2], "axis": ["input", "label"] * 3, "nats": [3.0, 0.1, 4.0, 0.5, 2.0, 0.6],
    ...     "ceiling": [5.0, 0.69] * 3, "saturated": False})
    >>> compression(frame)[["peak", "peak_epoch", "fall", "share", "fit", "verdict"]].values.tolist()
    [[4.0, 1, 2.0, 0.5, 0.5, 'compresses']]
    """
    rows = []
    for key, group in frame.groupby(_LAYER, sort=False):
        if "input" in set(group["axis"]):
            rows.append(dict(zip(_LAYER, key, strict=True)) | _measures(group))
    return pd.DataFrame(rows, columns=COLUMNS)


def by_seed(rows: pd.DataFrame, axis: str, column: str = "nats") -> pd.DataFrame:
    """One column of a layer's rows on one axis, as a table of epochs (in order) by seeds."""
    return rows[rows["axis"] == axis].pivot(index="epoch", columns="seed", values=column).sort_index()


def _ends(table: pd.DataFrame) -> tuple[Any, Any]:
    """Each seed's first and last value; seeds may have been recorded at different epochs."""
    return table.bfill().iloc[0].to_numpy(), table.ffill().iloc[-1].to_numpy()


def _measures(group: pd.DataFrame) -> dict[str, Any]:
    """The columns of one layer, without those that name it."""
    information, label = by_seed(group, "input"), by_seed(group, "label")
    first, final = _ends(information)
    peak = information.max().to_numpy()
    fall = peak - final
    label_first, label_final = _ends(label) if len(label) else (np.zeros(1), np.zeros(1))
    banded = {
        "fall": fall,
        "share": np.where(peak > _NOTHING, fall / np.maximum(peak, _NOTHING), 0.0),
        "fit": label_final - label_first,
    }
    found: dict[str, Any] = {
        "seeds": information.shape[1],
        "first": float(np.median(first)),
        "peak": float(np.median(peak)),
        "peak_epoch": int(np.quantile(information.idxmax().to_numpy(), 0.5, method="lower")),
        "final": float(np.median(final)),
        "rise": float(np.median(peak - first)),
        "fall_bits": float(np.median(fall)) / NATS_PER_BIT,
        "saturated": float(_ends(by_seed(group, "input", "saturated").astype("float64"))[1].mean()),
    }
    for name, values in banded.items():
        low, high = np.quantile(values, BAND)
        found |= {name: float(np.median(values)), f"{name}_low": float(low), f"{name}_high": float(high)}
    ceiling = float(group.loc[group["axis"] == "label", "ceiling"].max()) if len(label) else np.inf
    unfitted = np.isfinite(ceiling) and found["fit_high"] < THRESHOLD * ceiling and np.median(label_final) < ceiling / 2
    rules = (
        (NO_RULE, bool(undecided_layers(group))),
        (TOO_FEW, len(information) < 2),
        (EMPTY, peak.max() <= _NOTHING),
        (SATURATED, found["saturated"] >= 0.5),
        (NO_FIT, unfitted),
        (COMPRESSES, found["share_low"] > THRESHOLD),
        (DOES_NOT, found["share_high"] <= THRESHOLD),
        (VARIES, True),
    )
    return found | {"verdict": next(verdict for verdict, applies in rules if applies)}


def undecided_layers(frame: pd.DataFrame) -> list[str]:
    """Layers of which an estimator warned that their largest unit is no decision."""
    if "warnings" not in frame:
        return []
    return list(frame.loc[frame["warnings"].str.contains(NO_DECISION, regex=False), "layer"].unique())
