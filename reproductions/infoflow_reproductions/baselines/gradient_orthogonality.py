"""An ensemble whose members have orthogonal gradients with respect to the input."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeFloat, validated
from infoflow.objectives import Objective


class GradientOrthogonality(Objective):
    """Cross-entropy of an ensemble plus the overlap of its members' input gradients.

    Parameters
    ----------
    weight
        Weight λ of the overlap.

    Raises
    ------
    InvalidArgument
        From `forward`, if there are fewer than two members.

    Notes
    -----
    Σ_k CE(z_k, y)/K + λ mean_{k<l} mean_i cos²(∇_x z_k[y_i], ∇_x z_l[y_i]), where z_k are the logits of member k and
    z_k[y_i] that of the class of sample i. A step differentiates gradients and takes about three times as long as a
    plain one. The terms are `cross_entropy` in nats and `gradient_overlap`, 0 if orthogonal and 1 if parallel.

    References
    ----------
    Teney et al.: Evading the simplicity bias, CVPR 2022, eq. 2 (there with the inner product).

    Examples
    --------
    >>> from torch import nn
    >>> members = [nn.Sequential(nn.Flatten(), nn.Linear(4, 2)) for _ in range(2)]
    >>> objective = GradientOrthogonality()
    >>> loss = objective(members, torch.randn(6, 1, 2, 2), torch.tensor([0, 1, 0, 1, 0, 1]))
    >>> sorted(objective.terms)
    ['cross_entropy', 'gradient_overlap']
    """

    @validated
    def __init__(self, weight: NonNegativeFloat = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, members: Sequence[Callable[[Tensor], Tensor]], x: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of the members on inputs (n, ...) and labels (n,)."""
        if len(members) < 2:
            raise InvalidArgument("members", "at least 2 networks", got_text=f"{len(members)}")
        x = x.detach().requires_grad_()
        logits = [member(x) for member in members]
        cross_entropy = torch.stack([F.cross_entropy(z, labels) for z in logits]).mean()
        directions = []
        for z in logits:
            own = z.gather(1, labels[:, None]).sum()
            (gradient,) = torch.autograd.grad(own, x, create_graph=True)
            directions.append(F.normalize(gradient.flatten(1), dim=1))
        pairs = itertools.combinations(directions, 2)
        overlap = torch.stack([(a * b).sum(1).square().mean() for a, b in pairs]).mean()
        total = cross_entropy + self.weight * overlap
        self.record({"cross_entropy": cross_entropy, "gradient_overlap": overlap})
        return total
