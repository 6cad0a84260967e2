"""One method trained on one data set and measured: the trial of every table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.probes import features
from infoflow.training import Fit, Optimizer, fit
from infoflow_reproductions.deep_infomax.measures import MEASURES, Measured
from infoflow_reproductions.deep_infomax.methods import Learner, learner, scaled
from infoflow_reproductions.deep_infomax.sets import Sets, cropped, sets
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.harness.data import Labeled
from infoflow_reproductions.harness.trial import Context, Trial


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
        Accuracies as "conv", "fc", "Y" (measure "mlp"), "SVM (conv)" and so on, "SS" (fine-tuned), "NDM",
        "NDM (sigmoid)", "NDM (samples)", "TC", "MS-SSIM", "Î(X;Y)", "same class" (share of the neighbors), "accuracy"
        of the supervised network, `curve_...` of every term over training, and "neighbors", a picture.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoflow_reproductions.deep_infomax.methods import Size
    >>> size = Size(width=0.03, features=4, units=8)
    >>> tiny = Learning("digits32", 200, epochs=1, probe_epochs=1, size=size)
    >>> context = Context(None, "cpu", pathlib.Path(tempfile.mkdtemp()) / "checkpoint", False)
    >>> sorted(trial(tiny, "dim-l", 0)(context))
    ['Y', 'conv', 'curve_local', 'curve_prior', 'fc']
    """
    images = sets(task.learning, context.data_root)
    train, test = images.train, images.test
    made = learner(
        task.method,
        task.learning.size,
        images=len(train[0] if images.uncut is None else images.uncut),
        classes=int(train[1].max()) + 1,
        seed=task.seed,
        options=task.options,
    )
    for module in (made.representation, *(player.module for player in made.players.values())):
        module.to(context.device)
    history = _trained(made, images, task, context)
    found: dict[str, Any] = {}
    for name in sorted({name for row in history for name in row} - {"epoch", "learner/loss"}):
        player, _, term = name.rpartition("/")
        if player.startswith("learner"):
            found[f"curve_{term}"] = [row[name] for row in history if name in row]
    if made.classifier is not None:
        found["accuracy"] = _accuracy(made.classifier, test, context.device)
    both = [features(made.representation, x, made.layers, prepare=scaled) for x in (train[0], test[0])]
    measured = Measured(task.learning, task.seed, context.device, made, train, test, *both)
    for name, measure in MEASURES.items():
        if name in task.measures:
            found |= measure(measured)
    return found


def _trained(made: Learner, images: Sets, task: Task, context: Context) -> list[dict[str, float]]:
    x, y = images.train
    if not made.players:
        _estimate_batch_norm(made.representation, x, context.device)
        return []
    prepare = made.prepare
    if images.uncut is not None:
        # The supervised network has no use of images without labels, which stand last.
        x = images.uncut[: len(y)] if task.method == "supervised" else images.uncut
        y = torch.cat([y, y.new_full((len(x) - len(y),), -1)])
        prepare = partial(_of_crops, made.prepare)
    learning = task.learning
    return fit(
        made.players,
        [x, y, torch.arange(len(x))],
        Fit(
            learning.epochs,
            learning.batch_size,
            Optimizer("adam", learning.learning_rate, betas=(0.5, 0.999)),
            channels_last=True,
        ),
        seed=task.seed,
        prepare=prepare,
        **context.resumable({"method": task.method, "options": dict(task.options), "measures": list(task.measures)}),
    )


def _of_crops(
    prepare: Callable[..., Sequence[Tensor]], x: Tensor, y: Tensor, rows: Tensor, *, generator: torch.Generator
) -> Sequence[Tensor]:
    return prepare(cropped(x, generator), y, rows, generator=generator)


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
