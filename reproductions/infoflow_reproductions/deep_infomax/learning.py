"""One method trained on one data set and measured: the trial of every table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.estimators import Neural
from infoflow.probes import (
    InputInformation,
    LinearSVM,
    MultilayerPerceptron,
    NeuralDependency,
    Reconstruction,
    TotalCorrelation,
    features,
    nearest,
)
from infoflow.training import Fit, Optimizer, fit
from infoflow_reproductions.deep_infomax.methods import Learner, Size, learner, scaled
from infoflow_reproductions.deep_infomax.stl10 import stl10
from infoflow_reproductions.harness.data import Labeled, images
from infoflow_reproductions.harness.figures import pack
from infoflow_reproductions.harness.trial import Context, Trial

_CLASSES = 10


@dataclass(frozen=True)
class Learning:
    """How every method is trained and measured; the defaults are the paper's for CIFAR-10.

    Perceptron probes have 200 units and dropout 0.1 on standardized features.

    Parameters
    ----------
    data
        Name of the data set: "stl10", or one of `harness.data.DATA`, with "-64" for images of twice the side.
    images
        Number of training images.
    epochs, batch_size, learning_rate
        Training of the method.
    probe_epochs, probe_rate, probe_milestones
        Training of the perceptron probes; the learning rate falls to a tenth at each milestone.
    ndm_epochs, mine_epochs, decoder_epochs
        Epochs of the measures that train networks of their own.
    size
        Sizes of the networks.

    Examples
    --------
    >>> Learning(size=Size(width=0.5)).size.width
    0.5
    """

    data: str = "cifar10"
    images: int = 50_000
    epochs: int = 1000
    batch_size: int = 64
    learning_rate: float = 1e-4
    probe_epochs: int = 150
    probe_rate: float = 1e-4
    probe_milestones: tuple[int, ...] = (50, 100)
    ndm_epochs: int = 50
    mine_epochs: int = 50
    decoder_epochs: int = 30
    size: Size = field(default_factory=Size)


@dataclass(frozen=True)
class Task:
    """One run of one method.

    Parameters
    ----------
    learning
        How it is trained and measured.
    method
        Name in `methods.LABELS`.
    seed
        Random seed.
    options
        Options of the method.
    measures
        Names in `MEASURES`.
    """

    learning: Learning
    method: str
    seed: int
    options: Mapping[str, Any]
    measures: Sequence[str]


def trial(
    learning: Learning,
    method: str,
    seed: int,
    *,
    options: Mapping[str, Any] | None = None,
    measures: Sequence[str] = ("mlp",),
    label: str = "",
) -> Trial:
    """Return the trial of one method and one seed.

    Parameters
    ----------
    learning, method, seed, options, measures
        Fields of `Task`.
    label
        Part of the trial's name that separates it from others of the method.

    Returns
    -------
    Trial
        The trial.

    Examples
    --------
    >>> trial(Learning(), "dim-l", 0, options={"negatives": 4}, label="negatives=4").name
    'dim-l/negatives=4/seed=0'
    """
    name = "/".join(part for part in (method, label, f"seed={seed}") if part)
    return Trial(name, run, Task(learning, method, seed, dict(options or {}), list(measures)))


def run(task: Task, *, context: Context) -> dict[str, Any]:
    """Train a method on the training images, then measure its representation on the test images.

    Parameters
    ----------
    task
        What to train and to measure.
    context
        Where the trial runs.

    Returns
    -------
    dict
        Accuracies as "conv", "fc", "Y" (measure "mlp"), "SVM (conv)" and so on, "NDM", "NDM (sigmoid)", "TC",
        "MS-SSIM", "Î(X;Y)", "accuracy" of the supervised network, `curve_...` of every term over training, and
        "neighbors", a picture.

    Examples
    --------
    >>> import tempfile
    >>> size = Size(width=0.03, features=4, units=8)
    >>> tiny = Learning("digits32", 200, epochs=1, probe_epochs=1, size=size)
    >>> context = Context(None, "cpu", Path(tempfile.mkdtemp()) / "checkpoint", False)
    >>> sorted(trial(tiny, "dim-l", 0)(context))
    ['Y', 'conv', 'curve_local', 'curve_prior', 'fc']
    """
    train, test = _data(task.learning, context.data_root)
    made = learner(
        task.method,
        task.learning.size,
        images=len(train[0]),
        classes=_CLASSES,
        seed=task.seed,
        options=task.options,
    )
    for module in (made.representation, *(player.module for player in made.players.values())):
        module.to(context.device)
    history = _trained(made, train, task, context)
    found: dict[str, Any] = {}
    for name in sorted({name for row in history for name in row} - {"epoch", "learner/loss"}):
        player, _, term = name.rpartition("/")
        if player.startswith("learner"):
            found[f"curve_{term}"] = [row[name] for row in history if name in row]
    if made.classifier is not None:
        found["accuracy"] = _accuracy(made.classifier, test, context.device)
    both = [features(made.representation, x, made.layers, prepare=scaled) for x in (train[0], test[0])]
    measured = _Measured(task, context.device, train, test, *both)
    for name, measure in MEASURES.items():
        if name in task.measures:
            found |= measure(measured)
    return found


def _data(learning: Learning, root: Path | None) -> tuple[Labeled, Labeled]:
    if learning.data == "stl10":
        return stl10(root)
    found = images(learning.data.removesuffix("-64"), learning.images, 0, root)
    train, test = found.train, found.test
    if learning.data.endswith("-64"):
        train, test = ((x.repeat_interleave(2, 2).repeat_interleave(2, 3), y) for x, y in (train, test))
    return train, test


def _trained(made: Learner, train: Labeled, task: Task, context: Context) -> list[dict[str, float]]:
    if not made.players:
        _estimate_batch_norm(made.representation, train[0], context.device)
        return []
    learning = task.learning
    return fit(
        made.players,
        [*train, torch.arange(len(train[0]))],
        Fit(learning.epochs, learning.batch_size, Optimizer("adam", learning.learning_rate, betas=(0.5, 0.999))),
        seed=task.seed,
        prepare=made.prepare,
        **context.resumable({"method": task.method, "options": dict(task.options), "measures": list(task.measures)}),
    )


@torch.no_grad()
def _estimate_batch_norm(encoder: nn.Module, x: Tensor, device: str) -> None:
    """Set the statistics of an untrained encoder, which without them would be worse than a random one."""
    encoder.train()
    for part in torch.split(x[:10_000], 500):
        encoder(scaled(part.to(device)))
    encoder.eval()


@torch.no_grad()
def _accuracy(network: nn.Module, test: Labeled, device: str) -> float:
    network.eval()
    logits = torch.cat([network(scaled(part.to(device))).cpu() for part in torch.split(test[0], 500)])
    return float((logits.argmax(1) == test[1]).float().mean())


class _Measured(NamedTuple):
    """What the measures look at: images, labels and the features of each layer."""

    task: Task
    device: str
    train: Labeled
    test: Labeled
    of_train: Mapping[str, Tensor]
    of_test: Mapping[str, Tensor]

    def score(self, probe: Any, layer: str) -> float:
        """Test score of a classifier trained on a layer's features."""
        return float(probe.score(self.of_train[layer], self.train[1], self.of_test[layer], self.test[1]).value)


def _perceptron(on: _Measured) -> dict[str, float]:
    learning = on.task.learning
    probe = MultilayerPerceptron(
        epochs=learning.probe_epochs,
        learning_rate=learning.probe_rate,
        milestones=tuple(learning.probe_milestones),
        standardize=True,
        runs=1,
        seed=on.task.seed,
        device=on.device,
    )
    return {layer: on.score(probe, layer) for layer in on.of_test}


def _svm(on: _Measured) -> dict[str, float]:
    return {f"SVM ({layer})": on.score(LinearSVM(runs=1, seed=on.task.seed), layer) for layer in on.of_test}


def _ndm(on: _Measured) -> dict[str, float]:
    settings = {"max_epochs": on.task.learning.ndm_epochs, "folds": 2}
    measures = [NeuralDependency(sigmoid=sigmoid, seed=on.task.seed, settings=settings) for sigmoid in (False, True)]
    return {measure.name: measure.score(on.of_test["Y"]).value for measure in measures}


def _total_correlation(on: _Measured) -> dict[str, float]:
    return {"TC": TotalCorrelation(seed=on.task.seed).score(on.of_test["Y"]).value}


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


def _mine(on: _Measured) -> dict[str, float]:
    measure = InputInformation(mine(on.task.learning.mine_epochs), seed=on.task.seed)
    return {measure.name: measure.score(scaled(on.test[0]), on.of_test["Y"]).value}


def _reconstruction(on: _Measured) -> dict[str, float]:
    measure = Reconstruction(epochs=on.task.learning.decoder_epochs, seed=on.task.seed, device=on.device)
    pairs = (on.of_train["Y"], scaled(on.train[0]), on.of_test["Y"], scaled(on.test[0]))
    return {measure.name: measure.score(*pairs).value}


def _neighbors(on: _Measured, queries: int = 5, k: int = 8) -> dict[str, Any]:
    """Test images and their nearest neighbors in Y by L1, as in the paper's figure 5; always the same queries."""
    x, y = on.test[0], on.of_test["Y"]
    chosen = torch.from_numpy(np.random.default_rng(0).permutation(len(x))[:queries])
    _, indices = nearest(y[chosen], y, k + 1, "manhattan")
    rows = [[int(q), *[i for i in row if i != int(q)][:k]] for q, row in zip(chosen, indices.tolist(), strict=True)]
    return {"neighbors": pack(x[torch.tensor(rows)])}


MEASURES: dict[str, Callable[[_Measured], dict[str, Any]]] = {
    "mlp": _perceptron,
    "svm": _svm,
    "ndm": _ndm,
    "tc": _total_correlation,
    "mine": _mine,
    "ms-ssim": _reconstruction,
    "neighbors": _neighbors,
}
"""Measures of a representation by name; "ms-ssim" requires torchmetrics."""
