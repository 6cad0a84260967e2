"""Claims that are judged from the figures of a table: by pairs of seeds where the values of seeds are stored."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from scipy import stats

from infoflow_reproductions.harness.findings import Claim, Row, falls
from infoflow_reproductions.harness.inference import LEVEL, Sample, difference, is_paired
from infoflow_reproductions.harness.seeds import seed_count

Figures = Mapping[str, Sample]
"""Mean, deviation and number of seeds of each figure, by its description."""


def figures_of(rows: Sequence[Row]) -> dict[str, Sample]:
    """Return the figures of rows.

    Parameters
    ----------
    rows
        The rows.

    Returns
    -------
    dict
        Samples by the rows' descriptions.
    """
    return {row.what: Sample.of(row.values) for row in rows}


def figures_of_records(rows: Sequence[Mapping[str, Any]]) -> dict[str, Sample]:
    """Return the figures of rows that are stored in results.json.

    Parameters
    ----------
    rows
        The stored rows. Where the values of seeds are missing, their deviation is stored or follows from the interval
        of Student's t.

    Returns
    -------
    dict
        Samples by the rows' descriptions.
    """
    found = {}
    for row in rows:
        if row.get("values"):
            found[row["what"]] = Sample.of([float(value) for value in row["values"]])
            continue
        n, mean, half = int(row["seeds"]), float(row["found"]), (float(row["high"]) - float(row["low"])) / 2
        if "deviation" in row:
            deviation = float(row["deviation"])
        else:
            deviation = half * n**0.5 / float(stats.t.ppf(1 - LEVEL / 2, n - 1)) if n > 1 else float("nan")
        found[row["what"]] = Sample(mean, deviation, n)
    return found


def exceeds(text: str, more: Sample, less: Sample, unit: str, *, published: bool = True) -> Claim:
    """Return the claim that one figure lies above another.

    Parameters
    ----------
    text
        The claim.
    more
        The figure that is higher if the claim holds.
    less
        The other figure.
    unit
        Unit of both.
    published
        Whether the paper makes the claim.

    Returns
    -------
    Claim
        Judged at the level 0.05, by pairs of seeds where the values of both are known and by Welch's test otherwise.
    """
    sample = difference(more, less)
    evidence = f"{more.mean:.4g} against {less.mean:.4g} {unit}, difference {sample.text()}, {shared_seeds(more, less)}"
    return Claim(text, sample.above, evidence, published, sample=sample, seeds=min(more.n, less.n))


def descends(text: str, path: Sequence[Sample], unit: str, *, published: bool = True) -> Claim:
    """Return the claim that figures fall from each to the next.

    Parameters
    ----------
    text
        The claim.
    path
        Figures in order.
    unit
        Unit of the figures.
    published
        Whether the paper makes the claim.

    Returns
    -------
    Claim
        It holds where the means never rise and the first lies significantly above the last; it does not hold where a
        step, tested together with the others by Holm's method, or the whole rises significantly.
    """
    whole = difference(path[0], path[-1])
    steps = tuple(difference(after, before) for before, after in itertools.pairwise(path))
    shown = " → ".join(f"{one.mean:.4g}" for one in path)
    seeds = min(one.n for one in path)
    evidence = f"{shown} {unit}; first − last {whole.text()}, {shared_seeds(path[0], path[-1])}"
    return Claim(text, falls(whole, steps), evidence, published, sample=whole, steps=steps, seeds=seeds)


def not_below(text: str, one: Sample, other: Sample, margin: float, unit: str, *, published: bool = True) -> Claim:
    """Return the claim that one figure does not lie below another by a margin or more.

    Parameters
    ----------
    text
        The claim.
    one
        The figure that is not lower if the claim holds.
    other
        The other figure.
    margin
        Difference that counts.
    unit
        Unit of both.
    published
        Whether the paper makes the claim.

    Returns
    -------
    Claim
        It holds where the 95 % interval of the difference lies above −margin, and does not hold where it lies below;
        a difference that is not significant alone supports nothing.
    """
    sample = replace(difference(one, other), threshold=-margin)
    evidence = (
        f"{one.mean:.4g} against {other.mean:.4g} {unit}, difference {sample.text()}, required above {-margin:g}, "
        f"{shared_seeds(one, other)}"
    )
    return Claim(text, sample.above, evidence, published, sample=sample, seeds=min(one.n, other.n))


def within(text: str, gap: Sample, limit: float, evidence: str, *, seeds: int) -> Claim:
    """Return the claim that a mean difference lies within ±limit.

    Parameters
    ----------
    text
        The claim.
    gap
        The signed difference.
    limit
        Largest difference that counts as equal.
    evidence
        The figures that decide it.
    seeds
        Number of seeds.

    Returns
    -------
    Claim
        It holds where the 95 % interval of the mean lies within ±limit, and does not hold where it lies outside. Tested
        is the end that is nearer to the mean.
    """
    toward = gap if gap.mean < 0 else gap.times(-1)
    sample = replace(toward, threshold=-limit, low=None, high=None)
    return Claim(text, sample.above, evidence, sample=sample, seeds=seeds)


def shared_seeds(first: Sample, *others: Sample) -> str:
    """Return the number of seeds in words, and whether all samples are compared by pairs.

    Parameters
    ----------
    first, others
        The samples.

    Returns
    -------
    str
        The number of seeds that all have.

    Examples
    --------
    >>> shared_seeds(Sample.of([1.0, 2.0]), Sample.of([3.0, 5.0])), shared_seeds(Sample(1.0, 0.5, 3), Sample.of([1.0]))
    ('2 seeds, paired', '1 seed each')
    """
    seeds = min(one.n for one in (first, *others))
    paired = seeds > 1 and all(is_paired(first, other) for other in others)
    return f"{seed_count(seeds)}{', paired' if paired else ' each'}"
