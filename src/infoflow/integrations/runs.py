"""Runs of Weights & Biases and MLflow, as objects with the methods of Lightning's loggers."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

STEP_AXIS = "infoflow/step"


class WandbRun:
    """A run of Weights & Biases that logs under a step axis of its own.

    A run drops, without an error, what is logged at a step behind its counter, and every call of `log` without a step
    advances the counter. The step is logged as a number and is the axis of the charts.
    """

    def __init__(self, run: Any, axis: str = STEP_AXIS) -> None:
        self.experiment, self._axis = run, axis
        for prefix in ("plane/*", "profile/*"):
            run.define_metric(prefix, step_metric=axis)

    def log_metrics(self, numbers: Mapping[str, float], step: int) -> None:
        """Log numbers at a step."""
        self.experiment.log({**numbers, self._axis: step})

    def log_image(self, key: str, images: Sequence[str], step: int) -> None:
        """Log images by their paths at a step."""
        image = importlib.import_module("wandb").Image
        self.experiment.log({key: [image(path) for path in images], self._axis: step})


class MLflowRun:
    """A run of MLflow by its identifier, which receives numbers and files after it has ended, too."""

    def __init__(self, module: Any, run_id: str) -> None:
        self.run_id, self.experiment, self._module = run_id, module.MlflowClient(), module

    def log_metrics(self, numbers: Mapping[str, float], step: int) -> None:
        """Log numbers at a step."""
        self._module.log_metrics(dict(numbers), step=step, run_id=self.run_id)


def with_own_steps(logger: Any) -> Any:
    """A run of Weights & Biases, or the module `wandb`, as a `WandbRun`; any other logger as it is."""
    names = (getattr(logger, "__name__", ""), type(logger).__module__.partition(".")[0])
    if "wandb" in names and callable(getattr(logger, "define_metric", None)):
        return WandbRun(logger)
    return logger
