"""Metrics of infoflow as metrics of torchmetrics, which Lightning logs and resets by itself."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from infoflow.core.errors import MissingExtra
from infoflow.metrics import Metric

try:
    import torchmetrics
except ImportError:
    _Base: Any = nn.Module
    _MISSING = True
else:
    _Base = torchmetrics.Metric
    _MISSING = False


class TorchMetric(_Base):  # type: ignore[misc]
    """A metric of `infoflow.metrics` for `self.log` of Lightning and the collections of torchmetrics.

    Parameters
    ----------
    metric
        The metric; its settings are used, not what it saw. Without a group, since torchmetrics adds over processes.
    **options
        Options of `torchmetrics.Metric`, such as `dist_sync_on_step`.

    Raises
    ------
    MissingExtra
        If torchmetrics is not installed.

    Examples
    --------
    >>> import torch
    >>> from infoflow.metrics import PredictionInformation
    >>> metric = TorchMetric(PredictionInformation(classes=2))  # doctest: +SKIP
    >>> metric.update(torch.tensor([0, 1]), torch.tensor([0, 1]))  # doctest: +SKIP
    >>> metric.compute()  # doctest: +SKIP
    tensor(0.6931)
    """

    is_differentiable = False
    higher_is_better = None
    full_state_update = False

    def __init__(self, metric: Metric, **options: Any) -> None:
        if _MISSING:
            raise MissingExtra("torchmetrics", "lightning", "A metric of torchmetrics")
        super().__init__(**options)
        self.metric = metric
        self._names = [name for name, _ in metric.named_buffers()]
        for name, buffer in metric.named_buffers():
            self.add_state(name, buffer.detach().clone().zero_(), dist_reduce_fx="sum")

    def update(self, *batch: Tensor) -> None:
        """Add a batch.

        Parameters
        ----------
        *batch
            What the metric's own `update` takes.
        """
        for name, value in self.metric.batch_sums(*batch).items():
            setattr(self, name, getattr(self, name) + value)

    def compute(self) -> Tensor:
        """Return the metric of all batches and processes, in nats."""
        return self.metric.value_of_added({name: getattr(self, name) for name in self._names})
