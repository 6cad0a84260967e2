"""Did a layer compress? The fall of I(X;T) from its peak, judged by its band over seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from infoflow.core.estimate import NATS_PER_BIT

COMPRESSES = "compresses"
DOES_NOT = "does not compress"
VARIES = "varies by seed"
SATURATED = "saturated: can't tell"
NO_FIT = "no fit yet"
EMPTY = "carries nothing"
TOO_FEW = "one snapshot: can't tell"

# A fall or a rise counts when it is more than this part of the peak of I(X;T), or of H(Y).
THRESHOLD = 0.05
# The band over seeds is between these quantiles.
BAND = (0.1, 0.9)
# Below this many nats a layer carries nothing that could be lost.
_NOTHING = 1e-6

COLUMNS = [
    "network", "probe", "estimator", "layer", "depth", "seeds", "first", "peak", "peak_epoch", "final", "rise",
    "fall", "fall_low", "fall_high", "fall_bits", "share", "share_low", "share_high", "fit", "fit_low", "fit_high",
    "saturated", "verdict",
]  # fmt: skip


def compression(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each network, probe, estimator and layer of a plane's frame; nats, medians over seeds.

    For each seed, `peak` is the greatest I(X;T) of the snapshots, at `peak_epoch`, `first` and `final` the first and
    the last; `rise` = peak - first, `fall` = peak - final, `share` = fall / peak, and `fit` = I(T;Y) of the last
    snapshot minus that of the first. `_low` and `_high` are the 10 % and 90 % quantiles over seeds (for one seed, both
    are its value), and `saturated` is the part of the seeds whose last I(X;T) is at its ceiling.

    The verdict is the first that applies:

    1. "one snapshot: can't tell" - there is no second one;
    2. "carries nothing" - I(X;T) is zero in every snapshot and seed;
    3. "saturated: can't tell" - in half of the seeds or more, the last I(X;T) is at its ceiling: the true value may be
       anything above;
    4. "no fit yet" - I(T;Y) rose by less than 5 % of H(Y) (its ceiling) in the whole band, to less than half of it:
       the network hasn't learnt, so a later phase can't be seen;
    5. "compresses" - the whole band of `share` is above 5 %;
    6. "does not compress" - the whole band is at or below 5 %;
    7. "varies by seed" - the band holds 5 %.

    A verdict speaks of the recorded epochs only: a layer whose I(X;T) still rises at the last one may fall later.
    A peak is the greatest of noisy values, so a small fall is always found; that is what the 5 % are for. A peak at
    its ceiling makes the fall a lower bound.

    >>> frame = pd.DataFrame({
    ...     "network": "net", "probe": "probe", "estimator": "exact", "layer": "tanh1", "depth": 0, "seed": 0,
    ...     "epoch": [0, 0, 1, 1, 2, 2], "axis": ["input", "label"] * 3, "nats": [3.0, 0.1, 4.0, 0.5, 2.0, 0.6],
    ...     "ceiling": [5.0, 0.69] * 3, "saturated": False})
    >>> compression(frame)[["peak", "peak_epoch", "fall", "share", "fit", "verdict"]].values.tolist()
    [[4.0, 1, 2.0, 0.5, 0.5, 'compresses']]
    """
    rows = []
    keys = ["network", "probe", "estimator", "depth", "layer"]
    for key, group in frame.groupby(keys, sort=False):
        values = dict(zip(keys, key, strict=True))
        information = _by_seed(group, "input", "nats")
        label = _by_seed(group, "label", "nats")
        if information.shape[1] == 0:
            continue
        rows.append(values | _measures(group, information, label))
    return pd.DataFrame(rows, columns=COLUMNS)


def _by_seed(group: pd.DataFrame, axis: str, column: str) -> pd.DataFrame:
    """Epochs by seeds, in order of the epochs."""
    rows = group[group["axis"] == axis]
    return rows.pivot(index="epoch", columns="seed", values=column).sort_index()


def _ends(table: pd.DataFrame) -> tuple[Any, Any]:
    """Each seed's first and last value (a seed may have been recorded at epochs of its own)."""
    return table.bfill().iloc[0].to_numpy(), table.ffill().iloc[-1].to_numpy()


def _measures(group: pd.DataFrame, information: pd.DataFrame, label: pd.DataFrame) -> dict[str, Any]:
    first, final = _ends(information)
    peak = information.max().to_numpy()
    fall = peak - final
    share = np.where(peak > _NOTHING, fall / np.maximum(peak, _NOTHING), 0.0)
    at_ceiling = _ends(_by_seed(group, "input", "saturated").astype("float64"))[1]
    label_first, label_final = _ends(label) if len(label) else (np.zeros(1), np.zeros(1))
    fit = label_final - label_first
    fall_low, fall_high = np.quantile(fall, BAND)
    share_low, share_high = np.quantile(share, BAND)
    fit_low, fit_high = np.quantile(fit, BAND)
    found: dict[str, Any] = {
        "seeds": information.shape[1],
        "first": float(np.median(first)),
        "peak": float(np.median(peak)),
        "peak_epoch": int(np.median(information.idxmax().to_numpy())),
        "final": float(np.median(final)),
        "rise": float(np.median(peak - first)),
        "fall": float(np.median(fall)),
        "fall_low": float(fall_low),
        "fall_high": float(fall_high),
        "fall_bits": float(np.median(fall)) / NATS_PER_BIT,
        "share": float(np.median(share)),
        "share_low": float(share_low),
        "share_high": float(share_high),
        "fit": float(np.median(fit)),
        "fit_low": float(fit_low),
        "fit_high": float(fit_high),
        "saturated": float(at_ceiling.mean()),
    }
    relevant = group.loc[group["axis"] == "label", "ceiling"]
    ceiling = float(relevant.max()) if len(relevant) else np.inf
    unfitted = len(label) and fit_high < THRESHOLD * ceiling and np.median(label_final) < ceiling / 2
    if len(information) < 2:
        verdict = TOO_FEW
    elif peak.max() <= _NOTHING:
        verdict = EMPTY
    elif found["saturated"] >= 0.5:
        verdict = SATURATED
    elif np.isfinite(ceiling) and unfitted:
        verdict = NO_FIT
    elif share_low > THRESHOLD:
        verdict = COMPRESSES
    elif share_high <= THRESHOLD:
        verdict = DOES_NOT
    else:
        verdict = VARIES
    return found | {"verdict": verdict}
