"""The paper's small CNN: shapes, sizes, seeds and invalid arguments."""

from __future__ import annotations

import pytest
import torch
from infoflow_reproductions.networks.small_cnn import SmallCNN

from infoflow.core.errors import InvalidArgument


@pytest.mark.parametrize(
    ("image", "parameters"),
    # conv1 (25 C + 1)·10, conv2 (250 + 1)·20, fc1 (20 s² + 1)·50, fc2 510; s = 4 and 5
    [((1, 28), 260 + 5020 + 16050 + 510), ((3, 32), 760 + 5020 + 25050 + 510)],
)
def test_it_has_the_papers_layers(image: tuple[int, int], parameters: int) -> None:
    network = SmallCNN(image)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    channels, side = image
    assert network(torch.zeros(3, channels, side, side)).shape == (3, 10)
    assert [name for name, _ in network.named_children()][:3] == ["conv1", "pool1", "relu1"]


def test_parameters_depend_on_the_seed_alone() -> None:
    before = torch.get_rng_state()
    one, same, other = SmallCNN(seed=1), SmallCNN(seed=1), SmallCNN(seed=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one.conv2.weight, same.conv2.weight)
    assert not torch.equal(one.conv2.weight, other.conv2.weight)


def test_invalid_arguments_are_rejected() -> None:
    assert SmallCNN((1, 16))(torch.zeros(1, 1, 16, 16)).shape == (1, 10)
    for argument, make in {
        "image": lambda: SmallCNN((1, 15)),
        "classes": lambda: SmallCNN(classes=1),
        "x": lambda: SmallCNN()(torch.zeros(2, 784)),
    }.items():
        with pytest.raises(InvalidArgument) as error:
            make()
        assert error.value.argument == argument
    with pytest.raises(InvalidArgument, match=r"^image must"):
        SmallCNN(28)
