"""The information-bottleneck Lagrangian of a network with information dropout."""

from __future__ import annotations

import warnings
from typing import Literal

from torch import Tensor

from infoflow.core.blocks import Module
from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveFloat, PositiveInt, validated
from infoflow.layers import InformationDropout, information_cost, stochastic_layers
from infoflow.objectives.bottleneck.objective import BottleneckObjective, Observation, ObservationModel, batch
from infoflow.objectives.bottleneck.schedules import Schedule


class InformationBottleneckLagrangian(BottleneckObjective):
    """Cross-entropy and β/N times the information cost of the layers: mean −log p(y|z) + β/N · Σ_layers mean KL.

    Parameters
    ----------
    network
        Network that contains layers of `infoflow.layers` with a cost.
    beta
        Weight of the cost, or its schedule.
    samples
        Number N of training samples, by which the paper divides β; 1 leaves β as it is.
    task
        "classification", where the network gives logits (n, C), or "reconstruction", where it gives what `observation`
        takes, of the target's shape.
    observation
        Model of reconstructed data: "bernoulli" for logits of data in [0, 1], "gaussian" for means.
    observation_scale
        Standard deviation of the Gaussian observation model.

    Raises
    ------
    InvalidArgument
        If an argument is out of range or the network has no such layers; in a call if labels or data do not fit.

    Notes
    -----
    The terms, in nats per sample, are `cross_entropy` (or `reconstruction`) and `information`, which is
    `infoflow.layers.information_cost`.

    References
    ----------
    Achille and Soatto (2018), Information dropout, TPAMI 40(12), sections 3 and 4.

    Examples
    --------
    >>> import infoflow, torch
    >>> from torch import nn
    >>> _ = torch.manual_seed(0)
    >>> network = nn.Sequential(infoflow.layers.InformationDropout(nn.Linear(4, 8)), nn.Linear(8, 3))
    >>> objective = InformationBottleneckLagrangian(network, beta=3.0, samples=1000)
    >>> loss, terms = objective(torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])), objective.terms
    >>> sorted(terms), torch.allclose(loss, terms["cross_entropy"] + 0.003 * terms["information"])
    (['cross_entropy', 'information'], True)
    """

    @validated
    def __init__(
        self,
        network: Module,
        beta: float | Schedule = 1.0,
        *,
        samples: PositiveInt = 1,
        task: Literal["classification", "reconstruction"] = "classification",
        observation: ObservationModel = "bernoulli",
        observation_scale: PositiveFloat = 1.0,
    ) -> None:
        super().__init__(beta)
        self.network, self.samples, self.task = network, samples, task
        if not stochastic_layers(network):
            raise InvalidArgument(
                "network must contain a layer of infoflow.layers with noise, such as InformationDropout."
            )
        self.observation = Observation(observation, observation_scale)

    def forward(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Compute the loss of inputs (n, ...) and labels (n,), or of data to be reconstructed (by default x).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        target : Tensor, optional
            Labels (n,), or the data to be reconstructed, by default x.
        """
        tensors(x=x)
        output = self.network(batch(x, "x"))
        if self.task == "classification":
            if target is None:
                raise InvalidArgument("target", "labels where task is 'classification'", target)
            name, distortion = "cross_entropy", self.cross_entropy(output, target)
        else:
            name, distortion = "reconstruction", self.observation(output, x if target is None else target).mean()
        information = information_cost(self.network)
        self.record({name: distortion, "information": information})
        return distortion + self.next_beta() / self.samples * information


class InformationDropoutVAE(BottleneckObjective):
    """An autoencoder whose code has information dropout: −log p(x|z) + β KL(p(z|x) ‖ p(z)), z = f(x)·exp(α(x) n).

    Parameters
    ----------
    encoder
        Network from x to z with layers of `infoflow.layers`, whose KL are all counted.
    decoder
        Network from z to what `observation` takes.
    beta
        Weight of the KL, or its schedule.
    observation
        "bernoulli" for logits of data in [0, 1], "gaussian" for means.
    observation_scale
        Standard deviation of the Gaussian observation model.

    Raises
    ------
    InvalidArgument
        If an argument is out of range or the encoder has no such layer; in a call if the data do not fit.

    Notes
    -----
    With a log-normal prior and β = 1 the loss is an upper bound on −log p(x), as a VAE's is, in closed form except for
    the noise. A log-uniform prior is improper, so the loss bounds nothing then, and the constructor warns. The terms,
    in nats per sample, are `reconstruction`, `rate`, and their sum `bound`.

    References
    ----------
    Achille and Soatto (2018), Information dropout, TPAMI 40(12), section 5.

    Examples
    --------
    >>> import infoflow, torch
    >>> from torch import nn
    >>> _ = torch.manual_seed(0)
    >>> code = infoflow.layers.InformationDropout(nn.Linear(6, 2), prior="log-normal")
    >>> objective = InformationDropoutVAE(code, nn.Linear(2, 6))
    >>> loss = objective(torch.rand(8, 6))
    >>> sorted(objective.terms)
    ['bound', 'rate', 'reconstruction']
    """

    @validated
    def __init__(
        self,
        encoder: Module,
        decoder: Module,
        beta: float | Schedule = 1.0,
        *,
        observation: ObservationModel = "bernoulli",
        observation_scale: PositiveFloat = 1.0,
    ) -> None:
        super().__init__(beta)
        self.encoder, self.decoder = encoder, decoder
        layers = stochastic_layers(encoder).values()
        if not layers:
            raise InvalidArgument(
                "encoder must contain a layer of infoflow.layers with noise, such as InformationDropout."
            )
        if any(not isinstance(layer, InformationDropout) or layer.prior == "log-uniform" for layer in layers):
            warnings.warn(
                "encoder has layers without a log-normal prior, so its KL has a free constant and the loss does not "
                "bound the likelihood; use InformationDropout(..., prior='log-normal')",
                stacklevel=3,
            )
        self.observation = Observation(observation, observation_scale)

    def forward(self, x: Tensor, target: Tensor | None = None) -> Tensor:
        """Compute the loss of data (n, ...); a second argument, such as labels, is ignored.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Data.
        target : Tensor, optional
            Ignored, such as labels.
        """
        tensors(x=x)
        reconstruction: Tensor = self.observation(self.decoder(self.encoder(batch(x, "x"))), x).mean()
        rate = information_cost(self.encoder)
        self.record({"reconstruction": reconstruction, "rate": rate, "bound": reconstruction + rate})
        total: Tensor = reconstruction + self.next_beta() * rate
        return total
