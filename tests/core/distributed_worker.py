"""One process of the group that tests/test_distributed.py starts: `worker.py RANK SIZES FOLDER`.

Run as rank −1 it is the reference: one process, no group, the whole batch.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from infoflow import bounds, critics
from infoflow.bounds import BOUNDS, ExponentialAverage, Takes
from infoflow.core import distributed
from infoflow.core.errors import InvalidArgument

CRITICS = {
    "separable": lambda: critics.Separable(3, 2, embedding=4, hidden=(6,), activation="tanh"),
    "bilinear": lambda: critics.Bilinear(3, 2),
    "concatenated": lambda: critics.Concatenated(3, 2, hidden=(6,), activation="tanh"),
    "concatenated-3": lambda: critics.Concatenated(3, 2, hidden=(6,), activation="tanh", n_negatives=3),
    "concat-and-convolve": lambda: critics.ConcatAndConvolve(3, 2, units=5, n_negatives=2),
}


def batch(n: int, local: bool) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, 3, *((2, 2) if local else ()), generator=generator, dtype=torch.float64)
    noise = torch.randn(n, 2, generator=generator, dtype=torch.float64)
    return x, noise + x.flatten(1)[:, :2]


def extra(bound: bounds.Bound, positive: Tensor, negative: Tensor, group: Any) -> tuple[Any, ...]:
    if bound.takes is Takes.NEGATIVE_AND_U:
        return negative, -positive / 2
    if bound.takes is Takes.ENTROPY:
        return (1.0,)
    if bound.takes is Takes.MARGINAL:
        return (positive.square(),)
    if bound.averaged:
        average = ExponentialAverage(rate=0.3).updated(negative * 0.5, group=group).updated(negative, group=group)
        return negative, average
    return (negative,)


def run(rank: int, sizes: list[int], group: Any) -> dict[str, Any]:
    results: dict[str, Any] = {}
    start, stop = (sum(sizes[:rank]), sum(sizes[: rank + 1])) if group is not None else (0, sum(sizes))
    for critic_name, build in CRITICS.items():
        x, y = (t[start:stop] for t in batch(sum(sizes), "convolve" in critic_name))
        # Every bound with one critic; how a critic gathers shows in any two of them.
        for bound in BOUNDS.values() if critic_name == "separable" else (BOUNDS["infonce"], BOUNDS["smile"]):
            critic: nn.Module = build().double()
            wrapped = DistributedDataParallel(critic, process_group=group) if group is not None else critic
            positive, negative = wrapped(x, y, group=group)
            value = bound(positive, *extra(bound, positive, negative, group), group=group).mean()
            value.backward()
            gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in critic.parameters()]
            results[f"{critic_name}/{bound.name}"] = (value.detach(), gradients)
    return results


def refusals(rank: int, group: Any) -> list[str]:
    """What gather says, on this process, of tensors that don't fit each other."""
    messages = []
    cases = [torch.ones(2, 3 + rank), torch.ones(2, 3, dtype=torch.float64 if rank else torch.float32)]
    cases.append(torch.ones([1] * 9) if rank else torch.ones(2))
    calls = [partial(distributed.gather, tensor, group, name="y") for tensor in cases]
    # Unlike classes, unlike types, and a process that calls something else would hang or add unlike numbers.
    calls += [
        partial(distributed.sum_over, torch.ones(3 + rank), group),
        partial(distributed.max_over, torch.ones(2, dtype=torch.int64 if rank else torch.float32), group),
        partial(distributed.max_over if rank else distributed.sum_over, torch.ones(2), group),
        partial(distributed.gather, torch.ones(()) if rank else torch.ones(2), group, name="y"),
    ]
    for call in calls:
        try:
            call()
        except InvalidArgument as error:
            messages.append(str(error))
    return messages


def main() -> None:
    rank, sizes, folder = int(sys.argv[1]), [int(s) for s in sys.argv[2].split(",")], Path(sys.argv[3])
    torch.set_num_threads(1)
    if rank < 0:
        torch.save(run(0, sizes, None), folder / "reference.pt")
        return
    dist.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=len(sizes))
    group = dist.group.WORLD
    results = run(rank, sizes, group)
    values, offset, counts = distributed.gather(torch.full((sizes[rank], 1), float(rank)), group)
    results["gathered"] = (values, offset, counts)
    results["refusals"] = refusals(rank, group)
    torch.save(results, folder / f"rank{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
