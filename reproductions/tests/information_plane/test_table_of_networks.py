"""The networks of Table I: activations, widths and training methods, against the review's text."""

from __future__ import annotations

import pytest
from infoflow_reproductions.information_plane import ROWS
from infoflow_reproductions.information_plane.networks import VISION, build
from infoflow_reproductions.information_plane.recipe import Variant
from infoflow_reproductions.information_plane.rows import saxe
from torch import nn

ROW = {row.name: row for row in ROWS}


def variants(row: str) -> list[Variant]:
    return [*ROW[row].recipes["full"].variants]


@pytest.mark.parametrize(
    ("row", "activations"),
    [
        ("balda", {"relu", "sigmoid", "tanh"}),
        ("chelombiev", {"tanh", "relu"}),
        ("darlow", {"leaky_relu"}),
        ("elad", {"tanh", "relu"}),
        ("fang", {"relu"}),
        ("goldfeld", {"tanh", "relu"}),
        ("jonsson", {"relu"}),
        ("noshad", {"tanh", "relu"}),
        ("shwartz-ziv", {"tanh"}),
        ("wickstrom", {"tanh", "relu"}),
        ("yu", {"sigmoid"}),
    ],
)
def test_activations_are_those_of_the_table(row: str, activations: set[str]) -> None:
    assert {name for one in variants(row) for name in one.activation} == activations


@pytest.mark.parametrize(
    ("row", "widths"),
    [
        ("saxe", (1024, 20, 20, 20)),  # III-A and III-B
        ("fang", (1024, 256, 128)),  # III-B
        ("elad", (512, 512)),  # III-C
        ("wickstrom", (1000, 20, 20, 20)),  # III-D
        ("noshad", (1024, 20, 20, 20)),  # III-E
        ("noshad", (200, 100, 60, 30)),
        ("schiemer", (12, 3, 2, 12, 2, 2)),  # III-A: the third hidden layer has fewer units than the fourth
    ],
)
def test_widths_are_those_of_the_text(row: str, widths: tuple[int, ...]) -> None:
    assert widths in {one.widths for one in variants(row) if one.network == "mlp"}


def test_gradient_descent_has_no_state_and_the_whole_training_set_in_a_batch() -> None:
    whole, batches = (next(one for one in variants("saxe") if one.name == name) for name in (saxe.WHOLE, saxe.BATCHES))
    for one in (whole, batches):
        assert (one.optimizer, one.momentum, one.weight_decay) == ("sgd", 0.0, 0.0)
    assert whole.learning_rate == batches.learning_rate
    assert whole.batch_size == int(0.8 * 4096) > batches.batch_size


@pytest.mark.parametrize("network", ["cnn-deep", "resnet18"])
def test_leaky_networks_have_no_other_activation(network: str) -> None:
    if network in VISION:
        pytest.importorskip("torchvision", reason="torchvision is not installed (extra 'vision')")
    built = build(Variant("leaky", network=network, activation=("leaky_relu",)), (3, 32), 10, [0])
    kinds = {type(module) for module in built.modules()}
    assert nn.LeakyReLU in kinds
    assert nn.ReLU not in kinds
