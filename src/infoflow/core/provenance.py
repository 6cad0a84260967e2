"""Versions, machine and time behind a result, and values as plain JSON."""

from __future__ import annotations

import datetime
import math
import platform
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import numpy as np
import torch

from infoflow import __version__


def machine() -> dict[str, Any]:
    """Versions, platform and time (UTC) of this process.

    Returns
    -------
    dict
        Texts by name.

    Examples
    --------
    >>> machine()["infoflow"] == __version__
    True
    """
    return {
        "infoflow": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def plain(value: Any) -> Any:
    """Convert a value to what JSON can hold: mappings with string keys, lists, finite numbers and strings.

    Parameters
    ----------
    value
        Any object; one without a JSON form (a path, a dtype, an optimizer, infinity) becomes its text, so that storing
        a description never fails.

    Returns
    -------
    object
        Nested dicts, lists, numbers, strings, booleans and None.

    Examples
    --------
    >>> plain({"lr": 0.1, 3: (1, float("inf"))})
    {'lr': 0.1, '3': [1, 'inf']}
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray | torch.Tensor):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, PurePath) else repr(value)
