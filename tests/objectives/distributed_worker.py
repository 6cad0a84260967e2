"""One process of the group that test_distributed.py starts: `worker.py RANK SIZES FOLDER`.

Run as rank −1 it is the reference: one process, no group, the whole batch.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from infoflow.core.errors import InvalidArgument
from infoflow.objectives import MutualInformationLoss

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "sum": {"reduction": "sum"},
    "divergence": {"regularizer": "divergence"},
    "weights": {"weight": [0.5, 2.0, 1.0], "ignore_index": 1, "label_smoothing": 0.1},
    "averaged": {"decay": 0.7, "classes": 3},
}


def run(rank: int, sizes: list[int], group: Any) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    n = sum(sizes)
    x = torch.randn(2, n, 4, generator=generator, dtype=torch.float64)
    y = torch.randint(3, (2, n), generator=generator)
    start, stop = (sum(sizes[:rank]), sum(sizes[: rank + 1])) if group is not None else (0, n)
    results = {}
    for name, settings in CASES.items():
        model: nn.Module = nn.Linear(4, 3).double()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.linspace(-1, 2, parameter.numel()).reshape(parameter.shape))
        wrapped = DistributedDataParallel(model, process_group=group) if group is not None else model
        loss = MutualInformationLoss(5.0, group=group, **settings)
        for step in range(2):
            model.zero_grad()
            found = loss(wrapped(x[step, start:stop]), y[step, start:stop])
            found.backward()
        gradients = [parameter.grad for parameter in model.parameters()]
        results[name] = (found.detach(), dict(loss.terms), gradients)
    return results


def refusal(rank: int, group: Any) -> str:
    """What a process says when the labels of process 1 are out of range."""
    try:
        MutualInformationLoss(group=group)(torch.zeros(2, 3), torch.tensor([0, 7 if rank else 1]))
    except InvalidArgument as error:
        return str(error)
    return ""


def main() -> None:
    rank, sizes, folder = int(sys.argv[1]), [int(s) for s in sys.argv[2].split(",")], Path(sys.argv[3])
    torch.set_num_threads(1)
    if rank < 0:
        torch.save(run(0, sizes, None), folder / "reference.pt")
        return
    dist.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=len(sizes))
    results: dict[str, Any] = run(rank, sizes, dist.group.WORLD)
    results["refusal"] = refusal(rank, dist.group.WORLD)
    torch.save(results, folder / f"rank{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
