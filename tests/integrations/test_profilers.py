"""Profiles through training on held-out text: in a plain loop, and by the callbacks of Lightning and the Trainer."""

from __future__ import annotations

import importlib
import logging
import math
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import infoflow
from infoflow.core.errors import InvalidArgument
from infoflow.integrations import ProfileWatch, log_picture
from infoflow.integrations.runs import STEP_AXIS
from infoflow.profiles import windows

pytestmark = pytest.mark.filterwarnings("default")  # of the frameworks

VOCABULARY = 30
TEXT = " ".join("abcdefghij"[(k * k + k // 7) % 10] * (1 + k % 3) for k in range(400))
HELD_OUT = windows([TEXT[:400], TEXT[400:]], lambda text: [ord(letter) % VOCABULARY for letter in text], length=32)
IDS = torch.randint(VOCABULARY, (32, 17), generator=torch.Generator().manual_seed(0))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Embedding(VOCABULARY, 70), nn.Linear(70, 70), nn.ReLU(), nn.Linear(70, VOCABULARY))


def loss(model: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    return nn.functional.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())


def loop(watch: ProfileWatch, model: nn.Module, steps: int) -> None:
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in watch:
        optimizer.zero_grad()
        value = loss(model, IDS)
        value.backward()
        optimizer.step()
        watch.report(train_loss=float(value.detach()))


def token_batches() -> list[torch.Tensor]:
    """Batches of ids alone, since the networks of this file take no mask."""
    return [batch["input_ids"][batch["attention_mask"].all(1)] for batch in HELD_OUT]


def test_a_plain_loop_logs_value_and_null_at_steps_even_in_the_logarithm() -> None:
    logged: dict[int, dict[str, float]] = {}
    model = network()
    watch = ProfileWatch(token_batches(), count=4, logger=lambda numbers, step: logged.update({step: dict(numbers)}))
    with watch.on(model, epochs=20):
        loop(watch, model, 20)
    assert sorted(logged) == watch.profile.steps == [0, 1, 4, 20]
    value = watch.profile.at(20).select("I(current;W)")
    assert logged[20]["profile/2/I(current;W)"] == value["value"].iloc[-1]
    assert logged[20]["profile/2/I(current;W)/null"] == value["null"].iloc[-1]
    assert "profile/2/H(W)/null" not in logged[20]
    assert all(math.isfinite(number) for numbers in logged.values() for number in numbers.values())
    assert set(watch.profile.metrics["step"]) == {1, 4, 20}
    assert torch.equal(watch.profile.at(0).codes.ids, infoflow.profile(model, token_batches()).codes.ids)


def test_a_store_continues_and_later_snapshots_are_taken_again(tmp_path: Path) -> None:
    for start in (0, 4):
        watch = ProfileWatch(token_batches(), store=tmp_path / "run", resume=True, at=[0, 2, 4, 6, 8])
        model = network()
        with watch.on(model, epochs=8, start=start):
            for step in watch:
                watch.report(started=start)
                if (start, step) == (0, 7):
                    break
    assert watch.profile.steps == [0, 2, 4, 6, 8]
    assert watch.profile.metrics.set_index("step")["value"].to_dict() == {2: 0.0, 4: 0.0, 6: 4.0, 8: 4.0}


def test_what_cannot_be_measured_does_not_end_the_training(caplog: pytest.LogCaptureFixture) -> None:
    model = network()
    with ProfileWatch(token_batches(), count=3).on(model, epochs=4) as watch:
        watch.after(1)
        model[3] = nn.Linear(5, 2)  # the model cannot run any more
        assert not watch.after(4)
    assert "cannot run on batch 0" in caplog.text
    with ProfileWatch(token_batches(), count=3, on_error="raise").on(network(), epochs=4) as strict:
        pass
    with pytest.raises(InvalidArgument, match="closed"):
        strict.after(4)
    with pytest.raises(InvalidArgument, match="has not begun"):
        ProfileWatch(token_batches()).after(0)


@pytest.fixture
def tensorboard() -> Any:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    return importlib.import_module("tensorboard.backend.event_processing.event_accumulator").EventAccumulator


@pytest.fixture
def lightning() -> Any:
    module = pytest.importorskip("lightning", reason="Lightning (infoflow[lightning]) is not installed")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    return module


def module_of(lightning: Any) -> Any:
    class Model(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = network()

        def training_step(self, ids: Any, index: int) -> torch.Tensor:
            value = loss(self.net, ids)
            self.log("train/loss", value)
            return value

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 1e-2)

    return Model()


def fitted(lightning: Any, folder: Path, callbacks: list[Any], logger: Any = False) -> Any:
    trainer = lightning.Trainer(
        max_epochs=2,
        callbacks=callbacks,
        logger=logger,
        accelerator="cpu",
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
        log_every_n_steps=1,
    )
    module = module_of(lightning)
    trainer.fit(module, torch.utils.data.DataLoader(IDS, 8))  # type: ignore[arg-type]
    return module


def test_lightning_logs_numbers_and_picture_and_trains_the_same(
    lightning: Any, tensorboard: Any, tmp_path: Path
) -> None:
    from infoflow.integrations.lightning import LightningProfiler

    callback = LightningProfiler(token_batches(), count=4, on_error="raise")
    logger = lightning.pytorch.loggers.TensorBoardLogger(tmp_path)
    watched = fitted(lightning, tmp_path, [callback], logger)
    logger.experiment.close()
    assert callback.profile.steps == [0, 1, 3, 8]  # 2 epochs of 4 steps
    events = tensorboard(logger.log_dir)
    events.Reload()
    found = events.Scalars("profile/2/I(next;W)")
    assert [each.step for each in found] == [0, 1, 3, 8]
    expected = callback.profile.table("I(next;W)").loc["2"]
    np.testing.assert_allclose([each.value for each in found], expected, rtol=1e-5)
    assert [each.step for each in events.Images("profile")] == [8]
    assert "train_loss" in set(callback.profile.metrics["metric"])
    alone = fitted(lightning, tmp_path, [])
    assert all(torch.equal(a, b) for a, b in zip(watched.parameters(), alone.parameters(), strict=True))


@pytest.fixture
def transformers() -> Any:
    return pytest.importorskip("transformers", reason="transformers (infoflow[transformers]) is not installed")


def decoder(transformers: Any) -> Any:
    torch.manual_seed(0)
    ends = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=VOCABULARY, n_embd=64, n_layer=2, n_head=2, n_positions=32, **ends)
    )


def trained(transformers: Any, folder: Path, callbacks: list[Any], report_to: list[str]) -> Any:
    arguments = transformers.TrainingArguments(
        str(folder), num_train_epochs=2, report_to=report_to, disable_tqdm=True, save_strategy="no", use_cpu=True,
        per_device_train_batch_size=8, logging_steps=1, seed=0,
    )  # fmt: skip
    model = decoder(transformers)
    data = [{"input_ids": row, "labels": row} for row in IDS]
    trainer = transformers.Trainer(model, arguments, train_dataset=data, callbacks=callbacks)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    return model


def test_the_trainer_logs_numbers_and_picture_and_trains_the_same(
    transformers: Any, tensorboard: Any, tmp_path: Path
) -> None:
    from infoflow.integrations.transformers import TransformersProfiler

    callback = TransformersProfiler(HELD_OUT, store=tmp_path / "run", count=4, on_error="raise")
    watched = trained(transformers, tmp_path / "out", [callback], ["tensorboard"])
    assert callback.profile.steps == [0, 1, 3, 8]
    assert callback.profile.layers == ["transformer.h.0:input", "transformer.h.0", "transformer.h.1"]
    numbers, images = {}, []
    for folder in {path.parent for path in tmp_path.rglob("events.out.tfevents*")}:
        events = tensorboard(str(folder))
        events.Reload()
        numbers |= {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
        images += [each.step for tag in events.Tags()["images"] for each in events.Images(tag)]
    name = "profile/transformer.h.1/I(current;W)"
    assert [each.step for each in numbers[name]] == [0, 1, 3, 8]
    expected = callback.profile.table("I(current;W)").loc["transformer.h.1"]
    np.testing.assert_allclose([each.value for each in numbers[name]], expected, rtol=1e-5)
    assert images == [8]
    assert "loss" in set(callback.profile.metrics["metric"])
    alone = trained(transformers, tmp_path / "other", [], [])
    assert all(torch.equal(a, b) for a, b in zip(watched.parameters(), alone.parameters(), strict=True))


def test_weights_and_biases_receives_numbers_and_picture(
    transformers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infoflow.integrations.transformers import TransformersProfiler

    seen: list[tuple[str, Any, int | None]] = []

    def log(self: Any, data: dict[str, Any]) -> None:
        step = data.pop(STEP_AXIS)
        seen.extend((name, value, step) for name, value in data.items())

    def define_metric(self: Any, name: str, step_metric: str) -> None:
        assert step_metric == STEP_AXIS

    wandb = types.ModuleType("wandb")
    wandb.Image = lambda path: ("image", Path(path).read_bytes()[:4])  # type: ignore[attr-defined]
    run = type("Run", (), {"__module__": "wandb.sdk.wandb_run", "log": log, "define_metric": define_metric})()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    callback = TransformersProfiler(HELD_OUT, at=[0, 8], logger=run, on_error="raise")
    trained(transformers, tmp_path, [callback], [])
    assert [step for name, _, step in seen if name == "profile/transformer.h.0/H(W)"] == [0, 8]
    assert seen[-1] == ("profile", [("image", b"\x89PNG")], 8)
    assert log_picture(callback.profile, run, step=9, name="again", quantities=["H(W)"])
    assert seen[-1] == ("again", [("image", b"\x89PNG")], 9)
