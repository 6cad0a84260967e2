"""Losses that match the representation of a batch to a prior: by a discriminator, a kernel, or projections."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.blocks import Builder
from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.settings import NonNegativeFloat, Number, PositiveInt, check, validated
from infoflow.objectives.objective import Objective
from infoflow.objectives.priors import Prior, prior_by_name

_SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class PriorMatching(Objective):
    """Base class of losses for vectors y (n, features) of an encoder that should follow a prior.

    Parameters
    ----------
    prior
        A prior, or its name in `PRIORS`.
    squash
        Whether vectors are mapped into the support of the prior; otherwise they must lie in it.

    Raises
    ------
    InvalidArgument
        In a call, if vectors lie outside of the support or are not (n, features); `TooFewSamples` for fewer than two.

    Notes
    -----
    Samples of the prior come from torch's generator of the device, as the noise of dropout does. The term is `prior`,
    the loss itself.

    Examples
    --------
    >>> KernelMatching("gaussian").opponent is None
    True
    """

    @validated
    def __init__(self, prior: str | Prior = "uniform", *, squash: bool = True) -> None:
        super().__init__()
        self.prior = prior_by_name(prior)
        self.squash = squash

    @property
    def opponent(self) -> nn.Module | None:
        """The module that is trained against the encoder by an optimizer of its own, or None."""
        return None

    def inside(self, y: Tensor) -> Tensor:
        """Map y into the support of the prior, or check that it lies there.

        Parameters
        ----------
        y : Tensor of shape (n, features)
            Vectors.
        """
        if y.ndim != 2 or y.shape[0] < 2:
            error = TooFewSamples if y.ndim == 2 else InvalidArgument
            raise error("y", "vectors (n, features) of at least two samples", y)
        return self.prior.squash(y) if self.squash else self.prior.require(y)

    def forward(self, y: Tensor) -> Tensor:
        """Compute the encoder's loss for vectors y (n, features).

        Parameters
        ----------
        y : Tensor of shape (n, features)
            Vectors.
        """
        tensors(y=y)
        value = self.distance(self.inside(y))
        self.record({"prior": value})
        return value

    @abc.abstractmethod
    def distance(self, encoded: Tensor) -> Tensor:
        """Compute the distance of vectors (n, features) in the support from the prior, a scalar.

        Parameters
        ----------
        encoded : Tensor of shape (n, features)
            Vectors in the support of the prior.
        """

    def extra_repr(self) -> str:
        return f"{self.prior}, squash={self.squash}"


class AdversarialMatching(PriorMatching):
    """A discriminator separates prior samples p from representations q; the encoder makes them indistinguishable.

    Parameters
    ----------
    features
        Number of features of the representation.
    prior
        A prior, or its name in `PRIORS`.
    units
        Widths of the discriminator's hidden layers; the default is the paper's 1000-200-1.
    penalty
        Weight w of the discriminator's squared gradient.
    squash
        Whether vectors are mapped into the support of the prior; otherwise they must lie in it.
    seed
        Seed or generator of the discriminator's initial weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call as `PriorMatching` does.

    Notes
    -----
        discriminator   E softplus(−D(p)) + E softplus(D(q)) + (w/4)·(E‖∇D(p)‖² + E‖∇D(q)‖²)
        encoder         E softplus(−D(q)),     log 2 where D cannot separate them

    Equation 7 of the paper is a min–max game, in which the encoder minimizes E log(1 − σ(D(q))), without a penalty. The
    encoder's loss here is the non-saturating one, whose gradient does not vanish where D separates both well.

    `forward`, the encoder's loss, gives the discriminator's parameters no gradient, and `opponent_loss` gives the
    encoder none, so neither optimizer moves the other's weights.

    References
    ----------
    Hjelm et al. (2019), Learning deep representations by mutual information estimation and maximization, eq. 7.
    The non-saturating game: Goodfellow et al. (2014). The penalty: Roth et al. (2017); Mescheder et al. (2018).

    Examples
    --------
    >>> matching = AdversarialMatching(6, units=(32, 16)); y = torch.randn(8, 6, requires_grad=True)
    >>> matching(y).backward(); all(p.grad is None for p in matching.opponent.parameters()), y.grad is None
    (True, False)
    """

    @validated
    def __init__(
        self,
        features: PositiveInt,
        prior: str | Prior = "uniform",
        *,
        units: Sequence[int] = (1000, 200),
        penalty: NonNegativeFloat = 1.0,
        squash: bool = True,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(prior, squash=squash)
        self.penalty = penalty
        self.discriminator = Builder(seed, spectral_norm=False).perceptron([features, *units, 1], "relu", "units")

    @property
    def opponent(self) -> nn.Module:
        """The discriminator."""
        return self.discriminator

    def distance(self, encoded: Tensor) -> Tensor:
        return F.softplus(-without_gradient(self.discriminator, encoded)).mean()

    def opponent_loss(self, y: Tensor) -> Tensor:
        """Compute the discriminator's loss for representations, which get no gradient.

        Parameters
        ----------
        y : Tensor of shape (n, features)
            Representations.

        Examples
        --------
        >>> matching = AdversarialMatching(6, units=(32, 16)); y = torch.randn(8, 6, requires_grad=True)
        >>> matching.opponent_loss(y).backward(); y.grad is None
        True
        """
        encoded = self.inside(y.detach())
        value = adversarial_loss(self.discriminator, self.prior.sample(encoded), encoded, self.penalty)
        self.record({"discriminator": value})
        return value


def without_gradient(network: nn.Module, *inputs: Tensor) -> Tensor:
    """Compute a network's output with a gradient for the inputs and none for its parameters.

    >>> layer = nn.Linear(2, 1)
    >>> without_gradient(layer, torch.ones(3, 2)).requires_grad
    False
    """
    # The buffers are the network's own, so that batch norms update their statistics.
    parameters = {name: parameter.detach() for name, parameter in network.named_parameters()}
    output: Tensor = torch.func.functional_call(network, parameters, inputs)
    return output


def adversarial_loss(discriminator: nn.Module, real: Tensor, fake: Tensor, penalty: float) -> Tensor:
    """Compute the discriminator's loss of the non-saturating game, with a penalty on its squared gradient.

    >>> adversarial_loss(nn.Linear(2, 1), torch.ones(4, 2), torch.zeros(4, 2), penalty=0.0).shape
    torch.Size([])
    """
    if not penalty:
        return F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()
    # One pass for both, since batch normalization would reveal which is which.
    both = torch.cat([real, fake]).detach().requires_grad_()
    with torch.enable_grad():
        scores = discriminator(both)
        (slope,) = torch.autograd.grad(scores.sum(), both, create_graph=torch.is_grad_enabled())
    of_real, of_fake = scores.chunk(2)
    norm = slope.flatten(1).square().sum(1).mean()
    return F.softplus(-of_real).mean() + F.softplus(of_fake).mean() + penalty / 2 * norm


class KernelMatching(PriorMatching):
    """Squared maximum mean discrepancy between representations q and samples p of the prior, unbiased.

    Parameters
    ----------
    prior
        A prior, or its name in `PRIORS`.
    scales
        Scales s of the kernel, relative to the mean squared distance of the prior's samples.
    squash
        Whether vectors are mapped into the support of the prior; otherwise they must lie in it.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call as `PriorMatching` does.

    Notes
    -----
        MMD² = E k(p, p') + E k(q, q') − 2 E k(p, q),   k(a, b) = mean_s c_s / (c_s + ‖a − b‖²)

    with c_s = s · E‖p − p'‖², inverse multiquadrics whose heavy tails give distant vectors a gradient. There is no
    discriminator. The value may fall slightly below 0.

    References
    ----------
    Gretton et al. (2012), A kernel two-sample test, eq. 3. For a prior: Tolstikhin et al. (2018), Wasserstein
    auto-encoders.

    Examples
    --------
    >>> y = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    >>> bool(KernelMatching("gaussian")(y) < KernelMatching("gaussian")(y + 1))
    True
    """

    def __init__(
        self, prior: str | Prior = "uniform", *, scales: Sequence[float] = _SCALES, squash: bool = True
    ) -> None:
        super().__init__(prior, squash=squash)
        self.scales = tuple(check(scale, "scales", Number(0, open_low=True)) for scale in scales)
        if not self.scales:
            raise InvalidArgument("scales", "at least one positive number", scales)

    def distance(self, encoded: Tensor) -> Tensor:
        return squared_discrepancy(self.prior.sample(encoded), encoded, self.scales)


def squared_discrepancy(p: Tensor, q: Tensor, scales: Sequence[float] = _SCALES) -> Tensor:
    """Compute the unbiased squared maximum mean discrepancy of two samples.

    Parameters
    ----------
    p : Tensor of shape (n, d)
        Samples, whose mean squared distance scales the kernel.
    q : Tensor of shape (m, d)
        Samples of the other distribution.
    scales
        Scales of the kernel, see `KernelMatching`.

    Returns
    -------
    Tensor
        A scalar, with gradients.

    Examples
    --------
    >>> p = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    >>> bool(squared_discrepancy(p, p + 3) > 0.3)
    True
    """
    own, other, cross = (_squared_distances(a, b) for a, b in ((p, p), (q, q), (p, q)))
    n, m = len(p), len(q)
    mean_distance = own.detach().sum() / (n * (n - 1))
    total = p.new_zeros(())
    for scale in scales:
        c = scale * mean_distance + torch.finfo(p.dtype).tiny
        within = [(c / (c + d)).sum() - len(d) for d in (own, other)]  # less the diagonal's ones, which are no pairs
        total = total + within[0] / (n * (n - 1)) + within[1] / (m * (m - 1)) - 2 * (c / (c + cross)).mean()
    return total / len(scales)


def _squared_distances(a: Tensor, b: Tensor) -> Tensor:
    squares = a.square().sum(1)[:, None] + b.square().sum(1)[None] - 2 * a @ b.T
    if a is b:  # exactly 0 on the diagonal, whatever the rounding
        squares = squares * (1 - torch.eye(len(a), dtype=a.dtype, device=a.device))
    return squares.clamp_min(0)


class SlicedWassersteinMatching(PriorMatching):
    """Squared Wasserstein-2 distance between representations and samples of the prior, averaged over projections.

    Parameters
    ----------
    prior
        A prior, or its name in `PRIORS`.
    projections
        Number of random projections.
    squash
        Whether vectors are mapped into the support of the prior; otherwise they must lie in it.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call as `PriorMatching` does.

    Notes
    -----
        SW² = mean_θ mean_i (⟨θ, q⟩_(i) − ⟨θ, p⟩_(i))²,   θ uniform on the sphere, (i) the i-th smallest

    In one dimension the optimal transport sorts both sides, so a batch costs `projections` sorts. There is no
    discriminator.

    References
    ----------
    Rabin et al. (2011), Wasserstein barycenter and its application to texture mixing. For a prior: Kolouri et al.
    (2019), Sliced Wasserstein auto-encoders.

    Examples
    --------
    >>> y = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    >>> matching = SlicedWassersteinMatching("gaussian")
    >>> bool(matching(y) < matching(y + 1))
    True
    """

    @validated
    def __init__(self, prior: str | Prior = "uniform", *, projections: PositiveInt = 128, squash: bool = True) -> None:
        super().__init__(prior, squash=squash)
        self.projections = projections

    def distance(self, encoded: Tensor) -> Tensor:
        drawn = torch.randn(encoded.shape[1], self.projections, dtype=encoded.dtype, device=encoded.device)
        directions = F.normalize(drawn, dim=0)
        ours, prior = (values @ directions for values in (encoded, self.prior.sample(encoded)))
        return (ours.sort(0).values - prior.sort(0).values).square().mean()
