"""Ten seeds trained side by side, beside the loop that trains one after another.

The network 12-10-7-5-4-3-2 on the patterns of Shwartz-Ziv and Tishby: tanh, Adam 4e-4, batch 512 in fixed order, first
80 % of the rows. The reference is the loop that one writes by hand: nn.Sequential, torch.optim.Adam with its defaults,
nn.CrossEntropyLoss. Both run in turns in this process; ratios count, times are this machine's of this moment.

    python benchmarks/seeds_side_by_side.py                            # seconds
    python benchmarks/seeds_side_by_side.py --analysis                 # with the information of 60 snapshots
    python benchmarks/seeds_side_by_side.py --epochs 8000 --rounds 1   # the whole protocol, nothing extrapolated
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from infoflow.data import Split, load
from infoflow.estimators import Binning
from infoflow.models import MLP, Stacked, stack
from infoflow.training import Training, train

WIDTHS = [12, 10, 7, 5, 4, 3, 2]
PROTOCOL_EPOCHS = 8000
SNAPSHOTS = 60


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def member(seed: int) -> MLP:
    return MLP(WIDTHS, "tanh", initialisation="idnns", seed=seed)


def side_by_side(data: tuple[Tensor, Tensor], seeds: int, epochs: int) -> Stacked:
    network = stack([member(seed) for seed in range(seeds)])
    train(network, data, Training(epochs=epochs, batch_size=512, learning_rate=4e-4, shuffle=False))
    return network


def one_after_another(data: tuple[Tensor, Tensor], seeds: int, epochs: int) -> None:
    x, y = data
    for seed in range(seeds):
        network, loss = member(seed), nn.CrossEntropyLoss()
        optimiser = torch.optim.Adam(network.parameters(), lr=4e-4)
        for _ in range(epochs):
            for start in range(0, len(x), 512):
                optimiser.zero_grad()
                loss(network(x[start : start + 512]), y[start : start + 512]).backward()
                optimiser.step()


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--epochs", type=int, default=30, help=f"epochs of a round (the protocol has {PROTOCOL_EPOCHS})"
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of both in turns; the table gives medians")
    parser.add_argument("--threads", type=int, default=1, help="torch threads; more slow such small networks down")
    parser.add_argument("--analysis", action="store_true", help=f"add the analysis of {SNAPSHOTS} snapshots to both")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    split = load("szt", split_seed=None)
    data = split.train.tensors()
    steps = options.epochs * -(-len(data[0]) // 512)

    network = side_by_side(data, options.seeds, 2)  # warm up
    one_after_another(data, 1, 2)
    ours, theirs, analysis = [], [], []
    for _ in range(options.rounds):
        ours.append(seconds(lambda: side_by_side(data, options.seeds, options.epochs)))
        theirs.append(seconds(lambda: one_after_another(data, options.seeds, options.epochs)))
        if options.analysis:
            analysis.append(seconds(lambda: analyse(network, split)))

    print(
        f"torch {torch.__version__}, {options.threads} thread(s), {platform.processor() or platform.machine()}; "
        f"{options.seeds} seeds, {options.epochs} epochs = {steps} steps a round, medians of {options.rounds} round(s)"
    )
    if options.epochs != PROTOCOL_EPOCHS:
        print(f"times for {PROTOCOL_EPOCHS} epochs are extrapolated from {options.epochs}")
    added = SNAPSHOTS * statistics.median(analysis) if analysis else 0.0
    print(f"{'':28}{'ms/step':>10}{f's for {PROTOCOL_EPOCHS} epochs':>20}{'with analysis, s':>20}")
    totals = []
    for name, times in (("seeds side by side", ours), ("one seed after another", theirs)):
        total = statistics.median(times) * PROTOCOL_EPOCHS / options.epochs
        totals.append(total)
        extra = f"{total + added:20.1f}" if analysis else f"{'-':>20}"
        print(f"{name:28}{1000 * statistics.median(times) / steps:10.2f}{total:20.1f}{extra}")
    ratio = statistics.median(b / a for a, b in zip(ours, theirs, strict=True))
    extra = f"{(totals[1] + added) / (totals[0] + added):20.1f}" if analysis else f"{'-':>20}"
    print(f"{'ratio (goal: at least 5)':28}{ratio:10.1f}{totals[1] / totals[0]:20.1f}{extra}")
    if analysis:
        print(f"the analysis of {SNAPSHOTS} snapshots, the same for both, takes {added:.1f} s of it")


if __name__ == "__main__":
    main()
