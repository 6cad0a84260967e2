"""Parameters drawn from a seed, for builders that draw from torch's global random state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from infoflow.core.settings import Seed, validated


@contextmanager
@validated
def seeded(seed: Seed) -> Iterator[None]:
    """Run a block with torch's CPU random state started from `seed`, and restore the state afterwards.

    Parameters
    ----------
    seed
        Seed of the block, at least 0.

    Raises
    ------
    InvalidArgument
        If the seed is not an integer of at least 0.

    Notes
    -----
    The random states of GPUs are neither used nor changed.

    Examples
    --------
    >>> with seeded(3):
    ...     first = torch.rand(2)
    >>> with seeded(3):
    ...     print(torch.equal(first, torch.rand(2)))
    True
    """
    with torch.random.fork_rng(devices=[]):
        # The CPU's generator alone: torch.manual_seed would also reseed the GPUs, whose states are not restored here.
        torch.default_generator.manual_seed(seed)
        yield
