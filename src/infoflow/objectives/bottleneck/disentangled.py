"""The disentangled information bottleneck: what the label needs in one code, the rest of the input in another."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.blocks import Module
from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, NonNegativeFloat, PositiveFloat, PositiveInt, validated
from infoflow.objectives.bottleneck.objective import (
    BottleneckObjective,
    Observation,
    ObservationModel,
    batch,
    features,
)
from infoflow.objectives.bottleneck.schedules import Schedule
from infoflow.objectives.prior_matching import without_gradient


class DisentangledBottleneck(BottleneckObjective):
    """The disentangled information bottleneck: min −I(T;Y) − w I(X;S,Y) + β I(S;T), two codes that share nothing.

    Parameters
    ----------
    encoder
        Network from x to T, (n, `dimension`), which predicts the label.
    nuisance_encoder
        Network from x to S, (n, `nuisance_dimension`), which with the label restores the input.
    decoder
        Network from S and a one-hot label, (n, `nuisance_dimension` + `classes`), to what `observation` takes.
    dimension
        Dimension of T.
    nuisance_dimension
        Dimension of S.
    classes
        Number of classes.
    beta
        Weight of the shared information, or its schedule.
    reconstruction
        Weight w of the reconstruction.
    classifier
        Network from T to logits; a linear layer by default.
    discriminator
        Network from pairs (s, t), (n, `nuisance_dimension` + `dimension`), to a logit (n, 1); two hidden layers by
        default.
    observation
        "bernoulli" for logits of data in [0, 1], "gaussian" for means.
    observation_scale
        Standard deviation of the Gaussian observation model.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call if labels, data or the networks' outputs do not fit.

    Notes
    -----
        loss = −log q(y|t) − w log p(x|s, y) + β Î(S;T),    Î = mean of log D/(1 − D) at pairs (s_i, t_i),

    where the discriminator D separates pairs (s_i, t_i) from shuffled ones (s_i, t_j), so that its logit is
    log p(s,t)/p(s)p(t). It is the opponent and is trained by `opponent_loss(x, labels)`; neither loss gives the other's
    parameters a gradient. There is no trade-off between compression and prediction: T can contain all information
    about the label and nothing else. The terms of `forward`, in nats per sample, are `cross_entropy`,
    `reconstruction`, and `shared_information`, which is Î(S;T).

    References
    ----------
    Pan, Niu, Zhang and Zhang (2021), Disentangled information bottleneck, arXiv 2012.07372, section 4.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> objective = DisentangledBottleneck(
    ...     nn.Linear(6, 2), nn.Linear(6, 3), nn.Linear(3 + 4, 6), dimension=2, nuisance_dimension=3, classes=4
    ... )
    >>> x, labels = torch.rand(8, 6), torch.arange(8) % 4
    >>> loss = objective(x, labels)
    >>> sorted(objective.terms)
    ['cross_entropy', 'reconstruction', 'shared_information']
    >>> loss = objective.opponent_loss(x, labels)
    >>> sorted(objective.terms)
    ['discrimination']
    """

    @validated
    def __init__(
        self,
        encoder: Module,
        nuisance_encoder: Module,
        decoder: Module,
        *,
        dimension: PositiveInt,
        nuisance_dimension: PositiveInt,
        classes: Annotated[int, Integer(2)],
        beta: float | Schedule = 1.0,
        reconstruction: NonNegativeFloat = 1.0,
        classifier: Module | None = None,
        discriminator: Module | None = None,
        observation: ObservationModel = "bernoulli",
        observation_scale: PositiveFloat = 1.0,
    ) -> None:
        super().__init__(beta)
        self.encoder, self.nuisance_encoder, self.decoder = encoder, nuisance_encoder, decoder
        self.dimension, self.nuisance_dimension, self.classes = dimension, nuisance_dimension, classes
        self.reconstruction = reconstruction
        self.classifier = nn.Linear(dimension, classes) if classifier is None else classifier
        self.discriminator = _pairs_critic(dimension + nuisance_dimension) if discriminator is None else discriminator
        self.observation = Observation(observation, observation_scale)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of everything except the discriminator, for inputs (n, ...) and integer labels (n,).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        labels : Tensor of shape (n,)
            Classes.
        """
        tensors(x=x, labels=labels)
        t, s = self.codes(x)
        cross_entropy = self.cross_entropy(self.classifier(t), labels)
        if labels.is_floating_point() or (not torch.compiler.is_compiling() and bool((labels < 0).any())):
            raise InvalidArgument("labels must be a class for every sample, got probabilities or ignored labels.")
        one_hot = functional.one_hot(labels.to(torch.int64), self.classes).to(s)
        reconstruction: Tensor = self.observation(self.decoder(torch.cat([s, one_hot], dim=1)), x).mean()
        shared = without_gradient(self.discriminator, torch.cat([s, t], dim=1)).mean()
        total: Tensor = cross_entropy + self.reconstruction * reconstruction + self.next_beta() * shared
        terms = {"cross_entropy": cross_entropy, "reconstruction": reconstruction, "shared_information": shared}
        self.record(terms)
        return total

    def opponent_loss(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Compute the discriminator's loss on the same inputs (n ≥ 2); labels are ignored.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        labels : Tensor of shape (n,)
            Classes.

        Notes
        -----
        It is −log D at pairs and −log(1 − D) at shuffled ones. The term `discrimination` is log 2 less half of it, a
        lower bound on the Jensen–Shannon divergence between the joint distribution and the product, in nats.
        """
        with torch.no_grad():
            t, s = self.codes(x)
        if len(t) < 2:
            raise InvalidArgument("x", "at least 2 samples, which can be shuffled", len(t))
        # A random cycle, so that no sample is its own partner.
        order = torch.randperm(len(t), device=t.device)
        other = torch.empty_like(order)
        other[order] = order.roll(1)
        joint = self.discriminator(torch.cat([s, t], dim=1))
        product = self.discriminator(torch.cat([s, t[other]], dim=1))
        total = functional.softplus(-joint).mean() + functional.softplus(product).mean()
        self.record({"discrimination": torch.tensor(2.0).log().to(total) - total / 2})
        return total

    @property
    def learner(self) -> nn.ModuleList:
        """All but the discriminator."""
        return nn.ModuleList(child for child in self.children() if child is not self.discriminator)

    @property
    def opponent(self) -> nn.Module:
        """The discriminator."""
        return self.discriminator

    def codes(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode x as T (n, dimension) and S (n, nuisance_dimension).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        """
        batch(x, "x")
        t = features(self.encoder, x, self.dimension)
        return t, features(self.nuisance_encoder, x, self.nuisance_dimension, "nuisance_encoder")

    def predict(self, x: Tensor) -> Tensor:
        """Compute log probabilities (n, C).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        """
        logits: Tensor = self.classifier(features(self.encoder, x, self.dimension))
        return logits.log_softmax(dim=1)


def _pairs_critic(width: int, hidden: int = 128) -> nn.Module:
    return nn.Sequential(
        nn.Linear(width, hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, 1),
    )
