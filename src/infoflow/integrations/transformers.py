"""A recording as a callback of Hugging Face's Trainer, layer by layer, with tokens pooled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from infoflow.core.capture import OUTPUT
from infoflow.core.checks import choice
from infoflow.core.errors import InvalidArgument, MissingExtra
from infoflow.integrations.watch import Watch, scalars
from infoflow.plane import Readout

try:
    from transformers import TrainerCallback
except ImportError:
    TrainerCallback = None

UNITS = ("epoch", "step")


class TransformersRecorder(TrainerCallback or object):  # type: ignore[misc]
    """Hugging Face's `TrainerCallback` that records the information plane: `Trainer(callbacks=[...])`.

    Takes the arguments of `Watch`; `probe_x` are token ids (n, length). By default the layers are the model's blocks
    (see `blocks`) and its output, and of every sequence the mean over its tokens is kept (`tokens`: "mean", "first" for
    a class token, "last" for a decoder, "none" for all). `padding`, such as `tokenizer.pad_token_id`, is masked from
    attention and from the mean. `unit` "step" counts optimizer steps instead of epochs. The latest logged numbers are
    stored with every snapshot. Only the first process records.

    Raises MissingExtra without transformers.

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

    def __init__(
        self,
        probe_x: Any,
        probe_y: Any,
        *,
        layers: Sequence[str] | None = None,
        tokens: Literal["none", "mean", "first", "last"] = "mean",
        padding: int | None = None,
        unit: str = "epoch",
        **settings: Any,
    ) -> None:
        if TrainerCallback is None:
            raise MissingExtra("transformers", "transformers", "the callback of Hugging Face's Trainer")
        self._steps = choice(unit, "unit", UNITS) == "step"
        self._layers, self._arguments = layers, (probe_x, probe_y)
        self._settings = {
            "readout": Readout(
                tokens=tokens, padding=padding if tokens in ("mean", "last") else None, call=masked(padding)
            ),
            "output": first_output,
            **settings,
        }
        self._watch: Watch | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, model: nn.Module | None = None, **more: Any) -> None:
        """Begins the recording, where the trainer begins or goes on."""
        if not state.is_world_process_zero or model is None:
            return
        layers = [*blocks(model), OUTPUT] if self._layers is None else list(self._layers)
        self._watch = Watch(*self._arguments, layers=layers, **self._settings)
        total = state.max_steps if self._steps else round(args.num_train_epochs)
        start = state.global_step if self._steps else round(state.epoch or 0)
        self._watch.on(model, epochs=total if total > 0 else None, start=start)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """After an epoch."""
        if self._watch is not None and not self._steps:
            self._watch.after(round(state.epoch), _logged(state))

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """After an optimizer step."""
        if self._watch is not None and self._steps:
            self._watch.after(state.global_step, _logged(state))

    def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        """Ends the recording."""
        if self._watch is not None:
            self._watch.close()


def _logged(state: Any) -> dict[str, float]:
    """The latest of every number that the trainer has logged."""
    return scalars({name: value for row in state.log_history for name, value in row.items() if name != "step"})


def blocks(model: nn.Module) -> list[str]:
    """The names of a transformer's blocks: the members of its longest list of modules of one type, the outermost.

    Raises InvalidArgument where there is none.

    >>> blocks(nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 3, enable_nested_tensor=False))
    ['layers.0', 'layers.1', 'layers.2']
    """
    found: list[str] = []
    for name, module in model.named_modules():
        if (
            isinstance(module, nn.ModuleList)
            and len({type(child) for child in module}) == 1
            and len(module) > len(found)
        ):
            found = [f"{name}.{index}" if name else str(index) for index in range(len(module))]
    if not found:
        raise InvalidArgument("the model has no list of equal blocks; want layers=[...] by name")
    return found


def masked(padding: int | None) -> Callable[[nn.Module, Tensor], Any]:
    """How to call a model of transformers on token ids: with an attention mask that leaves padding out.

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
    """The logits, else the last hidden state, else the first entry of what a model of transformers returned.

    >>> first_output({"loss": None, "logits": torch.zeros(2)})
    tensor([0., 0.])
    """
    for name in ("logits", "last_hidden_state"):
        value = result.get(name) if isinstance(result, dict) else getattr(result, name, None)
        if isinstance(value, Tensor):
            return value
    value = result if isinstance(result, Tensor) else result[0]
    if not isinstance(value, Tensor):
        raise InvalidArgument(f"the model returns a {type(result).__name__} without logits; want output=... that picks")
    return value
