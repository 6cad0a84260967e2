"""A process whose settings differ from others', and that may not take part at the end: `worker RANK SIZES FOLDER`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from infoflow import bounds, critics
from infoflow.core import distributed
from infoflow.core.errors import InfoflowError
from infoflow.estimators import SoftEntropy
from infoflow.objectives import DeepInfoMax, Encoding, MutualInformationLoss
from infoflow.training import Fit, Player, fit

TIMEOUT = 2.0
ABSENT = 1


def trained(rank: int, group: Any) -> None:
    layer = nn.Linear(2, 2 if rank else 3)
    fit(Player(layer, lambda x: layer(x).square().mean()), [torch.ones(12, 2)], Fit(1, batch_size=2), group=group)


def infomax(rank: int, group: Any) -> None:
    critic = critics.EncodeAndDot(3, 5, units=4)
    objective = DeepInfoMax(nn.Flatten(), local_critic=critic, beta=1.0 + rank, group=group)
    objective.loss(Encoding(torch.ones(4, 3, 4, 4), torch.ones(4, 5)))


def disagreements(rank: int, group: Any) -> dict[str, Callable[[], Any]]:
    """Calls whose shapes agree, and whose settings do not."""
    scores = torch.zeros(4), torch.zeros(4, 3)
    labels = torch.tensor([0, 1, 0, 1])
    return {
        "bound": lambda: bounds.smile(*scores, tau=5.0 + rank, group=group),
        "registered bound": lambda: bounds.BOUNDS["tuba" if rank else "nwj"](*scores, group=group),
        "critic": lambda: critics.Concatenated(2, 2, n_negatives=2 + rank).scores(
            torch.ones(4, 2), torch.ones(4, 2), group=group
        ),
        "objective": lambda: MutualInformationLoss(10.0 * (1 + rank), group=group)(torch.zeros(4, 2), labels),
        "deep infomax": lambda: infomax(rank, group),
        "accumulator": lambda: SoftEntropy(seed=rank).accumulator(3).all_reduce(group),
        "training": lambda: trained(rank, group),
    }


def error_of(call: Callable[[], Any]) -> tuple[str, str]:
    try:
        call()
    except InfoflowError as error:
        return type(error).__name__, str(error)
    return "", ""


def main() -> None:
    rank, processes, folder = int(sys.argv[1]), len(sys.argv[2].split(",")), Path(sys.argv[3])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if rank < 0:
        torch.save({}, folder / "reference.pt")
        return
    dist.init_process_group(
        "gloo",
        init_method=f"file://{folder / 'store'}",
        rank=rank,
        world_size=processes,
        timeout=timedelta(seconds=60),
    )
    group = dist.group.WORLD
    found: dict[str, Any] = {name: error_of(call) for name, call in disagreements(rank, group).items()}
    # The same settings pass on all, so nothing of the failures stays behind.
    found["total"] = distributed.sum_over(torch.ones(()), group).item()
    short = dist.new_group(timeout=timedelta(seconds=TIMEOUT))
    distributed.sum_over(torch.ones(()), short)
    if rank == ABSENT:
        while len(list(folder.glob("*.late"))) < processes - 1:
            time.sleep(0.05)
    else:
        started = time.monotonic()
        found["missing"] = error_of(lambda: distributed.gather(torch.ones(2, 1), short))
        found["waited"] = time.monotonic() - started
        (folder / f"{rank}.late").touch()
    torch.save(found, folder / f"rank{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
