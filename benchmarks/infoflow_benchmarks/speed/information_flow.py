"""What information flow adds to a training step, and to prediction while it is attached and after.

The network is the published classifier at its size (32×32 pixels, batch of 128), with the default number of locations
and with all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from infoflow_reproductions.networks.flow_classifier import FLOW_PAIRS, FlowClassifier
from torch import Tensor

from infoflow.objectives import InformationFlow
from infoflow_benchmarks.speed.comparison import Comparison, Timing, training_step


def step(model: FlowClassifier, x: Tensor, y: Tensor, flow: InformationFlow | None = None) -> Callable[[], float]:
    """Forward, backward and SGD on the cross-entropy, plus the flow's loss if there is one; the cross-entropy."""
    parameters = [*model.parameters(), *([] if flow is None else flow.parameters())]
    return training_step(torch.optim.SGD(parameters, lr=0.0), lambda: F.cross_entropy(model(x), y), flow)


@torch.no_grad()
def first_logit(model: FlowClassifier, x: Tensor) -> float:
    return float(model(x)[0, 0])


def slowdown(timing: Timing) -> str:
    return f"the step takes {1 / timing.ratio:.2f} times the plain one"


def cases(quick: bool = False) -> Iterator[Comparison]:
    """A step with the flow at the default and at all locations; prediction with the flow attached and detached."""
    batch, width = (4, 0.125) if quick else (128, 1.0)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, 3, 32, 32, generator=generator)
    y = torch.randint(10, (batch,), generator=generator)
    # Two models of the same weights, so that each finds its own memory in the caches.
    models = [FlowClassifier(width=width) for _ in range(2)]
    what = f"batch {batch}, 32×32, 3 pairs"
    for locations, target in ((24, 1 / 2.5), (None, None)):
        with InformationFlow(models[0], FLOW_PAIRS, locations=locations) as flow:
            case = f"training step, {what}, {'all' if locations is None else locations} locations"
            ours, plain = step(models[0], x, y, flow), step(models[1], x, y)
            yield Comparison(case, "the plain step", ours, plain, target, note=slowdown)
    for model in models:
        model.eval()
    ours, plain = (partial(first_logit, model, x) for model in models)
    flow = InformationFlow(models[0], FLOW_PAIRS)
    yield Comparison(f"prediction, {what}, attached", "the network without it", ours, plain)
    flow.detach()
    hooks = sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in models[0].modules())
    yield Comparison(f"prediction, {what}, detached", "the network without it", ours, plain, note=f"{hooks} hooks left")
