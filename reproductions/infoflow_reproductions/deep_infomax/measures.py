"""Measures of a representation, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.estimators import Neural
from infoflow.objectives import DeepInfoMax
from infoflow.probes import (
    FineTuning,
    InputInformation,
    LinearSVM,
    MultilayerPerceptron,
    NeuralDependency,
    Reconstruction,
    TotalCorrelation,
    features,
    nearest,
)
from infoflow_reproductions.baselines.autoencoders import MeanOfGaussian
from infoflow_reproductions.deep_infomax.dependence import FOLDS
from infoflow_reproductions.deep_infomax.methods import Learner, scaled
from infoflow_reproductions.deep_infomax.occluded_loss import occluded_loss
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.harness.data import Labeled
from infoflow_reproductions.harness.figures import pack


class Measured(NamedTuple):
    """What the measures look at: images, labels, what was trained and the features of each layer."""

    learning: Learning
    seed: int
    device: str
    made: Learner
    train: Labeled
    test: Labeled
    of_train: Mapping[str, Tensor]
    of_test: Mapping[str, Tensor]

    def score(self, probe: Any, layer: str) -> float:
        """Test score of a classifier trained on a layer's features."""
        return float(probe.score(self.of_train[layer], self.train[1], self.of_test[layer], self.test[1]).value)


def _perceptron(on: Measured) -> dict[str, float]:
    learning = on.learning
    probe = MultilayerPerceptron(
        epochs=learning.probe_epochs,
        learning_rate=learning.probe_rate,
        milestones=tuple(learning.probe_milestones),
        standardize=True,
        averaged=learning.probe_averaged,
        runs=1,
        seed=on.seed,
        device=on.device,
    )
    return {layer: on.score(probe, layer) for layer in on.of_test}


def _svm(on: Measured) -> dict[str, float]:
    return {f"SVM ({layer})": on.score(LinearSVM(runs=1, seed=on.seed), layer) for layer in on.of_test}


def _dependence(on: Measured, y: Tensor, *, sigmoid: bool = False) -> tuple[str, list[float]]:
    """Name of the measure, and one estimate for each of the networks."""
    settings = {"max_epochs": on.learning.ndm_epochs, "folds": FOLDS}
    seeds = range(on.seed, on.seed + on.learning.ndm_networks)
    measures = [NeuralDependency(sigmoid=sigmoid, seed=seed, settings=settings) for seed in seeds]
    return measures[0].name, [measure.score(y).value for measure in measures]


def _ndm(on: Measured) -> dict[str, float]:
    found = [_dependence(on, on.of_test["Y"], sigmoid=sigmoid) for sigmoid in (False, True)]
    return {name: float(np.mean(values)) for name, values in found}


def _ndm_of_samples(on: Measured) -> dict[str, float]:
    """NDM of samples of a variational autoencoder's latent, and its deviation over networks.

    The means of features without information vary little, but together, and NDM ignores scales.
    """
    values = _dependence(on, posterior_samples(on.made.representation, on.test[0], on.seed))[1]
    found = {"NDM (samples)": float(np.mean(values))}
    # One network has no deviation.
    return found | ({"NDM (samples): networks": float(np.std(values, ddof=1))} if len(values) > 1 else {})


def posterior_samples(representation: nn.Module, x: Tensor, seed: int) -> Tensor:
    """Return a sample of a variational autoencoder's latent for each image.

    Parameters
    ----------
    representation
        The representation of a `BetaAutoencoder`.
    x
        Images of type uint8.
    seed
        Random seed of the noise.

    Returns
    -------
    Tensor
        Samples (n, features) of N(μ(x), σ²(x)).

    Raises
    ------
    InvalidArgument
        If it is another representation.
    """
    if not isinstance(representation, MeanOfGaussian):
        raise InvalidArgument("representation", "that of a BetaAutoencoder", representation)
    vectors = features(representation.encoder, x, {"Y": "output"}, prepare=scaled)["Y"]
    mean, log_variance = vectors.chunk(2, 1)
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(seed)).to(mean)
    return mean + (log_variance / 2).exp() * noise


def _total_correlation(on: Measured) -> dict[str, float]:
    return {"TC": TotalCorrelation(seed=on.seed).score(on.of_test["Y"]).value}


def mine(max_epochs: int) -> Neural:
    """Return the estimator of I(X;Y); from a random critic, a few thousand images give almost none of the information.

    Parameters
    ----------
    max_epochs
        Epochs of training.

    Returns
    -------
    Neural
        MINE whose critic starts at the linear dependence.
    """
    return Neural(bound="mine", hidden=(256, 256), head_start=True, max_epochs=max_epochs)


def _mine(on: Measured) -> dict[str, float]:
    measure = InputInformation(mine(on.learning.mine_epochs), seed=on.seed)
    return {measure.name: measure.score(scaled(on.test[0]), on.of_test["Y"]).value}


def _reconstruction(on: Measured) -> dict[str, float]:
    measure = Reconstruction(epochs=on.learning.decoder_epochs, seed=on.seed, device=on.device)
    pairs = (on.of_train["Y"], scaled(on.train[0]), on.of_test["Y"], scaled(on.test[0]))
    return {measure.name: measure.score(*pairs).value}


def _fine_tuned(on: Measured) -> dict[str, float]:
    """Semi-supervised accuracy: the encoder is trained on with all labels, a small network on its last convolution."""
    learning, (x, y) = on.learning, on.train
    probe = FineTuning(
        per_class=int(torch.bincount(y).min()),
        epochs=learning.probe_epochs,
        learning_rate=learning.probe_rate,
        layer=on.made.layers["conv"],
        runs=1,
        seed=on.seed,
        device=on.device,
    )
    return {"SS": probe.score(on.made.representation, x, y, *on.test, prepare=scaled).value}


def _occluded(on: Measured, block: int = 10) -> dict[str, Any]:
    objective = on.made.players["learner"].loss
    if not isinstance(objective, DeepInfoMax):
        raise InvalidArgument("method", "a variant of Deep InfoMax for the measure 'occluded-loss'", objective)
    return occluded_loss(objective, on.test[0], block, on.seed, on.device)


def _neighbors(on: Measured, queries: int = 5, k: int = 8) -> dict[str, Any]:
    """Test images and their nearest neighbors in Y by L1; always the same queries."""
    x, y = on.test[0], on.of_test["Y"]
    chosen = torch.from_numpy(np.random.default_rng(0).permutation(len(x))[:queries])
    _, indices = nearest(y[chosen], y, k + 1, "manhattan")
    rows = [[int(q), *[i for i in row if i != int(q)][:k]] for q, row in zip(chosen, indices.tolist(), strict=True)]
    return {"neighbors": pack(x[torch.tensor(rows)])}


def _neighbors_of_classes(on: Measured, most: int = 10, k: int = 4, queries: int = 2000) -> dict[str, Any]:
    """Figure 7: a training image of each class and the k nearest test images in Y by L1.

    The number is the share of neighbors that have the query's class, over more training images.
    """
    labels = on.train[1]
    order = torch.from_numpy(np.random.default_rng(0).permutation(len(labels)))
    _, indices = nearest(on.of_train["Y"][order[:queries]], on.of_test["Y"], k, "manhattan")
    agrees = on.test[1][indices] == labels[order[:queries], None]
    first = [int(order[labels[order] == label][0]) for label in sorted(set(labels.tolist()))[:most]]
    _, shown = nearest(on.of_train["Y"][first], on.of_test["Y"], k, "manhattan")
    sheet = torch.cat([on.train[0][first][:, None], on.test[0][shown]], 1)
    return {"same class": float(agrees.float().mean()), "neighbors": pack(sheet)}


MEASURES: dict[str, Callable[[Measured], dict[str, Any]]] = {
    "mlp": _perceptron,
    "svm": _svm,
    "ndm": _ndm,
    "ndm-samples": _ndm_of_samples,
    "tc": _total_correlation,
    "mine": _mine,
    "ms-ssim": _reconstruction,
    "neighbors": _neighbors,
    "neighbors-of-classes": _neighbors_of_classes,
    "occluded-loss": _occluded,
    "ss": _fine_tuned,
}
"""Measures of a representation by name; "ms-ssim" requires torchmetrics."""
