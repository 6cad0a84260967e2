"""One method trained on one data set and measured: the trial of every table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.probes import features
from infoflow.training import Fit, Optimizer, fit
from infoflow_reproductions.deep_infomax.measures import MEASURES, Measured
from infoflow_reproductions.deep_infomax.methods import Learner, learner, scaled
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.deep_infomax.stl10 import stl10
from infoflow_reproductions.harness.data import Labeled, images
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
        Accuracies as "conv", "fc", "Y" (measure "mlp"), "SVM (conv)" and so on, "NDM", "NDM (sigmoid)", "TC",
        "MS-SSIM", "Î(X;Y)", "accuracy" of the supervised network, `curve_...` of every term over training, and
        "neighbors", a picture.

    Examples
    --------
    >>> import tempfile
    >>> from infoflow_reproductions.deep_infomax.methods import Size
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
        classes=int(train[1].max()) + 1,
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
    measured = Measured(task.learning, task.seed, context.device, made.representation, train, test, *both)
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
