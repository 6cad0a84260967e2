from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.integrations import log_picture, log_plane, writer
from infoflow.plane import Plane, analyse, record


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    x = torch.tensor([[-1.0], [-1.0], [1.0], [1.0]])
    with record(torch.nn.Sequential(torch.nn.Tanh()), x, [0, 0, 1, 1], store=tmp_path / "run") as recorder:
        recorder.snapshot(0)
        recorder.snapshot(5)
    return analyse(tmp_path / "run", ["binning:width=0.5"])


class TensorBoard:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def add_scalar(self, tag: str, scalar_value: float, global_step: int) -> None:
        self.seen.append((tag, scalar_value, global_step))


class MLflow:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        self.seen += [(name, value, step) for name, value in metrics.items()]


class WandB:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def log(self, data: dict[str, Any], step: int | None = None) -> None:
        self.seen += [(name, value, step) for name, value in data.items()]


class WandbRunThatDrops:
    """A run of Weights & Biases: it drops what is logged behind its counter, which every call of `log` advances."""

    __module__ = "wandb.sdk.wandb_run"

    def __init__(self) -> None:
        self.step, self.seen, self.axes = 0, list[dict[str, Any]](), dict[str, str]()

    def define_metric(self, name: str, step_metric: str | None = None) -> None:
        self.axes[name] = str(step_metric)

    def log(self, data: dict[str, Any], step: int | None = None) -> None:
        if step is None or step >= self.step:
            self.step = self.step + 1 if step is None else step
            self.seen.append(data)


class MLflowModule:
    """The functions of the module mlflow, with its signatures."""

    __name__ = "mlflow"

    def __init__(self) -> None:
        self.files: list[str] = []

    def log_metrics(self, metrics: dict[str, float], step: int | None = None, synchronous: bool | None = None) -> None:
        raise AssertionError("no numbers belong to a picture")

    def log_artifact(self, local_path: str, artifact_path: str | None = None, run_id: str | None = None) -> None:
        self.files.append(local_path)
        assert Path(local_path).read_bytes().startswith(b"\x89PNG")


class LightningWandB:
    """WandbLogger of Lightning."""

    experiment = None

    def __init__(self) -> None:
        self.images: list[Any] = []

    def log_image(self, key: str, images: list[Any], step: int | None = None, **kwargs: Any) -> None:
        assert Path(images[0]).read_bytes().startswith(b"\x89PNG")
        self.images.append((key, len(images), step))


class LightningMLflow:
    """MLFlowLogger of Lightning, whose experiment is a client."""

    run_id = "run"

    def __init__(self) -> None:
        self.experiment = self
        self.files: list[Any] = []

    def log_artifact(self, run_id: str, local_path: str, artifact_path: str | None = None) -> None:
        assert Path(local_path).read_bytes().startswith(b"\x89PNG")
        self.files.append((run_id, Path(local_path).name))


def test_each_logger_receives_the_picture(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    module, board, client = MLflowModule(), LightningWandB(), LightningMLflow()
    assert log_picture(plane, [module, board, client, print], step=5)
    assert [Path(path).name for path in module.files] == ["plane.png"]
    assert board.images == [("plane", 1, 5)]
    assert client.files == [("run", "plane.png")]
    assert not log_picture(plane, TensorBoard(), step=5)  # which has no add_image


def test_a_run_of_wandb_receives_numbers_and_picture_whatever_its_own_step_is(
    plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = types.ModuleType("wandb")
    # A run takes images of its own class.
    module.Image = lambda data_or_path: ("image", Path(data_or_path).name)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", module)
    run = WandbRunThatDrops()
    for _ in range(9):
        run.log({"loss": 1.0})
    log_plane(plane, run)
    assert log_picture(plane, run, step=5)
    assert [(each["infoflow/step"], len(each)) for each in run.seen[9:]] == [(0, 3), (5, 3), (5, 2)]
    assert run.seen[-1]["plane"] == [("image", "plane.png")]
    assert run.axes == {"plane/*": "infoflow/step", "profile/*": "infoflow/step"}
    module.define_metric, module.log = run.define_metric, run.log  # type: ignore[attr-defined]
    assert log_picture(plane, module, step=7)  # the module has the methods of its run
    assert run.seen[-1]["infoflow/step"] == 7


@pytest.mark.parametrize("logger", [TensorBoard(), MLflow(), WandB()], ids=lambda value: type(value).__name__)
def test_each_logger_receives_every_number_at_its_epoch(plane: Plane, logger: Any) -> None:
    log_plane(plane, logger, unit="bits")
    names = ["plane/0/I(X;T)/Binning(width=0.5)", "plane/0/I(T;Y)/Binning(width=0.5)"]
    if isinstance(logger, MLflow):
        names = ["plane/0/I_X_T/Binning_width_0.5", "plane/0/I_T_Y/Binning_width_0.5"]
    assert logger.seen == [(name, pytest.approx(1.0), epoch) for epoch in (0, 5) for name in names]


def test_several_networks_have_different_names(plane: Plane) -> None:
    other = plane.frame.assign(network="other", nats=0.0)
    both = Plane(pd.concat([plane.frame, other]))
    seen: dict[str, float] = {}
    log_plane(both, lambda numbers, step: seen.update(numbers))
    assert seen["plane/other/0/I(X;T)/Binning(width=0.5)"] == 0.0
    assert seen["plane/Sequential/0/I(X;T)/Binning(width=0.5)"] > 0.6


def test_unusable_loggers_and_units_raise(plane: Plane) -> None:
    with pytest.raises(InvalidArgument, match=r"^logger must"):
        writer(3)
    with pytest.raises(UnknownName, match="Did you mean 'bits'"):
        log_plane(plane, print, unit="bit")


@pytest.mark.filterwarnings("default")
def test_tensorboard(plane: Plane, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(tmp_path / "events")) as board:
        log_plane(plane, board)
    read = EventAccumulator(str(tmp_path / "events"))
    read.Reload()
    events = read.Scalars("plane/0/I(X;T)/Binning(width=0.5)")
    assert [(event.step, round(event.value, 4)) for event in events] == [(0, 0.6931), (5, 0.6931)]


@pytest.mark.filterwarnings("default")
def test_mlflow(plane: Plane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    with mlflow.start_run() as run:
        log_plane(plane, mlflow)
    found = mlflow.MlflowClient().get_run(run.info.run_id).data.metrics
    assert {name: round(value, 4) for name, value in found.items()} == {
        "plane/0/I_X_T/Binning_width_0.5": 0.6931,
        "plane/0/I_T_Y/Binning_width_0.5": 0.6931,
    }
