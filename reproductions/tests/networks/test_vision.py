"""torchvision's networks for 32×32 images, and their changes."""

from __future__ import annotations

import sys

import pytest
import torch
from infoflow_reproductions.networks.vision import ADAPTATIONS, vision_network
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument, MissingExtra, UnknownName

# Side of the last map of 32×32 images.
SIDES = {"resnet18": 4, "densenet121": 4, "googlenet": 8, "mobilenet_v2": 4, "efficientnet_b0": 4, "shufflenet_v2": 4}


def side_before_pooling(network: nn.Module) -> int:
    sides: list[int] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            sides.append(output.shape[-1])

    handles = [module.register_forward_hook(note) for module in network.modules()]

    with torch.no_grad():
        network.eval()(torch.zeros(2, 3, 32, 32))
    for handle in handles:
        handle.remove()
    return sides[-1]


@pytest.mark.parametrize("name", sorted(ADAPTATIONS))
def test_small_stems_leave_a_larger_last_map(name: str) -> None:
    models = pytest.importorskip("torchvision.models", reason="torchvision is not installed (extra 'vision')")
    assert side_before_pooling(vision_network(name)) == SIDES[name]
    plain = vision_network(name, stem="imagenet")
    assert side_before_pooling(plain) == 1
    original = {"shufflenet_v2": "shufflenet_v2_x1_0"}.get(name, name)
    options = {"aux_logits": False, "init_weights": True} if name == "googlenet" else {}
    theirs = getattr(models, original)(num_classes=10, **options)
    assert {k: v.shape for k, v in plain.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}


@pytest.mark.parametrize("name", sorted(ADAPTATIONS))
def test_networks_train_and_depend_on_their_seed(name: str) -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed (extra 'vision')")
    before = torch.get_rng_state()
    network, same, other = (vision_network(name, 7, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    ours, theirs, others = (torch.cat([p.detach().flatten() for p in n.parameters()]) for n in (network, same, other))
    assert torch.equal(ours, theirs)
    assert not torch.equal(ours, others)
    logits = network(torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    assert logits.shape == (4, 7)
    logits.square().sum().backward()
    assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in network.parameters())


def test_without_torchvision_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(MissingExtra, match=r"pip install 'infoflow\[vision\]'"):
        vision_network("resnet18")


def test_unknown_names_and_numbers_out_of_range_raise() -> None:
    with pytest.raises(UnknownName, match="'mobilenet_v2'"):
        vision_network("mobilenet_v3")
    with pytest.raises(UnknownName, match="stem"):
        vision_network("resnet18", stem="big")
    with pytest.raises(InvalidArgument, match="classes"):
        vision_network("resnet18", 1)
