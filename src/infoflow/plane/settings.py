"""What one information-plane experiment is made of, and the settings that published protocols name."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from infoflow.core import checks
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.estimators.registry import Ability, can, parse
from infoflow.models import ACTIVATIONS
from infoflow.models.mlp import INITIALIZATIONS
from infoflow.training import OPTIMIZERS

PROBES = ("all", "train", "test", "both")
DATA = ("szt", "digits", "mnist", "fashion-mnist")


@dataclass(frozen=True)
class Settings:
    """One information-plane experiment: networks, training, what is recorded and how it is measured."""

    data: str = "digits"
    """Data set: szt, digits, mnist or fashion-mnist."""
    activations: tuple[str, ...] = ("tanh", "relu")
    """One network for each: tanh, relu, softsign, softplus, sigmoid, hardtanh."""
    widths: tuple[int, ...] = (16, 10, 7, 5)
    """Widths of the hidden layers."""
    initialization: str = "scaled"
    """Weights: idnns, saxe, he, torch, or scaled (he for ReLU and softplus, idnns for the others)."""
    optimizer: str = "adam"
    """adam or sgd."""
    learning_rate: float = 2e-3
    """Step size."""
    momentum: float = 0.0
    """Momentum of sgd."""
    weight_decay: float = 0.0
    """L2 penalty on the weights."""
    batch_size: int = 128
    """Samples per step."""
    epochs: int = 600
    """Passes over the training set."""
    shuffle: bool = True
    """Shuffle the training set in every epoch."""
    shuffled_split: bool = True
    """Shuffle before splitting off the test set (szt, digits; the others bring their own)."""
    seeds: int = 10
    """How many networks of each kind are trained side by side, from seeds 0, 1, ..."""
    snapshots: int = 40
    """Log-spaced snapshots, the first before training and the last at its end."""
    also_at: tuple[int, ...] = ()
    """Further epochs to take a snapshot at."""
    probe: str = "all"
    """Samples that the plane is measured on: all, train, test, or both (train and test apart)."""
    estimators: tuple[str, ...] = ("binning:width=0.07", "kernel-density:variance=0.01")
    """How to measure: name, or name:parameter=value,parameter=value."""

    def __post_init__(self) -> None:
        checks.choice(self.data, "data set", DATA)
        _several(self.activations, "activations")
        for activation in self.activations:
            checks.choice(activation, "activation", ACTIVATIONS)
        _several(self.widths, "widths")
        for width in self.widths:
            checks.integer(width, "widths")
        checks.choice(self.initialization, "initialization", ("scaled", *INITIALIZATIONS))
        checks.choice(self.optimizer, "optimizer", OPTIMIZERS)
        checks.positive(self.learning_rate, "learning_rate")
        checks.positive(self.momentum, "momentum", zero=True)
        checks.positive(self.weight_decay, "weight_decay", zero=True)
        for name in ("batch_size", "epochs", "seeds"):
            checks.integer(getattr(self, name), name)
        checks.integer(self.snapshots, "snapshots", minimum=2)
        for epoch in self.also_at:
            if checks.integer(epoch, "also_at", minimum=0) > self.epochs:
                raise InvalidArgument(f"also_at names epoch {epoch}, but training ends at epoch {self.epochs}")
        checks.choice(self.probe, "probe", PROBES)
        _several(self.estimators, "estimators")
        for text in self.estimators:
            if not can(parse(text), Ability.PLANE):
                raise InvalidArgument(f"estimator {text!r} can't place a layer in the information plane")

    def initialization_for(self, activation: str) -> str:
        """The initialization of one network: "scaled" keeps the signal's variance through its activation."""
        if self.initialization != "scaled":
            return self.initialization
        return "he" if activation in ("relu", "softplus") else "idnns"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in dataclasses.asdict(self).items()
        }


def _several(value: tuple[Any, ...], name: str) -> None:
    if not value:
        raise InvalidArgument(f"{name} is empty; want at least one")
    if name != "widths" and len(set(value)) < len(value):
        raise InvalidArgument(f"{name} {list(value)} names one twice")


_SZT = Settings(
    data="szt", widths=(10, 7, 5, 4, 3), learning_rate=4e-4, batch_size=256, epochs=2000, seeds=5
)  # fmt: skip

_MNIST = Settings(
    data="mnist", widths=(1024, 20, 20, 20), learning_rate=1e-3, batch_size=128, epochs=10, seeds=1, snapshots=8,
    probe="test", estimators=("binning:width=0.5", "kernel-density:variance=0.1"),
)  # fmt: skip

# What each protocol fixes, per data set. "default" is ours; the others are named after those who published them.
PROTOCOLS: dict[str, dict[str, Settings]] = {
    "default": {
        "digits": Settings(),
        "szt": _SZT,
        "mnist": _MNIST,
        "fashion-mnist": dataclasses.replace(_MNIST, data="fashion-mnist"),
    },
    # Shwartz-Ziv & Tishby (2017) as their released code does it; the paper's text says SGD.
    "idnns": {
        "szt": dataclasses.replace(
            _SZT, activations=("tanh",), initialization="idnns", batch_size=512, epochs=8000, shuffle=False,
            shuffled_split=False, seeds=10, snapshots=60, also_at=(100, 1500, 5000),
            estimators=("binning:bins=29,low=-1,high=1,closed=False",),
        ),
    },
    # Saxe et al. (2018) as their released code does it.
    "saxe": {
        "szt": dataclasses.replace(
            _SZT, initialization="saxe", epochs=10000, seeds=10, snapshots=60,
            estimators=("binning:width=0.07", "kernel-density:variance=0.001"),
        ),
        "mnist": dataclasses.replace(
            _MNIST, initialization="saxe", optimizer="sgd", epochs=1000,
        ),
    },
}  # fmt: skip


def protocol(name: str, data: str | None = None) -> Settings:
    """The settings of a named protocol for a data set (default: the protocol's first).

    Raises UnknownName for a protocol, or for a data set that the protocol says nothing about.

    >>> protocol("idnns", "szt").batch_size
    512
    """
    variants = PROTOCOLS[checks.choice(name, "protocol", PROTOCOLS)]
    if data is None:
        return next(iter(variants.values()))
    checks.choice(data, "data set", DATA)
    if data not in variants:
        raise UnknownName(f"data set of protocol {name!r}", data, variants)
    return variants[data]
