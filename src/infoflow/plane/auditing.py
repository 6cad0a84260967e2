"""Can the numbers of a plane be true, and what did each layer do?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from infoflow.core.estimate import NATS_PER_BIT, Kind
from infoflow.plane.compression import compression
from infoflow.plane.table import PlaneTable

# Rounding of sums over the samples, relative to the size of the numbers.
TOLERANCE = 1e-6

CEILING = "estimate ≤ ceiling"
LABEL_INPUT = "I(T;Y) ≤ I(X;T)"
LABEL_ENTROPY = "I(T;Y) ≤ H(Y)"
BOUNDS = "lower ≤ upper"
PROCESSING_INPUT = "I(X;T) falls with depth"
PROCESSING_LABEL = "I(T;Y) falls with depth"

# Of these kinds, a pair from one estimator obeys the order of the quantities themselves; a point estimate or a lower
# bound that a network was trained for may break it by chance.
_ORDERED = {str(kind) for kind in (Kind.EXACT, Kind.PLUG_IN, Kind.UPPER_BOUND, Kind.DIFFERENCE_OF_BOUNDS)}

COLUMNS = ["check", "network", "estimator", "promised", "checked", "violated", "worst", "where"]


@dataclass(frozen=True, eq=False)
class Audit:
    """What `audit` found, in nats.

    `checks`: one row for each check, network and estimator, with how many points were `checked` and `violated`, the
    `worst` excess (0 when none) and `where` it is. `promised` says whether the estimator promises it: a violation of
    what isn't promised is worth knowing, and no fault. `compression`: see `infoflow.plane.compression.compression`.

    >>> checks = pd.DataFrame({"promised": [True, False], "violated": [0, 2]})
    >>> Audit(checks, compression=pd.DataFrame()).ok
    True
    """

    checks: pd.DataFrame
    compression: pd.DataFrame

    @property
    def ok(self) -> bool:
        """Whether everything that is promised holds."""
        return not bool((self.checks["promised"] & (self.checks["violated"] > 0)).any())

    def __str__(self) -> str:
        broken = self.checks[self.checks["violated"] > 0]
        faults = broken[broken["promised"]]
        points = int(self.checks["checked"].sum())
        lines = [
            f"Audit: {len(self.checks)} checks of {points} points: "
            + ("all that is promised holds" if self.ok else f"{len(faults)} FAILED")
        ]
        for row in broken.itertuples():
            fault = "FAILED" if row.promised else "not promised"
            lines.append(
                f"  {fault}: {row.check}, {row.network}, {row.estimator}: {row.violated} of {row.checked} points, "
                f"worst by {row.worst:.3g} nats ({row.where})"
            )
        lines += ["", "I(X;T) in bits, median over seeds; the fall from its peak with its 10-90 % band over seeds"]
        lines += _told(self.compression)
        return "\n".join(lines)


def audit(plane: PlaneTable) -> Audit:
    """Checks every point of a plane against what must hold, and gives each layer's verdict on fit and compression.

    - estimate ≤ ceiling, for both axes;
    - I(T;Y) ≤ I(X;T) (data processing on T - X - Y) and I(T;Y) ≤ H(Y), promised by exact and plug-in estimates and by
      those made of upper bounds;
    - lower ≤ upper, where the plane holds both bounds of an otherwise equal estimator;
    - I(X;T) and I(T;Y) fall with depth (data processing along the layers), promised where the estimator's class says
      `promises_data_processing` and the recording knows that each layer is computed from the one before.

    Tolerance: 1e-6, relative for numbers above one nat.

    >>> import pandas as pd
    >>> row = dict(network="net", probe="probe", layer="tanh1", depth=0, seed=0, epoch=0, estimator="Binning",
    ...            quantity="", kind="plug-in", saturated=False, low=None, high=None, spans="", n=100, warnings="")
    >>> plane = PlaneTable(pd.DataFrame([
    ...     row | dict(axis="input", nats=0.4, ceiling=4.6, ceiling_name="log N"),
    ...     row | dict(axis="label", nats=0.5, ceiling=0.69, ceiling_name="H(Y)")]))
    >>> found = audit(plane)
    >>> found.ok, found.checks.loc[found.checks.violated > 0, ["check", "worst"]].values.tolist()
    (False, [['I(T;Y) ≤ I(X;T)', 0.1]])
    """
    rows = []
    for (network, estimator), group in plane.frame.groupby(["network", "estimator"], sort=False):
        for check, promised, lesser, greater, where in _checks(plane, str(network), str(estimator), group):
            rows.append(_row(check, str(network), str(estimator), promised, lesser, greater, where))
    for network, group in plane.frame.groupby("network", sort=False):
        for estimator, lesser, greater, where in _bounds(group):
            rows.append(_row(BOUNDS, str(network), estimator, True, lesser, greater, where))
    return Audit(pd.DataFrame(rows, columns=COLUMNS), compression(plane.frame))


def _checks(
    plane: PlaneTable, network: str, estimator: str, group: pd.DataFrame
) -> Iterator[tuple[str, bool, Any, Any, pd.DataFrame]]:
    """(check, promised, what must be less, than what, where) for one estimator on one network."""
    yield CEILING, True, group["nats"], group["ceiling"], group
    point = ["probe", "depth", "layer", "seed", "epoch"]
    inputs, labels = group[group["axis"] == "input"], group[group["axis"] == "label"]
    both = labels.merge(inputs, on=point, suffixes=("", "_input"))
    ordered = bool(labels["kind"].isin(_ORDERED).all())
    if len(both):
        pair = ordered and bool(inputs["kind"].isin(_ORDERED).all())
        yield LABEL_INPUT, pair, both["nats"], both["nats_input"], both
    entropy = labels["probe"].map(_label_entropies(plane, network, labels))
    known = entropy.notna()
    if known.any():
        yield LABEL_ENTROPY, ordered, labels.loc[known, "nats"], entropy[known], labels[known]
    recording = plane.provenance.get("recordings", {}).get(network, {})
    chain = all(part.get("chain", False) for part in recording.get("parts", [recording]))
    promised = chain and estimator in plane.provenance.get("promise_data_processing", [])
    for check, rows in ((PROCESSING_INPUT, inputs), (PROCESSING_LABEL, labels)):
        rows = rows.sort_values(["probe", "seed", "epoch", "depth"])
        before = rows.groupby(["probe", "seed", "epoch"], sort=False)["nats"].shift()
        later = before.notna()
        if later.any():
            yield check, promised, rows.loc[later, "nats"], before[later], rows[later]


def _bounds(group: pd.DataFrame) -> Iterator[tuple[str, Any, Any, pd.DataFrame]]:
    """Pairs of a lower and an upper bound on one quantity from estimators that differ in nothing else."""
    family = group["estimator"].map(lambda name: re.sub(r"\(\)$", "", re.sub(r"(, )?bound='\w+'", "", name)))
    group = group.assign(family=family.str.replace("(, ", "(", regex=False))
    point = ["family", "probe", "depth", "layer", "seed", "epoch", "axis", "quantity"]
    lower = group[group["kind"] == str(Kind.LOWER_BOUND)]
    upper = group[group["kind"] == str(Kind.UPPER_BOUND)]
    both = lower.merge(upper, on=point, suffixes=("", "_upper"))
    for family_name, rows in both.groupby("family", sort=False):
        yield str(family_name), rows["nats"], rows["nats_upper"], rows


def _label_entropies(plane: PlaneTable, network: str, labels: pd.DataFrame) -> dict[str, float]:
    """H(Y) of each probe: as the analysis noted it, or from a ceiling that is called so."""
    named = labels[labels["ceiling_name"] == "H(Y)"]
    found = {str(probe): float(rows["ceiling"].max()) for probe, rows in named.groupby("probe")}
    recording = plane.provenance.get("recordings", {}).get(network, {})
    for part in recording.get("parts", [recording]):
        for probe, facts in part.get("probes", {}).items():
            found[probe] = float(facts["label_entropy"])
    return found


def _row(
    check: str, network: str, estimator: str, promised: bool, lesser: Any, greater: Any, where: pd.DataFrame
) -> dict[str, Any]:
    small, large = lesser.to_numpy(), greater.to_numpy()
    excess = small - large
    violated = excess > TOLERANCE * np.maximum(1.0, np.abs(large))
    worst, place = 0.0, ""
    if violated.any():
        index = int(np.argmax(np.where(violated, excess, -np.inf)))
        row = where.iloc[index]
        worst = float(excess[index])
        place = f"probe {row['probe']}, layer {row['layer']}, epoch {row['epoch']}, seed {row['seed']}"
    return {
        "check": check,
        "network": network,
        "estimator": estimator,
        "promised": promised,
        "checked": len(small),
        "violated": int(violated.sum()),
        "worst": worst,
        "where": place,
    }


def _told(table: pd.DataFrame) -> list[str]:
    """The compression table for a terminal."""
    lines = []
    for (network, probe, estimator), rows in table.groupby(["network", "probe", "estimator"], sort=False):
        seeds = int(rows["seeds"].max())
        lines += ["", f"{network}, {estimator}, on {probe} ({seeds} seed{'s' * (seeds > 1)})"]
        width = max(len(str(layer)) for layer in rows["layer"])
        for row in rows.to_dict("records"):
            bits = {
                part: row[part] / NATS_PER_BIT for part in ("peak", "final", "fall", "fall_low", "fall_high", "fit")
            }
            lines.append(
                f"  {row['layer']:<{width}}  peak {bits['peak']:6.2f} at epoch {row['peak_epoch']:<6} "
                f"final {bits['final']:6.2f}  "
                f"fall {bits['fall']:5.2f} [{bits['fall_low']:.2f}, {bits['fall_high']:.2f}]  "
                f"fit {bits['fit']:+.2f}  {row['verdict']}"
            )
    return lines
