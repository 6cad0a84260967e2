"""What every training loop needs: its device, parameters and progress, and what it leaves as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from infoflow.core.errors import DidNotConverge, InvalidArgument


def usable_device(device: torch.device | str) -> torch.device:
    """Return a device by its name, if it can be used here.

    Parameters
    ----------
    device
        A device or its name; "auto" is a GPU if there is one, otherwise the CPU.

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    InvalidArgument
        If the device cannot be used.

    Examples
    --------
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
            "device", "one that can be used here, such as 'auto', 'cpu' or 'cuda'", device, remedy=f"torch: {reason}"
        ) from None


def device_of(*modules: nn.Module) -> torch.device:
    """Return the device of the first parameter, or the CPU if there is none."""
    every = (parameter.device for module in modules for parameter in module.parameters())
    return next(every, torch.device("cpu"))


def trainable(module: nn.Module, name: str) -> list[nn.Parameter]:
    """Return the parameters that require a gradient; at least one."""
    parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not parameters:
        raise InvalidArgument(name, "a module with something to train, a parameter that requires a gradient")
    return parameters


def description(module: nn.Module) -> dict[str, Any]:
    """Return the structure of a module and the types and shapes of its state as plain values."""
    state = {name: [str(p.dtype), list(p.shape)] for name, p in module.state_dict().items()}
    return {"module": repr(module), "parameters": state}


def epoch_bar(epochs: int, done: int, progress: bool | str) -> Any:
    """Return a progress bar over epochs, with a title if `progress` is text; hidden if it is False."""
    title = progress if isinstance(progress, str) else None
    return tqdm(total=epochs, initial=done, disable=not progress, desc=title, unit="epoch")


def diverged(what: str) -> DidNotConverge:
    """Return the error for a loss that is NaN or infinite."""
    return DidNotConverge(f"{what}. Use a smaller learning rate, or inputs of a smaller scale.")


@contextmanager
def own_random_state(device: torch.device) -> Iterator[None]:
    """Restore torch's global random state afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield


def seed_layers(device: torch.device, seed: int, epoch: int) -> None:
    """Seed torch for one epoch, so that layers draw the same numbers in it whether or not training was resumed."""
    mixed = int(np.random.SeedSequence((seed, epoch)).generate_state(1)[0])
    torch.default_generator.manual_seed(mixed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(mixed)
