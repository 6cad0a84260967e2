"""One process of the group that test_processes.py starts: `profile_worker.py RANK WORLD FOLDER`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

import infoflow
from infoflow.core.distributed import Group

VOCABULARY, WIDE = 30, 70


def batches() -> list[dict[str, Tensor]]:
    generator = torch.Generator().manual_seed(0)
    ids = [torch.randint(VOCABULARY, (8, 16 + number % 3), generator=generator) for number in range(9)]
    masks = [torch.ones_like(each) for each in ids]
    masks[3][0, 9:] = 0
    return [{"input_ids": each, "attention_mask": mask} for each, mask in zip(ids, masks, strict=True)]


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(VOCABULARY, WIDE)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(WIDE, WIDE), nn.Tanh()) for _ in range(2))
        self.head = nn.Linear(WIDE, VOCABULARY)
        with torch.no_grad():
            self.embedding.weight[7, 0] = float("inf")

    def forward(self, input_ids: Tensor) -> Tensor:
        state = self.embedding(input_ids)
        for block in self.blocks:
            state = block(state)
        return self.head(state)


def measured(group: Group = None) -> infoflow.profiles.Profile:
    model = Model()
    layers = ["blocks.0:input", "blocks.1"]
    return infoflow.profile(
        model, batches(), layers=layers, quantities="all", max_codes=8, unembedding=model.head, group=group
    )


def main() -> None:
    rank, world, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder / 'store'}", rank=rank, world_size=world)
    (folder / f"{world}-{rank}.json").write_text(json.dumps(measured(dist.group.WORLD).to_dict()), encoding="utf-8")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
