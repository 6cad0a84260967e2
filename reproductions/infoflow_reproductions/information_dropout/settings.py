"""Which settings the paper states, so that a recipe can be smaller in them, and which were chosen here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Findings
from infoflow_reproductions.harness.reductions import reduction
from infoflow_reproductions.harness.trial import Results, flat

_SCHEDULE = ("samples", "epochs", "milestones", "learning_rate")
_ALL_CNN_32 = (*_SCHEDULE, "pool")

STATED: Mapping[str, tuple[str, ...]] = {
    "mlp": _SCHEDULE,
    "cifar": (*_ALL_CNN_32, "activation"),
    "cluttered": ("samples", "pool", "stages", "head", "width"),
    "occluded": (*_ALL_CNN_32, "width"),
    "vae": ("samples", "epochs", "milestones", "factors"),
    "disentangling": (*_ALL_CNN_32, "width", "activation"),
    "flow": (*_ALL_CNN_32, "activation"),
    "sizes": (*_ALL_CNN_32, "widths"),
}
"""Experiment -> settings that the paper states. Sizes of images, numbers of filters and data sets are among them; the
schedule of All-CNN-32 is taken to be that of section 8, 'MNIST and CIFAR-10', in all experiments with it."""

_IMAGES = (
    "batches of {batch_size}, Nesterov momentum 0.9, weight decay {weight_decay:g}, input pixels kept with probability "
    "{keep:g}, contrast normalization and whitening of the images"
)
_CHOSEN: Mapping[str, str] = {
    "mlp": "batches of {batch_size}, Nesterov momentum 0.9, hidden widths {widths}, values of β {betas}, rates of "
    "binary dropout {rates}, and {held_out} held-out images",
    "cifar": f"{_IMAGES}, widths {{widths}}, values of β {{betas}} and rates of binary dropout {{rates}}",
    "cluttered": "batches of {batch_size}, learning rate {learning_rate:g} with momentum 0.9, divided by ten after "
    "epochs {milestones} of {epochs}, values of β {betas}, and pieces of 8×8 pixels",
    "occluded": f"{_IMAGES}, ReLU, values of β {{betas}}, and the classifier of the digit",
    "vae": "batches of {batch_size}, Adam with learning rate {learning_rate:g}, and pixels in [0, 1] as means of bits",
    "disentangling": f"{_IMAGES}, and values of β {{betas}} and, too large, {{too_large}}",
    "flow": f"{_IMAGES}, width {{width:g}}, and values of β {{betas}}",
    "sizes": f"{_IMAGES}, and β = {{beta:g}}",
}
"""Experiment -> settings that the paper does not state, with fields of the recipe."""


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

    def stated(recipe: Any) -> dict[str, Any]:
        return {field: value for field, value in flat(recipe).items() if field in STATED[name]}

    return lambda recipe: reduction(stated(recipe), stated(full))


def chosen_here(name: str, recipe: Any) -> str:
    """Return the sentence on the settings that the paper does not state.

    Parameters
    ----------
    name
        Name of the experiment.
    recipe
        The recipe.

    Returns
    -------
    str
        The settings with their values.
    """
    values = {field: _listed(value) for field, value in flat(recipe).items()}
    return f"Chosen here, as the paper does not state it: {_CHOSEN[name].format(**values)}."


def with_settings(experiment: Experiment) -> Experiment:
    """Return an experiment whose reports separate stated settings from those chosen here.

    Parameters
    ----------
    experiment
        The experiment.

    Returns
    -------
    Experiment
        The same experiment with `smaller` and a further note.
    """

    def report(recipe: Any, results: Results) -> Findings:
        findings = experiment.report(recipe, results)
        return replace(findings, notes=[*findings.notes, chosen_here(experiment.name, recipe)])

    return replace(experiment, report=report, smaller=smaller(experiment.name, experiment.recipe("full")))


def _listed(value: Any) -> Any:
    """Values of a sequence as text; others as they are."""
    if isinstance(value, tuple):
        return ", ".join(f"{one:g}" for one in value) if value else "none"
    return value
