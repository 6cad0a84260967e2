"""Two Gaussian classes, whose information and error are known: by variance, on a grid, by samples and by a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import integrate, special
from torch import nn

from infoflow.objectives import MutualInformationLoss
from infoflow.theory import ClassMixture, GaussianMixture, binary_mixture_information
from infoflow_reproductions.harness.trial import Context
from infoflow_reproductions.milc.known_truth import POINTS, bound_on_error

Array = NDArray[np.float64]

_ROUNDING = 1e-12
# Range of the quadrature in standard deviations beyond a mean, and its number of points.
_REACH, _NODES = 12.0, 4001
# Within this of their limits, information and error no longer change by more than the quadrature errs.
_AT_LIMIT = 1e-6


def mixture(*, context: Context, dimensions: int) -> Mapping[str, Any]:
    """Compute information, error and bounds of two Gaussian classes with |μ| = 1, by variance.

    Parameters
    ----------
    context
        Not used.
    dimensions
        Number of dimensions.

    Returns
    -------
    mapping
        The curves; of the paper's bounds on the information and of the sharper ones the numbers of values on the wrong
        side of the exact one; and how many of the paper's lower bounds on information and error exceed 0. The corollary
        has the paper's upper bound s.
    """
    variance = np.geomspace(0.02, 50.0, POINTS)
    exact = binary_mixture_information(1 / variance)
    mixtures = [GaussianMixture(np.full(dimensions, dimensions**-0.5), v * np.eye(dimensions)) for v in variance]
    lower = np.array([one.lower_bounds() for one in mixtures])
    upper = np.array([one.upper_bounds() for one in mixtures])
    corollary = corollary_bound(upper[:, 0])
    paper, added = (
        int((lower[:, i] > exact + _ROUNDING).sum() + (upper[:, j] < exact - _ROUNDING).sum())
        for i, j in ((1, 0), (0, 1))
    )
    return {
        "variance": variance,
        "exact": exact,
        "overlap": lower[:, 0],
        "energy": lower[:, 1],
        "separation": upper[:, 0],
        "divergence": upper[:, 1],
        "bayes_error": [one.bayes_error() for one in mixtures],
        "fano": [one.error_lower_bound() for one in mixtures],
        "corollary": corollary,
        "outside_paper": paper,
        "outside_added": added,
        "positive_lower": int((lower[:, 1] > 0).sum()),
        "positive_corollary": int((corollary > 0).sum()),
    }


def corollary_bound(separation: Array) -> Array:
    """Return the paper's bound on the error of two Gaussian classes from its upper bound s on the information.

    Parameters
    ----------
    separation
        Separations s.

    Returns
    -------
    ndarray
        Probabilities; 0 where the bound is negative.

    Examples
    --------
    >>> corollary_bound(np.array([0.0, 0.1, 0.5])).round(4)  # (3 − √(5 + 8 s / log 2)) / 4
    array([0.191 , 0.1298, 0.    ])
    """
    # Information is at most log 2, from where on the bound is 0 as it is for s.
    return bound_on_error(np.minimum(separation, math.log(2)), math.log(2), 2, "paper")


def gaussian_grid(*, context: Context, means: int, variances: int) -> Mapping[str, Any]:
    """Compute information and error of the classes N(±μ, σ²) by quadrature over x, on a grid of μ and σ².

    Parameters
    ----------
    context
        Not used.
    means
        Number of means from 0.1 to 4.
    variances
        Number of variances from 0.02 to 100.

    Returns
    -------
    mapping
        Numbers of steps of the grid and of those in the wrong direction: information by variance, and error and the
        corollary's bound by mean and variance together; the rest of the steps is at a limit. Largest distances from the
        closed forms.
    """
    mean, variance = np.geomspace(0.1, 4.0, means), np.geomspace(0.02, 100.0, variances)
    pairs = [[_by_quadrature(m, v) for v in variance] for m in mean]
    information, error = np.array(pairs).transpose(2, 0, 1)
    separation = mean[:, None] ** 2 / variance
    bound = corollary_bound(separation)
    exact, bayes = binary_mixture_information(separation), special.ndtr(-np.sqrt(separation))
    found = {
        "information_off": float(np.abs(information - exact).max()),
        "error_off": float(np.abs(error - bayes).max()),
    }
    # Each array falls towards its end: information as the variance rises, errors as it falls or the mean rises.
    falling = {
        "information": [(information, information < math.log(2) - _AT_LIMIT, 1)],
        "error": [(error, error > _AT_LIMIT, 0), (error[:, ::-1], error[:, ::-1] > _AT_LIMIT, 1)],
        "bound": [(bound, bound > 0, 0), (bound[:, ::-1], bound[:, ::-1] > 0, 1)],
    }
    counts: dict[str, int] = {}
    for name, cases in falling.items():
        for values, judged, axis in cases:
            before = np.take(judged, np.arange(values.shape[axis] - 1), axis)
            counts[f"{name}_steps"] = counts.get(f"{name}_steps", 0) + int(before.sum())
            wrong = int((before & (np.diff(values, axis=axis) >= 0)).sum())
            counts[f"{name}_wrong"] = counts.get(f"{name}_wrong", 0) + wrong
    return {**found, **counts}


def _by_quadrature(mean: float, variance: float) -> tuple[float, float]:
    """Return information in nats and Bayes error; by symmetry both are integrals over x >= 0."""
    deviation = math.sqrt(variance)
    x = np.linspace(0.0, mean + _REACH * deviation, _NODES)
    near, far = (
        -((x - sign * mean) ** 2) / (2 * variance) - math.log(deviation * math.sqrt(2 * math.pi)) for sign in (1, -1)
    )
    both = np.logaddexp(near, far)
    surprise = np.exp(near) * (near - both) + np.exp(far) * (far - both)
    return math.log(2) + float(integrate.simpson(surprise, x=x)), float(
        integrate.simpson(np.exp(np.minimum(near, far)), x=x)
    )


def sampled(*, context: Context, separation: float, draws: int, seed: int) -> Mapping[str, Any]:
    """Compute the information of a mixture by Monte Carlo.

    Parameters
    ----------
    context
        Not used.
    separation
        Separation s of the classes.
    draws
        Number of draws.
    seed
        Random seed.

    Returns
    -------
    mapping
        The estimate and the exact value in nats, and their distance in standard errors.
    """
    half = math.sqrt(separation)
    found = ClassMixture([[-half], [half]], 1.0).mutual_information(draws=draws, seed=seed)
    exact = float(binary_mixture_information(separation))
    return {"nats": found.nats, "exact": exact, "standard_errors": abs(found.nats - exact) / found.error}


def logistic(*, context: Context, separation: float, samples: int, weight: float, seed: int) -> Mapping[str, Any]:
    """Estimate the information of a mixture by a logistic model trained with the mutual-information loss.

    Parameters
    ----------
    context
        Not used.
    separation
        Separation s of the classes.
    samples
        Number of samples, half of them to train on.
    weight
        Weight λ.
    seed
        Random seed.

    Returns
    -------
    mapping
        The estimate on the other half and the exact value in nats.
    """
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(2, (samples,), generator=generator)
    dimensions = 3
    mean = math.sqrt(separation / dimensions)
    x = torch.randn(samples, dimensions, generator=generator, dtype=torch.float64)
    x += mean * (2.0 * labels[:, None] - 1)
    model = nn.Linear(dimensions, 2, dtype=torch.float64)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    loss = MutualInformationLoss(weight)
    half = samples // 2
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value: torch.Tensor = loss(model(x[:half]), labels[:half])
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        loss(model(x[half:]), labels[half:])
        nats = float(loss.terms["mutual_information"])
    return {"nats": nats, "exact": float(binary_mixture_information(separation))}
