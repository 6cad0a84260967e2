"""The encoder and the discriminator of Deep InfoMax's tables."""

from __future__ import annotations

import pytest
import torch
from infoflow_reproductions.networks.alexnet import AlexNetEncoder
from infoflow_reproductions.networks.dcgan_discriminator import DCGANDiscriminator

from infoflow.core.errors import InvalidArgument


def test_the_larger_encoder_has_its_map_at_15_by_15() -> None:
    local, vector = AlexNetEncoder(width=1 / 8)(torch.zeros(2, 3, 64, 64))
    assert (local.shape, vector.shape) == ((2, 48, 15, 15), (2, 64))
    encoder = AlexNetEncoder()
    assert encoder.local(torch.zeros(1, 3, 64, 64)).shape == (1, 384, 15, 15)
    assert encoder.fc[1].in_features == 192 * 7 * 7
    assert encoder.fc[1].out_features == 4096
    with pytest.raises(InvalidArgument, match=r"^shape must be .* of at least 15 pixels each, got \(3, 12, 12\)"):
        AlexNetEncoder((3, 12, 12))


def test_the_discriminator_takes_images_with_vectors() -> None:
    judge = DCGANDiscriminator((3, 32, 32), widths=(4, 8), features=6)
    images = torch.randn(4, 3, 32, 32)
    assert judge(images, torch.zeros(4, 6)).shape == (4, 1)
    with pytest.raises(InvalidArgument, match=r"^vectors must be of shape \(4, 6\), got None"):
        judge(images)
