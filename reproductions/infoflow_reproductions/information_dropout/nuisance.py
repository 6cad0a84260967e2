"""How much a representation still tells about what the task doesn't need: a small network trained to read it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from infoflow.models import MLP
from infoflow.training import Fit, Optimizer, Player, fit
from infoflow_reproductions.harness.trial import Context
from infoflow_reproductions.information_dropout.pictures import Pictures
from infoflow_reproductions.information_dropout.training import noisy_representation

_HIDDEN = 128
_EPOCHS = 8
_BATCH = 100
# Each image with this many draws of the noise, so that the head can't learn one draw by heart.
_DRAWS = 2


def nuisance_accuracy(network: Any, parts: Pictures, seed: int, context: Context) -> float:
    """Test accuracy (per cent) of a two-layer network that is trained to tell the nuisance from the noisy
    representation z = `network.representation(x)`, while the network stays as it is.

    Training and test images are seen through the noise. A lower bound on what z tells: a stronger reader might tell
    more.
    """
    seeds = [1_000 * (seed + 1) + draw for draw in range(_DRAWS + 1)]
    z = torch.cat([noisy_representation(network, parts.train.x, each, context) for each in seeds[:-1]])
    labels = parts.train.factors["nuisance"].repeat(_DRAWS)
    unseen = noisy_representation(network, parts.test.x, seeds[-1], context)
    mean, std = z.mean(0), z.std(0).clamp_min(1e-6)
    head: nn.Module = MLP([z.shape[1], _HIDDEN, 10], "relu", seed=seed)

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(head(x), y)

    fit(
        Player(head, loss),
        [(z - mean) / std, labels],
        Fit(_EPOCHS, _BATCH, Optimizer("adam", 1e-3, milestones=(_EPOCHS - 2,))),
        seed=seed,
        device=context.device,
    )
    with torch.no_grad():
        guess = head(((unseen - mean) / std).to(context.device)).argmax(1).cpu()
    return 100.0 * float((guess == parts.test.factors["nuisance"]).double().mean())
