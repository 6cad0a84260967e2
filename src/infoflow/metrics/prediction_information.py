"""The information of predicted classes about labels, from a table of counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import torch
from torch import Tensor

from infoflow.core.distributed import Group
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, validated
from infoflow.entropies.discrete import miller_madow, plug_in
from infoflow.metrics.metric import Metric, flat_classes

_ENTROPY = {"none": plug_in, "miller-madow": miller_madow}


class PredictionInformation(Metric):
    """I(Ŷ;Y) of predicted classes and labels over all batches.

    Parameters
    ----------
    classes
        Number C of classes.
    correction
        "none" for the plug-in estimate, "miller-madow" for its first-order correction, cut at 0: the plug-in is too
        large by about (C − 1)²/(2n).
    group
        Process group over whose processes `compute` adds the counts.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range, or predictions and labels do not fit.

    Notes
    -----
    `update(predictions, labels)` takes classes of any shape, or logits or probabilities (n, C), whose largest counts.
    I(Ŷ;Y) is a lower bound on what the network's output holds about the label, since Ŷ is computed from it, and at
    most H(Y). Unlike accuracy it does not change where classes are confused consistently.

    References
    ----------
    Cover and Thomas (2006), Elements of information theory, section 2.8. Miller (1955), Note on the bias of information
    estimates.

    Examples
    --------
    >>> metric = PredictionInformation(classes=2)
    >>> metric.update(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 0, 1, 1]))
    >>> metric.update(torch.tensor([[2.0, 1.0], [0.0, 1.0]]), torch.tensor([0, 1]))
    >>> metric.compute()  # log 2
    tensor(0.6931)
    """

    @validated
    def __init__(
        self,
        classes: Annotated[int, Integer(2)],
        *,
        correction: Literal["none", "miller-madow"] = "none",
        group: Group = None,
    ) -> None:
        super().__init__({"counts": (classes, classes)}, group)
        self.classes, self.correction = classes, correction

    def batch_sums(self, *batch: Tensor) -> dict[str, Tensor]:
        """Count pairs of predicted class and label."""
        predictions, labels = batch
        y = flat_classes(labels, "labels", self.classes)
        if isinstance(predictions, Tensor) and predictions.is_floating_point():
            if predictions.shape != (len(y), self.classes):
                shape = f"({len(y)}, {self.classes})"
                raise InvalidArgument(
                    "predictions", f"classes, or logits of shape {shape}", got_text=f"shape {tuple(predictions.shape)}"
                )
            predictions = predictions.argmax(dim=1)
        y_hat = flat_classes(predictions, "predictions", self.classes)
        if len(y_hat) != len(y):
            raise InvalidArgument(
                f"predictions and labels must hold the same number of samples, got {len(y_hat)} and {len(y)}."
            )
        pairs = torch.bincount(y_hat * self.classes + y.to(y_hat.device), minlength=self.classes**2)
        return {"counts": pairs.reshape(self.classes, self.classes).double()}

    def value(self, sums: Mapping[str, Tensor]) -> Tensor:
        """Compute H(Ŷ) + H(Y) − H(Ŷ,Y)."""
        counts, entropy = sums["counts"], _ENTROPY[self.correction]
        information = entropy(counts.sum(1)) + entropy(counts.sum(0)) - entropy(counts.reshape(-1))
        return information.clamp_min(0.0)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"classes={self.classes}, correction={self.correction!r}"
