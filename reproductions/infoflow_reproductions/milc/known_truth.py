"""Problems of known truth that the theory is compared with: random channels, Gaussian mixtures, a logistic model."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from torch import nn

from infoflow.objectives import MutualInformationLoss
from infoflow.theory import (
    FORMS,
    ClassMixture,
    GaussianMixture,
    binary_mixture_information,
    entropy_error,
    error_lower_bound,
)
from infoflow_reproductions.harness.trial import Context

Array = NDArray[np.float64]

LABELS = ("balanced", "unbalanced")
# A bound counts as violated when it exceeds the Bayes error by more than rounding.
_ROUNDING = 1e-7
# Largest number of inputs of a random channel.
_INPUTS = 8
_SIZES = (2, 3, 5, 10, 40)
POINTS = 200
SAMPLES = (10, 100, 1000, 10_000)


def label_entropy(classes: int, labels: str) -> float:
    """Return the entropy of labels in nats.

    Parameters
    ----------
    classes
        Number of classes.
    labels
        "balanced", or "unbalanced" for half of the probability on one class.

    Returns
    -------
    float
        H(Y).

    Examples
    --------
    >>> label_entropy(4, "balanced"), label_entropy(3, "unbalanced")
    (1.3863, 1.0397)
    """
    if labels == "balanced" or classes == 2:
        return math.log(classes)
    return math.log(2) + math.log(classes - 1) / 2


def _bound(information: Array, entropy: Any, classes: int, form: Any) -> Array:
    """Return a bound on the error, without the warning that the paper's form is none for unbalanced labels."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="form 'paper'")
        found: Array = error_lower_bound(information, entropy, classes, form)
    return found


def bounds(*, context: Context, classes: int, labels: str) -> Mapping[str, Any]:
    """Return every form of the bound on the error for I(X;Y) from 0 to H(Y).

    Parameters
    ----------
    context
        Not used.
    classes, labels
        As in `label_entropy`.

    Returns
    -------
    mapping
        The curves, and the error without X.
    """
    h = label_entropy(classes, labels)
    information = np.linspace(0.0, h, POINTS)
    found = {form: _bound(information, h, classes, form) for form in FORMS}
    majority = 1 - 1 / classes if labels == "balanced" or classes == 2 else 0.5
    return {"information": information, "majority_error": majority, **found}


def random_channels(count: int, classes: int, labels: str, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Draw joint distributions of labels and a few inputs.

    Parameters
    ----------
    count
        Number of distributions.
    classes
        Number of classes.
    labels
        "balanced" or "unbalanced".
    rng
        Random generator.

    Returns
    -------
    tuple of ndarray
        I(X;Y) and H(Y) in nats and the Bayes error, each of shape (count,).

    Examples
    --------
    >>> information, entropy, error = random_channels(5, 3, "balanced", np.random.default_rng(0))
    >>> bool((information <= entropy + 1e-12).all()), bool((error <= 2 / 3 + 1e-12).all())
    (True, True)
    """
    inputs = int(rng.integers(1, _INPUTS + 1))
    given = rng.dirichlet(np.full(inputs, rng.choice([0.05, 0.3, 1.0])), size=(count, classes))
    prior = rng.dirichlet(np.full(classes, rng.choice([0.1, 1.0])), size=count)
    if labels == "balanced":
        prior = np.full((count, classes), 1 / classes)
    joint = prior[:, :, None] * given
    entropy = special.entr(prior).sum(axis=1)
    information = entropy + special.entr(joint.sum(axis=1)).sum(axis=1) - special.entr(joint).sum(axis=(1, 2))
    return np.clip(information, 0.0, entropy), entropy, 1 - joint.max(axis=1).sum(axis=1)


def channels(*, context: Context, labels: str, count: int, seed: int) -> Mapping[str, Any]:
    """Compare every form of the bound with the Bayes errors of random channels.

    Parameters
    ----------
    context
        Not used.
    labels
        "balanced" or "unbalanced".
    count
        Number of channels, at least.
    seed
        Random seed.

    Returns
    -------
    mapping
        For each form the number of violations, the worst one, and the mean distance below the error.
    """
    rng = np.random.default_rng((seed, LABELS.index(labels)))
    each = -(-count // (4 * len(_SIZES)))
    gaps: dict[str, list[Array]] = {form: [] for form in FORMS}
    for size in _SIZES * 4:
        information, entropy, error = random_channels(each, size, labels, rng)
        for form in FORMS:
            gaps[form].append(error - _bound(information, entropy, size, form))
    found: dict[str, Any] = {"channels": each * 4 * len(_SIZES)}
    for form, parts in gaps.items():
        gap = np.concatenate(parts)
        found[f"{form}_violations"] = int((gap < -_ROUNDING).sum())
        found[f"{form}_worst"] = float(-gap.min()) if found[f"{form}_violations"] else 0.0
        found[f"{form}_gap"] = float(gap.mean())
    return found


def empirical(*, context: Context, labels: str, count: int, seed: int) -> Mapping[str, Any]:
    """Compare the entropy of empirical distributions with that of the labels, and with the bounds on the difference.

    Parameters
    ----------
    context
        Not used.
    labels
        "balanced", or "unbalanced" for random shares of the classes.
    count
        Number of distributions for every number of samples.
    seed
        Random seed.

    Returns
    -------
    mapping
        By number of samples the mean error of the entropy in nats, and the number of differences outside of the bounds.
    """
    rng = np.random.default_rng((seed, 2, LABELS.index(labels)))
    errors: dict[str, float] = {}
    outside = 0
    for n in SAMPLES:
        differences = []
        for _ in range(count):
            classes = int(rng.choice(_SIZES))
            p = np.full(classes, 1 / classes) if labels == "balanced" else rng.dirichlet(np.ones(classes))
            q = rng.multinomial(n, p) / n
            exact = float(special.entr(p).sum() - special.entr(q).sum())
            lower, _, upper = entropy_error(p, q)
            outside += int(not lower - _ROUNDING <= exact <= upper + _ROUNDING)
            differences.append(abs(exact))
        errors[str(n)] = float(np.mean(differences))
    return {"empirical": count * len(SAMPLES), "outside": outside, "errors": errors}


def speed(*, context: Context, count: int) -> Mapping[str, Any]:
    """Time the bounds of many channels in one call.

    Parameters
    ----------
    context
        Not used.
    count
        Number of channels.

    Returns
    -------
    mapping
        Seconds by form.
    """
    rng = np.random.default_rng(0)
    entropy = rng.uniform(0.1, math.log(10), count)
    information = entropy * rng.random(count)
    found: dict[str, Any] = {}
    for form in ("fano", "corrected"):
        begun = time.perf_counter()
        error_lower_bound(information, entropy, 10, form)
        found[f"{form}_seconds"] = time.perf_counter() - begun
    return found


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
        The curves, and `outside`, the number of bounds on the wrong side of the exact information.
    """
    variance = np.geomspace(0.02, 50.0, POINTS)
    exact = binary_mixture_information(1 / variance)
    mixtures = [GaussianMixture(np.full(dimensions, dimensions**-0.5), v * np.eye(dimensions)) for v in variance]
    lower = np.array([one.lower_bounds() for one in mixtures])
    upper = np.array([one.upper_bounds() for one in mixtures])
    return {
        "variance": variance,
        "exact": exact,
        "overlap": lower[:, 0],
        "energy": lower[:, 1],
        "separation": upper[:, 0],
        "divergence": upper[:, 1],
        "bayes_error": [one.bayes_error() for one in mixtures],
        "fano": [one.error_lower_bound() for one in mixtures],
        "corollary": [one.error_lower_bound("paper") for one in mixtures],
        "outside": int((lower > exact[:, None] + 1e-12).sum() + (upper < exact[:, None] - 1e-12).sum()),
    }


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
