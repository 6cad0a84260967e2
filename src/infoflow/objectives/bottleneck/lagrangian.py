"""The information-bottleneck Lagrangian of a network with information dropout."""

from __future__ import annotations

import warnings

from torch import Tensor, nn

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument
from infoflow.layers import InformationDropout, information_cost, stochastic_layers
from infoflow.objectives.bottleneck.objective import BottleneckObjective, Observation, batch, module
from infoflow.objectives.bottleneck.schedules import Schedule

TASKS = ("classification", "reconstruction")


class InformationBottleneckLagrangian(BottleneckObjective):
    """Cross-entropy and β/N times what the network's layers let through: mean −log p(y|z) + β/N · Σ_layers mean KL.

    `network` is any network with layers of `infoflow.layers` that have a cost; N = `samples` is the number of training
    samples, by which the paper divides β (1 leaves β as it is). Its cost is in nats per sample, `information_cost`.

    - task "classification": `forward(x, labels)`, the network gives logits (n, C).
    - task "reconstruction": `forward(x)` or `forward(x, target)`, the network gives what `observation` takes: for
      "bernoulli" logits of data in [0, 1], for "gaussian" means, with `observation_std`; of the target's shape.

    Raises InvalidArgument or UnknownName: β < 0, a network without such layers, data as in `nn.CrossEntropyLoss`.
    (Achille and Soatto 2018, sections 3 and 4.)

    >>> import infoflow, torch
    >>> _ = torch.manual_seed(0)
    >>> network = nn.Sequential(infoflow.layers.InformationDropout(nn.Linear(4, 8)), nn.Linear(8, 3))
    >>> objective = InformationBottleneckLagrangian(network, beta=3.0, samples=1000)
    >>> total, terms = objective(torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])), objective.terms
    >>> sorted(terms), torch.allclose(total, terms["cross_entropy"] + 0.003 * terms["information"])
    (['cross_entropy', 'information'], True)
    """

    def __init__(
        self,
        network: nn.Module,
        beta: float | Schedule = 1.0,
        *,
        samples: int = 1,
        task: str = "classification",
        observation: str = "bernoulli",
        observation_std: float = 1.0,
    ) -> None:
        super().__init__(beta)
        self.network = module(network, "network")
        if not stochastic_layers(network):
            raise InvalidArgument("network has no layer of infoflow.layers with noise; want InformationDropout in it")
        self.samples = integer(samples, "samples")
        self.task = choice(task, "task", TASKS)
        self.observation = Observation(observation, observation_std)

    def forward(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Inputs (n, ...) and labels (n,), or the data to be reconstructed, to the loss; terms `cross_entropy` (or
        `reconstruction`) and `information`, nats per sample."""
        output = self.network(batch(x, "x"))
        if self.task == "classification":
            if target is None:
                raise InvalidArgument("labels are missing; want forward(x, labels), or task='reconstruction'")
            name, distortion = "cross_entropy", self.cross_entropy(output, target)
        else:
            name, distortion = "reconstruction", self.observation(output, x if target is None else target).mean()
        information = information_cost(self.network)
        total = distortion + self.next_beta() / self.samples * information
        self.record({name: distortion, "information": information})
        return total


class InformationDropoutVAE(BottleneckObjective):
    """The autoencoder whose code has information dropout: −log p(x|z) + β KL(p(z|x) ‖ p(z)), z = f(x)·exp(α(x) n).

    `encoder` ends in the code: x to z with layers of `infoflow.layers`, whose KL all count; `decoder` maps z to what
    `observation` takes. With a log-normal prior and β = 1 the loss is an upper bound on −log p(x), as a VAE's is, in
    closed form but for the noise. A log-uniform prior has no norm, so there the loss bounds nothing, and a warning
    says so.

    Raises InvalidArgument or UnknownName. (Achille and Soatto 2018, section 5.)

    >>> import infoflow, torch
    >>> _ = torch.manual_seed(0)
    >>> code = infoflow.layers.InformationDropout(nn.Linear(6, 2), prior="log-normal")
    >>> objective = InformationDropoutVAE(code, nn.Linear(2, 6))
    >>> loss = objective(torch.rand(8, 6))
    >>> sorted(objective.terms)
    ['bound', 'rate', 'reconstruction']
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        beta: float | Schedule = 1.0,
        *,
        observation: str = "bernoulli",
        observation_std: float = 1.0,
    ) -> None:
        super().__init__(beta)
        self.encoder = module(encoder, "encoder")
        self.decoder = module(decoder, "decoder")
        layers = stochastic_layers(encoder).values()
        if not layers:
            raise InvalidArgument("encoder has no layer of infoflow.layers with noise; want InformationDropout in it")
        if any(not isinstance(layer, InformationDropout) or layer.prior == "log-uniform" for layer in layers):
            warnings.warn(
                "encoder has layers without a log-normal prior, so its KL has a free constant and the loss bounds no "
                "likelihood; want InformationDropout(..., prior='log-normal')",
                stacklevel=2,
            )
        self.observation = Observation(observation, observation_std)

    def forward(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Data (n, ...) to the loss. Terms, nats per sample: `reconstruction`, `rate`, and their sum, the `bound` on
        −log p(x). The second argument (labels, say) is not looked at."""
        reconstruction = self.observation(self.decoder(self.encoder(batch(x, "x"))), x).mean()
        rate = information_cost(self.encoder)
        total = reconstruction + self.next_beta() * rate
        self.record({"reconstruction": reconstruction, "rate": rate, "bound": reconstruction + rate})
        return total
