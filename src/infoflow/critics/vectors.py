"""Critics of pairs of vectors: separable, bilinear and concatenated."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.blocks import Builder
from infoflow.core.checks import integer, positive
from infoflow.core.distributed import Group, gather
from infoflow.core.errors import InvalidArgument
from infoflow.critics.pairs import shifts, split_pairs


class VectorCritic(nn.Module, abc.ABC):
    """What the critics of vectors share: trailing axes are flattened, x's row i belongs to y's row i.

    >>> class Product(VectorCritic):
    ...     def pairs(self, x, y):
    ...         return (x * y).sum(-1)
    ...
    ...     def scores(self, x, y, *, group=None):
    ...         x, y = self.flat(x, y)
    ...         return self.pairs(x, y), self.pairs(x, y.roll(1, 0))[:, None]
    >>> Product(2, 2)(torch.eye(2), torch.eye(2))[0]
    tensor([1., 1.])
    """

    def __init__(self, x_features: int, y_features: int) -> None:
        super().__init__()
        self.x_features = integer(x_features, "x_features")
        self.y_features = integer(y_features, "y_features")

    @abc.abstractmethod
    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        """Positive (n,) and negative (n, m) scores of x (n, ...) and y (n, ...), row i with row i.

        With `group`, the strangers come from all its processes. Raises InvalidArgument for shapes that don't
        fit, TooFewSamples for a batch of one.
        """

    @abc.abstractmethod
    def pairs(self, x: Tensor, y: Tensor) -> Tensor:
        """Scores (n,) of the pairs (x_i, y_i) alone."""

    def forward(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        """The same as `scores`, so that wrappers such as DistributedDataParallel see the call."""
        return self.scores(x, y, group=group)

    def flat(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """x as (n, x_features) and y as (n, y_features). Raises InvalidArgument for shapes that don't fit."""
        return rows(x, "x", self.x_features), paired_rows(x, rows(y, "y", self.y_features))


def rows(values: Tensor, name: str, features: int) -> Tensor:
    """(n, ...) as (n, features), or an error that says what came instead."""
    if not isinstance(values, Tensor) or values.ndim == 0 or not values.is_floating_point():
        got = f"{values.dtype} of shape {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise InvalidArgument(f"{name} is {got}; want a floating-point tensor of shape (n, ...)")
    if values[:1].numel() != features and values.shape[0] > 0:
        raise InvalidArgument(
            f"{name} has shape {tuple(values.shape)}, {values[:1].numel()} features a sample; want {features}"
        )
    return values.reshape(values.shape[0], features)


def paired_rows(x: Tensor, y: Tensor) -> Tensor:
    if x.shape[0] != y.shape[0]:
        raise InvalidArgument(f"x holds {x.shape[0]} samples but y holds {y.shape[0]}; want pairs")
    return y


class Separable(VectorCritic):
    """A critic whose n² scores cost 2n passes: T(x, y) = f(x)·g(y) + a(x) + b(y).

    f and g are perceptrons with `embedding` outputs (a and b ride along as one more each); `shortcut=True` adds a
    linear map of the input to each, which gives Gaussian dependence at once. With
    `normalize=True`, T(x, y) = cos(f(x), g(y)) / `temperature`, the critic of contrastive learning, with a
    learnable temperature. `seed` is an integer or a torch.Generator; the global random state is neither read
    nor moved.

    `scores(x, y)` gives positive (n,) and negative (n, n − 1); see `VectorCritic.scores` for errors.
    van den Oord et al. (2018); Poole et al. (2019), section 3; `normalize`: Chen et al. (2020), Radford et
    al. (2021).

    >>> positive, negative = Separable(3, 2).scores(torch.ones(5, 3), torch.ones(5, 2))
    >>> positive.shape, negative.shape
    (torch.Size([5]), torch.Size([5, 4]))
    """

    def __init__(
        self,
        x_features: int,
        y_features: int,
        embedding: int = 32,
        hidden: Sequence[int] = (256,),
        *,
        activation: str = "relu",
        shortcut: bool = False,
        normalize: bool = False,
        temperature: float = 0.07,
        spectral_norm: bool = False,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(x_features, y_features)
        build = Builder(seed, spectral_norm)
        outputs = integer(embedding, "embedding") + (not normalize)
        self.x_network = build.perceptron([x_features, *hidden, outputs], activation)
        self.y_network = build.perceptron([y_features, *hidden, outputs], activation)
        self.x_shortcut = build.linear(x_features, outputs, bias=False) if shortcut else None
        self.y_shortcut = build.linear(y_features, outputs, bias=False) if shortcut else None
        scale = -math.log(positive(temperature, "temperature"))
        self.log_scale = nn.Parameter(torch.tensor(scale)) if normalize else None

    def embed(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """f(x) and g(y), extended so that their inner product is the score; x and y may be of different length."""
        f, g = self.x_network(x), self.y_network(y)
        if self.x_shortcut is not None and self.y_shortcut is not None:
            f, g = f + self.x_shortcut(x), g + self.y_shortcut(y)
        if self.log_scale is not None:
            return F.normalize(f, dim=-1) * self.log_scale.exp(), F.normalize(g, dim=-1)
        ones = torch.ones_like(f[:, :1]), torch.ones_like(g[:, :1])
        return torch.cat([f, ones[0]], 1), torch.cat([g[:, :-1], ones[1], g[:, -1:]], 1)

    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        f, g = self.embed(*self.flat(x, y))
        everyone, offset, _ = gather(g, group, name="y")
        return split_pairs(f @ everyone.T, offset)

    def pairs(self, x: Tensor, y: Tensor) -> Tensor:
        f, g = self.embed(*self.flat(x, y))
        return (f * g).sum(-1)


class Bilinear(VectorCritic):
    """The log-bilinear critic of contrastive predictive coding: T(x, y) = xᵀ W y + a·x + b·y + c.

    Exact for what it can express (a Gaussian's interaction), and nothing more. `scores`, `seed` as in
    `Separable`. van den Oord et al. (2018), Eq. 3.

    >>> positive, negative = Bilinear(3, 2).scores(torch.ones(5, 3), torch.ones(5, 2))
    >>> positive.shape, negative.shape
    (torch.Size([5]), torch.Size([5, 4]))
    """

    def __init__(
        self, x_features: int, y_features: int, *, spectral_norm: bool = False, seed: int | torch.Generator = 0
    ) -> None:
        super().__init__(x_features, y_features)
        build = Builder(seed, spectral_norm)
        self.interaction = build.linear(y_features, x_features)  # W and a
        self.y_part = build.linear(y_features, 1)  # b and c

    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        x, y = self.flat(x, y)
        everyone, offset, _ = gather(y, group, name="y")
        return split_pairs(x @ self.interaction(everyone).T + self.y_part(everyone).T, offset)

    def pairs(self, x: Tensor, y: Tensor) -> Tensor:
        x, y = self.flat(x, y)
        score: Tensor = (x * self.interaction(y)).sum(-1) + self.y_part(y)[:, 0]
        return score


class Concatenated(VectorCritic):
    """A perceptron on [x, y]: the most expressive critic, and the one whose every negative costs a pass.

    The first layer is taken apart, W[x, y] = W_x x + W_y y, so it costs 2n passes, not n². `negatives` is how
    many strangers a row meets (its followers, cyclically, so shuffle batches); None means all n − 1.
    `scores`, `seed` as in `Separable`. Belghazi et al. (2018); Poole et al. (2019), section 3.

    >>> positive, negative = Concatenated(3, 2, negatives=2).scores(torch.ones(5, 3), torch.ones(5, 2))
    >>> positive.shape, negative.shape
    (torch.Size([5]), torch.Size([5, 2]))
    """

    def __init__(
        self,
        x_features: int,
        y_features: int,
        hidden: Sequence[int] = (256, 256),
        *,
        negatives: int | None = None,
        activation: str = "relu",
        spectral_norm: bool = False,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(x_features, y_features)
        if not hidden:
            raise InvalidArgument("hidden is empty; a linear function of [x, y] tells no pair from another")
        if negatives is not None:
            integer(negatives, "negatives")
        self.negatives = negatives
        build = Builder(seed, spectral_norm)
        network = build.perceptron([x_features + y_features, *hidden, 1], activation)
        self.first: nn.Linear = network[0]  # type: ignore[assignment]
        self.rest = network[1:]

    def halves(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """W_x x + bias and W_y y."""
        weight = self.first.weight
        return F.linear(x, weight[:, : self.x_features], self.first.bias), F.linear(y, weight[:, self.x_features :])

    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        x, y = self.flat(x, y)
        everyone, offset, _ = gather(y, group, name="y")
        from_x, from_y = self.halves(x, everyone)
        if self.negatives is None:
            return split_pairs(self.rest(from_x[:, None] + from_y[None])[..., 0], offset)
        # One pass for partners and strangers together: layers with a memory of the batch must not tell them
        # apart.
        own = torch.arange(x.shape[0])[:, None] + offset
        strangers = shifts(x.shape[0], everyone.shape[0], self.negatives, offset)
        columns = torch.cat([own, strangers], 1).to(x.device)
        table = self.rest(from_x[:, None] + from_y[columns])[..., 0]
        return table[:, 0], table[:, 1:]

    def pairs(self, x: Tensor, y: Tensor) -> Tensor:
        from_x, from_y = self.halves(*self.flat(x, y))
        score: Tensor = self.rest(from_x + from_y)[..., 0]
        return score
