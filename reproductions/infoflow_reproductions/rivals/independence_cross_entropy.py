"""Independence cross-entropy: what the classifier doesn't use shall not tell the class."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from infoflow.core.blocks import Builder
from infoflow.core.checks import integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.objectives import Objective


class IndependenceCrossEntropy(Objective):
    """CE(z_s, y) + λ max(0, log C − CE(D(z_n), y)): all that tells y goes into the logits z_s, none into the rest z_n.

    The second term is a lower bound on I(Z_n;Y) for labels of equal frequency, by an adversary D, a perceptron of this
    module that minimizes `opponent_loss(z_n, y)` in turn. Published for invertible networks, where nothing can be
    dropped; elsewhere it needs something beside it that keeps the information up, such as `InformationFlow`.

    `features` is the width of z_n (further axes are flattened), λ = `weight`. Raises InvalidArgument for other widths
    and numbers out of range. Jacobsen et al.: Excessive invariance causes adversarial vulnerability, ICLR 2019, def. 3.

    >>> import torch
    >>> loss = IndependenceCrossEntropy(4, classes=3)
    >>> total = loss(torch.zeros(5, 3), torch.randn(5, 4), torch.zeros(5, dtype=torch.int64))
    >>> sorted(loss.terms)
    ['cross_entropy', 'nuisance_information']
    """

    def __init__(
        self, features: int, classes: int, *, weight: float = 1.0, hidden: Sequence[int] = (256,), seed: int = 0
    ) -> None:
        super().__init__()
        self.features, self.classes = integer(features, "features"), integer(classes, "classes", minimum=2)
        self.weight = positive(weight, "weight", zero=True)
        self.classifier = Builder(seed, False).perceptron([features, *hidden, classes], "relu")

    def forward(self, logits: Tensor, nuisance: Tensor, labels: Tensor) -> Tensor:
        """The network's loss, with D as it is; the terms in nats are `cross_entropy` and `nuisance_information`."""
        cross_entropy = F.cross_entropy(logits, labels)
        information = math.log(self.classes) - F.cross_entropy(self._predicted(nuisance), labels)
        total = cross_entropy + self.weight * information.clamp_min(0)
        self.record({"cross_entropy": cross_entropy, "nuisance_information": information})
        return total

    def opponent_loss(self, nuisance: Tensor, labels: Tensor) -> Tensor:
        """D's own loss, CE(D(z_n), y), without gradient to the network.

        >>> import torch
        >>> loss = IndependenceCrossEntropy(4, classes=3)
        >>> loss.opponent_loss(torch.randn(5, 4), torch.zeros(5, dtype=torch.int64)).shape
        torch.Size([])
        """
        value = F.cross_entropy(self._predicted(nuisance.detach()), labels)
        self.record({"adversary": value})
        return value

    def _predicted(self, nuisance: Tensor) -> Tensor:
        rows = nuisance.flatten(1)
        if rows.shape[1] != self.features:
            raise InvalidArgument(f"nuisance has {rows.shape[1]} features a sample; want {self.features}")
        logits: Tensor = self.classifier(rows)
        return logits
