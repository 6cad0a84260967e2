"""What recording costs beside training: the MNIST perceptron 784-1024-20-20-20-10 with tanh (Saxe et al., 2019).

The probe is 10 000 test images; every layer is stored whole, 1094 units of each image.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from infoflow.bench.speed.row import Row
from infoflow.bench.speed.timing import compare, once, torch_threads
from infoflow.data import load
from infoflow.errors import MissingData
from infoflow.integrations import Schedule
from infoflow.models import MLP
from infoflow.plane import Recorder, record
from infoflow.training import Training, train

NAME = "recorder-overhead"
WIDTHS = [784, 1024, 20, 20, 20, 10]
# Recording may cost 5 % of the training time.
WANTED = 1 / 1.05

Pair = tuple[Tensor, Tensor]


def data(quick: bool) -> tuple[Pair, Pair, str]:
    """Training and probe samples, and what they are; random ones of MNIST's shape take as long."""
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
    """Trains one epoch from the start, with a snapshot after it where there is a recorder; the first weights."""
    network.load_state_dict(start)
    train(network, samples, Training(epochs=1, batch_size=128, learning_rate=1e-3))
    if recorder is not None:
        recorder.snapshot(1)
    return next(network.parameters()).detach().clone()


def run(quick: bool = False) -> Iterator[Row]:
    """An epoch with its snapshot; and whole trainings at the default schedule, extrapolated."""
    samples, probe, source = data(quick)
    network = MLP(WIDTHS, "tanh", seed=0)
    start = copy.deepcopy(network.state_dict())
    with tempfile.TemporaryDirectory() as folder, torch_threads(1):
        recorder, opening = once(lambda: record(network, *probe, store=folder + "/run"))
        pair = compare(
            lambda: epoch(network, start, samples, recorder),
            lambda: epoch(network, start, samples, None),
            quick=quick,
        )
        recorder.close()
    row = pair.row(
        NAME,
        "1 epoch, 1 snapshot",
        "the same training, not recorded",
        note=f"one thread, {source}; the difference is that of weights",
    )
    yield row
    for epochs in (20, 100):
        snapshots = sum(Schedule().wants(now, epochs) for now in range(epochs + 1))
        plain = epochs * pair.reference_seconds
        recorded = plain + opening + snapshots * max(pair.seconds - pair.reference_seconds, 0.0)
        yield replace(
            row,
            case=f"{epochs} epochs, {snapshots} snapshots",
            reference_seconds=plain,
            seconds=recorded,
            ratio=plain / recorded,
            wanted_ratio=WANTED,
            note=f"one thread, {source}; extrapolated, with {opening:.2f} s to begin the recording",
        )
