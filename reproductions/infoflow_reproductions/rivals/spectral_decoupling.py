"""Cross-entropy that stays interested: a penalty on the logits keeps one feature from starving the others."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from infoflow.core.checks import positive
from infoflow.objectives.classification import ClassificationLoss


class SpectralDecoupling(ClassificationLoss):
    """Cross-entropy plus the logits' mean square: H(Y|X) + (λ/2) mean_i ‖z_i‖²; for `nn.CrossEntropyLoss`.

    Under cross-entropy alone a feature that suffices takes all of the gradient (gradient starvation); with the penalty,
    confidence from one feature costs, and others that agree keep being learned. λ = `weight`. The other arguments,
    shapes and errors as in `ClassificationLoss`; samples count by their weight. "none" is the loss of each sample.

    Pezeshki et al.: Gradient starvation: a learning proclivity in neural networks, NeurIPS 2021, eq. 21.

    >>> import torch
    >>> loss = SpectralDecoupling(weight=0.1)
    >>> loss(torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 1]))  # 0.1269 + 0.05 · 4
    tensor(0.3269)
    """

    def __init__(self, weight: float = 0.1, **options: Any) -> None:
        super().__init__(**options)
        self.weight = positive(weight, "weight", zero=True)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss (`total`) and its terms, detached: `cross_entropy` (nats), `logit_norm` mean_i ‖z_i‖².

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
        total = batch.reduced(cross_entropy + 0.5 * self.weight * norms, self.reduction)
        terms = {"cross_entropy": batch.mean(cross_entropy), "logit_norm": batch.mean(norms)}
        self.record(terms)
        return total
