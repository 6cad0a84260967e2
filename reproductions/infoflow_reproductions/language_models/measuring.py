"""The trial of both papers: train one small decoder, and measure its layers at some steps."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infoflow.core.settings import PositiveInt, Seed
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.estimators.streaming.probe_information import ProbeInformation
from infoflow.models.decoder import Decoder
from infoflow.plane.text_training import Corpus, TextTraining, corpus, train_decoder
from infoflow.profiles import Codes, Profiler
from infoflow.profiles.batches import read
from infoflow.profiles.controls import control
from infoflow.profiles.labels import NONE, frequent
from infoflow.profiles.quantities import Make, available
from infoflow_reproductions.harness.trial import Context, part

_PER_CODE = 100

SOME_MODULES = (
    "argparse",
    "asyncio",
    "collections",
    "datetime",
    "email",
    "http",
    "json",
    "logging",
    "random",
    "unittest",
)
"""Modules whose docstrings, with the help topics, are enough text for a training of minutes."""

SHIFTS = {"previous": -1, "current": 0, "next": 1, "next but one": 2}
"""Labels of a position: the token so many places later."""


@dataclass(frozen=True)
class Measured(TextTraining):
    """One model: its training, and what is measured of it."""

    seed: Seed = 0
    """seed of weights and of the order of the text"""
    at: tuple[int, ...] = (0, 500)
    """steps after which it is measured"""
    soft: tuple[str, ...] = ("current", "next")
    """labels of soft entropy and of its controls; none measures no soft entropy"""
    controls: tuple[str, ...] = ("not centered", "whitened")
    """transformations under which soft entropy is measured as well"""
    probed: tuple[str, ...] = ("current", "next")
    """labels that held-out linear probes decode"""
    max_codes: PositiveInt = 128
    """codes of tokens"""
    probe_rows: PositiveInt = 4096
    """activations for each probe"""


def measure(settings: Measured, *, context: Context) -> Mapping[str, Any]:
    """Train the model and return, by quantity, a list over steps of the values by depth.

    Parameters
    ----------
    settings
        The model.
    context
        Where the trial runs.

    Returns
    -------
    mapping
        Steps, layers, held-out losses, and a table for each quantity.
    """
    training = part(settings, TextTraining)
    text = _corpus(training)
    codes = _codes(text, settings.max_codes)
    shape = {"width": settings.width, "depth": settings.depth, "heads": settings.heads, "length": settings.length}
    watched = Decoder(len(text.pairs), **shape, seed=settings.seed).to(context.device)
    names = tuple(dict.fromkeys((*settings.soft, *settings.probed)))
    profiler = Profiler(
        watched, text.batches, {name: _shifted(codes, SHIFTS[name]) for name in names}, "blocks",
        _quantities(settings, codes), codes=codes,
    )  # fmt: skip
    tables: dict[str, list[list[float]]] = {}
    steps: list[int] = []
    losses: list[float] = []

    def snapshot(step: int, model: Decoder, metrics: dict[str, float]) -> None:
        watched.load_state_dict(model.state_dict())
        found = profiler.run()
        for quantity in found.quantities:
            tables.setdefault(quantity, []).append(found.select(quantity)["value"].tolist())
        steps.append(step)
        losses.append(metrics["held_out_loss"])

    train_decoder(
        training, text, seed=settings.seed, snapshots=settings.at, on_snapshot=snapshot, device=context.device,
        progress=f"seed {settings.seed}" if context.progress else None,
    )  # fmt: skip
    return {
        "steps": steps,
        "layers": [point.name for point in profiler.points],
        "held_out_loss": losses,
        "final_loss": losses[-1],
        "held_out_tokens": text.measured,
        "training_tokens": len(text.train),
        "parameters": sum(parameter.numel() for parameter in watched.parameters()),
        **tables,
    }


@functools.lru_cache(maxsize=2)
def _corpus(training: TextTraining) -> Corpus:
    return corpus(training)


def _codes(text: Corpus, most: int) -> Codes:
    found = frequent(read(text.batches, Decoder(len(text.pairs), width=1, heads=1, depth=1)), most, _PER_CODE)
    assert found is not None
    return found


def _shifted(codes: Codes, places: int) -> Callable[[Tensor], Tensor]:
    """Codes of the token so many places later; none at the ends and where the window is padded."""

    def label(ids: Tensor) -> Tensor:
        found = torch.full_like(ids, NONE)
        length = ids.shape[1] - abs(places)
        start = max(0, -places)
        found[:, start : start + length] = codes.encode(ids[:, max(0, places) : max(0, places) + length])
        return found

    return label


def _quantities(settings: Measured, codes: Codes) -> dict[str, Make]:
    found = {"covariance": available(0)["covariance"]}
    if settings.soft:
        found["soft-entropy"] = available(0)["soft-entropy"]
        found |= {name: control(name) for name in settings.controls}
    probes = ProbeInformation(rows=settings.probe_rows)

    def probe(label: str) -> Make:
        def make(dimensions: int) -> RowAccumulator:
            return probes.accumulator(dimensions, label, classes=codes.count)

        return make

    return found | {f"probe of {label}": probe(label) for label in settings.probed}
