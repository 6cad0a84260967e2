"""Learns to map every input to a random target of its own, which inputs may exchange."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.deep_infomax.encoding import encode
from infoflow.objectives.objective import ModelObjective
from infoflow.objectives.priors import Sphere


class NoiseAsTargets(ModelObjective):
    """NAT: n fixed targets, uniform on the sphere; each batch hands its targets to its inputs at the least cost.

        total = mean_i ‖y_i/‖y_i‖ − t_σ(i)‖²,   σ the best assignment of the batch's own targets

    `forward(inputs, rows)` needs the inputs' row numbers in the data set (n = `size` of it), int64. The targets are a
    buffer: they are exchanged in training mode, and a checkpoint keeps them. Solving the assignment takes O(B³) on the
    processor.

    Raises InvalidArgument for rows outside the data set. Bojanowski and Joulin (2017), Eqs. 4 and 5.

    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> bool(NoiseAsTargets(encoder, 100, 6)(torch.randn(5, 1, 8, 8), torch.arange(5)) < 4)
    True
    """

    targets: Tensor

    def __init__(self, encoder: nn.Module, size: int, features: int, *, seed: int = 0) -> None:
        super().__init__()
        self.encoder = encoder
        generator = torch.Generator().manual_seed(integer(seed, "seed", minimum=0))
        like = torch.empty(integer(size, "size"), integer(features, "features"))
        self.register_buffer("targets", Sphere().sample(like, generator))

    def forward(self, inputs: Tensor, rows: Tensor) -> Tensor:
        """The loss of a batch, 2 where vectors and targets are unrelated."""
        vector = Sphere().squash(encode(self.encoder, inputs).vector)
        if rows.shape != (len(inputs),) or rows.is_floating_point() or vector.shape[1] != self.targets.shape[1]:
            raise InvalidArgument(
                f"rows have shape {tuple(rows.shape)} and {rows.dtype}, vectors {tuple(vector.shape)}; want row "
                f"numbers ({len(inputs)},) and {self.targets.shape[1]} features"
            )
        if bool((rows < 0).any()) or bool((rows >= len(self.targets)).any()):
            raise InvalidArgument(f"rows reach {int(rows.max())}, of {len(self.targets)} targets; want 0 to size − 1")
        own = self.targets[rows]
        # Unit vectors: the least squared distance is the largest inner product.
        best = linear_sum_assignment((vector.detach().float() @ own.T).cpu().numpy(), maximize=True)[1]
        given = own[torch.from_numpy(best).to(own.device)]
        if self.training:
            self.targets[rows] = given
        total = (vector - given).square().sum(1).mean()
        self.record({"distance": total})
        return total
