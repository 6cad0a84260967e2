"""What information flow costs a training step, beside the plain step; and prediction while it is attached, and after.

The published classifier at its size (32×32 pixels, batch of 128), with the default number of locations and with all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
import torch.nn.functional as F
from infoflow_reproductions.networks.flow_classifier import FLOW_PAIRS, FlowClassifier
from torch import Tensor

from infoflow.objectives import InformationFlow
from infoflow_benchmarks.speed.row import Row
from infoflow_benchmarks.speed.timing import compare

NAME = "information-flow"


def plain_step(model: FlowClassifier, x: Tensor, y: Tensor) -> Callable[[], float]:
    """Forward, backward and a step of SGD on the cross-entropy; the loss as a number."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)

    def step() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        torch.autograd.backward(loss)
        optimizer.step()
        return loss.item()

    return step


def flow_step(model: FlowClassifier, flow: InformationFlow, x: Tensor, y: Tensor) -> Callable[[], float]:
    """The same with the flow's loss added and its critics in the optimizer; the cross-entropy as a number."""
    optimizer = torch.optim.SGD([*model.parameters(), *flow.parameters()], lr=0.0)

    def step() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        (loss + flow()).backward()
        optimizer.step()
        return loss.item()

    return step


def prediction(model: FlowClassifier, x: Tensor) -> Callable[[], float]:
    """A forward pass in evaluation mode; the first logit."""

    @torch.no_grad()
    def call() -> float:
        return float(model(x)[0, 0])

    return call


def run(quick: bool = False) -> Iterator[Row]:
    """A step with the flow at the default locations, and at all; prediction with the flow attached, and detached."""
    batch, width = (4, 0.125) if quick else (128, 1.0)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, 3, 32, 32, generator=generator)
    y = torch.randint(10, (batch,), generator=generator)
    models = [FlowClassifier(width=width) for _ in range(2)]  # two of the same weights: each keeps its own caches warm
    what = f"batch {batch}, 32×32, 3 pairs"
    for locations, wanted in ((24, 1 / 2.5), (None, None)):
        with InformationFlow(models[0], FLOW_PAIRS, locations=locations) as flow:
            step = flow_step(models[0], flow, x, y)
            pair = compare(step, plain_step(models[1], x, y), quick=quick)
        case = f"training step, {what}, {'all' if locations is None else locations} locations"
        yield replace(
            pair.row(NAME, case, "the plain step", wanted_ratio=wanted),
            note=f"the step takes {1 / pair.ratio:.2f} times the plain one",
        )
    for model in models:
        model.eval()
    flow = InformationFlow(models[0], FLOW_PAIRS)
    pair = compare(prediction(models[0], x), prediction(models[1], x), quick=quick)
    yield pair.row(NAME, f"prediction, {what}, attached", "the network without it")
    flow.detach()
    pair = compare(prediction(models[0], x), prediction(models[1], x), quick=quick)
    hooks = sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in models[0].modules())
    yield pair.row(NAME, f"prediction, {what}, detached", "the network without it", note=f"{hooks} hooks left")
