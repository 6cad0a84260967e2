"""A recording as a callback of Hugging Face's Trainer, with a layer per block and tokens pooled."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from infoflow.core import layer_choice
from infoflow.core.errors import InvalidArgument, MissingExtra
from infoflow.core.layer_choice import OUTPUT
from infoflow.core.settings import validated
from infoflow.integrations.callback import Follower, Unit
from infoflow.integrations.watch import Watch
from infoflow.plane import Readout

try:
    from transformers import TrainerCallback
except ImportError:
    TrainerCallback = None


class TransformersRecorder(Follower, TrainerCallback or object):  # type: ignore[misc]
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
        if TrainerCallback is None:
            raise MissingExtra("transformers", "transformers", "The callback of Hugging Face's Trainer")
        pooled = padding if tokens in ("mean", "last") else None
        readout = Readout(tokens=tokens, padding=pooled, call=masked(padding))
        watch = Watch(probe_x, probe_y, **{"readout": readout, "output": first_output, **settings})
        super().__init__(watch, unit)
        self._layers = layers
        self._reports: list[Any] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, model: nn.Module | None = None, **more: Any) -> None:
        """Begin the recording, at the epoch or step at which the training begins or continues.

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

        def found() -> tuple[nn.Module, list[str]]:
            return model, [*blocks(model), OUTPUT] if self._layers is None else list(self._layers)

        if self._watch.estimates and not self._watch.logs:
            self._reports = _reported(args)
            self._log_to(self._reports)
        self._begin(found, total, start)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Record the end of an epoch.

        Parameters
        ----------
        args, state, control
            Arguments that the Trainer passes to every callback.
        **more
            Further arguments, which are ignored.
        """
        self._after("epoch", round(state.epoch), _logged(state), state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Record an optimizer step.

        Parameters
        ----------
        args, state, control
            Arguments that the Trainer passes to every callback.
        **more
            Further arguments, which are ignored.
        """
        self._after("step", state.global_step, _logged(state), state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """End the recording.

        Parameters
        ----------
        args, state, control
            Arguments that the Trainer passes to every callback.
        **more
            Further arguments, which are ignored.
        """
        self._end()
        # A writer of TensorBoard holds events back for up to two minutes.
        for logger in self._reports:
            if callable(flush := getattr(logger, "flush", None)):
                flush()


def _reported(args: Any) -> list[Any]:
    """Loggers to which the Trainer reports, as `report_to` of its arguments names them."""
    targets = [args.report_to] if isinstance(args.report_to, str) else list(args.report_to or ())
    found: list[Any] = []
    if "tensorboard" in targets:
        from torch.utils.tensorboard import SummaryWriter

        folder = getattr(args, "logging_dir", None) or os.environ.get("TENSORBOARD_LOGGING_DIR")
        found.append(SummaryWriter(folder or Path(args.output_dir) / "runs" / "infoflow"))
    if "wandb" in targets and (run := getattr(sys.modules.get("wandb"), "run", None)) is not None:
        found.append(run)
    if "mlflow" in targets and "mlflow" in sys.modules:
        found.append(sys.modules["mlflow"])
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


def masked(padding: int | None) -> Callable[[nn.Module, Tensor], Any]:
    """Build the function that calls a model of transformers on token ids with a mask of the padding.

    Parameters
    ----------
    padding
        Token id of the padding; None if there is none.

    Returns
    -------
    callable
        Function of a model and token ids (n, length).

    Examples
    --------
    >>> class Model(nn.Module):
    ...     def forward(self, input_ids, attention_mask):
    ...         return attention_mask
    >>> masked(0)(Model(), torch.tensor([[3, 5, 0]]))
    tensor([[1, 1, 0]])
    """

    def call(model: nn.Module, ids: Tensor) -> Any:
        mask = torch.ones_like(ids) if padding is None else (ids != padding).to(ids.dtype)
        return model(input_ids=ids, attention_mask=mask)

    return call


def first_output(result: Any) -> Tensor:
    """Select the logits, else the last hidden state, else the first entry of what a model of transformers returned.

    Parameters
    ----------
    result
        What the model returned.

    Returns
    -------
    Tensor
        The selected output.

    Raises
    ------
    InvalidArgument
        If there is no such tensor.

    Examples
    --------
    >>> first_output({"loss": None, "logits": torch.zeros(2)})
    tensor([0., 0.])
    """
    for name in ("logits", "last_hidden_state"):
        value = result.get(name) if isinstance(result, dict) else getattr(result, name, None)
        if isinstance(value, Tensor):
            return value
    value = result if isinstance(result, Tensor) else result[0]
    if not isinstance(value, Tensor):
        remedy = "Otherwise pass output=..., a function that selects a tensor."
        raise InvalidArgument("model", "one that returns logits", got_text=f"a {type(result).__name__}", remedy=remedy)
    return value
