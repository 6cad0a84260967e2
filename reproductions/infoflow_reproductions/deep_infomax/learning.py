"""One method trained on one data set and probed: the trial that the tables are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.estimators import MINE
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
from infoflow_reproductions.harness.data import images
from infoflow_reproductions.harness.figures import pack
from infoflow_reproductions.harness.trial import Context, Trial

_CLASSES = 10


@dataclass(frozen=True)
class Learning:
    """How every method is trained and probed; the defaults are the paper's for CIFAR-10.

    Perceptron probes have 200 units and dropout .1 on standardized features. `ndm_epochs` and so on bound the measures
    that train networks of their own.

    >>> Learning(size=Size(width=0.5)).size.width
    0.5
    """

    data: str = "cifar10"
    images: int = 50_000
    size: Size = field(default_factory=Size)
    epochs: int = 1000
    batch_size: int = 64
    learning_rate: float = 1e-4
    probe_epochs: int = 150
    probe_rate: float = 1e-4
    probe_milestones: tuple[int, ...] = (50, 100)
    ndm_epochs: int = 50
    mine_epochs: int = 50
    decoder_epochs: int = 30


def trial(
    learning: Learning,
    method: str,
    seed: int,
    *,
    options: Mapping[str, Any] | None = None,
    measures: Sequence[str] = ("mlp",),
    label: str = "",
) -> Trial:
    """The trial of this method, named after it and `label`.

    >>> trial(Learning(), "dim-l", 0, options={"negatives": 4}, label="negatives=4").name
    'dim-l/negatives=4/seed=0'
    """
    arguments = {
        **{name: value for name, value in asdict(learning).items() if name != "size"},
        **asdict(learning.size),
        "method": method,
        "seed": seed,
        "options": dict(options or {}),
        "measures": list(measures),
    }
    return Trial("/".join(part for part in (method, label, f"seed={seed}") if part), run, arguments)


def run(
    *,
    context: Context,
    data: str,
    images: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    probe_epochs: int,
    probe_rate: float,
    probe_milestones: Sequence[int],
    ndm_epochs: int,
    mine_epochs: int,
    decoder_epochs: int,
    architecture: str,
    width: float,
    features: int,
    units: int,
    method: str,
    seed: int,
    options: Mapping[str, Any],
    measures: Sequence[str],
) -> dict[str, Any]:
    """Trains the method without looking at the test set, then measures on the test set.

    Returns accuracies as "conv", "fc", "Y" (measure "mlp"), "SVM (conv)" and so on, "NDM", "NDM (sigmoid)", "TC",
    "MS-SSIM", "Î(X;Y)", "accuracy" of the supervised network, `curve_...` of every term over training, and
    "neighbors", a picture.

    >>> import pathlib, tempfile
    >>> size = Size(width=0.03, features=4, units=8)
    >>> tiny = Learning("digits32", 200, size, epochs=1, probe_epochs=1)
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "checkpoint"
    >>> found = run(context=Context(None, "cpu", file, False), **trial(tiny, "dim-l", 0).arguments)
    >>> sorted(found)
    ['Y', 'conv', 'curve_local', 'curve_prior', 'fc']
    """
    train, test = _data(data, images, context)
    made = learner(
        method,
        Size(architecture, width, features, units),
        images=len(train[0]),
        classes=_CLASSES,
        seed=seed,
        options=options,
    )
    for module in _modules(made):
        module.to(context.device)
    history = _trained(
        made,
        train,
        epochs,
        batch_size,
        learning_rate,
        seed,
        context,
        {"method": method, "options": dict(options), "measures": list(measures)},
    )
    found: dict[str, Any] = {}
    for name in sorted({name for row in history for name in row} - {"epoch"}):
        term = name.split("/")[-1]
        if name != "learner/loss" and name.startswith("learner/"):
            found[f"curve_{term}"] = [row[name] for row in history if name in row]
    if made.classifier is not None:
        found["accuracy"] = _accuracy(made.classifier, test, context.device)
    probe = MultilayerPerceptron(
        epochs=probe_epochs,
        learning_rate=probe_rate,
        milestones=tuple(probe_milestones),
        standardize=True,
        runs=1,
        seed=seed,
        device=context.device,
    )
    found |= _measured(
        made, train, test, measures, probe, seed, ndm_epochs, mine_epochs, decoder_epochs, context.device
    )
    return found


def _data(name: str, size: int, context: Context) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    if name == "stl10":
        from infoflow_reproductions.deep_infomax.stl10 import stl10

        return stl10(context.data_root)
    doubled = name.endswith("-64")
    found = images(name.removesuffix("-64"), size, 0, context.data_root)
    pairs = found.train, found.test
    if doubled:
        pairs = tuple((x.repeat_interleave(2, 2).repeat_interleave(2, 3), y) for x, y in pairs)  # type: ignore[assignment]
    return pairs


def _modules(made: Learner) -> list[nn.Module]:
    return [made.representation, *(player.module for player in made.players.values())]


def _trained(
    made: Learner,
    train: tuple[Tensor, Tensor],
    epochs: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    context: Context,
    fingerprint: Mapping[str, Any],
) -> list[dict[str, float]]:
    if not made.players:
        _settle(made.representation, train[0], context.device)
        return []
    settings = Fit(epochs, batch_size, Optimizer("adam", learning_rate, betas=(0.5, 0.999)))
    return fit(
        made.players,
        [*train, torch.arange(len(train[0]))],
        settings,
        seed=seed,
        prepare=made.prepare,
        checkpoint=context.checkpoint,
        resume=True,
        fingerprint=fingerprint,
        progress=context.progress,
    )


@torch.no_grad()
def _settle(encoder: nn.Module, x: Tensor, device: str) -> None:
    """Batch norm's statistics for an encoder that isn't trained: without them it would be worse than random."""
    encoder.train()
    for part in torch.split(x[:10_000], 500):
        encoder(scaled(part.to(device)))
    encoder.eval()


@torch.no_grad()
def _accuracy(network: nn.Module, test: tuple[Tensor, Tensor], device: str) -> float:
    network.eval()
    logits = torch.cat([network(scaled(part.to(device))).cpu() for part in torch.split(test[0], 500)])
    return float((logits.argmax(1) == test[1]).float().mean())


def _measured(
    made: Learner,
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    measures: Sequence[str],
    probe: MultilayerPerceptron,
    seed: int,
    ndm_epochs: int,
    mine_epochs: int,
    decoder_epochs: int,
    device: str,
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    both = [features(made.representation, x, made.layers, prepare=scaled) for x in (train[0], test[0])]
    for layer in made.layers:
        labeled = (both[0][layer], train[1], both[1][layer], test[1])
        if "mlp" in measures:
            found[layer] = probe.score(*labeled).value
        if "svm" in measures:
            found[f"SVM ({layer})"] = LinearSVM(runs=1, seed=seed).score(*labeled).value
    y = both[1]["Y"]
    if "ndm" in measures:
        for sigmoid in (False, True):
            measure = NeuralDependency(sigmoid=sigmoid, seed=seed, settings={"max_epochs": ndm_epochs, "folds": 2})
            found[measure.name] = measure.score(y).value
    if "tc" in measures:
        found["TC"] = TotalCorrelation(seed=seed).score(y).value
    if "mine" in measures:
        mine = InputInformation(MINE(hidden=(256, 256), head_start=False, max_epochs=mine_epochs), seed=seed)
        found[mine.name] = mine.score(scaled(test[0]), y).value
    if "ms-ssim" in measures:
        drawn = Reconstruction(epochs=decoder_epochs, seed=seed, device=device)
        found[drawn.name] = drawn.score(both[0]["Y"], scaled(train[0]), y, scaled(test[0])).value
    if "neighbors" in measures:
        found["neighbors"] = _neighbors(test[0], y)
    return found


def _neighbors(x: Tensor, y: Tensor, queries: int = 5, k: int = 8) -> dict[str, Any]:
    """Test images and those nearest to them in Y, in L1 as in the paper's figure 5; always the same queries."""
    chosen = torch.from_numpy(np.random.default_rng(0).permutation(len(x))[:queries])
    _, indices = nearest(y[chosen], y, k + 1, "manhattan")
    rows = [[int(q), *[i for i in row if i != int(q)][:k]] for q, row in zip(chosen, indices.tolist(), strict=True)]
    return pack(x[torch.tensor(rows)])
