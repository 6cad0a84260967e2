"""What the probes share: their protocol, one order of steps, and training by Adam."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from infoflow.core.settings import Integer, PositiveFloat, PositiveInt, Seed, Settings
from infoflow.probes.inputs import Problem
from infoflow.probes.score import Score
from infoflow.training import Fit, Optimizer, Player, fit


@runtime_checkable
class Probe(Protocol):
    """Protocol of the objects that `evaluate` accepts: a name, a `score` method, and the arguments that it takes.

    Notes
    -----
    `takes` is one of five words. A probe that takes "labels" is scored on every layer, the others on the last one.

    - "labels": score(train features, train labels, test features, test labels).
    - "features": score(test features).
    - "inputs": score(test inputs, test features).
    - "images": score(train features, train images, test features, test images).
    - "encoder": score(encoder, train inputs, train labels, test inputs, test labels).

    Examples
    --------
    >>> from infoflow.probes import NearestNeighbors
    >>> isinstance(NearestNeighbors(), Probe)
    True
    """

    @property
    def name(self) -> str:
        """Name of the measure in tables."""

    @property
    def takes(self) -> str:
        """Word for the arguments of `score`."""

    score: Callable[..., Score]


@dataclass(frozen=True)
class LabeledProbe(Settings):
    """Base of the probes that predict labels from features: inputs, prepared, fitted, score."""

    name: ClassVar[str]
    takes: ClassVar[str] = "labels"

    def score(self, train_x: Any, train_y: Any, test_x: Any, test_y: Any) -> Score:
        """Fit the probe to the training samples and return its accuracy on the test samples.

        Parameters
        ----------
        train_x : array-like of shape (n, ...)
            Features to train on, which are flattened.
        train_y : array-like of shape (n,)
            Integer classes of the training samples.
        test_x : array-like of shape (m, ...)
            Features to test on.
        test_y : array-like of shape (m,)
            Integer classes of the test samples.

        Returns
        -------
        Score
            The accuracy, as a fraction.

        Raises
        ------
        InvalidArgument
            If lengths or widths differ, a feature is not finite, or there is only one class.
        TooFewSamples
            If there are no more training samples than classes.
        """
        return self._fitted(self._prepared(Problem.of(train_x, train_y, test_x, test_y)))

    def _prepared(self, problem: Problem) -> Problem:
        """The problem on the device and in the units in which the probe is fitted."""
        return problem

    @abstractmethod
    def _fitted(self, problem: Problem) -> Score:
        """Accuracy of the probe on a prepared problem."""


@dataclass(frozen=True, kw_only=True)
class TrainedProbe(Settings):
    """Base of the probes that train networks by Adam, one per run."""

    epochs: PositiveInt = 100
    batch_size: Annotated[int, Integer(2)] = 64
    learning_rate: PositiveFloat = 1e-4
    runs: PositiveInt = 3
    seed: Seed = 0
    device: str = "cpu"

    name: ClassVar[str]
    unit: ClassVar[str] = "fraction"
    _not_reported: ClassVar[Sequence[str]] = ("runs", "device", "decoder")

    def __post_init__(self) -> None:
        super().__post_init__()
        self._optimizer()  # raises for settings out of range

    def _optimizer(self) -> Optimizer:
        return Optimizer("adam", self.learning_rate)

    def _train(
        self,
        network: nn.Module,
        loss: Callable[..., Tensor],
        data: Sequence[Tensor],
        seed: int,
        evaluate: Callable[[int], Mapping[str, float]] | None = None,
    ) -> None:
        settings = Fit(self.epochs, min(self.batch_size, len(data[0])), self._optimizer())
        fit(Player(network, loss), data, settings, seed=seed, evaluate=evaluate, device=self.device)

    def _of_runs(self, run: Callable[[int], float], n: int, *, warnings: Sequence[str] = (), **more: Any) -> Score:
        """Score of `run(seed)` for each run's seed."""
        values = [run(self.seed + index) for index in range(self.runs)]
        names = [field.name for field in fields(self) if field.name not in self._not_reported]
        settings = {**{name: getattr(self, name) for name in names}, **more}
        return Score.of_runs(self.name, values, unit=self.unit, n=n, settings=settings, warnings=warnings)


def cross_entropy(network: nn.Module) -> Callable[[Tensor, Tensor], Tensor]:
    """Loss of a classifier on a batch of inputs and classes.

    >>> round(cross_entropy(nn.Identity())(torch.zeros(3, 2), torch.tensor([0, 1, 1])).item(), 3)
    0.693
    """
    return lambda x, y: nn.functional.cross_entropy(network(x), y)


@torch.no_grad()
def accuracy(network: nn.Module, x: Tensor, y: Tensor, batch_size: int = 1024) -> float:
    """Fraction of samples whose class is the highest output, in evaluation mode.

    >>> accuracy(nn.Identity(), torch.eye(2), torch.tensor([0, 0]))
    0.5
    """
    network.eval()
    device = next((p.device for p in network.parameters()), x.device)
    correct = 0
    for inputs, labels in zip(torch.split(x, batch_size), torch.split(y, batch_size), strict=True):
        correct += int((network(inputs.to(device)).argmax(1).to(labels.device) == labels).sum())
    return correct / len(y)
