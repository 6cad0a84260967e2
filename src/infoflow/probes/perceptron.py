"""The probe with one hidden layer that Deep InfoMax's Tables 1 and 2 report."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.checks import flag, integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.models.seeded import seeded
from infoflow.probes.problem import Problem
from infoflow.probes.score import Score
from infoflow.training import Fit, Optimizer, Player, fit


def head(inputs: int, classes: int, *, units: int | None = 200, dropout: float = 0.1, seed: int = 0) -> nn.Sequential:
    """Linear-dropout-batch norm-ReLU-linear; a linear layer alone where `units` is None. Drawn from `seed` alone.

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


@dataclass(frozen=True)
class MultilayerPerceptron:
    """One hidden layer of `units` with dropout and batch norm, cross-entropy, Adam; each run from another seed.

    The defaults are the paper's: 200 units, dropout .1, Adam 1e-4, a tenth of it from epochs 50 and 100. The interval
    is Student's over `runs`.

    Raises InvalidArgument and TooFewSamples as `Problem.of` does. Hjelm et al. (2019), appendix A.

    >>> x = torch.randn(400, 2, generator=torch.Generator().manual_seed(0))
    >>> y = (x.prod(1) > 0).long()  # no line tells these apart
    >>> probe = MultilayerPerceptron(epochs=30, learning_rate=1e-2, runs=2)
    >>> probe.score(x[:200], y[:200], x[200:], y[200:]).value > 0.9
    True
    """

    units: int = 200
    dropout: float = 0.1
    epochs: int = 150
    batch_size: int = 64
    learning_rate: float = 1e-4
    milestones: tuple[int, ...] = (50, 100)
    standardize: bool = False
    runs: int = 3
    seed: int = 0
    device: str = "cpu"

    name: ClassVar[str] = "MLP"
    takes: ClassVar[str] = "labels"

    def __post_init__(self) -> None:
        for what in ("units", "epochs", "runs"):
            integer(getattr(self, what), what)
        integer(self.batch_size, "batch_size", minimum=2)
        integer(self.seed, "seed", minimum=0)
        flag(self.standardize, "standardize")
        if not 0 <= positive(self.dropout, "dropout", zero=True) < 1:
            raise InvalidArgument(f"dropout is {self.dropout}; want a share in [0, 1)")
        self._fit(2)

    def _fit(self, n: int) -> Fit:
        return Fit(
            epochs=self.epochs,
            batch_size=min(self.batch_size, n),
            optimizer=Optimizer("adam", self.learning_rate, milestones=tuple(self.milestones)),
        )

    def score(self, train_x: Any, train_y: Any, test_x: Any, test_y: Any) -> Score:
        """The accuracy on the test samples, as a fraction."""
        problem = Problem.of(train_x, train_y, test_x, test_y)
        x, report = problem.standardized() if self.standardize else (problem.train_x, problem.test_x)
        values = []
        for run in range(self.runs):
            seed = self.seed + run
            network = head(x.shape[1], problem.classes, units=self.units, dropout=self.dropout, seed=seed)
            player = Player(network, classification(network))
            fit(player, [x, problem.train_y], self._fit(len(x)), seed=seed, device=self.device)
            values.append(accuracy(network, report, problem.test_y))
        settings = {key: value for key, value in asdict(self).items() if key not in ("runs", "device")}
        return Score.of_runs(
            self.name, values, unit="fraction", n=len(report), settings=settings, warnings=problem.warnings
        )


def classification(network: nn.Module) -> Any:
    """The loss of a classifier on a batch of inputs and classes.

    >>> round(classification(nn.Identity())(torch.zeros(3, 2), torch.tensor([0, 1, 1])).item(), 3)
    0.693
    """

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(network(x), y)

    return loss


@torch.no_grad()
def accuracy(network: nn.Module, x: Tensor, y: Tensor, batch_size: int = 1024) -> float:
    """The share of samples whose class is the highest output, in evaluation mode.

    >>> accuracy(nn.Identity(), torch.eye(2), torch.tensor([0, 0]))
    0.5
    """
    network.eval()
    device = next((p.device for p in network.parameters()), x.device)
    right = 0
    for inputs, labels in zip(torch.split(x, batch_size), torch.split(y, batch_size), strict=True):
        right += int((network(inputs.to(device)).argmax(1).to(labels.device) == labels).sum())
    return right / len(y)
