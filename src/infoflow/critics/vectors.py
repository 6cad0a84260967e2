"""Critics of pairs of vectors: separable, bilinear and concatenated."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.agreement import agreeing
from infoflow.core.blocks import Builder
from infoflow.core.distributed import Group, gather
from infoflow.core.errors import InvalidArgument
from infoflow.core.module_inputs import ExplainedInputs
from infoflow.core.settings import PositiveFloat, PositiveInt, validated
from infoflow.critics.pairs import shifts, split_pairs


class VectorCritic(ExplainedInputs, nn.Module, abc.ABC):
    """Base class of critics of vectors, which flatten trailing axes and pair row i of x with row i of y.

    Parameters
    ----------
    x_features
        Entries of one sample of X.
    y_features
        Entries of one sample of Y.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Examples
    --------
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

    @validated
    def __init__(self, x_features: PositiveInt, y_features: PositiveInt) -> None:
        super().__init__()
        self.x_features, self.y_features = x_features, y_features

    @abc.abstractmethod
    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        """Score the positives and negatives of a batch.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Samples of X.
        y : Tensor of shape (n, ...)
            Samples of Y, row i paired with row i of `x`.
        group : optional
            Process group; the negatives come from all of its processes.

        Returns
        -------
        tuple of Tensor
            Scores of the positives, (n,), and of the negatives, (n, m).

        Raises
        ------
        InvalidArgument
            If the shapes do not match.
        TooFewSamples
            If the batch holds one pair.
        """

    @abc.abstractmethod
    def pairs(self, x: Tensor, y: Tensor) -> Tensor:
        """Score the positives alone.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Samples of X.
        y : Tensor of shape (n, ...)
            Samples of Y.

        Returns
        -------
        Tensor
            Scores of the pairs (x_i, y_i), shape (n,).
        """

    def forward(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        """Score as `scores` does; wrappers such as DistributedDataParallel require a forward pass.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Samples of X.
        y : Tensor of shape (n, ...)
            Samples of Y, row i paired with row i of `x`.
        group : optional
            Process group; the negatives come from all of its processes.

        Returns
        -------
        tuple of Tensor
            Scores of the positives, (n,), and of the negatives, (n, m).
        """
        return self.scores(x, y, group=group)

    def flat(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Flatten trailing axes.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Samples of X.
        y : Tensor of shape (n, ...)
            Samples of Y.

        Returns
        -------
        tuple of Tensor
            x of shape (n, x_features) and y of shape (n, y_features).

        Raises
        ------
        InvalidArgument
            If the shapes do not match.
        """
        return rows(x, "x", self.x_features), paired_rows(x, rows(y, "y", self.y_features))


def rows(values: Tensor, name: str, features: int) -> Tensor:
    """(n, ...) as (n, features); raises InvalidArgument for anything else."""
    if not isinstance(values, Tensor) or values.ndim == 0 or not values.is_floating_point():
        got = f"{values.dtype} of shape {tuple(values.shape)}" if isinstance(values, Tensor) else type(values).__name__
        raise InvalidArgument(name, "a floating-point tensor of shape (n, ...)", got_text=got)
    if values[:1].numel() != features and values.shape[0] > 0:
        got = f"shape {tuple(values.shape)} with {values[:1].numel()}"
        raise InvalidArgument(name, f"a tensor of {features} features per sample", got_text=got)
    return values.reshape(values.shape[0], features)


def paired_rows(x: Tensor, y: Tensor) -> Tensor:
    """y, if it has as many rows as x."""
    if x.shape[0] != y.shape[0]:
        raise InvalidArgument(f"x and y must hold the same number of samples, got {x.shape[0]} and {y.shape[0]}.")
    return y


class Separable(VectorCritic):
    """A critic whose n² scores cost 2n passes: T(x, y) = f(x)·g(y) + a(x) + b(y).

    Parameters
    ----------
    x_features
        Entries of one sample of X.
    y_features
        Entries of one sample of Y.
    embedding
        Dimensions of f and g.
    hidden
        Widths of the hidden layers of f and g.
    activation
        Activation between the layers.
    shortcut
        Whether to add a linear map of the input to f and g, which expresses Gaussian dependence.
    normalize
        Whether T(x, y) = cos(f(x), g(y)) / temperature, with a learnable temperature, as in contrastive learning.
    temperature
        Initial temperature of a normalized critic.
    spectral_norm
        Whether to keep the spectral norm of every weight at 1.
    seed
        Random seed or generator of the initial weights; the global random state is neither read nor changed.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    f and g are perceptrons, and a and b are one more output of each. Each positive has n − 1 negatives.

    References
    ----------
    van den Oord et al. (2018), "Representation learning with contrastive predictive coding". Poole et al. (2019), "On
    variational bounds of mutual information", ICML, section 3. Chen et al. (2020), "A simple framework for contrastive
    learning of visual representations", ICML. Radford et al. (2021), "Learning transferable visual models from natural
    language supervision", ICML.

    Examples
    --------
    >>> positive, negative = Separable(3, 2).scores(torch.ones(5, 3), torch.ones(5, 2))
    >>> positive.shape, negative.shape
    (torch.Size([5]), torch.Size([5, 4]))
    """

    @validated
    def __init__(
        self,
        x_features: PositiveInt,
        y_features: PositiveInt,
        embedding: PositiveInt = 32,
        hidden: Sequence[int] = (256,),
        *,
        activation: str = "relu",
        shortcut: bool = False,
        normalize: bool = False,
        temperature: PositiveFloat = 0.07,
        spectral_norm: bool = False,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(x_features, y_features)
        build = Builder(seed, spectral_norm)
        outputs = embedding + (not normalize)
        self.x_network = build.perceptron([x_features, *hidden, outputs], activation)
        self.y_network = build.perceptron([y_features, *hidden, outputs], activation)
        self.x_shortcut = build.linear(x_features, outputs, bias=False) if shortcut else None
        self.y_shortcut = build.linear(y_features, outputs, bias=False) if shortcut else None
        scale = -math.log(temperature)
        self.log_scale = nn.Parameter(torch.tensor(scale)) if normalize else None

    def embed(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Embed x and y so that their inner product is the score.

        Parameters
        ----------
        x : Tensor of shape (n, x_features)
            Samples of X.
        y : Tensor of shape (k, y_features)
            Samples of Y, as many as needed.

        Returns
        -------
        tuple of Tensor
            Extended f(x) and g(y), of one width.
        """
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

    Parameters
    ----------
    x_features
        Entries of one sample of X.
    y_features
        Entries of one sample of Y.
    spectral_norm
        Whether to keep the spectral norm of every weight at 1.
    seed
        Random seed or generator of the initial weights; the global random state is neither read nor changed.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    It expresses the interaction of a Gaussian exactly, and no other dependence.

    References
    ----------
    van den Oord et al. (2018), "Representation learning with contrastive predictive coding", Eq. 3.

    Examples
    --------
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
    """A perceptron on [x, y]: the most expressive critic, whose every negative costs a pass.

    Parameters
    ----------
    x_features
        Entries of one sample of X.
    y_features
        Entries of one sample of Y.
    hidden
        Widths of the hidden layers, at least one.
    n_negatives
        Negatives of each row, those that follow it cyclically in the batch (shuffle batches); None means all n − 1.
    activation
        Activation between the layers.
    spectral_norm
        Whether to keep the spectral norm of every weight at 1.
    seed
        Random seed or generator of the initial weights; the global random state is neither read nor changed.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    The first layer is split, W[x, y] = W_x x + W_y y, so that it costs 2n passes instead of n².

    References
    ----------
    Belghazi et al. (2018), "MINE: Mutual information neural estimation", ICML. Poole et al. (2019), "On variational
    bounds of mutual information", ICML, section 3.

    Examples
    --------
    >>> positive, negative = Concatenated(3, 2, n_negatives=2).scores(torch.ones(5, 3), torch.ones(5, 2))
    >>> positive.shape, negative.shape
    (torch.Size([5]), torch.Size([5, 2]))
    """

    @validated
    def __init__(
        self,
        x_features: PositiveInt,
        y_features: PositiveInt,
        hidden: Sequence[int] = (256, 256),
        *,
        n_negatives: PositiveInt | None = None,
        activation: str = "relu",
        spectral_norm: bool = False,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(x_features, y_features)
        if not hidden:
            remedy = "A linear function of [x, y] does not express dependence."
            raise InvalidArgument("hidden", "at least one width", hidden, remedy=remedy)
        self.n_negatives = n_negatives
        build = Builder(seed, spectral_norm)
        network = build.perceptron([x_features + y_features, *hidden, 1], activation)
        self.first: nn.Linear = network[0]  # type: ignore[assignment]
        self.rest = network[1:]

    def halves(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Split the first layer.

        Parameters
        ----------
        x : Tensor of shape (n, x_features)
            Samples of X.
        y : Tensor of shape (k, y_features)
            Samples of Y.

        Returns
        -------
        tuple of Tensor
            W_x x + bias and W_y y.
        """
        weight = self.first.weight
        return F.linear(x, weight[:, : self.x_features], self.first.bias), F.linear(y, weight[:, self.x_features :])

    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        x, y = self.flat(x, y)
        with agreeing(group, type(self).__name__, {"n_negatives": self.n_negatives}):
            everyone, offset, _ = gather(y, group, name="y")
        from_x, from_y = self.halves(x, everyone)
        if self.n_negatives is None:
            return split_pairs(self.rest(from_x[:, None] + from_y[None])[..., 0], offset)
        # One pass for positives and negatives together, so that layers with batch statistics treat them alike.
        own = torch.arange(x.shape[0])[:, None] + offset
        others = shifts(x.shape[0], everyone.shape[0], self.n_negatives, offset)
        columns = torch.cat([own, others], 1).to(x.device)
        table = self.rest(from_x[:, None] + from_y[columns])[..., 0]
        return table[:, 0], table[:, 1:]

    def pairs(self, x: Tensor, y: Tensor) -> Tensor:
        from_x, from_y = self.halves(*self.flat(x, y))
        score: Tensor = self.rest(from_x + from_y)[..., 0]
        return score
