"""One process of the group of test_distributed.py: `worker.py RANK SIZES FOLDER`. Rank −1 has the whole batch alone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from infoflow.layers import InformationDropout, information_cost, noise

PROCESSES, PART = 2, 6


def run(rank: int, group: Any) -> dict[str, Any]:
    torch.manual_seed(0)
    network = nn.Sequential(
        InformationDropout(nn.Conv2d(2, 3, 3), prior="log-normal"),
        nn.Flatten(),
        InformationDropout(nn.Linear(27, 5)),
        nn.Linear(5, 3),
    ).double()
    x = torch.randn(PROCESSES * PART, 2, 5, 5, dtype=torch.float64)
    y = torch.randint(3, (PROCESSES * PART,))
    part = slice(None) if group is None else slice(rank * PART, (rank + 1) * PART)
    model: nn.Module = network if group is None else DistributedDataParallel(network, process_group=group)
    with noise(model, False):
        for _ in range(2):  # the second step would tell of parameters that the first left unreduced
            network.zero_grad()
            total = nn.functional.cross_entropy(model(x[part]), y[part]) + 0.1 * information_cost(model)
            total.backward()
    gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
    torch.manual_seed(rank)
    drawn = model(x[:1]).detach()  # with noise: another one on every process
    return {"gradients": gradients, "cost": information_cost(model).detach(), "drawn": drawn}


def main() -> None:
    rank, folder = int(sys.argv[1]), Path(sys.argv[3])
    torch.set_num_threads(1)
    if rank < 0:
        torch.save(run(rank, None), folder / "reference.pt")
        return
    dist.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=PROCESSES)
    torch.save(run(rank, dist.group.WORLD), folder / f"rank{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
