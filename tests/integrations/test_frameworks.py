"""The callbacks in the frameworks, and the examples of their docstrings; skipped where a framework is missing."""

from __future__ import annotations

import doctest
import importlib
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from infoflow.core.errors import InvalidArgument, MissingExtra, UnknownName
from infoflow.plane import Recording, analyse

pytestmark = pytest.mark.filterwarnings("default")  # of the frameworks

X = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()
IDS = torch.randint(1, 20, (32, 6), generator=torch.Generator().manual_seed(0))
IDS[::2, 4:] = 0


def examples_pass(name: str) -> None:
    """Run the example of a class, which doctest skips."""
    module_name, _, class_name = name.rpartition(".")
    module = importlib.import_module(module_name)
    tests = doctest.DocTestFinder().find(getattr(module, class_name), class_name, globs=dict(vars(module)))
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for test in tests:
        for example in test.examples:
            example.options.pop(doctest.SKIP, None)
        runner.run(test)
    assert runner.tries > 5
    assert runner.failures == 0


@pytest.fixture
def lightning(monkeypatch: pytest.MonkeyPatch) -> Any:
    module = pytest.importorskip("lightning", reason="Lightning (infoflow[lightning]) is not installed")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    return module


@pytest.fixture
def transformers() -> Any:
    return pytest.importorskip("transformers", reason="transformers (infoflow[transformers]) is not installed")


@pytest.mark.parametrize(
    ("module", "name"), [("lightning", "LightningRecorder"), ("transformers", "TransformersRecorder")]
)
def test_without_the_framework_the_error_names_the_extra(
    module: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours = importlib.import_module(f"infoflow.integrations.{module}")
    monkeypatch.setattr(ours, "Callback" if module == "lightning" else "TrainerCallback", None)
    with pytest.raises(MissingExtra, match=rf"pip install 'infoflow\[{module}\]'"):
        getattr(ours, name)(X, Y, store=tmp_path / "run")


@pytest.mark.parametrize("name", ["LightningRecorder", "LightningProfiler"])
def test_the_lightning_examples_run(lightning: Any, name: str) -> None:
    examples_pass(f"infoflow.integrations.lightning.{name}")


@pytest.mark.parametrize("name", ["TransformersRecorder", "TransformersProfiler"])
def test_the_transformers_examples_run(transformers: Any, name: str) -> None:
    examples_pass(f"infoflow.integrations.transformers.{name}")


def classifier(lightning: Any) -> Any:
    class Classifier(lightning.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            lightning.seed_everything(0, verbose=False)
            self.net = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Dropout(0.2), nn.Linear(3, 2))

        def training_step(self, batch: Any, index: int) -> torch.Tensor:
            loss = nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            self.log("train/loss", loss, on_epoch=True)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.Adam(self.parameters(), 1e-2)

    return Classifier()


def trained(lightning: Any, folder: Path, callbacks: list[Any], epochs: int, checkpoint: str | None = None) -> Any:
    trainer = lightning.Trainer(
        max_epochs=epochs,
        callbacks=callbacks,
        logger=False,
        accelerator="cpu",
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=folder,
    )
    module = classifier(lightning)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), 16)
    trainer.fit(module, loader, ckpt_path=checkpoint)
    return trainer, module


def test_lightning_trains_the_same_with_and_without_recording(lightning: Any, tmp_path: Path) -> None:
    from infoflow.integrations.lightning import LightningRecorder

    callback = LightningRecorder(X, Y, store=tmp_path / "run", network="net", at=range(5))
    _, watched = trained(lightning, tmp_path, [callback], 4)
    _, alone = trained(lightning, tmp_path, [], 4)
    assert all(torch.equal(a, b) for a, b in zip(watched.parameters(), alone.parameters(), strict=True))
    recording = Recording(tmp_path / "run")
    assert recording.epochs == [0, 1, 2, 3, 4]
    with torch.no_grad():
        want = torch.tanh(alone.net[0](X)).numpy()
    np.testing.assert_allclose(recording.activations(4, "1")[0], want, rtol=1e-6)
    assert {"train_loss", "train_loss_epoch"} <= set(recording.metrics["metric"])
    assert analyse(recording, ["binning"]).frame["epoch"].nunique() == 5


def test_lightning_continues_from_a_checkpoint(lightning: Any, tmp_path: Path) -> None:
    from infoflow.integrations.lightning import LightningRecorder

    def recorder() -> Any:
        return LightningRecorder(X, Y, store=tmp_path / "run", network="net", at=range(9), resume=True)

    trainer, _ = trained(lightning, tmp_path, [recorder()], 2)
    trainer.save_checkpoint(tmp_path / "two.ckpt")
    trained(lightning, tmp_path, [recorder()], 4)  # a run that is not continued
    trained(lightning, tmp_path, [recorder()], 5, str(tmp_path / "two.ckpt"))
    assert Recording(tmp_path / "run").epochs == [0, 1, 2, 3, 4, 5]


def test_lightning_counts_steps(lightning: Any, tmp_path: Path) -> None:
    from infoflow.integrations.lightning import LightningRecorder

    callback = LightningRecorder(X, Y, store=tmp_path / "run", unit="step", network="net", count=4)
    trained(lightning, tmp_path, [callback], 2)
    assert Recording(tmp_path / "run").epochs == [0, 1, 3, 8]
    with pytest.raises(UnknownName, match=r"^unknown network 'nett'"):
        trained(
            lightning, tmp_path, [LightningRecorder(X, Y, store=tmp_path / "b", network="nett", on_error="raise")], 1
        )


def tensorboard_events(folder: Path) -> Any:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    accumulator = importlib.import_module("tensorboard.backend.event_processing.event_accumulator").EventAccumulator
    events = accumulator(str(folder))
    events.Reload()
    return events


def test_lightning_logs_numbers_and_picture_to_its_own_logger(lightning: Any, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from infoflow.integrations.lightning import LightningRecorder

    callback = LightningRecorder(X, Y, store=tmp_path / "run", at=[0, 2], estimators=["binning:width=0.5"])
    logger = lightning.pytorch.loggers.TensorBoardLogger(tmp_path)
    trainer = lightning.Trainer(
        max_epochs=2,
        callbacks=[callback],
        logger=logger,
        accelerator="cpu",
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )
    trainer.fit(classifier(lightning), torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, Y), 16))
    logger.experiment.close()
    events = tensorboard_events(Path(logger.log_dir))
    name = "plane/1/I(T;Y)/Binning(width=0.5)"
    assert [each.step for each in events.Scalars(name)] == [0, 8]  # 4 steps an epoch
    expected = analyse(tmp_path / "run", ["binning:width=0.5"]).frame.query("layer == '1' and axis == 'label'")
    np.testing.assert_allclose([each.value for each in events.Scalars(name)], expected["nats"], rtol=1e-5)
    assert (8, 2.0) in [(each.step, each.value) for each in events.Scalars("epoch")]
    assert [each.step for each in events.Images("plane")] == [8]


def test_a_lightning_training_survives_what_cannot_be_recorded(
    lightning: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from infoflow.integrations.lightning import LightningRecorder

    def broken(numbers: Any, step: int) -> None:
        raise ZeroDivisionError("the logger is broken")

    bad = [
        LightningRecorder(X, Y, store=tmp_path / "a", network="nett"),
        LightningRecorder(X[:, :3], Y, store=tmp_path / "b", network="net"),
        LightningRecorder(X, Y, store=tmp_path / "c", network="net", estimators=["binning"], logger=broken),
    ]
    trained(lightning, tmp_path, bad, 1)
    for words in ("unknown network 'nett'", "cannot run on a batch", "the logger is broken"):
        assert words in caplog.text
    assert Recording(tmp_path / "c").epochs == [0, 1]


def test_a_lightning_module_without_forward_names_the_option(lightning: Any, tmp_path: Path) -> None:
    from infoflow.integrations.lightning import LightningRecorder

    trained(lightning, tmp_path, [LightningRecorder(X, Y, store=tmp_path / "run")], 1)  # its only submodule
    assert Recording(tmp_path / "run").layers == ["1", "output"]
    module = classifier(lightning)
    module.head = nn.Linear(2, 2)
    recorder = LightningRecorder(X, Y, store=tmp_path / "b", on_error="raise")
    with pytest.raises(InvalidArgument, match=r"^network must be given .*one of net, head"):
        recorder._model(module)


def test_the_trainer_logs_where_it_reports(transformers: Any, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    from infoflow.integrations.transformers import TransformersRecorder

    data = [{"input_ids": row, "labels": int(row[0] > 9)} for row in IDS]
    arguments = transformers.TrainingArguments(
        str(tmp_path / "out"), num_train_epochs=1, report_to=["tensorboard"], disable_tqdm=True, save_strategy="no",
        use_cpu=True,
    )  # fmt: skip
    callback = TransformersRecorder(
        IDS, (IDS[:, 0] > 9).long(), store=tmp_path / "run", padding=0, at=[1], estimators=["binning:width=0.5"]
    )
    transformers.Trainer(tiny(transformers, "encoder"), arguments, train_dataset=data, callbacks=[callback]).train()
    folders = {path.parent for path in tmp_path.rglob("events.out.tfevents*")}
    tags = {
        tag for folder in folders for kind in ("scalars", "images") for tag in tensorboard_events(folder).Tags()[kind]
    }
    assert "plane" in tags
    assert any(tag.startswith("plane/") and "I(T;Y)" in tag for tag in tags)


def trained_encoder(transformers: Any, folder: Path, report_to: str) -> None:
    """An encoder of which the Trainer logs every step, and the callback every epoch."""
    from infoflow.integrations.transformers import TransformersRecorder

    data = [{"input_ids": row, "labels": int(row[0] > 9)} for row in IDS]
    arguments = transformers.TrainingArguments(
        str(folder / "out"), num_train_epochs=2, report_to=[report_to], disable_tqdm=True, save_strategy="no",
        use_cpu=True, logging_steps=1, eval_strategy="epoch",
    )  # fmt: skip
    callback = TransformersRecorder(
        IDS, (IDS[:, 0] > 9).long(), store=folder / "run", padding=0, estimators=["binning:width=0.5"]
    )
    transformers.Trainer(
        tiny(transformers, "encoder"), arguments, train_dataset=data, eval_dataset=data, callbacks=[callback]
    ).train()


def test_mlflow_of_the_trainer_has_numbers_and_picture_in_one_run(
    transformers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="mlflow is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    trained_encoder(transformers, tmp_path, "mlflow")
    client = mlflow.MlflowClient()
    [run] = client.search_runs([each.experiment_id for each in client.search_experiments()])
    assert run.info.status == "FINISHED"
    assert [each.path for each in client.list_artifacts(run.info.run_id)] == ["plane.png"]
    history = client.get_metric_history(run.info.run_id, "plane/output/I_T_Y/Binning_width_0.5")
    assert [each.step for each in history] == [0, 4, 8]


def test_wandb_of_the_trainer_has_numbers_and_picture_of_every_snapshot(
    transformers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wandb = pytest.importorskip("wandb", reason="wandb is not installed")
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = wandb.init(dir=tmp_path)
    logged: list[dict[str, Any]] = []
    inner = run.log

    def log(data: dict[str, Any], step: int | None = None, **more: Any) -> None:
        assert step is None or step >= run.step, "the run drops this"
        logged.append(data)
        inner(data, step=step, **more)

    monkeypatch.setattr(run, "log", log)
    trained_encoder(transformers, tmp_path, "wandb")
    run.finish()
    name = "plane/output/I(T;Y)/Binning(width=0.5)"
    assert [each["train/global_step"] for each in logged if name in each] == [0, 4, 8]
    assert [each["train/global_step"] for each in logged if "plane" in each] == [8]


def test_a_training_of_the_trainer_survives_a_logger_that_is_missing_or_broken(
    transformers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from infoflow.integrations import transformers as ours

    class Broken:
        def log_metrics(self, numbers: Any, step: int) -> None:
            raise OSError("the logger is broken")

        def flush(self) -> None:
            raise OSError("the flush is broken")

    def missing(arguments: Any) -> Any:
        raise ImportError("the logger is missing")

    for found, words in ((missing, ["logger is missing"]), (lambda _: [Broken()], ["is broken", "flush is broken"])):
        monkeypatch.setattr(ours, "_reported", found)
        trained_encoder(transformers, tmp_path / words[0], "none")
        assert all(word in caplog.text for word in words)
        assert Recording(tmp_path / words[0] / "run").epochs == [0, 1, 2]


def tiny(transformers: Any, kind: str) -> Any:
    torch.manual_seed(0)
    if kind == "encoder":
        return transformers.BertForSequenceClassification(
            transformers.BertConfig(
                vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
            )
        )
    return transformers.GPT2ForSequenceClassification(
        transformers.GPT2Config(vocab_size=20, n_embd=8, n_layer=3, n_head=2, n_positions=16, pad_token_id=0)
    )


@pytest.mark.parametrize("kind", ["encoder", "decoder"])
@pytest.mark.parametrize("tokens", ["mean", "first", "last", "none"])
def test_layers_of_transformers_equal_the_hidden_states(
    transformers: Any, tmp_path: Path, kind: str, tokens: str
) -> None:
    """Compared with the hidden states that the model returns, pooled by loops."""
    from infoflow.integrations.transformers import TransformersRecorder, blocks

    model = tiny(transformers, kind)
    layers = blocks(model)
    data = [{"input_ids": row, "attention_mask": (row != 0).long(), "labels": int(row[0] > 9)} for row in IDS]
    arguments = transformers.TrainingArguments(
        str(tmp_path / "out"),
        num_train_epochs=2,
        per_device_train_batch_size=8,
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
        use_cpu=True,
        logging_steps=4,
    )
    callback = TransformersRecorder(
        IDS, (IDS[:, 0] > 9).long(), store=tmp_path / "run", padding=0, tokens=tokens, at=[0, 2]
    )
    transformers.Trainer(model, arguments, train_dataset=data, callbacks=[callback]).train()
    recording = Recording(tmp_path / "run")
    assert recording.layers == [*layers, "output"]
    assert recording.epochs == [0, 2]
    assert "loss" in set(recording.metrics["metric"])
    model.eval()
    with torch.no_grad():
        result = model(input_ids=IDS, attention_mask=(IDS != 0).long(), output_hidden_states=True)
    np.testing.assert_allclose(recording.activations(2, "output")[0], result.logits.numpy(), atol=1e-5)
    hidden = result.hidden_states[1]  # after the first block
    want = []
    for row, states in zip(IDS, hidden, strict=True):
        real = [state for token, state in zip(row, states, strict=True) if token != 0]
        pooled = {"mean": sum(real) / len(real), "first": states[0], "last": real[-1], "none": states.flatten()}
        want.append(pooled[tokens].numpy())
    np.testing.assert_allclose(recording.activations(2, layers[0])[0], np.stack(want), atol=1e-5)


def test_transformers_counts_steps(transformers: Any, tmp_path: Path) -> None:
    from infoflow.integrations.transformers import TransformersRecorder

    data = [{"input_ids": row, "labels": int(row[0] > 9)} for row in IDS]
    arguments = transformers.TrainingArguments(
        str(tmp_path / "out"),
        max_steps=6,
        per_device_train_batch_size=8,
        report_to=[],
        disable_tqdm=True,
        save_strategy="no",
        use_cpu=True,
    )
    callback = TransformersRecorder(
        IDS, (IDS[:, 0] > 9).long(), store=tmp_path / "run", unit="step", count=3, layers=["bert.pooler"]
    )
    transformers.Trainer(tiny(transformers, "encoder"), arguments, train_dataset=data, callbacks=[callback]).train()
    assert Recording(tmp_path / "run").epochs == [0, 1, 6]
    assert Recording(tmp_path / "run").layers == ["bert.pooler"]


def test_a_model_without_blocks_raises() -> None:
    from infoflow.integrations.transformers import blocks

    with pytest.raises(InvalidArgument, match=r"^model must"):
        blocks(nn.Linear(2, 2))
