"""Cross-entropy with a penalty on the logits, against gradient starvation."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from infoflow.core.settings import NonNegativeFloat, validated
from infoflow.objectives.classification import ClassificationLoss


class SpectralDecoupling(ClassificationLoss):
    """Cross-entropy plus the mean square of the logits, in place of `nn.CrossEntropyLoss`.

    Parameters
    ----------
    penalty_weight
        Weight λ of the penalty.
    **options
        Options of `ClassificationLoss`.

    Notes
    -----
    H(Y|X) + (λ/2) mean_i ‖z_i‖², where samples count by their weight. With cross-entropy alone a sufficient feature
    takes all of the gradient (gradient starvation); with the penalty, further features continue to be learned. The
    terms are `cross_entropy` in nats and `logit_norm`, mean_i ‖z_i‖².

    References
    ----------
    Pezeshki et al.: Gradient starvation: a learning proclivity in neural networks, NeurIPS 2021, eq. 21.

    Examples
    --------
    >>> import torch
    >>> loss = SpectralDecoupling(penalty_weight=0.1)
    >>> loss(torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 1]))  # 0.1269 + 0.05 · 4
    tensor(0.3269)
    """

    @validated
    def __init__(self, penalty_weight: NonNegativeFloat = 0.1, **options: Any) -> None:
        super().__init__(**options)
        self.penalty_weight = penalty_weight

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of logits (n, classes, ...) and labels (n, ...).

        Examples
        --------
        >>> import torch
        >>> loss = SpectralDecoupling()
        >>> _ = loss(torch.zeros(4, 3), torch.tensor([0, 1, 2, 2]))
        >>> sorted(loss.terms)
        ['cross_entropy', 'logit_norm']
        """
        batch = self.batch(logits, labels)
        rows = logits[None, :] if logits.ndim == 1 else logits.movedim(1, -1).reshape(-1, logits.shape[1])
        norms = batch.weights * rows.to(batch.log_q).square().sum(dim=1)
        cross_entropy = batch.cross_entropy()
        total = batch.reduced(cross_entropy + 0.5 * self.penalty_weight * norms, self.reduction)
        self.record({"cross_entropy": batch.mean(cross_entropy), "logit_norm": batch.mean(norms)})
        return total
