"""Asks the representation of a batch to follow a prior: against a discriminator, by a kernel, or by projections."""

from __future__ import annotations

import abc
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.blocks import Builder
from infoflow.core.checks import flag, integer, positive
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.objectives.objective import Objective
from infoflow.objectives.priors import Prior, prior_by_name


class PriorMatching(Objective):
    """What the ways of matching share: the prior, the squashing of vectors into its support, and `forward(y)`, the
    encoder's loss for vectors y (n, features).

    With `squash=False` the vectors must lie in the support already: InvalidArgument says how many don't. The prior's
    samples come from torch's generator of the device, as dropout's noise does.

    >>> KernelMatching("gaussian").opponent is None
    True
    """

    def __init__(self, prior: str | Prior = "uniform", *, squash: bool = True) -> None:
        super().__init__()
        self.prior = prior_by_name(prior)
        self.squash = flag(squash, "squash")

    @property
    def opponent(self) -> nn.Module | None:
        """What is trained against the encoder, by an optimizer of its own; None where nothing is."""
        return None

    def inside(self, y: Tensor) -> Tensor:
        """y in the prior's support. Raises InvalidArgument for vectors outside it that aren't to be squashed."""
        if y.ndim != 2 or y.shape[0] < 2:
            wrong = TooFewSamples if y.ndim == 2 else InvalidArgument
            raise wrong(f"y has shape {tuple(y.shape)}; want vectors (n, features) of at least two samples")
        return self.prior.squash(y) if self.squash else self.prior.require(y)

    def forward(self, y: Tensor) -> Tensor:
        """The encoder's loss, a 0-d tensor; the term `prior` is the same."""
        value = self.distance(self.inside(y))
        self.record({"prior": value})
        return value

    @abc.abstractmethod
    def distance(self, encoded: Tensor) -> Tensor:
        """How far vectors (n, features) of the support are from the prior, a 0-d tensor."""

    def extra_repr(self) -> str:
        return f"{self.prior}, squash={self.squash}"


class AdversarialMatching(PriorMatching):
    """A discriminator tells prior samples p from representations q; the encoder makes them indistinguishable.

        discriminator   E softplus(−D(p)) + E softplus(D(q)) + (w/4)·(E‖∇D(p)‖² + E‖∇D(q)‖²)
        encoder         E softplus(−D(q)),     log 2 where D can't tell

    The non-saturating game of Goodfellow et al. (2014) with w = `penalty` on the discriminator's gradient (Roth et al.
    2017; Mescheder et al. 2018). Two players: `forward` (encoder) gives the discriminator's parameters no gradient,
    and `opponent_loss` gives the encoder none, so neither optimizer moves the other's weights. D is a perceptron
    through `units` (the paper's 1000-200-1). Hjelm et al. (2019), Eq. 7.

    >>> matching = AdversarialMatching(6, units=(32, 16)); y = torch.randn(8, 6, requires_grad=True)
    >>> matching(y).backward(); all(p.grad is None for p in matching.opponent.parameters()), y.grad is None
    (True, False)
    """

    def __init__(
        self,
        features: int,
        prior: str | Prior = "uniform",
        *,
        units: Sequence[int] = (1000, 200),
        penalty: float = 1.0,
        squash: bool = True,
        seed: int | torch.Generator = 0,
    ) -> None:
        super().__init__(prior, squash=squash)
        self.penalty = positive(penalty, "penalty", zero=True)
        widths = [integer(features, "features"), *units, 1]
        self.discriminator = Builder(seed, spectral_norm=False).perceptron(widths, "relu", "units")

    @property
    def opponent(self) -> nn.Module:
        return self.discriminator

    def distance(self, encoded: Tensor) -> Tensor:
        return F.softplus(-without_gradient(self.discriminator, encoded)).mean()

    def opponent_loss(self, y: Tensor) -> Tensor:
        """The discriminator's loss for representations y (n, features), which get no gradient.

        >>> matching = AdversarialMatching(6, units=(32, 16)); y = torch.randn(8, 6, requires_grad=True)
        >>> matching.opponent_loss(y).backward(); y.grad is None
        True
        """
        encoded = self.inside(y.detach())
        value = adversarial_loss(self.discriminator, self.prior.sample(encoded), encoded, self.penalty)
        self.record({"discriminator": value})
        return value


def without_gradient(network: nn.Module, *inputs: Tensor) -> Tensor:
    """The network's output with a gradient for the inputs, and none for its parameters.

    >>> layer = nn.Linear(2, 1)
    >>> without_gradient(layer, torch.ones(3, 2)).requires_grad
    False
    """
    # The buffers stay the network's own: batch norms go on counting.
    parameters = {name: parameter.detach() for name, parameter in network.named_parameters()}
    output: Tensor = torch.func.functional_call(network, parameters, inputs)
    return output


def adversarial_loss(discriminator: nn.Module, real: Tensor, fake: Tensor, penalty: float) -> Tensor:
    """The discriminator's side of the non-saturating game, with a penalty on the squared norm of its gradient.

    >>> adversarial_loss(nn.Linear(2, 1), torch.ones(4, 2), torch.zeros(4, 2), penalty=0.0).shape
    torch.Size([])
    """
    if not penalty:
        return F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()
    # One pass for both: layers with a memory of the batch must not tell them apart.
    both = torch.cat([real, fake]).detach().requires_grad_()
    with torch.enable_grad():
        scores = discriminator(both)
        (slope,) = torch.autograd.grad(scores.sum(), both, create_graph=torch.is_grad_enabled())
    of_real, of_fake = scores.chunk(2)
    norm = slope.flatten(1).square().sum(1).mean()
    return F.softplus(-of_real).mean() + F.softplus(of_fake).mean() + penalty / 2 * norm


class KernelMatching(PriorMatching):
    """Squared maximum mean discrepancy between representations q and samples p of the prior, unbiased.

        MMD² = E k(p, p') + E k(q, q') − 2 E k(p, q),   k(a, b) = mean_s c_s / (c_s + ‖a − b‖²)

    c_s = s · E‖p − p'‖² for s in `scales`: inverse multiquadrics, heavy-tailed enough to feel far vectors. No
    discriminator and no second optimizer; the value may fall a little below 0. Gretton et al. (2012), Eq. 3; as a
    prior's match: Tolstikhin et al. (2018), "Wasserstein auto-encoders".

    >>> y = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    >>> bool(KernelMatching("gaussian")(y) < KernelMatching("gaussian")(y + 1))
    True
    """

    def __init__(
        self,
        prior: str | Prior = "uniform",
        *,
        scales: Sequence[float] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0),
        squash: bool = True,
    ) -> None:
        super().__init__(prior, squash=squash)
        self.scales = tuple(positive(scale, "scales") for scale in scales)
        if not self.scales:
            raise InvalidArgument("scales is empty; want at least one")

    def distance(self, encoded: Tensor) -> Tensor:
        return squared_discrepancy(self.prior.sample(encoded), encoded, self.scales)


def squared_discrepancy(p: Tensor, q: Tensor, scales: Sequence[float] = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)) -> Tensor:
    """The unbiased squared maximum mean discrepancy of samples p (n, d) and q (m, d), as in `KernelMatching`; the
    kernel's widths are multiples of p's mean squared distance.

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
        within = [(c / (c + d)).sum() - len(d) for d in (own, other)]  # the diagonal's ones are no pairs
        total = total + within[0] / (n * (n - 1)) + within[1] / (m * (m - 1)) - 2 * (c / (c + cross)).mean()
    return total / len(scales)


def _squared_distances(a: Tensor, b: Tensor) -> Tensor:
    squares = a.square().sum(1)[:, None] + b.square().sum(1)[None] - 2 * a @ b.T
    if a is b:  # rounding must not spoil the distance to oneself
        squares = squares * (1 - torch.eye(len(a), dtype=a.dtype, device=a.device))
    return squares.clamp_min(0)


class SlicedWassersteinMatching(PriorMatching):
    """Squared Wasserstein-2 distance between representations and the prior's samples, averaged over projections.

        SW² = mean_θ mean_i (⟨θ, q⟩_(i) − ⟨θ, p⟩_(i))²,   θ uniform on the sphere, (i) the i-th smallest

    In one dimension the best transport sorts both sides, so a batch costs `projections` sorts. No discriminator.
    Rabin et al. (2011); as a prior's match: Kolouri et al. (2019).

    >>> y = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    >>> matching = SlicedWassersteinMatching("gaussian")
    >>> bool(matching(y) < matching(y + 1))
    True
    """

    def __init__(self, prior: str | Prior = "uniform", *, projections: int = 128, squash: bool = True) -> None:
        super().__init__(prior, squash=squash)
        self.projections = integer(projections, "projections")

    def distance(self, encoded: Tensor) -> Tensor:
        shape, options = (encoded.shape[1], self.projections), {"dtype": encoded.dtype, "device": encoded.device}
        directions = F.normalize(torch.randn(shape, **options), dim=0)
        ours, theirs = (values @ directions for values in (encoded, self.prior.sample(encoded)))
        return (ours.sort(0).values - theirs.sort(0).values).square().mean()
