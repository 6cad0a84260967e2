"""Geometry of a layer's activations, which the estimates of a deterministic layer often measure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from infoflow.core.checks import classes, paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.plane.recording import Recording, as_recording
from infoflow.plane.store import Location

# A unit is saturated this close to an end of the layer's range, as a share of the range.
_EDGE = 0.01

COLUMNS = ["network", "probe", "layer", "depth", "seed", "epoch", "measure", "value"]


class Geometry(NamedTuple):
    """Geometry of a layer's activations; lengths are in the unit of the activations.

    Parameters
    ----------
    low, high
        Least and greatest activation.
    saturated
        Share of the activations within 1 % of the layer's range from its ends.
    within, between
        Root mean square distance of two samples of one class, and of different classes.
    effective_rank
        The number of directions in which activations vary.

    Examples
    --------
    >>> geometry([[0.0], [1.0]], [0, 1]).high
    1.0
    """

    low: float
    """Least activation."""
    high: float
    """Greatest activation."""
    saturated: float
    """Share of the activations within 1 % of the layer's range from its ends (of ReLU, inactive units too)."""
    within: float
    """Root mean square distance of two samples of one class."""
    between: float
    """Root mean square distance of two samples of different classes."""
    effective_rank: float
    """exp H(λ/Σλ) with λ the eigenvalues of the covariance: the number of directions in which activations vary."""


def geometry(t: Any, y: Any) -> Geometry:
    """Range, saturation, class distances and effective rank of a layer's activations.

    Parameters
    ----------
    t : array-like of shape (n, d)
        Activations.
    y : array-like of shape (n,)
        Integer classes.

    Returns
    -------
    Geometry
        `between` is 0 where there is one class, the effective rank 0 where nothing varies.

    Raises
    ------
    InvalidArgument
        If shapes do not match or a value is NaN; `TooFewSamples` for fewer than two samples.

    Notes
    -----
    ::

        within² = Σ_c Σ_{i,j∈c} |t_i − t_j|² / Σ_c n_c²,    between² = Σ_{i,j: y_i≠y_j} |t_i − t_j|² / (n² − Σ_c n_c²),
        effective rank = exp(−Σ_k p_k log p_k),   p = eigenvalues of the covariance, divided by their sum.

    Pairs are ordered and include a sample with itself, so that sums over classes suffice: O(n d), without distances.

    References
    ----------
    Goldfeld et al., "Estimating information flow in deep neural networks", ICML 2019 (distances and clustering).
    Roy and Vetterli, "The effective rank", EUSIPCO 2007, Definition 1.

    Examples
    --------
    >>> found = geometry([[0.0, 0.0], [0.0, 2.0], [4.0, 0.0], [4.0, 2.0]], [0, 0, 1, 1])
    >>> round(found.within, 3), round(found.between, 3), round(found.effective_rank, 3)
    (1.414, 4.243, 1.649)
    """
    activations = samples(t, "t").double().cpu().flatten(1).numpy()
    codes, _ = classes(y, "y", minimum=2)
    paired(samples(t, "t"), codes, "t", "y")
    labels = codes.cpu().numpy()
    low, high = float(activations.min()), float(activations.max())
    edge = _EDGE * (high - low)
    saturated = float(((activations <= low + edge) | (activations >= high - edge)).mean()) if high > low else 1.0
    centered = activations - activations.mean(0)
    counts = np.bincount(labels)
    present = counts > 0
    sums = np.zeros((len(counts), centered.shape[1]))
    np.add.at(sums, labels, centered)
    squares = np.bincount(labels, weights=(centered**2).sum(1))
    # Σ_{i,j∈c} |t_i − t_j|² = 2 (n_c Σ_i |t_i|² − |Σ_i t_i|²), and the same over all samples.
    inside = float((2 * (counts * squares - (sums**2).sum(1)))[present].sum())
    n = len(labels)
    everything = float(2 * n * squares.sum())
    same = float((counts.astype(float) ** 2).sum())
    return Geometry(
        low,
        high,
        saturated,
        within=float(np.sqrt(max(inside, 0.0) / same)),
        between=float(np.sqrt(max(everything - inside, 0.0) / (n**2 - same))) if n**2 > same else 0.0,
        effective_rank=_effective_rank(centered),
    )


def _effective_rank(centered: np.ndarray[Any, Any]) -> float:
    n, d = centered.shape
    # The smaller of the two Gram matrices has all eigenvalues that differ from 0.
    gram = centered.T @ centered if d <= n else centered @ centered.T
    eigenvalues = np.clip(np.linalg.eigvalsh(gram), 0.0, None)
    total = eigenvalues.sum()
    if total <= 0:
        return 0.0
    p = eigenvalues / total
    p = p[p > 0]
    return float(np.exp(-(p * np.log(p)).sum()))


def geometry_of(
    recording: Recording | Location,
    *,
    layers: Iterable[str] | None = None,
    epochs: Iterable[int] | None = None,
    probes: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Geometry of every recorded layer through training.

    Parameters
    ----------
    recording
        Folder, URL or `Recording`.
    layers
        Layers to measure; None for all.
    epochs
        Epochs to measure; None for all.
    probes
        Probes to measure; None for all.

    Returns
    -------
    pandas.DataFrame
        One row per probe, layer, epoch, seed and measure (the fields of `Geometry`), in column `value`.

    Raises
    ------
    InvalidArgument
        If a selection is empty; `UnknownName` for what was not recorded.
    MissingData
        If there is no recording.
    BrokenStore
        If the recording is damaged.

    Examples
    --------
    >>> import tempfile, torch
    >>> from infoflow.plane import record
    >>> folder = tempfile.TemporaryDirectory()
    >>> net = torch.nn.Sequential(torch.nn.Tanh())
    >>> with record(net, torch.tensor([[-9.0], [0.0], [9.0]]), [0, 0, 1], store=folder.name) as recorder:
    ...     recorder.snapshot(0)
    >>> frame = geometry_of(folder.name)
    >>> frame[frame["measure"] == "high"]["value"].round(3).tolist()
    [1.0]
    >>> folder.cleanup()
    """
    source = as_recording(recording)
    chosen: dict[str, list[Any]] = {
        name: list(getattr(source, name) if choice is None else choice)
        for name, choice in (("layers", layers), ("epochs", epochs), ("probes", probes))
    }
    for name, values in chosen.items():
        if not values:
            raise InvalidArgument(name, "None, or hold at least one", got_text="an empty selection")
    rows = []
    for probe in chosen["probes"]:
        y = source.labels(probe)
        for layer in chosen["layers"]:
            for epoch in chosen["epochs"]:
                for seed, t in zip(source.seeds, source.activations(epoch, layer, probe), strict=True):
                    point = (source.name, probe, layer, source.layers.index(layer), seed, epoch)
                    found = geometry(t, y)
                    rows += [(*point, measure, value) for measure, value in zip(found._fields, found, strict=True)]
    return pd.DataFrame(rows, columns=COLUMNS)
