"""The picture of a plane or profile to TensorBoard, Weights & Biases, MLflow, and Lightning's loggers of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from matplotlib.image import imread

from infoflow.integrations.runs import with_own_steps
from infoflow.plane import Plane
from infoflow.profiles import TrainingProfile

Sender: TypeAlias = "Callable[[str, Path, int], object]"


def log_picture(
    result: Plane | TrainingProfile, logger: Any, *, step: int, name: str | None = None, **options: Any
) -> bool:
    """Draw a plane, or a profile through training, and send the image to a logger that takes images.

    Parameters
    ----------
    result
        Plane or profile to draw.
    logger
        TensorBoard's `SummaryWriter`, a run of Weights & Biases, the modules `wandb` or `mlflow`, one of Lightning's
        loggers of them, or a list of these.
    step
        Step of the image.
    name
        Name of the image; by default "plane" or "profile".
    **options
        Options of `Plane.figure` or `TrainingProfile.plot`.

    Returns
    -------
    bool
        Whether a logger took the image; loggers of numbers alone take none.

    Examples
    --------
    >>> log_picture(None, print, step=0)  # a function takes numbers alone
    False
    """
    senders = [found for one in (logger if isinstance(logger, list | tuple) else [logger]) if (found := _sender(one))]
    if not senders:
        return False
    with tempfile.TemporaryDirectory() as folder:
        shown = name or ("profile" if isinstance(result, TrainingProfile) else "plane")
        path = Path(folder) / f"{shown.replace('/', '_')}.png"
        if isinstance(result, TrainingProfile):
            result.plot(**options).savefig(path, dpi=100)
        else:
            result.figure(path, **{"estimator": "all", **options})
        for send in senders:
            send(shown, path, step)
    return True


def _sender(logger: Any) -> Sender | None:
    """The function (name, PNG file, step) of a logger, by what it offers."""
    logger = with_own_steps(logger)
    if callable(add_image := getattr(logger, "add_image", None)):  # TensorBoard
        return lambda name, path, step: add_image(name, imread(path)[..., :3], step, dataformats="HWC")
    if callable(log_image := getattr(logger, "log_image", None)) and hasattr(logger, "experiment"):  # W&B
        return lambda name, path, step: log_image(key=name, images=[str(path)], step=step)
    if hasattr(logger, "experiment"):  # Lightning's TensorBoard and MLflow
        experiment = logger.experiment
        if callable(log_run_artifact := getattr(experiment, "log_artifact", None)):
            return lambda name, path, step: log_run_artifact(logger.run_id, str(path))
        return _sender(experiment) if not hasattr(experiment, "experiment") else None
    if callable(log_artifact := getattr(logger, "log_artifact", None)):  # the module mlflow
        return lambda name, path, step: log_artifact(str(path))
    return None
