"""What the information in a data set allows a classifier, in words."""

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
from infoflow.theory.error_probability import error_lower_bound


@dataclass(frozen=True)
class ErrorReport:
    """A lower bound on the error of every classifier of y from x, and what it rests on; `print` says it in words.

    >>> import numpy as np
    >>> y = np.arange(400) % 2
    >>> found = report(np.random.default_rng(0).normal(size=400), y)  # x knows nothing of y
    >>> found.classes, found.majority_error, found.error > 0.2
    (2, 0.5, True)
    """

    error: float
    """The bound (a probability) at the upper end of the interval of I(X;Y): what to quote."""
    error_at_estimate: float
    """The same at the estimate itself: larger, but it takes the estimate for the truth."""
    majority_error: float
    """The error of always naming the most frequent class, which needs no x."""
    mutual_information: Estimate
    """I(X;Y) in nats, with its interval."""
    label_entropy: float
    """H(Y) of the labels' frequencies, in nats."""
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
            f"always naming the most frequent of the {self.classes} classes errs {self.majority_error:.1%}."
        )
        return "\n".join(lines + [f"  warning: {warning}" for warning in self.warnings])


def report(
    x: Any,
    y: Any,
    estimator: str | Estimator = "auto",
    *,
    form: str = "fano",
    seed: int = 0,
    n_jobs: int = 1,
    **parameters: Any,
) -> ErrorReport:
    """The sentence "with the information in your data no classifier can err less than ...".

    `x` are samples (n, ...), `y` integer classes (n,).

    Estimates I(X;Y) with an interval (by subsampling) and takes its *upper* end to `error_lower_bound` by `form`: less
    information would only mean more error. The interval is about chance: an estimator that is biased low makes the
    bound too high, so it is as good as the estimator. `estimator` and its `parameters` are those of
    `infoflow.mutual_information`, as are `seed` and `n_jobs`.

    Raises InvalidArgument for labels that aren't integers or of one class only, and what the estimator raises. (Yi et
    al., arXiv 2209.10058.)

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
        raise InvalidArgument("y holds one class only; want at least 2")
    counts = torch.bincount(codes).double()
    entropy = float(plug_in(counts))
    found = mutual_information(x, y, estimator, interval="subsampling", seed=seed, n_jobs=n_jobs, **parameters)
    interval = found.interval
    high = entropy if interval is None else interval.high
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
        caveats.append("the interval reaches H(Y), so the bound is 0; more samples narrow the interval")
    return caveats
