"""Nearest neighbors in a representation, and their vote on the class."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.core.checks import samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Kind
from infoflow.core.settings import PositiveInt, validated
from infoflow.probes.inputs import Problem
from infoflow.probes.probe import LabeledProbe
from infoflow.probes.score import Score, accuracy_interval

Metric = Literal["cosine", "euclidean", "manhattan"]
_BLOCK = 2**24  # distances in memory at once


@validated
def nearest(queries: Any, among: Any, k: PositiveInt, metric: Metric = "cosine") -> tuple[Tensor, Tensor]:
    """Find the k nearest of some samples to each query.

    Parameters
    ----------
    queries : array-like of shape (n, d)
        Points whose neighbors are sought.
    among : array-like of shape (m, d)
        Candidates.
    k
        Number of neighbors, at most m.
    metric
        "cosine" (1 − cos), "euclidean" or "manhattan".

    Returns
    -------
    tuple of Tensor
        Distances and indices, both of shape (n, k), nearest first.

    Raises
    ------
    InvalidArgument
        If widths differ, or there are fewer than k candidates.
    UnknownName
        If the metric does not exist.

    Notes
    -----
    Distances are computed in blocks, never all at once.

    Examples
    --------
    >>> nearest([[0.0], [3.0]], [[1.0], [2.5], [9.0]], 2, "euclidean")[1].tolist()
    [[0, 1], [1, 0]]
    """
    x, base = samples(queries, "queries", minimum=1), samples(among, "among", minimum=1)
    base = base.to(x)
    if x.shape[1] != base.shape[1]:
        raise InvalidArgument("among", f"of {x.shape[1]} columns, as queries", got_text=f"{base.shape[1]} columns")
    if k > len(base):
        raise InvalidArgument("k", f"at most the number of samples ({len(base)})", k)
    if metric == "cosine":
        x, base = F.normalize(x, dim=1), F.normalize(base, dim=1)
    found = []
    for block in torch.split(x, max(1, _BLOCK // len(base))):
        if metric == "cosine":
            distance = 1 - block @ base.T
        else:
            distance = torch.cdist(block, base, p=1 if metric == "manhattan" else 2)
        found.append(torch.topk(distance, k, dim=1, largest=False))
    return torch.cat([part.values for part in found]), torch.cat([part.indices for part in found])


@dataclass(frozen=True)
class NearestNeighbors(LabeledProbe):
    """Accuracy of the most frequent class among the k nearest training samples; the first class wins a tie.

    Parameters
    ----------
    k
        Number of neighbors.
    metric
        "cosine", "euclidean" or "manhattan".

    Raises
    ------
    InvalidArgument
        If k is out of range.
    UnknownName
        If the metric does not exist.

    Notes
    -----
    Nothing is random, so the interval is Wilson's, over the test samples.

    Examples
    --------
    >>> x, y = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.1], [0.1, 1.0]], [0, 1, 0, 1]
    >>> NearestNeighbors(k=1).score(x, y, [[2.0, 0.3]], [0]).value
    1.0
    """

    k: PositiveInt = 10
    metric: Metric = "cosine"

    name: ClassVar[str] = "k-NN"

    def _fitted(self, problem: Problem) -> Score:
        _, indices = nearest(problem.test_x, problem.train_x, self.k, self.metric)
        votes = F.one_hot(problem.train_y[indices], problem.classes).sum(1)
        correct, n = int((votes.argmax(1) == problem.test_y).sum()), len(problem.test_y)
        interval = accuracy_interval(correct, n)
        return Score(self.name, correct / n, "fraction", Kind.POINT, n, interval, (), asdict(self), problem.warnings)
