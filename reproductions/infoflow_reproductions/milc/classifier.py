"""One classifier trained with one loss: the trial that all comparisons here are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.errors import DidNotConverge
from infoflow.models import MLP, vision_network
from infoflow.objectives import MutualInformationLoss
from infoflow.training import Fit, Optimizer, Player, fit
from infoflow_reproductions.harness.data import images
from infoflow_reproductions.harness.trial import Context, Trial
from infoflow_reproductions.milc.images import Standardized, augmented, plain
from infoflow_reproductions.milc.losses import loss_of
from infoflow_reproductions.networks.small_cnn import SmallCNN

CLASSES = 10
MOMENTUM = 0.9

# Training images that the curves are measured on; all test images always are.
_SEEN = 10_000
_BATCH = 1000
_POINTS = 16

# Cross-entropies of whole sets of images: the loss's own terms, not a loss to train with.
_TERMS = MutualInformationLoss(check=False)


def network_of(name: str, image: tuple[int, int], *, stem: str, seed: int) -> nn.Module:
    """The paper's networks by name: "mlp" (64-64 hidden, ReLU), "cnn", or one of torchvision's.

    `image` = (channels, side). Raises UnknownName, MissingExtra.

    >>> sum(parameter.numel() for parameter in network_of("mlp", (1, 28), stem="small", seed=0).parameters())
    55050
    """
    channels, side = image
    if name == "mlp":
        return nn.Sequential(nn.Flatten(), MLP([channels * side**2, 64, 64, CLASSES], "relu", seed=seed))
    if name == "cnn":
        return SmallCNN(image, CLASSES, seed=seed)
    return vision_network(name, CLASSES, stem=stem, seed=seed)


def trial(
    *,
    data: str,
    network: str,
    loss: str,
    seed: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    size: int,
    held_out: int = 0,
    weight: float = 0.0,
    augment: bool = False,
    weight_decay: float = 0.0,
    stem: str = "small",
    standardized: bool = False,
) -> Trial:
    """The trial of these settings, named after them.

    >>> trial(data="digits", network="mlp", loss="ce", seed=0, epochs=2, batch_size=64, learning_rate=0.1, size=500).name
    'mlp/ce/lr=0.1/B=64/epochs=2/n=500/seed=0'
    """  # noqa: E501
    arguments = dict(locals())
    if not standardized:
        del arguments["standardized"]
    parts = [
        network if stem == "small" else f"{network}-{stem}",
        f"{loss}={weight:g}" if loss.startswith("mil") else loss,
        f"lr={learning_rate:g}",
        f"B={batch_size}",
        f"epochs={epochs}",
        f"n={size}" + (f"+{held_out}" if held_out else ""),
        *(["augmented"] if augment else []),
        *([f"decay={weight_decay:g}"] if weight_decay else []),
        *(["standardized"] if standardized else []),
        f"seed={seed}",
    ]
    return Trial("/".join(parts), run, arguments)


def run(
    *,
    context: Context,
    data: str,
    network: str,
    loss: str,
    seed: int,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    size: int,
    held_out: int,
    weight: float,
    augment: bool,
    weight_decay: float,
    stem: str,
    standardized: bool = False,
) -> Mapping[str, Any]:
    """Trains it (SGD with momentum .9, constant learning rate) and measures it along the way.

    Pixels are in [0, 1], or `standardized` by the channels of the training images.

    Returns `steps` and what the trained network has on the test set (`test_...`), on training images (`train_...`) and,
    where some are held out, on those (`held_out_...`): `accuracy`, and in nats `label_entropy`, `conditional_entropy`
    and `mutual_information`. `curve_epoch`, `curve_test_accuracy` and so on are these along the way. A run whose loss
    stops being finite has `diverged`, and the accuracy of guessing.

    >>> import tempfile, pathlib
    >>> settings = dict(data="digits", network="mlp", loss="mil", weight=0.5, seed=0, epochs=4, batch_size=64)
    >>> arguments = trial(**settings, learning_rate=0.1, size=1000, held_out=300).arguments
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "checkpoint"
    >>> found = run(context=Context(None, "cpu", file, False), **arguments)
    >>> found["test_accuracy"] > 0.5, found["steps"], found["curve_epoch"]
    (True, 64, [0, 1, 2, 3, 4])
    """
    parts = images(data, size, held_out, context.data_root)
    channels, side = parts.train[0].shape[1:3]
    model = network_of(network, (channels, side), stem=stem, seed=seed)
    if standardized:
        model = nn.Sequential(Standardized(parts.train[0]), model)
    model = model.to(context.device)
    criterion = loss_of(loss, weight, parts.counts).to(context.device)
    sets = {"train": (parts.train[0][:_SEEN], parts.train[1][:_SEEN]), "test": parts.test}
    if held_out:
        sets["held_out"] = parts.held_out
    settings = Fit(
        epochs=epochs,
        batch_size=batch_size,
        drop_last=False,
        optimizer=Optimizer("sgd", learning_rate, momentum=MOMENTUM, weight_decay=weight_decay),
    )
    found: dict[str, Any] = {"steps": epochs * -(-size // batch_size), "diverged": False}
    try:
        history = fit(
            Player(model, lambda x, y: criterion(model(x), y)),
            parts.train,
            settings,
            seed=seed,
            # Digits have no mirror images.
            prepare=augmented(flip=data.startswith("cifar10")) if augment else plain,
            evaluate=lambda epoch: _measured(model, sets, context.device),
            every=max(1, round(epochs / _POINTS)),
            checkpoint=context.checkpoint,
            resume=True,
            fingerprint={"loss": repr(criterion), "name": loss, "weight": weight, "augment": augment},
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
