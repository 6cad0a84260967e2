"""Ten random seeds trained at once as a stacked network, compared with one after another.

The network is 12-10-7-5-4-3-2 with tanh on the patterns of Shwartz-Ziv and Tishby: Adam 4e-4, batches of 512 in fixed
order, the first 80 % of the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from infoflow.data import Split, load
from infoflow.estimators import Binning
from infoflow.models import MLP, Stacked, stack
from infoflow.training import Training, train
from infoflow_benchmarks.speed.comparison import Comparison, Row, Timing, compare
from infoflow_benchmarks.speed.timing import once, torch_threads

WIDTHS = [12, 10, 7, 5, 4, 3, 2]
SEEDS = 10
PROTOCOL_EPOCHS, SNAPSHOTS = 8000, 60


def member(seed: int) -> MLP:
    return MLP(WIDTHS, "tanh", initialization="idnns", seed=seed)


def side_by_side(x: Tensor, y: Tensor, epochs: int) -> Stacked:
    network = stack([member(seed) for seed in range(SEEDS)])
    train(network, (x, y), Training(epochs=epochs, batch_size=512, learning_rate=4e-4, shuffle=False))
    return network


def one_after_another(x: Tensor, y: Tensor, epochs: int) -> list[MLP]:
    """The loop written by hand: nn.Sequential, torch.optim.Adam with its defaults, nn.CrossEntropyLoss."""
    networks = [member(seed) for seed in range(SEEDS)]
    for network in networks:
        loss, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(network.parameters(), lr=4e-4)
        for _ in range(epochs):
            for start in range(0, len(x), 512):
                optimizer.zero_grad()
                loss(network(x[start : start + 512]), y[start : start + 512]).backward()
                optimizer.step()
    return networks


@torch.no_grad()
def analyse(network: Stacked, split: Split) -> None:
    """I(X;T) and I(T;Y) of every layer and seed at one snapshot, on all 4096 patterns."""
    x, y = split.whole.tensors()
    estimator = Binning(bins=29, low=-1.0, high=1.0)
    t = x
    for name, module in network.named_children():
        t = module(t)
        if not name.startswith("linear"):
            for activations in t:
                estimator.measure(activations, y)
    for logits in t:
        estimator.measure(logits.softmax(-1), y)


def cases(quick: bool = False) -> Iterator[Row]:
    """Training alone; and the whole protocol with its analyses, extrapolated."""
    epochs = 2 if quick else 100
    split = load("szt", split_seed=None)
    x, y = split.train.tensors()
    if quick:
        x, y = x[:600], y[:600]

    @torch.no_grad()
    def of_logits(timing: Timing) -> float:
        return float((timing.ours(x) - torch.stack([network(x) for network in timing.reference])).abs().max())

    training = Comparison(
        f"{SEEDS} seeds, {epochs} epochs",
        "one seed after another, torch.optim.Adam",
        partial(side_by_side, x, y, epochs),
        partial(one_after_another, x, y, epochs),
        target_ratio=5.0,
        difference=of_logits,
        note="one thread; the difference is that of logits",
    )
    with torch_threads(1):  # more threads make such small networks slower, on both sides
        timing = compare(training.ours, training.baseline, quick=quick)
        analysis = once(lambda: analyse(timing.ours, split))[1]
    row = training.row(timing)
    yield row
    ours, reference = (
        s * PROTOCOL_EPOCHS / epochs + SNAPSHOTS * analysis for s in (row.seconds, row.reference_seconds)
    )
    yield replace(
        row,
        case=f"{SEEDS} seeds, {PROTOCOL_EPOCHS} epochs, {SNAPSHOTS} analyses",
        reference_seconds=reference,
        seconds=ours,
        ratio=reference / ours,
        note=f"one thread; extrapolated from {epochs} epochs and one analysis, the same for both, of {analysis:.2f} s",
    )
