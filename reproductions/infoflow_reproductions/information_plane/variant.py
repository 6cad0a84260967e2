"""A network with its data and its training: what one row of the review's Table I varies."""

from __future__ import annotations

from dataclasses import dataclass

from infoflow_reproductions.information_plane.rulers import Ruler


@dataclass(frozen=True)
class Variant:
    """One way to train one network. The defaults are those of Shwartz-Ziv and Tishby's released code."""

    name: str
    data: str = "szt"
    """szt, digits, mnist, fashion-mnist or cifar10."""
    classes: tuple[int, ...] = ()
    """Only these classes of the data set (all when empty)."""
    size: int = 0
    """Training samples (all when 0)."""
    shuffled_split: bool = False
    """SZT: whether the 80 % to train on are drawn at random."""
    network: str = "mlp"
    """A name of `networks.NETWORKS`."""
    widths: tuple[int, ...] = (10, 7, 5, 4, 3)
    """Of the hidden layers (of mlp), or channels (of others that have a choice)."""
    activation: tuple[str, ...] = ("tanh",)
    """One for all hidden layers, or one for each."""
    initialization: str = "idnns"
    gain: float = 1.0
    """What initial weights are multiplied by."""
    noise: float = 0.0
    """Standard deviation of the Gaussian noise after each activation, part of the network."""
    levels: int = 0
    """How many values a quantized activation takes (0: not quantized)."""
    batch_norm: bool = False
    """Batch normalization after each activation."""
    orthonormal: float = 0.0
    """Weight of a penalty that keeps weight matrices orthonormal."""
    optimizer: str = "adam"
    learning_rate: float = 4e-4
    momentum: float = 0.0
    weight_decay: float = 0.0
    batch_size: int = 512
    epochs: int = 8000
    shuffle: bool = True
    probe: str = "all"
    """Inputs that the plane is measured on: all, train or test."""
    probe_size: int = 0
    """How many of them (all when 0)."""
    repeats: int = 1
    """How often each stands in the probe: more than once where the network is noisy."""
    at_most: int = 0
    """Fewer seeds than the recipe's, where one takes long (0: the recipe's)."""
    measured_by: tuple[str, ...] = ()
    """Estimators of its own (the recipe's, and its rulers, when empty)."""
    layers: tuple[str, ...] = ()
    """Recorded modules (every activation and the softmax when empty)."""


@dataclass(frozen=True)
class Recipe:
    """Variants, how they are measured, and how often."""

    variants: tuple[Variant, ...]
    estimators: tuple[str, ...]
    """The paper's, as `infoflow.estimators.parse` takes them."""
    rulers: tuple[Ruler, ...] = ()
    """Settings of estimators that are swept, to see whether a verdict survives them."""
    seeds: int = 10
    snapshots: int = 16
    """Log-spaced, with the state before training and after it."""
    also_at: tuple[int, ...] = ()
    """Further epochs to take a snapshot at."""
    together: int = 10
    """Networks that are trained side by side in one trial."""
    metrics_on: int = 0
    """How many training and test samples losses and accuracies are taken on (all when 0)."""
    pairs: int = 1000
    """How many inputs the estimators that compare all pairs get."""
    sides: tuple[str, ...] = ()
    """Estimators that also read equally many training and test inputs, each by themselves; when empty the first."""
