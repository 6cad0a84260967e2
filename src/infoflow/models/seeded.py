"""Networks whose builders draw from torch's global random state, drawn from a seed instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from infoflow.core.checks import integer


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, torch's CPU random state starts from `seed`; afterwards it is what it was before.

    >>> with seeded(3):
    ...     first = torch.rand(2)
    >>> with seeded(3):
    ...     print(torch.equal(first, torch.rand(2)))
    True
    """
    integer(seed, "seed", minimum=0)
    with torch.random.fork_rng(devices=[]):
        # The CPU's generator alone: torch.manual_seed would reseed the GPUs for good, which are not forked here.
        torch.default_generator.manual_seed(seed)
        yield
