"""Normalized conditional mutual information of a classifier's output: how tight classes are, for how far apart."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import choice, positive
from infoflow.objectives.classification import ClassificationLoss, LabeledBatch, nonzero

FORMS = ("ratio", "constrained")


class NormalizedConditionalInformation(ClassificationLoss):
    """Cross-entropy with the tightness I(X;Ŷ|Y) of the classes' predictions and the separation Γ between them.

    With s_y the mean prediction q_i of class y in the batch,

        I(X;Ŷ|Y) = mean_i KL(q_i ‖ s_{y_i}),     Γ = mean_ij 1[y_i ≠ y_j] H(q_i, q_j),     NCMI = I(X;Ŷ|Y) / Γ,

    H(p, q) = −Σ_c p_c log q_c. "ratio": κ H(y, q) + λ NCMI; "constrained": κ H(y, q) + λ I(X;Ŷ|Y) − β Γ. λ = `weight`,
    β = `separation`, κ = `cross_entropy`. κ = 0 leaves the surrogate alone, which doesn't know which cluster is which
    class. A batch of one class has no Γ: its ratio counts as 0, with a warning. The cost is O(n C + C²), not O(n² C).

    Labels are classes (probabilities count as shares of a class). Other settings and errors are those of
    `ClassificationLoss`. (Yang et al. 2023, arXiv 2309.09123; the ratio: Ye et al. 2026, arXiv 2601.02543.)

    >>> logits, labels = torch.tensor([[2.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 0, 1])
    >>> loss = NormalizedConditionalInformation()
    >>> loss(logits, labels)  # 0.189 + 0.0167
    tensor(0.2058)
    >>> {name: round(value.item(), 4) for name, value in loss.terms.items()}
    {'conditional_entropy': 0.189, 'conditional_information': 0.0122, 'separation': 0.7289, 'normalized': 0.0167}
    """

    def __init__(
        self,
        weight: float = 1.0,
        separation: float = 0.1,
        cross_entropy: float = 1.0,
        *,
        form: str = "ratio",
        class_weights: Any = None,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
        check: bool = True,
    ) -> None:
        super().__init__(
            class_weights=class_weights, ignore_index=ignore_index, label_smoothing=label_smoothing, check=check
        )
        self.form = choice(form, "form", FORMS)
        self.weight = positive(weight, "weight", zero=True)
        self.separation = positive(separation, "separation", zero=True)
        self.cross_entropy = positive(cross_entropy, "cross_entropy", zero=True)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss, and the terms `conditional_entropy`, `conditional_information`, `separation` (nats) and
        `normalized`, the ratio of the last two.

        >>> loss = NormalizedConditionalInformation()
        >>> _ = loss(torch.zeros(2, 2), torch.tensor([0, 1]))
        >>> loss.terms["separation"]  # ½ log 2
        tensor(0.3466)
        """
        batch = self.batch(logits, labels)
        information, separation = _concentration(batch)
        if self.check and int((batch.labels.sum(dim=0) > 0).sum()) < 2:
            warnings.warn("the batch holds one class only, so nothing to be apart from; its ratio is 0", stacklevel=4)
        tiny = torch.finfo(separation.dtype).tiny
        ratio = torch.where(separation > tiny, information / separation.clamp_min(tiny), information * 0)
        cross_entropy = batch.mean(batch.cross_entropy())
        pull = self.weight * ratio
        if self.form == "constrained":
            pull = self.weight * information - self.separation * separation
        terms = {
            "conditional_entropy": batch.mean(-(batch.labels * batch.log_q).sum(dim=1)),
            "conditional_information": information,
            "separation": separation,
            "normalized": ratio,
        }
        total = self.cross_entropy * cross_entropy + pull
        self.record(terms)
        return total


def _concentration(batch: LabeledBatch) -> tuple[Tensor, Tensor]:
    """I(X;Ŷ|Y) and Γ of the batch, in nats."""
    q, log_q, labels = batch.log_q.exp(), batch.log_q, batch.labels
    mass = nonzero(batch.weights.sum())
    sums, log_sums = labels.mT @ q, labels.mT @ log_q  # of each class, (C, C)
    centroids = (sums / nonzero(labels.sum(dim=0))[:, None]).clamp_min(torch.finfo(q.dtype).tiny)
    own = -(batch.weights * (q * log_q).sum(dim=1)).sum()
    information = ((-(sums * centroids.log())).sum() - own) / mass
    # All pairs, less those within a class.
    apart = (sums * log_sums).sum() - (sums.sum(dim=0) * log_sums.sum(dim=0)).sum()
    return information, apart / mass**2
