"""Nearest neighbors in a representation: a vote on the class, and a picture."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.core.checks import paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Kind
from infoflow.core.settings import Integer, PositiveInt, check, validated
from infoflow.probes.inputs import Problem
from infoflow.probes.probe import LabeledProbe
from infoflow.probes.score import Score, accuracy_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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


def draw_neighbors(
    figure: Figure,
    images: Any,
    features: Any,
    *,
    queries: int | list[int] = 5,
    k: int = 9,
    metric: Metric = "manhattan",
    seed: int = 0,
) -> None:
    """Draw a row per query: an image, and the images whose features are nearest to its own.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure to draw in.
    images : array-like of shape (n, C, H, W) or (n, H, W)
        Images, gray or in color.
    features : array-like of shape (n, ...)
        Features of the same images.
    queries
        Number of random queries, or the indices of some images.
    k
        Number of neighbors in a row.
    metric
        "cosine", "euclidean" or "manhattan", as in figure 5 of [1]_.
    seed
        Seed of the random queries.

    Raises
    ------
    InvalidArgument
        If shapes or lengths do not fit, or an index does not exist.
    UnknownName
        If the metric does not exist.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019, figure 5.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> draw_neighbors(figure, torch.rand(20, 1, 8, 8), torch.rand(20, 3), queries=2, k=3)
    >>> len(figure.axes)
    8
    """
    check(k, "k", Integer(1))
    picture = torch.as_tensor(images).detach().cpu().float()
    if picture.ndim not in (3, 4) or (picture.ndim == 4 and picture.shape[1] not in (1, 3)):
        raise InvalidArgument("images", "of shape (n, H, W) or (n, 1 or 3, H, W)", picture)
    values = samples(features, "features")
    paired(picture, values, "images", "features")
    n = len(values)
    if isinstance(queries, int):
        chosen = np.random.default_rng(seed).permutation(n)[: check(queries, "queries", Integer(1))].tolist()
    else:
        chosen = list(queries)
        if any(not 0 <= query < n for query in chosen):
            raise InvalidArgument("queries", f"indices of {n} images", chosen)
    if picture.ndim == 3:
        picture = picture[:, None]
    low, high = picture.aminmax()
    picture = (picture - low) / (high - low).clamp_min(1e-12)
    # One more than k, since the nearest to an image is itself.
    _, indices = nearest(values[chosen], values, k + 1, metric)
    axes = figure.subplots(len(chosen), k + 1, squeeze=False)
    for row, query in enumerate(chosen):
        others = [index for index in indices[row].tolist() if index != query][:k]
        for column, index in enumerate([query, *others]):
            shown = picture[index]
            axis = axes[row][column]
            axis.imshow(shown.movedim(0, -1).squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=1)
            axis.set_axis_off()
    axes[0][0].set_title("query", fontsize=8)
    axes[0][1].set_title("nearest first", fontsize=8, loc="left")
