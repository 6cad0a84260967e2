"""Random calls of every estimator and entropy, which end in a sound Estimate or in an InfoflowError."""

from __future__ import annotations

import importlib
import inspect
import json
import math
import pkgutil
import re
import typing
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from infoflow import entropies
from infoflow.core.errors import InfoflowError
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.estimators import ESTIMATORS, Ability, conditional_mutual_information, create
from infoflow.estimators.learned.estimator import HeldOutEstimator

Random = np.random.Generator

SIZES = (1, 2, 3, 4, 6, 10, 20, 41, 60)

# Learned estimators need 40 samples.
LARGER = (39, 41, 60, 80)

# Settings that make any estimator quick, where it has them.
QUICK: dict[str, Any] = {
    "max_epochs": 1,
    "folds": 2,
    "hidden": (4,),
    "embedding": 4,
    "transforms": 1,
    "slices": 2,
    "steps": 2,
    "max_components": 1,
    "components": 2,
    "probes": 8,
    "draws": 2,
}

# What a wrapper of another estimator may hold.
INSIDE = ("ksg", "mixed", "gaussian", "binning")


def _learned(name: str) -> bool:
    return issubclass(ESTIMATORS[name].load(), HeldOutEstimator)


LEARNED = [name for name in ESTIMATORS if _learned(name)]
CHEAP = [name for name in ESTIMATORS if not _learned(name)]


# Content


def _numbers(rng: Random, n: int, base: np.ndarray | None) -> np.ndarray:
    """Floating-point samples (n, d), some of them a function of `base` or nearly one."""
    values = rng.normal(size=(n, int(rng.choice([1, 1, 2, 3, 8]))))
    if base is not None:
        first = base[:, :1]
        related: list[Callable[[], np.ndarray]] = [
            lambda: np.exp(np.clip(base, -50, 50)),
            lambda: base.copy(),
            lambda: first + values * 10.0 ** rng.integers(-9, 1),
            lambda: np.round(base, 2),
            lambda: -(np.clip(base, -1e3, 1e3) ** 3),
            lambda: np.tile(first, (1, values.shape[1])),
            lambda: base[::-1].copy(),
        ]
        values = related[rng.integers(len(related))]() if rng.integers(3) else values
    spoilers: list[Callable[[np.ndarray], np.ndarray]] = [
        lambda v: np.round(v, int(rng.integers(3))),
        lambda v: np.maximum(v, 0),
        lambda v: rng.integers(3, size=v.shape).astype(float),
        lambda v: np.linspace(0, 1, n)[:, None] * np.ones((1, v.shape[1])),
        lambda v: np.full_like(v, 0.1),
        lambda v: np.column_stack([v, np.ones(n)]),
        lambda v: np.column_stack([v, v]),
        lambda v: v * 10.0 ** rng.integers(-320, 300),
        lambda v: v + 10.0 ** rng.integers(0, 14),
        lambda v: np.where(rng.random(v.shape) < 0.02, 1e6, v),
        lambda v: v[:1].repeat(n, 0) if rng.integers(2) else v[rng.integers(n, size=n)],
        lambda v: np.where(v > 0, v, -0.0),
    ]
    if rng.integers(2):
        values = spoilers[rng.integers(len(spoilers))](values)
    return values[:, 0] if rng.integers(4) == 0 else values


def _integers(rng: Random, n: int) -> np.ndarray:
    """Classes (n,) or codes (n, d): few, many, one, or as many as samples."""
    high = int(rng.choice([1, 2, 3, max(1, n // 2), max(1, n), 10**9]))
    shape = (n, 2) if rng.integers(8) == 0 else (n,)
    return rng.integers(high, size=shape) if rng.integers(6) else np.arange(n)


# Containers


def _generator(values: np.ndarray) -> Iterator[Any]:
    yield from values.tolist()


def _read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


def _frame(values: np.ndarray) -> Any:
    return pd.Series(values) if values.ndim == 1 else pd.DataFrame(values)


def _half(values: np.ndarray, dtype: torch.dtype = torch.float16) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64)).to(dtype)


GOOD: list[Callable[[np.ndarray], Any]] = [
    lambda v: v,
    lambda v: v.tolist(),
    torch.from_numpy,
    lambda v: torch.from_numpy(np.repeat(v, 2, axis=0))[::2],
    lambda v: v[::-1].copy()[::-1],
    lambda v: v.astype(v.dtype.newbyteorder(">")),
    _read_only,
    np.asfortranarray,
    _frame,
    _half,
    lambda v: _half(v, torch.bfloat16),
    lambda v: _half(v, torch.float32),
    lambda v: np.abs(np.clip(v, -100, 100)).astype(np.uint8),
    lambda v: v > 0,
    lambda v: torch.from_numpy(v > 0),
    lambda v: v.reshape(len(v), -1, 1),
    lambda v: np.ma.masked_array(v),
]


def _spoilt(rng: Random, values: np.ndarray) -> np.ndarray:
    spoilt = values.astype(np.float64)
    spoilt.reshape(-1)[rng.integers(spoilt.size)] = rng.choice([math.nan, math.inf, -math.inf])
    return spoilt


BAD: list[Callable[[Random, np.ndarray], Any]] = [
    _spoilt,
    lambda rng, v: _generator(v),
    lambda rng, v: torch.empty(v.shape, device="meta"),
    lambda rng, v: torch.from_numpy(v.astype(np.float64)).to_sparse(),
    lambda rng, v: v + 1j,
    lambda rng, v: v.astype(object),
    lambda rng, v: v.astype(str),
    lambda rng, v: {"x": v},
    lambda rng, v: None,
    lambda rng, v: 3.0,
    lambda rng, v: torch.tensor(3),
    lambda rng, v: v[:0],
    lambda rng, v: v[:-1],
    lambda rng, v: np.zeros((len(v), 0)),
    lambda rng, v: [[1.0], [1.0, 2.0]],
    lambda rng, v: np.ma.masked_array(v, mask=np.ones(v.shape, bool)),
    lambda rng, v: np.full(v.shape, "2020-01-01", dtype="datetime64[s]"),
]


def _drawn(rng: Random, n: int, base: np.ndarray | None = None) -> tuple[np.ndarray, Any]:
    """Samples, and the same in a random container, which may spoil them."""
    with np.errstate(all="ignore"):
        values = _integers(rng, n) if rng.integers(4) == 0 else _numbers(rng, n, base)
        if rng.integers(8) == 0:
            return values, BAD[rng.integers(len(BAD))](rng, values)
        return values, GOOD[rng.integers(len(GOOD))](values)


def _samples(rng: Random, n: int, count: int) -> list[Any]:
    first, x = _drawn(rng, n)
    base = first.reshape(n, -1).astype(np.float64)
    return [x, *(_drawn(rng, n, base)[1] for _ in range(count - 1))]


# Calls


def _estimator(rng: Random, name: str) -> Any:
    """The estimator with random names and flags as settings; quick where that can be set."""
    kind = ESTIMATORS[name].load()
    chosen: dict[str, Any] = {}
    for key, hint in typing.get_type_hints(kind).items():
        if key in ESTIMATORS[name].preset or key.startswith("_") or rng.integers(2):
            continue
        options = [option for part in (hint, *typing.get_args(hint)) for option in _options(part)]
        if options:
            chosen[key] = options[rng.integers(len(options))]
    known = inspect.signature(kind).parameters
    chosen |= {key: value for key, value in QUICK.items() if key in known}
    if "k" in known:
        chosen["k"] = int(rng.choice([1, 2, 3, 7]))
    if "estimator" in known:
        chosen["estimator"] = str(rng.choice(INSIDE))
    return create(name, **chosen)


def _options(hint: Any) -> tuple[Any, ...]:
    if hint is bool:
        return (True, False)
    return typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()


def _call(rng: Random, name: str) -> Any:
    """One random call of one of its abilities."""
    estimator = _estimator(rng, name)
    n = int(rng.choice(LARGER if _learned(name) else SIZES))
    abilities = [Ability.ESTIMATE, Ability.ESTIMATE, *ESTIMATORS[name].abilities]
    if not _learned(name):
        abilities.append(Ability.CONDITIONAL)
    match abilities[rng.integers(len(abilities))]:
        case Ability.ENTROPY:
            return estimator.entropy(*_samples(rng, n, 1))
        case Ability.POINTWISE:
            return estimator.pointwise(*_samples(rng, n, 2))
        case Ability.CONDITIONAL:
            return conditional_mutual_information(*_samples(rng, n, 3), estimator)
        case Ability.PLANE:
            t, y, x = _samples(rng, n, 3)
            return estimator.measure(t, y, x)
        case Ability.PERMUTATION_TEST:
            return estimator.tested(*_samples(rng, n, 2), permutations=5)
        case _:
            return estimator.estimate(*_samples(rng, n, 2))


def sound(found: Any) -> None:
    """What every result of an estimator satisfies."""
    if isinstance(found, LayerInformation):
        sound(found.input)
        sound(found.label)
        return
    if not isinstance(found, Estimate):
        assert np.isfinite(np.asarray(found)).all()
        return
    assert type(found.nats) is float
    assert not math.isnan(found.nats)
    assert not math.isnan(found.ceiling)
    assert found.nats <= found.ceiling
    assert math.isfinite(found.nats) or found.warnings
    assert found.p_value is None or 0 <= found.p_value <= 1
    if found.interval is not None:
        low, high = found.interval.low, found.interval.high
        assert low <= found.nats <= high <= found.ceiling + 1e-6
        assert low < high or found.kind is Kind.EXACT
    for warning in found.warnings:
        explained(warning)
    assert "nan" not in str(found).split("\n")[0].lower()
    assert "-0.0000" not in str(found)
    json.dumps(found.to_dict(), default=repr)


def explained(warning: str) -> None:
    """A warning is one sentence with a cause and a consequence or remedy, and no value that a program printed."""
    assert "\n" not in warning
    assert len(warning.split()) >= 6, warning
    assert re.search(r"[,;:]", warning), warning
    assert not re.search(r"\b(nan|None|tensor|array|Traceback)\b\(?", warning), warning


def attack(names: list[str], calls: int, start: int, tally: Counter[str]) -> None:
    """Call the estimators in turn with one seed per call, and report all failures with the seeds that repeat them."""
    failures = []
    for seed in range(start, start + calls):
        name = names[seed % len(names)]
        try:
            sound(_call(np.random.default_rng(seed), name))
        except InfoflowError as error:
            if "\n" in str(error):
                failures.append(f"seed {seed}, {name}: error of several lines: {error!r}")
        except Exception as error:
            failures.append(f"seed {seed}, {name}: {type(error).__name__}: {str(error)[:200]}")
    tally["fuzz calls of estimators"] += calls
    assert not failures, f"{len(failures)} of {calls}:\n" + "\n".join(failures[:30])


def test_cheap_estimators(tally: Counter[str]) -> None:
    attack(CHEAP, 900, 0, tally)


def test_learned_estimators(tally: Counter[str]) -> None:
    attack(LEARNED, 40, 0, tally)


@pytest.mark.slow
def test_cheap_estimators_at_length(tally: Counter[str]) -> None:
    attack(CHEAP, 100_000, 10_000, tally)


@pytest.mark.slow
def test_learned_estimators_at_length(tally: Counter[str]) -> None:
    attack(LEARNED, 400, 10_000, tally)


@pytest.mark.parametrize("name", CHEAP)
def test_more_than_the_entropy_of_two_classes_is_never_reported_in_silence(name: str) -> None:
    """Of classes as integers never, and of the same as floats only with a warning."""
    x = np.random.default_rng(0).normal(size=(200, 1))
    y = (x[:, 0] > 0).astype(int)
    for left, right in ((x, y), (y, x), (x, y.astype(float)), (y.astype(float), x)):
        try:
            found = create(name).estimate(left, right)
        except InfoflowError:
            continue
        sound(found)
        integers = np.asarray(left).dtype.kind == "i" or np.asarray(right).dtype.kind == "i"
        assert found.nats <= math.log(2) + 0.05 or (found.warnings and not integers)


# Entropies


def _functions() -> Iterator[Callable[..., Any]]:
    """The functions of `infoflow.entropies` that take arrays of any kind, by what their documentation promises."""
    for module in pkgutil.iter_modules(entropies.__path__):
        loaded = importlib.import_module(f"{entropies.__name__}.{module.name}")
        for name, function in vars(loaded).items():
            if (
                inspect.isfunction(function)
                and function.__module__ == loaded.__name__
                and not name.startswith("_")
                and "array-like" in (function.__doc__ or "")
            ):
                yield function


FUNCTIONS = list(_functions())


def _argument(rng: Random, name: str, n: int) -> Any:
    values, spoilt = _drawn(rng, n)
    if rng.integers(3) == 0:
        return spoilt
    if name == "counts":
        return GOOD[rng.integers(len(GOOD))](rng.integers(5, size=(n,) if rng.integers(2) else (2, n)))
    if name.startswith("covariance"):
        root = rng.normal(size=(3, 3))
        return GOOD[rng.integers(9)](root @ root.T)
    if name.startswith(("dim", "k", "alphabet")):
        return int(rng.integers(0, 4))
    if name.startswith("mean"):
        return rng.normal(size=3)
    return GOOD[rng.integers(len(GOOD))](values)


def _plain(found: Any) -> Iterator[float]:
    if isinstance(found, Estimate):
        sound(found)
    elif isinstance(found, torch.Tensor):
        yield from found.double().reshape(-1).tolist()
    elif isinstance(found, tuple):
        for part in found:
            yield from _plain(part)
    elif isinstance(found, float):
        yield found


def attack_entropies(calls: int, start: int, tally: Counter[str]) -> None:
    failures = []
    for seed in range(start, start + calls):
        rng = np.random.default_rng(seed)
        function = FUNCTIONS[seed % len(FUNCTIONS)]
        required = [
            key
            for key, each in inspect.signature(function).parameters.items()
            if each.default is inspect.Parameter.empty
        ]
        try:
            arguments = [_argument(rng, key, int(rng.choice(SIZES))) for key in required]
            assert not any(math.isnan(value) for value in _plain(function(*arguments)))
        except InfoflowError:
            pass
        except Exception as error:
            failures.append(f"seed {seed}, {function.__name__}: {type(error).__name__}: {str(error)[:200]}")
    tally["fuzz calls of entropies"] += calls
    assert not failures, f"{len(failures)} of {calls}:\n" + "\n".join(failures[:30])


def test_entropies(tally: Counter[str]) -> None:
    attack_entropies(1000, 0, tally)


@pytest.mark.slow
def test_entropies_at_length(tally: Counter[str]) -> None:
    attack_entropies(20_000, 10_000, tally)
