"""The information that a layer's decision, its largest unit, holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import classes, paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.entropies.discrete import plug_in

_CONSTANT = "the decision is"


@dataclass(frozen=True)
class DecisionRule:
    """Plug-in information of the decision L = argmax_c T_c of a layer with one unit a class.

    `entropy(t)` is H(L), which is I(X;L) for a deterministic network; `estimate(t, y)` is
    I(L;Y) = H(L) + H(Y) − H(L,Y) for integer `y`. `t` has shape (n, c) with c ≥ 2: logits or softmax outputs, the first
    of equal units wins. Nats. By data processing I(L;Y) ≤ I(T;Y).

    Raises InvalidArgument or TooFewSamples for samples that it can't use.

    Balda, Behboodi & Mathar (2018), "On the information dynamics of deep neural networks", section 3.

    >>> DecisionRule().estimate([[2.0, 1.0], [0.0, 3.0]], [0, 1]).bits
    1.0
    """

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(L;Y) of the layer `x` and classes `y`."""
        decisions, tied, units = _decisions(x, "x")
        codes, count = classes(y, "y")
        paired(decisions, codes)
        return _label(decisions, tied, units, codes, count)

    def entropy(self, t: Any) -> Estimate:
        """H(L), at most log min(n, c)."""
        return _input(*_decisions(t, "t"))

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """H(L) and I(L;Y); the inputs `x` are not needed."""
        decisions, tied, units = _decisions(t, "t")
        codes, count = classes(y, "y")
        paired(decisions, codes, "t", "y")
        return LayerInformation(_input(decisions, tied, units), _label(decisions, tied, units, codes, count))


def _decisions(t: Any, name: str) -> tuple[Tensor, int, int]:
    values = samples(t, name)
    if values.shape[1] < 2:
        raise InvalidArgument(f"{name} has one unit; a decision needs a unit for each of at least two classes")
    top = values.topk(2, dim=1).values
    return values.argmax(1), int((top[:, 0] == top[:, 1]).sum()), values.shape[1]


def _warnings(tied: int, n: int, constant: list[str]) -> tuple[str, ...]:
    warnings = []
    if tied:
        warnings.append(f"{tied} of {n} samples have no single largest unit; the first one counted as the decision")
    return (*warnings, *(f"{name} constant: it carries no information" for name in constant))


def _input(decisions: Tensor, tied: int, units: int) -> Estimate:
    n = len(decisions)
    entropy = float(plug_in(decisions.bincount()))
    return Estimate(
        entropy,
        quantity="H(L)",
        kind=Kind.PLUG_IN,
        estimator="DecisionRule",
        n=n,
        ceiling=math.log(min(n, units)),
        ceiling_name="log n" if n < units else "log c",
        warnings=_warnings(tied, n, [_CONSTANT] * (entropy == 0)),
    )


def _label(decisions: Tensor, tied: int, units: int, codes: Tensor, count: int) -> Estimate:
    joint = decisions * count + codes.to(decisions.device)
    of_label, of_decision = float(plug_in(codes.bincount())), float(plug_in(decisions.bincount()))
    together = float(plug_in(torch.bincount(joint)))
    ceiling, name = min((of_label, "H(Y)"), (of_decision, "H(L)"))
    constant = [_CONSTANT] * (of_decision == 0) + ["y is"] * (of_label == 0)
    return Estimate(
        max(0.0, of_label + of_decision - together),
        quantity="I(L;Y)",
        kind=Kind.PLUG_IN,
        estimator="DecisionRule",
        n=len(decisions),
        ceiling=ceiling,
        ceiling_name=name,
        warnings=_warnings(tied, len(decisions), constant),
    )
