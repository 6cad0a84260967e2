"""What training finds and leaves as it was: the device, the modules' modes and the global random state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from infoflow.core.errors import InvalidArgument


def usable_device(device: torch.device | str) -> torch.device:
    """The device by its name; "auto" is a GPU where there is one. Raises InvalidArgument when it can't be used here.

    >>> usable_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=device)
        return torch.device(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # torch asserts that it was built with CUDA
        reason = str(error).splitlines()[0]
        raise InvalidArgument(
            f"device {device!r} can't be used here ({reason}); want 'auto', 'cpu', 'cuda', ..."
        ) from None


@contextmanager
def mode(network: nn.Module, *, training: bool) -> Iterator[None]:
    """Training or evaluation mode for a while; every module's own flag comes back."""
    flags = [(module, module.training) for module in network.modules()]
    network.train(training)
    try:
        yield
    finally:
        for module, flag in flags:
            module.training = flag


@contextmanager
def own_random_state(device: torch.device) -> Iterator[None]:
    """Whatever draws from the global random state inside leaves no trace of it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


def seed_layers(device: torch.device, seed: int, epoch: int) -> None:
    """Layers that draw random numbers draw the same ones in an epoch whether or not training was interrupted before."""
    mixed = int(np.random.SeedSequence((seed, epoch)).generate_state(1)[0])
    torch.default_generator.manual_seed(mixed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(mixed)
