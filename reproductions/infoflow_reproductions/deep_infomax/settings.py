"""How a method is trained and its representation measured.

The paper states the data, 1000 epochs of CIFAR (200 of other data), the learning rate 1e-4 and the networks, and of the
probes 200 hidden units with dropout. It states neither epochs nor rates of the probes, of MINE, of NDM and of the
decoder, nor the dropout rate: those defaults are choices of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infoflow_reproductions.deep_infomax.methods import Size

REVISIONS: Mapping[int, str] = {
    1: "both branches of the critic encode-and-dot had batch norm and layer norm",
    2: "critics are those of Tables 7 and 8, without batch norm and with layer norm for the local features alone; "
    "DIM(G) takes the last convolution; accuracies of probes are averaged over the last epochs",
}
"""Revisions of the recipes; results of an earlier one name none, and are those of revision 1."""

REVISION = max(REVISIONS)


@dataclass(frozen=True)
class Learning:
    """How every method is trained and measured.

    The defaults of `images`, `epochs`, `learning_rate` and `size` are the paper's for CIFAR-10; the others are this
    package's, since the paper states none.

    Perceptron probes have 200 units and dropout 0.1 on standardized features.

    Parameters
    ----------
    data
        Name of the data set: "stl10", "tiny-imagenet", or one of `harness.data.DATA`, with "-64" for images of twice
        the side and "-96" for images of three times the side, of which random crops of 64×64 are learned from.
    images
        Number of training images, labeled and not.
    epochs, batch_size, learning_rate
        Training of the method.
    probe_epochs, probe_rate, probe_milestones
        Training of the perceptron probes; the learning rate falls to a tenth at each milestone.
    ndm_epochs, mine_epochs, decoder_epochs
        Epochs of the measures that train networks of their own.
    probe_averaged
        Number of last epochs over which the accuracies of perceptron probes are averaged; 100 in section 4.1.
    labeled
        Number of labeled images, for "-96"; STL-10 has 5000.
    ndm_networks
        Number of networks, each from another seed, over which NDM is averaged.
    revision
        Revision of the recipe in `REVISIONS`.
    size
        Sizes of the networks.

    Examples
    --------
    >>> Learning(size=Size(width=0.5)).size.width
    0.5
    """

    data: str = "cifar10"
    images: int = 50_000
    epochs: int = 1000
    batch_size: int = 64
    learning_rate: float = 1e-4
    probe_epochs: int = 150
    probe_rate: float = 1e-4
    probe_milestones: tuple[int, ...] = (50, 100)
    ndm_epochs: int = 50
    mine_epochs: int = 50
    decoder_epochs: int = 30
    size: Size = field(default_factory=Size)
    probe_averaged: int = field(default=1, metadata={"omit_default": True})
    labeled: int = field(default=0, metadata={"omit_default": True})
    ndm_networks: int = field(default=1, metadata={"omit_default": True})
    revision: int = field(default=1, metadata={"omit_default": True})
