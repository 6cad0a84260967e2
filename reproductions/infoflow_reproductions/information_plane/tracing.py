"""The trial that most rows of Table I share: train, record, analyze, and return curves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.models.seeded import seeded
from infoflow.plane import Plane, analyse, geometry_of, record
from infoflow.plane.naming import display_name
from infoflow.training import Fit, Optimizer, Player, fit, snapshot_epochs, train
from infoflow_reproductions.harness.trial import Context, Trial
from infoflow_reproductions.information_plane.curves import packed, packed_geometry, packed_metrics
from infoflow_reproductions.information_plane.inputs import Inputs, inputs
from infoflow_reproductions.information_plane.layer_estimators import estimator_of
from infoflow_reproductions.information_plane.networks import build, channels, stackable, takes_images
from infoflow_reproductions.information_plane.recipe import OUTPUT, Recipe, Variant

PAIRWISE = {
    "kernel-density",
    "matrix-renyi",
    "channel-renyi",
    "gaussian-channel",
    "sample-propagation",
    "noisy-network",
    "noisy-mine",
    "generative",
}
"""Estimators that get the smaller probe: they compare all pairs, or learn."""


@dataclass(frozen=True)
class Traced:
    """A network to train from some seeds, and how to measure it."""

    variant: Variant
    estimators: tuple[str, ...]
    few: tuple[str, ...]
    """Those that get the smaller probe."""
    seeds: tuple[int, ...]
    snapshots: tuple[int, ...]
    """Epochs."""
    metrics_on: int
    pairs: int
    sides: tuple[str, ...]
    """Estimators that also measure training and test inputs separately."""


def trials(recipe: Recipe) -> list[Trial]:
    """Every variant, its seeds in blocks that train side by side, or one by one where they can't."""
    texts = dict.fromkeys([*recipe.estimators, *(text for sweep in recipe.sweeps for text in sweep.texts)])
    swept = {text for sweep in recipe.sweeps if sweep.few for text in sweep.texts}
    few = [text for text in texts if _pairwise(text) or text in swept - {*recipe.estimators}]
    unlimited = [recipe.without_ceiling] if recipe.without_ceiling else []
    found = []
    for variant in recipe.variants:
        size = recipe.together if stackable(variant) else 1
        seeds = min(recipe.seeds, variant.at_most or recipe.seeds)
        epochs = sorted({*snapshot_epochs(variant.epochs, recipe.snapshots), *recipe.also_at})
        for first in range(0, seeds, size):
            settings = Traced(
                variant=variant,
                estimators=(*(variant.measured_by or texts), *unlimited),
                few=(*([text for text in variant.measured_by if _pairwise(text)] or few), *unlimited),
                seeds=tuple(range(first, min(first + size, seeds))),
                snapshots=tuple(epoch for epoch in epochs if epoch <= variant.epochs),
                metrics_on=recipe.metrics_on,
                pairs=recipe.pairs,
                sides=recipe.sides or (variant.measured_by or recipe.estimators)[:1],
            )
            found.append(Trial(f"{variant.name}/seeds from {first}", trace, settings))
    return found


def _pairwise(text: str) -> bool:
    return text.partition(":")[0] in PAIRWISE


def trace(settings: Traced, context: Context) -> dict[str, Any]:
    """Train the network from each seed and return its plane, metrics and geometry as curves."""
    variant, seeds = settings.variant, settings.seeds
    # Noisy networks draw from the global state whenever they run, in training or not.
    with seeded(seeds[0]), tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/recording"
        images = takes_images(variant)
        data = inputs(variant, settings.pairs, context.data_root, images=images, channels=channels(variant))
        network = build(variant, data.train[0].shape[1:], data.classes, seeds).to(context.device)
        with record(
            network,
            {name: x for name, (x, _) in data.probes.items()},
            {name: y for name, (_, y) in data.probes.items()},
            store=store,
            layers=list(variant.layers) or "auto",
            output=_softmax,
            seeds=list(seeds) if stackable(variant) else seeds[0],
            name=variant.name,
        ) as recorder:
            run = _train_penalized if variant.orthonormal else _train
            run(network, data, settings, recorder.snapshot, context)
        plane, truth = _analyzed(store, settings, data, _shapes(network, data))
        # Geometry is of the probe that all estimators share; maps are too wide for their spectrum.
        narrow = [layer for layer in recorder.layers if not images or layer == OUTPUT]
        shown = geometry_of(store, layers=narrow, probes=["pairs" if "pairs" in data.probes else "probe"])
    return {
        "curves": packed(plane),
        "metrics": packed_metrics(plane),
        "geometry": packed_geometry(shown),
        "truth": truth,
    }


def _analyzed(store: str, settings: Traced, data: Inputs, shapes: Mapping[int, tuple[int, ...]]) -> tuple[Plane, str]:
    """The plane of a recording: every estimator on its probe, `sides` also on training and test inputs separately."""
    # The paper's estimator and one of a sweep can be the same with different texts.
    once: dict[str, tuple[str, Any]] = {}
    for text in settings.estimators:
        estimator = estimator_of(text, shapes)
        once.setdefault(display_name(estimator), (text, estimator))
    few = {*settings.few} if "pairs" in data.probes else set()
    small = [estimator for text, estimator in once.values() if text in few]
    large = [estimator for text, estimator in once.values() if text not in few]
    apart = [estimator_of(text, shapes) for text in settings.sides]
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


def _train(network: nn.Module, data: Inputs, settings: Traced, snapshot: Callable[..., None], context: Context) -> None:
    train(
        network,
        data.train,
        settings.variant.training,
        seeds=list(settings.seeds),
        evaluate=data.scored(settings.metrics_on),
        snapshots=settings.snapshots,
        on_snapshot=lambda epoch, _, metrics: snapshot(epoch, **metrics),
        device=context.device,
        progress=settings.variant.name if context.progress else False,
    )


def _train_penalized(
    network: nn.Module, data: Inputs, settings: Traced, snapshot: Callable[..., None], context: Context
) -> None:
    """Minimize cross-entropy + weight · Σ_l ‖W_l W_lᵀ − I‖² over hidden layers, the smaller Gram matrix of each."""
    variant = settings.variant
    weights = [module.weight for module in network.modules() if isinstance(module, nn.Linear)][:-1]

    def loss(x: Tensor, y: Tensor) -> Tensor:
        penalty = x.new_zeros(())
        for weight in weights:
            gram = weight @ weight.T if weight.shape[0] <= weight.shape[1] else weight.T @ weight
            penalty = penalty + (gram - torch.eye(len(gram), device=gram.device)).square().sum()
        return F.cross_entropy(network(x), y) + variant.orthonormal * penalty

    def evaluate(epoch: int) -> dict[str, float]:
        found: dict[str, float] = {}
        if epoch in settings.snapshots:
            for name, (x, y) in data.scored(settings.metrics_on).items():
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
        seed=settings.seeds[0],
        evaluate=evaluate,
        device=context.device,
        progress=variant.name if context.progress else False,
    )
