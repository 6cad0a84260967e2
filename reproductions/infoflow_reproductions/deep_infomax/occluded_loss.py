"""Figure 13: the InfoNCE loss of each local feature, given the vector of an image of which a part is occluded."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.objectives import DeepInfoMax
from infoflow.objectives.deep_infomax.encoding import encode
from infoflow.objectives.deep_infomax.occlusion import Occlusion
from infoflow_reproductions.deep_infomax.methods import scaled
from infoflow_reproductions.harness.figures import pack

FIELD, STRIDE, PADDING = 10, 4, 3
"""Receptive field of a local feature at 32×32 pixels: two convolutions of kernel 4, stride 2 and padding 1."""


def overlapping(hidden: Tensor) -> Tensor:
    """Return which locations of the 8×8 map have a receptive field that overlaps the occluded region.

    Parameters
    ----------
    hidden
        Booleans (n, 32, 32), true where an image is occluded.

    Returns
    -------
    Tensor
        Booleans (n, 8, 8).

    Examples
    --------
    >>> hidden = torch.zeros(1, 32, 32, dtype=torch.bool)
    >>> hidden[0, 0, 0] = True
    >>> overlapping(hidden).nonzero().tolist()
    [[0, 0, 0]]
    """
    return F.max_pool2d(hidden[:, None].float(), FIELD, STRIDE, PADDING)[:, 0] > 0


@torch.no_grad()
def losses(objective: DeepInfoMax, images: Tensor, seen: Tensor) -> Tensor:
    """Return the loss of every location of the whole images' maps, for the vectors of what is seen of them.

    Parameters
    ----------
    objective
        A local objective in evaluation mode.
    images
        Whole images (n, C, H, W) in [−1, 1]; each one's negatives are the locations of the others.
    seen
        The images from which the vectors are computed.

    Returns
    -------
    Tensor
        Minus the value of equation 5, of shape (n, height, width) of the map.
    """
    local, vector = encode(objective.encoder, images).map, encode(objective.encoder, seen).vector
    own, others = objective.local_critic.scores(local, vector)  # type: ignore[union-attr, operator]
    loss: Tensor = (torch.logaddexp(own, others.logsumexp(2)) - own).T.reshape(len(images), *local.shape[2:])
    return loss


def occluded_loss(objective: DeepInfoMax, x: Tensor, block: int, seed: int, device: str) -> dict[str, Any]:
    """Return mean losses inside and outside of the occluded region, and pictures of both.

    Parameters
    ----------
    objective
        A trained local objective.
    x
        Images (n, 3, 32, 32) of type uint8; at most 512 are taken.
    block
        Smallest side of the occluded block.
    seed
        Random seed of the occlusions.
    device
        Where the objective is.

    Returns
    -------
    dict
        "inside" and "outside" with occlusion, "inside, whole" and "outside, whole" at the same locations without, and
        "pairs", what the vector is computed from and the loss, without and with occlusion, of one scale of grays.
    """
    objective.eval()
    generator = torch.Generator().manual_seed(seed)
    images = scaled(x[:512].to(device))
    hidden = Occlusion(block).mask(len(images), (32, 32), generator).to(device)
    seen = images.masked_fill(hidden[:, None], 0.0)
    parts = [
        (losses(objective, whole, whole), losses(objective, whole, part))
        for whole, part in zip(torch.split(images, 64), torch.split(seen, 64), strict=True)
        if len(whole) > 1
    ]
    without, with_ = (torch.cat(each) for each in zip(*parts, strict=True))
    inside = overlapping(hidden)[: len(without)]
    found: dict[str, Any] = {
        "inside": float(with_[inside].mean()),
        "outside": float(with_[~inside].mean()),
        "inside, whole": float(without[inside].mean()),
        "outside, whole": float(without[~inside].mean()),
    }
    columns = [_gray(images[:5]), _map(without[:5], with_[:5]), _gray(seen[:5]), _map(with_[:5], without[:5])]
    found["pairs"] = pack(torch.stack(columns, 1))
    return found


def _gray(images: Tensor) -> Tensor:
    return images.add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8).cpu()


def _map(shown: Tensor, other: Tensor) -> Tensor:
    """Losses (n, 8, 8) as images of 32×32, lighter where higher; `other` belongs to the same scale."""
    low, high = min(float(shown.min()), float(other.min())), max(float(shown.max()), float(other.max()))
    levels = (shown - low) / max(high - low, 1e-9) * 255
    large = levels.round().to(torch.uint8).repeat_interleave(4, 1).repeat_interleave(4, 2)
    return large[:, None].expand(-1, 3, -1, -1).cpu()
