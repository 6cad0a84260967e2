"""The three critics of Deep InfoMax: a whole feature map, or each of its locations, with the summary vector."""

from __future__ import annotations

import abc

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.agreement import agreeing
from infoflow.core.blocks import Builder, Residual
from infoflow.core.distributed import Group, gather
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.module_inputs import ExplainedInputs
from infoflow.core.settings import PositiveInt, validated
from infoflow.critics.pairs import shifts, split_pairs
from infoflow.critics.vectors import Concatenated, paired_rows, rows


class GlobalCritic(Concatenated):
    """The critic of DIM(G): a perceptron 512-512-1 on [flattened feature map, summary].

    Parameters
    ----------
    x_features
        Entries of a feature map (n, channels, height, width), flattened.
    y_features
        Entries of a summary vector.
    n_negatives
        Negatives of each row; the paper takes one shuffled map, None means all.
    spectral_norm
        Whether to keep the spectral norm of every weight at 1.
    seed
        Random seed or generator of the initial weights; the global random state is neither read nor changed.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    References
    ----------
    Hjelm et al. (2019), "Learning deep representations by mutual information estimation and maximization", ICLR,
    appendix A.1, table 5.

    Examples
    --------
    >>> critic = GlobalCritic(8 * 4 * 4, 6)
    >>> critic.scores(torch.ones(5, 8, 4, 4), torch.ones(5, 6))[1].shape
    torch.Size([5, 1])
    """

    @validated
    def __init__(
        self,
        x_features: PositiveInt,
        y_features: PositiveInt,
        *,
        n_negatives: PositiveInt | None = 1,
        spectral_norm: bool = False,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(
            x_features, y_features, (512, 512), n_negatives=n_negatives, spectral_norm=spectral_norm, seed=seed
        )


class LocalCritic(ExplainedInputs, nn.Module, abc.ABC):
    """Base class of local critics: every location of a map (n, channels, ...) with a summary (n, features).

    Parameters
    ----------
    channels
        Channels of the feature maps.
    features
        Entries of a summary vector.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    All L locations have the same negatives, so that these are computed once. A bound of the scores is one number per
    location; the paper averages them.

    Examples
    --------
    >>> issubclass(EncodeAndDot, LocalCritic), issubclass(ConcatAndConvolve, LocalCritic)
    (True, True)
    """

    @validated
    def __init__(self, channels: PositiveInt, features: PositiveInt) -> None:
        super().__init__()
        self.channels, self.features = channels, features

    @abc.abstractmethod
    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        """Score each location of the maps with the summaries.

        Parameters
        ----------
        x : Tensor of shape (n, channels, ...)
            Feature maps of L locations.
        y : Tensor of shape (n, features)
            Summaries.
        group : optional
            Process group; the other maps come from all of its processes.

        Returns
        -------
        tuple of Tensor
            Positives (L, n), the scores of summary i with location l of its own map, and negatives (1, n, k·L), its
            scores with all locations of k other maps.

        Raises
        ------
        InvalidArgument
            If the shapes do not match.
        TooFewSamples
            If the batch holds one pair.
        """

    def forward(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        """Score as `scores` does; wrappers such as DistributedDataParallel require a forward pass.

        Parameters
        ----------
        x : Tensor of shape (n, channels, ...)
            Feature maps.
        y : Tensor of shape (n, features)
            Summaries.
        group : optional
            Process group; the other maps come from all of its processes.

        Returns
        -------
        tuple of Tensor
            Positives (L, n) and negatives (1, n, k·L).
        """
        return self.scores(x, y, group=group)

    def locations(self, maps: Tensor, summary: Tensor) -> tuple[Tensor, Tensor]:
        """Flatten the locations.

        Parameters
        ----------
        maps : Tensor of shape (n, channels, ...)
            Feature maps.
        summary : Tensor of shape (n, features)
            Summaries.

        Returns
        -------
        tuple of Tensor
            Maps (n, L, channels) and summaries (n, features).

        Raises
        ------
        InvalidArgument
            If the shapes do not match.
        """
        if not isinstance(maps, Tensor) or maps.ndim < 3 or maps.shape[1] != self.channels:
            got = f"shape {tuple(maps.shape)}" if isinstance(maps, Tensor) else f"a {type(maps).__name__}"
            raise InvalidArgument("x", f"feature maps of shape (n, {self.channels}, height, width)", got_text=got)
        return maps.flatten(2).mT, paired_rows(maps, rows(summary, "y", self.features))


class ConcatAndConvolve(LocalCritic):
    """The first critic of DIM(L): the summary joined to every location, then 1×1 convolutions.

    Parameters
    ----------
    channels
        Channels of the feature maps.
    features
        Entries of a summary vector.
    units
        Units of the two hidden layers.
    n_negatives
        Other maps for each summary, those that follow it in the batch; the paper takes 1, None means all.
    spectral_norm
        Whether to keep the spectral norm of every weight at 1.
    seed
        Random seed or generator of the initial weights; the global random state is neither read nor changed.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    References
    ----------
    Hjelm et al. (2019), "Learning deep representations by mutual information estimation and maximization", ICLR,
    appendix A.1, table 6.

    Examples
    --------
    >>> positive, negative = ConcatAndConvolve(8, 6).scores(torch.ones(5, 8, 4, 4), torch.ones(5, 6))
    >>> positive.shape, negative.shape
    (torch.Size([16, 5]), torch.Size([1, 5, 16]))
    """

    @validated
    def __init__(
        self,
        channels: PositiveInt,
        features: PositiveInt,
        *,
        units: PositiveInt = 512,
        n_negatives: PositiveInt | None = 1,
        spectral_norm: bool = False,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(channels, features)
        self.n_negatives = n_negatives
        network = Builder(seed, spectral_norm).perceptron([channels + features, units, units, 1], "relu", "units")
        self.first: nn.Linear = network[0]  # type: ignore[assignment]
        self.rest = network[1:]

    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        maps, summary = self.locations(x, y)
        with agreeing(group, type(self).__name__, {"n_negatives": self.n_negatives}):
            everyone, offset, _ = gather(maps, group, name="x")
        n = summary.shape[0]
        own = torch.arange(n)[:, None] + offset
        chosen = torch.cat([own, shifts(n, everyone.shape[0], self.n_negatives, offset)], 1).to(x.device)
        # W[c, y] = W_c c + W_y y: each location and each summary passes the first layer once.
        weight = self.first.weight
        from_maps = F.linear(everyone, weight[:, : self.channels], self.first.bias)
        from_summary = F.linear(summary, weight[:, self.channels :])
        table = self.rest(from_maps[chosen] + from_summary[:, None, None])[..., 0]
        return table[:, 0].T, table[:, 1:].flatten(1).unsqueeze(0)


class EncodeAndDot(LocalCritic):
    """The second critic of DIM(L): locations and summary are encoded and scored by the dot product.

    Parameters
    ----------
    channels
        Channels of the feature maps.
    features
        Entries of a summary vector.
    units
        Dimensions of the encodings.
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
    The encoders are a hidden layer with a linear shortcut; that of the locations ends with a layer norm. Table 7 has a
    ReLU on the shortcut, which its text calls linear; here it is linear. The negatives are all other maps of the
    batch: n² scores cost 2n passes.

    References
    ----------
    Hjelm et al. (2019), "Learning deep representations by mutual information estimation and maximization", ICLR,
    appendix A.1, tables 7 and 8.

    Examples
    --------
    >>> positive, negative = EncodeAndDot(8, 6, units=32).scores(torch.randn(5, 8, 4, 4), torch.randn(5, 6))
    >>> positive.shape, negative.shape
    (torch.Size([16, 5]), torch.Size([1, 5, 64]))
    """

    @validated
    def __init__(
        self,
        channels: PositiveInt,
        features: PositiveInt,
        *,
        units: PositiveInt = 2048,
        spectral_norm: bool = False,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(channels, features)
        build = Builder(seed, spectral_norm)
        self.map_encoder = Residual(channels, units, build, layer_norm=True)
        self.summary_encoder = Residual(features, units, build, layer_norm=False)

    def scores(self, x: Tensor, y: Tensor, *, group: Group = None) -> tuple[Tensor, Tensor]:
        maps, summary = self.locations(x, y)
        if maps.shape[0] < 2 and group is None:
            raise TooFewSamples("x and y must hold at least two pairs: a batch of one has no negatives.")
        everyone, offset, _ = gather(self.map_encoder(maps), group, name="x")
        table = torch.einsum("nu,jlu->lnj", self.summary_encoder(summary), everyone)
        own, others = split_pairs(table, offset)  # (L, n), (L, n, N − 1)
        return own, others.transpose(0, 1).flatten(1).unsqueeze(0)
