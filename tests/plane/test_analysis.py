from __future__ import annotations

import itertools
import math
import pickle
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData, UnknownName
from infoflow.core.estimate import Estimate, Interval, Kind, LayerInformation
from infoflow.estimators.histogram.binning import Binning
from infoflow.estimators.kernel.kernel_density import KernelDensity
from infoflow.plane import Plane, Recording, analyse, record
from infoflow.plane.naming import display_name

# Sixteen inputs, each once: every information is one of a few logarithms.
X = np.arange(16.0)
Y = np.arange(16) // 8


class Halving(nn.Module):
    """Seed s, epoch e: the first layer keeps floor(x / 2^s), the second forgets 2^e of that again."""

    def __init__(self, seeds: int) -> None:
        super().__init__()
        self.factors = 2.0 ** torch.arange(seeds).reshape(-1, 1, 1)
        self.epoch = 0
        self.first, self.second = nn.Identity(), nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        t = self.first((x / self.factors).floor())
        return self.second((t / 2**self.epoch).floor())


@pytest.fixture
def store(tmp_path: Path) -> Path:
    model = Halving(3)
    with record(
        model, X[:, None], Y, store=tmp_path / "halving", layers=["first", "second"], seeds=[0, 1, 2], name="halving"
    ) as recorder:
        for epoch in range(4):
            model.epoch = epoch
            recorder.snapshot(epoch, loss=[1.0 / (epoch + 1 + seed) for seed in range(3)])
    return tmp_path / "halving"


def counted(t: Sequence[Hashable], y: Sequence[Hashable]) -> tuple[float, float]:
    """H(T) and I(T;Y) in nats by counting, from the definition."""
    n = len(t)
    p_t, p_y, p = Counter(t), Counter(y), Counter(zip(t, y, strict=True))
    entropy = -sum(c / n * math.log(c / n) for c in p_t.values())
    information = sum(c / n * math.log(c * n / (p_t[a] * p_y[b])) for (a, b), c in p.items())
    return entropy, information


def test_every_number_is_the_exact_one(store: Path) -> None:
    plane = analyse(store, [Binning(width=1.0)])
    assert len(plane.frame) == 2 * 4 * 3 * 2
    for row in plane.frame.itertuples():
        lost = row.seed + (row.epoch if row.layer == "second" else 0)
        entropy, information = counted([int(x) >> lost for x in X], Y.tolist())
        assert row.nats == pytest.approx(entropy if row.axis == "input" else information, abs=1e-12)
        # The same in closed form: what is left of 4 bits, and the label bit as long as it is there.
        assert entropy == pytest.approx(max(4 - lost, 0) * math.log(2))
        assert information == pytest.approx(math.log(2) * (lost < 4))


def test_the_table_holds_all_of_an_estimate(store: Path) -> None:
    plane = analyse({"mine": store}, [Binning(width=1.0)])
    first = plane.frame[(plane.frame["layer"] == "first") & (plane.frame["seed"] == 0) & (plane.frame["epoch"] == 2)]
    point, relevant = first.to_dict("records")
    assert (point["axis"], relevant["axis"]) == ("input", "label")
    assert point["network"] == "mine"
    assert (point["probe"], point["depth"], point["n"]) == ("probe", 0, 16)
    assert point["estimator"] == "Binning(width=1.0)"
    assert (point["quantity"], point["kind"]) == ("H(Q(T))", "plug-in")
    assert (point["ceiling"], point["ceiling_name"], point["saturated"]) == (math.log(16), "log N", True)
    assert "saturated" in point["warnings"]
    assert (relevant["ceiling"], relevant["ceiling_name"]) == (pytest.approx(math.log(2)), "H(Y)")
    assert math.isnan(point["low"])
    assert point["spans"] == ""
    assert plane.frame["depth"].tolist() == [0] * 24 + [1] * 24
    assert plane.provenance["recordings"]["mine"]["probes"]["probe"]["label_entropy"] == pytest.approx(math.log(2))
    assert "width=1.0" in plane.provenance["estimators"]["Binning(width=1.0)"]


def test_one_estimator_needs_no_list(store: Path) -> None:
    several = analyse(store, ["binning:width=1.0"])
    for one in ("binning:width=1.0", Binning(width=1.0)):
        pd.testing.assert_frame_equal(analyse(store, one).frame, several.frame)
    with pytest.raises(InvalidArgument, match="at least one estimator"):
        analyse(store, [])


def test_metrics_are_included(store: Path) -> None:
    metrics = analyse(store, [Binning()], seeds=[1, 2], epochs=[0, 3]).metrics
    assert set(metrics["network"]) == {"halving"}
    assert metrics[["seed", "epoch"]].values.tolist() == [[1, 0], [2, 0], [1, 3], [2, 3]]
    assert metrics["value"].tolist() == [1 / 2, 1 / 3, 1 / 5, 1 / 6]


def test_a_choice_gives_the_same_numbers_as_the_whole(store: Path) -> None:
    whole = analyse(store, [Binning(bins=5), Binning(width=0.5)]).frame
    part = analyse(
        store, ["binning:width=0.5"], layers=["second"], epochs=range(1, 3), seeds=[2], probes=["probe"]
    ).frame
    chosen = whole[
        (whole["estimator"] == "Binning(width=0.5)")
        & (whole["layer"] == "second")
        & whole["epoch"].isin([1, 2])
        & (whole["seed"] == 2)
    ]
    pd.testing.assert_frame_equal(part, chosen.reset_index(drop=True))


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_workers_change_nothing(store: Path, backend: str) -> None:
    estimators = [Binning(width=1.0), KernelDensity(variance=0.1), KernelDensity(variance=0.1, bound="lower")]
    alone = analyse(store, estimators)
    with joblib.parallel_config(backend=backend):
        together = analyse(store, estimators, n_jobs=2)
    pd.testing.assert_frame_equal(alone.frame, together.frame)
    pd.testing.assert_frame_equal(alone.metrics, together.metrics)


def test_a_recording_can_be_sent_to_another_process(store: Path) -> None:
    recording = Recording(store)
    part = pickle.loads(pickle.dumps(recording.only(2)))  # noqa: S301 - our own bytes
    assert part.epochs == [2]
    assert recording.epochs == [0, 1, 2, 3]
    assert np.array_equal(part.activations(2, "second"), recording.activations(2, "second"))
    assert len(pickle.dumps(recording.only(2))) < 10_000


def test_many_networks_probes_and_recordings(tmp_path: Path) -> None:
    def recorded(name: str, layer: nn.Module, seed: int) -> Path:
        probes = {"train": X[:10, None], "test": X[10:, None]}
        model = nn.Sequential(layer)
        classes = {"train": Y[:10], "test": Y[10:] + X[10:].astype(int) % 2}
        with record(model, probes, classes, store=tmp_path / f"{name}{seed}", seeds=seed, layers=["0"]) as recorder:
            recorder.snapshot(0, loss=float(seed))
        return tmp_path / f"{name}{seed}"

    relu = [recorded("relu", nn.ReLU(), seed) for seed in (4, 7)]
    plane = analyse({"relu": relu, "tanh": Recording(recorded("tanh", nn.Tanh(), 0))}, [Binning(width=1.0)])
    assert plane.networks == ["relu", "tanh"]
    seeds = plane.frame.groupby("network")["seed"].unique()
    assert (seeds["relu"].tolist(), seeds["tanh"].tolist()) == ([4, 7], [0])
    nats = plane.frame.set_index(["network", "probe", "seed", "axis"])["nats"]
    assert nats["relu", "train", 7, "input"] == pytest.approx(math.log(10))
    assert nats["relu", "test", 4, "input"] == pytest.approx(math.log(6))
    # The tanh of 8 and 9 is 1 but for rounding in float32, and belongs to the bin above that edge.
    expected, _ = counted(["below"] * 8 + ["above"] * 2, Y[:10].tolist())
    assert nats["tanh", "train", 0, "input"] == pytest.approx(expected)
    assert set(plane.metrics["value"]) == {4.0, 7.0, 0.0}
    only = analyse({"relu": relu, "tanh": tmp_path / "tanh0"}, [Binning()], seeds=[7])
    assert only.networks == ["relu"]
    with pytest.raises(InvalidArgument, match=r"network 'relu' must have different seeds, got \[4, 4\]"):
        analyse({"relu": [relu[0], relu[0]]}, [Binning()])


@dataclass(frozen=True)
class Ranged:
    """Reports the range that it was given instead of an information."""

    scope: str = "run"
    low: float | None = None
    high: float | None = None

    def with_range(self, low: float, high: float) -> Ranged:
        return replace(self, low=low, high=high)

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        def estimate(value: float) -> Estimate:
            return Estimate(value, "range", Kind.EXACT, "Ranged", len(y), interval=Interval(0.0, 1.0, "nothing"))

        assert np.array_equal(x[:, 0], X)
        return LayerInformation(estimate(float(self.low or 0)), estimate(float(self.high or 0)))


def test_ranges_span_the_layers_of_the_snapshot_or_of_the_run(tmp_path: Path) -> None:
    class Scaled(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.low, self.high, self.epoch = nn.Identity(), nn.Identity(), 0

        def forward(self, x: Tensor) -> Tensor:
            stacked = torch.stack([x, 2 * x])
            return self.high(3.0**self.epoch * stacked) + self.low(-(2.0**self.epoch) * stacked)

    model = Scaled()
    with record(model, X[:, None], Y, store=tmp_path, layers=["low", "high"], seeds=[0, 1]) as recorder:
        for epoch in range(3):
            model.epoch = epoch
            recorder.snapshot(epoch)
    # One layer and one epoch are asked for, but a layer's bins don't depend on what else is asked for.
    plane = analyse(tmp_path, [Ranged("run"), Ranged("epoch"), Ranged("layer")], layers=["low"], epochs=[1])
    nats = plane.frame.set_index(["estimator", "seed", "axis"])["nats"].to_dict()
    assert nats == {
        ("Ranged", 0, "input"): -15.0 * 4,
        ("Ranged", 0, "label"): 15.0 * 9,
        ("Ranged", 1, "input"): -30.0 * 4,
        ("Ranged", 1, "label"): 30.0 * 9,
        ("Ranged(scope='epoch')", 0, "input"): -15.0 * 2,
        ("Ranged(scope='epoch')", 0, "label"): 15.0 * 3,
        ("Ranged(scope='epoch')", 1, "input"): -30.0 * 2,
        ("Ranged(scope='epoch')", 1, "label"): 30.0 * 3,
        ("Ranged(scope='layer')", 0, "input"): 0.0,
        ("Ranged(scope='layer')", 0, "label"): 0.0,
        ("Ranged(scope='layer')", 1, "input"): 0.0,
        ("Ranged(scope='layer')", 1, "label"): 0.0,
    }
    assert plane.frame[["low", "high", "spans"]].drop_duplicates().values.tolist() == [[0.0, 1.0, "nothing"]]
    fixed = analyse(tmp_path, [Ranged("run", low=-1.0, high=5.0)], epochs=[0])
    assert set(fixed.frame["nats"]) == {-1.0, 5.0}


def test_binning_over_the_run_equals_binning_on_its_range(store: Path) -> None:
    wide = analyse(store, [Binning(bins=4, scope="run")], seeds=[0]).frame
    fixed = analyse(store, [Binning(bins=4, low=0.0, high=15.0)], seeds=[0]).frame
    assert wide["nats"].tolist() == fixed["nats"].tolist()
    own = analyse(store, [Binning(bins=4)], seeds=[0]).frame
    assert wide["nats"].tolist() != own["nats"].tolist()


@dataclass(frozen=True)
class Shared:
    """Counts the passes over the data."""

    power: int = 1
    calls: ClassVar[list[int]] = []

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        raise AssertionError("measure_many must be used")

    @staticmethod
    def measure_many(estimators: Sequence[Shared], t: Any, y: Any, x: Any = None) -> list[LayerInformation]:
        Shared.calls.append(len(estimators))
        found = [Estimate(float(each.power), "power", Kind.EXACT, "Shared", len(y)) for each in estimators]
        return [LayerInformation(each, each) for each in found]


def test_estimators_of_one_type_share_a_pass(store: Path) -> None:
    Shared.calls.clear()
    frame = analyse(store, [Shared(), Binning(), Shared(2)], epochs=[0], layers=["first"]).frame
    assert Shared.calls == [2, 2, 2]  # once for each seed
    assert frame[frame["estimator"] == "Shared(power=2)"]["nats"].unique().tolist() == [2.0]
    assert list(frame["estimator"].unique()) == ["Shared", "Binning", "Shared(power=2)"]


def test_kernel_density_in_one_pass_equals_separate_passes(store: Path) -> None:
    estimators = [KernelDensity(variance=v, bound=b) for v in (0.1, 1.0) for b in ("upper", "lower")]
    together = analyse(store, estimators, epochs=[1]).frame
    for estimator in estimators:
        alone = analyse(store, [estimator], epochs=[1]).frame
        same = together[together["estimator"] == display_name(estimator)]
        np.testing.assert_allclose(same["nats"], alone["nats"], atol=1e-9)
    # and is the formula: -1/N Σ_i log 1/N Σ_j exp(-d²/2σ²), with 8σ² for the lower bound
    t = np.floor(X / 2)
    for variance, factor, name in ((0.1, 2, "KernelDensity"), (1.0, 8, "KernelDensity(variance=1.0, bound='lower')")):
        kernel = np.exp(-((t[:, None] - t[None, :]) ** 2) / (factor * variance))
        expected = -np.log(kernel.mean(axis=1)).mean()
        row = together[(together["layer"] == "first") & (together["seed"] == 1) & (together["axis"] == "input")]
        (found,) = row[row["estimator"] == name]["nats"]
        assert found == pytest.approx(expected, abs=1e-5)


@dataclass(frozen=True)
class Counting:
    """Writes a line per call, and fails once its stop file exists."""

    file: str
    fails: bool = False

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        with Path(self.file).open("a") as file:
            file.write("asked\n")
        if Path(self.file + ".stop").exists() and len(np.unique(t)) == 2:
            raise InvalidArgument("t has two values")
        found = Estimate(float(np.mean(t)), "mean", Kind.POINT, "Counting", len(y), warnings=("a; b", "c"))
        return LayerInformation(found, found)


def test_an_interrupted_analysis_continues_to_the_same_result(store: Path, tmp_path: Path) -> None:
    counting = Counting(str(tmp_path / "asked"))
    cache = tmp_path / "cache"
    (tmp_path / "asked.stop").touch()
    with pytest.raises(InvalidArgument, match="t has two values"):
        analyse(store, [counting], cache=cache)
    (tmp_path / "asked.stop").unlink()
    finished = len(list(cache.glob("*.table")))
    assert finished == 1  # at epoch 1, the last seed's second layer has two values
    (tmp_path / "asked").unlink()
    plane = analyse(store, [counting], cache=cache)
    assert (tmp_path / "asked").read_text().count("asked") == 6 * (4 - finished)
    pd.testing.assert_frame_equal(plane.frame, analyse(store, [counting]).frame)
    (tmp_path / "asked").unlink()
    again = analyse(store, [counting], cache=cache)
    assert not (tmp_path / "asked").exists()
    pd.testing.assert_frame_equal(plane.frame, again.frame)


def test_cached_tables_are_computed_again_after_a_change(store: Path, tmp_path: Path) -> None:
    asked, cache = tmp_path / "asked", tmp_path / "cache"

    def times(**arguments: Any) -> int:
        asked.write_text("")
        estimators = [Counting(str(asked), fails=arguments.pop("fails", False))]
        analyse(arguments.pop("stores", store), estimators, cache=cache, **arguments)
        return asked.read_text().count("asked")

    assert times() == 24
    assert times() == 0
    assert times(epochs=[2, 3]) == 0
    assert times(fails=True) == 24  # another setting
    assert times(stores={"other": store}) == 24  # another name in the rows
    assert times(layers=["first"]) == 12
    model = Halving(3)
    with record(
        model, X[:, None], Y, store=store, layers=["first", "second"], seeds=[0, 1, 2], resume=True
    ) as recorder:
        model.epoch = 2
        recorder.snapshot(2)
        assert times() == 0  # recorded again, the same
        model.epoch = 1
        recorder.snapshot(2)
        assert times() == 6  # recorded again, and another
    for part in cache.glob("*.table"):
        part.write_bytes(b"damaged")
    assert times() == 24
    (tmp_path / "file").touch()
    with pytest.raises(InvalidArgument, match=r"^cache must"):
        analyse(store, [Binning()], cache=tmp_path / "file")


def test_a_failing_estimator_is_reported_with_its_point(store: Path, tmp_path: Path) -> None:
    (tmp_path / "asked.stop").touch()
    where = "network 'net', probe 'probe', layer 'second', epoch 1, seed 2: t has two values"
    with pytest.raises(InvalidArgument, match=f"Counting.*failed on {where}"):
        analyse({"net": store}, [Binning(), Counting(str(tmp_path / "asked"))])

    class Faulty:
        def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
            raise RuntimeError("a fault of the program")

    with pytest.raises(RuntimeError, match="a fault of the program") as caught:
        analyse(store, [Faulty()])
    assert "in Faulty on network 'halving', probe 'probe', layer 'first', epoch 0, seed 0" in caught.value.__notes__


def test_invalid_arguments_are_rejected(store: Path, tmp_path: Path) -> None:
    for arguments, kind, message in (
        ({"estimators": []}, InvalidArgument, "^estimators must"),
        ({"estimators": ["bining"]}, UnknownName, "unknown estimator 'bining'. Did you mean 'binning'"),
        ({"estimators": [Binning(), Binning()]}, InvalidArgument, "^estimators must .*Binning twice"),
        ({"estimators": [object()]}, InvalidArgument, "^estimators must .*measure"),
        ({"layers": ["frist"]}, UnknownName, "unknown layer 'frist'. Did you mean 'first'"),
        ({"epochs": [9]}, UnknownName, "unknown epoch 9"),
        ({"seeds": [9]}, UnknownName, "unknown seed 9"),
        ({"probes": ["test"]}, UnknownName, "unknown probe 'test'"),
        ({"layers": []}, InvalidArgument, "Nothing to analyze"),
        ({"epochs": []}, InvalidArgument, "Nothing to analyze"),
        ({"stores": {}}, InvalidArgument, "^stores must"),
        ({"stores": {"a": []}}, InvalidArgument, "^stores must .*none for 'a'"),
        ({"stores": tmp_path / "nothing"}, MissingData, "No recording at"),
        ({"stores": tmp_path}, BrokenStore, "not a recording"),
    ):
        with pytest.raises(kind, match=message):
            analyse(**{"stores": store, "estimators": [Binning()]} | arguments)  # type: ignore[arg-type]


def test_a_recording_without_snapshots_is_rejected(tmp_path: Path) -> None:
    with record(nn.Sequential(nn.Tanh()), X[:, None], Y, store=tmp_path):
        pass
    with pytest.raises(BrokenStore, match="no complete snapshot"):
        analyse(tmp_path, [Binning()])


def test_display_names_are_short_and_different() -> None:
    named = {
        "Binning": Binning(),
        "Binning(width=0.07)": Binning(width=0.07),
        "Binning(bins=29, low=-1, high=1)": Binning(bins=29, low=-1, high=1),
        "KernelDensity(bound='lower')": KernelDensity(bound="lower"),
        "Ranged": Ranged(),
    }
    assert [display_name(each) for each in named.values()] == list(named)
    for one, other in itertools.combinations([Binning(width=w) for w in (0.1, 0.10000000001, 1, 1.5)], 2):
        assert display_name(one) != display_name(other)


def test_progress_is_shown_on_request(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    analyse(store, [Binning()])
    assert capsys.readouterr() == ("", "")
    plane = analyse(store, [Binning()], progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "4/4" in err
    assert isinstance(plane, Plane)
