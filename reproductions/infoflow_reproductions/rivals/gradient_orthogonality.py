"""An ensemble whose members look at different things: their gradients with respect to the input are orthogonal."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.core.checks import positive
from infoflow.core.errors import InvalidArgument
from infoflow.objectives import Objective


class GradientOrthogonality(Objective):
    """Σ_k CE(z_k, y)/K + λ mean_{k<l} mean_i cos²(∇_x z_k[y_i], ∇_x z_l[y_i]): members that rely on different pixels.

    z_k are the members' logits, z_k[y_i] that of sample i's class. λ = `weight`. It differentiates the gradients, so a
    step costs about three plain ones of each member.

    Raises InvalidArgument for fewer than two members. Teney et al.: Evading the simplicity bias, CVPR 2022, eq. 2
    (there the plain inner product).

    >>> from torch import nn
    >>> members = [nn.Sequential(nn.Flatten(), nn.Linear(4, 2)) for _ in range(2)]
    >>> objective = GradientOrthogonality()
    >>> loss = objective(members, torch.randn(6, 1, 2, 2), torch.tensor([0, 1, 0, 1, 0, 1]))
    >>> sorted(objective.terms)
    ['cross_entropy', 'gradient_overlap']
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = positive(weight, "weight", zero=True)

    def forward(self, members: Sequence[Callable[[Tensor], Tensor]], x: Tensor, labels: Tensor) -> Tensor:
        """The loss, and its terms: `cross_entropy` (nats), `gradient_overlap` (0 orthogonal, 1 parallel)."""
        if len(members) < 2:
            raise InvalidArgument(f"members holds {len(members)}; want at least two to differ")
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
