"""Profiles: points, batches, labels and rows; models of several libraries; truth on a network that copies its input."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import infoflow
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.profiles.labels import NONE, Codes, labeling
from infoflow.profiles.points import points
from infoflow.profiles.result import COLUMNS

LENGTH, VOCABULARY = 16, 40


def tokens(count: int = 4, seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(5, VOCABULARY, (8, LENGTH), generator=generator) for _ in range(count)]


class Blocks(nn.Module):
    """An embedding and blocks that leave it alone, as a residual stream does."""

    def __init__(self, blocks: int = 2, wide: int = 96) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.Embedding(VOCABULARY, wide)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Identity()) for _ in range(blocks))

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        state = self.embedding(input_ids)
        for block in self.blocks:
            state = block(state)
        return state


def test_layers_that_copy_their_input_have_equal_numbers_and_random_next_tokens_are_at_the_null() -> None:
    found = infoflow.profile(Blocks(), tokens(40), max_codes=16)
    assert found.layers == ["blocks.0:input", "blocks.0", "blocks.1"]
    current, following = found.select("I(current;W)"), found.select("I(next;W)")
    assert current["value"].nunique() == 1
    assert (current["value"] > 10 * current["null"].abs()).all()
    assert (following["value"] - following["null"]).abs().max() < 0.02
    assert (current["value"] <= current["ceiling"] + 1e-9).all()
    assert tuple(found.frame.columns) == COLUMNS
    assert current["n"].tolist() == [40 * 8 * LENGTH] * 3
    assert following["n"].tolist() == [40 * 8 * (LENGTH - 1)] * 3


def test_padding_and_special_tokens_are_left_out() -> None:
    ids = tokens(3)
    padded = [torch.cat([batch, torch.zeros(8, 5, dtype=torch.int64)], dim=1) for batch in ids]
    mask = torch.cat([torch.ones(8, LENGTH), torch.zeros(8, 5)], dim=1).long()
    plain = infoflow.profile(Blocks(), ids)
    other = infoflow.profile(Blocks(), [{"input_ids": batch, "attention_mask": mask} for batch in padded])
    assert other.frame["n"].tolist() == plain.frame["n"].tolist()
    assert other.frame["value"].tolist() == pytest.approx(plain.frame["value"].tolist(), abs=1e-6)
    special = (mask == 0).long()
    third = infoflow.profile(Blocks(), [{"input_ids": b, "special_tokens_mask": special} for b in padded])
    assert third.frame["n"].tolist() == plain.frame["n"].tolist()


def test_a_constant_offset_changes_nothing_and_a_seed_changes_the_references() -> None:
    model = Blocks()
    before = infoflow.profile(model, tokens(), quantities="soft-entropy")
    with torch.no_grad():
        model.embedding.weight += 50.0
    after = infoflow.profile(model, tokens(), quantities="soft-entropy")
    assert after.frame["value"].tolist() == pytest.approx(before.frame["value"].tolist(), abs=1e-3)
    other = infoflow.profile(model, tokens(), seed=1)
    assert other.select("H(W)")["value"][0] != after.select("H(W)")["value"][0]


def test_the_model_and_the_random_state_are_as_before() -> None:
    model = Blocks().train()
    state = torch.get_rng_state()
    infoflow.profile(model, tokens())
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_classes_of_pictures_and_of_features() -> None:
    torch.manual_seed(0)
    y = torch.arange(600) % 3
    x = 4 * nn.functional.one_hot(y, 3).float() + 0.1 * torch.randn(600, 3)
    network = nn.Sequential(nn.Linear(3, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 3))
    found = infoflow.profile(network, list(zip(x.split(100), y.split(100), strict=True)))
    rows = found.select("I(class;W)")
    assert rows["layer"].tolist() == ["1", "3"]
    assert (rows["value"] > 0.5).all()
    assert (rows["value"] <= math.log(3) + 1e-9).all()
    convolutional = nn.Sequential(nn.Conv2d(1, 80, 3), nn.ReLU(), nn.Flatten(), nn.Linear(80 * 36, 3))
    pictures = infoflow.profile(convolutional, [(torch.randn(30, 1, 8, 8), torch.arange(30) % 3)] * 3)
    assert pictures.select("I(class;W)")["n"].tolist() == [90]


def test_codes_are_fixed_and_shared_between_checkpoints() -> None:
    first = infoflow.profile(Blocks(), tokens(40))
    assert first.codes is not None
    second = infoflow.profile(Blocks(), iter(tokens(4)), codes=first.codes)
    assert second.codes is first.codes
    codes = Codes(torch.tensor([9, 2, 30]))
    assert codes.encode(torch.tensor([[2, 9], [30, 7]])).tolist() == [[1, 0], [2, 3]]
    labels = labeling("next", codes).of(next(infoflow.profiles.read([torch.tensor([[2, 9, 7]])], Blocks())))
    assert labels["next"].tolist() == [[0, 3, NONE]]


def test_own_labels_of_tokens() -> None:
    found = infoflow.profile(Blocks(), tokens(10), {"parity": lambda ids: ids % 2})
    assert found.select("I(parity;W)")["ceiling"].max() <= math.log(2) + 1e-9
    with pytest.raises(InvalidArgument, match="labels 'parity' must be integers"):
        infoflow.profile(Blocks(), tokens(1), {"parity": lambda ids: ids.float()})


def test_points_of_a_transformer() -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    assert [point.name for point in points(encoder, "mlp")] == ["layers.0.linear2", "layers.1.linear2"]
    assert [point.name for point in points(encoder, ["layers.1:input", "layers.1"])] == ["layers.1:input", "layers.1"]
    with pytest.raises(UnknownName, match="layers.7"):
        points(encoder, ["layers.7"])
    with pytest.raises(UnknownName, match="Did you mean 'blocks'"):
        points(encoder, "block")
    with pytest.raises(InvalidArgument, match="a group that the model has"):
        points(nn.Linear(2, 2), "attention")


def test_sequences_first_and_features_without_labels() -> None:
    layer = nn.TransformerEncoderLayer(80, 2, 32)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    found = infoflow.profile(encoder, [(torch.randn(LENGTH, 6, 80), torch.arange(6) % 2)] * 4)
    assert found.select("I(class;W)")["n"].tolist() == [24] * 3


# At most four lines each, from a configuration to the profile of a random model.
IN_FOUR_LINES = {
    "BERT": """\
config = transformers.BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
batches = [{"input_ids": ids, "attention_mask": torch.ones_like(ids)} for ids in tokens]
found = infoflow.profile(transformers.BertModel(config), batches)""",
    "GPT-2": """\
config = transformers.GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=40, bos_token_id=0, eos_token_id=0)
batches = [{"input_ids": ids, "labels": ids} for ids in tokens]
found = infoflow.profile(transformers.GPT2LMHeadModel(config), batches)""",
    "Llama": """\
size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
model = transformers.LlamaModel(transformers.LlamaConfig(**size, vocab_size=40)).bfloat16()
found = infoflow.profile(model, tokens)""",
    "Mamba": """\
config = transformers.MambaConfig(vocab_size=40, hidden_size=32, num_hidden_layers=2, state_size=4)
found = infoflow.profile(transformers.MambaModel(config), tokens)""",
    "ViT": """\
size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
model = transformers.ViTModel(transformers.ViTConfig(**size, image_size=8, patch_size=4))
batches = [{"pixel_values": torch.randn(6, 3, 8, 8), "labels": torch.arange(6) % 2} for _ in range(2)]
found = infoflow.profile(model, batches)""",
    "torch": """\
encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 2, 32, batch_first=True), 2)
found = infoflow.profile(nn.Sequential(nn.Embedding(40, 32), encoder), tokens)""",
}


@pytest.mark.parametrize("name", IN_FOUR_LINES)
def test_random_models_are_profiled_in_at_most_four_lines(name: str) -> None:
    names: dict[str, object] = {"torch": torch, "nn": nn, "infoflow": infoflow, "tokens": tokens(2)}
    if name != "torch":
        names["transformers"] = pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(0)
    code = IN_FOUR_LINES[name]
    assert len(code.splitlines()) <= 4
    exec(code, names)  # noqa: S102
    found = names["found"]
    assert isinstance(found, infoflow.profiles.Profile)
    assert len(found.layers) == 3
    assert found.frame["value"].notna().all()
    rows = found.select("I(class;W)" if name == "ViT" else "I(next;W)")
    assert rows["n"].tolist() == [12 if name == "ViT" else 2 * 8 * (LENGTH - 1)] * 3
    assert (rows["value"] <= rows["ceiling"] + 1e-9).all()


def test_values_that_are_not_finite_are_counted_and_named() -> None:
    model = Blocks()
    batches = tokens(6)
    batches[4][0, :3] = 3  # a token that no other row has
    with torch.no_grad():
        model.embedding.weight[3] = math.nan
    found = infoflow.profile(model, batches)
    first = found.frame.iloc[0]
    assert any("3 rows of layer 'blocks.0:input'" in text and "batch 4" in text for text in first["warnings"])
    assert first["n"] == 6 * 8 * LENGTH - 3


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([], "at least one batch"),
        ([{"pixels": torch.ones(2, 3)}], "arguments of the model"),
        ([{"input_ids": torch.ones(2, 3).long(), "attention_mask": torch.ones(2, 4)}], "of the shape of input_ids"),
        ([torch.zeros(0, 4).long()], "at least one sample"),
        ([(1, 2, 3)], "a pair"),
        (["text"], "a tensor, a pair"),
        ([torch.full((2, 3), VOCABULARY)], "cannot run on batch 0"),
    ],
)
def test_bad_batches_are_one_clear_line(batches: list[object], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        infoflow.profile(Blocks(), batches)


def test_other_bad_input() -> None:
    with pytest.raises(InvalidArgument, match="run through twice"):
        infoflow.profile(Blocks(), iter(tokens()))
    with pytest.raises(UnknownName, match="Did you mean 'covariance'"):
        infoflow.profile(Blocks(), tokens(), quantities="covarianc")
    with pytest.raises(UnknownName, match="label"):
        infoflow.profile(Blocks(), tokens(), "previous")

    class Twice(Blocks):
        def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
            return self.blocks[0](self.blocks[0](self.embedding(input_ids)))

    with pytest.raises(InvalidArgument, match="runs once in a forward pass"):
        infoflow.profile(Twice(), tokens(1))


def test_figure_page_and_table(tmp_path: Path) -> None:
    found = infoflow.profile(Blocks(), tokens())
    axes = found.plot()
    assert [text.get_text() for text in axes.get_xticklabels()] == found.layers
    assert axes.get_ylim()[0] <= 0
    assert found.plot(axes) is axes
    found.to_csv(tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text(encoding="utf-8").startswith("layer,depth,quantity")
    renamed = infoflow.profiles.Profile(found.frame.replace({"layer": {"blocks.1": "<script>alert(1)</script>"}}))
    renamed.report(tmp_path / "page.html", title="<b>title</b>")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;b&gt;title" in page
    assert page.count("<svg") == len(found.quantities)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    with pytest.raises(UnknownName, match="quantity"):
        found.select("I(X;T)")
    assert "3 layers" in repr(found)
    assert len(found.to_dict()) == len(found)
