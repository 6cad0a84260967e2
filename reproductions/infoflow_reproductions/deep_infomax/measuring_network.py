"""The supervised network whose features measure generators."""

from __future__ import annotations

import torch.nn.functional as F

from infoflow.training import Fit, Optimizer, Player, fit
from infoflow_reproductions.deep_infomax.methods import Classifier, Size, scaled
from infoflow_reproductions.harness.data import Labeled

# Always the same, so that the same features measure all generators.
_SEED = 1000


def measuring_network(
    size: Size, train: Labeled, classes: int, epochs: int, batch_size: int, device: str
) -> Classifier:
    """Train a classifier of images.

    Parameters
    ----------
    size
        Sizes of its encoder.
    train
        Images and their classes.
    classes
        Number of classes.
    epochs, batch_size
        Training.
    device
        Where it is trained.

    Returns
    -------
    Classifier
        The network in evaluation mode.
    """
    network = Classifier(size.encoder(seed=_SEED), classes).to(device)
    fit(
        Player(network, lambda x, y: F.cross_entropy(network(x), y)),
        list(train),
        Fit(epochs, batch_size, Optimizer("adam", 1e-3), channels_last=True),
        seed=_SEED,
        prepare=lambda x, y, *, generator: (scaled(x), y),
    )
    return network.eval()
