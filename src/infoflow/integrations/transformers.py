"""A recording, and profiles, as callbacks of Hugging Face's Trainer."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from torch import nn

from infoflow.core import layer_choice
from infoflow.core.errors import InvalidArgument, MissingExtra
from infoflow.core.layer_choice import OUTPUT
from infoflow.core.settings import validated
from infoflow.integrations.callback import Follower, Unit
from infoflow.integrations.model_calls import first_output, masked
from infoflow.integrations.profile_watch import ProfileWatch
from infoflow.integrations.runs import MLflowRun, WandbRun
from infoflow.integrations.snapshots import ScheduledSnapshots
from infoflow.integrations.watch import Watch
from infoflow.plane import Readout
from infoflow.profiles import TrainingProfile

try:
    from transformers import TrainerCallback
except ImportError:
    TrainerCallback = None


class _TrainerFollower(Follower, TrainerCallback or object):  # type: ignore[misc]
    """Callback that follows a training by Hugging Face's Trainer."""

    def __init__(self, watch: ScheduledSnapshots, unit: Unit) -> None:
        if TrainerCallback is None:
            raise MissingExtra("transformers", "transformers", "The callback of Hugging Face's Trainer")
        super().__init__(watch, unit)

    def _chosen(self, model: nn.Module) -> list[str] | None:
        """Layers that are known only with the model; None for those of the settings."""
        return None

    def on_train_begin(self, args: Any, state: Any, control: Any, model: nn.Module | None = None, **more: Any) -> None:
        """Begin, at the epoch or step at which the training begins or continues.

        Parameters
        ----------
        args, state, control, model
            Arguments that the Trainer passes to every callback.
        **more
            Further arguments, which are ignored.
        """
        if not state.is_world_process_zero or model is None:
            return
        total, start = round(args.num_train_epochs), round(state.epoch or 0)
        if self._unit == "step":
            total, start = state.max_steps, state.global_step
        self._log_to(lambda: _reported(args))
        self._begin(lambda: (model, self._chosen(model)), total, start, state.global_step)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Take the snapshot of an epoch where it is due.

        Parameters
        ----------
        args, state, control
            Arguments that the Trainer passes to every callback.
        **more
            Further arguments, which are ignored.
        """
        self._after("epoch", round(state.epoch), _logged(state), state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Take the snapshot of an optimizer step where it is due.

        Parameters
        ----------
        args, state, control
            Arguments that the Trainer passes to every callback.
        **more
            Further arguments, which are ignored.
        """
        self._after("step", state.global_step, _logged(state), state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """End, and send the picture.

        Parameters
        ----------
        args, state, control
            Arguments that the Trainer passes to every callback.
        **more
            Further arguments, which are ignored.
        """
        self._end()


class TransformersRecorder(_TrainerFollower):
    """Callback of Hugging Face's Trainer that records the information plane: `Trainer(callbacks=[...])`.

    Parameters
    ----------
    probe_x, probe_y
        Probe set, as in `infoflow.plane.record`; `probe_x` are token ids (n, length).
    layers
        Names of modules; None is the model's blocks (see `blocks`) and its output.
    tokens
        What is stored of every sequence: the "mean" over its tokens, the "first" (a class token), the "last" (a
        decoder), or all ("none").
    padding
        Token id, such as `tokenizer.pad_token_id`, that is masked from attention and from the mean.
    unit
        "epoch", or "step" to count optimizer steps.
    **settings
        Further arguments of `Watch`.

    Raises
    ------
    MissingExtra
        If transformers is not installed.
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    The latest of the logged numbers are stored with every snapshot. Where `estimators` are given, their numbers go to
    TensorBoard, Weights & Biases and MLflow as far as `report_to` names them, under the optimizer's step with the
    epoch as a number, and their picture at the end; `logger` selects another one. Only the first process records.

    Examples
    --------
    >>> import tempfile, torch, transformers  # doctest: +SKIP
    >>> config = transformers.BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=2, num_attention_heads=2,
    ...     intermediate_size=16, num_labels=2)  # doctest: +SKIP
    >>> model = transformers.BertForSequenceClassification(config)  # doctest: +SKIP
    >>> ids = torch.randint(1, 20, (32, 6))  # doctest: +SKIP
    >>> data = [{"input_ids": row, "labels": int(row[0] > 9)} for row in ids]  # doctest: +SKIP
    >>> folder = tempfile.TemporaryDirectory()  # doctest: +SKIP
    >>> callback = TransformersRecorder(ids, (ids[:, 0] > 9).long(), store=folder.name + "/run",
    ...     padding=0)  # doctest: +SKIP
    >>> arguments = transformers.TrainingArguments(folder.name + "/out", num_train_epochs=2, report_to=[],
    ...     disable_tqdm=True, save_strategy="no", use_cpu=True)  # doctest: +SKIP
    >>> trainer = transformers.Trainer(model, arguments, train_dataset=data, callbacks=[callback])  # doctest: +SKIP
    >>> trainer.remove_callback(transformers.PrinterCallback)  # doctest: +SKIP
    >>> result = trainer.train()  # doctest: +SKIP
    >>> from infoflow.plane import analyse  # doctest: +SKIP
    >>> analyse(folder.name + "/run").frame["layer"].unique().tolist()  # doctest: +SKIP
    ['bert.encoder.layer.0', 'bert.encoder.layer.1', 'output']
    >>> folder.cleanup()  # doctest: +SKIP
    """

    @validated
    def __init__(
        self,
        probe_x: Any,
        probe_y: Any,
        *,
        layers: Sequence[str] | None = None,
        tokens: Literal["none", "mean", "first", "last"] = "mean",
        padding: int | None = None,
        unit: Unit = "epoch",
        **settings: Any,
    ) -> None:
        pooled = padding if tokens in ("mean", "last") else None
        readout = Readout(tokens=tokens, padding=pooled, call=masked(padding))
        watch = Watch(probe_x, probe_y, **{"readout": readout, "output": first_output, **settings})
        super().__init__(watch, unit)
        self._layers = layers

    def _chosen(self, model: nn.Module) -> list[str]:
        return [*blocks(model), OUTPUT] if self._layers is None else list(self._layers)


class TransformersProfiler(_TrainerFollower):
    """Callback of Hugging Face's Trainer that measures the information profile of a model through training.

    Parameters
    ----------
    batches
        Held-out batches that can be run through repeatedly, as `infoflow.profile` takes them: what the tokenizer or a
        DataLoader returns; `infoflow.profiles.windows` makes them of text.
    unit
        "step" to count optimizer steps, or "epoch".
    **settings
        Further arguments of `ProfileWatch`, such as `store`, `at`, `count`, `layers` and `quantities`.

    Raises
    ------
    MissingExtra
        If transformers is not installed.
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    Snapshots are spaced evenly in the logarithm of the step unless `at` names them. Value and null of every layer and
    quantity go to TensorBoard, Weights & Biases and MLflow as far as `report_to` names them, and the picture at the
    end; `logger` selects another one. `profile` holds all snapshots. Only the first process measures, so a model whose
    parameters are split over processes cannot be measured.

    Examples
    --------
    >>> import tempfile, torch, transformers  # doctest: +SKIP
    >>> config = transformers.GPT2Config(vocab_size=50, n_embd=80, n_layer=2, n_head=2, n_positions=32, bos_token_id=0,
    ...     eos_token_id=0)  # doctest: +SKIP
    >>> model = transformers.GPT2LMHeadModel(config)  # doctest: +SKIP
    >>> data = [{"input_ids": row, "labels": row} for row in torch.randint(50, (64, 32))]  # doctest: +SKIP
    >>> held_out = [torch.randint(50, (8, 32)) for _ in range(4)]  # doctest: +SKIP
    >>> callback = TransformersProfiler(held_out, count=4)  # doctest: +SKIP
    >>> folder = tempfile.TemporaryDirectory()  # doctest: +SKIP
    >>> arguments = transformers.TrainingArguments(folder.name, num_train_epochs=2, report_to=[], disable_tqdm=True,
    ...     save_strategy="no", use_cpu=True)  # doctest: +SKIP
    >>> trainer = transformers.Trainer(model, arguments, train_dataset=data, callbacks=[callback])  # doctest: +SKIP
    >>> trainer.remove_callback(transformers.PrinterCallback)  # doctest: +SKIP
    >>> result = trainer.train()  # doctest: +SKIP
    >>> callback.profile.steps  # doctest: +SKIP
    [0, 1, 4, 16]
    >>> folder.cleanup()  # doctest: +SKIP
    """

    @validated
    def __init__(self, batches: Iterable[Any], *, unit: Unit = "step", **settings: Any) -> None:
        self._profiles = ProfileWatch(batches, **settings)
        super().__init__(self._profiles, unit)

    @property
    def profile(self) -> TrainingProfile:
        """All snapshots so far."""
        return self._profiles.profile


def _reported(args: Any) -> list[Any]:
    """Loggers to which the Trainer reports, as `report_to` of its arguments names them."""
    targets = [args.report_to] if isinstance(args.report_to, str) else list(args.report_to or ())
    found: list[Any] = []
    if "tensorboard" in targets:
        from torch.utils.tensorboard import SummaryWriter

        folder = getattr(args, "logging_dir", None) or os.environ.get("TENSORBOARD_LOGGING_DIR")
        found.append(SummaryWriter(folder or Path(args.output_dir) / "runs" / "infoflow"))
    if "wandb" in targets and (run := getattr(sys.modules.get("wandb"), "run", None)) is not None:
        found.append(WandbRun(run, "train/global_step"))
    if "mlflow" in targets and (mlflow := sys.modules.get("mlflow")) is not None:
        # The Trainer's own callback ends its run before the picture is sent.
        active = mlflow.active_run()
        found.append(mlflow if active is None else MLflowRun(mlflow, active.info.run_id))
    return found


def _logged(state: Any) -> dict[str, Any]:
    """Latest of every number that the trainer has logged."""
    return {name: value for row in state.log_history for name, value in row.items() if name != "step"}


def blocks(model: nn.Module) -> list[str]:
    """Find the names of a transformer's blocks: the members of its longest list of modules of one type.

    Parameters
    ----------
    model
        Transformer. Of several lists of equal length the outermost counts.

    Returns
    -------
    list of str
        Names of modules.

    Raises
    ------
    InvalidArgument
        If there is no such list.

    Examples
    --------
    >>> blocks(nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 3, enable_nested_tensor=False))
    ['layers.0', 'layers.1', 'layers.2']
    """
    found = layer_choice.blocks(model)
    if not found:
        remedy = "Otherwise pass layers=[...] by name."
        raise InvalidArgument("model", "a module with a list of blocks of one type", remedy=remedy)
    return found
