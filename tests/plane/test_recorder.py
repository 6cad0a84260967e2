from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import BrokenStore, InvalidArgument, MissingData, TooFewSamples, UnknownName
from infoflow.plane import Readout, Recorder, Recording, record

X = torch.randn(20, 4, generator=torch.Generator().manual_seed(1))
Y = torch.arange(20) % 3


def network() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))


class StackedLinear(nn.Module):
    def __init__(self, members: int, wide: int, narrow: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(wide)
        self.weight = nn.Parameter(torch.randn(members, wide, narrow, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight


def test_a_recording_holds_what_the_layers_returned(tmp_path: Path) -> None:
    model = network()
    states = {}
    with record(
        model, X, Y, store=tmp_path / "run", name="mine", readout=Readout(batch_size=7), provenance={"lr": 0.1}
    ) as recorder:
        for epoch in (0, 3, 10):
            with torch.no_grad():
                model[0].weight += 0.1
            states[epoch] = copy.deepcopy(model.state_dict())
            recorder.snapshot(epoch, train_loss=1 / (epoch + 1), test_accuracy=torch.tensor(0.5))
    recording = Recording(tmp_path / "run")
    assert (recording.name, recording.layers, recording.epochs) == ("mine", ["1", "output"], [0, 3, 10])
    assert (recording.seeds, recording.probes, recording.chain) == ([0], ["probe"], True)
    assert np.array_equal(recording.inputs(), X.numpy())
    assert recording.labels().tolist() == Y.tolist()
    for epoch, state in states.items():
        model.load_state_dict(state)
        expected = model[1](model[0](X)).detach().numpy()
        assert recording.activations(epoch, "1").shape == (1, 20, 5)
        np.testing.assert_allclose(recording.activations(epoch, "1")[0], expected, rtol=0, atol=1e-6)
        values = recording.activations(epoch, "1")
        assert recording.range(epoch, "1", 0) == (float(values.min()), float(values.max()))
    metrics = recording.metrics
    assert metrics[metrics["metric"] == "train_loss"]["value"].tolist() == [1.0, 1 / 4, 1 / 11]
    assert metrics[["seed", "epoch"]].values.tolist() == [[0, e] for e in (0, 0, 3, 3, 10, 10)]
    assert recording.provenance["user"] == {"lr": 0.1}
    assert {"infoflow", "torch", "numpy", "python", "platform", "device", "time"} <= set(recording.provenance)


def test_unknown_names_are_reported(tmp_path: Path) -> None:
    with record(network(), X, Y, store=tmp_path) as recorder:
        recorder.snapshot(4)
    recording = Recording(tmp_path)
    with pytest.raises(UnknownName, match=r"unknown layer 'outptu'. Did you mean 'output'"):
        recording.activations(4, "outptu")
    with pytest.raises(UnknownName, match="unknown epoch 5"):
        recording.activations(5, "output")
    with pytest.raises(UnknownName, match="unknown probe 'test'"):
        recording.labels("test")
    with pytest.raises(UnknownName, match="unknown seed 3"):
        recording.range(4, "output", 3)


def test_recording_does_not_change_training(tmp_path: Path) -> None:
    def trained(recorder: Recorder | None, model: nn.Module) -> dict[str, Tensor]:
        torch.manual_seed(5)
        optimizer = torch.optim.Adam(model.parameters())
        for epoch in range(3):
            loss = nn.functional.cross_entropy(model(X), Y)
            optimizer.zero_grad()
            loss.backward()
            if recorder is not None:
                recorder.snapshot(epoch)  # between backward and step, the worst place
            optimizer.step()
        return model.state_dict()

    with torch.random.fork_rng():
        torch.manual_seed(2)
        model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
        twin = copy.deepcopy(model)
        with record(model, X, Y, store=tmp_path) as recorder:
            seen = trained(recorder, model)
        unseen = trained(None, twin)
    for name, value in seen.items():
        assert torch.equal(value, unseen[name]), name
    assert model.training


def test_a_stacked_model_has_many_seeds(tmp_path: Path) -> None:
    model = nn.Sequential(StackedLinear(3, 4, 5), nn.Tanh(), StackedLinear(3, 5, 3))
    with record(model, X, Y, store=tmp_path, seeds=[7, 8, 9], readout=Readout(batch_size=6)) as recorder:
        recorder.snapshot(0, train_loss=[0.1, 0.2, 0.3], epoch_time=2.0)
    recording = Recording(tmp_path)
    assert recording.seeds == [7, 8, 9]
    for member in range(3):
        alone = torch.tanh(X @ model[0].weight[member]).detach().numpy()
        np.testing.assert_allclose(recording.activations(0, "1")[member], alone, atol=1e-6)
    metrics = recording.metrics.set_index(["metric", "seed"])["value"]
    assert metrics["train_loss"].to_dict() == {7: 0.1, 8: 0.2, 9: 0.3}
    assert metrics["epoch_time"].to_dict() == {7: 2.0, 8: 2.0, 9: 2.0}
    assert recording.range(0, "output", 8) == (
        float(recording.activations(0, "output")[1].min()),
        float(recording.activations(0, "output")[1].max()),
    )


def test_a_wrong_number_of_seeds_is_rejected(tmp_path: Path) -> None:
    model = nn.Sequential(StackedLinear(3, 4, 5), nn.Tanh())
    with record(model, X, Y, store=tmp_path / "two", seeds=[0, 1]) as recorder:
        with pytest.raises(
            InvalidArgument,
            match=r"'1' must be of shape \(2, 20, ...\) from a model of 2 seeds, got shape \(3, 20, 5\)",
        ):
            recorder.snapshot(0)
        with pytest.raises(InvalidArgument, match="metric 'loss' must"):
            recorder.snapshot(0, loss=[1, 2, 3])
        with pytest.raises(InvalidArgument, match="metric 'loss' must"):
            recorder.snapshot(0, loss="low")
    assert Recording(tmp_path / "two").epochs == []
    with (
        record(model, X, Y, store=tmp_path / "plain") as recorder,
        pytest.raises(InvalidArgument, match=r"of shape \(20, "),
    ):
        recorder.snapshot(0)
    for seeds in ([], [1, 1], [-1], -1, True):
        with pytest.raises(InvalidArgument, match="seed"):
            record(model, X, Y, store=tmp_path / "bad", seeds=seeds)  # type: ignore[arg-type]
    assert not (tmp_path / "bad").exists()


def test_the_seed_of_a_plain_model_can_be_named(tmp_path: Path) -> None:
    with record(network(), X, Y, store=tmp_path, seeds=np.int64(5)) as recorder:  # type: ignore[arg-type]
        recorder.snapshot(0)
    assert Recording(tmp_path).seeds == [5]
    assert Recording(tmp_path).activations(0, "output").shape == (1, 20, 3)


@pytest.mark.parametrize(("maps", "reduce"), [("flatten", None), ("mean", np.mean), ("max", np.max)])
def test_maps_are_flattened_or_pooled(tmp_path: Path, maps: Any, reduce: Any) -> None:
    images = torch.randn(6, 1, 5, 5)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(27, 2))
    with record(model, images, [0, 1] * 3, store=tmp_path, readout=Readout(maps=maps, batch_size=4)) as recorder:
        recorder.snapshot(0)
    recording = Recording(tmp_path)
    feature = model[0](images).relu().detach().numpy()
    expected = feature.reshape(6, -1) if reduce is None else reduce(feature, axis=(2, 3))
    np.testing.assert_allclose(recording.activations(0, "1")[0], expected, atol=1e-6)
    assert recording.activations(0, "output").shape == (1, 6, 2)
    assert recording.inputs().shape == (6, 1, 5, 5)
    assert recording.chain == (maps == "flatten")


def test_several_probes_and_an_output_transform(tmp_path: Path) -> None:
    model = network()
    probes = {"train": X[:12], "test / odd": X[12:]}
    classes = {"train": Y[:12], "test / odd": Y[12:].numpy()}
    with record(model, probes, classes, store=tmp_path, output=lambda z: z.softmax(-1), layers=["output"]) as recorder:
        recorder.snapshot(0)
    recording = Recording(tmp_path)
    assert recording.probes == ["train", "test / odd"]
    assert recording.activations(0, "output", "train").shape == (1, 12, 3)
    np.testing.assert_allclose(
        recording.activations(0, "output", "test / odd")[0], model(X[12:]).softmax(-1).detach().numpy(), atol=1e-6
    )
    with pytest.raises(UnknownName, match="unknown probe None"):
        recording.activations(0, "output")


def test_token_inputs_stay_integers(tmp_path: Path) -> None:
    tokens = torch.randint(0, 9, (8, 3), generator=torch.Generator().manual_seed(0))
    model = nn.Sequential(nn.Embedding(9, 4), nn.Tanh())
    with record(model, tokens, [0, 1] * 4, store=tmp_path) as recorder:
        recorder.snapshot(0)
    assert Recording(tmp_path).activations(0, "1").shape == (1, 8, 12)
    assert Recording(tmp_path).inputs().dtype == np.int64


def test_numpy_float64_inputs_go_into_a_float32_model(tmp_path: Path) -> None:
    with record(network(), X.double().numpy(), Y.tolist(), store=tmp_path) as recorder:
        recorder.snapshot(0)
    assert Recording(tmp_path).activations(0, "output").dtype == np.float32


@pytest.mark.parametrize(
    ("x", "y", "kind", "message"),
    [
        (X[:0], Y[:0], TooFewSamples, "probe_x"),
        (X[:1], Y[:1], TooFewSamples, "probe_x"),
        (X, Y[:7], InvalidArgument, "probe_x"),
        (X, Y.float(), InvalidArgument, "probe_y"),
        (X * math.nan, Y, InvalidArgument, "probe_x"),
        ([["a"]] * 20, Y, InvalidArgument, "probe_x"),
        ({"a": X}, Y, InvalidArgument, "^probe_y must be a mapping"),
        ({"a": X}, {"b": Y}, InvalidArgument, "^probe_y must"),
        ({}, {}, InvalidArgument, "^probe_y must"),
        ({"": X}, {"": Y}, InvalidArgument, "^probe_x must"),
        ({"a": X, "b": X[:3]}, {"a": Y, "b": Y}, InvalidArgument, r"probe_x\['b'\]"),
    ],
)
def test_invalid_probes_are_rejected(tmp_path: Path, x: Any, y: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        record(network(), x, y, store=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_other_invalid_arguments_are_rejected(tmp_path: Path) -> None:
    def begin(**arguments: Any) -> None:
        record(**{"model": network(), "probe_x": X, "probe_y": Y, "store": tmp_path / "run"} | arguments)

    with pytest.raises(InvalidArgument, match=r"^model must"):
        begin(model="net")
    with pytest.raises(UnknownName, match="unknown maps 'sum'"):
        begin(readout=Readout(maps="sum"))  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match=r"^batch_size must"):
        begin(readout=Readout(batch_size=0))
    with pytest.raises(InvalidArgument, match=r"^overwrite must"):
        begin(resume=True, overwrite=True)
    with pytest.raises(UnknownName, match="unknown layer 'tanh'"):
        begin(layers=["tanh"])
    assert not (tmp_path / "run").exists()
    with pytest.raises(InvalidArgument, match=r"^store must"):
        begin(store="")
    with pytest.raises(InvalidArgument, match=r"^store must"):
        begin(store="nosuchprotocol://bucket/run")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InvalidArgument, match=r"^store must"):
        begin(store=tmp_path / "file")


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_activations_that_are_not_finite_are_rejected_and_nothing_is_written(tmp_path: Path, bad: float) -> None:
    model = network()
    with record(model, X, Y, store=tmp_path, layers=["0", "output"]) as recorder:
        recorder.snapshot(1)
        with torch.no_grad():
            model[2].bias[1] = bad
        with pytest.raises(
            InvalidArgument, match=r"^layer 'output' must be finite, got 20 NaN .*probe 'probe' at epoch 2"
        ):
            recorder.snapshot(2)
        with torch.no_grad():
            model[2].bias[1] = 0
        assert recorder.epochs == [1]
        recorder.snapshot(3)
    assert Recording(tmp_path).epochs == [1, 3]


@pytest.mark.parametrize("members", [1, 3])
def test_slabs_give_the_same_recording(tmp_path: Path, members: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(StackedLinear(members, 4, 5), nn.Tanh(), StackedLinear(members, 5, 3))
    recordings = {}
    for name, memory in (("whole", 2**20), ("parts", 7 * members * 8 * 4)):
        monkeypatch.setattr("infoflow.plane.probe_activations.MEMORY", memory)
        with record(model, X, Y, store=tmp_path / name, seeds=range(members)) as recorder:
            recorder.snapshot(0)
        recordings[name] = Recording(tmp_path / name)
    assert len(list((tmp_path / "whole" / "snapshots").rglob("c/0/*"))) < len(
        list((tmp_path / "parts" / "snapshots").rglob("c/0/*"))
    )
    for layer in ("1", "output"):
        whole, parts = (recordings[name].activations(0, layer) for name in ("whole", "parts"))
        np.testing.assert_allclose(parts, whole, atol=1e-6)
        for seed in range(members):
            assert recordings["parts"].range(0, layer, seed) == pytest.approx(recordings["whole"].range(0, layer, seed))


def test_an_error_in_a_later_slab_leaves_no_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infoflow.plane.probe_activations.MEMORY", 7 * 8 * 4)
    x = X.clone()
    with record(network(), x, Y, store=tmp_path) as recorder:
        recorder.snapshot(0)
        x[-1] = math.nan
        with pytest.raises(InvalidArgument, match=r"^layer '1' must be finite, got 5 NaN"):
            recorder.snapshot(1)
        assert recorder.epochs == [0]
        assert len(list((tmp_path / "snapshots").iterdir())) == 2  # the snapshot, and the group's own file
        x[-1] = 0.0
        recorder.snapshot(1)
    assert Recording(tmp_path).epochs == [0, 1]


def test_a_metric_may_diverge(tmp_path: Path) -> None:
    with record(network(), X, Y, store=tmp_path) as recorder:
        recorder.snapshot(0, loss=math.nan, other=math.inf)
    values = Recording(tmp_path).metrics["value"].tolist()
    assert math.isnan(values[0])
    assert values[1] == math.inf


def test_a_layer_that_changes_its_shape_is_rejected(tmp_path: Path) -> None:
    model = network()
    with record(model, X, Y, store=tmp_path) as recorder:
        recorder.snapshot(0)
    model[2] = nn.Linear(5, 4)
    recorder = record(model, X, Y, store=tmp_path, resume=True)
    with pytest.raises(InvalidArgument, match=r"'output' must .*3 units\), got 4 units .*at epoch 1"):
        recorder.snapshot(1)
    assert Recording(tmp_path).epochs == [0]


def test_epochs_and_a_closed_recorder(tmp_path: Path) -> None:
    with record(network(), X, Y, store=tmp_path) as recorder:
        for epoch in (-1, 1.5, "1", True):
            with pytest.raises(InvalidArgument, match=r"^epoch must"):
                recorder.snapshot(epoch)  # type: ignore[arg-type]
        recorder.snapshot(np.int64(2))  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="closed"):
        recorder.snapshot(3)
    assert Recording(tmp_path).epochs == [2]


def test_an_existing_recording_is_an_error_by_default(tmp_path: Path) -> None:
    with record(network(), X, Y, store=tmp_path) as recorder:
        recorder.snapshot(0)
        recorder.snapshot(5)
    with pytest.raises(InvalidArgument, match=r"holds a recording\. Pass resume=True"):
        record(network(), X, Y, store=tmp_path)
    with record(network(), X, Y, store=tmp_path, resume=True) as recorder:
        assert recorder.epochs == [0, 5]
        recorder.snapshot(9)
    assert Recording(tmp_path).epochs == [0, 5, 9]
    with record(network(), X, Y, store=tmp_path, overwrite=True) as recorder:
        assert recorder.epochs == []
        recorder.snapshot(1)
    assert Recording(tmp_path).epochs == [1]


def test_resume_begins_a_recording_where_none_exists(tmp_path: Path) -> None:
    with record(network(), X, Y, store=tmp_path / "deep" / "run", resume=True) as recorder:
        recorder.snapshot(0)
    assert Recording(tmp_path / "deep" / "run").epochs == [0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": ["1"]}, r"^layers must be \['1', 'output'\] .*, got \['1'\]"),
        ({"seeds": 3}, r"^seeds must be \[0\] .*, got \[3\]"),
        ({"readout": Readout(maps="mean")}, "^maps must be flatten .*, got mean"),
        ({"probe_x": X + 1}, "other samples of probe 'probe'"),
        ({"probe_y": (Y + 1) % 3}, "other samples of probe 'probe'"),
        ({"probe_x": {"test": X}, "probe_y": {"test": Y}}, r"^probes must be \['probe'\] .*, got \['test'\]"),
    ],
)
def test_resuming_a_different_recording_is_rejected(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    same = {"model": network(), "probe_x": X, "probe_y": Y, "store": tmp_path}
    with record(**same) as recorder:
        recorder.snapshot(0)
    with pytest.raises(InvalidArgument, match=message):
        record(**same | arguments, resume=True)
    assert Recording(tmp_path).epochs == [0]


@pytest.mark.parametrize("flag", ["resume", "overwrite", "neither"])
def test_a_folder_of_something_else_is_never_touched(tmp_path: Path, flag: str) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(InvalidArgument, match=r"^store must be a new folder"):
        record(network(), X, Y, store=tmp_path, **({flag: True} if flag != "neither" else {}))  # type: ignore[arg-type]
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    with pytest.raises(BrokenStore, match="not a recording"):
        Recording(tmp_path)


def test_an_epoch_that_is_recorded_again_is_replaced(tmp_path: Path) -> None:
    model = network()
    with record(model, X, Y, store=tmp_path) as recorder:
        recorder.snapshot(0, loss=1.0)
        with torch.no_grad():
            model[2].bias += 1
        recorder.snapshot(0, loss=0.5)
    recording = Recording(tmp_path)
    assert recording.metrics["value"].tolist() == [0.5]
    np.testing.assert_allclose(recording.activations(0, "output")[0], model(X).detach().numpy(), atol=1e-6)
    assert len(list((tmp_path / "snapshots").glob("0*"))) == 1


def test_later_snapshots_can_be_deleted(tmp_path: Path) -> None:
    with record(network(), X, Y, store=tmp_path) as recorder:
        for epoch in range(5):
            recorder.snapshot(epoch)
        assert recorder.truncate(2) == [3, 4]
        assert recorder.epochs == [0, 1, 2]
        assert recorder.truncate(2) == []
        assert recorder.truncate(-1) == [0, 1, 2]
    assert Recording(tmp_path).epochs == []


def test_a_url_works_like_a_folder() -> None:
    url = "memory://recorder/run"
    model = network()
    with record(model, X, Y, store=url, overwrite=True) as recorder:
        recorder.snapshot(0, loss=1.0)
        recorder.snapshot(3)
        recorder.snapshot(0, loss=2.0)
        assert recorder.truncate(2) == [3]
    recording = Recording(url)
    assert recording.epochs == [0]
    assert recording.metrics["value"].tolist() == [2.0]
    np.testing.assert_allclose(recording.activations(0, "output")[0], model(X).detach().numpy(), atol=1e-6)
    with pytest.raises(InvalidArgument, match="holds a recording"):
        record(model, X, Y, store=url)
    with record(model, X, Y, store=url, overwrite=True) as recorder:
        assert recorder.epochs == []


def test_a_missing_recording_is_missing_data(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="No recording at"):
        Recording(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()
    with pytest.raises(MissingData, match=r"No recording at 'memory://nothing/there'"):
        Recording("memory://nothing/there")


def test_a_recording_prints_its_counts(tmp_path: Path) -> None:
    with record(
        nn.Sequential(nn.Linear(2, 3), nn.Tanh()), torch.randn(8, 2), torch.arange(8) % 2, store=tmp_path
    ) as recorder:
        recorder.snapshot(0)
        recorder.snapshot(1)
    assert repr(Recording(tmp_path)).endswith("Sequential, 1 layer, 1 seed, 2 snapshots, probe probe)")
