"""Independence cross-entropy: outputs that the classifier does not use must not depend on the class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch.nn.functional as F
from torch import Tensor

from infoflow.core.blocks import Builder
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, NonNegativeFloat, PositiveInt, validated
from infoflow.objectives import Objective


class IndependenceCrossEntropy(Objective):
    """Cross-entropy of the logits plus the information on the class in the other outputs.

    Parameters
    ----------
    features
        Width of the other outputs z_n; further axes are flattened.
    classes
        Number of classes C.
    weight
        Weight λ of the information.
    hidden
        Widths of the adversary's hidden layers.
    seed
        Seed of the adversary's first weights.

    Raises
    ------
    InvalidArgument
        From `forward`, if z_n has another width.

    Notes
    -----
    CE(z_s, y) + λ max(0, log C − CE(D(z_n), y)) with logits z_s. The second term is a lower bound on I(Z_n;Y) for
    labels of equal frequency, by an adversary D, a perceptron of this module that minimizes `opponent_loss(z_n, y)` in
    turn. It was published for invertible networks, which retain all information; other networks require a further term
    that retains it, such as `InformationFlow`. The terms are `cross_entropy` and `nuisance_information` in nats.

    References
    ----------
    Jacobsen et al.: Excessive invariance causes adversarial vulnerability, ICLR 2019, def. 3.

    Examples
    --------
    >>> import torch
    >>> loss = IndependenceCrossEntropy(4, classes=3)
    >>> total = loss(torch.zeros(5, 3), torch.randn(5, 4), torch.zeros(5, dtype=torch.int64))
    >>> sorted(loss.terms)
    ['cross_entropy', 'nuisance_information']
    """

    @validated
    def __init__(
        self,
        features: PositiveInt,
        classes: Annotated[int, Integer(2)],
        *,
        weight: NonNegativeFloat = 1.0,
        hidden: Sequence[int] = (256,),
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.features, self.classes, self.weight = features, classes, weight
        self.classifier = Builder(seed, False).perceptron([features, *hidden, classes], "relu")

    def forward(self, logits: Tensor, nuisance: Tensor, labels: Tensor) -> Tensor:
        """Return the network's loss with the present adversary."""
        cross_entropy = F.cross_entropy(logits, labels)
        information = math.log(self.classes) - F.cross_entropy(self._predicted(nuisance), labels)
        total = cross_entropy + self.weight * information.clamp_min(0)
        self.record({"cross_entropy": cross_entropy, "nuisance_information": information})
        return total

    def opponent_loss(self, nuisance: Tensor, labels: Tensor) -> Tensor:
        """Return the adversary's loss CE(D(z_n), y), without a gradient for the network.

        Examples
        --------
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
            raise InvalidArgument("nuisance", f"of {self.features} features per sample", got_text=f"{rows.shape[1]}")
        logits: Tensor = self.classifier(rows)
        return logits
