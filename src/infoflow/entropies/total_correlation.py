"""Total correlation, the information that the components of a variable share: TC(Z) = Σ h(Z_i) − h(Z)."""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor

from infoflow.core.checks import constant_columns, samples
from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.settings import PositiveInt, validated
from infoflow.pairwise.neighbors import count_within, nearest

METHODS = ("gaussian", "ksg")


@validated
def total_correlation(
    z: Any,
    method: Literal["gaussian", "ksg"] = "gaussian",
    *,
    normalization: Literal["nats", "information-dropout", "per-dimension"] = "nats",
    k: PositiveInt = 3,
    bias_correction: bool = True,
) -> Estimate:
    """Total correlation (multi-information) of the columns of z in nats, which is 0 for independent components.

    Parameters
    ----------
    z : array-like of shape (n, m)
        Samples. Constant components are dropped, with a warning.
    method
        "gaussian": −½ log |R| with R the correlation matrix, exact for Gaussian components, blind to other dependence.
        "ksg": ψ(k) + (m − 1) ψ(N) − ⟨Σ_i ψ(n_i + 1)⟩ with the k-th neighbor in the maximum norm, for a few continuous
        components.
    normalization
        "nats" is the total correlation. "information-dropout" is the figure that Achille and Soatto (2018) call by that
        name, −log |Σ₀⁻¹ Σ| with Σ₀ the diagonal of Σ: twice as much. "per-dimension" is that of their code, half of it
        divided by m. They use the logarithm of the representation for z.
    k
        Which neighbor "ksg" uses.
    bias_correction
        Subtract ½ [m ψ(ν/2) − Σ_{j<m} ψ((ν − j)/2)] with ν = n − 1, the exact bias of "gaussian" for Gaussian samples.

    Returns
    -------
    Estimate
        A point estimate; infinite, with a warning, for linearly dependent components with "gaussian".

    Raises
    ------
    InvalidArgument
        If the samples are not finite numbers; `UnknownName` for an unknown name; `TooFewSamples` for n < m + 2
        ("gaussian") or n < k + 2 ("ksg").

    References
    ----------
    Kraskov, Stögbauer, Grassberger (2004), Physical Review E 69, 066138, eq. 23.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.normal(size=(2, 20_000))
    >>> z = np.stack([a, 0.8 * a + 0.6 * b], 1)
    >>> total_correlation(z).nats  # -½ log(1 - 0.64) = 0.5108
    0.5
    >>> total_correlation(z, "ksg").nats
    0.5
    >>> total_correlation(z, normalization="information-dropout").nats
    1.0
    """
    values = samples(z, "z", minimum=k + 2 if method == "ksg" else 3, dtype=torch.float64)
    n = values.shape[0]
    dimensions = values.shape[1]
    values, warnings = _standardized(values)
    m = values.shape[1]
    if m < 2:
        nats = 0.0
        warnings += ("z has fewer than two varying components, so the total correlation is 0",)
    elif method == "gaussian":
        nats = _gaussian(values, bias_correction)
        if math.isinf(nats):
            warnings += (
                "z has linearly dependent (or repeated) components, so the total correlation is infinite; drop some",
            )
    else:
        nats, cautions = _nearest_neighbor(values, k)
        warnings += cautions
    settings: dict[str, Any] = {"bias_correction": bias_correction} if method == "gaussian" else {"k": k}
    quantity, factor = {
        "nats": ("TC(Z)", 1.0),
        "information-dropout": ("−log|Σ₀⁻¹Σ|", 2.0),
        "per-dimension": ("TC(Z)/m", 1.0 / dimensions),
    }[normalization]
    return Estimate(
        factor * nats,
        quantity=quantity,
        kind=Kind.POINT,
        estimator="total_correlation",
        n=n,
        parameters={"method": method, "normalization": normalization, **settings},
        warnings=warnings,
    )


def varying(values: Tensor) -> tuple[Tensor, tuple[str, ...]]:
    """Drop constant columns, with a warning that counts them.

    Parameters
    ----------
    values
        Samples (n, d).

    Returns
    -------
    tuple
        The columns that vary, and the warnings.

    Examples
    --------
    >>> kept, warnings = varying(torch.tensor([[1.0, 2.0], [1.0, 3.0]]))
    >>> kept.tolist(), warnings
    ([[2.0], [3.0]], ('z has 1 constant column, which carries no information and was dropped',))
    """
    varies = values.amax(0) > values.amin(0)
    if bool(varies.all()):
        return values, ()
    return values[:, varies], (constant_columns("z", int((~varies).sum())),)


def _standardized(values: Tensor) -> tuple[Tensor, tuple[str, ...]]:
    values, warnings = varying(values)
    values = values - values.mean(0)
    if values.shape[1]:
        values = values / values.abs().amax(0)  # first to [-1, 1], so that no square overflows
        values = values / values.square().mean(0).sqrt()
    return values, warnings


def _gaussian(values: Tensor, bias_correction: bool) -> float:
    n, m = values.shape
    if n < m + 2:
        raise TooFewSamples("z", f"at least {m + 2} samples for {m} varying components", got_text=f"{n} samples")
    eigenvalues = torch.linalg.eigvalsh(values.T @ values / n)
    if float(eigenvalues[0]) <= 10 * m * torch.finfo(eigenvalues.dtype).eps:
        return math.inf
    nats = -0.5 * float(eigenvalues.log().sum())
    if bias_correction:
        freedom = torch.arange(m, dtype=torch.float64)
        expected = torch.digamma((n - 1 - freedom) / 2)
        nats -= 0.5 * float(m * expected[0] - expected.sum())
    return nats


def _nearest_neighbor(values: Tensor, k: int) -> tuple[float, tuple[str, ...]]:
    n, m = values.shape
    radius = nearest(values, k)[0][:, -1]
    near = (count_within(column[:, None], radius) + 1 for column in values.unbind(1))
    inside = sum(torch.digamma(count.to(torch.float64)).mean() for count in near)
    size = torch.tensor([k, n], dtype=torch.float64)
    few, all_samples = torch.digamma(size).tolist()
    warnings: tuple[str, ...] = ()
    tied = float((radius == 0).to(torch.float64).mean())
    if tied:
        warnings += (
            f"{100 * tied:.2g}% of the samples have k or more exact duplicates (neighbor distance 0), so z "
            "is not continuous; add noise of the size of the rounding step",
        )
    if m > math.log(n):
        warnings += (
            f"{m} components are many for {n} samples (more than log n = {math.log(n):.1f}): strong dependence is "
            "underestimated; use fewer components, or method='gaussian'",
        )
    return few + (m - 1) * all_samples - float(inside), warnings
