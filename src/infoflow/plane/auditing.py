"""Whether the numbers of a plane can be true, and what each layer did."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from infoflow.core.estimate import NATS_PER_BIT, Kind
from infoflow.plane.compression import compression, undecided_layers
from infoflow.plane.table import PlaneTable

# Rounding of sums over the samples, relative to the size of the numbers.
TOLERANCE = 1e-6

CEILING = "estimate ≤ ceiling"
LABEL_INPUT = "I(T;Y) ≤ I(X;T)"
LABEL_ENTROPY = "I(T;Y) ≤ H(Y)"
BOUNDS = "lower ≤ upper"
PROCESSING_INPUT = "I(X;T) falls with depth"
PROCESSING_LABEL = "I(T;Y) falls with depth"

# A pair of such estimates has the order of the quantities themselves; a point estimate or a trained lower bound may
# violate it by chance.
_ORDERED = {str(kind) for kind in (Kind.EXACT, Kind.PLUG_IN, Kind.UPPER_BOUND, Kind.DIFFERENCE_OF_BOUNDS)}

COLUMNS = ["check", "network", "estimator", "promised", "checked", "violated", "worst", "where"]


@dataclass(frozen=True, eq=False)
class Audit:
    """What `infoflow.plane.audit` found, in nats.

    Parameters
    ----------
    checks : pandas.DataFrame
        One row per check, network and estimator: the numbers of points `checked` and `violated`, the `worst` excess (0
        for none) and `where` it is. `promised` is whether the estimator guarantees the check; a violation of a check
        that is not guaranteed is informative but no error.
    compression : pandas.DataFrame
        See `infoflow.plane.compression.compression`.
    time
        What the numbers of snapshots count: "epoch" or "step".

    Examples
    --------
    >>> checks = pd.DataFrame({"promised": [True, False], "violated": [0, 2]})
    >>> Audit(checks, compression=pd.DataFrame()).ok
    True
    """

    checks: pd.DataFrame
    compression: pd.DataFrame
    time: str = "epoch"

    @property
    def ok(self) -> bool:
        """Whether every guaranteed check holds."""
        return not bool((self.checks["promised"] & (self.checks["violated"] > 0)).any())

    def __str__(self) -> str:
        broken = self.checks[self.checks["violated"] > 0]
        verdict = "all guaranteed checks hold" if self.ok else f"{int(broken['promised'].sum())} FAILED"
        lines = [f"Audit: {len(self.checks)} checks of {int(self.checks['checked'].sum())} points: {verdict}"]
        for row in broken.itertuples():
            lines.append(
                f"  {'FAILED' if row.promised else 'not guaranteed'}: {row.check}, {row.network}, {row.estimator}: "
                f"{row.violated} of {row.checked} points, worst by {row.worst:.3g} nats ({row.where})"
            )
        if len(self.compression):
            lines += ["", "I(X;T) in bits, median over seeds; fall from its peak with the 10–90 % band over seeds"]
        return "\n".join([*lines, *_compression_lines(self.compression, self.time)])


def audit(plane: PlaneTable) -> Audit:
    """Check every point of a plane against what must hold, and judge fit and compression of each layer.

    Parameters
    ----------
    plane : Plane
        The plane.

    Returns
    -------
    Audit
        `ok`, the checks, and the verdict of each layer; `print` shows all of them.

    Notes
    -----
    The checks, with a tolerance of 1e-6 (relative for numbers above one nat):

    - estimate ≤ ceiling, on both axes;
    - I(T;Y) ≤ I(X;T) (data processing on T - X - Y) and I(T;Y) ≤ H(Y), guaranteed for exact and plug-in estimates and
      those made of upper bounds;
    - lower ≤ upper, where the plane holds both bounds of an otherwise equal estimator;
    - I(X;T) and I(T;Y) fall with depth (data processing along the layers), guaranteed where the estimator's class sets
      `promises_data_processing` and each layer is known to be computed from the one before. Layers whose largest unit
      is no decision are left out.

    Examples
    --------
    >>> import pandas as pd
    >>> from infoflow.plane import Plane
    >>> row = dict(network="net", probe="probe", layer="tanh1", depth=0, seed=0, epoch=0, estimator="Binning",
    ...            quantity="", kind="plug-in", saturated=False, low=None, high=None, spans="", n=100, warnings="")
    >>> plane = Plane(pd.DataFrame([
    ...     row | dict(axis="input", nats=0.4, ceiling=4.6, ceiling_name="log N"),
    ...     row | dict(axis="label", nats=0.5, ceiling=0.69, ceiling_name="H(Y)")]))
    >>> found = audit(plane)
    >>> found.ok, found.checks.loc[found.checks.violated > 0, ["check", "worst"]].values.tolist()
    (False, [['I(T;Y) ≤ I(X;T)', 0.1]])
    """
    rows = []
    for (network, estimator), group in plane.frame.groupby(["network", "estimator"], sort=False):
        for check in _checks(plane, str(network), str(estimator), group):
            rows.append(check.row(str(network), str(estimator), plane.time))
    for network, group in plane.frame.groupby("network", sort=False):
        rows += [check.row(str(network), estimator, plane.time) for estimator, check in _bounds(group)]
    return Audit(pd.DataFrame(rows, columns=COLUMNS), compression(plane.frame), plane.time)


@dataclass(frozen=True, eq=False)
class _Check:
    """An inequality over points; `where` holds their rows."""

    name: str
    promised: bool
    lesser: pd.Series[float]
    greater: pd.Series[float]
    where: pd.DataFrame

    def row(self, network: str, estimator: str, time: str) -> dict[str, Any]:
        small, large = self.lesser.to_numpy(), self.greater.to_numpy()
        excess = small - large
        violated = excess > TOLERANCE * np.maximum(1.0, np.abs(large))
        worst, place = 0.0, ""
        if violated.any():
            index = int(np.argmax(np.where(violated, excess, -np.inf)))
            point = self.where.iloc[index]
            worst = float(excess[index])
            place = f"probe {point['probe']}, layer {point['layer']}, {time} {point['epoch']}, seed {point['seed']}"
        values = (self.name, network, estimator, self.promised, len(small), int(violated.sum()), worst, place)
        return dict(zip(COLUMNS, values, strict=True))


def _checks(plane: PlaneTable, network: str, estimator: str, group: pd.DataFrame) -> Iterator[_Check]:
    """The checks of one estimator on one network."""
    yield _Check(CEILING, True, group["nats"], group["ceiling"], group)
    point = ["probe", "depth", "layer", "seed", "epoch"]
    inputs, labels = group[group["axis"] == "input"], group[group["axis"] == "label"]
    ordered = bool(labels["kind"].isin(_ORDERED).all())
    both = labels.merge(inputs, on=point, suffixes=("", "_input"))
    if len(both):
        promised = ordered and bool(inputs["kind"].isin(_ORDERED).all())
        yield _Check(LABEL_INPUT, promised, both["nats"], both["nats_input"], both)
    entropy = labels["probe"].map(_label_entropies(plane, network, labels))
    known = entropy.notna()
    if known.any():
        yield _Check(LABEL_ENTROPY, ordered, labels.loc[known, "nats"], entropy[known], labels[known])
    chain = all(part.get("chain", False) for part in plane.recordings(network))
    promised = chain and estimator in plane.provenance.get("promise_data_processing", [])
    for name, side in ((PROCESSING_INPUT, inputs), (PROCESSING_LABEL, labels)):
        rows = side[~side["layer"].isin(undecided_layers(group))].sort_values(["probe", "seed", "epoch", "depth"])
        before = rows.groupby(["probe", "seed", "epoch"], sort=False)["nats"].shift()
        later = before.notna()
        if later.any():
            yield _Check(name, promised, rows.loc[later, "nats"], before[later], rows[later])


def _bounds(group: pd.DataFrame) -> Iterator[tuple[str, _Check]]:
    """Pairs of a lower and an upper bound on one quantity from estimators that differ in nothing else."""
    family = group["estimator"].map(lambda name: re.sub(r"\(\)$", "", re.sub(r"(, )?bound='\w+'", "", name)))
    group = group.assign(family=family.str.replace("(, ", "(", regex=False))
    point = ["family", "probe", "depth", "layer", "seed", "epoch", "axis", "quantity"]
    lower, upper = (group[group["kind"] == str(kind)] for kind in (Kind.LOWER_BOUND, Kind.UPPER_BOUND))
    both = lower.merge(upper, on=point, suffixes=("", "_upper"))
    for name, rows in both.groupby("family", sort=False):
        yield str(name), _Check(BOUNDS, True, rows["nats"], rows["nats_upper"], rows)


def _label_entropies(plane: PlaneTable, network: str, labels: pd.DataFrame) -> dict[str, float]:
    """H(Y) of each probe, from the analysis or from a ceiling of that name."""
    named = labels[labels["ceiling_name"] == "H(Y)"]
    found = {str(probe): float(rows["ceiling"].max()) for probe, rows in named.groupby("probe")}
    for part in plane.recordings(network):
        found |= {probe: float(facts["label_entropy"]) for probe, facts in part.get("probes", {}).items()}
    return found


def _compression_lines(table: pd.DataFrame, time: str) -> Iterator[str]:
    """The compression table for a terminal."""
    in_bits = ["peak", "final", "fall", "fall_low", "fall_high", "fit"]
    for (network, probe, estimator), rows in table.groupby(["network", "probe", "estimator"], sort=False):
        seeds = int(rows["seeds"].max())
        yield from ("", f"{network}, {estimator}, on {probe} ({seeds} seed{'s' * (seeds > 1)})")
        width = max(len(str(layer)) for layer in rows["layer"])
        for row in rows.assign(**{name: rows[name] / NATS_PER_BIT for name in in_bits}).itertuples():
            yield (
                f"  {row.layer:<{width}}  peak {row.peak:6.2f} at {time} {row.peak_epoch:<6} final {row.final:6.2f}  "
                f"fall {row.fall:5.2f} [{row.fall_low:.2f}, {row.fall_high:.2f}]  fit {row.fit:+.2f}  {row.verdict}"
            )
