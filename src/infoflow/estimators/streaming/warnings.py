"""Warnings that several accumulators share: cause, consequence, remedy."""

from __future__ import annotations

from collections.abc import Iterator

from infoflow.estimators.streaming.label_tables import FEWEST_PER_LABEL

_NEAR = 0.95
"""Fraction of the ceiling above which a value may be limited by it."""


def left_out_rows(not_finite: int, zero: int = 0) -> Iterator[str]:
    """Rows with values that were not finite, and rows without a direction."""
    if not_finite:
        yield (
            f"{not_finite} rows held NaN or infinite values and were left out, so the number is about the others. "
            "Look for overflow in the layer."
        )
    if zero:
        yield f"{zero} rows were zero, have no direction and were left out. Look for inactive units or padding."


def few_per_label(n: int, observed: int) -> Iterator[str]:
    """Fewer rows per label than a small bias requires."""
    if observed and n / observed < FEWEST_PER_LABEL:
        yield (
            f"There are {n / observed:.0f} rows per label ({n} rows, {observed} labels), so the estimate may be too "
            f"large by about the null. Use at least {FEWEST_PER_LABEL} rows per label, or fewer labels."
        )


def near_ceiling(value: float, ceiling: float) -> Iterator[str]:
    """A value that the ceiling may limit."""
    if ceiling > 0 and value >= _NEAR * ceiling:
        yield (
            f"The estimate is within {1 - _NEAR:.0%} of its ceiling ({ceiling:.3f} nats), so the information may be "
            "larger than it can show. Use more references, or another estimator."
        )


def null_large(value: float, null: float, standard_error: float | None) -> Iterator[str]:
    """A null that is not small against the value."""
    if null > max(0.02, 0.1 * value) and null > 2 * (standard_error or 0.0):
        yield (
            f"Shuffled labels give {null:.3f} nats, so a part of the estimate of that size is bias. "
            "Use more rows, or fewer labels."
        )


def no_jackknife(corrected: bool, per_label: float) -> Iterator[str]:
    """A bias that could not be corrected."""
    if not corrected:
        yield (
            f"The jackknife requires rows in four folds of documents and four rows per label ({per_label:.1f} here), "
            "so the value is the plug-in, which is too large. Use more documents or fewer labels."
        )
