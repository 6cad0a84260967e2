"""Writes snapshots until it is killed, repeatedly; test_kill_and_resume.py runs it in a process of its own.

Usage: kill_and_resume.py STORE ROUNDS SEED. Each round forks a child that records without end, kills it with SIGKILL
at a random moment, and forks another that reads everything. Epochs repeat, so that most snapshots replace an earlier
one. The n-th snapshot holds inputs + n, which identifies it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.plane import Recording, record

EPOCHS = 4
X = torch.arange(3000.0).reshape(500, 6)


class Shift(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("number", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.number


def write(store: str, number: int, pipe: int) -> None:
    model = Shift()
    with record(model, X, torch.arange(500) % 2, store=store, resume=True) as recorder:
        while True:
            model.number.fill_(float(number))
            recorder.snapshot(number % EPOCHS, number=number)
            os.write(pipe, number.to_bytes(4, "little"))
            number += 1


def read(store: str, done: int) -> None:
    """Everything that was acknowledged (numbers up to `done`) is there, whole, or replaced by the one after it."""
    recording = Recording(store)
    metrics = recording.metrics.set_index("epoch")["value"]
    for epoch in recording.epochs:
        number = int(metrics[epoch])
        assert number % EPOCHS == epoch
        assert np.array_equal(recording.activations(epoch, "output")[0], X.numpy() + number)
    for number in range(max(0, done - EPOCHS + 1), done + 1):
        assert metrics[number % EPOCHS] in (number, number + EPOCHS), (number, done, dict(metrics))
        assert metrics[number % EPOCHS] <= done + 1


def forked(work: object, *arguments: object) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work(*arguments)  # type: ignore[operator]
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main(store: str, rounds: int, seed: int) -> None:
    generator = random.Random(seed)
    number = 0
    for _ in range(rounds):
        receive, send = os.pipe()
        child = forked(write, store, number, send)
        os.close(send)
        if generator.random() < 0.8:  # else even the beginning may be interrupted
            for _ in range(generator.randint(1, 3)):
                number = int.from_bytes(os.read(receive, 4), "little") + 1
        time.sleep(generator.uniform(0.0, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while acknowledged := os.read(receive, 4):
            number = int.from_bytes(acknowledged, "little") + 1
        os.close(receive)
        if number:
            _, status = os.waitpid(forked(read, store, number - 1), 0)
            if status:
                sys.exit(f"after {number} snapshots the store was not what it should be")
    sys.stdout.write(f"{number}\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
