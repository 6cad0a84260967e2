"""One classifier trained with one loss: the trial of every comparison of losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from infoflow.core.errors import DidNotConverge
from infoflow.models import MLP
from infoflow.objectives import MutualInformationLoss
from infoflow.training import Fit, Optimizer, Player, fit
from infoflow_reproductions.harness.data import images
from infoflow_reproductions.harness.seeds import over_seeds
from infoflow_reproductions.harness.trial import Context, Results, Trial
from infoflow_reproductions.milc.images import Standardized, augmented, plain
from infoflow_reproductions.milc.losses import loss_of, title
from infoflow_reproductions.networks.on_processors import for_processors
from infoflow_reproductions.networks.small_cnn import SmallCNN
from infoflow_reproductions.networks.vision import vision_network

Stem = Literal["small", "imagenet"]

CLASSES = 10
MOMENTUM = 0.9

# Number of training images in the curves; test images are always measured in full.
_SEEN = 10_000
_BATCH = 1000
# Number of points of a curve.
_POINTS = 16

# Used for its terms, the cross-entropies of whole sets of images; nothing is trained with it.
_TERMS = MutualInformationLoss(check=False)


@dataclass(frozen=True)
class Training:
    """Settings of a classifier and its training by SGD with momentum 0.9 and a constant learning rate.

    Parameters
    ----------
    data
        One of `harness.data.DATA`.
    network
        Name of the network, as in `network_of`.
    loss
        Name of the loss, as in `loss_of`.
    seed
        Random seed.
    epochs
        Epochs of training.
    batch_size
        Images per step.
    learning_rate
        Learning rate.
    size
        Number of training images.
    held_out
        Number of images on which settings are chosen.
    weight
        Weight λ of the losses that have one.
    augment
        Whether training images are shifted and, except digits, mirrored.
    weight_decay
        Weight decay.
    stem
        First layers of torchvision's networks, as in `vision_network`.
    standardized
        Whether pixels are standardized by the channels of the training images, rather than in [0, 1].
    channels_last
        Whether convolutions use torch's channels-last layout, and those of 1×1 a matrix product, which is faster on
        processors; results differ by rounding.

    Examples
    --------
    >>> Training("digits", "mlp", "ce", seed=0, epochs=2, batch_size=64, learning_rate=0.1, size=500).name
    'mlp/ce/lr=0.1/B=64/epochs=2/n=500/seed=0'
    """

    data: str
    network: str
    loss: str
    seed: int
    epochs: int
    batch_size: int
    learning_rate: float
    size: int
    held_out: int = 0
    weight: float = 0.0
    augment: bool = False
    weight_decay: float = 0.0
    stem: Stem = "small"
    standardized: bool = field(default=False, metadata={"omit_default": True})
    channels_last: bool = field(default=False, metadata={"omit_default": True})

    @property
    def name(self) -> str:
        """Name of the trial."""
        parts = [
            self.network if self.stem == "small" else f"{self.network}-{self.stem}",
            f"{self.loss}={self.weight:g}" if self.loss.startswith("mil") else self.loss,
            f"lr={self.learning_rate:g}",
            f"B={self.batch_size}",
            f"epochs={self.epochs}",
            f"n={self.size}" + (f"+{self.held_out}" if self.held_out else ""),
            "augmented" if self.augment else "",
            f"decay={self.weight_decay:g}" if self.weight_decay else "",
            "standardized" if self.standardized else "",
            f"seed={self.seed}",
        ]
        return "/".join(part for part in parts if part)

    @property
    def title(self) -> str:
        """Name in tables."""
        return f"{title(self.loss, self.weight)}, learning rate {self.learning_rate:g}"


def trials(trainings: Sequence[Training], seeds: int) -> list[Trial]:
    """Return the trials of several trainings.

    Parameters
    ----------
    trainings
        Settings, which may be repeated; their seeds are ignored.
    seeds
        Number of seeds.

    Returns
    -------
    list of Trial
        Each once, seed by seed.
    """
    found = [replace(each, seed=seed) for seed in range(seeds) for each in dict.fromkeys(trainings)]
    return [Trial(each.name, run, each) for each in found]


class Found:
    """Results of trainings for every seed.

    Parameters
    ----------
    results
        Results of the trials.
    seeds
        Number of seeds.
    """

    def __init__(self, results: Results, seeds: int) -> None:
        self._results, self._seeds = results, seeds

    def of(self, training: Training) -> list[Mapping[str, Any]]:
        """Return what `run` found.

        Parameters
        ----------
        training
            Settings, whose seed is ignored.

        Returns
        -------
        list of mapping
            One per seed.
        """
        return [self._results[replace(training, seed=seed).name] for seed in range(self._seeds)]

    def values(self, training: Training, name: str = "test_accuracy") -> list[float]:
        """Return one result.

        Parameters
        ----------
        training
            Settings, whose seed is ignored.
        name
            Name of the result.

        Returns
        -------
        list of float
            One number per seed.
        """
        return [float(one[name]) for one in self.of(training)]

    def gain(self, training: Training, over: Training) -> list[float]:
        """Return the difference of the test accuracies.

        Parameters
        ----------
        training, over
            Settings, whose seeds are ignored.

        Returns
        -------
        list of float
            Percentage points, one number per seed.
        """
        return [100 * (a - b) for a, b in zip(self.values(training), self.values(over), strict=True)]

    def best(self, trainings: Sequence[Training]) -> Training:
        """Return the training with the highest accuracy on held-out images, averaged over seeds.

        Parameters
        ----------
        trainings
            Settings, whose seeds are ignored.

        Returns
        -------
        Training
            One of them.
        """
        return max(trainings, key=lambda each: over_seeds(self.values(each, "held_out_accuracy")).mean)


def network_of(name: str, image: tuple[int, int], *, stem: Stem, seed: int) -> nn.Module:
    """Return one of the paper's networks.

    Parameters
    ----------
    name
        "mlp" (two hidden layers of 64 units, ReLU), "cnn" (`SmallCNN`), or the name of one of torchvision's.
    image
        Channels and side of the images.
    stem
        First layers of torchvision's networks.
    seed
        Random seed of the parameters.

    Returns
    -------
    Module
        The network.

    Raises
    ------
    UnknownName
        If there is no such network.
    MissingExtra
        If it requires torchvision, which is not installed.

    Examples
    --------
    >>> sum(parameter.numel() for parameter in network_of("mlp", (1, 28), stem="small", seed=0).parameters())
    55050
    """
    channels, side = image
    if name == "mlp":
        return nn.Sequential(nn.Flatten(), MLP([channels * side**2, 64, 64, CLASSES], "relu", seed=seed))
    if name == "cnn":
        return SmallCNN(image, CLASSES, seed=seed)
    return vision_network(name, CLASSES, stem=stem, seed=seed)


def run(chosen: Training, *, context: Context) -> Mapping[str, Any]:
    """Train a classifier and measure it along training.

    Parameters
    ----------
    chosen
        Settings of the training.
    context
        Where it runs.

    Returns
    -------
    mapping
        `steps`; `accuracy` and, in nats, `label_entropy`, `conditional_entropy` and `mutual_information` of the trained
        network on test images (`test_...`), on training images (`train_...`) and on held-out images, if there are any
        (`held_out_...`); and `curve_epoch`, `curve_test_accuracy` and so on along training. A run whose loss is no
        longer finite has `diverged` and the accuracy of guessing.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> chosen = Training("digits", "mlp", "mil", 0, 4, 64, 0.1, size=1000, held_out=300, weight=0.5)
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "checkpoint"
    >>> found = run(chosen, context=Context(None, "cpu", file, False))
    >>> found["test_accuracy"] > 0.5, found["steps"], found["curve_epoch"]
    (True, 64, [0, 1, 2, 3, 4])
    """
    parts = images(chosen.data, chosen.size, chosen.held_out, context.data_root)
    channels, side = parts.train[0].shape[1:3]
    model = network_of(chosen.network, (channels, side), stem=chosen.stem, seed=chosen.seed)
    if chosen.channels_last:
        model = for_processors(model)
    if chosen.standardized:
        model = nn.Sequential(Standardized(parts.train[0]), model)
    model = model.to(context.device)
    criterion = loss_of(chosen.loss, chosen.weight, parts.counts).to(context.device)
    sets = {"train": (parts.train[0][:_SEEN], parts.train[1][:_SEEN]), "test": parts.test}
    if chosen.held_out:
        sets["held_out"] = parts.held_out
    optimizer = Optimizer("sgd", chosen.learning_rate, momentum=MOMENTUM, weight_decay=chosen.weight_decay)
    found: dict[str, Any] = {"steps": chosen.epochs * -(-chosen.size // chosen.batch_size), "diverged": False}
    # Mirror images of digits are not digits.
    prepare = augmented(flip=chosen.data.startswith("cifar10")) if chosen.augment else plain
    fingerprint = {"loss": repr(criterion), "name": chosen.loss, "weight": chosen.weight, "augment": chosen.augment}
    try:
        history = fit(
            Player(model, lambda x, y: criterion(model(x), y)),
            parts.train,
            Fit(chosen.epochs, chosen.batch_size, optimizer, drop_last=False, channels_last=chosen.channels_last),
            seed=chosen.seed,
            prepare=prepare,
            evaluate=lambda epoch: _measured(model, sets, context.device),
            every=max(1, round(chosen.epochs / _POINTS)),
            checkpoint=context.checkpoint,
            resume=True,
            fingerprint=fingerprint,
            progress=context.progress,
        )
    except DidNotConverge:
        return {**found, "diverged": True, **{f"{name}_accuracy": 1 / CLASSES for name in sets}}
    measured = [row for row in history if "test_accuracy" in row]
    for name in measured[-1]:
        if name.startswith(tuple(sets)):
            found[name] = measured[-1][name]
            found[f"curve_{name}"] = [row[name] for row in measured]
    return {**found, "curve_epoch": [row["epoch"] for row in measured]}


def _measured(model: nn.Module, sets: Mapping[str, tuple[Tensor, Tensor]], device: str) -> dict[str, float]:
    found = {}
    for name, (x, y) in sets.items():
        logits = torch.cat([model(plain(part.to(device), y)[0]) for part in torch.split(x, _BATCH)]).double()
        labels = y.to(device)
        found[f"{name}_accuracy"] = float((logits.argmax(1) == labels).double().mean())
        _TERMS(logits, labels)
        for term, value in _TERMS.terms.items():
            if term != "label_divergence":
                found[f"{name}_{term}"] = float(value)
    return found
