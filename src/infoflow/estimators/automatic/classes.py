"""The default for a symbol and numbers: nearest neighbors within classes, or a probe in many dimensions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate, Interval
from infoflow.core.protocols import Estimator
from infoflow.estimators.automatic.description import LINE, WIDTH_OF_NEIGHBORS
from infoflow.estimators.automatic.limits import compressed, dependent, inflation
from infoflow.estimators.automatic.numbers import TIED
from infoflow.estimators.automatic.ties import SpreadTies, tied_share
from infoflow.estimators.automatic.variables import Variable
from infoflow.estimators.learned.classifier_bound import ClassifierBound
from infoflow.estimators.neighbors.class_neighbors import ClassNeighbors, WithFewer

# Samples from which on a probe can be trained and held out.
_PROBE = 16


def within_classes(x: Variable, y: Variable, note: str) -> tuple[Estimator, NDArray[Any], NDArray[Any], Estimate]:
    """The estimator of a symbol and numbers, the samples as it takes them, and its estimate.

    The probe is taken where its held-out bound exceeds the estimate of neighbors.
    """
    numeric, symbol = (y, x) if x.symbolic else (x, y)
    values, codes = compressed(numeric.numbers), symbol.samples
    _check_repeated(codes, "x" if x.symbolic else "y")
    near: Estimator = ClassNeighbors()
    plain = WithFewer.of(ClassNeighbors(), values.numpy(), codes, 1)
    if (tied := tied_share(values)) > 0:
        near = SpreadTies(near, draws=3 if tied > TIED else 1)
    n, dimensions = values.shape
    tau = inflation(values, symbol.numbers)
    found = near.estimate(values.numpy(), codes) if tied else plain.estimate
    count = len(torch.bincount(torch.as_tensor(codes)).nonzero())
    interval = _interval(found, plain, tau, count - 1)
    why = f"{note}: nearest neighbors within classes"
    warnings = [*found.warnings, *dependent(tau, n)]
    if dimensions > LINE:
        warnings.append(
            f"nearest neighbors underestimate in {dimensions} dimensions, so that the estimate is rather too low; use "
            "more samples, or fewer dimensions"
        )
    # H(Y) of the sample is the estimator's ceiling, but the truth may exceed it; log m limits both.
    estimate = replace(
        found,
        ceiling=math.log(count),
        ceiling_name="log m",
        interval=interval,
        warnings=tuple(warnings),
        why=why,
    )
    if dimensions > LINE and n >= _PROBE:
        probe = ClassifierBound()
        bound = probe.estimate(values.numpy(), codes)
        if bound.nats > max(found.nats, 0):  # a bound of 0 holds for any samples
            why = f"{note}: a linear probe finds {bound.nats:.2g} nats, neighbors within classes {found.nats:.2g}"
            warnings = [*bound.warnings, *dependent(tau, n)]
            near, estimate = probe, replace(bound, warnings=tuple(warnings), why=why)
    return near, values.numpy(), codes, estimate


def _check_repeated(codes: NDArray[Any], name: str) -> None:
    n = len(codes)
    if len(np.unique(codes)) == n:
        raise TooFewSamples(
            name,
            "symbols of which one occurs at least twice",
            got_text=f"{n} different symbols in {n} samples",
            remedy="Merge them, or pass numbers if they are quantities or times.",
        )


def _interval(found: Estimate, plain: WithFewer, tau: float, freedom: int) -> Interval:
    """The interval from the spread of the terms and of H(Y), higher by what neighbors across borders of classes hide.

    The bias of k neighbors grows with k, so the line through the means for k = 3 and 1 ends at the truth for k → 0;
    that of H(Y) is (m − 1)/2n (Miller 1955), and its variance for equal classes (m − 1)/2n².
    """
    terms, few = plain.terms, float(plain.fewer.mean())
    n = len(terms)
    half = WIDTH_OF_NEIGHBORS * math.sqrt(tau) * math.sqrt(float(terms.var()) / n + freedom / (2 * n**2))
    hidden = 1.5 * max(0.0, few - float(terms.mean())) + freedom / (2 * n)
    return Interval(found.nats - half, found.nats + half + hidden, spans="samples (spread of the terms)")
