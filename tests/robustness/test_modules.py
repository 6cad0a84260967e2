"""Random batches for every bound, critic, layer and objective: a sound result, or an error of ours; by registry.

Classes are found in the public names of their subpackages and built from the types and names of their parameters, so
that a new one is attacked as it is added. One whose required parameters have no value here fails, and states which.
An error of PyTorch about a tensor's type, device, layout or shape is a failure, also where it comes from a network of
the user's inside a layer or an objective.
"""

from __future__ import annotations

import importlib.util
import inspect
import math
import typing
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infoflow import critics, layers
from infoflow.bounds import BOUNDS, Bound, Takes
from infoflow.core.errors import InfoflowError

Random = np.random.Generator

N, D = 6, 4


def spoiled(rng: Random, good: Tensor) -> Any:
    """A batch of another type, shape, layout or content."""
    kinds: list[Callable[[Tensor], Any]] = [
        lambda t: t[:0],
        lambda t: t[:1],
        lambda t: t[:, :0] if t.ndim > 1 else t[:0],
        lambda t: t.sum(),
        lambda t: t[..., None],
        lambda t: t[:-1],
        lambda t: t.flatten(),
        lambda t: torch.zeros_like(t),
        lambda t: t * 1e30 if t.is_floating_point() else t + 10**6,
        lambda t: t * 1e-30 if t.is_floating_point() else -t - 1,
        lambda t: t.half() if t.is_floating_point() else t.to(torch.int32),
        lambda t: t.bfloat16() if t.is_floating_point() else t.to(torch.uint8),
        lambda t: t.double(),
        lambda t: t.long(),
        lambda t: t > 0,
        lambda t: t.to(torch.complex64),
        lambda t: t.to("meta"),
        lambda t: t.to_sparse(),
        lambda t: torch.full_like(t, math.nan) if t.is_floating_point() else t,
        lambda t: torch.full_like(t, math.inf) if t.is_floating_point() else t,
        lambda t: t.detach().numpy(),
        lambda t: t.tolist(),
        lambda t: None,
        lambda t: "text",
        lambda t: 3.0,
        lambda t: t.flip(0),
        lambda t: t.expand(2, *t.shape),
        lambda t: t.transpose(0, -1),
    ]
    return kinds[rng.integers(len(kinds))](good)


def tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [each for part in value for each in tensors(part)] if isinstance(value, tuple | list) else []


def finite(value: Any) -> bool:
    """Whether all numbers are finite and of ordinary size, so that a result must not be NaN."""
    return all(
        t.is_meta or not t.is_floating_point() or bool((t.double().abs() < 1e6).all())
        for t in tensors(value)
        if t.layout is torch.strided
    )


def attempt(
    call: Callable[[], Any],
    arguments: Any,
    whose: str,
    failures: list[str],
) -> None:
    """Call, and note what is neither a sound result nor an error of ours."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = call()
    except InfoflowError as error:
        if "\n" in str(error):
            failures.append(f"{whose}: an error of several lines: {error!r}")
        return
    except Exception as error:
        failures.append(f"{whose}: {type(error).__name__}: {str(error).splitlines()[0][:160]}")
        return
    found = tensors(result)
    if finite(arguments) and any(bool(t.isnan().any()) for t in found if not t.is_meta and t.layout is torch.strided):
        failures.append(f"{whose}: NaN of finite numbers")


def report(kind: str, calls: int, failures: list[str], tally: Counter[str]) -> None:
    tally[f"fuzz calls of {kind}"] += calls
    assert not failures, f"{len(failures)} of {calls}:\n" + "\n".join(failures[:40])


def describe(arguments: Any) -> str:
    return ", ".join(
        f"{tuple(a.shape)} {str(a.dtype).removeprefix('torch.')} {a.layout} {a.device}"
        if isinstance(a, Tensor)
        else type(a).__name__
        for a in arguments
    )


# Bounds


def attack_bounds(calls: int, start: int, tally: Counter[str]) -> None:
    failures: list[str] = []
    names = list(BOUNDS)
    for seed in range(start, start + calls):
        rng = np.random.default_rng(seed)
        bound = BOUNDS[names[seed % len(names)]]
        arguments = scores_of(bound, rng)
        if rng.integers(2):
            which = int(rng.integers(len(arguments)))
            arguments[which] = spoiled(rng, torch.as_tensor(arguments[which]).reshape(-1))
        function = bound.training_objective if rng.integers(2) else bound
        whose = f"seed {seed}, {bound.name}({describe(arguments)})"
        attempt(lambda f=function, a=arguments: f(*a), arguments, whose, failures)  # type: ignore[misc]
    report("bounds", calls, failures, tally)


def scores_of(bound: Bound, rng: Random) -> list[Any]:
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    n, m = (int(rng.integers(1, 6)) for _ in range(2))
    scale = 10.0 ** float(rng.integers(-3, 3))
    positive = scale * torch.randn(n, generator=generator)
    negative = scale * torch.randn(n, n if bound.takes is Takes.SWAPPED_DENSITY else m, generator=generator)
    match bound.takes:
        case Takes.NEGATIVE_AND_U:
            return [positive, negative, torch.randn(n, generator=generator)]
        case Takes.ENTROPY:
            return [positive, 1.0]
        case Takes.MARGINAL:
            return [positive, torch.randn(n, generator=generator)]
        case _:
            return [positive, negative]


def test_bounds(tally: Counter[str]) -> None:
    attack_bounds(1000, 0, tally)


@pytest.mark.slow
def test_bounds_at_length(tally: Counter[str]) -> None:
    attack_bounds(20_000, 10_000, tally)


# Modules, built by the names and types of their parameters


VALUES: dict[str, Callable[[], Any]] = {
    **dict.fromkeys(("x_features", "y_features", "features", "channels", "units"), lambda: D),
    **dict.fromkeys(("x_shape", "y_shape"), lambda: (1, 8, 8)),
    **dict.fromkeys(("host", "original", "branch"), lambda: nn.Linear(D, D)),
}


def modules(package: Any, base: type) -> dict[str, type]:
    """Public classes of a package that can be built."""
    named = {name: getattr(package, name) for name in package.__all__}
    return {
        name: value
        for name, value in named.items()
        if inspect.isclass(value) and issubclass(value, base) and not inspect.isabstract(value)
    }


def built(kind: type, rng: Random) -> Any:
    """An instance with random names and flags as settings, or None where it refuses them."""
    signature = inspect.signature(kind)
    hints = typing.get_type_hints(kind.__init__)  # type: ignore[misc]
    chosen: dict[str, Any] = {}
    for name, parameter in signature.parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        hint = hints.get(name)
        options = (True, False) if hint is bool else ()
        if typing.get_origin(hint) is typing.Literal:
            options = typing.get_args(hint)
        if parameter.default is parameter.empty:
            assert name in VALUES or options, f"give {kind.__name__}'s parameter {name!r} a value in VALUES"
            chosen[name] = VALUES[name]() if name in VALUES else options[int(rng.integers(len(options)))]
        elif options and rng.integers(2):
            chosen[name] = options[int(rng.integers(len(options)))]
    return kind(**chosen)


def attack(kind: str, cases: list[tuple[str, Callable[[Random], tuple[Any, list[Any]]]]], calls: int, start: int,
           tally: Counter[str]) -> None:  # fmt: skip
    """Build in turn what is attacked, and call it with a batch of which every second one is spoiled in one place."""
    failures: list[str] = []
    for seed in range(start, start + calls):
        rng = np.random.default_rng(seed)
        torch.manual_seed(seed)
        name, make = cases[seed % len(cases)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                call, batch = make(rng)
            except InfoflowError:
                continue
        if rng.integers(2):
            batch = _with_one_spoiled(rng, batch)
        attempt(lambda c=call, b=batch: c(*b), batch, f"seed {seed}, {name}({describe(batch)})", failures)  # type: ignore[misc]
    report(kind, calls, failures, tally)


def _with_one_spoiled(rng: Random, batch: list[Any]) -> list[Any]:
    """The batch with one of its tensors spoiled."""
    which = int(rng.integers(len(batch)))
    good = batch[which]
    if isinstance(good, tuple):  # an Encoding
        inside = int(rng.integers(len(good)))
        bad = spoiled(rng, good[inside].detach())
        return [type(good)(*(bad if place == inside else each for place, each in enumerate(good)))]
    bad = spoiled(rng, good.detach())
    return [bad if place == which else each for place, each in enumerate(batch)]


def critic_cases() -> list[tuple[str, Callable[[Random], tuple[Any, list[Any]]]]]:
    def case(kind: type) -> Callable[[Random], tuple[Any, list[Any]]]:
        def make(rng: Random) -> tuple[Any, list[Any]]:
            critic = built(kind, rng)
            maps = "channels" in inspect.signature(kind).parameters
            pictures = "x_shape" in inspect.signature(kind).parameters
            x = torch.randn(N, D, *([2, 2] if maps else [])) if not pictures else torch.randn(N, 1, 8, 8)
            return critic.scores, [x, torch.randn(N, D) if not pictures else torch.randn(N, 1, 8, 8)]

        return make

    return [(name, case(kind)) for name, kind in modules(critics, nn.Module).items() if hasattr(kind, "scores")]


def layer_cases() -> list[tuple[str, Callable[[Random], tuple[Any, list[Any]]]]]:
    def case(kind: type) -> Callable[[Random], tuple[Any, list[Any]]]:
        return lambda rng: (built(kind, rng).train(bool(rng.integers(2))), [torch.randn(N, D)])

    skipped = {"StochasticLayer"}  # the base class, whose forward is that of its subclasses
    return [(name, case(kind)) for name, kind in modules(layers, nn.Module).items() if name not in skipped]


def objective_cases() -> list[tuple[str, Callable[[Random], tuple[Any, list[Any]]]]]:
    """The cases of the contract, which its own test requires for every objective."""
    path = Path(__file__).parents[1] / "objectives" / "test_contract.py"
    specification = importlib.util.spec_from_file_location("contract_of_objectives", path)
    assert specification is not None
    assert specification.loader is not None
    contract = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(contract)

    def case(name: str) -> Callable[[Random], tuple[Any, list[Any]]]:
        def make(rng: Random) -> tuple[Any, list[Any]]:
            made = contract.CASES[name]()
            made.run()
            return made.objective.train(bool(rng.integers(2))), list(made.batch)

        return make

    return [(name, case(name)) for name in contract.LIBRARY if contract.CASES[name]().batch]


def test_critics(tally: Counter[str]) -> None:
    attack("critics", critic_cases(), 300, 0, tally)


def test_layers(tally: Counter[str]) -> None:
    attack("layers", layer_cases(), 400, 0, tally)


def test_objectives(tally: Counter[str]) -> None:
    attack("objectives", objective_cases(), 400, 0, tally)


@pytest.mark.slow
def test_modules_at_length(tally: Counter[str]) -> None:
    attack("critics", critic_cases(), 5000, 10_000, tally)
    attack("layers", layer_cases(), 5000, 10_000, tally)
    attack("objectives", objective_cases(), 5000, 10_000, tally)
