"""Which settings the paper states, so that a recipe can be smaller in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Findings
from infoflow_reproductions.harness.trial import Results, flat
from infoflow_reproductions.information_dropout.images import SIDES
from infoflow_reproductions.information_dropout.notes import notes_of

_SCHEDULE = ("samples", "epochs", "milestones", "learning_rate")
_ALL_CNN_32 = (*_SCHEDULE, "pool")

STATED: Mapping[str, tuple[str, ...]] = {
    "mlp": _SCHEDULE,
    "cifar": (*_ALL_CNN_32, "activation"),
    "cluttered": ("samples", "pool", "stages", "head", "width"),
    "occluded": (*_ALL_CNN_32, "width"),
    "vae": ("samples", "epochs", "milestones", "factors"),
    "disentangling": (*_ALL_CNN_32, "width", "activation"),
    "flow": _ALL_CNN_32,
    "sizes": (*_ALL_CNN_32, "widths"),
}
"""Experiment -> settings that the paper states. Sizes of images, numbers of filters and data sets are among them; the
schedule of All-CNN-32 is taken to be that of section 8, 'MNIST and CIFAR-10', in all experiments with it."""

_WORDS: Mapping[str, str] = {
    "epochs": "{} epochs instead of {}",
    "milestones": "learning rate divided by ten after epochs {} instead of {}",
    "learning_rate": "learning rate {} instead of {}",
    "stages": "stages of {} filters instead of {}",
    "head": "{} filters after the stages instead of {}",
    "width": "share of the filters {} instead of {}",
    "widths": "shares of the filters {} instead of {}",
    "factors": "k = {} instead of {}",
    "activation": "activation {} instead of {}",
}
"""Setting -> words for its value and the published one. Numbers of images and their size have words of their own."""


def smaller(name: str, full: Any) -> Callable[[Any], str]:
    """Return the function from a recipe to what is smaller than the paper states.

    Parameters
    ----------
    name
        Name of the experiment.
    full
        Recipe of the published scale.

    Returns
    -------
    callable
        Function that names settings of `STATED` alone.
    """
    others = flat(full)

    def text(recipe: Any) -> str:
        mine = flat(recipe)
        return ", ".join(_words(field, mine, others) for field in STATED[name] if mine[field] != others[field])

    return text


def _words(field: str, mine: Mapping[str, Any], full: Mapping[str, Any]) -> str:
    """Return what differs in one setting."""
    if field == "samples":
        # The paper trains on the whole set, of which the full recipe may hold out a part.
        return f"{mine[field]:,} training images instead of {full[field] + full['held_out']:,}"
    if field == "pool":
        side = SIDES[mine["data"]] // mine[field]
        return f"images averaged down to {side}×{side}"
    return _WORDS[field].format(_short(mine[field]), _short(full[field]))


def with_settings(experiment: Experiment) -> Experiment:
    """Return an experiment whose reports separate stated settings from those chosen here.

    Parameters
    ----------
    experiment
        The experiment.

    Returns
    -------
    Experiment
        The same experiment with `smaller` and further notes.
    """

    def report(recipe: Any, results: Results) -> Findings:
        findings = experiment.report(recipe, results)
        return replace(findings, notes=[*findings.notes, *notes_of(experiment.name, recipe)])

    return replace(experiment, report=report, smaller=smaller(experiment.name, experiment.recipe("full")))


def _short(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_short, value)) if value else "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
