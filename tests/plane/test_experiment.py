"""An experiment from end to end: its files, its table after a kill, and what its plane must show."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from infoflow.plane.experiment import run
from infoflow.plane.protocols import Experiment, protocol

SMALL = Experiment(widths=(6, 5), epochs=40, seeds=2, snapshots=8, batch_size=256)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory):
    return run(SMALL, tmp_path_factory.mktemp("runs") / "small")


def test_all_files_are_written(finished) -> None:
    for what, path in finished.files.items():
        assert path.exists(), what
    table = pd.read_parquet(finished.folder / "table.parquet")
    assert len(table) == len(pd.read_csv(finished.folder / "table.csv"))
    assert set(table.network) == {"tanh", "relu"}
    assert set(table.seed) == {0, 1}
    assert table.epoch.min() == 0
    assert table.epoch.max() == 40
    layers, estimators, axes = 3, 2, 2
    assert len(table) == 2 * 2 * table.epoch.nunique() * layers * estimators * axes
    assert np.isfinite(table.nats).all()
    assert (table.nats <= table.ceiling + 1e-9).all()
    provenance = json.loads((finished.folder / "provenance.json").read_text())
    assert "torch" in json.dumps(provenance)


def test_the_same_settings_give_the_same_table(finished, tmp_path: Path) -> None:
    again = run(SMALL, tmp_path / "again")
    pd.testing.assert_frame_equal(again.plane.frame, finished.plane.frame)


@pytest.mark.slow
def test_processes_of_another_folder_write_into_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short, tables = replace(SMALL, epochs=2, snapshots=2, seeds=1), []
    for name in ("first", "second"):  # the second run's processes were started in the folder of the first
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        done = run(short, "run", n_jobs=2)
        assert done.folder == Path("run")
        tables.append(done.plane.frame)
        assert [path.name for path in Path().iterdir()] == ["run"]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.slow
def test_a_killed_run_continues_to_the_same_table(finished, tmp_path: Path) -> None:
    """SIGKILL at arbitrary moments, several times over, then once to the end."""
    code = (
        "import sys; from infoflow.plane.experiment import run; from infoflow.plane.protocols import Experiment\n"
        f"run({SMALL!r}, sys.argv[1], resume=True)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "killed")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    rng = np.random.default_rng(0)
    kills = 0
    marker = tmp_path / "killed" / "run.json"
    for _ in range(3):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not marker.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(rng.uniform(0.05, 1.5))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        _, errors = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), errors.decode()
    assert kills, "the run ended before it could be killed once"
    resumed = run(SMALL, tmp_path / "killed", resume=True)
    pd.testing.assert_frame_equal(resumed.plane.frame, finished.plane.frame)
    pd.testing.assert_frame_equal(resumed.plane.metrics, finished.plane.metrics)


@pytest.fixture(scope="module")
def default_plane(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    settings = Experiment(epochs=300, seeds=1, snapshots=8, estimators=("binning:width=0.07",))
    frame = run(settings, tmp_path_factory.mktemp("runs") / "default").plane.frame
    frame["bits"] = frame.nats / np.log(2)
    return frame[frame.axis == "input"]


def test_the_default_plane_shows_compression_of_tanh_only(default_plane: pd.DataFrame) -> None:
    """On the real scans: tanh compresses in its deepest hidden layer, ReLU does not, its softmax does."""
    mean = default_plane.groupby(["network", "layer", "epoch"]).bits.mean()
    tanh, relu = mean["tanh"], mean["relu"]
    deepest = sorted(layer for layer in tanh.index.levels[0] if layer != "output")[-1]
    assert tanh[deepest].max() - tanh[deepest].iloc[-1] > 2.0
    deepest = sorted(layer for layer in relu.index.levels[0] if layer.startswith("relu"))[-1]
    assert relu[deepest].max() - relu[deepest].iloc[-1] < 0.1
    for network in (tanh, relu):
        assert network["output"].max() - network["output"].iloc[-1] > 2.0


@pytest.mark.slow
def test_the_idnns_protocol_meets_the_measured_anchors(tmp_path: Path) -> None:
    """Ten seeds, 8000 epochs; anchors measured independently for this protocol (mean of ten seeds, bits)."""
    plane = run(protocol("idnns", "szt"), tmp_path / "idnns").plane
    frame = plane.frame.assign(bits=plane.frame.nats / np.log(2))
    mean = frame.groupby(["axis", "epoch", "layer"]).bits.mean()
    accuracy = plane.metrics[plane.metrics.metric == "test_accuracy"].groupby("epoch").value.mean()
    anchors = {
        100: ((11.59, 9.80, 7.59, 4.45), (0.56, 0.49), 0.757),
        1500: ((11.65, 10.23, 6.33, 2.17), (0.91, 0.85), 0.926),
        5000: ((11.60, 9.86, 4.38, 1.88), (0.98, 0.95), 0.963),
    }
    for epoch, (information, label, test_accuracy) in anchors.items():
        for layer, bits, tolerance in zip(
            ("tanh3", "tanh4", "tanh5", "output"), information, (0.3, 0.6, 0.6, 0.3), strict=True
        ):
            assert mean["input", epoch, layer] == pytest.approx(bits, abs=tolerance), (epoch, layer)
        for layer, bits in zip(("tanh5", "output"), label, strict=True):
            assert mean["label", epoch, layer] == pytest.approx(bits, abs=0.1), (epoch, layer)
        assert accuracy[epoch] == pytest.approx(test_accuracy, abs=0.03), epoch
        assert mean["input", epoch, "tanh1"] == pytest.approx(12.0, abs=0.1)
