"""Bad input of each kind ends in one clear line, and what was accumulated before it is kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import infoflow
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.profiles import Codes, documents, windows

VOCABULARY, WIDE = 30, 70


def ids(length: int = 12, seed: int = 0) -> Tensor:
    return torch.randint(VOCABULARY, (8, length), generator=torch.Generator().manual_seed(seed))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(VOCABULARY, WIDE)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(WIDE, WIDE), nn.Tanh()) for _ in range(2))
        self.unused = nn.Linear(WIDE, WIDE)

    def forward(
        self,
        input_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Tensor:
        state = self.embedding(input_ids) if inputs_embeds is None else inputs_embeds
        for block in self.blocks:
            state = block(state)
        return state


def refused(message: str, batches: Any, *arguments: Any, **named: Any) -> None:
    with pytest.raises(InvalidArgument, match=message) as error:
        infoflow.profile(Model(), batches, *arguments, **named)
    assert "\n" not in str(error.value)


def test_an_empty_loader() -> None:
    refused("^batches must be at least one batch, got none", [])
    refused("^batches must be at least one batch", torch.utils.data.DataLoader([]))


def test_batches_without_ids() -> None:
    batches = [{"inputs_embeds": torch.randn(8, 12, WIDE)} for _ in range(3)]
    refused("^batches must be with input_ids for the label 'next'", batches, "next")
    refused("^batches must be with input_ids for the label 'parity'", batches, {"parity": lambda tokens: tokens % 2})
    found = infoflow.profile(Model(), batches)  # what needs no label is measured, and says so
    assert all("neither token ids nor labels" in texts[-1] for texts in found.frame["warnings"])
    refused("^batch 0 must be a mapping with arguments of the model", [{"pixels": torch.ones(2, 3)}])


def test_a_mask_of_another_shape() -> None:
    refused(
        r"^attention_mask of batch 1 must be of the shape of input_ids, \(8, 12\), got shape \(8, 11\)",
        [{"input_ids": ids()}, {"input_ids": ids(), "attention_mask": torch.ones(8, 11)}],
    )
    refused("masks that leave every token out", [{"input_ids": ids(), "attention_mask": torch.zeros(8, 12)}])


def test_sequences_of_one_token() -> None:
    refused("^sequences must be of two tokens or more for the label 'next', got one", [ids(1)] * 3)
    found = infoflow.profile(Model(), [ids(1)] * 3, "current")
    assert found.select("I(current;W)")["n"].tolist() == [24] * 3
    mixed = infoflow.profile(Model(), [ids(1), ids(12), ids(1)])  # those of one token have no next
    assert mixed.select("I(next;W)")["n"].tolist() == [8 * 11] * 3


def test_activations_that_are_not_finite() -> None:
    model, batches = Model(), [ids(seed=seed) for seed in range(4)]
    batches[2][0, :5], batches[2][1:] = 29, batches[2][1:].clamp_max(28)
    for place in (0, 1, 3):
        batches[place].clamp_(max=28)
    with torch.no_grad():
        model.embedding.weight[29, 3] = math.inf
    found = infoflow.profile(model, batches)
    rows = found.frame[found.frame["layer"] == "blocks.0:input"]
    expected = "5 rows of layer 'blocks.0:input' hold NaN or infinite activations, the first in batch 2"
    assert all(texts[-1].startswith(expected) for texts in rows["warnings"])
    assert rows["n"].iloc[0] == 4 * 8 * 12 - 5
    assert rows["value"].notna().all()


def test_a_layer_without_any_finite_row_stays_in_the_table() -> None:
    model = Model()
    with torch.no_grad():
        model.blocks[1][0].weight[:] = math.nan
    found = infoflow.profile(model, [ids()] * 3)
    (row,) = found.frame[found.frame["layer"] == "blocks.1"].itertuples()
    assert (row.quantity, row.value, row.n) == ("finite rows", 0.0, 0)
    assert "288 rows of layer 'blocks.1' hold NaN or infinite activations, the first in batch 0" in row.warnings[0]
    assert found.select("I(current;W)")["layer"].tolist() == ["blocks.0:input", "blocks.0"]


def test_points_without_hidden_states() -> None:
    with pytest.raises(UnknownName, match=r"unknown layer 'blocks\.7'"):
        infoflow.profile(Model(), [ids()], layers=["blocks.7"])
    refused("^layer 'unused' must be a module that runs once in every forward pass", [ids()], layers=["unused"])


def test_labels_beyond_the_codes() -> None:
    soft = infoflow.estimators.SoftEntropy().accumulator(dimensions=WIDE, classes={"token": 4})
    with pytest.raises(InvalidArgument, match=r"^labels\['token'\] must be smaller than the number of classes \(4\)"):
        soft.update(torch.randn(6, WIDE), {"token": torch.arange(6)})
    refused(r"^labels\['own'\] must be smaller than 131072, got", [ids()], {"own": lambda tokens: tokens + 10**6})
    # Tokens beyond the codes share the last one.
    found = infoflow.profile(Model(), [ids()], "current", codes=Codes(torch.arange(3)))
    assert found.select("I(current;W)")["ceiling"].max() <= math.log(4) + 1e-9


def test_a_text_that_is_empty_or_binary(tmp_path: Path) -> None:
    for content, message in (
        (b" \n\n ", "holds no text"),
        (b"\x89PNG\r\n\x1a\n", "no text in UTF-8"),
        (b"a\0", "zero"),
    ):
        (tmp_path / "text").write_bytes(content)
        with pytest.raises(InvalidArgument, match=message):
            documents(tmp_path / "text")
    with pytest.raises(InvalidArgument, match="at least one window of two tokens"):
        windows(["a", "b"], lambda text: [0])


def test_what_was_accumulated_is_kept(tmp_path: Path) -> None:
    """A batch that the model cannot run on ends the pass; the same call continues there once it is repaired."""
    model, path = Model(), tmp_path / "unfinished"
    good = [ids(seed=seed) for seed in range(4)]
    broken = [*good[:3], torch.full((8, 12), VOCABULARY)]
    with pytest.raises(InvalidArgument, match="cannot run on batch 3"):
        infoflow.profile(model, broken, codes=Codes(torch.arange(9)), checkpoint=path)
    assert path.exists()
    calls = []
    handle = model.register_forward_hook(lambda *_: calls.append(1))
    found = infoflow.profile(model, good, codes=Codes(torch.arange(9)), checkpoint=path)
    handle.remove()
    whole = infoflow.profile(model, good, codes=Codes(torch.arange(9)))
    assert len(calls) == 1
    assert found.frame["value"].tolist() == pytest.approx(whole.frame["value"].tolist(), abs=1e-12)
