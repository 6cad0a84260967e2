"""Joint distributions with known mutual information, by family; what they are is read from their names.

Truths are closed forms or quadrature. Each family has members on which some estimator fails.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from infoflow.core.errors import UnknownName
from infoflow_benchmarks.distributions import columns, symbols, vectors
from infoflow_benchmarks.distributions.base import Distribution

DISTRIBUTIONS: tuple[Distribution, ...] = (
    *columns.gaussian(),
    *columns.shapes(),
    *symbols.classes(),
    *symbols.tables(),
    *symbols.rounded(),
    *symbols.mixed(),
    *vectors.mixed_columns(),
    *vectors.many_dimensions(),
    *vectors.heavy_tails(),
    *vectors.manifolds(),
    *vectors.latents(),
    *columns.dependent(),
    *columns.functions(),
)
FAMILIES: tuple[str, ...] = tuple(dict.fromkeys(d.family for d in DISTRIBUTIONS))

ONE_PER_FAMILY = "one-per-family"
"""Name of the choice of `one_per_family`."""


def chosen(names: Sequence[str], families: Sequence[str] = FAMILIES) -> tuple[Distribution, ...]:
    """Return the distributions of some names and families, in their order.

    Parameters
    ----------
    names
        Names of distributions, "all", or "one-per-family".
    families
        Names of families.

    Raises
    ------
    UnknownName
        If there is no distribution or family of a name.

    Examples
    --------
    >>> [distribution.name for distribution in chosen(["gauss r=0.5", "circle s=0.3"], ["shapes"])]
    ['circle s=0.3']
    """
    for family in families:
        if family not in FAMILIES:
            raise UnknownName("family", family, FAMILIES)
    known = {distribution.name: distribution for distribution in DISTRIBUTIONS}
    wanted: set[str] = set()
    for name in names:
        if name not in (*known, "all", ONE_PER_FAMILY):
            raise UnknownName("distribution", name, ["all", ONE_PER_FAMILY, *known])
        wanted |= {"all": set(known), ONE_PER_FAMILY: {d.name for d in one_per_family()}}.get(name, {name})
    return tuple(d for d in DISTRIBUTIONS if d.name in wanted and d.family in families)


def one_per_family() -> tuple[Distribution, ...]:
    """Return the first distribution of dependent numbers of each family, the first of independent ones and the widest.

    Numbers are floating-point numbers on both sides, so that the family of labels has no member. The choice depends on
    no results. The widest is the first that has the most columns.

    Examples
    --------
    >>> [distribution.name for distribution in one_per_family()[:3]]
    ['gauss r=0', 'gauss r=0.5', 'lognormal r=0.5']
    """
    samples = {d: tuple(np.asarray(values) for values in d.sample(2, 0)) for d in DISTRIBUTIONS}
    numbers = [d for d, (x, y) in samples.items() if x.dtype.kind == y.dtype.kind == "f"]
    widest = max(numbers, key=lambda d: samples[d][0].size + samples[d][1].size)
    independent = next(d for d in numbers if d.mutual_information == 0)
    firsts: dict[str, Distribution] = {}
    for d in numbers:
        if d.family not in firsts and d.mutual_information > 1e-6:  # quadrature gives nearly 0 where it is 0
            firsts[d.family] = d
    return tuple(d for d in DISTRIBUTIONS if d in (independent, widest, *firsts.values()))


__all__ = ["DISTRIBUTIONS", "FAMILIES", "ONE_PER_FAMILY", "Distribution", "chosen", "one_per_family"]
