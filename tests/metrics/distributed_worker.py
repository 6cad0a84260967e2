"""What one process of a group computes with its part of the samples; rank −1 is one process with all of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from infoflow.metrics import CalibrationLoss, ClassifierInformation, ContrastiveInformation, PredictionInformation


def run(rank: int, sizes: list[int], group: Any) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    n = sum(sizes)
    logits = torch.randn(n, 3, generator=generator)
    labels = torch.randint(3, (n,), generator=generator)
    scores = torch.randn(n, 4, generator=generator)
    part = slice(0, n) if group is None else slice(sum(sizes[:rank]), sum(sizes[: rank + 1]))
    results = {}
    for kind in (PredictionInformation, ClassifierInformation, CalibrationLoss):
        metric = kind(classes=3, group=group)
        metric.update(logits[part], labels[part])
        results[kind.__name__] = [metric.compute(), metric.compute()]
    contrastive = ContrastiveInformation(group=group)
    contrastive.update(scores[part, 0], scores[part, 1:])
    results["ContrastiveInformation"] = [contrastive.compute(), contrastive.compute()]
    return results


def main() -> None:
    rank, sizes, folder = int(sys.argv[1]), [int(s) for s in sys.argv[2].split(",")], Path(sys.argv[3])
    torch.set_num_threads(1)
    if rank < 0:
        torch.save(run(0, sizes, None), folder / "reference.pt")
        return
    dist.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=len(sizes))
    torch.save(run(rank, sizes, dist.group.WORLD), folder / f"rank{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
