"""The information that a layer's decision, its largest unit, holds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.layer_estimator import Labels, LayerEstimator

NO_DECISION = "so its largest unit is no decision and nothing follows from the number"
"""Part of the warning of a layer that has not one unit per class."""


@dataclass(frozen=True)
class DecisionRule(LayerEstimator):
    """Plug-in information of the decision L = argmax_c T_c of a layer with one unit per class.

    Notes
    -----
    `entropy` is H(L), which is I(X;L) for a deterministic network; `estimate` is I(L;Y) = H(L) + H(Y) − H(L,Y). Samples
    have shape (n, c) with c ≥ 2: logits or softmax outputs; of equal units the first one counts. By the data processing
    inequality I(L;Y) ≤ I(T;Y). A layer that has another number of units than there are classes gets a warning, and its
    plane no verdict on compression.

    References
    ----------
    Balda, Behboodi, Mathar (2018), On the information dynamics of deep neural networks, section 3.

    Examples
    --------
    >>> DecisionRule().estimate([[2.0, 1.0], [0.0, 3.0]], [0, 1]).bits
    1.0
    """

    def _samples(self, value: Any, name: str) -> Tensor:
        values = samples(value, name)
        if values.shape[1] < 2:
            raise InvalidArgument(name, "an array of one unit per class, at least 2", got_text="one unit")
        return values

    def _estimates(self, layer: Tensor, labels: Labels | None, side: str) -> list[Estimate]:
        n, units = layer.shape
        top = layer.topk(2, dim=1).values
        decisions, tied = layer.argmax(1), int((top[:, 0] == top[:, 1]).sum())
        entropy = float(plug_in(decisions.bincount()))
        warnings: tuple[str, ...] = ()
        if tied:
            warnings += (f"{tied} of {n} samples have no single largest unit, so the first of them is the decision",)
        if entropy == 0:
            warnings += ("the decision is constant, so it carries no information",)
        ceiling = math.log(min(n, units)), "log n" if n < units else "log c"
        found = [self._made(entropy, "H(L)", n, ceiling, warnings)]
        if labels is not None:
            label_entropy = float(plug_in(labels.codes.bincount()))
            joint = torch.bincount(decisions * labels.number + labels.codes.to(decisions.device))
            nats = max(0.0, label_entropy + entropy - float(plug_in(joint)))
            if units != labels.number:
                warnings += (
                    f"the layer has {units} units for {labels.number} classes, {NO_DECISION}; use a layer of one unit "
                    "per class",
                )
            if label_entropy == 0:
                warnings += ("y is constant, so it carries no information",)
            found.append(self._made(nats, "I(L;Y)", n, min((label_entropy, "H(Y)"), (entropy, "H(L)")), warnings))
        return found
