"""How much recording adds to training: the MNIST perceptron 784-1024-20-20-20-10 with tanh (Saxe et al., 2019).

The probe set is 10,000 test images; all units of every layer are stored, 1094 for each image.
"""

from __future__ import annotations

import copy
import statistics
import tempfile
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from infoflow.core.errors import MissingData
from infoflow.data import load
from infoflow.integrations import Schedule
from infoflow.models import MLP
from infoflow.plane import Recorder, record
from infoflow.training import Training, train
from infoflow_benchmarks.speed.comparison import Row
from infoflow_benchmarks.speed.timing import once, torch_threads

WIDTHS = [784, 1024, 20, 20, 20, 10]
# Recording should add at most 5 % to the training time.
TARGET = 1 / 1.05
_ROUNDS = 5

Pair = tuple[Tensor, Tensor]


def data(quick: bool) -> tuple[Pair, Pair, str]:
    """Training and probe samples, and what they are; random ones of MNIST's shape take equally long."""
    if not quick:
        try:
            split = load("mnist")
            return split.train.tensors(), split.test.tensors(), "MNIST"
        except MissingData:
            pass
    rng = np.random.default_rng(0)
    sizes = (600, 100) if quick else (60_000, 10_000)
    pairs = [
        (torch.from_numpy(rng.random((n, 784), dtype=np.float32)), torch.from_numpy(rng.integers(0, 10, n)))
        for n in sizes
    ]
    return pairs[0], pairs[1], "random images"


def epoch(network: MLP, start: Mapping[str, Tensor], samples: Pair, recorder: Recorder | None) -> Tensor:
    """Train one epoch from the start, with a snapshot after it if there is a recorder; return the first weights."""
    network.load_state_dict(start)
    train(network, samples, Training(epochs=1, batch_size=128, learning_rate=1e-3))
    if recorder is not None:
        recorder.snapshot(1)
    return next(network.parameters()).detach().clone()


def cases(quick: bool = False) -> Iterator[Row]:
    """Whole trainings at the default schedule, extrapolated from an epoch and a snapshot that are timed in turns."""
    samples, probe, source = data(quick)
    network = MLP(WIDTHS, "tanh", seed=0)
    start = copy.deepcopy(network.state_dict())
    times: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, torch_threads(1):
        recorder, opening = once(lambda: record(network, *probe, store=folder + "/run"))
        recorded = epoch(network, start, samples, recorder)  # the first calls are slower
        for _ in range(1 if quick else _ROUNDS):
            plain, training = once(lambda: epoch(network, start, samples, None))
            times.append((training, once(lambda: recorder.snapshot(1))[1]))
        recorder.close()
    training, snapshot = (statistics.median(column) for column in zip(*times, strict=True))
    for epochs in (20, 100):
        count = sum(Schedule().due(now, epochs) for now in range(epochs + 1))
        without = epochs * training
        seconds = without + opening + count * snapshot
        yield Row(
            case=f"{epochs} epochs, {count} snapshots",
            reference="the same training, not recorded",
            reference_seconds=without,
            seconds=seconds,
            ratio=without / seconds,
            target_ratio=TARGET,
            difference=float((recorded - plain).abs().max()),
            note=(
                f"one thread, {source}: {training:.2f} s an epoch, {snapshot:.2f} s a snapshot, opening {opening:.2f} s"
                "; the difference is that of weights after an epoch"
            ),
        )
