"""The methods of the tables by name: what is trained around an encoder, on what kind of batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.checks import choice
from infoflow.models import AlexNetEncoder, ConvolutionalEncoder
from infoflow.models.dcgan import DCGANDecoder, DCGANDiscriminator
from infoflow.models.deep_infomax import MapAndVector
from infoflow.objectives import AdversarialMatching, deep_infomax_for, encoding_shapes
from infoflow.training import Player
from infoflow_reproductions.deep_infomax.views import view
from infoflow_reproductions.rivals.autoencoders import AdversarialAutoencoder, BetaAutoencoder
from infoflow_reproductions.rivals.bigan import BiGAN
from infoflow_reproductions.rivals.noise_as_targets import NoiseAsTargets
from infoflow_reproductions.rivals.views import DotCritic, MultiViewDeepInfoMax, NTXent, VICReg

# DIM's variants, as arguments of `deep_infomax_for`; all but "dim-g-prior" are the paper's.
VARIANTS: dict[str, dict[str, Any]] = {
    "dim-g": {"alpha": 1.0, "beta": 0.0, "gamma": 1.0},
    "dim-g-prior": {"alpha": 1.0, "beta": 0.0, "gamma": 5.0},
    "dim-l": {"alpha": 0.0, "beta": 1.0, "gamma": 0.1},
    "dim-l-nce": {"alpha": 0.0, "beta": 1.0, "gamma": 0.1, "bound": "infonce"},
    "dim-lg": {"alpha": 0.5, "beta": 1.0, "gamma": 0.1},
}

LABELS = {
    "random": "random encoder",
    "supervised": "supervised",
    "vae": "VAE",
    "aae": "AAE",
    "bigan": "BiGAN",
    "nat": "NAT",
    "dim-g": "DIM(G)",
    "dim-g-prior": "DIM(G), γ = 5",
    "dim-l": "DIM(L) JSD",
    "dim-l-nce": "DIM(L) InfoNCE",
    "dim-lg": "DIM(L+G)",
    "nt-xent": "NT-Xent (views)",
    "vicreg": "VICReg (views)",
    "amdim": "multi-view DIM (views)",
}

VIEWS = ("nt-xent", "vicreg", "amdim")


@dataclass(frozen=True)
class Size:
    """How large the networks are: the paper's at `width` 1, 64 features and critics of 2048 units.

    >>> Size().encoder(seed=0).features
    64
    """

    architecture: str = "32x32"
    width: float = 1.0
    features: int = 64
    units: int = 2048

    def encoder(self, *, features: int | None = None, seed: int) -> MapAndVector:
        """That of the paper for this size of images."""
        out = features or self.features
        if self.architecture == "alexnet":
            return AlexNetEncoder(width=self.width, features=out, seed=seed)
        choice(self.architecture, "architecture", ("32x32", "64x64", "alexnet"))
        widths = (64, 128, 256) if self.architecture == "32x32" else (64, 128, 256, 512)
        side, units = int(self.architecture.split("x")[0]), max(round(1024 * self.width), 1)
        scaled = self.scaled(widths)
        return ConvolutionalEncoder(
            (3, side, side), widths=scaled, local=len(widths) - 2, units=units, features=out, seed=seed
        )

    @property
    def discriminator(self) -> list[int]:
        """The layers of the prior's discriminator."""
        return self.scaled((1000, 200))

    def scaled(self, widths: Sequence[int]) -> list[int]:
        """These widths at this size."""
        return [max(round(self.width * width), 1) for width in widths]


class Learner(NamedTuple):
    """What to train, on which batches, and which encoder to look at afterwards."""

    players: dict[str, Player]
    """Empty where nothing is trained."""
    prepare: Callable[..., Sequence[Tensor]]
    """(images uint8, labels, rows) -> what the losses take."""
    representation: nn.Module
    layers: Mapping[str, str]
    """Names of conv, fc and Y in the representation."""
    classifier: nn.Module | None = None
    """Images -> logits, of the supervised network."""


def scaled(images: Tensor) -> Tensor:
    """Bytes to [−1, 1], the paper's scale.

    >>> scaled(torch.tensor([0, 255], dtype=torch.uint8))
    tensor([-1., 1.])
    """
    return images.float().mul_(2 / 255).sub_(1)


def _images(x: Tensor, y: Tensor, rows: Tensor, *, generator: torch.Generator) -> tuple[Tensor]:
    return (scaled(x),)


def _labeled(x: Tensor, y: Tensor, rows: Tensor, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return scaled(x), y


def _numbered(x: Tensor, y: Tensor, rows: Tensor, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    return scaled(x), rows


def _views(x: Tensor, y: Tensor, rows: Tensor, *, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    images = x.float().mul_(1 / 255)
    first, second = (view(images, generator).mul_(2).sub_(1) for _ in range(2))
    return first, second


class Classifier(nn.Module):
    """The encoder and a linear layer on its vector.

    >>> Classifier(Size(width=0.125).encoder(seed=0), 10)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(self, encoder: MapAndVector, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.last = nn.utils.skip_init(nn.Linear, encoder.features, classes)  # type: ignore[no-untyped-call]
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (n, classes)."""
        logits: Tensor = self.last(self.encoder(images)[1].relu())
        return logits


def learner(
    method: str, size: Size, *, images: int, classes: int, seed: int, options: Mapping[str, Any] | None = None
) -> Learner:
    """The method of that name around an encoder of this size, drawn from the seed; `images` is how many there are.

    `options` go to `deep_infomax_for`, or are the VAE's `beta`. Raises UnknownName, and what the objectives raise.

    >>> list(learner("dim-l", Size(width=0.125, units=32), images=100, classes=10, seed=0).players)
    ['learner', 'opponent']
    """
    choice(method, "method", LABELS)
    given = dict(options or {})
    latent = size.features
    encoder = size.encoder(features=2 * latent if method == "vae" else None, seed=seed)
    if method == "random":
        return Learner({}, _images, encoder, encoder.layers)
    if method == "supervised":
        network = Classifier(encoder, classes)
        loss = Player(network, lambda x, y: F.cross_entropy(network(x), y))
        return Learner({"learner": loss}, _labeled, encoder, encoder.layers, network)
    objective: Any
    if method in VARIANTS:
        settings = {**VARIANTS[method], "units": size.units, "discriminator_units": size.discriminator, **given}
        objective = deep_infomax_for(encoder, torch.zeros(2, *encoder.shape), seed=seed, **settings)
    elif method == "vae":
        objective = BetaAutoencoder(encoder, _decoder(size, encoder, latent, seed), **given)
    elif method == "aae":
        matching = AdversarialMatching(latent, "gaussian", units=size.discriminator, seed=seed)
        objective = AdversarialAutoencoder(encoder, _decoder(size, encoder, latent, seed), matching, **given)
    elif method == "bigan":
        judge = DCGANDiscriminator(
            encoder.shape,
            widths=size.scaled(_widths(size)),
            features=latent,
            units=max(round(1024 * size.width), 1),
            seed=seed,
        )
        objective = BiGAN(encoder, _decoder(size, encoder, latent, seed), judge)
    elif method == "nat":
        objective = NoiseAsTargets(encoder, images, latent, seed=seed)
    elif method == "amdim":
        (channels, *_), features = encoding_shapes(encoder, torch.zeros(2, *encoder.shape))
        critic = DotCritic(channels, features, units=min(size.units, 512), seed=seed)
        objective = MultiViewDeepInfoMax(encoder, critic)
    else:
        objective = {"nt-xent": NTXent, "vicreg": VICReg}[method](encoder, latent, seed=seed)
    prepare = _views if method in VIEWS else _numbered if method == "nat" else _images
    players = {name: Player(*pair) for name, pair in objective.players().items()}
    return Learner(players, prepare, objective.representation, objective.representation.layers)


def _widths(size: Size) -> tuple[int, ...]:
    return (64, 128, 256) if size.architecture == "32x32" else (64, 128, 256, 512)


def _decoder(size: Size, encoder: MapAndVector, latent: int, seed: int) -> DCGANDecoder:
    return DCGANDecoder(latent, encoder.shape, widths=size.scaled(_widths(size)[::-1]), seed=seed)
