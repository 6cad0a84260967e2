"""The tasks can be solved exactly when the map holds the place, and not at all when it doesn't."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.objectives import AbsoluteCoordinates, CoordinateTask, Encoding, RelativeCoordinates

SIZES = (3, 4)


def maps(n: int, informative: bool) -> Encoding:
    place = torch.eye(12).reshape(12, *SIZES) if informative else torch.ones(12, *SIZES)
    return Encoding(place.expand(n, -1, -1, -1), torch.zeros(n, 2))


def trained(task: CoordinateTask, encoding: Encoding) -> float:
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(task.parameters(), 1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        loss: Tensor = task(encoding)
        loss.backward()
        optimizer.step()
    return loss.item()


@pytest.mark.parametrize("kind", [AbsoluteCoordinates, RelativeCoordinates])
def test_a_map_that_holds_the_place_answers_exactly(kind: type) -> None:
    assert trained(kind(12, 2, SIZES, units=32), maps(32, True)) < 0.05


def test_without_the_place_its_entropy_is_left() -> None:
    loss = trained(AbsoluteCoordinates(12, 2, SIZES, units=32), maps(8, False))
    assert loss == pytest.approx(math.log(3) + math.log(4), abs=0.02)


def test_the_targets_are_rows_columns_and_their_differences() -> None:
    task = RelativeCoordinates(1, 1, SIZES, units=4)
    places = torch.tensor([[0, 5, 11]])
    rows, columns = task._coordinates(places)
    assert rows.tolist() == [[0, 1, 2]]
    assert columns.tolist() == [[0, 1, 3]]
    assert task.classes == [5, 7]
    asked: list[Tensor] = []
    task._drawn = lambda n, device: places  # type: ignore[method-assign]
    task._cross_entropy = lambda hidden, targets: asked.extend(targets) or hidden.sum()  # type: ignore[assignment,func-returns-value]
    task(Encoding(torch.zeros(1, 1, *SIZES), torch.zeros(1, 1)))
    # Appendix A.6: one source, 0, against all targets, 5 and 11: source − target.
    assert (asked[0] - 2).tolist() == [[-1, -2]]
    assert (asked[1] - 3).tolist() == [[-1, -3]]


@pytest.mark.parametrize("kind", [AbsoluteCoordinates, RelativeCoordinates])
def test_the_perceptron_is_that_of_appendix_a6(kind: type[CoordinateTask]) -> None:
    """Two hidden layers of 512 units, each with batch normalization and ReLU."""
    task = kind(8, 6, (8, 8))
    layers = [type(layer).__name__ for layer in (task.first, *task.rest)]
    assert layers == ["Linear", "BatchNorm1d", "ReLU", "Linear", "BatchNorm1d", "ReLU", "Linear"]
    assert task.first.out_features == task.rest[2].out_features == 512


def test_every_target_is_predicted_from_one_source_of_each_map() -> None:
    task = RelativeCoordinates(1, 1, SIZES, units=4)
    asked: list[Tensor] = []
    task._cross_entropy = lambda hidden, targets: asked.extend(targets) or hidden.sum()  # type: ignore[assignment,func-returns-value]
    task(Encoding(torch.zeros(20, 1, *SIZES), torch.zeros(20, 1)))
    rows, columns = asked[0] - 2, asked[1] - 3
    assert rows.shape == (20, 11)
    for row, column in zip(rows, columns, strict=True):
        pairs = {(int(i), int(j)) for i, j in zip(row, column, strict=True)}
        assert len(pairs) == 11
        assert (0, 0) not in pairs


def test_maps_of_another_size() -> None:
    with pytest.raises(InvalidArgument, match="^the output of the encoder must"):
        AbsoluteCoordinates(12, 2, SIZES)(Encoding(torch.zeros(2, 12, 4, 4), torch.zeros(2, 2)))
    with pytest.raises(InvalidArgument, match=r"^locations must be at least 2 for a distance, got 1"):
        RelativeCoordinates(12, 2, SIZES, locations=1)
    with pytest.raises(InvalidArgument, match=r"^sizes must be the spatial sizes of the map, got \(\)"):
        AbsoluteCoordinates(12, 2, ())


def test_fewer_places_are_different_ones() -> None:
    drawn = AbsoluteCoordinates(1, 1, SIZES, locations=5)._drawn(50, torch.device("cpu"))
    assert drawn.shape == (50, 5)
    assert all(len(set(row.tolist())) == 5 for row in drawn)
