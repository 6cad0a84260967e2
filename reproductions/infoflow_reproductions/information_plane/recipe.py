"""What one row of Table I trains and how it measures: networks, estimators, swept settings and repetitions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, TypeVar

from infoflow.estimators.registry import named_parameters
from infoflow.plane.naming import display_name
from infoflow.plane.sweeps import Sweep
from infoflow.training import Training
from infoflow_reproductions.information_plane.layer_estimators import label_of

OUTPUT = "output"
"""The recorded softmax."""


@dataclass(frozen=True)
class SettingSweep:
    """One setting of an estimator, such as the bin width or the bandwidth, at several values.

    >>> SettingSweep("binning", "width", (0.1, 1.0)).texts
    ['binning:width=0.1', 'binning:width=1.0']
    >>> SettingSweep("kernel-density:bound=lower", "variance", (0.1, 1.0)).texts[0]
    'kernel-density:bound=lower,variance=0.1'
    """

    estimator: str
    """A name, or name:parameter=value,... for the settings that stay fixed."""
    setting: str
    values: tuple[float, ...]
    few: bool = False
    """Whether to use the smaller probe because the estimator is slow."""

    @property
    def texts(self) -> list[str]:
        """One text for each value, as `infoflow.estimators.parse` takes it."""
        separator = "," if ":" in self.estimator else ":"
        return [f"{self.estimator}{separator}{self.setting}={value!r}" for value in self.values]

    @property
    def sweep(self) -> Sweep:
        """The same for `infoflow.plane.sensitivity`."""
        name, fixed = named_parameters(self.estimator)
        return Sweep(name, self.setting, self.values, fixed)

    def value_of(self, estimator: str) -> float | None:
        """The value that belongs to an estimator's label in a plane's table."""
        return self._values.get(estimator)

    @cached_property
    def _values(self) -> dict[str, float]:
        """The values by the labels of their estimators, of which a plane's table has one in each of its many rows."""
        return {display_name(one): value for one, value in zip(self.sweep.estimators(), self.values, strict=True)}


@dataclass(frozen=True)
class Variant:
    """One way to train one network. The defaults are those of Shwartz-Ziv and Tishby's released code."""

    name: str
    data: str = "szt"
    """szt, digits, mnist, fashion-mnist or cifar10."""
    classes: tuple[int, ...] = ()
    """Use only these classes of the data set (all when empty)."""
    size: int = 0
    """Number of training samples (all when 0)."""
    label_noise: float = 0.0
    """Share of the training samples whose label is drawn anew among all classes."""
    shuffled_split: bool = False
    """SZT: whether the 80 % to train on are drawn at random."""
    network: str = "mlp"
    """A name of `networks.NETWORKS`."""
    widths: tuple[int, ...] = (10, 7, 5, 4, 3)
    """Widths of the hidden layers of an mlp."""
    activation: tuple[str, ...] = ("tanh",)
    """One for all hidden layers, or one for each."""
    initialization: str = "idnns"
    """A name of `infoflow.models.INITIALIZATIONS`; torchvision's networks have their own."""
    gain: float = 1.0
    """Factor of the initial weights."""
    noise: float = 0.0
    """Standard deviation of the Gaussian noise after each activation."""
    noise_in: Literal["network", "training"] = "network"
    """Whether the noise is a part of the network, or a regularization that acts in training alone."""
    levels: int = 0
    """Number of values that a quantized activation takes (0: not quantized)."""
    batch_norm: bool = False
    """Whether batch normalization follows each activation."""
    orthonormal: float = 0.0
    """Weight of a penalty that makes weight matrices orthonormal."""
    optimizer: Literal["adam", "sgd"] = "adam"
    learning_rate: float = 4e-4
    momentum: float = 0.0
    weight_decay: float = 0.0
    batch_size: int = 512
    epochs: int = 8000
    shuffle: bool = True
    probe: str = "all"
    """Inputs that the plane is measured on: all, train or test."""
    probe_size: int = 0
    """Number of probe inputs (all when 0)."""
    repeats: int = 1
    """How often each input occurs in the probe: more than once where the network is noisy."""
    at_most: int = 0
    """Upper limit of the number of seeds, where one takes long (0: the recipe's number)."""
    measured_by: tuple[str, ...] = ()
    """Estimators of this variant (those of the recipe and its sweeps when empty)."""
    layers: tuple[str, ...] = ()
    """Recorded modules (every activation and the softmax when empty)."""

    @property
    def training(self) -> Training:
        """The settings of `infoflow.training.train`."""
        return Training(
            epochs=self.epochs,
            batch_size=self.batch_size,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            shuffle=self.shuffle,
        )


IMAGES = Variant("images", data="mnist", activation=("relu",), learning_rate=1e-3, batch_size=128)
"""What most rows on images share: MNIST, ReLU, Adam with learning rate 1e-3, batches of 128."""


@dataclass(frozen=True)
class Recipe:
    """Variants, how they are measured, and how often."""

    variants: tuple[Variant, ...]
    estimators: tuple[str, ...]
    """The paper's, as `infoflow.estimators.parse` takes them."""
    sweeps: tuple[SettingSweep, ...] = ()
    """Settings of estimators that are swept, to see whether a verdict depends on them."""
    seeds: int = 10
    snapshots: int = 16
    """Log-spaced, with the state before training and after it."""
    also_at: tuple[int, ...] = ()
    """Further epochs to take a snapshot at."""
    together: int = 10
    """Networks that are trained side by side in one trial."""
    metrics_on: int = 0
    """Number of training and test samples that losses and accuracies are computed on (all when 0)."""
    pairs: int = 1000
    """Number of inputs for the estimators that compare all pairs."""
    without_ceiling: str = "gaussian-channel:variance=0.1"
    """Estimator for layers whose estimates by the paper's estimator reach its ceiling (none when empty)."""
    sides: tuple[str, ...] = ()
    """Estimators that also measure equally many training and test inputs separately; when empty the first."""

    @property
    def labels(self) -> list[str]:
        """The paper's estimators as the plane's table names them."""
        return [label_of(text) for text in self.estimators]


R = TypeVar("R", bound=Recipe)


def smoke(full: R, variant: Variant, sweep: SettingSweep | None = None, **changes: Any) -> R:
    """The recipe of a run of seconds: one variant, one sweep, one seed and two snapshots, unless changed."""
    sweeps = full.sweeps if sweep is None else (sweep,)
    return replace(full, **{"variants": (variant,), "sweeps": sweeps, "seeds": 1, "snapshots": 2, **changes})
