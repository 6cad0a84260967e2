"""Joint distributions with known mutual information, by family; what they are is read from their names.

Truths are closed forms or quadrature. Each family has members on which some estimator fails.
"""

from __future__ import annotations

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

__all__ = ["DISTRIBUTIONS", "FAMILIES", "Distribution"]
