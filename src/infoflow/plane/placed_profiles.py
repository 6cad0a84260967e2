"""Profiles through training as an information plane: which quantity belongs to which axis."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from infoflow.core.errors import InvalidArgument
from infoflow.core.provenance import machine
from infoflow.plane.plane import Plane
from infoflow.plane.table import COLUMNS
from infoflow.profiles import TrainingProfile

# Two-sided 95 % of a normal distribution, for standard errors over folds of documents.
_DEVIATIONS = 1.96

# Quantity by label, the estimator's name in the plane, and the name of its ceiling.
_LABEL_QUANTITIES = {
    "I({label};W)": ("SoftEntropy", "min(I(T;W), H(Y))"),
    "V-information of {label}": ("ProbeInformation", "H(Y)"),
    "logit lens of {label}": ("LogitLens", "H(Y)"),
    "Gaussian I({label};T)": ("GaussianInformation", "H(Y)"),
}
_ASSIGNMENT = "I(T;W)"


def plane_of(
    networks: TrainingProfile | Mapping[str, TrainingProfile | Sequence[TrainingProfile]],
    *,
    provenance: Mapping[str, Any] | None = None,
) -> Plane:
    """Place the quantities of profiles on an information plane, as far as they belong there.

    Parameters
    ----------
    networks
        Profiles of one network, or, by the network's name, its profiles from each random seed.
    provenance
        Further facts to store with the plane.

    Returns
    -------
    Plane
        A probe for each label set, with I(T;Y) on the label axis: of soft entropy, of held-out probes, of the logit
        lens and of the Gaussian model. Only soft entropy has an input axis.

    Raises
    ------
    InvalidArgument
        If no quantity belongs on a plane.

    Notes
    -----
    Soft entropy assigns T to W, so that I(X;W) = I(T;W) for a network without noise: this is the input axis, and
    I(Y;W) ≤ I(X;W) holds in population. Both bound the information of T from below, and loosely. Geometric quantities
    belong on no axis, except for this assignment.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> import infoflow
    >>> model = nn.Sequential(nn.Linear(4, 80), nn.ReLU(), nn.Linear(80, 3))
    >>> one = infoflow.profile(model, [(torch.randn(300, 4), torch.arange(300) % 3)])
    >>> plane = plane_of(TrainingProfile.of({0: one}))
    >>> plane.frame[["layer", "axis", "estimator"]].values.tolist()
    [['1', 'input', 'SoftEntropy'], ['1', 'label', 'SoftEntropy']]
    """
    named = networks if isinstance(networks, Mapping) else {"network": networks}
    members = {
        str(name): [value] if isinstance(value, TrainingProfile) else list(value) for name, value in named.items()
    }
    rows = [
        {"network": name, "seed": seed, **row}
        for name, seeds in members.items()
        for seed, profile in enumerate(seeds)
        for row in _rows(profile.frame)
    ]
    if not rows:
        raise InvalidArgument(
            "profiles",
            "with a quantity that belongs on a plane, such as soft entropy with labels",
            got_text=str(sorted({q for each in members.values() for one in each for q in one.quantities})),
        )
    metrics = [
        one.metrics.assign(network=name, seed=seed) for name, seeds in members.items() for seed, one in enumerate(seeds)
    ]
    recordings = {name: _described(name, seeds) for name, seeds in members.items()}
    return Plane(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        pd.concat(metrics, ignore_index=True).rename(columns={"step": "epoch"}),
        {"analysis": machine(), "recordings": recordings, **(provenance or {})},
    )


def _rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """The rows of the plane, without network and seed."""
    labels = [label for label in dict.fromkeys(frame["label"]) if label]
    assigned = {label for label in labels if f"I({label};W)" in set(frame["quantity"])}
    for label in labels:
        wanted = {pattern.format(label=label): found for pattern, found in _LABEL_QUANTITIES.items()}
        for row in frame.itertuples():
            if row.quantity == _ASSIGNMENT and label in assigned:
                yield _row(row, label, "SoftEntropy", "input", "log m")
            elif row.quantity in wanted and row.label == label:
                estimator, ceiling = wanted[str(row.quantity)]
                yield _row(row, label, estimator, "label", ceiling)


def _row(row: Any, label: str, estimator: str, axis: str, ceiling_name: str) -> dict[str, Any]:
    known = not math.isnan(row.se)
    ceiling = math.inf if math.isnan(row.ceiling) else float(row.ceiling)
    return {
        "probe": label,
        "layer": row.layer,
        "depth": row.depth,
        "epoch": row.step,
        "estimator": estimator,
        "axis": axis,
        "quantity": row.quantity,
        "kind": row.kind,
        "nats": float(row.value),
        "ceiling": ceiling,
        "ceiling_name": ceiling_name,
        "saturated": bool(row.value >= ceiling * (1 - 1e-6)),
        "low": row.value - _DEVIATIONS * row.se if known else math.nan,
        "high": min(row.value + _DEVIATIONS * row.se, ceiling) if known else math.nan,
        "spans": "documents" if known else "",
        "n": row.n,
        "warnings": "; ".join(row.warnings),
    }


def _described(name: str, seeds: Sequence[TrainingProfile]) -> dict[str, Any]:
    steps = {step for one in seeds for step in one.steps}
    return {
        "name": name,
        "layers": seeds[0].layers,
        "seeds": list(range(len(seeds))),
        "chain": False,
        "snapshots": len(steps),
        "unit": "step",
    }
