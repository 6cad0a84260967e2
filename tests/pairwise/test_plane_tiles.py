"""Neighbors by tables of tiles against whole tables, for tiles and parts of any size."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from infoflow.pairwise import plane_tiles

Array = NDArray[np.float64]

PATTERNS: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "correlated": lambda x, noise: (x, x + 0.1 * noise),
    "a curve": lambda x, noise: (x, np.sin(5 * x)),
    "heavy tails": lambda x, noise: (x**5, noise / x),
    "half zeros": lambda x, noise: (np.maximum(x, 0.0), np.maximum(noise, 0.0)),
    "a cluster in one column": lambda x, noise: (np.where(x < 0, 1e-6 * x, x), noise),
    "one constant": lambda x, noise: (np.ones_like(x), noise),
    "equal points": lambda x, noise: (np.ones_like(x), np.ones_like(x)),
}


@pytest.mark.parametrize("tile", [5, 32, 90])
@pytest.mark.parametrize("cached", [1, 1 << 16])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_distances_are_those_of_whole_tables(
    pattern: str, tile: int, cached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plane_tiles, "_WHOLE", 90)
    monkeypatch.setattr(plane_tiles, "_TILE", tile)
    monkeypatch.setattr(plane_tiles, "_CACHED", cached)
    x, y = PATTERNS[pattern](*np.random.default_rng(0).normal(size=(2, 203)))
    table = np.maximum(np.abs(x[:, None] - x), np.abs(y[:, None] - y))
    np.fill_diagonal(table, np.inf)
    expected = np.sort(table, axis=1)
    for k in (1, 3, 20, 202):
        found = plane_tiles.distances(x, y, k, np.argsort(x), np.argsort(y))
        np.testing.assert_array_equal(found, expected[:, :k])
