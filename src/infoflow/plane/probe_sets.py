"""The probe sets and seeds of a recording, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.arrays import real
from infoflow.core.checks import classes, paired, samples
from infoflow.core.columns import read
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, check
from infoflow.core.variable import complete

Probes = dict[str, tuple[Tensor, Tensor]]


def checked_probes(probe_x: Any, probe_y: Any) -> Probes:
    """Inputs and integer classes by the probe's name, on the CPU where they are not tensors of the user."""
    if isinstance(probe_x, Mapping) != isinstance(probe_y, Mapping):
        raise InvalidArgument("probe_y", "a mapping if and only if probe_x is one", got_text=type(probe_y).__name__)
    xs = dict(probe_x) if isinstance(probe_x, Mapping) else {"probe": probe_x}
    ys = dict(probe_y) if isinstance(probe_y, Mapping) else {"probe": probe_y}
    if not xs or set(xs) != set(ys):
        raise InvalidArgument(
            "probe_y", f"given for the probes of probe_x, at least one ({list(xs)})", got_text=str(list(ys))
        )
    ys |= _coded({name: y for name, y in ys.items() if _has_text(y)})
    return {name: _checked(name, x, ys[name], several=len(xs) > 1) for name, x in xs.items()}


def _has_text(y: Any) -> bool:
    """Whether labels are text or categories, which the reader of tables takes."""
    try:
        real(y, "probe_y")
    except InvalidArgument:
        return read(y, "probe_y").symbolic
    return False


def _coded(texts: Mapping[Any, Any]) -> dict[Any, NDArray[np.int64]]:
    """Codes 0, 1, ... in the order of the names, the same in all probes."""
    if not texts:
        return {}
    arrays = [np.asarray(y, dtype=object) for y in texts.values()]
    (whole,), _ = complete([read(np.concatenate(arrays), "probe_y")])
    ends = np.cumsum([len(each) for each in arrays])[:-1]
    return dict(zip(texts, np.split(whole.codes, ends), strict=True))


def _checked(name: Any, x: Any, y: Any, *, several: bool) -> tuple[Tensor, Tensor]:
    if not isinstance(name, str) or not name:
        raise InvalidArgument("probe_x", "named by non-empty strings", name)
    x_name, y_name = (f"probe_x[{name!r}]", f"probe_y[{name!r}]") if several else ("probe_x", "probe_y")
    values = samples(x, x_name)
    classes(y, y_name)
    labels = real(y, y_name).reshape(-1).to("cpu", torch.int64)
    paired(values, labels, x_name, y_name)
    inputs = real(x, x_name) if isinstance(x, Tensor) else real(x, x_name).clone()
    return (inputs.float() if inputs.dtype in (torch.float16, torch.bfloat16) else inputs), labels


def checked_seeds(seeds: int | Sequence[int] | None) -> tuple[list[int], bool]:
    """The seeds, and whether the model is stacked (its layers return all of them)."""
    stacked = seeds is not None and not isinstance(seeds, int | np.integer)
    members = [check(seed, "seeds", Integer(0)) for seed in (seeds if stacked else [seeds or 0])]  # type: ignore[union-attr]
    if not members or len(set(members)) < len(members):
        raise InvalidArgument("seeds", "at least one seed, each once", members)
    return members, stacked
