"""The nats that a classifier loses because its confidence is not its accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import torch
from torch import Tensor

from infoflow.core.distributed import Group
from infoflow.core.settings import Integer, PositiveInt, validated
from infoflow.metrics.metric import Metric, flat_classes, log_probabilities


class CalibrationLoss(Metric):
    """Nats per sample that are lost by miscalibration: the divergence of accuracy from confidence in bins.

    Parameters
    ----------
    classes
        Number C of classes.
    bins
        Number of bins of equal width between 0 and 1, by the probability of the predicted class.
    group
        Process group over whose processes `compute` adds the sums.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range, or logits and labels do not fit.

    Notes
    -----
    `update(logits, labels)` takes logits (n, C) and classes (n,). With n_b samples, accuracy a_b and mean confidence
    c_b in bin b the value is

        Σ_b (n_b / n) [a_b log(a_b / c_b) + (1 − a_b) log((1 − a_b) / (1 − c_b))].

    The cross-entropy of a classifier is H(Y|q) + E[KL(P(Y|q) ‖ q)], and only the second part can be recovered by
    recalibration. In expectation over infinitely many samples the value is a lower bound on that part, since neither
    the predicted class alone nor bins can raise a divergence. In a finite sample, the B bins that are filled add about
    B/(2n) nats, even for a calibrated classifier.

    References
    ----------
    Bröcker (2009), Reliability, sufficiency, and the decomposition of proper scores, Q. J. R. Meteorol. Soc. 135, 1512.
    Guo et al. (2017), On calibration of modern neural networks, arXiv 1706.04599, for bins by confidence.

    Examples
    --------
    >>> metric = CalibrationLoss(classes=2)
    >>> logits = torch.tensor([[0.9, 0.1]]).log().expand(4, 2)
    >>> metric.update(logits, torch.tensor([0, 0, 0, 1]))  # confidence 0.9, accuracy 0.75
    >>> metric.compute()
    tensor(0.0923)
    """

    @validated
    def __init__(self, classes: Annotated[int, Integer(2)], *, bins: PositiveInt = 15, group: Group = None) -> None:
        super().__init__(dict.fromkeys(("samples", "correct", "confidence", "doubt"), (bins,)), group)
        self.classes, self.bins = classes, bins

    def batch_sums(self, *batch: Tensor) -> dict[str, Tensor]:
        """Add up, for each bin, samples, correct ones, confidence and one minus confidence."""
        logits, labels = batch
        y = flat_classes(labels, "labels", self.classes)
        log_q = log_probabilities(logits, y, self.classes)
        top, predicted = log_q.max(dim=1)
        # Of the bin's edges, the upper one belongs to it; 1 − c comes from logarithms, where 1 − 1 would be 0.
        which = (top.exp() * self.bins).ceil().long().clamp(1, self.bins) - 1
        others = log_q.scatter(1, predicted[:, None], float("-inf"))
        added = {
            "samples": torch.ones_like(top),
            "correct": (predicted == y.to(predicted.device)).double(),
            "confidence": top.exp(),
            "doubt": others.logsumexp(dim=1).exp(),
        }
        return {name: top.new_zeros(self.bins).index_add_(0, which, each) for name, each in added.items()}

    def value(self, sums: Mapping[str, Tensor]) -> Tensor:
        """Compute the divergence."""
        n, correct = sums["samples"], sums["correct"]
        tiny = torch.finfo(torch.float64).tiny
        right = torch.xlogy(correct, correct / sums["confidence"].clamp_min(tiny))
        wrong = torch.xlogy(n - correct, (n - correct) / sums["doubt"].clamp_min(tiny))
        return ((right + wrong).sum() / n.sum()).clamp_min(0.0)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"classes={self.classes}, bins={self.bins}"
