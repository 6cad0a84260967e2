"""Report on the smallest error that the information in a data set allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from infoflow.core.checks import classes
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.protocols import Estimator
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.mutual_information import mutual_information
from infoflow.theory.error_probability import Form, error_lower_bound


@dataclass(frozen=True)
class ErrorReport:
    """A lower bound on the error of every classifier of y from x, with what it is computed from; `str` describes it.

    Parameters
    ----------
    error
        The bound, a probability, at the upper end of the interval of I(X;Y): the number to quote.
    error_at_estimate
        The bound at the estimate itself; larger, but it treats the estimate as the truth.
    majority_error
        Error of always predicting the most frequent class, which needs no x.
    mutual_information
        I(X;Y) in nats with its interval.
    label_entropy
        H(Y) of the labels' frequencies in nats.
    classes
        Number of classes.
    form
        Form of the bound.
    warnings
        Causes for caution.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.arange(400) % 2
    >>> found = report(np.random.default_rng(0).normal(size=400), y)  # x is independent of y
    >>> found.classes, found.majority_error, found.error > 0.2
    (2, 0.5, True)
    """

    error: float
    error_at_estimate: float
    majority_error: float
    mutual_information: Estimate
    label_entropy: float
    classes: int
    form: str
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        found = self.mutual_information
        if self.error > 0:
            lines = [f"With the information in your data no classifier can err less than {self.error:.1%}."]
        else:
            lines = ["The information in your data does not rule out a classifier that never errs."]
        text = f"I(X;Y) = {found.nats:.4f} of H(Y) = {self.label_entropy:.4f} nats ({found.estimator}, n = {found.n})"
        if found.interval is not None:
            i = found.interval
            text += f", {i.level:.0%} interval [{i.low:.4f}, {i.high:.4f}]; the bound is that of its upper end"
        lines.append(f"  {text}.")
        lines.append(
            f"  At the estimate itself it is {self.error_at_estimate:.1%}; "
            f"always predicting the most frequent of the {self.classes} classes errs {self.majority_error:.1%}."
        )
        return "\n".join(lines + [f"  warning: {warning}" for warning in self.warnings])


def report(
    x: Any,
    y: Any,
    estimator: str | Estimator = "auto",
    *,
    form: Form = "fano",
    seed: int = 0,
    n_jobs: int = 1,
    **parameters: Any,
) -> ErrorReport:
    """Estimate I(X;Y) and report the error that no classifier can go below.

    Parameters
    ----------
    x : array-like of shape (n, ...)
        Samples.
    y : array-like of shape (n,)
        Integer classes.
    estimator
        Estimator of I(X;Y), by name or object, see `infoflow.mutual_information`.
    form
        Form of the bound, see `error_lower_bound`.
    seed
        Random seed of estimator and subsampling.
    n_jobs
        Number of processes.
    **parameters
        Parameters of the estimator.

    Returns
    -------
    ErrorReport
        The bound with the estimate; print it for a description.

    Raises
    ------
    InvalidArgument
        If the labels are not integers of two classes or more, and what the estimator raises.

    Notes
    -----
    The bound is taken at the *upper* end of an interval of I(X;Y) (by subsampling), since less information only means
    more error. The interval covers sampling noise only: an estimator that is biased low makes the bound too high.

    References
    ----------
    Yi et al. (2022), Mutual information learned classifiers, arXiv 2209.10058.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(2, size=500)
    >>> found = report(2 * y + rng.normal(size=500), y)
    >>> 0 < found.error < found.error_at_estimate < 0.159  # Φ(−1) is the Bayes error
    True
    >>> print(found)
    With the information in your data no classifier can err less than ...
    """
    codes, count = classes(y, "y", minimum=4)
    if count < 2:
        raise InvalidArgument("y", "of at least 2 classes", got_text="1")
    counts = torch.bincount(codes).double()
    entropy = float(plug_in(counts))
    found = mutual_information(x, y, estimator, interval="subsampling", seed=seed, n_jobs=n_jobs, **parameters)
    interval = found.interval
    high = found.nats if interval is None else interval.high  # none where all subsamples agree
    nats, upper = (min(max(value, 0.0), entropy) for value in (found.nats, max(high, found.nats)))
    return ErrorReport(
        error=error_lower_bound(upper, entropy, count, form),
        error_at_estimate=error_lower_bound(nats, entropy, count, form),
        majority_error=float(1 - counts.max() / counts.sum()),
        mutual_information=found,
        label_entropy=entropy,
        classes=count,
        form=form,
        warnings=(*found.warnings, *_caveats(found, interval, entropy)),
    )


def _caveats(found: Estimate, interval: Interval | None, entropy: float) -> list[str]:
    caveats = []
    if found.kind == Kind.LOWER_BOUND:
        caveats.append(
            f"{found.estimator} estimates a lower bound on I(X;Y), so the true bound on the error may be lower; "
            "use an estimator of I(X;Y) itself, such as 'ksg'"
        )
    if interval is not None and interval.high >= entropy:
        caveats.append("the interval reaches H(Y), so the bound is 0; use more samples, which narrow the interval")
    return caveats
