"""The information that a classifier's probabilities carry about labels: label entropy less cross-entropy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from torch import Tensor

from infoflow.core.distributed import Group
from infoflow.core.settings import Integer, validated
from infoflow.entropies.discrete import plug_in
from infoflow.metrics.metric import Metric, flat_classes, log_probabilities


class ClassifierInformation(Metric):
    """Lower bound H(Y) − E[−log q(Y|X)] on I(X;Y) by a classifier q over all batches.

    Parameters
    ----------
    classes
        Number C of classes.
    group
        Process group over whose processes `compute` adds the sums.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range, or logits and labels do not fit.

    Notes
    -----
    `update(logits, labels)` takes logits (n, C) and classes (n,). H(Y) is the plug-in entropy of all labels. The bound
    holds for samples on which q was not fitted; on training samples, memorized labels raise it. It is negative where q
    predicts worse than the frequencies of the classes, which `CalibrationLoss` may explain.

    References
    ----------
    Barber and Agakov (2003), The IM algorithm: a variational approach to information maximization, NeurIPS, eq. 3.

    Examples
    --------
    >>> metric = ClassifierInformation(classes=2)
    >>> metric.update(torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 1]))
    >>> metric.compute()  # log 2 − log(1 + exp(−2))
    tensor(0.5662)
    """

    @validated
    def __init__(self, classes: Annotated[int, Integer(2)], *, group: Group = None) -> None:
        super().__init__({"counts": (classes,), "surprise": ()}, group)
        self.classes = classes

    def batch_sums(self, *batch: Tensor) -> dict[str, Tensor]:
        """Count labels, and add −log q of each."""
        logits, labels = batch
        y = flat_classes(labels, "labels", self.classes)
        log_q = log_probabilities(logits, y, self.classes)
        y = y.to(log_q.device)
        counts = torch.bincount(y, minlength=self.classes).double()
        return {"counts": counts, "surprise": -log_q.gather(1, y[:, None]).sum()}

    def value(self, sums: Mapping[str, Tensor]) -> Tensor:
        """Compute the label entropy less the mean cross-entropy."""
        return plug_in(sums["counts"]) - sums["surprise"] / sums["counts"].sum()

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"classes={self.classes}"
