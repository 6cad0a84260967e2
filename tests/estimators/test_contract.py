"""What every estimator promises, held against all that are registered: one list of promises, one table of cases."""

from __future__ import annotations

import dataclasses
import inspect
import math
import pickle
import random
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.feature_selection import mutual_info_classif

import infoflow.estimators as estimators
from infoflow.core.errors import InfoflowError, InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.core.protocols import Estimator
from infoflow.entropies.discrete import plug_in
from infoflow.estimators import ESTIMATORS, Ability, create, mutual_information
from infoflow.estimators.registry import can

N = 240

Pair = tuple[np.ndarray, np.ndarray]

LOADED = {name: entry.load() for name, entry in ESTIMATORS.items()}


def numbers(rho: float, n: int = N, seed: int = 0) -> Pair:
    """Two normal variables of correlation rho, (n,) each."""
    x, noise = np.random.default_rng(seed).normal(size=(2, n))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


def wide(rho: float, n: int = N, seed: int = 0) -> Pair:
    """Three and two columns, the first two of each correlated pairwise."""
    x, noise = np.random.default_rng(seed).normal(size=(2, n, 3))
    return x, (rho * x + math.sqrt(1 - rho**2) * noise)[:, :2]


def labeled(rho: float, n: int = N, seed: int = 0) -> Pair:
    """A number, and three classes that follow it."""
    x, y = numbers(rho, n, seed)
    return x, np.digitize(y, [-0.5, 0.5])


def coded(rho: float, n: int = N, seed: int = 0) -> Pair:
    """Three symbols on either side."""
    x, y = numbers(rho, n, seed)
    return np.digitize(x, [-0.5, 0.5]), np.digitize(y, [-0.5, 0.5])


def rounded(rho: float, n: int = N, seed: int = 0) -> Pair:
    """Two normal variables rounded to a digit, (n,) each."""
    x, y = numbers(rho, n, seed)
    return x.round(1), y.round(1)


def voting(rho: float, n: int = N, seed: int = 0) -> Pair:
    """Two units whose larger one is the decision, and two classes."""
    x, y = numbers(rho, n, seed)
    return np.stack([-x, x], 1), (y > 0).astype(np.int64)


def away_from_zero(rho: float, n: int = N, seed: int = 0) -> Pair:
    """A positive number, as multiplicative noise wants it, and three classes."""
    x, y = labeled(rho, n, seed)
    return np.exp(x), y


@dataclass(frozen=True)
class Case:
    """An estimator with quick settings, the data that it takes, and what it promises on them."""

    name: str
    data: Callable[..., Pair]
    kind: Kind
    parameters: dict[str, Any] = field(default_factory=dict)
    answers: str = ""
    """Name of the estimator in the estimate, where it isn't the estimator's own: it handed the work on."""
    symmetric: bool = False
    independent: float = 0.1
    """The largest estimate in nats that may come from independent samples: bias of a plug-in, or chance."""
    below: float = 0.0
    """How far under zero an estimate may fall: unbiased ones must."""
    seeded: bool = False
    """Whether the answer depends on the seed with these settings."""
    keeps: tuple[str, ...] = ()
    """Maps of x that leave the answer alone: "scale", "shift", "monotone"."""
    reordered: float = 1e-9
    """How much another order of the samples may change: more than rounding where chance goes by position."""
    single: float = 1e-3
    """How much float32 input may change."""
    longer: dict[str, Any] = field(default_factory=dict)
    """What to add where the quick settings learn too little for the number to mean anything."""
    derived: tuple[str, ...] = ()
    """Entries of Estimate.parameters that tell what was found, and are no settings."""
    needs: str = ""
    """The optional package that it can't do without."""

    @property
    def label(self) -> str:
        settings = ",".join(f"{k}={v}" for k, v in self.parameters.items() if self.name not in NEURAL)
        return f"{self.name}-{self.data.__name__}" + (f"-{settings}" if settings else "")

    @property
    def classes(self) -> bool:
        """Whether y are classes, or both are."""
        return self.data not in (numbers, wide, rounded)

    def make(self, **more: Any) -> Any:
        if self.needs:
            pytest.importorskip(self.needs)
        return create(self.name, **{**self.parameters, **more})


QUICK = {"max_epochs": 2, "folds": 2, "hidden": (16,), "embedding": 8, "learning_rate": 2e-3}
TAUGHT = {"max_epochs": 16, "batch_size": 64}
NEURAL = {
    "neural": Kind.LOWER_BOUND,
    "infonce": Kind.LOWER_BOUND,
    "anchored-infonce": Kind.POINT,
    "donsker-varadhan": Kind.LOWER_BOUND,
    "mine": Kind.LOWER_BOUND,
    "nwj": Kind.LOWER_BOUND,
    "jensen-shannon-mi": Kind.LOWER_BOUND,
    "smile": Kind.POINT,
    "dime": Kind.POINT,
}

LEARNED = {"max_epochs": 2, "folds": 2, "hidden": (8,)}
DENSITIES = ("doe", "flow", "flow-matching")

AFFINE = ("scale", "shift")
RANKS = ("scale", "shift", "monotone")
PLUG_IN, POINT, DIFFERENCE = Kind.PLUG_IN, Kind.POINT, Kind.DIFFERENCE_OF_BOUNDS

CASES = [
    Case("adaptive-binning", numbers, PLUG_IN, {"bins": 4}, symmetric=True, keeps=RANKS),
    Case("adaptive-binning", labeled, PLUG_IN, {"bins": 4}, keeps=RANKS),
    Case(
        "added-noise",
        wide,
        POINT,
        {"estimator": "gaussian", "variance": 0.05},
        below=0.05,
        seeded=True,
        reordered=0.1,
        keeps=("shift",),
    ),
    Case("auto", numbers, POINT, answers="Gaussian", symmetric=True, below=0.05, keeps=AFFINE),
    Case("auto", labeled, POINT, answers="ClassNeighbors", symmetric=True, below=0.1, keeps=AFFINE),
    Case("auto", coded, POINT, answers="Discrete", symmetric=True, below=0.05),
    Case("binning", numbers, PLUG_IN, {"bins": 4}, symmetric=True, keeps=AFFINE),
    Case("binning", labeled, PLUG_IN, {"bins": 4}, keeps=AFFINE),
    Case("binning", labeled, PLUG_IN, {"width": 0.8}),
    Case("binning", labeled, PLUG_IN, {"bins": 4, "edges": "quantile"}, keeps=RANKS),
    Case("blocks", wide, POINT, symmetric=True, below=0.1, keeps=AFFINE),
    Case("by-type", numbers, POINT, answers="KSG", symmetric=True, below=0.1, keeps=AFFINE),
    Case("by-type", labeled, POINT, answers="ClassNeighbors", symmetric=True, below=0.1, keeps=AFFINE),
    Case("cca", numbers, POINT, symmetric=True, below=0.05, keeps=AFFINE),
    Case("cca", wide, POINT, {"components": "significant"}, symmetric=True, below=0.05, keeps=AFFINE),
    Case("class-neighbors", labeled, POINT, below=0.1, keeps=AFFINE),
    Case("class-neighbors", labeled, POINT, {"rescale": "normal-scores"}, below=0.1, keeps=RANKS),
    Case("classifier-bound", labeled, Kind.LOWER_BOUND, seeded=True, reordered=0.05, keeps=AFFINE),
    Case("compressed", wide, POINT, {"components": 1}, symmetric=True, below=0.12, independent=0.12, keeps=AFFINE),
    Case(
        "compressed", wide, POINT, {"components": 1, "estimator": "gaussian"}, symmetric=True, below=0.1, keeps=AFFINE
    ),
    Case(
        "compressed",
        wide,
        POINT,
        {"components": 1, "method": "autoencoder", "steps": 5, "estimator": "gaussian"},
        longer={"steps": 60},
        below=0.1,
        seeded=True,
        reordered=0.5,
        single=0.1,
    ),
    Case("decision-rule", voting, PLUG_IN, keeps=("scale", "shift")),
    Case("dependence-graph", numbers, PLUG_IN, symmetric=True, independent=0.15, seeded=True, keeps=AFFINE),
    Case("dependence-graph", labeled, PLUG_IN, symmetric=True, seeded=True, keeps=AFFINE),
    Case("discrete", coded, PLUG_IN, symmetric=True),
    *(
        Case("discrete", coded, POINT, {"correction": correction}, symmetric=True)
        for correction in ("miller-madow", "grassberger", "chao-shen", "nsb", "shrinkage")
    ),
    Case("elliptical", wide, POINT, below=0.1, keeps=AFFINE),
    Case("gaussian", numbers, POINT, symmetric=True, below=0.05, keeps=AFFINE),
    Case("gaussian", numbers, POINT, {"copula": "smoothed"}, symmetric=True, below=0.05, keeps=AFFINE),
    Case("gaussian", numbers, POINT, {"copula": True}, symmetric=True, below=0.05, keeps=RANKS),
    Case("gaussian", wide, POINT, {"shrinkage": "oas"}, symmetric=True, below=0.05, keeps=AFFINE),
    Case("gaussian-dropout", away_from_zero, PLUG_IN, seeded=True, reordered=0.05, keeps=("scale",)),
    Case("kernel-density", labeled, DIFFERENCE, {"variance": 0.05}, keeps=("shift",), reordered=1e-6),
    Case("kernel-density", labeled, DIFFERENCE, {"bound": "lower"}, keeps=("shift",), reordered=1e-6),
    Case("kernel-density", labeled, DIFFERENCE, {"dtype": "float64", "adaptive": True}, keeps=("scale",)),
    Case("kozachenko-leonenko", numbers, POINT, symmetric=True, below=0.2, independent=0.2, keeps=AFFINE),
    Case("kozachenko-leonenko", labeled, POINT, symmetric=True, below=0.2, independent=0.2, keeps=AFFINE),
    Case("ksg", numbers, POINT, symmetric=True, below=0.1, keeps=RANKS),
    Case("ksg", numbers, POINT, {"variant": 2}, symmetric=True, below=0.1, keeps=RANKS),
    Case("ksg", wide, POINT, {"rescale": "standard"}, symmetric=True, below=0.1, keeps=AFFINE),
    Case("ksg", labeled, POINT, answers="ClassNeighbors", symmetric=True, below=0.1, keeps=AFFINE),
    Case("ksg", numbers, POINT, {"noise": 0.1}, below=0.1, seeded=True, reordered=0.2, keeps=AFFINE),
    Case("matrix-renyi", numbers, PLUG_IN, symmetric=True, independent=0.5, keeps=AFFINE, derived=("sigma",)),
    Case("matrix-renyi", labeled, PLUG_IN, symmetric=True, independent=0.2, keeps=AFFINE, derived=("sigma",)),
    Case("matrix-renyi", labeled, PLUG_IN, {"alpha": 2}, independent=0.2, below=0.1, derived=("sigma",)),
    Case("matrix-renyi", labeled, PLUG_IN, {"batch_size": 40}, independent=0.2, seeded=True, reordered=0.1),
    Case("mixed", numbers, POINT, symmetric=True, below=0.1, keeps=AFFINE),
    Case("mixed", labeled, POINT, symmetric=True, below=0.1, keeps=AFFINE),
    Case("mixed", coded, POINT, symmetric=True, below=0.1),
    Case("quantized", coded, Kind.EXACT, symmetric=True),
    Case("sample-propagation", labeled, PLUG_IN, seeded=True, reordered=0.05, keeps=("shift",)),
    Case(
        "shuffle-corrected",
        coded,
        POINT,
        {"estimator": "discrete", "permutations": 9},
        below=0.1,
        seeded=True,
        reordered=0.05,
    ),
    Case("spread-ties", rounded, POINT, {"estimator": "ksg"}, below=0.1, seeded=True, reordered=0.1, keeps=AFFINE),
    Case("sliced", wide, POINT, {"slices": 10}, below=0.1, seeded=True),
    Case("sliced", wide, POINT, {"slices": 10, "estimator": "gaussian"}, below=0.1, seeded=True, single=1e-3),
    Case(
        "sliced",
        wide,
        POINT,
        {"slices": 4, "estimator": "gaussian", "mode": "max"},
        below=0.1,
        independent=0.2,
        seeded=True,
        reordered=0.5,
    ),
    *(
        Case(name, numbers, kind, QUICK, longer=TAUGHT, seeded=True, reordered=0.5, single=0.05)
        for name, kind in NEURAL.items()
    ),
    Case("doe", numbers, DIFFERENCE, LEARNED, seeded=True, reordered=0.5, single=0.05),
    Case("doe", labeled, DIFFERENCE, LEARNED, seeded=True, reordered=0.5, single=0.05),
    Case("flow", numbers, DIFFERENCE, LEARNED | {"transforms": 1}, seeded=True, reordered=0.5, needs="zuko"),
    Case("flow-matching", numbers, DIFFERENCE, LEARNED | {"steps": 2}, seeded=True, reordered=0.5, single=0.05),
    Case("gaussian-mixture", numbers, POINT, {"max_components": 2}, seeded=True, reordered=0.5),
    Case("gaussian-mixture", labeled, POINT, {"max_components": 2}, seeded=True, reordered=0.5),
    Case("neural", labeled, Kind.LOWER_BOUND, QUICK, longer=TAUGHT, seeded=True, reordered=0.5, single=0.05),
]

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)


def within(**which: Any) -> pytest.MarkDecorator:
    """The cases with these promises."""
    chosen = [c for c in CASES if all(getattr(c, key) == value for key, value in which.items())]
    return pytest.mark.parametrize("case", chosen, ids=lambda case: case.label)


def keeping(what: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [c for c in CASES if what in c.keeps], ids=lambda case: case.label)


def nats(case: Case, x: Any, y: Any, **more: Any) -> float:
    found: Estimate = case.make(**more).estimate(x, y)
    return found.nats


def learned(case: Case, rho: float, seed: int) -> float:
    """The estimate where its value matters: what has to learn gets the time and the samples for it."""
    return nats(case, *case.data(rho, n=2 * N if case.longer else N, seed=seed), **case.longer)


def attempt(case: Case, x: Any, y: Any) -> Estimate | InfoflowError:
    """The estimate, or the one-line error that came in its place."""
    try:
        found: Estimate = case.make().estimate(x, y)
    except InfoflowError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return error
    assert found.nats <= found.ceiling
    assert math.isfinite(found.nats) or found.warnings
    return found


def key_of(class_name: str) -> str:
    """The registry's name for a class."""
    return next(key for key, entry in ESTIMATORS.items() if entry.load().__name__ == class_name)


def test_every_registered_estimator_stands_in_the_table() -> None:
    assert {case.name for case in CASES} == set(ESTIMATORS), "add a Case for a new estimator"


# What comes back


@every_case
def test_an_estimate_says_what_it_is(case: Case) -> None:
    x, y = case.data(0.6)
    found = case.make().estimate(x, y)
    assert isinstance(found, Estimate)
    assert type(found.nats) is float
    assert math.isfinite(found.nats)
    assert found.kind is case.kind
    assert found.n == N
    assert found.quantity
    assert found.estimator == (case.answers or ESTIMATORS[case.name].load().__name__)
    assert not math.isnan(found.ceiling)
    assert bool(found.ceiling_name) == math.isfinite(found.ceiling)
    if found.interval is not None:
        assert found.interval.low <= found.nats <= found.interval.high
    if found.p_value is not None:
        assert 0 <= found.p_value <= 1
    for warning in found.warnings:
        assert "\n" not in warning
    assert str(found).startswith(found.quantity)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 (our own bytes)


def _measured(case: Case) -> Any:
    """The case; slow where others of the same class show the same."""
    return pytest.param(case, marks=[pytest.mark.slow] if case.name in NEURAL and case.name != "nwj" else [])


@pytest.mark.parametrize("case", [*map(_measured, CASES)], ids=[case.label for case in CASES])
def test_an_interval_contains_its_value_lies_in_the_range_and_shrinks_with_n(case: Case) -> None:
    widths: list[float] = []
    spans = ""
    # The width of an interval over two folds varies by a factor of ten.
    seeds = range(4 if case.name in NEURAL else 2)
    for n in (N // 2, 4 * N):
        for seed in seeds:
            x, y = case.data(0.6, n=n, seed=seed)
            found = case.make().estimate(x, y)
            if found.interval is None:
                continue
            low, high, spans = found.interval.low, found.interval.high, found.interval.spans
            assert low <= found.nats <= high <= found.ceiling + 1e-9
            assert low >= min(0.0, found.nats)
            assert low < high or found.kind is Kind.EXACT
            widths.append(2 * max(high - found.nats, found.nats - low))  # not what is cut off below 0
    assert len(widths) in (0, 2 * len(seeds)), "the same settings give an interval at every n"
    if widths:
        # Variation other than that of samples, of random shifts, slices or draws, may stay as it is.
        of_samples = not re.search("not samples|draws", spans)
        assert sum(widths[len(seeds) :]) < (0.8 if of_samples else 1.2) * sum(widths[: len(seeds)])


@every_case
def test_parameters_rebuild_the_estimator(case: Case) -> None:
    x, y = case.data(0.6)
    found = case.make().estimate(x, y)
    settings = {key: value for key, value in found.parameters.items() if key not in case.derived}
    again = create(key_of(found.estimator), **settings)
    if not case.answers:
        # A rule such as metric="auto" may stand there as what it came to; what was set stands as it was set.
        for key, value in case.parameters.items():
            assert getattr(again, key) == value
    assert again.estimate(x, y).nats == pytest.approx(found.nats, abs=1e-12)


@every_case
def test_an_estimator_is_a_value(case: Case) -> None:
    estimator = case.make()
    assert isinstance(estimator, Estimator)
    assert estimator == case.make()
    assert hash(estimator) == hash(case.make())
    assert pickle.loads(pickle.dumps(estimator)) == estimator  # noqa: S301 (joblib sends it so)
    assert eval(repr(estimator), vars(estimators)) == estimator
    for setting in dataclasses.fields(ESTIMATORS[case.name].load()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(estimator, setting.name, getattr(estimator, setting.name))


# What the number does


@within(symmetric=True)
def test_symmetric(case: Case) -> None:
    x, y = case.data(0.6)
    assert nats(case, y, x) == pytest.approx(nats(case, x, y), abs=1e-9)


@every_case
def test_about_zero_for_independent_samples(case: Case) -> None:
    for seed in (1, 2):
        found = learned(case, 0.0, seed)
        assert -case.below - 1e-9 <= found <= case.independent


@every_case
def test_grows_with_dependence(case: Case) -> None:
    weak, medium, strong = (learned(case, rho, seed=3) for rho in (0.2, 0.6, 0.95))
    assert weak < medium < strong
    assert weak >= -case.below - 1e-9


@every_case
def test_never_above_its_ceiling(case: Case) -> None:
    """One-to-one samples, as many classes as samples, one class: the number stays under what it can be."""
    x, y = case.data(0.6)
    if case.classes:
        h = float(plug_in(torch.bincount(torch.as_tensor(y))))
        found = case.make().estimate(x, y)
        assert found.ceiling <= h + 1e-9 or found.kind is Kind.POINT or "batch" in found.ceiling_name
        targets = [np.argsort(np.argsort(x.reshape(N, -1)[:, -1])), np.zeros(N, dtype=np.int64), np.arange(N) % 2]
    else:
        targets = [x, -x]
    for target in targets:
        found = attempt(case, x, target)
        if isinstance(found, InfoflowError):
            assert "class" in str(found)  # a class for each sample leaves no neighbors within classes


@every_case
def test_the_order_of_the_samples_means_nothing(case: Case) -> None:
    x, y = case.data(0.6)
    order = np.random.default_rng(5).permutation(N)
    assert nats(case, x[order], y[order]) == pytest.approx(nats(case, x, y), abs=case.reordered)


@keeping("scale")
def test_invariant_under_scaling(case: Case) -> None:
    x, y = case.data(0.6)
    expected = nats(case, x, y)
    for factor in (1e-6, 1e6):
        assert nats(case, factor * x, y) == pytest.approx(expected, abs=1e-6)
        if not case.classes:
            assert nats(case, x, factor * y) == pytest.approx(expected, abs=1e-6)


@keeping("shift")
def test_invariant_under_shifts(case: Case) -> None:
    x, y = case.data(0.6)
    expected = nats(case, x, y)
    for far in (-64.0, 1e7):
        assert nats(case, x + far, y) == pytest.approx(expected, abs=1e-3)


@keeping("monotone")
def test_invariant_under_monotone_maps(case: Case) -> None:
    x, y = case.data(0.6)
    assert nats(case, np.exp(3 * x), y) == pytest.approx(nats(case, x, y), abs=1e-9)
    if not case.classes:
        assert nats(case, x, y**3) == pytest.approx(nats(case, x, y), abs=1e-9)


@pytest.mark.parametrize("case", [c for c in CASES if c.classes], ids=lambda case: case.label)
def test_classes_are_names(case: Case) -> None:
    x, y = case.data(0.6)
    names = np.array([7, -3, 100_000])
    renamed = names[x] if case.data is coded else x
    assert nats(case, renamed, names[y]) == pytest.approx(nats(case, x, y), abs=max(1e-9, case.reordered))


# What it is given


def _strided(values: np.ndarray) -> np.ndarray:
    return np.repeat(values, 2, axis=0)[::2]


def _backwards(values: np.ndarray) -> np.ndarray:
    return values[::-1].copy()[::-1]


def _read_only(values: np.ndarray) -> np.ndarray:
    values = values.copy()
    values.flags.writeable = False
    return values


def _pandas(values: np.ndarray) -> Any:
    return pd.Series(values) if values.ndim == 1 else pd.DataFrame(values)


def _column(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1)


def _with_history(values: np.ndarray) -> torch.Tensor:
    tensor = torch.from_numpy(values)
    return (tensor.requires_grad_() * 1.0) if tensor.is_floating_point() else tensor


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda values: values.tolist(),
    "torch": torch.from_numpy,
    "strided": _strided,
    "strided torch": lambda values: torch.from_numpy(np.repeat(values, 2, axis=0))[::2],
    "Fortran": lambda values: np.asfortranarray(_column(values)),
    "negative strides": _backwards,
    "read-only": _read_only,
    "big-endian": lambda values: values.astype(values.dtype.newbyteorder(">")),
    "column": _column,
    "pandas": _pandas,
    "autograd": _with_history,
}


@every_case
def test_same_answer_for_any_container_and_layout(case: Case) -> None:
    x, y = case.data(0.6)
    expected = nats(case, x, y)
    for name, layout in LAYOUTS.items():
        assert nats(case, layout(x), layout(y)) == pytest.approx(expected, abs=1e-9), name
    for dtype in (np.int8, np.uint8, np.uint16, np.uint64) if case.classes else ():
        left = x.astype(dtype) if case.data is coded else x
        assert nats(case, left, y.astype(dtype)) == pytest.approx(expected, abs=1e-9), dtype


@pytest.mark.parametrize("case", [c for c in CASES if c.data is not coded], ids=lambda case: case.label)
def test_float32_and_float64_agree(case: Case) -> None:
    x, y = case.data(0.6)
    single = x.astype(np.float32), y if case.classes else y.astype(np.float32)
    expected = nats(case, x, y)
    assert nats(case, *single) == pytest.approx(expected, abs=case.single)
    # Mixed precision is no error either.
    assert nats(case, single[0], y) == pytest.approx(expected, abs=case.single)
    assert nats(case, torch.from_numpy(single[0]), torch.from_numpy(y)) == pytest.approx(expected, abs=case.single)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@every_case
def test_same_answer_on_a_gpu(case: Case) -> None:
    x, y = case.data(0.6)
    estimator = case.make(device="cuda") if case.name in (*NEURAL, *DENSITIES) else case.make()
    found = estimator.estimate(torch.from_numpy(x).cuda(), torch.from_numpy(y).cuda())
    tolerance = 0.2 if case.name in (*NEURAL, *DENSITIES) or case.parameters.get("method") == "autoencoder" else 1e-3
    assert found.nats == pytest.approx(nats(case, x, y), abs=tolerance)
    # One on either device is no error: the second goes where the first is.
    assert math.isfinite(estimator.estimate(torch.from_numpy(x).cuda(), torch.from_numpy(y)).nats)


def _state() -> dict[str, Any]:
    return {
        "NumPy's generator": repr(np.random.get_state(legacy=False)),  # noqa: NPY002
        "Python's generator": random.getstate(),
        "torch's generator": torch.get_rng_state().tolist(),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "default dtype": torch.get_default_dtype(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "NumPy's errors": np.geterr(),
        "warning filters": list(warnings.filters),
    }


@every_case
def test_leaves_no_trace(case: Case, capfd: pytest.CaptureFixture[str]) -> None:
    x, y = case.data(0.6)
    tensors = torch.from_numpy(x.copy()), torch.from_numpy(y.copy())
    copies = x.copy(), y.copy()
    before = _state()
    estimator = case.make()
    from_arrays = estimator.estimate(x, y)
    from_tensors = estimator.estimate(*tensors)
    after = _state()
    assert [key for key in before if before[key] != after[key]] == []
    assert from_arrays.nats == pytest.approx(from_tensors.nats, abs=1e-9)  # the same again, too
    for value, copy in zip((x, y, *tensors), copies * 2, strict=True):
        assert np.array_equal(np.asarray(value), copy)
    assert capfd.readouterr() == ("", "")


@every_case
def test_the_callers_settings_change_nothing(case: Case) -> None:
    """Without gradients, in inference mode, with another default dtype or another global seed: the same answer."""
    x, y = case.data(0.6)
    expected = nats(case, x, y)
    with torch.no_grad():
        assert nats(case, x, y) == pytest.approx(expected, abs=1e-9)
    with torch.inference_mode():
        assert nats(case, x, y) == pytest.approx(expected, abs=1e-9)
    torch.set_default_dtype(torch.float64)
    try:
        # A network's first weights are other ones there.
        assert nats(case, x, y) == pytest.approx(expected, abs=max(1e-9, case.reordered))
    finally:
        torch.set_default_dtype(torch.float32)


@within(seeded=True)
def test_same_seed_same_answer(case: Case) -> None:
    x, y = case.data(0.9, n=2 * N)
    found = [case.make(seed=seed, **case.longer).estimate(x, y) for seed in (0, 0, 1)]
    assert found[0] == found[1]
    assert found[0].nats != found[2].nats
    assert found[2].parameters["seed"] == 1


@within(seeded=False)
def test_a_seed_that_nothing_is_drawn_from_changes_nothing(case: Case) -> None:
    if "seed" not in [f.name for f in dataclasses.fields(ESTIMATORS[case.name].load())]:
        assert nats(case, *case.data(0.6)) == nats(case, *case.data(0.6))
        return
    x, y = case.data(0.6)
    assert case.make(seed=1).estimate(x, y).nats == nats(case, x, y)


# What it refuses


def _with(value: Any) -> Callable[[np.ndarray], Any]:
    def spoil(values: np.ndarray) -> np.ndarray:
        spoilt = values.astype(np.result_type(values, np.float64))
        spoilt.reshape(-1)[3] = value
        return spoilt

    return spoil


BAD: dict[str, Callable[[np.ndarray], Any]] = {
    "NaN": _with(math.nan),
    "infinity": _with(math.inf),
    "minus infinity, torch": lambda values: torch.from_numpy(_with(-math.inf)(values)),
    "complex": lambda values: values + 1j,
    "complex torch": lambda values: torch.from_numpy(values + 1j),
    "object": lambda values: values.astype(object),
    "strings": lambda values: np.array(["word"] * len(values)),
    "dates": lambda values: np.zeros(len(values), dtype="datetime64[s]"),
    "ragged": lambda values: [[1.0, 2.0], [3.0]] * (len(values) // 2),
    "None": lambda values: None,
    "mapping": lambda values: {"x": values},
    "one number": lambda values: 3.0,
    "one number, torch": lambda values: torch.tensor(3.0),
    "one integer": lambda values: 3,
    "empty": lambda values: values[:0],
    "empty list": lambda values: [],
    "no features": lambda values: np.zeros((len(values), 0)),
    "one sample": lambda values: values[:1],
}


@pytest.mark.parametrize("argument", ["x", "y"])
@every_case
def test_refuses_what_are_no_samples(case: Case, argument: str) -> None:
    x, y = case.data(0.6)
    estimator = case.make()
    for name, spoil in BAD.items():
        left, right = (spoil(x), y) if argument == "x" else (x, spoil(y))
        with pytest.raises(InvalidArgument) as caught:
            estimator.estimate(left, right)
        message = str(caught.value)
        assert re.search(rf"\b{argument}\b", message), (name, message)
        assert "\n" not in message
        assert len(message) < 240
        if name in ("one sample", "empty"):
            # Too few samples and unequal lengths: either may be named.
            assert isinstance(caught.value, TooFewSamples) or "same number of samples" in message


@every_case
def test_refuses_unequal_numbers_of_samples(case: Case) -> None:
    x, y = case.data(0.6)
    for left, right in ((x[:-1], y), (x, y[:-1]), (torch.from_numpy(x), y[:-1].tolist())):
        with pytest.raises(InvalidArgument, match=r"\bx\b.*\by\b|\by\b.*\bx\b") as caught:
            case.make().estimate(left, right)
        assert {str(N), str(N - 1)} <= set(re.findall(r"\d+", str(caught.value)))


def test_refuses_numbers_where_classes_are_needed() -> None:
    x, y = voting(0.6)[0], numbers(0.6)[1]
    for case in CASES:
        if case.classes and not any(other.name == case.name and not other.classes for other in CASES):
            with pytest.raises(InvalidArgument, match=r"\b[xy]\b.*(classes|codes|levels)"):
                case.make().estimate(x, y)
            if hasattr(case.make(), "measure"):
                with pytest.raises(InvalidArgument, match=r"\b[ty]\b.*(classes|codes|levels)"):
                    case.make().measure(x, y)


def test_refuses_classes_where_quantities_are_needed() -> None:
    for name in ("cca", "elliptical", "gaussian"):
        for data in (labeled(0.6), labeled(0.6)[::-1]):
            with pytest.raises(InvalidArgument, match="classes"):
                create(name).estimate(*data)


@every_case
def test_any_number_of_samples_gives_an_estimate_or_a_clear_error(case: Case) -> None:
    for n in (*range(1, 14), 39, 40, 41):
        found = attempt(case, *case.data(0.6, n=n, seed=7))
        if isinstance(found, InfoflowError):
            assert n < 41, str(found)
            assert isinstance(found, TooFewSamples), str(found)
        else:
            assert n > 1
            assert found.n == n


def test_k_neighbors_need_more_samples_than_k() -> None:
    for name in ("ksg", "mixed", "kozachenko-leonenko"):
        with pytest.raises(TooFewSamples, match=r"^x must be"):
            create(name, k=5).estimate(*numbers(0.6, n=6))
        assert math.isfinite(create(name, k=5).estimate(*numbers(0.6, n=7)).nats)


# Settings


def _wrong(default: Any, annotation: str) -> Iterator[Any]:
    """Values that no setting of that type takes."""
    yield from ({}, object()) if isinstance(default, tuple) else ([], {}, object())
    if "bool" in annotation:
        yield from ("yes", "false", 2)
        if "None" not in annotation:
            yield None
        return
    if default is not None and not isinstance(default, str | tuple):
        yield from (-1, math.nan, "three", None, -0.5, True)
        if isinstance(default, int):
            yield from (1.5, "3")
        else:
            yield math.inf
    if isinstance(default, str):
        yield from ("nonsense", "", 3.5j)


SETTINGS = [
    (name, setting)
    for name, kind in LOADED.items()
    for setting in dataclasses.fields(kind)
    if name == "neural" or name not in NEURAL
]


@pytest.mark.parametrize(("name", "setting"), SETTINGS, ids=[f"{n}-{s.name}" for n, s in SETTINGS])
def test_refuses_wrong_settings(name: str, setting: dataclasses.Field[Any]) -> None:
    for value in _wrong(setting.default, str(setting.type)):
        with pytest.raises(InvalidArgument) as caught:
            create(name, **{setting.name: value})
        message = str(caught.value)
        assert setting.name in message or repr(value) in message, (value, message)
        assert "\n" not in message


def test_refuses_unknown_names_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'ksg'"):
        create("kgs")
    with pytest.raises(UnknownName, match="Did you mean 'matrix-renyi'"):
        mutual_information(*numbers(0.6), estimator="matrix_reny")
    for name, kind in LOADED.items():
        with pytest.raises(UnknownName, match=f"estimator '{name}x'. Did you mean"):
            create(name + "x")
        for setting in dataclasses.fields(kind):
            with pytest.raises(UnknownName, match="Did you mean"):
                create(name, **{setting.name + "s_": 1})
    with pytest.raises(UnknownName, match="Did you mean 'none'"):
        create("discrete", correction="non")


# Samples that are hardly any


def _degenerate(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, Any, Any]]:
    columns = _column(x)
    yield "constant x", np.full_like(x, x.flat[0]), y
    yield "constant y", x, np.full_like(y, y.flat[0])
    yield "both constant", np.full_like(x, x.flat[0]), np.full_like(y, y.flat[0])
    yield "tenth constant", (x * 0 + np.asarray(0.1, dtype=np.float64)).astype(x.dtype), y  # its mean rounds
    yield "constant column", np.column_stack([columns, np.full(len(x), columns[0, 0])]), y
    yield "duplicated columns", np.column_stack([columns, columns]), y
    yield "duplicated rows", np.repeat(x[: N // 2], 2, axis=0), np.repeat(y[: N // 2], 2, axis=0)
    yield "few different rows", x[np.arange(N) % 4], y[np.arange(N) % 4]
    if x.dtype.kind == "f":
        yield "huge", 1e200 * x, y
        yield "tiny", 1e-200 * x, y
    yield "one outlier", np.where(np.arange(N).reshape(-1, *[1] * (x.ndim - 1)) == 0, 100 * np.abs(x) + 1, x), y


@every_case
def test_degenerate_samples_give_an_estimate_or_a_clear_error(case: Case) -> None:
    x, y = case.data(0.6)
    for name, left, right in _degenerate(x, y):
        found = attempt(case, left, right)
        if isinstance(found, InfoflowError):
            assert re.search(r"\b[xy]\b", str(found)), (name, str(found))
            continue
        # Less than nothing by more than chance is wrong, and must say so.
        assert found.nats >= -2 * case.below - 1e-9 or found.warnings, (name, found.nats)
        if name in ("constant x", "constant y", "both constant"):
            assert found.nats == pytest.approx(0.0, abs=1e-6), name
            assert any("constant" in w for w in found.warnings), (name, found.warnings)


# A layer in the information plane

LAYER = [
    c
    for c in CASES
    # Correlations have no use for classes.
    if hasattr(c.make(), "measure") and c.data is not numbers and c.parameters.get("estimator") != "gaussian"
]


@pytest.mark.parametrize("case", LAYER, ids=lambda case: case.label)
def test_measure_is_entropy_and_estimate_at_once(case: Case) -> None:
    t, y = case.data(0.6)
    y = y if case.classes else np.digitize(y[:, 0], [-0.5, 0.5])
    x = np.random.default_rng(1).normal(size=(N, 2)) + _column(t)[:, :1]
    estimator = case.make()
    found = estimator.measure(t, y, x)
    assert isinstance(found, LayerInformation)
    for part in found:
        assert part.n == N
        assert math.isfinite(part.nats)
        assert part.nats <= part.ceiling
    alone = estimator.estimate(t, y)
    assert found.label.nats == pytest.approx(alone.nats, abs=1e-9)
    assert found.label.kind is alone.kind
    assert found.label.ceiling == pytest.approx(alone.ceiling)
    if can(estimator, Ability.ENTROPY) and _needs(estimator, t, y) != "x":
        whole = estimator.entropy(t)
        assert found.input.nats == pytest.approx(whole.nats, abs=max(1e-9, 1e-2 * case.reordered))
        assert found.input.quantity == whole.quantity
    elif case.name != "matrix-renyi":  # whose input has a kernel width of its own
        assert found.input.nats == pytest.approx(estimator.estimate(x, t).nats, abs=1e-9)


def _needs(estimator: Any, t: Any, y: Any) -> str:
    """The argument that the estimator's error names when it is given no inputs; nothing where it needs none."""
    try:
        estimator.measure(t, y)
    except InvalidArgument as error:
        return error.argument or str(error)
    return ""


@pytest.mark.parametrize("case", LAYER, ids=lambda case: case.label)
def test_measure_names_its_arguments(case: Case) -> None:
    t, y = case.data(0.6)
    y = y if case.classes else np.digitize(y[:, 0], [-0.5, 0.5])
    x = np.ones((N, 1)) * np.arange(N)[:, None]
    estimator = case.make()
    with pytest.raises(InvalidArgument, match=r"\bt\b"):
        estimator.measure(_with(math.nan)(t), y, x)
    with pytest.raises(InvalidArgument, match=r"\by\b"):
        estimator.measure(t, y + 0.5j, x)
    with pytest.raises(InvalidArgument, match=r"\bt\b.*\by\b"):
        estimator.measure(t, y[:-1], x)
    assert _needs(estimator, t, y) in ("", "x")


# Entropies

ENTROPY = [c for c in CASES if Ability.ENTROPY in ESTIMATORS[c.name].abilities and not c.parameters.get("copula")]


@pytest.mark.parametrize("case", ENTROPY, ids=lambda case: case.label)
def test_entropy_keeps_the_contract_too(case: Case) -> None:
    t, _ = case.data(0.6)
    estimator = case.make()
    found = estimator.entropy(t)
    assert isinstance(found, Estimate)
    assert math.isfinite(found.nats)
    assert found.nats <= found.ceiling
    assert found.n == N
    assert estimator.entropy(torch.from_numpy(t)).nats == pytest.approx(found.nats, abs=1e-9)
    order = np.random.default_rng(5).permutation(N)
    assert estimator.entropy(t[order]).nats == pytest.approx(found.nats, abs=case.reordered)
    for name, spoil in BAD.items():
        with pytest.raises(InvalidArgument, match=r"\bt\b") as caught:
            estimator.entropy(spoil(t))
        assert "\n" not in str(caught.value), name


# Variables that are partly discrete


def test_information_never_exceeds_the_entropy_of_a_discrete_side() -> None:
    """A constant feature holds nothing: scikit-learn finds information in it, as its noise becomes the feature."""
    rng = np.random.default_rng(0)
    y = (np.arange(200) < 100).astype(int)
    feature = np.full(200, 5.0)
    theirs = max(
        float(mutual_info_classif(feature[:, None], y, discrete_features=False, random_state=seed)[0])
        for seed in range(20)
    )
    assert theirs > 0.01
    for name in ("auto", "class-neighbors", "ksg", "mixed"):
        assert mutual_information(feature, y, name).nats == 0.0
    # And a side with few symbols holds at most its own entropy, whatever the other one is.
    rare = (rng.uniform(size=200) < 0.1).astype(int)
    limit = float(plug_in(torch.bincount(torch.as_tensor(rare))))
    x = rare * 50.0 + rng.normal(size=200)
    for case in CASES:
        # Batches of samples have entropies of their own; lower bounds are tested for this as all are, by their ceiling.
        if case.data is labeled and case.kind is not Kind.LOWER_BOUND and "batch_size" not in case.parameters:
            assert nats(case, x, rare) <= limit + 1e-9, case.label
    for left, right in ((rare, x), (x, rare), (rare.astype(float), x), (x, rare.astype(float))):
        assert mutual_information(left, right, "mixed").nats <= limit + 1e-9


def test_every_signature_is_the_same() -> None:
    wanted = {"estimate": ["self", "x", "y"], "entropy": ["self", "t"], "measure": ["self", "t", "y"]}
    for name, kind in LOADED.items():
        for method, expected in wanted.items():
            if hasattr(kind, method):
                parameters = inspect.signature(getattr(kind, method)).parameters.values()
                assert [p.name for p in parameters if p.default is p.empty] == expected, name
