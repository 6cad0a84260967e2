"""Objectives of two augmented views: contrastive, by decorrelation, and Deep InfoMax across views."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.bounds import infonce
from infoflow.core.blocks import Builder, uninitialized
from infoflow.core.distributed import Group, gather
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.settings import NonNegativeFloat, PositiveFloat, PositiveInt, validated
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
        """Return the encodings of two views (n, ...) of the same inputs."""
        if first.shape != second.shape:
            raise InvalidArgument("second", f"of shape {tuple(first.shape)}", got_text=f"shape {tuple(second.shape)}")
        if len(first) < 2 and self.group is None:
            raise TooFewSamples("first", "a batch of at least 2 inputs", got_text=f"{len(first)}")
        local, vector = encode(self.encoder, torch.cat([first, second]))
        n = len(first)
        return Encoding(local[:n], vector[:n]), Encoding(local[n:], vector[n:])


class NTXent(_Views):
    """SimCLR: each view is matched with the other view of its input among all views of the batch.

    Parameters
    ----------
    encoder
        Network from inputs to map and vector.
    features
        Length of the vector.
    units, projection
        Widths of the hidden and the output layer of the head, a perceptron h on the vector.
    temperature
        Temperature t of the scores.
    seed
        Seed of the head's first weights.
    group
        Processes whose batches count as one.

    Raises
    ------
    InvalidArgument
        From `forward`, if the views have different shapes.
    TooFewSamples
        From `forward`, if the batch has fewer than two inputs.

    Notes
    -----
    total = −infonce(cos(h_i, h_i') / t) with 2n − 2 negatives.

    References
    ----------
    Chen et al.: A simple framework for contrastive learning of visual representations, ICML 2020, eq. 1.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> views = torch.randn(2, 5, 1, 8, 8)
    >>> objective = NTXent(encoder, 6)
    >>> loss = objective(*views)
    >>> sorted(objective.terms)
    ['infonce']
    """

    @validated
    def __init__(
        self,
        encoder: nn.Module,
        features: PositiveInt,
        *,
        units: PositiveInt = 512,
        projection: PositiveInt = 128,
        temperature: PositiveFloat = 0.5,
        seed: int = 0,
        group: Group = None,
    ) -> None:
        super().__init__(encoder, group)
        self.temperature = temperature
        self.head = Builder(seed, spectral_norm=False).perceptron([features, units, projection], "relu")

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the loss of two views (n, ...) of a batch."""
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
    """VICReg: views with equal features, of unit variance and without correlation; it uses no negatives.

    Parameters
    ----------
    encoder
        Network from inputs to map and vector.
    features
        Length of the vector.
    units, projection
        Widths of the hidden and the output layer of the head, a perceptron h on the vector.
    invariance, variance, covariance
        Weights of the three terms.
    seed
        Seed of the head's first weights.
    group
        Processes whose batches count as one.

    Raises
    ------
    InvalidArgument
        From `forward`, if the views have different shapes.
    TooFewSamples
        From `forward`, if the batch has fewer than two inputs.

    Notes
    -----
    total = invariance·‖h − h'‖²/d + variance·mean_j relu(1 − σ_j) + covariance·Σ_{j≠k} C_jk²/d, the last two for each
    view.

    References
    ----------
    Bardes et al.: VICReg, ICLR 2022, eqs. 1 to 6.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> objective = VICReg(encoder, 6)
    >>> loss = objective(*torch.randn(2, 5, 1, 8, 8))
    >>> sorted(objective.terms)
    ['covariance', 'invariance', 'variance']
    """

    @validated
    def __init__(
        self,
        encoder: nn.Module,
        features: PositiveInt,
        *,
        units: PositiveInt = 512,
        projection: PositiveInt = 512,
        invariance: NonNegativeFloat = 25.0,
        variance: NonNegativeFloat = 25.0,
        covariance: NonNegativeFloat = 1.0,
        seed: int = 0,
        group: Group = None,
    ) -> None:
        super().__init__(encoder, group)
        self.weights = {"invariance": invariance, "variance": variance, "covariance": covariance}
        self.head = Builder(seed, spectral_norm=False).perceptron([features, units, projection], "relu")

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the loss of two views (n, ...) of a batch."""
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
    """AMDIM's critic: the dot product of map and vector after a small residual network on each, over √units.

    Parameters
    ----------
    channels
        Channels of the map.
    features
        Length of the vector.
    units
        Width of the residual networks.
    seed
        Seed of the first weights.

    References
    ----------
    Bachman et al.: Learning representations by maximizing mutual information across views, 2019, section 3.3.

    Examples
    --------
    >>> DotCritic(8, 6, units=32).scores(torch.randn(5, 8, 4, 4), torch.randn(5, 6))[1].shape
    torch.Size([1, 5, 64])
    """

    @validated
    def __init__(
        self, channels: int, features: int, *, units: PositiveInt = 256, seed: int | torch.Generator = 0
    ) -> None:
        super().__init__(channels, features)
        build = Builder(seed, spectral_norm=False)
        self.units = units
        self.of_map = _Projection(channels, units, build)
        self.of_vector = _Projection(features, units, build)

    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        maps, summary = self.locations(x, y)
        if maps.shape[0] < 2 and group is None:
            raise TooFewSamples("x", "a batch of at least 2 pairs", got_text="1")
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
    """Deep InfoMax across views: the vector of one view is matched with the map of the other (AMDIM, one scale).

    Parameters
    ----------
    encoder
        Network from inputs to map and vector.
    critic
        Scores of map and vector, such as `DotCritic`.
    clip
        Bound on the scores.
    penalty
        Weight of the mean squared score, against scores near the bound.
    group
        Processes whose batches count as one.

    Raises
    ------
    InvalidArgument
        From `forward`, if the views have different shapes.
    TooFewSamples
        From `forward`, if the batch has fewer than two inputs.

    Notes
    -----
    total = −½ Σ over both directions of mean_l infonce(s(map_l, y')) + penalty · E s², with s = clip · tanh(T / clip)
    and the critic's scores T.

    References
    ----------
    Bachman et al.: Learning representations by maximizing mutual information across views, 2019, eqs. 2 to 5.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> objective = MultiViewDeepInfoMax(encoder, DotCritic(4, 6, units=16))
    >>> loss = objective(*torch.randn(2, 5, 1, 8, 8))
    >>> sorted(objective.terms)
    ['local', 'penalty']
    """

    @validated
    def __init__(
        self,
        encoder: nn.Module,
        critic: nn.Module,
        *,
        clip: PositiveFloat = 20.0,
        penalty: NonNegativeFloat = 4e-2,
        group: Group = None,
    ) -> None:
        super().__init__(encoder, group)
        self.critic = critic
        self.clip, self.penalty = clip, penalty

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the loss of two views (n, ...) of a batch."""
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
