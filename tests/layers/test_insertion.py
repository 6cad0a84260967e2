"""Information dropout inserted into networks that exist: the same outputs without noise, and reversible."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.layers import (
    information_cost,
    insert_information_dropout,
    noise,
    remove_information_dropout,
    stochastic_layers,
)


class Residual(nn.Module):
    """Convolution, normalization and activation in the order of ResNets, with a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1, self.relu1 = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
        self.conv2, self.bn2, self.relu2 = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu1(self.bn1(self.conv1(x)))
        x = self.relu2(self.bn2(self.conv2(x)) + x)
        return self.fc(x.mean((2, 3)))


def network(kind: str) -> tuple[nn.Module, Tensor, list[str]]:
    torch.manual_seed(0)
    if kind == "residual":
        return Residual(), torch.randn(6, 3, 8, 8), ["relu1", "relu2"]
    if kind == "mlp":
        return nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)), torch.randn(6, 4), ["1"]
    if kind == "resnet18":
        models = pytest.importorskip("torchvision.models", reason="torchvision is not installed")
        model = models.resnet18(num_classes=3)
        return model, torch.randn(2, 3, 64, 64), ["relu", "layer1.0.bn2", "layer4.1.conv2"]
    if kind == "vit":
        models = pytest.importorskip("torchvision.models", reason="torchvision is not installed")
        sizes = {"image_size": 16, "patch_size": 8, "num_layers": 2, "num_heads": 2, "hidden_dim": 8, "mlp_dim": 16}
        model = models.VisionTransformer(**sizes, num_classes=3)
        nn.init.normal_(model.heads.head.weight)  # torchvision's zeros would hide every change
        layers = [f"encoder.layers.encoder_layer_{k}.{name}" for k, name in ((0, "mlp.1"), (1, "ln_2"))]
        return model, torch.randn(4, 3, 16, 16), layers
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    model = nn.Sequential(nn.Linear(12, 8), encoder, nn.Flatten(), nn.Linear(40, 3))
    return model, torch.randn(6, 5, 12), ["1.layers.0.linear2", "1.layers.1.norm2"]


@pytest.mark.filterwarnings("ignore:prior")
@pytest.mark.parametrize("kind", ["residual", "mlp", "transformer", "resnet18", "vit"])
def test_without_noise_the_network_is_unchanged_and_with_it_trains(kind: str) -> None:
    model, x, layers = network(kind)
    before, parameters = model.eval()(x), {name: value.clone() for name, value in model.named_parameters()}
    assert insert_information_dropout(model, layers, example=x) == layers
    assert list(stochastic_layers(model)) == layers
    assert torch.allclose(model(x), before, atol=1e-6)
    with noise(model, True):
        assert not torch.allclose(model(x), before, atol=1e-3)
        assert not torch.equal(model(x), model(x))
    (model.train()(x).square().sum() + information_cost(model).sum()).backward()
    branches = [value for name, value in model.named_parameters() if ".branch." in name]
    assert branches
    assert all(value.grad is not None for value in branches)
    assert remove_information_dropout(model) == layers
    assert not stochastic_layers(model)
    after = dict(model.named_parameters())
    assert after.keys() == parameters.keys()
    assert all(torch.equal(after[name], value) for name, value in parameters.items())


def test_auto_takes_activations_that_run_once() -> None:
    model, x, layers = network("residual")
    assert insert_information_dropout(model, example=x) == layers
    with pytest.raises(InvalidArgument, match="no activation module runs once"):
        insert_information_dropout(nn.Sequential(nn.Linear(4, 2)), example=torch.randn(2, 4))


@pytest.mark.filterwarnings("ignore:prior")
def test_what_cannot_be_replaced_is_named_and_nothing_changes() -> None:
    model, x, _ = network("residual")
    model.relu2 = model.relu1
    with pytest.raises(InvalidArgument, match=r"layer 'relu1' must be a module that runs once"):
        insert_information_dropout(model, ["conv1", "relu1"], example=x)
    with pytest.raises(UnknownName, match="conv1"):
        insert_information_dropout(model, ["conv_1"], example=x)
    assert not stochastic_layers(model)
