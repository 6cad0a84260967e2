"""Two layers on one grid, whatever their shape; held against torch's own interpolation."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.objectives.information_flow.features import align, features, layout_of, nearest, width_of


def spread(values: torch.Tensor, grid: tuple[int, ...], mode: str) -> torch.Tensor:
    return F.interpolate(values, grid, mode=mode).flatten(2).mT


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize(("few", "many"), [((2,), (5,)), ((3, 2), (7, 6)), ((4, 4), (8, 8)), ((2, 1, 3), (4, 3, 5))])
def test_spreading_by_index_is_interpolation(mode: str, few: tuple[int, ...], many: tuple[int, ...]) -> None:
    coarse = torch.randn(2, 3, *few)
    index = nearest(few, many, exact=mode == "nearest-exact")
    assert torch.equal(coarse.flatten(2).mT[:, index], spread(coarse, many, mode))


def test_linear_upsampling_is_bilinear() -> None:
    fine, coarse = torch.randn(2, 3, 8, 8), torch.randn(2, 5, 4, 4)
    pair = align(features(fine, "a", "tokens"), features(coarse, "b", "tokens"), "linear")
    wanted = F.interpolate(coarse, (8, 8), mode="bilinear", align_corners=False).flatten(2).mT
    torch.testing.assert_close(pair.y[:, pair.y_index], wanted)
    assert torch.equal(pair.x[:, pair.x_index], fine.flatten(2).mT)


def test_the_coarser_layer_may_come_first() -> None:
    fine, coarse = torch.randn(2, 3, 4, 4), torch.randn(2, 5, 2, 2)
    pair = align(features(coarse, "a", "tokens"), features(fine, "b", "tokens"))
    assert torch.equal(pair.x[:, pair.x_index], spread(coarse, (4, 4), "nearest"))
    assert torch.equal(pair.y[:, pair.y_index], fine.flatten(2).mT)


def test_vectors_sequences_and_tokens() -> None:
    maps, vector, tokens = torch.randn(2, 3, 4, 4), torch.randn(2, 7), torch.randn(2, 16, 5)
    pair = align(features(maps, "a", "tokens"), features(vector, "b", "tokens"))
    assert pair.locations == 16
    assert torch.equal(pair.y[:, pair.y_index], vector[:, None].expand(-1, 16, -1))
    pair = align(features(maps, "a", "tokens"), features(tokens, "b", "tokens"))
    assert torch.equal(pair.y[:, pair.y_index], tokens)
    pair = align(features(torch.randn(2, 5, 8), "a", "channels"), features(torch.randn(2, 5, 4), "b", "channels"))
    assert pair.y_index.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_what_cannot_be_aligned_is_said() -> None:
    def of(*shape: int) -> torch.Tensor:
        return torch.zeros(shape)

    with pytest.raises(InvalidArgument, match="^Layers 'a' and 'b' must"):
        align(features(of(2, 3, 4, 4), "a", "tokens"), features(of(4, 3, 4, 4), "b", "tokens"))
    with pytest.raises(InvalidArgument, match="^Layers 'a' and 'b' must"):
        align(features(of(2, 3, 4, 2), "a", "tokens"), features(of(2, 3, 2, 4), "b", "tokens"))
    with pytest.raises(InvalidArgument, match="^Layers 'a' and 'b' must"):
        align(features(of(2, 3, 4, 4), "a", "tokens"), features(of(2, 5, 8), "b", "tokens"))
    with pytest.raises(InvalidArgument, match="^the output of layer 'a' must"):
        features({}, "a", "tokens")
    with pytest.raises(InvalidArgument, match="^the output of layer 'a' must"):
        features(of(3), "a", "tokens")


def test_widths_are_found_where_layers_tell_them() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 5)
    )
    assert [width_of(model, str(i)) for i in range(6)] == [8, 8, 8, 8, None, 5]
    assert width_of(model, "input") == 3
    block = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    assert width_of(nn.Sequential(block), "0") == 16
    assert layout_of(nn.Sequential(block), "auto") == "tokens"
    assert layout_of(nn.Sequential(nn.Conv1d(1, 1, 1)), "auto") == "channels"
