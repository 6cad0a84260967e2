"""The variable that has a density, and the one that it is conditioned on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.core import checks
from infoflow.core.errors import InvalidArgument
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.learned.held_out import MINIMUM

# Share of tied values in a column above which its density is doubtful.
_TIES = 0.05


@dataclass(frozen=True)
class Variables:
    """Y, which has a density, and X, on which it is conditioned; float64, without constant columns."""

    x: Tensor  # (n, p)
    y: Tensor  # (n, d)
    x_classes: Tensor | None
    """(n,) codes if X are classes; `x` holds them one-hot coded then."""
    ceiling: float
    ceiling_name: str
    constant: tuple[str, ...]
    """Names of the arguments in which nothing varies."""
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, x: Any, y: Any, device: torch.device | str = "cpu") -> Variables:
        """From samples as passed by a user. Classes have no density, so they become X: the information is symmetric."""
        sides = {name: _side(value, name, device) for name, value in (("x", x), ("y", y))}
        checks.paired(sides["x"][0], sides["y"][0])
        of, given = ("x", "y") if sides["y"][1] is not None else ("y", "x")
        values, classes = sides[given]
        density, no_classes = sides[of]
        if no_classes is not None:
            raise InvalidArgument(
                "x or y must be continuous, got two arrays of classes, which have no density. Use estimator='discrete'."
            )
        ceiling, name = float("inf"), ""
        if classes is not None:
            ceiling, name = float(plug_in(torch.bincount(classes))), f"H({given.upper()})"
        constant = tuple(n for n, (v, _) in sides.items() if v.shape[1] == 0 or bool((v == v[0]).all()))
        if constant:
            ceiling, name = 0.0, f"H({constant[0].upper()})"
        return cls(values, density, classes, ceiling, name, constant, tuple(_doubts(density, of)))


def _side(value: Any, name: str, device: torch.device | str) -> tuple[Tensor, Tensor | None]:
    if checks.is_classes(value):
        codes, count = checks.classes(value, name, minimum=MINIMUM)
        return F.one_hot(codes, count).double().to(device), codes.to(device)
    values = checks.squarable(checks.samples(value, name, minimum=MINIMUM, dtype=torch.float64), name)
    values = values.to(device)
    return values[:, values.amax(0) > values.amin(0)], None


def _doubts(values: Tensor, name: str) -> list[str]:
    if values.shape[1] == 0:
        return []
    ordered = values.sort(0).values
    tied = float((ordered[1:] == ordered[:-1]).double().mean(0).amax())
    if tied <= _TIES:
        return []
    return [
        f"{tied:.0%} of the values in a column of {name} are ties, which have no density, so the estimate is "
        "doubtful; use estimator='mixed'"
    ]
