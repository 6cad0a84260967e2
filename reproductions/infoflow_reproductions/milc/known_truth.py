"""Distributions of known truth that the theory is compared with: random channels, labels, pairs of distributions."""

from __future__ import annotations

import itertools
import math
import time
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special

from infoflow.theory import FORMS, entropy_error, error_lower_bound
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
# Concentrations from which distributions are drawn, and shares of another one that are mixed into the first.
_CONCENTRATIONS = (0.1, 1.0, 10.0)
_SHARES = (1.0, 0.1, 0.01)
# Distributions whose total variation distance is larger differ; by Pinsker's inequality their divergence exceeds 2e-6.
_DIFFERENT = 1e-3


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


def bound_on_error(information: Array, entropy: Any, classes: int, form: Any) -> Array:
    """Return a bound on the error, without the warning that the paper's form is none for unbalanced labels.

    Parameters
    ----------
    information, entropy
        I(X;Y) and H(Y) in nats.
    classes
        Number of classes.
    form
        One of `FORMS`.

    Returns
    -------
    ndarray
        Probabilities.
    """
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
    found = {form: bound_on_error(information, h, classes, form) for form in FORMS}
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
            gaps[form].append(error - bound_on_error(information, entropy, size, form))
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


def cross_entropies(*, context: Context, count: int, seed: int) -> Mapping[str, Any]:
    """Compare entropies with the cross-entropies that torch's loss computes, for pairs of random distributions.

    Parameters
    ----------
    context
        Not used.
    count
        Number of pairs for every number of classes, concentration and share.
    seed
        Random seed.

    Returns
    -------
    mapping
        Numbers of pairs and of different ones, of entropies H(P) above the cross-entropy of P and Q (`above`), of
        cross-entropies of P with itself that are not H(P) (`unequal`), and of different pairs whose cross-entropy is no
        larger than H(P) (`equal`).
    """
    rng = np.random.default_rng((seed, 3))
    found = {"pairs": 0, "different": 0, "above": 0, "unequal": 0, "equal": 0}
    for classes, concentration, share in itertools.product(_SIZES, _CONCENTRATIONS, _SHARES):
        # No probability is 0, where the logarithm is infinite.
        p, other = (rng.dirichlet(np.full(classes, concentration), size=count) + 1e-12 for _ in range(2))
        p /= p.sum(axis=1, keepdims=True)
        q = (1 - share) * p + share * other / other.sum(axis=1, keepdims=True)
        entropy = special.entr(p).sum(axis=1)
        excess, own = (_cross_entropy(p, logged) - entropy for logged in (q, p))
        different = np.abs(p - q).sum(axis=1) / 2 > _DIFFERENT
        found["pairs"] += count
        found["different"] += int(different.sum())
        found["above"] += int((excess < -_ROUNDING).sum())
        found["unequal"] += int((np.abs(own) > _ROUNDING).sum())
        found["equal"] += int((different & (excess <= _ROUNDING)).sum())
    return found


def _cross_entropy(p: Array, q: Array) -> Array:
    logits, targets = torch.from_numpy(np.log(q)), torch.from_numpy(p)
    loss: Array = torch.nn.functional.cross_entropy(logits, targets, reduction="none").numpy()
    return loss


def binary_entropy(*, context: Context, points: int, curvature: float) -> Mapping[str, Any]:
    """Compare the binary entropy with a parabola of the same maximum.

    Parameters
    ----------
    context
        Not used.
    points
        Number of probabilities p between 0 and 1.
    curvature
        The factor k of the parabola 1 − k (p − ½)² in bits.

    Returns
    -------
    mapping
        Number of entropies above the parabola, and the smallest distance of p other than ½.
    """
    p = np.linspace(0.0, 1.0, points)
    bits = (special.entr(p) + special.entr(1 - p)) / math.log(2)
    gap = 1 - curvature * (p - 0.5) ** 2 - bits
    return {"points": points, "above": int((gap < -_ROUNDING).sum()), "least": float(gap[p != 0.5].min())}
