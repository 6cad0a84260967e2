"""The trial that most rows of Table I share: train, record, analyse, and keep the curves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.models.seeded import seeded
from infoflow.plane import Plane, analyse, geometry_of, record
from infoflow.plane.labels import label
from infoflow.training import Fit, Optimizer, Player, Training, fit, snapshot_epochs, train
from infoflow_reproductions.harness.trial import Context, Trial
from infoflow_reproductions.information_plane.curves import packed, packed_geometry, packed_metrics
from infoflow_reproductions.information_plane.inputs import Inputs, Pair, inputs
from infoflow_reproductions.information_plane.networks import build, channels, stackable, takes_images
from infoflow_reproductions.information_plane.readers import estimator_of
from infoflow_reproductions.information_plane.variant import Recipe, Variant

PAIRWISE = (
    "kernel-density", "matrix-renyi", "channel-renyi", "sample-propagation", "noisy-network", "noisy-mine",
    "generative",
)  # fmt: skip
"""Estimators that get the smaller probe: they compare all pairs, or learn."""


def trials(recipe: Recipe) -> list[Trial]:
    """Every variant, its seeds in blocks that train side by side, or one by one where they can't."""
    texts = dict.fromkeys([*recipe.estimators, *(text for ruler in recipe.rulers for text in ruler.texts)])
    swept = {text for ruler in recipe.rulers if ruler.few for text in ruler.texts}
    few = [text for text in texts if text.partition(":")[0] in PAIRWISE or text in swept - {*recipe.estimators}]
    found = []
    for variant in recipe.variants:
        size = recipe.together if stackable(variant) else 1
        seeds = min(recipe.seeds, variant.at_most or recipe.seeds)
        for first in range(0, seeds, size):
            found.append(
                Trial(
                    f"{variant.name}/seeds from {first}",
                    trace,
                    {
                        "variant": asdict(variant),
                        "estimators": list(variant.measured_by or texts),
                        "few": [text for text in variant.measured_by if text.partition(":")[0] in PAIRWISE] or few,
                        "seeds": list(range(first, min(first + size, seeds))),
                        "epochs": [
                            epoch
                            for epoch in sorted({*snapshot_epochs(variant.epochs, recipe.snapshots), *recipe.also_at})
                            if epoch <= variant.epochs
                        ],
                        "metrics_on": recipe.metrics_on,
                        "pairs": recipe.pairs,
                        "sides": list(recipe.sides or (variant.measured_by or recipe.estimators)[:1]),
                    },
                )
            )
    return found


def trace(
    variant: Mapping[str, Any],
    estimators: Sequence[str],
    few: Sequence[str],
    seeds: Sequence[int],
    epochs: Sequence[int],
    metrics_on: int,
    pairs: int,
    sides: Sequence[str],
    *,
    context: Context,
) -> dict[str, Any]:
    """Trains the variant's network from each seed and returns its plane, metrics and geometry as curves."""
    chosen = variant_of(variant)
    # Noisy networks draw from the global state whenever they run, in training or not.
    with seeded(seeds[0]), tempfile.TemporaryDirectory() as store:
        data = inputs(chosen, pairs, context.data_root, images=takes_images(chosen), channels=channels(chosen))
        network = build(chosen, data.train[0].shape[1:], data.classes, seeds).to(context.device)
        with record(
            network,
            {name: x for name, (x, _) in data.probes.items()},
            {name: y for name, (_, y) in data.probes.items()},
            store=f"{store}/recording",
            layers=list(chosen.layers) or "auto",
            output=_softmax,
            seeds=list(seeds) if stackable(chosen) else seeds[0],
            name=chosen.name,
        ) as recorder:
            run = _penalized if chosen.orthonormal else _plainly
            scored = {"train": data.train, "test": data.test}
            if metrics_on:
                scored = {name: (x[:metrics_on], y[:metrics_on]) for name, (x, y) in scored.items()}
            run(network, data, scored, chosen, seeds, epochs, recorder.snapshot, context)
        plane, truth = analyzed(f"{store}/recording", estimators, few, sides, data, _shapes(network, data))
        # Beside the plane, for the probe that all inputs are in; maps are too wide for their spectrum.
        narrow = [layer for layer in recorder.layers if not takes_images(chosen) or layer == "output"]
        shown = geometry_of(
            f"{store}/recording", layers=narrow, probes=["pairs" if "pairs" in data.probes else "probe"]
        )
    return {
        "curves": packed(plane),
        "metrics": packed_metrics(plane),
        "geometry": packed_geometry(shown),
        "truth": truth,
    }


def variant_of(values: Mapping[str, Any]) -> Variant:
    """A variant from plain values, as a trial's arguments hold them."""
    fields: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return Variant(**fields)


def analyzed(
    store: str,
    estimators: Sequence[str],
    few: Sequence[str],
    sides: Sequence[str],
    data: Inputs,
    shapes: Mapping[int, tuple[int, ...]],
) -> tuple[Plane, str]:
    """The plane of a recording: every estimator on the probe that it can afford, `few` on the smaller one.

    `sides` also on training and test inputs by themselves.
    """
    # An estimator can be both the paper's and one of a sweep, in other words.
    once: dict[str, tuple[str, Any]] = {}
    for text in estimators:
        estimator = estimator_of(text, shapes)
        once.setdefault(label(estimator), (text, estimator))
    spared = {*few} if "pairs" in data.probes else set()
    small = [estimator for text, estimator in once.values() if text in spared]
    large = [estimator for text, estimator in once.values() if text not in spared]
    apart = [estimator_of(text, shapes) for text in sides]
    parts = [
        analyse(store, chosen, probes=probes)
        for chosen, probes in ((large, ["probe"]), (small, ["pairs"]), (apart, ["train", "test"]))
        if chosen
    ]
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    truth = str(parts[0].provenance["recordings"][parts[0].networks[0]].get("truth", ""))
    return Plane(frame, parts[0].metrics), truth


def _shapes(network: nn.Module, data: Inputs) -> dict[int, tuple[int, ...]]:
    """The shape of maps by their number of values, as recordings hold them flattened."""
    found: dict[int, tuple[int, ...]] = {}
    x = data.train[0][:2]
    if x.ndim != 4 or not isinstance(network, nn.Sequential):
        return found
    found[x[0].numel()] = tuple(x.shape[1:])
    with torch.no_grad():
        x = x.to(next(network.parameters()).device)
        for module in network:
            x = module(x)
            if x.ndim == 4:
                found.setdefault(x[0].numel(), tuple(x.shape[1:]))
    return found


def _softmax(logits: Tensor) -> Tensor:
    return torch.softmax(logits, dim=-1)


def _plainly(
    network: nn.Module,
    data: Inputs,
    scored: Mapping[str, Pair],
    variant: Variant,
    seeds: Sequence[int],
    epochs: Sequence[int],
    snapshot: Callable[..., None],
    context: Context,
) -> None:
    train(
        network,
        data.train,
        Training(
            epochs=variant.epochs,
            batch_size=variant.batch_size,
            optimizer=variant.optimizer,
            learning_rate=variant.learning_rate,
            momentum=variant.momentum,
            weight_decay=variant.weight_decay,
            shuffle=variant.shuffle,
        ),
        seeds=list(seeds),
        evaluate=scored,
        snapshots=epochs,
        on_snapshot=lambda epoch, _, metrics: snapshot(epoch, **metrics),
        device=context.device,
        progress=variant.name if context.progress else False,
    )


def _penalized(
    network: nn.Module,
    data: Inputs,
    scored: Mapping[str, Pair],
    variant: Variant,
    seeds: Sequence[int],
    epochs: Sequence[int],
    snapshot: Callable[..., None],
    context: Context,
) -> None:
    """Cross-entropy + weight · Σ_l ‖W_l W_lᵀ − I‖² over the hidden layers, the smaller Gram matrix of each."""
    weights = [module.weight for module in network.modules() if isinstance(module, nn.Linear)][:-1]

    def loss(x: Tensor, y: Tensor) -> Tensor:
        penalty = x.new_zeros(())
        for weight in weights:
            gram = weight @ weight.T if weight.shape[0] <= weight.shape[1] else weight.T @ weight
            penalty = penalty + (gram - torch.eye(len(gram), device=gram.device)).square().sum()
        return F.cross_entropy(network(x), y) + variant.orthonormal * penalty

    def evaluate(epoch: int) -> dict[str, float]:
        found: dict[str, float] = {}
        if epoch in epochs:
            for name, (x, y) in scored.items():
                logits = network(x.to(context.device))
                found[f"{name}_loss"] = float(F.cross_entropy(logits, y.to(context.device)))
                found[f"{name}_accuracy"] = float((logits.argmax(1).cpu() == y).float().mean())
            snapshot(epoch, **found)
        return found

    optimizer = Optimizer(
        variant.optimizer, variant.learning_rate, momentum=variant.momentum, weight_decay=variant.weight_decay
    )
    fit(
        Player(network, loss, optimizer),
        data.train,
        Fit(variant.epochs, variant.batch_size, drop_last=False),
        seed=seeds[0],
        evaluate=evaluate,
        device=context.device,
        progress=variant.name if context.progress else False,
    )
