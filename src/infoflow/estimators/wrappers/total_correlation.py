"""Total correlation by any method: Gaussian, nearest neighbors, a discriminator, or an estimator along the chain."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import torch

from infoflow.core.checks import samples
from infoflow.core.errors import UnknownName
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.protocols import Estimator
from infoflow.entropies.total_correlation import METHODS as CLOSED
from infoflow.entropies.total_correlation import total_correlation as closed_form
from infoflow.entropies.total_correlation import varying
from infoflow.estimators.learned.critics.dependency import DependencySettings, neural_dependency
from infoflow.estimators.registry import resolve
from infoflow.estimators.wrappers.family import gathered


def total_correlation(z: Any, method: str | Estimator = "gaussian", **parameters: Any) -> Estimate:
    """Estimate the total correlation of the columns of z in nats, which is 0 where they are independent.

    Parameters
    ----------
    z : array-like of shape (n, ...)
        Samples. Constant columns are dropped, with a warning.
    method
        "gaussian" or "ksg": the closed forms of `infoflow.entropies.total_correlation`. "neural": a discriminator,
        for any dependence and many columns. Or any estimator of mutual information, by name or as an object: the chain
        rule, whose m − 1 errors add up.
    **parameters
        Settings of the method (`normalization="information-dropout"` with the closed forms is the figure of Achille
        and Soatto, twice as much).

    Returns
    -------
    Estimate
        Of the kind of the method; 0 for fewer than two varying columns.

    Raises
    ------
    InvalidArgument
        As the method raises; `UnknownName` for an unknown method or parameter.

    Notes
    -----
    TC(Z) = Σ_j h(Z_j) − h(Z) = KL(p(z) ‖ Π_j p(z_j)) = Σ_{j>1} I(Z_j; Z_1, …, Z_{j−1}).

    References
    ----------
    Watanabe (1960), Information theoretical analysis of multivariate correlation.

    Examples
    --------
    >>> import numpy as np
    >>> a, b, c = np.random.default_rng(0).normal(size=(3, 5000))
    >>> z = np.stack([a, 0.8 * a + 0.6 * b, c], 1)  # -½ log(1 - 0.64) = 0.511
    >>> [round(total_correlation(z, method).nats, 1) for method in ("gaussian", "ksg", "cca")]
    [0.5, 0.5, 0.5]
    """
    if isinstance(method, str):
        named: dict[str, Callable[..., Any]] = {"neural": DependencySettings, **dict.fromkeys(CLOSED, closed_form)}
        if method in named:
            known = [name for name in inspect.signature(named[method]).parameters if name not in ("z", "method")]
            for name in parameters:
                if name not in known:
                    raise UnknownName(f"parameter of {method}", name, known)
            if method == "neural":
                return neural_dependency(z, **parameters)
            found: Estimate = named[method](z, method, **parameters)
            return found
    return _chain(resolve(method, **parameters), z)


def _chain(estimator: Estimator, z: Any) -> Estimate:
    values = samples(z, "z")
    n = values.shape[0]
    values, warnings = varying(values)
    m = values.shape[1]
    name = type(estimator).__name__
    if m < 2:
        warnings += ("z has fewer than two varying columns, so the total correlation is 0",)
        return Estimate(0.0, "TC(Z)", Kind.EXACT, f"total_correlation by {name}", n, warnings=warnings)
    parts = [estimator.estimate(values[:, :j], values[:, j : j + 1]) for j in range(1, m)]
    nats = torch.tensor([part.nats for part in parts], dtype=torch.float64).sum()
    ceilings = torch.tensor([part.ceiling for part in parts], dtype=torch.float64).sum()
    if m > 2:
        warnings += (f"a sum of {m - 1} estimates along the chain rule, whose errors add up",)
    return dataclasses.replace(
        parts[0],
        nats=float(nats),
        quantity="TC(Z)",
        estimator=f"total_correlation by {parts[0].estimator}",
        n=n,
        ceiling=float(ceilings),
        ceiling_name=f"sum of {parts[0].ceiling_name}" if parts[0].ceiling_name else "",
        interval=None,
        p_value=None,
        warnings=(*warnings, *gathered(parts, "estimates")),
    )
