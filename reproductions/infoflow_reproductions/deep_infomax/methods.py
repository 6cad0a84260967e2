"""The methods of the tables by name: what is trained around an encoder, and on which batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.checks import choice
from infoflow.models import ConvolutionalEncoder, DCGANDecoder
from infoflow.models.deep_infomax import MapAndVector
from infoflow.objectives import AdversarialMatching, Coordinates, Matching, deep_infomax_for, encoding_shapes
from infoflow.training import Player
from infoflow_reproductions.baselines.autoencoders import AdversarialAutoencoder, BetaAutoencoder
from infoflow_reproductions.baselines.bigan import BiGAN
from infoflow_reproductions.baselines.noise_as_targets import NoiseAsTargets
from infoflow_reproductions.baselines.views import DotCritic, MultiViewDeepInfoMax, NTXent, VICReg
from infoflow_reproductions.deep_infomax.views import view
from infoflow_reproductions.networks.alexnet import AlexNetEncoder
from infoflow_reproductions.networks.dcgan_discriminator import DCGANDiscriminator

# Variants of DIM as arguments of `deep_infomax_for`. Those of DIM(G) but "dim-g" are controls, and the paper has no
# figures of "dim-l-dv".
VARIANTS: dict[str, dict[str, Any]] = {
    "dim-g": {"alpha": 1.0, "beta": 0.0, "gamma": 1.0},
    "dim-g-prior": {"alpha": 1.0, "beta": 0.0, "gamma": 5.0},
    "dim-g-all": {"alpha": 1.0, "beta": 0.0, "gamma": 0.1, "negatives": "all"},
    "dim-l": {"alpha": 0.0, "beta": 1.0, "gamma": 0.1},
    "dim-l-nce": {"alpha": 0.0, "beta": 1.0, "gamma": 0.1, "bound": "infonce"},
    "dim-l-dv": {"alpha": 0.0, "beta": 1.0, "gamma": 0.1, "bound": "donsker_varadhan"},
    # Section 4.2: α = 0.5, β = 0.1; γ is unpublished.
    "dim-lg": {"alpha": 0.5, "beta": 0.1, "gamma": 0.1},
}

CONVOLVED_UNITS = 512
"""Hidden units of the critic "concat-and-convolve" (Table 6)."""
LOCAL = ("dim-l", "dim-l-nce", "dim-l-dv", "dim-lg")
"""Methods that have a local critic."""

LABELS = {
    "random": "random encoder",
    "supervised": "supervised",
    "vae": "VAE",
    "aae": "AAE",
    "bigan": "BiGAN",
    "nat": "NAT",
    "dim-g": "DIM(G)",
    "dim-g-prior": "DIM(G), γ = 5",
    "dim-g-all": "DIM(G), all negatives, γ = 0.1",
    "dim-l": "DIM(L) JSD",
    "dim-l-nce": "DIM(L) InfoNCE",
    "dim-l-dv": "DIM(L) Donsker–Varadhan",
    "dim-lg": "DIM(L+G)",
    "nt-xent": "NT-Xent (views)",
    "vicreg": "VICReg (views)",
    "amdim": "multi-view DIM (views)",
}

VIEWS = ("nt-xent", "vicreg", "amdim")


@dataclass(frozen=True)
class Size:
    """Sizes of the networks; the defaults are the paper's.

    Parameters
    ----------
    architecture
        "32x32", "64x64" or "alexnet".
    width
        Factor on the widths of the layers.
    features
        Length of the representation.
    units
        Hidden units of the critics.

    Examples
    --------
    >>> Size().encoder(seed=0).features
    64
    """

    architecture: str = "32x32"
    width: float = 1.0
    features: int = 64
    units: int = 2048

    def encoder(self, *, features: int | None = None, seed: int) -> MapAndVector:
        """Return the paper's encoder for this size of images.

        Parameters
        ----------
        features
            Length of the representation; by default that of the sizes.
        seed
            Random seed of the first weights.

        Returns
        -------
        MapAndVector
            The encoder.
        """
        out = features or self.features
        if self.architecture == "alexnet":
            return AlexNetEncoder(width=self.width, features=out, seed=seed)
        choice(self.architecture, "architecture", ("32x32", "64x64", "alexnet"))
        side, units = int(self.architecture.split("x")[0]), max(round(1024 * self.width), 1)
        widths = self.scaled(self.widths)
        return ConvolutionalEncoder(
            (3, side, side), widths=widths, local=len(widths) - 2, units=units, features=out, seed=seed
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the convolutions at width 1."""
        return (64, 128, 256) if self.architecture == "32x32" else (64, 128, 256, 512)

    @property
    def discriminator(self) -> list[int]:
        """Widths of the hidden layers of the prior's discriminator."""
        return self.scaled((1000, 200))

    def scaled(self, widths: Sequence[int]) -> list[int]:
        """Return widths at this size.

        Parameters
        ----------
        widths
            Widths at width 1.

        Returns
        -------
        list of int
            Scaled widths, at least 1.
        """
        return [max(round(self.width * width), 1) for width in widths]


class Learner(NamedTuple):
    """What to train, on which batches, and which encoder to measure afterwards.

    Parameters
    ----------
    players
        Players with their losses; empty where nothing is trained.
    prepare
        Function from images (uint8), labels and row numbers to the losses' arguments.
    representation
        The encoder.
    layers
        Names of conv, fc and Y in the representation.
    classifier
        Network from images to logits, of the supervised method.
    """

    players: dict[str, Player]
    prepare: Callable[..., Sequence[Tensor]]
    representation: nn.Module
    layers: Mapping[str, str]
    classifier: nn.Module | None = None


def scaled(images: Tensor) -> Tensor:
    """Return images scaled to [−1, 1] as in the paper.

    Parameters
    ----------
    images
        Images of type uint8.

    Returns
    -------
    Tensor
        Images of type float32.

    Examples
    --------
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

    Parameters
    ----------
    encoder
        Network from images to map and vector.
    classes
        Number of classes.

    Examples
    --------
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
        """Return logits (n, classes) of images."""
        logits: Tensor = self.last(self.encoder(images)[1].relu())
        return logits


@dataclass(frozen=True)
class _Parts:
    """What the objectives are built from."""

    size: Size
    images: int
    seed: int
    encoder: MapAndVector

    @property
    def latent(self) -> int:
        return self.size.features

    @property
    def decoder(self) -> DCGANDecoder:
        widths = self.size.scaled(self.size.widths[::-1])
        return DCGANDecoder(self.latent, self.encoder.shape, widths=widths, seed=self.seed)


def _autoencoder(on: _Parts, **options: Any) -> nn.Module:
    return BetaAutoencoder(on.encoder, on.decoder, **options)


def _adversarial(on: _Parts, **options: Any) -> nn.Module:
    matching = AdversarialMatching(on.latent, "gaussian", units=on.size.discriminator, seed=on.seed)
    return AdversarialAutoencoder(on.encoder, on.decoder, matching, **options)


def _bigan(on: _Parts) -> nn.Module:
    units, widths = max(round(1024 * on.size.width), 1), on.size.scaled(on.size.widths)
    judge = DCGANDiscriminator(on.encoder.shape, widths=widths, features=on.latent, units=units, seed=on.seed)
    return BiGAN(on.encoder, on.decoder, judge)


def _noise_as_targets(on: _Parts) -> nn.Module:
    return NoiseAsTargets(on.encoder, on.images, on.latent, seed=on.seed)


def _across_views(on: _Parts) -> nn.Module:
    (channels, *_), features = encoding_shapes(on.encoder, torch.zeros(2, *on.encoder.shape))
    critic = DotCritic(channels, features, units=min(on.size.units, 512), seed=on.seed)
    return MultiViewDeepInfoMax(on.encoder, critic)


class WithPositives(nn.Module):
    """A local critic that counts an input's own locations among the negatives of its vector too (appendix A.2).

    Parameters
    ----------
    critic
        The critic, which excludes them.

    Examples
    --------
    >>> from infoflow.critics import EncodeAndDot
    >>> positive, negative = WithPositives(EncodeAndDot(8, 6, units=4)).scores(torch.ones(5, 8, 2, 2), torch.ones(5, 6))
    >>> positive.shape, negative.shape
    (torch.Size([4, 5]), torch.Size([1, 5, 20]))
    """

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def scores(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return the scores of the critic, with those of positives (locations, n) among the negatives (1, n, m)."""
        own, others = self.critic.scores(x, y)  # type: ignore[operator]
        return own, torch.cat([others, own.T[None]], 2)


def _take_last_map(encoder: MapAndVector) -> None:
    """Let an encoder return the map of its last convolution, as the global objective takes it (appendix A.1)."""
    encoder.local, encoder.conv = nn.Sequential(*encoder.local, *encoder.conv), nn.Sequential()


def _deep_infomax(
    on: _Parts,
    *,
    negatives: int | Literal["all"] | None = None,
    coordinates: Any = "none",
    locations: int | None = None,
    prior: str = "uniform",
    last_map: bool | None = None,
    positives: bool = False,
    **options: Any,
) -> nn.Module:
    """Deep InfoMax; without a local term it takes the last map unless `last_map` says otherwise."""
    if last_map or (last_map is None and not options["beta"]):
        _take_last_map(on.encoder)
    convolved = options.get("critic") == "concat-and-convolve"
    objective = deep_infomax_for(
        on.encoder,
        torch.zeros(2, *on.encoder.shape),
        units=min(on.size.units, CONVOLVED_UNITS) if convolved else on.size.units,
        matching=Matching(prior=prior, units=on.size.discriminator),
        coordinates=Coordinates(coordinates, locations=locations),
        n_negatives=negatives,
        seed=on.seed,
        **options,
    )
    if positives and objective.local_critic is not None:
        objective.local_critic = WithPositives(objective.local_critic)
    return objective


_BUILDERS: dict[str, Callable[..., nn.Module]] = {
    **{name: partial(_deep_infomax, **options) for name, options in VARIANTS.items()},
    "vae": _autoencoder,
    "aae": _adversarial,
    "bigan": _bigan,
    "nat": _noise_as_targets,
    "amdim": _across_views,
    "nt-xent": lambda on: NTXent(on.encoder, on.latent, seed=on.seed),
    "vicreg": lambda on: VICReg(on.encoder, on.latent, seed=on.seed),
}

_PREPARE = {"nat": _numbered, **dict.fromkeys(VIEWS, _views)}


def learner(
    method: str, size: Size, *, images: int, classes: int, seed: int, options: Mapping[str, Any] | None = None
) -> Learner:
    """Return a method around an encoder.

    Parameters
    ----------
    method
        Name in `LABELS`.
    size
        Sizes of the networks.
    images
        Number of training images.
    classes
        Number of classes.
    seed
        Random seed of the first weights.
    options
        Options of the method: those of `deep_infomax_for`, or the VAE's `beta`.

    Returns
    -------
    Learner
        What to train, on which batches, and the encoder to measure.

    Raises
    ------
    UnknownName
        If no method has this name.

    Examples
    --------
    >>> list(learner("dim-l", Size(width=0.125, units=32), images=100, classes=10, seed=0).players)
    ['learner', 'opponent']
    """
    choice(method, "method", LABELS)
    encoder = size.encoder(features=2 * size.features if method == "vae" else None, seed=seed)
    if method == "random":
        return Learner({}, _images, encoder, encoder.layers)
    if method == "supervised":
        network = Classifier(encoder, classes)
        loss = Player(network, lambda x, y: F.cross_entropy(network(x), y))
        return Learner({"learner": loss}, _labeled, encoder, encoder.layers, network)
    objective: Any = _BUILDERS[method](_Parts(size, images, seed, encoder), **(options or {}))
    players = {name: Player(*pair) for name, pair in objective.players().items()}
    representation = objective.representation
    return Learner(players, _PREPARE.get(method, _images), representation, representation.layers)
