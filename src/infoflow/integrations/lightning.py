"""A recording as a callback of Lightning."""

from __future__ import annotations

from typing import Any

from torch import nn

from infoflow.core.checks import choice
from infoflow.core.errors import InvalidArgument, MissingExtra
from infoflow.integrations.watch import Watch, scalars

try:
    from lightning.pytorch import Callback
except ImportError:
    try:
        from pytorch_lightning import Callback
    except ImportError:
        Callback = None

UNITS = ("epoch", "step")


class LightningRecorder(Callback or object):  # type: ignore[misc]
    """Lightning's `Callback` that records the information plane: `Trainer(callbacks=[LightningRecorder(...)])`.

    Takes the arguments of `Watch`. `network` names the submodule of the LightningModule to record, where it isn't the
    module itself; `unit` "step" counts optimizer steps instead of epochs. The trainer's metrics are stored with every
    snapshot. Only the first process records. With `resume=True` a training that goes on from a checkpoint goes on
    recording.

    Raises MissingExtra without Lightning.

    >>> import logging, tempfile, torch, warnings, lightning  # doctest: +SKIP
    >>> class Classifier(lightning.LightningModule):  # doctest: +SKIP
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
    ...     def training_step(self, batch, index):
    ...         loss = torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])
    ...         self.log("train_loss", loss)
    ...         return loss
    ...     def configure_optimizers(self):
    ...         return torch.optim.Adam(self.parameters())
    >>> x, y = torch.randn(64, 4), torch.arange(64) % 2  # doctest: +SKIP
    >>> loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 16)  # doctest: +SKIP
    >>> folder = tempfile.TemporaryDirectory()  # doctest: +SKIP
    >>> callback = LightningRecorder(x, y, store=folder.name + "/run", network="net")  # doctest: +SKIP
    >>> trainer = lightning.Trainer(max_epochs=3, callbacks=[callback], logger=False, accelerator="cpu",
    ...     enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)  # doctest: +SKIP
    >>> trainer.fit(Classifier(), loader)  # doctest: +SKIP
    >>> from infoflow.plane import analyse  # doctest: +SKIP
    >>> analyse(folder.name + "/run").frame["epoch"].unique().tolist()  # doctest: +SKIP
    [0, 1, 2, 3]
    >>> folder.cleanup()  # doctest: +SKIP
    """

    def __init__(
        self, probe_x: Any, probe_y: Any, *, network: str | None = None, unit: str = "epoch", **settings: Any
    ) -> None:
        if Callback is None:
            raise MissingExtra("lightning", "lightning", "the callback of Lightning")
        super().__init__()
        self._network = network
        self._steps = choice(unit, "unit", UNITS) == "step"
        self._watch = Watch(probe_x, probe_y, **settings)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begins the recording, where the trainer begins or goes on."""
        if not trainer.is_global_zero:
            return
        if self._steps:
            total, start = trainer.estimated_stepping_batches, trainer.global_step
        else:
            total, start = trainer.max_epochs, trainer.current_epoch
        known = isinstance(total, int) and total > 0
        self._watch.on(self._model(pl_module), epochs=total if known else None, start=start)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """After an epoch."""
        if trainer.is_global_zero and not self._steps:
            self._watch.after(trainer.current_epoch + 1, scalars(trainer.callback_metrics))

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """After a batch: a step, unless gradients are being accumulated."""
        if trainer.is_global_zero and self._steps and trainer.global_step not in (0, self._last):
            self._last = trainer.global_step
            self._watch.after(trainer.global_step, scalars(trainer.callback_metrics))

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Ends the recording."""
        self._watch.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Ends the recording of a training that failed; its snapshots stay."""
        self._watch.close()

    _last = 0

    def _model(self, module: nn.Module) -> nn.Module:
        if self._network is None:
            return module
        try:
            return module.get_submodule(self._network)
        except AttributeError:
            names = [name for name, _ in module.named_children()]
            raise InvalidArgument(
                f"network {self._network!r} is no submodule; want one of {', '.join(names)}"
            ) from None
