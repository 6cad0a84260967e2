"""Numbers to loggers: TensorBoard, Weights & Biases, MLflow, Lightning's loggers, or a function."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias

import pandas as pd

from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import NATS_PER_BIT
from infoflow.core.settings import validated
from infoflow.integrations.runs import with_own_steps
from infoflow.plane import Plane
from infoflow.profiles import Profile

Writer: TypeAlias = "Callable[[Mapping[str, float], int], object]"

Unit = Literal["nats", "bits"]
_QUANTITIES = {"input": "I(X;T)", "label": "I(T;Y)"}


def writer(logger: Any) -> Writer:
    """Build the function (numbers by name, step) that writes numbers to a logger.

    Parameters
    ----------
    logger
        Object with `add_scalar(name, value, step)`, as TensorBoard's `SummaryWriter`; with
        `log_metrics(numbers, step=...)`, as Lightning's loggers and the module `mlflow`; with `log(numbers, step=...)`,
        as a run of Weights & Biases or the module `wandb`; a function (numbers, step); or a list of these, each of
        which is written to.

    Returns
    -------
    callable
        Function of numbers by name and a step.

    Raises
    ------
    InvalidArgument
        If the logger has none of these methods and is no function.

    Notes
    -----
    In names for MLflow, characters that it does not accept are replaced by "_". Weights & Biases drops what is logged
    at a step behind its counter, so numbers for it are drawn against the number "infoflow/step". No framework is
    imported.

    Examples
    --------
    >>> seen = []
    >>> writer(lambda numbers, step: seen.append((step, dict(numbers))))({"loss": 0.5}, 3)
    >>> seen
    [(3, {'loss': 0.5})]
    """
    if isinstance(logger, list | tuple):
        writers = [writer(one) for one in logger]

        def everywhere(numbers: Mapping[str, float], step: int) -> None:
            for write in writers:
                write(numbers, step)

        return everywhere
    logger = with_own_steps(logger)
    if callable(add_scalar := getattr(logger, "add_scalar", None)):

        def scalars(numbers: Mapping[str, float], step: int) -> None:
            for name, value in numbers.items():
                add_scalar(name, value, step)

        return scalars
    if callable(log_metrics := getattr(logger, "log_metrics", None)):
        named = _plain if _is_mlflow(logger) else str
        return lambda numbers, step: log_metrics({named(key): value for key, value in numbers.items()}, step=step)
    if callable(log := getattr(logger, "log", None)):
        return lambda numbers, step: log(dict(numbers), step=step)
    if callable(logger):
        plain: Writer = logger
        return plain
    forms = "an object with add_scalar, log_metrics or log, or a function of numbers and step"
    raise InvalidArgument("logger", forms, got_text=f"a {type(logger).__name__}")


def _is_mlflow(logger: Any) -> bool:
    kind = type(logger)
    return "mlflow" in f"{getattr(logger, '__name__', '')} {kind.__module__} {kind.__name__}".lower()


def _plain(name: str) -> str:
    return re.sub(r"[^\w\-. :/]+", "_", name).replace("_/", "/").strip("_")


@validated
def log_plane(plane: Plane, logger: Any, *, unit: Unit = "nats") -> None:
    """Write a whole plane to a logger, epoch by epoch: the mean over seeds of every layer, axis and estimator.

    Parameters
    ----------
    plane
        Plane to write.
    logger
        Logger, as in `writer`.
    unit
        "nats" or "bits".

    Raises
    ------
    InvalidArgument
        If the logger cannot be used.
    UnknownName
        If the unit does not exist.

    Notes
    -----
    Names are "plane/NETWORK/PROBE/LAYER/I(X;T)/ESTIMATOR", without network and probe if there is only one. The step is
    the epoch.

    Examples
    --------
    >>> import tempfile, torch
    >>> from infoflow.plane import analyse, record
    >>> folder = tempfile.TemporaryDirectory()
    >>> x = torch.tensor([[-1.0], [-1.0], [1.0], [1.0]])
    >>> with record(torch.nn.Sequential(torch.nn.Tanh()), x, [0, 0, 1, 1], store=folder.name) as recorder:
    ...     recorder.snapshot(0)
    >>> plane = analyse(folder.name, ["binning:width=0.5"])
    >>> log_plane(plane, lambda numbers, step: print(step, sorted(numbers)), unit="bits")
    0 ['plane/0/I(T;Y)/Binning(width=0.5)', 'plane/0/I(X;T)/Binning(width=0.5)']
    >>> folder.cleanup()
    """
    write = writer(logger)
    for epoch, numbers in plane_numbers(plane.frame, unit):
        write(numbers, epoch)


def plane_numbers(frame: pd.DataFrame, unit: Unit = "nats") -> list[tuple[int, dict[str, float]]]:
    """(epoch, numbers by name) of a plane's table, in order of the epochs; means over seeds."""
    scale = 1.0 if unit == "nats" else 1 / NATS_PER_BIT
    where = [column for column in ("network", "probe") if frame[column].nunique() > 1]
    keys = ["epoch", *where, "layer", "axis", "estimator"]
    found: dict[int, dict[str, float]] = {}
    for key, nats in frame.groupby(keys, sort=False)["nats"].mean().items():
        epoch, *places, layer, axis, estimator = key if isinstance(key, tuple) else (key,)
        name = "/".join(["plane", *map(str, places), str(layer), _QUANTITIES[str(axis)], str(estimator)])
        found.setdefault(int(epoch), {})[name] = float(nats) * scale
    return sorted(found.items())


def profile_numbers(profile: Profile) -> dict[str, float]:
    """Value of every layer and quantity by name, with the null where there is one."""
    found: dict[str, float] = {}
    for row in profile.to_dict():
        name = f"profile/{row['layer']}/{row['quantity']}"
        found[name] = row["value"]
        if not math.isnan(row["null"]):
            found[f"{name}/null"] = row["null"]
    return found
