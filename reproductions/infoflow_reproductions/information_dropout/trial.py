"""The trial of four experiments: one All-CNN-32 on CIFAR-10, plain or occluded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor, nn
from torch.nn import functional

from infoflow.entropies.total_correlation import total_correlation
from infoflow.layers import InformationDropout, forget_costs
from infoflow.models import MLP
from infoflow.training import Fit, Optimizer, Player, fit
from infoflow_reproductions.harness.trial import Context, Trial
from infoflow_reproductions.information_dropout import training
from infoflow_reproductions.information_dropout.images import Images
from infoflow_reproductions.networks.all_cnn import AllCNN, all_cnn_32
from infoflow_reproductions.networks.noisy import Activation, Dropout

MENTIONED_RATE = 0.5
"""Rate of binary dropout that section 8 mentions to explain α < 0.7. The paper states none for its comparisons."""
# Number of test images on which information and correlation are measured; their means hardly vary.
_MEASURED = 2000
# The classifier of the nuisance: hidden units, epochs, batch size.
_HIDDEN, _EPOCHS, _BATCH = 128, 8, 100
# Draws of the noise for each image, so that the classifier cannot memorize one draw.
_DRAWS = 2
_BINS = 60


@dataclass(frozen=True)
class Settings(training.Settings):
    """Settings of every network of an experiment; the defaults are those of the recipe full.

    Parameters
    ----------
    data, samples, held_out, epochs, milestones, batch_size, learning_rate
        As in `training.Settings`.
    pool
        Side of the blocks of pixels that are averaged.
    weight_decay
        Weight decay.
    keep
        Share of the input pixels that training retains.
    """

    pool: int = 1
    weight_decay: float = 1e-3
    keep: float = 0.8


PUBLISHED = Settings(
    "cifar10", samples=50_000, held_out=0, epochs=200, milestones=(80, 120, 160), batch_size=100, learning_rate=0.05
)
SMOKE = replace(PUBLISHED, data="toy-colors", samples=300, epochs=1, milestones=(), batch_size=50)
SMALL = replace(PUBLISHED, samples=5_000, pool=2, epochs=6, milestones=(4,), batch_size=50)
"""Settings with the published data and schedule, for smoke tests, and for minutes on two processors."""


@dataclass(frozen=True)
class Run:
    """What differs between the networks of an experiment.

    Parameters
    ----------
    method
        Kind of dropout.
    width
        Share of the channels of All-CNN-32.
    beta
        Weight β of the information cost.
    activation
        Name of the activation.
    seed
        Random seed.
    settings
        What they have in common.
    rate
        Rate of binary dropout.

    Examples
    --------
    >>> Run("information", 0.25, 3.0, "relu", 0, PUBLISHED).trial.name
    'information/relu/width=0.25/beta=3/seed=0'
    """

    method: Dropout
    width: float
    beta: float
    activation: Activation
    seed: int
    settings: Settings
    rate: float = MENTIONED_RATE

    @property
    def trial(self) -> Trial:
        """The trial, named after these values."""
        strength = f"rate={self.rate:g}" if self.method == "binary" else f"beta={self.beta:g}"
        name = f"{self.method}/{self.activation}/width={self.width:g}/{strength}/seed={self.seed}"
        return Trial(name, run, self)


def run(chosen: Run, *, context: Context) -> Mapping[str, Any]:
    """Train one network and measure the information that it transmits.

    Parameters
    ----------
    chosen
        The network.
    context
        Where it runs.

    Returns
    -------
    mapping
        Errors in percent, `train_error` among them and `noisy_test_error` with the learned noise on; `nats` over all
        dropout layers, `nats_per_layer` and `nats_per_unit` (sorted within a layer); what `activations_beside_prior`
        finds at the last dropout;
        `total_correlation` of log z there (Softplus only, since the zeros of ReLU have no logarithm); and
        `nuisance_accuracy` where images have a nuisance label.
    """
    settings, seed = chosen.settings, chosen.seed
    parts = settings.images(context, pool=settings.pool, whiten=True)
    network = all_cnn_32(
        chosen.method,
        width=chosen.width,
        keep=settings.keep,
        rate=chosen.rate,
        activation=chosen.activation,
        channels=parts.train.x.shape[1],
        seed=seed,
    ).to(context.device)
    schedule = settings.fit("sgd", momentum=0.9, nesterov=True, weight_decay=settings.weight_decay)
    history = training.train(network, parts.train, schedule, beta=chosen.beta, seed=seed, context=context)
    network.eval()
    found: dict[str, Any] = {"train_cross_entropy": history[-1]["cross_entropy"]}
    costly = training.has_cost(network)
    if costly:
        found["information_curve"] = [row["information"] for row in history if "information" in row]
        training.to_noisy_evaluation(network, parts.train, seed, context)
        found["noisy_test_error"] = training.noisy_error(network, parts.test, seed, context)
        if "nuisance" in parts.train.factors:
            found["nuisance_accuracy"] = nuisance_accuracy(network, parts, seed, context)
        z = training.noisy_representation(network, parts.test.first(_MEASURED).x, seed, context)
        found |= activations_beside_prior(z, learned_prior(network))
        if chosen.activation == "softplus":
            found |= _total_correlation(network, z)
    training.to_evaluation(network, parts.train, context)
    found |= training.errors(network, parts, context)
    found["train_error"] = training.error(network, parts.train, context)
    if costly:
        found |= _nats(network, parts, context)
    forget_costs(network)
    return found


def nuisance_accuracy(network: Any, parts: Images, seed: int, context: Context) -> float:
    """Return how well a two-layer network classifies the nuisance from the noisy representation.

    Parameters
    ----------
    network
        Network with a method `representation`; it is not changed.
    parts
        Images with the factor `nuisance`.
    seed
        Random seed.
    context
        Holds the device.

    Returns
    -------
    float
        Test accuracy in percent.

    Notes
    -----
    Training and test images are seen through the noise. A stronger classifier might be more accurate.
    """
    seeds = [1_000 * (seed + 1) + draw for draw in range(_DRAWS + 1)]
    z = torch.cat([training.noisy_representation(network, parts.train.x, each, context) for each in seeds[:-1]])
    labels = parts.train.factors["nuisance"].repeat(_DRAWS)
    unseen = training.noisy_representation(network, parts.test.x, seeds[-1], context)
    mean, std = z.mean(0), z.std(0).clamp_min(1e-6)
    head: nn.Module = MLP([z.shape[1], _HIDDEN, 10], "relu", seed=seed)

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(head(x), y)

    fit(
        Player(head, loss),
        [(z - mean) / std, labels],
        Fit(_EPOCHS, _BATCH, Optimizer("adam", 1e-3, milestones=(_EPOCHS - 2,))),
        seed=seed,
        device=context.device,
    )
    with torch.no_grad():
        guess = head(((unseen - mean) / std).to(context.device)).argmax(1).cpu()
    return 100.0 * float((guess == parts.test.factors["nuisance"]).double().mean())


def learned_prior(network: nn.Module) -> tuple[float, float] | None:
    """Return the mean and deviation of log z under the log-normal prior of the last layer with information dropout.

    Parameters
    ----------
    network
        Network with information dropout.

    Returns
    -------
    tuple of float or None
        The layer's learned parameters; None where its prior is log-uniform.
    """
    *_, last = (module for module in network.modules() if isinstance(module, InformationDropout))
    if last.prior == "log-uniform":
        return None
    return last.prior_mean.item(), last.prior_log_std.exp().item()


def activations_beside_prior(z: Tensor, learned: tuple[float, float] | None) -> dict[str, Any]:
    """Compare noisy activations with the prior that belongs to them.

    Parameters
    ----------
    z : Tensor of shape (n, ...)
        Noisy activations, none of them negative.
    learned
        Mean and deviation of log z under a log-normal prior; None for a log-uniform prior with a point mass at 0.

    Returns
    -------
    mapping
        `distance_from_prior`, the Kolmogorov distance between log z and its prior; `log_density` of log z in bins with
        `log_edges`, and `prior_density` in the middle of the bins.

    Examples
    --------
    >>> z = torch.randn(20_000, generator=torch.Generator().manual_seed(0)).exp()
    >>> [activations_beside_prior(z, prior)["distance_from_prior"] < 0.02 for prior in ((0.0, 1.0), (0.5, 1.0), None)]
    [True, False, False]
    """
    log_z = np.sort(z[z > 0].double().log().numpy().ravel())
    low, high = np.quantile(log_z, [0.01, 0.99])
    if learned is not None:
        prior = stats.norm(*learned)
    else:
        log_z = log_z[(log_z >= low) & (log_z <= high)]
        prior = stats.uniform(low, high - low)
    density, edges = np.histogram(log_z, bins=_BINS, range=(low, high), density=True)
    return {
        "distance_from_prior": float(stats.ks_1samp(log_z, prior.cdf, method="asymp").statistic),
        "log_density": density.tolist(),
        "log_edges": edges.tolist(),
        "prior_density": prior.pdf((edges[1:] + edges[:-1]) / 2).tolist(),
    }


def _total_correlation(network: AllCNN, z: Tensor) -> dict[str, float]:
    channels = network.units
    # A sample is one place of one image: the units of a convolution are its channels.
    units = z.reshape(len(z), channels, -1).movedim(1, 2).reshape(-1, channels).clamp_min(1e-30).log()
    nats = total_correlation(units).nats
    return {"total_correlation": nats, "total_correlation_per_unit": nats / channels}


def _nats(network: AllCNN, parts: Images, context: Context) -> dict[str, Any]:
    units = training.costs(network, parts.test.first(_MEASURED).x, context, per="unit")
    per_unit = {name: cost.mean(0).sort(descending=True).values for name, cost in units.items()}
    return {
        "nats": float(torch.stack([cost.sum() for cost in per_unit.values()]).sum()),
        "nats_per_layer": {name: float(cost.sum()) for name, cost in per_unit.items()},
        "nats_per_unit": {name: cost.tolist() for name, cost in per_unit.items()},
    }
