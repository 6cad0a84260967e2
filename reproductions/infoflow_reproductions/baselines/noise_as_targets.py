"""Mapping of every input to a random target, which the inputs of a batch may exchange."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Seed, validated
from infoflow.objectives.deep_infomax.encoding import encode
from infoflow.objectives.objective import ModelObjective
from infoflow.objectives.priors import Sphere


class NoiseAsTargets(ModelObjective):
    """NAT: one fixed target per input, uniform on the sphere; a batch assigns its targets to its inputs.

    Parameters
    ----------
    encoder
        Network from inputs to map and vector.
    size
        Number of inputs in the data set.
    features
        Length of the vector.
    seed
        Seed of the targets.

    Raises
    ------
    InvalidArgument
        From `forward`, if row numbers or vectors have the wrong shape or rows lie outside of the data set.

    Notes
    -----
    total = mean_i ‖y_i/‖y_i‖ − t_σ(i)‖², where σ is the assignment of the batch's own targets of the least cost.
    `forward(inputs, rows)` takes the row numbers (int64) of the inputs in the data set. The targets are a buffer that
    training mode exchanges and checkpoints contain. The assignment takes O(B³) on the processor.

    References
    ----------
    Bojanowski and Joulin: Unsupervised learning by predicting noise, ICML 2017, eqs. 4 and 5.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> bool(NoiseAsTargets(encoder, 100, 6)(torch.randn(5, 1, 8, 8), torch.arange(5)) < 4)
    True
    """

    targets: Tensor

    @validated
    def __init__(self, encoder: nn.Module, size: PositiveInt, features: PositiveInt, *, seed: Seed = 0) -> None:
        super().__init__()
        self.encoder = encoder
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("targets", Sphere().sample(torch.empty(size, features), generator))

    def forward(self, inputs: Tensor, rows: Tensor) -> Tensor:
        """Return the loss of a batch, 2 where vectors and targets are unrelated."""
        vector = Sphere().squash(encode(self.encoder, inputs).vector)
        size, features = self.targets.shape
        if vector.shape[1] != features:
            raise InvalidArgument("encoder", f"a network to {features} features", got_text=f"{vector.shape[1]}")
        if rows.shape != (len(inputs),) or rows.is_floating_point():
            got = f"shape {tuple(rows.shape)} and {rows.dtype}"
            raise InvalidArgument("rows", f"integers of shape ({len(inputs)},)", got_text=got)
        if bool((rows < 0).any()) or bool((rows >= size).any()):
            raise InvalidArgument(
                "rows", f"between 0 and {size - 1}", got_text=f"{int(rows.min())} to {int(rows.max())}"
            )
        own = self.targets[rows]
        # For unit vectors the least squared distance is the largest inner product.
        best = linear_sum_assignment((vector.detach().float() @ own.T).cpu().numpy(), maximize=True)[1]
        given = own[torch.from_numpy(best).to(own.device)]
        if self.training:
            self.targets[rows] = given
        total = (vector - given).square().sum(1).mean()
        self.record({"distance": total})
        return total
