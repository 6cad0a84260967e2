"""The three networks of Deep InfoMax: a whole feature map, or each of its locations, against the summary vector."""

from __future__ import annotations

import abc

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.blocks import Builder, Residual
from infoflow.core.checks import integer
from infoflow.core.distributed import Group, gather
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.critics.pairs import shifts, split_pairs
from infoflow.critics.vectors import Concatenated, paired_rows, rows


class GlobalCritic(Concatenated):
    """DIM(G)'s network: a perceptron 512-512-1 on [flattened feature map, summary].

    x is the map (n, channels, height, width) or anything with `x_features` entries a sample, y the summary.
    Arguments and `scores` as in `Concatenated`; the paper sets one shuffled map against each (`negatives=1`).
    Hjelm et al. (2019), appendix A.2, table 5.

    >>> critic = GlobalCritic(8 * 4 * 4, 6)
    >>> critic.scores(torch.ones(5, 8, 4, 4), torch.ones(5, 6))[1].shape
    torch.Size([5, 1])
    """

    def __init__(
        self,
        x_features: int,
        y_features: int,
        *,
        negatives: int | None = 1,
        spectral_norm: bool = False,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(
            x_features, y_features, (512, 512), negatives=negatives, spectral_norm=spectral_norm, seed=seed
        )


class LocalCritic(nn.Module, abc.ABC):
    """What the local critics share: every location of a map (n, channels, ...) against a summary (n,
    features).

    `scores(maps, summary)` gives positive (L, n), the score of summary i with location l of its own map, and
    negative (1, n, k·L), its scores with all locations of k other maps: every location meets the same
    strangers, so they are held once. A bound of these is one number a location; the paper averages them.

    >>> issubclass(EncodeAndDot, LocalCritic), issubclass(ConcatAndConvolve, LocalCritic)
    (True, True)
    """

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.channels = integer(channels, "channels")
        self.features = integer(features, "features")

    @abc.abstractmethod
    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        """Positive (L, n) and negative (1, n, k·L) of maps x (n, channels, ...) and summaries y (n,
        features).

        With `group`, the other maps come from all its processes. Raises InvalidArgument for shapes that don't
        fit, TooFewSamples for a batch of one.
        """

    def forward(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        """The same as `scores`, so that wrappers such as DistributedDataParallel see the call."""
        return self.scores(x, y, group=group)

    def locations(self, maps: Tensor, summary: Tensor) -> tuple[Tensor, Tensor]:
        """(n, L, channels) and (n, features)."""
        if not isinstance(maps, Tensor) or maps.ndim < 3 or maps.shape[1] != self.channels:
            got = tuple(maps.shape) if isinstance(maps, Tensor) else type(maps).__name__
            raise InvalidArgument(f"x is {got}; want feature maps of shape (n, {self.channels}, height, width)")
        return maps.flatten(2).mT, paired_rows(maps, rows(summary, "y", self.features))


class ConcatAndConvolve(LocalCritic):
    """DIM(L)'s first network: the summary joined to every location, then 1×1 convolutions 512-512-1.

    `negatives` is how many other maps a summary meets (its followers in the batch; the paper takes 1, None
    means all). `scores` as in `LocalCritic`. Hjelm et al. (2019), appendix A.2, table 6.

    >>> positive, negative = ConcatAndConvolve(8, 6).scores(torch.ones(5, 8, 4, 4), torch.ones(5, 6))
    >>> positive.shape, negative.shape
    (torch.Size([16, 5]), torch.Size([1, 5, 16]))
    """

    def __init__(
        self,
        channels: int,
        features: int,
        *,
        units: int = 512,
        negatives: int | None = 1,
        spectral_norm: bool = False,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(channels, features)
        if negatives is not None:
            integer(negatives, "negatives")
        self.negatives = negatives
        network = Builder(seed, spectral_norm).perceptron([channels + features, units, units, 1], "relu", "units")
        self.first: nn.Linear = network[0]  # type: ignore[assignment]
        self.rest = network[1:]

    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        maps, summary = self.locations(x, y)
        everyone, offset, _ = gather(maps, group, name="x")
        n = summary.shape[0]
        own = torch.arange(n)[:, None] + offset
        chosen = torch.cat([own, shifts(n, everyone.shape[0], self.negatives, offset)], 1).to(x.device)
        # W[c, y] = W_c c + W_y y: each location and each summary goes through the first layer once.
        weight = self.first.weight
        from_maps = F.linear(everyone, weight[:, : self.channels], self.first.bias)
        from_summary = F.linear(summary, weight[:, self.channels :])
        table = self.rest(from_maps[chosen] + from_summary[:, None, None])[..., 0]
        return table[:, 0].T, table[:, 1:].flatten(1).unsqueeze(0)


class EncodeAndDot(LocalCritic):
    """DIM(L)'s second network: locations and summary each encoded into `units` dimensions, scored by the dot
    product.

    The encoders are residual blocks with batch norm and a layer norm at the end. All other maps of the batch
    are strangers: n² scores cost 2n passes. `scores` as in `LocalCritic`. Under several processes the batch
    norms see their own shard unless converted by torch.nn.SyncBatchNorm. Hjelm et al. (2019), appendix A.2,
    tables 7 and 8.

    >>> positive, negative = EncodeAndDot(8, 6, units=32).scores(torch.randn(5, 8, 4, 4), torch.randn(5, 6))
    >>> positive.shape, negative.shape
    (torch.Size([16, 5]), torch.Size([1, 5, 64]))
    """

    def __init__(
        self,
        channels: int,
        features: int,
        *,
        units: int = 2048,
        spectral_norm: bool = False,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(channels, features)
        build = Builder(seed, spectral_norm)
        self.map_encoder = Residual(channels, integer(units, "units"), build)
        self.summary_encoder = Residual(features, units, build)

    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        maps, summary = self.locations(x, y)
        if maps.shape[0] < 2 and group is None:
            raise TooFewSamples("a batch of one pair has no negatives; want at least two pairs")
        everyone, offset, _ = gather(self.map_encoder(maps), group, name="x")
        table = torch.einsum("nu,jlu->lnj", self.summary_encoder(summary), everyone)
        own, others = split_pairs(table, offset)  # (L, n), (L, n, N − 1)
        return own, others.transpose(0, 1).flatten(1).unsqueeze(0)
