"""Learning from two augmented views of each input: contrastive, by decorrelation, and Deep InfoMax across views."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.bounds import infonce
from infoflow.core.blocks import Builder, uninitialized
from infoflow.core.checks import integer, positive
from infoflow.core.distributed import Group, gather
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.critics import LocalCritic, split_pairs
from infoflow.objectives.deep_infomax.encoding import Encoding, encode
from infoflow.objectives.objective import ModelObjective


class _Views(ModelObjective):
    """An encoder applied to both views in one pass."""

    def __init__(self, encoder: nn.Module, group: Group) -> None:
        super().__init__()
        self.encoder = encoder
        self.group = group

    def both(self, first: Tensor, second: Tensor) -> tuple[Encoding, Encoding]:
        """The encodings of two views (n, ...) of the same inputs."""
        if first.shape != second.shape:
            raise InvalidArgument(f"views have shapes {tuple(first.shape)} and {tuple(second.shape)}; want the same")
        if len(first) < 2 and self.group is None:
            raise TooFewSamples(f"a batch of {len(first)} has no negatives; want at least two inputs")
        local, vector = encode(self.encoder, torch.cat([first, second]))
        n = len(first)
        return Encoding(local[:n], vector[:n]), Encoding(local[n:], vector[n:])


class NTXent(_Views):
    """SimCLR: each view finds the other one of its input among all views of the batch.

        total = −infonce(cos(h_i, h_i') / t),   2n − 2 negatives

    h is a perceptron through `units` on the vector, to `projection` features. `group`: negatives from all its
    processes. Chen et al. (2020), Eq. 1.

    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> views = torch.randn(2, 5, 1, 8, 8)
    >>> objective = NTXent(encoder, 6)
    >>> loss = objective(*views)
    >>> sorted(objective.terms)
    ['infonce']
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        *,
        units: int = 512,
        projection: int = 128,
        temperature: float = 0.5,
        seed: int = 0,
        group: Group = None,
    ) -> None:
        super().__init__(encoder, group)
        self.temperature = positive(temperature, "temperature")
        widths = [integer(features, "features"), integer(units, "units"), integer(projection, "projection")]
        self.head = Builder(seed, spectral_norm=False).perceptron(widths, "relu")

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The loss of two views of a batch."""
        one, other = self.both(first, second)
        projected = F.normalize(self.head(torch.cat([one.vector, other.vector])), dim=1)
        n, (everyone, offset, _) = len(first), gather(projected, self.group, name="vectors")
        table = projected @ everyone.T / self.temperature
        rows = torch.arange(2 * n, device=table.device)
        itself, partner = offset + rows, offset + rows.roll(n)
        kept = torch.ones_like(table, dtype=torch.bool)
        kept[rows, itself] = kept[rows, partner] = False
        options = {} if self.group is None else {"group": self.group}
        value = infonce(table[rows, partner], table, mask=kept, **options)
        self.record({"infonce": value})
        return -value


class VICReg(_Views):
    """Views alike, features of unit variance, features uncorrelated: no negatives.

        total = invariance·‖h − h'‖²/d + variance·mean_j relu(1 − σ_j) + covariance·Σ_{j≠k} C_jk²/d

    the last two for each view. h is a perceptron on the vector. `group`: σ and C are those of all its processes.
    Bardes et al. (2022), Eqs. 1 to 6.

    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> objective = VICReg(encoder, 6)
    >>> loss = objective(*torch.randn(2, 5, 1, 8, 8))
    >>> sorted(objective.terms)
    ['covariance', 'invariance', 'variance']
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: int,
        *,
        units: int = 512,
        projection: int = 512,
        invariance: float = 25.0,
        variance: float = 25.0,
        covariance: float = 1.0,
        seed: int = 0,
        group: Group = None,
    ) -> None:
        super().__init__(encoder, group)
        self.weights = {
            name: positive(value, name, zero=True)
            for name, value in (("invariance", invariance), ("variance", variance), ("covariance", covariance))
        }
        widths = [integer(features, "features"), integer(units, "units"), integer(projection, "projection")]
        self.head = Builder(seed, spectral_norm=False).perceptron(widths, "relu")

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The loss of two views of a batch."""
        one, other = self.both(first, second)
        projected = self.head(torch.cat([one.vector, other.vector]))
        both = [gather(part.contiguous(), self.group, name="vectors").values for part in projected.chunk(2)]
        terms = {
            "invariance": (both[0] - both[1]).square().mean(),
            "variance": torch.stack([F.relu(1 - (h.var(0) + 1e-4).sqrt()).mean() for h in both]).mean(),
            "covariance": torch.stack([_off_diagonal(h) for h in both]).sum(),
        }
        total = torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()
        self.record(terms)
        return total


def _off_diagonal(h: Tensor) -> Tensor:
    centered = h - h.mean(0)
    covariance = centered.T @ centered / (len(h) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / h.shape[1]


class DotCritic(LocalCritic):
    """AMDIM's critic: map and vector each through a small residual encoder, score their dot product / √units.

    `scores` as in `LocalCritic`. Bachman et al. (2019), section 3.3.

    >>> DotCritic(8, 6, units=32).scores(torch.randn(5, 8, 4, 4), torch.randn(5, 6))[1].shape
    torch.Size([1, 5, 64])
    """

    def __init__(self, channels: int, features: int, *, units: int = 256, seed: int | torch.Generator = 0) -> None:
        super().__init__(channels, features)
        build = Builder(seed, spectral_norm=False)
        self.units = integer(units, "units")
        self.of_map = _Projection(channels, units, build)
        self.of_vector = _Projection(features, units, build)

    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        maps, summary = self.locations(x, y)
        if maps.shape[0] < 2 and group is None:
            raise TooFewSamples("a batch of one pair has no negatives; want at least two pairs")
        everyone, offset, _ = gather(self.of_map(maps), group, name="x")
        table = torch.einsum("nu,jlu->lnj", self.of_vector(summary), everyone) / self.units**0.5
        own, others = split_pairs(table, offset)
        return own, others.transpose(0, 1).flatten(1).unsqueeze(0)


class _Projection(nn.Module):
    def __init__(self, inputs: int, units: int, build: Builder) -> None:
        super().__init__()
        self.body = nn.Sequential(build.linear(inputs, units), nn.ReLU(), build.linear(units, units))
        self.shortcut = uninitialized(inputs, units, bias=False)
        nn.init.orthogonal_(self.shortcut.weight, generator=build.generator)

    def forward(self, x: Tensor) -> Tensor:
        projected: Tensor = self.body(x) + self.shortcut(x)
        return projected


class MultiViewDeepInfoMax(_Views):
    """Deep InfoMax across views: the vector of one view finds the local features of the other (AMDIM, one scale).

        total = −½ Σ over both directions of mean_l infonce(s(map_l, y')) + penalty · E s²,
        s = clip · tanh(T / clip)

    T are the critic's scores; the clip bounds them and the penalty keeps them off the clip. `group` as in
    `DeepInfoMax`. Bachman et al. (2019), Eqs. 2 to 5.

    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> objective = MultiViewDeepInfoMax(encoder, DotCritic(4, 6, units=16))
    >>> loss = objective(*torch.randn(2, 5, 1, 8, 8))
    >>> sorted(objective.terms)
    ['local', 'penalty']
    """

    def __init__(
        self, encoder: nn.Module, critic: nn.Module, *, clip: float = 20.0, penalty: float = 4e-2, group: Group = None
    ) -> None:
        super().__init__(encoder, group)
        self.critic = critic
        self.clip = positive(clip, "clip")
        self.penalty = positive(penalty, "penalty", zero=True)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The loss of two views of a batch."""
        one, other = self.both(first, second)
        options = {} if self.group is None else {"group": self.group}
        values, squares = [], []
        for local, vector in ((one.map, other.vector), (other.map, one.vector)):
            raw = self.critic.scores(local, vector, **options)  # type: ignore[operator]
            squares += [scores.square().mean() for scores in raw]
            positive_scores, negative = (self.clip * torch.tanh(scores / self.clip) for scores in raw)
            values.append(infonce(positive_scores, negative, **options).mean())
        value, penalty = torch.stack(values).mean(), torch.stack(squares).mean()
        self.record({"local": value, "penalty": penalty})
        return -value + self.penalty * penalty
