"""The probe with one hidden layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Number, PositiveInt
from infoflow.models import seeded
from infoflow.probes.inputs import Problem
from infoflow.probes.probe import LabeledProbe, TrainedProbe, accuracy, cross_entropy
from infoflow.probes.score import Score
from infoflow.training import Optimizer


def head(inputs: int, classes: int, *, units: int | None = 200, dropout: float = 0.1, seed: int = 0) -> nn.Sequential:
    """Classifier: linear, dropout, batch norm, ReLU, linear; one linear layer if `units` is None.

    >>> import torch
    >>> head(64, 10)(torch.zeros(5, 8, 8)).shape
    torch.Size([5, 10])
    """
    with seeded(seed):
        if units is None:
            return nn.Sequential(nn.Flatten(), nn.Linear(inputs, classes))
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(inputs, units),
            nn.Dropout(dropout),
            nn.BatchNorm1d(units),
            nn.ReLU(),
            nn.Linear(units, classes),
        )


@dataclass(frozen=True, kw_only=True)
class MultilayerPerceptron(TrainedProbe, LabeledProbe):
    """Classifier with one hidden layer, dropout and batch norm, trained on cross-entropy by Adam.

    Parameters
    ----------
    epochs, batch_size, learning_rate
        Training by Adam.
    runs
        Number of runs with seeds `seed`, `seed` + 1, ...; their spread gives Student's interval.
    seed
        Seed of the first run.
    device
        Device of the training; "auto" is a GPU if there is one.
    units
        Units of the hidden layer.
    dropout
        Probability of dropout, below 1.
    milestones
        Epochs after which the learning rate is divided by 10.
    standardize
        Whether features are standardized by the training set.
    averaged
        Number of last epochs whose test accuracies are averaged, which needs no choice of an epoch.

    Raises
    ------
    InvalidArgument
        If a setting is out of range.

    Notes
    -----
    Section 4.1 of [1]_ has 200 units, dropout and the average over the last 100 epochs; it states no number of epochs,
    learning rate or dropout rate, so those defaults are choices of this package.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019.

    Examples
    --------
    >>> import torch
    >>> x = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    >>> y = (x.prod(1) > 0).long()  # not linearly separable
    >>> probe = MultilayerPerceptron(epochs=30, learning_rate=1e-2, runs=2)
    >>> probe.score(x[:200], y[:200], x[200:], y[200:]).value > 0.9
    True
    """

    units: PositiveInt = 200
    dropout: Annotated[float, Number(0, 1, open_high=True)] = 0.1
    epochs: PositiveInt = 150
    milestones: tuple[int, ...] = (50, 100)
    standardize: bool = False
    averaged: PositiveInt = 1

    name: ClassVar[str] = "MLP"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.averaged > self.epochs:
            raise InvalidArgument("averaged", f"at most the number of epochs ({self.epochs})", self.averaged)

    def _optimizer(self) -> Optimizer:
        return Optimizer("adam", self.learning_rate, milestones=tuple(self.milestones))

    def _prepared(self, problem: Problem) -> Problem:
        return problem.standardized() if self.standardize else problem

    def _fitted(self, problem: Problem) -> Score:
        def run(seed: int) -> float:
            width = problem.train_x.shape[1]
            network = head(width, problem.classes, units=self.units, dropout=self.dropout, seed=seed)
            last: list[float] = []

            def evaluate(epoch: int) -> dict[str, float]:
                if epoch > self.epochs - self.averaged:
                    last.append(accuracy(network, problem.test_x, problem.test_y))
                return {}

            self._train(network, cross_entropy(network), [problem.train_x, problem.train_y], seed, evaluate)
            return sum(last) / len(last)

        return self._of_runs(run, len(problem.test_x), warnings=problem.warnings)
