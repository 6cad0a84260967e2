"""The disentangled information bottleneck: what the label needs in one code, the rest of the input in another."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.core.checks import integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.bottleneck.objective import BottleneckObjective, Observation, batch, features, module
from infoflow.objectives.bottleneck.schedules import Schedule


class DisentangledBottleneck(BottleneckObjective):
    """The disentangled information bottleneck: min −I(T;Y) − w I(X;S,Y) + β I(S;T), two codes that share nothing.

    T = encoder(x), (n, `dimension`), predicts the label; S = nuisance_encoder(x), (n, `nuisance_dimension`), with
    the label restores the input; and they should be independent:

        loss = −log q(y|t) − w log p(x|s, y) + β Î(S;T),    Î = mean of log D/(1 − D) at pairs (s_i, t_i),

    D = `discriminator` tells pairs (s_i, t_i) from shuffled (s_i, t_j), so its logit is log p(s,t)/p(s)p(t). It is
    trained by `opponent_loss(x, labels)`, another player: the loss above gives it no gradient, and its loss none
    to the encoders. w = `reconstruction`, and there is no trade-off between compression and prediction: T can keep all
    of the label and lose everything else.

    `decoder` takes s and a one-hot label, (n, `nuisance_dimension` + `classes`), to what `observation` takes; a linear
    classifier and a discriminator of two hidden layers are made unless given. Raises InvalidArgument or UnknownName.
    (Pan, Niu, Zhang and Zhang 2021, arXiv 2012.07372, section 4.)

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

    def __init__(
        self,
        encoder: nn.Module,
        nuisance_encoder: nn.Module,
        decoder: nn.Module,
        *,
        dimension: int,
        nuisance_dimension: int,
        classes: int,
        beta: float | Schedule = 1.0,
        reconstruction: float = 1.0,
        classifier: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        observation: str = "bernoulli",
        observation_std: float = 1.0,
    ) -> None:
        super().__init__(beta)
        self.encoder = module(encoder, "encoder")
        self.nuisance_encoder = module(nuisance_encoder, "nuisance_encoder")
        self.decoder = module(decoder, "decoder")
        self.dimension = integer(dimension, "dimension")
        self.nuisance_dimension = integer(nuisance_dimension, "nuisance_dimension")
        self.classes = integer(classes, "classes", minimum=2)
        self.reconstruction = positive(reconstruction, "reconstruction", zero=True)
        self.classifier = nn.Linear(dimension, classes) if classifier is None else module(classifier, "classifier")
        self.discriminator = (
            _pairs_critic(dimension + nuisance_dimension)
            if discriminator is None
            else module(discriminator, "discriminator")
        )
        self.observation = Observation(observation, observation_std)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Inputs (n, ...) and integer labels (n,) to the loss of all but the discriminator. Terms, nats per sample:
        `cross_entropy`, `reconstruction`, and `shared_information`, which is Î(S;T)."""
        t, s = self.codes(x)
        cross_entropy = self.cross_entropy(self.classifier(t), labels)
        if labels.is_floating_point() or (not torch.compiler.is_compiling() and bool((labels < 0).any())):
            raise InvalidArgument("labels are probabilities or ignored; want a class for every sample")
        one_hot = functional.one_hot(labels.to(torch.int64), self.classes).to(s)
        reconstruction = self.observation(self.decoder(torch.cat([s, one_hot], dim=1)), x).mean()
        frozen = {name: value.detach() for name, value in self.discriminator.named_parameters()}
        logits = torch.func.functional_call(self.discriminator, frozen, (torch.cat([s, t], dim=1),))
        shared = logits.mean()
        total = cross_entropy + self.reconstruction * reconstruction + self.next_beta() * shared
        terms = {"cross_entropy": cross_entropy, "reconstruction": reconstruction, "shared_information": shared}
        self.record(terms)
        return total

    def opponent_loss(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The discriminator's own loss on the same inputs (n ≥ 2): −log D at pairs, −log(1 − D) at shuffled ones. Its
        term `discrimination` is log 2 less half of it, a lower bound on the Jensen–Shannon divergence between the joint
        distribution and the product, in nats. Labels are not looked at."""
        with torch.no_grad():
            t, s = self.codes(x)
        if len(t) < 2:
            raise InvalidArgument("x holds 1 sample, which leaves nothing to shuffle; want at least 2")
        # A random rotation: nobody stays with their own.
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
        """T (n, dimension) and S (n, nuisance_dimension)."""
        batch(x, "x")
        t = features(self.encoder, x, self.dimension)
        return t, features(self.nuisance_encoder, x, self.nuisance_dimension, "nuisance_encoder")

    def predict(self, x: Tensor) -> Tensor:
        """Log probabilities (n, C)."""
        t = features(self.encoder, x, self.dimension)
        return self.classifier(t).log_softmax(dim=1)  # type: ignore[no-any-return]


def _pairs_critic(width: int, hidden: int = 128) -> nn.Module:
    return nn.Sequential(
        nn.Linear(width, hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, hidden),
        nn.LeakyReLU(0.2),
        nn.Linear(hidden, 1),
    )
