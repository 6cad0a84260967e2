"""One process of the group that test_merging.py starts: `worker.py RANK SIZES FOLDER`.

Run as rank −1 it is the reference: one process, no group, all batches.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.estimators import CovarianceSpectrum, SoftEntropy
from infoflow.estimators.streaming.accumulator import RowAccumulator

DIMENSIONS = 64


def batch(number: int) -> tuple[Tensor, Tensor, Tensor]:
    """Activations of eight documents, their labels, and the numbers of the documents."""
    generator = torch.Generator().manual_seed(number)
    label = torch.randint(0, 3 + number % 3, (200,), generator=generator)
    t = torch.randn(200, DIMENSIONS, generator=generator, dtype=torch.float64)
    t[:, :5] += 4 * torch.nn.functional.one_hot(label, 5)
    return t, label, 8 * number + torch.arange(200) // 25


def accumulators() -> list[RowAccumulator]:
    center = torch.full((DIMENSIONS,), 0.1)
    return [
        SoftEntropy(references=30, center=True).accumulator(dimensions=DIMENSIONS, offset=center),
        CovarianceSpectrum(every=2).accumulator(dimensions=DIMENSIONS),
    ]


def numbers(found: list[RowAccumulator]) -> list[float]:
    """Values, nulls, ceilings, standard errors and n of every reading, nan where there is none."""
    fields = ("value", "null", "ceiling", "standard_error", "n")
    readings = [reading.to_dict() for each in found for reading in each.estimates()]
    return [float("nan") if row[name] is None else float(row[name]) for row in readings for name in fields]


def main() -> None:
    rank, sizes, folder = int(sys.argv[1]), [int(s) for s in sys.argv[2].split(",")], Path(sys.argv[3])
    torch.set_num_threads(1)
    found = accumulators()
    start, stop = (0, sum(sizes)) if rank < 0 else (sum(sizes[:rank]), sum(sizes[: rank + 1]))
    for number in range(start, stop):
        t, label, documents = batch(number)
        for each in found:
            each.update(t, {"x": label}, documents=documents)
    if rank < 0:
        torch.save(numbers(found), folder / "reference.pt")
        return
    dist.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=len(sizes))
    for each in found:
        each.all_reduce(dist.group.WORLD)
    unlike = SoftEntropy(seed=rank).accumulator(dimensions=DIMENSIONS)
    message = ""
    try:
        unlike.all_reduce(dist.group.WORLD)
    except InvalidArgument as error:
        message = str(error)
    torch.save({"numbers": numbers(found), "message": message}, folder / f"rank{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
