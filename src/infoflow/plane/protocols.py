"""The settings of an information-plane experiment, and those of published protocols."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Annotated, Any

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.settings import (
    Integer,
    NonNegativeFloat,
    OneOf,
    PositiveFloat,
    PositiveInt,
    Rule,
    Settings,
    check,
)
from infoflow.models import ACTIVATIONS
from infoflow.models.mlp import INITIALIZATIONS
from infoflow.plane.placing import placed
from infoflow.training import OPTIMIZERS

DATA = ("szt", "digits", "mnist", "fashion-mnist")
PROBES = ("all", "train", "test", "both")


@dataclass(frozen=True)
class Experiment(Settings):
    """One information-plane experiment: networks, training, what is recorded, and the estimators.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown name.

    Examples
    --------
    >>> Experiment(activations=("relu",)).initialization_for("relu")
    'he'
    """

    data: Annotated[str, OneOf(DATA)] = "digits"
    """data set: szt, digits, mnist or fashion-mnist"""
    activations: tuple[str, ...] = ("tanh", "relu")
    """train one network for each: tanh, relu, leaky_relu, softsign, softplus, sigmoid, hardtanh"""
    widths: tuple[int, ...] = (16, 10, 7, 5)
    """widths of the hidden layers"""
    initialization: Annotated[str, OneOf(("scaled", *INITIALIZATIONS))] = "scaled"
    """weights: idnns, saxe, he, torch, or scaled (he for ReLU and softplus, idnns for the others)"""
    optimizer: Annotated[str, OneOf(tuple(OPTIMIZERS))] = "adam"
    """adam or sgd"""
    learning_rate: PositiveFloat = 2e-3
    """step size"""
    momentum: NonNegativeFloat = 0.0
    """momentum of sgd"""
    weight_decay: NonNegativeFloat = 0.0
    """L2 penalty on the weights"""
    batch_size: PositiveInt = 128
    """samples per step"""
    epochs: PositiveInt = 600
    """passes over the training set"""
    shuffle: bool = True
    """shuffle the training set in every epoch"""
    shuffled_split: bool = True
    """shuffle before splitting off the test set (szt, digits; the others come with one)"""
    seeds: PositiveInt = 10
    """number of networks of each kind, trained in parallel from seeds 0, 1, ..."""
    snapshots: Annotated[int, Integer(2)] = 40
    """number of snapshots, spaced evenly in the logarithm, the first before training"""
    also_at: tuple[int, ...] = ()
    """further epochs to take a snapshot at"""
    probe: Annotated[str, OneOf(PROBES)] = "all"
    """samples of the plane: all, train, test, or both (train and test separately)"""
    estimators: tuple[str, ...] = ("binning:width=0.07", "kernel-density:variance=0.01")
    """estimators: name, or name:parameter=value,parameter=value"""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_each("activations", self.activations, OneOf(tuple(ACTIVATIONS)))
        _check_each("widths", self.widths, Integer(1), repeated=True)
        _check_each("also_at", self.also_at, Integer(0, self.epochs), repeated=True, empty=True)
        _check_each("estimators", self.estimators)
        for text in self.estimators:
            placed(text)

    def initialization_for(self, activation: str) -> str:
        """The initialization of one network; "scaled" preserves the signal's variance through its activation.

        Parameters
        ----------
        activation
            Name of the activation.

        Returns
        -------
        str
            Name of the initialization.
        """
        if self.initialization != "scaled":
            return self.initialization
        return "he" if activation in ("relu", "softplus") else "idnns"

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def _check_each(
    name: str, values: tuple[Any, ...], rule: Rule | None = None, *, repeated: bool = False, empty: bool = False
) -> None:
    if not values and not empty:
        raise InvalidArgument(name, "given at least once", values)
    if len(set(values)) < len(values) and not repeated:
        raise InvalidArgument(name, "different from each other", list(values))
    if rule is not None:
        for value in values:
            check(value, name, rule)


def _protocols() -> dict[str, dict[str, Experiment]]:
    text = (files("infoflow.plane") / "assets" / "protocols.toml").read_text(encoding="utf-8")
    return {
        name: {data: _experiment(data, settings) for data, settings in variants.items()}
        for name, variants in tomllib.loads(text).items()
    }


def _experiment(data: str, settings: dict[str, Any]) -> Experiment:
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in settings.items()}
    return Experiment(data=data, **values)


PROTOCOLS = _protocols()
"""Settings by protocol and data set; "default" is infoflow's, the others are named after their publication."""


def protocol(name: str, data: str | None = None) -> Experiment:
    """The settings of a named protocol for a data set.

    Parameters
    ----------
    name
        Name in `PROTOCOLS`.
    data
        Name of the data set; None for the protocol's first.

    Returns
    -------
    Experiment
        The settings.

    Raises
    ------
    UnknownName
        If there is no such protocol, or it does not cover the data set.

    Examples
    --------
    >>> protocol("idnns", "szt").batch_size
    512
    """
    variants = PROTOCOLS[check(name, "protocol", OneOf(tuple(PROTOCOLS)))]
    if data is None:
        return next(iter(variants.values()))
    check(data, "data", OneOf(DATA))
    if data not in variants:
        raise UnknownName(f"data of protocol {name!r}", data, variants)
    return variants[data]
