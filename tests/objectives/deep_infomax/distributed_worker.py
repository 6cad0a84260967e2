"""One process of the group that test_distributed.py starts: `worker.py RANK SIZES FOLDER`; rank −1 is the reference."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

sys.path.insert(0, str(Path(__file__).parent))
from encoders import Plain
from infoflow_reproductions.baselines.views import DotCritic, MultiViewDeepInfoMax, NTXent, VICReg

from infoflow.critics import ConcatAndConvolve, GlobalCritic
from infoflow.objectives import DeepInfoMax

BOUNDS = ("jensen_shannon", "infonce", "nwj", "donsker_varadhan", "smile")
VIEWS: dict[str, Any] = {
    "nt-xent": lambda group: NTXent(Plain(), 3, units=8, projection=4, group=group),
    "vicreg": lambda group: VICReg(Plain(), 3, units=8, projection=4, group=group),
    "amdim": lambda group: MultiViewDeepInfoMax(Plain(), DotCritic(4, 3, units=8), group=group),
}


def run(rank: int, sizes: list[int], group: Any) -> dict[str, Any]:
    n = sum(sizes)
    views = torch.randn(2, n, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mine = slice(sum(sizes[:rank]), sum(sizes[: rank + 1])) if group is not None else slice(n)
    results: dict[str, Any] = {}
    for bound in BOUNDS:
        objective = DeepInfoMax(
            Plain(),
            global_critic=GlobalCritic(64, 3, n_negatives=None),
            local_critic=ConcatAndConvolve(4, 3, units=8, n_negatives=None),
            alpha=0.5,
            beta=1.0,
            bound=bound,
            group=group,
        ).double()
        results[bound] = outcome(objective, (views[0, mine],), group)
    for name, make in VIEWS.items():
        results[name] = outcome(make(group).double(), (views[0, mine], views[1, mine]), group)
    return results


def outcome(objective: torch.nn.Module, batch: tuple[torch.Tensor, ...], group: Any) -> Any:
    """Total, terms, and the gradients as processes average them."""
    loss = objective(*batch)
    loss.backward()
    gradients = [p.grad for p in objective.parameters() if p.grad is not None]
    if group is not None:
        for gradient in gradients:
            dist.all_reduce(gradient, group=group)
            gradient /= dist.get_world_size(group)
    return loss.detach(), dict(objective.terms), gradients


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
