"""Whether a Gaussian estimate depends on few samples, or on directions that do not repeat in other samples."""

from __future__ import annotations

import torch
from torch import Tensor

from infoflow.estimators.gaussian.canonical_pairs import Columns, Spectrum, spectrum

# Rows and columns beyond these are left out of the check, whose cost would exceed that of the estimate.
_ROWS, _COLUMNS = 4000, 200

# Samples per column that half of the rows must hold: fewer make any held-out value low.
_SAMPLES_PER_COLUMN = 5

# Part of the estimate, and nats, by which one sample may move it.
_SHARE, _NATS = 0.2, 0.1


def instabilities(x: Columns, y: Columns, found: Spectrum) -> tuple[str, ...]:
    """Warnings about outliers and about correlations that other samples do not confirm.

    >>> side = Columns(torch.linspace(-1, 1, 100, dtype=torch.float64)[:, None])
    >>> instabilities(side, side, spectrum(side, side))
    ()
    """
    return (*_influence(found), *_unconfirmed(x, y, found))


def _influence(found: Spectrum) -> tuple[str, ...]:
    if not len(found.correlations) or found.equal:
        return ()
    largest = float(_log_ratios(found.x, found.y, found).abs().max()) / found.n
    if largest <= max(_NATS, _SHARE * found.information()):
        return ()
    return (
        f"one sample contributes {largest:.2g} nats to the estimate, so an outlier decides it; use copula=True, or "
        "remove the sample if it is a fault",
    )


def _unconfirmed(x: Columns, y: Columns, found: Spectrum) -> tuple[str, ...]:
    held_out = _held_out(x, y, found)
    if held_out is None:
        return ()
    nats, allowed = held_out
    whole = found.information()
    if nats >= whole - allowed:
        return ()
    return (
        f"correlations of one half of the samples explain only {max(nats, 0.0):.2g} nats of the other half, so "
        f"{whole:.3g} nats are likely too high (dependent columns or outliers); use fewer columns, shrinkage='oas' or "
        "a learned estimator",
    )


def _held_out(x: Columns, y: Columns, found: Spectrum) -> tuple[float, float] | None:
    """Mean Gaussian log ratio of half of the samples by the correlations of the other half, and the gap allowed."""
    if found.equal or not len(found.correlations) or x.values.shape[1] + y.values.shape[1] > _COLUMNS:
        return None
    # Random halves, since samples may be sorted; the seed is fixed, so that the warning is always the same.
    order = torch.randperm(found.n, generator=torch.Generator().manual_seed(0))[:_ROWS].to(x.values.device)
    train, test = order[: len(order) // 2], order[len(order) // 2 :]
    if len(train) < _SAMPLES_PER_COLUMN * sum(found.ranks):
        return None
    sides = [_centered(side, train) for side in (x, y)]
    fitted = spectrum(*(Columns(values[train], (), x.rounding, x.ranks and y.ranks) for values in sides))
    if not len(fitted.correlations) or fitted.equal:
        return None
    u, v = (_projected(values[train], values[test], of) for values, of in zip(sides, (fitted.x, fitted.y), strict=True))
    ratios = _log_ratios(u, v, fitted, offset=True)
    error = float(ratios.std()) / len(ratios) ** 0.5
    expected = fitted.ranks[0] * fitted.ranks[1] / len(train)
    return float(ratios.mean()), 0.1 + _SHARE * found.information() + 2 * expected + 3 * error


def _centered(side: Columns, train: Tensor) -> Tensor:
    return side.values - side.values[train].mean(0)


def _projected(train: Tensor, test: Tensor, variates: Tensor) -> Tensor:
    """Variates of the test samples, by the linear map that gives those of the training samples."""
    weights: Tensor = torch.linalg.lstsq(
        train, variates, driver="gelsd" if train.device.type == "cpu" else None
    ).solution
    return test @ weights


def _log_ratios(u: Tensor, v: Tensor, found: Spectrum, *, offset: bool = False) -> Tensor:
    """Gaussian log ratio of each sample (n,), without or with the constant −½ Σ log(1 − ρ²)."""
    rho = found.correlations
    unexplained = found.unexplained.clamp_min(max(found.resolution, 1e-300))
    terms = (rho / unexplained) * (u * v - 0.5 * rho * (u.square() + v.square()))
    return terms.sum(1) + (found.information() if offset else 0.0)
