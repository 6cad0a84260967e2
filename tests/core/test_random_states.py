"""Random generators that a module owns, wherever it holds them, are as before after activations were taken."""

from __future__ import annotations

import functools
import random
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler

from infoflow.core.capture import Capture


class Sampler:
    def __init__(self) -> None:
        self.generators = {
            "torch": torch.Generator().manual_seed(0),
            "numpy": np.random.default_rng(0),
            "python": random.Random(0),
            "old": np.random.RandomState(0),
        }

    def draw(self) -> list[float]:
        torch_, numpy_, python, old = self.generators.values()
        return [torch.rand((), generator=torch_).item(), numpy_.random(), python.random(), old.rand()]


class Owner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.samplers = [Sampler()]
        self.generator = torch.Generator().manual_seed(1)

    def forward(self, x: Tensor) -> Tensor:
        return x + sum(self.samplers[0].draw()) + torch.rand((), generator=self.generator)


def test_generators_that_a_module_owns_are_restored() -> None:
    model, fresh = Owner(), Owner()
    Capture(model, ["output"], None, torch.zeros(2, 4))(torch.zeros(2, 4))
    assert model.samplers[0].draw() == fresh.samplers[0].draw()
    assert torch.equal(torch.rand(3, generator=model.generator), torch.rand(3, generator=fresh.generator))


class Slotted:
    __slots__ = ("__hidden", "shown")

    def __init__(self, generator: torch.Generator) -> None:
        self.shown = None
        self.__hidden = generator

    def draw(self) -> Tensor:
        return torch.rand((), generator=self.__hidden)


def closure(generator: torch.Generator) -> Callable[[], Tensor]:
    def draw() -> Tensor:
        return torch.rand((), generator=generator)

    return draw


def default(generator: torch.Generator) -> Callable[[], Tensor]:
    def draw(*, source: torch.Generator = generator) -> Tensor:
        return torch.rand((), generator=source)

    return draw


# What an attribute of a module may hold of a generator.
HELD: dict[str, Callable[[torch.Generator], Any]] = {
    "itself": lambda generator: generator,
    "list": lambda generator: [0, [generator]],
    "dict": lambda generator: {"a": {"b": generator}},
    "tuple and set": lambda generator: ((), {generator}),
    "deque": lambda generator: deque([generator]),
    "sampler": lambda generator: RandomSampler(range(4), generator=generator),
    "loader": lambda generator: DataLoader(torch.arange(4), shuffle=True, generator=generator),  # type: ignore[arg-type]
    "partial": lambda generator: functools.partial(torch.rand, (), generator=generator),
    "slots": Slotted,
    "bound method": lambda generator: Slotted(generator).draw,
    "closure": closure,
    "default": default,
}


# The forward pass draws from here, so that the attribute under test alone leads to the generator.
drawn_from: list[torch.Generator] = []


class Holding(nn.Module):
    def __init__(self, held: Any) -> None:
        super().__init__()
        self.held = held

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.rand((), generator=drawn_from[-1])


@pytest.mark.parametrize("name", HELD)
def test_a_generator_is_found_in_whatever_holds_it(name: str) -> None:
    generator = torch.Generator().manual_seed(1)
    drawn_from.append(generator)
    model = Holding(HELD[name](generator))
    before = generator.get_state()
    Capture(model, ["output"], None, torch.zeros(2, 4))(torch.zeros(2, 4))
    assert torch.equal(generator.get_state(), before)
    model.held = None
    Capture(model, ["output"], None, torch.zeros(2, 4))(torch.zeros(2, 4))
    assert not torch.equal(generator.get_state(), before), "the pass drew nothing, so nothing was tested"


def test_a_bit_generator_is_restored() -> None:
    class Bits(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bits = np.random.PCG64(0)

        def forward(self, x: Tensor) -> Tensor:
            return x + float(np.random.Generator(self.bits).random())

    model = Bits()
    before = model.bits.state
    Capture(model, ["output"], None, torch.zeros(2, 4))(torch.zeros(2, 4))
    assert model.bits.state == before
