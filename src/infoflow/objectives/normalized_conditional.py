"""Normalized conditional mutual information of a classifier's output: within-class spread over class separation."""

from __future__ import annotations

import warnings
from typing import Any, Literal

import torch
from torch import Tensor

from infoflow.core.settings import NonNegativeFloat, Probability, validated
from infoflow.objectives.classification import ClassificationLoss, LabeledBatch, nonzero


class NormalizedConditionalInformation(ClassificationLoss):
    """Cross-entropy with the spread I(X;Ŷ|Y) of the predictions within classes and the separation Γ between classes.

    Parameters
    ----------
    ratio_weight
        Weight λ of the ratio, or of I(X;Ŷ|Y).
    separation
        Weight β of Γ in the form "constrained".
    cross_entropy
        Weight κ of the cross-entropy. With 0 only the surrogate is left, which does not assign clusters to classes.
    form
        "ratio" for κ H(y, q) + λ NCMI, "constrained" for κ H(y, q) + λ I(X;Ŷ|Y) − β Γ.
    weight : array-like of shape (C,), optional
        Weights of the classes.
    ignore_index
        Label of samples that do not count.
    label_smoothing
        Share of the uniform distribution in the targets of the cross-entropy.
    check
        Whether the contents are checked, which costs a GPU one synchronization.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; `UnknownName` for another form.

    Notes
    -----
    With s_y the mean prediction q_i of class y in the batch and H(p, q) = −Σ_c p_c log q_c,

        I(X;Ŷ|Y) = mean_i KL(q_i ‖ s_{y_i}),     Γ = mean_ij 1[y_i ≠ y_j] H(q_i, q_j),     NCMI = I(X;Ŷ|Y) / Γ.

    The terms are `conditional_entropy`, `conditional_information` and `separation` in nats, and `normalized`, the ratio
    of the last two. A batch of one class has no Γ; its ratio counts as 0, with a warning. Labels that are probabilities
    count as shares of a class. The cost is O(n C + C²), not O(n² C).

    References
    ----------
    Yang et al. (2023), Conditional mutual information constrained deep learning, arXiv 2309.09123. The ratio: Ye et al.
    (2026), arXiv 2601.02543.

    Examples
    --------
    >>> logits, labels = torch.tensor([[2.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 0, 1])
    >>> loss = NormalizedConditionalInformation()
    >>> loss(logits, labels)  # 0.1890 + 0.0167
    tensor(0.2058)
    >>> {name: round(value.item(), 4) for name, value in loss.terms.items()}
    {'conditional_entropy': 0.189, 'conditional_information': 0.0122, 'separation': 0.7289, 'normalized': 0.0167}
    """

    @validated
    def __init__(
        self,
        ratio_weight: NonNegativeFloat = 1.0,
        separation: NonNegativeFloat = 0.1,
        cross_entropy: NonNegativeFloat = 1.0,
        *,
        form: Literal["ratio", "constrained"] = "ratio",
        weight: Any = None,
        ignore_index: Any = -100,
        label_smoothing: Probability = 0.0,
        check: bool = True,
    ) -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing, check=check)
        self.form, self.ratio_weight = form, ratio_weight
        self.separation, self.cross_entropy = separation, cross_entropy

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        batch = self.batch(logits, labels)
        information, separation = _concentration(batch)
        if self.check and int((batch.labels.sum(dim=0) > 0).sum()) < 2:
            warnings.warn(
                "the batch holds one class only, so no class is separated from another and the ratio counts as 0; use "
                "larger batches",
                stacklevel=4,
            )
        tiny = torch.finfo(separation.dtype).tiny
        ratio = torch.where(separation > tiny, information / separation.clamp_min(tiny), information * 0)
        penalty = self.ratio_weight * ratio
        if self.form == "constrained":
            penalty = self.ratio_weight * information - self.separation * separation
        self.record(
            {
                "conditional_entropy": batch.conditional_entropy(),
                "conditional_information": information,
                "separation": separation,
                "normalized": ratio,
            }
        )
        return self.cross_entropy * batch.mean(batch.cross_entropy()) + penalty


def _concentration(batch: LabeledBatch) -> tuple[Tensor, Tensor]:
    """Compute I(X;Ŷ|Y) and Γ of the batch, in nats."""
    q, log_q, labels = batch.log_q.exp(), batch.log_q, batch.labels
    mass = nonzero(batch.weights.sum())
    sums, log_sums = labels.mT @ q, labels.mT @ log_q  # of each class, (C, C)
    centroids = (sums / nonzero(labels.sum(dim=0))[:, None]).clamp_min(torch.finfo(q.dtype).tiny)
    own = -(batch.weights * (q * log_q).sum(dim=1)).sum()
    information = ((-(sums * centroids.log())).sum() - own) / mass
    # All pairs, less those within a class.
    apart = (sums * log_sums).sum() - (sums.sum(dim=0) * log_sums.sum(dim=0)).sum()
    return information, apart / mass**2
