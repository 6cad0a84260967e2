"""A recording, and profiles, as callbacks of Lightning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from infoflow.core.errors import InvalidArgument, MissingExtra, UnknownName
from infoflow.core.settings import validated
from infoflow.integrations.callback import Follower, Unit
from infoflow.integrations.profile_watch import ProfileWatch
from infoflow.integrations.snapshots import ScheduledSnapshots
from infoflow.integrations.watch import Watch
from infoflow.profiles import TrainingProfile

try:
    from lightning.pytorch import Callback
except ImportError:
    try:
        from pytorch_lightning import Callback
    except ImportError:
        Callback = None


class _LightningFollower(Follower, Callback or object):  # type: ignore[misc]
    """Callback that follows the training of a LightningModule."""

    def __init__(self, watch: ScheduledSnapshots, unit: Unit, network: str | None) -> None:
        if Callback is None:
            raise MissingExtra("lightning", "lightning", "The callback of Lightning")
        super().__init__(watch, unit)
        self._network = network

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin, at the epoch or step at which the training begins or continues.

        Parameters
        ----------
        trainer, pl_module
            Arguments that Lightning passes to every callback.
        """
        if not trainer.is_global_zero:
            return
        total, start = trainer.max_epochs, trainer.current_epoch
        if self._unit == "step":
            total, start = None, trainer.global_step
            # Lightning raises where gradients are accumulated over numbers of batches that change.
            with self._watch.survived("the number of steps is unknown"):
                total = trainer.estimated_stepping_batches
        self._log_to(lambda: [logger for logger in trainer.loggers if hasattr(logger, "log_metrics")])
        self._begin(lambda: (self._model(pl_module), None), total, start, trainer.global_step)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Take the snapshot of an epoch where it is due.

        Parameters
        ----------
        trainer, pl_module
            Arguments that Lightning passes to every callback.
        """
        self._after("epoch", trainer.current_epoch + 1, trainer.callback_metrics, trainer.global_step)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Take the snapshot of an optimizer step where it is due; there is none while gradients are accumulated.

        Parameters
        ----------
        trainer, pl_module, outputs, batch, batch_idx
            Arguments that Lightning passes to every callback.
        """
        self._after("step", trainer.global_step, trainer.callback_metrics, trainer.global_step)

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """End, and send the picture.

        Parameters
        ----------
        trainer, pl_module
            Arguments that Lightning passes to every callback.
        """
        self._end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """End where the training failed; the snapshots remain.

        Parameters
        ----------
        trainer, pl_module, exception
            Arguments that Lightning passes to every callback.
        """
        self._end()

    def _model(self, module: nn.Module) -> nn.Module:
        if self._network is None:
            return _runnable(module)
        try:
            return module.get_submodule(self._network)
        except AttributeError:
            raise UnknownName("network", self._network, [name for name, _ in module.named_children()]) from None


class LightningRecorder(_LightningFollower):
    """Callback of Lightning that records the information plane: `Trainer(callbacks=[LightningRecorder(...)])`.

    Parameters
    ----------
    probe_x, probe_y
        Probe set, as in `infoflow.plane.record`.
    network
        Name of the submodule of the LightningModule to record; None records the module itself, or its only submodule
        with parameters where it has no `forward`.
    unit
        "epoch", or "step" to count optimizer steps.
    **settings
        Further arguments of `Watch`.

    Raises
    ------
    MissingExtra
        If Lightning is not installed.
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    The metrics of the trainer are stored with every snapshot. Where `estimators` are given, their numbers go to the
    trainer's loggers, under the optimizer's step with the epoch as a number, and their picture at the end; `logger`
    selects another one. Only the first process records. With `resume=True` a
    training that continues from a checkpoint continues its recording.

    Examples
    --------
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

    @validated
    def __init__(
        self, probe_x: Any, probe_y: Any, *, network: str | None = None, unit: Unit = "epoch", **settings: Any
    ) -> None:
        super().__init__(Watch(probe_x, probe_y, **settings), unit, network)


class LightningProfiler(_LightningFollower):
    """Callback of Lightning that measures the information profile of a network through training.

    Parameters
    ----------
    batches
        Held-out batches that can be run through repeatedly, as `infoflow.profile` takes them;
        `infoflow.profiles.windows` makes them of text.
    network
        Name of the submodule of the LightningModule to measure; None measures the module itself, or its only submodule
        with parameters where it has no `forward`.
    unit
        "step" to count optimizer steps, or "epoch".
    **settings
        Further arguments of `ProfileWatch`, such as `store`, `at`, `count` and `quantities`.

    Raises
    ------
    MissingExtra
        If Lightning is not installed.
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    Snapshots are spaced evenly in the logarithm of the step unless `at` names them. Value and null of every layer and
    quantity go to the trainer's loggers after each snapshot, and the picture at the end; `logger` selects another one.
    `profile` holds all snapshots. Only the first process measures, so a model whose parameters are split over
    processes cannot be measured. With `store=...` and `resume=True` a training that continues from a checkpoint
    continues its profile.

    Examples
    --------
    >>> import logging, tempfile, torch, warnings, lightning  # doctest: +SKIP
    >>> class Model(lightning.LightningModule):  # doctest: +SKIP
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.net = nn.Sequential(nn.Embedding(50, 80), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 50))
    ...     def training_step(self, ids, index):
    ...         return nn.functional.cross_entropy(self.net(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())
    ...     def configure_optimizers(self):
    ...         return torch.optim.Adam(self.parameters())
    >>> text, held_out = torch.randint(50, (64, 33)), [torch.randint(50, (8, 32)) for _ in range(4)]  # doctest: +SKIP
    >>> callback = LightningProfiler(held_out, network="net", count=4)  # doctest: +SKIP
    >>> trainer = lightning.Trainer(max_epochs=2, callbacks=[callback], logger=False, accelerator="cpu",
    ...     enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)  # doctest: +SKIP
    >>> trainer.fit(Model(), torch.utils.data.DataLoader(text, 8))  # doctest: +SKIP
    >>> callback.profile.steps  # doctest: +SKIP
    [0, 1, 4, 16]
    """

    @validated
    def __init__(
        self, batches: Iterable[Any], *, network: str | None = None, unit: Unit = "step", **settings: Any
    ) -> None:
        self._profiles = ProfileWatch(batches, **settings)
        super().__init__(self._profiles, unit, network)

    @property
    def profile(self) -> TrainingProfile:
        """All snapshots so far."""
        return self._profiles.profile


def _runnable(module: nn.Module) -> nn.Module:
    """The module, or its only submodule with parameters where it has no `forward`."""
    # The forward that a LightningModule inherits raises.
    if type(module).forward.__module__.partition(".")[0] not in ("lightning", "pytorch_lightning", "torch"):
        return module
    inner = {name: child for name, child in module.named_children() if any(True for _ in child.parameters())}
    if len(inner) == 1:
        return next(iter(inner.values()))
    raise InvalidArgument(
        "network",
        "given for a LightningModule without forward",
        None,
        remedy=f"Pass network=... with one of {', '.join(inner) or 'its submodules'}.",
    )
