"""All quantities of a profile, and a profile that is interrupted and continued."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import infoflow
from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.profiles.augmented import SHARE, views
from infoflow.profiles.batches import Batch
from infoflow.profiles.quantities import NAMES

VOCABULARY, WIDE = 30, 70


class Model(nn.Module):
    """An embedding, two blocks that copy, and an output that reads the token."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDE, _weight=8 * torch.eye(WIDE)[:VOCABULARY])
        self.blocks = nn.ModuleList(nn.Sequential(nn.Identity()) for _ in range(2))
        self.head = nn.Linear(WIDE, VOCABULARY, bias=False)
        self.head.weight = nn.Parameter(3 * torch.eye(WIDE)[:VOCABULARY].roll(1, 0))

    def forward(self, input_ids: Tensor) -> Tensor:
        state = self.embedding(input_ids)
        for block in self.blocks:
            state = block(state)
        return self.head(state)


def counting(count: int = 12) -> list[Tensor]:
    """Texts in which each token is followed by the next number."""
    starts = torch.randint(VOCABULARY, (count, 16, 1), generator=torch.Generator().manual_seed(0))
    return list((starts + torch.arange(20)) % VOCABULARY)


def test_all_quantities_on_a_network_that_knows_the_next_token() -> None:
    model = Model()
    options: dict[str, Any] = {"layers": ["blocks.1"], "quantities": "all", "unembedding": model.head}
    found = infoflow.profile(model, counting(), **options, max_codes=VOCABULARY + 1)
    quantities = ("prompt Rényi-2 entropy", "curvature", "LiDAR", "DiME", "InfoNCE", "Gaussian I(next;T)")
    assert {*quantities, "effective rank", "I(next;W)"} <= {*found.quantities}
    codes = found.codes
    assert codes is not None
    # The next token is a function of this one: both bounds are at the entropy of its code.
    counts = torch.bincount(codes.encode(torch.stack(counting())[:, :, 1:].flatten())).double()
    entropy = float(-torch.special.xlogy(counts / counts.sum(), counts / counts.sum()).sum())
    for name in ("V-information of next", "logit lens of next"):
        rows = found.select(name)
        assert rows["value"].tolist() == pytest.approx([entropy], abs=0.02)
        assert rows["ceiling"].tolist() == pytest.approx([entropy], abs=1e-9)
        assert set(rows["kind"]) == {"held-out lower bound"}
    # Steps between unit vectors e_k and e_(k+1): the cosine of two of them is -1/2.
    assert found.select("curvature")["value"].tolist() == pytest.approx([2 * math.pi / 3], abs=1e-3)
    assert found.select("curvature")["n"].tolist() == [12 * 16]


def test_quantities_that_do_not_apply_are_left_out_of_all_and_refused_by_name() -> None:
    network = nn.Sequential(nn.Linear(4, 80), nn.ReLU(), nn.Linear(80, 3))
    data = [(torch.randn(300, 4), torch.arange(300) % 3)]
    found = infoflow.profile(network, data, quantities="all")
    assert "V-information of class" in found.quantities
    assert not {"curvature", "LiDAR"} & {*found.quantities}
    for name in ("curvature", "views", "prompt-entropy", "logit-lens"):
        assert name in NAMES
        with pytest.raises(InvalidArgument, match=f"{name} requires"):
            infoflow.profile(network, data, quantities=name)
    with pytest.raises(InvalidArgument, match="probe requires labels"):
        infoflow.profile(network, [data[0][0]], quantities=["probe"])


def test_views_replace_the_stated_share_of_the_tokens_that_count() -> None:
    ids = torch.arange(4000).view(20, 200)
    used = torch.ones_like(ids, dtype=torch.bool)
    used[:, 150:] = False
    batch = Batch({"input_ids": ids, "attention_mask": used}, ids, used, None)
    for view, again in zip(views(batch), views(batch), strict=True):
        assert view.ids is not None
        changed = view.ids != ids
        assert float(changed[used].double().mean()) == pytest.approx(SHARE, abs=0.03)
        assert not changed[~used].any()
        assert isinstance(view.inputs, dict)
        assert torch.equal(view.inputs["input_ids"], view.ids)
        assert again.ids is not None
        assert torch.equal(view.ids, again.ids)


class Interrupted:
    """Batches that end with an interruption at the second time they are run through."""

    def __init__(self, batches: list[Tensor], at: int) -> None:
        self._batches, self._at, self._times = batches, at, 0

    def __iter__(self) -> Iterator[Any]:
        self._times += 1
        for number, batch in enumerate(self._batches):
            if self._times == 2 and number == self._at:
                raise KeyboardInterrupt
            yield batch


def test_an_interrupted_profile_continues_to_the_same_table(tmp_path: Path) -> None:
    model, path = Model(), tmp_path / "unfinished"
    with torch.no_grad():
        model.embedding.weight[4, 2] = math.nan
    options: dict[str, Any] = {"quantities": "all", "max_codes": 9, "unembedding": model.head, "layers": ["blocks.1"]}
    whole = infoflow.profile(model, counting(), **options)
    with pytest.raises(KeyboardInterrupt):
        infoflow.profile(model, Interrupted(counting(), 8), **options, checkpoint=path, save_every=3)
    assert path.exists()
    with pytest.raises(InvalidArgument, match="the first 6 batches must be those of the unfinished profile"):
        infoflow.profile(model, counting()[::-1], **options, checkpoint=path)
    with pytest.raises(InvalidArgument, match="seed must be 0 as in the unfinished profile"):
        infoflow.profile(model, counting(), **options, checkpoint=path, seed=1)
    calls = []
    model.register_forward_pre_hook(lambda *_: calls.append(1))
    continued = infoflow.profile(model, counting(), **options, checkpoint=path, save_every=3)
    assert len(calls) == 3 * (12 - 6)  # each batch and its two views
    assert continued.frame.equals(whole.frame)
    assert not path.exists()
    path.write_bytes(b"something else")
    with pytest.raises(BrokenStore):
        infoflow.profile(model, counting(), **options, checkpoint=path)


def test_what_was_accumulated_before_a_bad_batch_is_kept(tmp_path: Path) -> None:
    path, batches = tmp_path / "unfinished", counting()
    codes = infoflow.profile(Model(), batches).codes
    whole = infoflow.profile(Model(), batches, codes=codes)
    bad = [*batches[:7], torch.full((16, 20), VOCABULARY), *batches[8:]]
    with pytest.raises(InvalidArgument, match="cannot run on batch 7"):
        infoflow.profile(Model(), bad, codes=codes, checkpoint=path)
    continued = infoflow.profile(Model(), batches, codes=codes, checkpoint=path)
    assert continued.frame.equals(whole.frame)
