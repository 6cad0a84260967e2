from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from infoflow.core.errors import BrokenStore, InvalidArgument, UnknownName
from infoflow.estimators.histogram.binning import Binning
from infoflow.integrations import Schedule, Watch
from infoflow.plane import Recorder, Recording

X, Y = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 2


def network() -> nn.Sequential:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    return model


def test_a_plain_loop(tmp_path: Path) -> None:
    model = network()
    with Watch(X, Y, store=tmp_path / "run", count=4).on(model, epochs=9) as watch:
        epochs = []
        for epoch in watch:
            epochs.append(epoch)
            model[0].weight.data += 1
            watch.report(train_loss=1.0 / epoch)
    assert epochs == list(range(1, 10))
    recording = Recording(tmp_path / "run")
    assert recording.epochs == [0, 1, 3, 9]
    metrics = recording.metrics.set_index("epoch")["value"]
    assert metrics.to_dict() == {1: 1.0, 3: pytest.approx(1 / 3), 9: pytest.approx(1 / 9)}
    with pytest.raises(InvalidArgument, match="closed"):
        watch.recorder.snapshot(10)


def test_a_resumed_loop_gives_the_recording_of_an_uninterrupted_one(tmp_path: Path) -> None:
    for start in (0, 4):
        with Watch(X, Y, store=tmp_path / "run", at=range(0, 9, 2), resume=True).on(
            network(), epochs=8, start=start
        ) as watch:
            for epoch in watch:
                watch.report(started=start)
                if (start, epoch) == (0, 7):  # a crash after epoch 6 was recorded; the checkpoint is of epoch 4
                    break
    recording = Recording(tmp_path / "run")
    assert recording.epochs == [0, 2, 4, 6, 8]
    assert recording.metrics.set_index("epoch")["value"].to_dict() == {2: 0, 4: 0, 6: 4, 8: 4}


@pytest.mark.parametrize("estimators", [["binning:width=0.5"], "binning:width=0.5", Binning(width=0.5)])
def test_numbers_are_logged_after_every_snapshot(tmp_path: Path, estimators: Any) -> None:
    seen: list[tuple[int, list[str]]] = []
    watch = Watch(
        X,
        Y,
        store=tmp_path / "run",
        estimators=estimators,
        logger=lambda numbers, step: seen.append((step, sorted(numbers))),
    ).on(network(), epochs=2)
    assert [step for step, _ in seen] == [0]
    watch.after(2)
    assert [step for step, _ in seen] == [0, 2]
    assert seen[0][1] == [
        f"plane/{layer}/{quantity}/Binning(width=0.5)" for layer in ("1", "output") for quantity in ("I(T;Y)", "I(X;T)")
    ]
    with pytest.raises(InvalidArgument, match=r"^estimators must"):
        Watch(X, Y, store=tmp_path / "b", logger=print)


@pytest.mark.parametrize("fault", ["full disk", "diverged"])
def test_a_failing_snapshot_does_not_stop_the_training(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = Recorder.snapshot

    def full(self: Recorder, epoch: int, **metrics: Any) -> None:
        if epoch in (2, 3):
            raise BrokenStore("No space left on device")
        whole(self, epoch, **metrics)

    def run(folder: str, **settings: Any) -> list[int]:
        model = network()
        with Watch(X, Y, store=tmp_path / folder, at=range(5), **settings).on(model, epochs=4) as watch:
            for epoch in watch:
                if fault == "diverged":
                    model[0].bias.data.fill_(math.nan if epoch in (2, 3) else 0.0)
        return Recording(tmp_path / folder).epochs

    if fault == "full disk":
        monkeypatch.setattr(Recorder, "snapshot", full)
    with caplog.at_level(logging.ERROR):
        assert run("run") == [0, 1, 4]
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "no snapshot of epoch 2" in caplog.text
    with pytest.raises((BrokenStore, InvalidArgument)):
        run("strict", on_error="raise")
    assert Recording(tmp_path / "strict").epochs == [0, 1]


def test_invalid_arguments_raise(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'raise'"):
        Watch(X, Y, store=tmp_path / "a", on_error="raises")
    with pytest.raises(InvalidArgument, match=r"^count must be"):
        Schedule(count=1)
    with pytest.raises(InvalidArgument, match="has not begun"):
        Watch(X, Y, store=tmp_path / "a").after(0)
    with pytest.raises(InvalidArgument, match=r"^epochs must"):
        list(Watch(X, Y, store=tmp_path / "a").on(network()))
    with pytest.raises(UnknownName, match="unknown layer"):
        Watch(X, Y, store=tmp_path / "b", layers=["2x"]).on(network(), epochs=3)


@pytest.mark.parametrize("total", [1, 3, 10, 20, 50, 100, 600, 10_000])
def test_the_default_schedule_has_both_ends_and_few_epochs(total: int) -> None:
    schedule = Schedule()
    wanted = [epoch for epoch in range(total + 1) if schedule.due(epoch, total)]
    assert wanted[0] == 0
    assert wanted[-1] == total
    assert len(wanted) <= min(40, max(5, total // 2))


def test_a_schedule_without_an_end_becomes_sparse() -> None:
    schedule = Schedule()
    wanted = [step for step in range(100_000) if schedule.due(step, None)]
    assert wanted[:9] == [0, 1, 2, 3, 4, 6, 8, 11, 16]
    assert 30 < len(wanted) < 36
