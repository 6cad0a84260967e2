"""What lies near in a representation: a vote of the nearest neighbors, and a picture of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from infoflow.core.checks import choice, integer, paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Kind
from infoflow.probes.problem import Problem
from infoflow.probes.score import Score, proportion_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METRICS = ("cosine", "euclidean", "manhattan")
_BLOCK = 2**24  # distances held at once


def nearest(queries: Any, among: Any, k: int, metric: str = "cosine") -> tuple[Tensor, Tensor]:
    """Distances and indices (n, k) of the k nearest of `among` (m, d) to each of `queries` (n, d), nearest first.

    `metric` is "cosine" (1 − cos), "euclidean" or "manhattan" (Deep InfoMax's figure). Works in blocks.

    Raises InvalidArgument for more neighbors than there are, UnknownName (metric).

    >>> nearest([[0.0], [3.0]], [[1.0], [2.5], [9.0]], 2, "euclidean")[1].tolist()
    [[0, 1], [1, 0]]
    """
    choice(metric, "metric", METRICS)
    x, base = samples(queries, "queries", minimum=1), samples(among, "among", minimum=1)
    base = base.to(x)
    if x.shape[1] != base.shape[1]:
        raise InvalidArgument(f"queries have {x.shape[1]} columns but among {base.shape[1]}; want the same")
    if integer(k, "k") > len(base):
        raise InvalidArgument(f"k is {k}, but there are {len(base)} samples only; want at most as many neighbors")
    if metric == "cosine":
        x, base = F.normalize(x, dim=1), F.normalize(base, dim=1)
    found = []
    for block in torch.split(x, max(1, _BLOCK // len(base))):
        if metric == "cosine":
            distance = 1 - block @ base.T
        elif metric == "euclidean":
            distance = torch.cdist(block, base)
        else:
            distance = torch.cdist(block, base, p=1)
        found.append(torch.topk(distance, k, dim=1, largest=False))
    return torch.cat([part.values for part in found]), torch.cat([part.indices for part in found])


@dataclass(frozen=True)
class NearestNeighbors:
    """The class that most of the k nearest training samples have; of equally many, the first class.

    The interval is Wilson's over the test samples: nothing here is random. Raises as `Problem.of` and `nearest` do.

    >>> x, y = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.1], [0.1, 1.0]], [0, 1, 0, 1]
    >>> NearestNeighbors(k=1).score(x, y, [[2.0, 0.3]], [0]).value
    1.0
    """

    k: int = 10
    metric: str = "cosine"

    name: ClassVar[str] = "k-NN"
    takes: ClassVar[str] = "labels"

    def __post_init__(self) -> None:
        integer(self.k, "k")
        choice(self.metric, "metric", METRICS)

    def score(self, train_x: Any, train_y: Any, test_x: Any, test_y: Any) -> Score:
        """The accuracy on the test samples, as a fraction."""
        problem = Problem.of(train_x, train_y, test_x, test_y)
        _, indices = nearest(problem.test_x, problem.train_x, self.k, self.metric)
        votes = F.one_hot(problem.train_y[indices], problem.classes).sum(1)
        right = int((votes.argmax(1) == problem.test_y).sum())
        n = len(problem.test_y)
        return Score(
            self.name,
            right / n,
            "fraction",
            Kind.POINT,
            n,
            proportion_interval(right, n),
            settings=asdict(self),
            warnings=problem.warnings,
        )


def draw_neighbors(
    figure: Figure,
    images: Any,
    features: Any,
    *,
    queries: int | list[int] = 5,
    k: int = 9,
    metric: str = "manhattan",
    seed: int = 0,
) -> None:
    """Draws a row for each query: the image, and the images whose features are nearest to its own.

    `images` (n, C, H, W) or (n, H, W), `features` (n, ...) of the same images; `queries` says which, or how many by
    chance. Hjelm et al. (2019), figure 5.

    Raises InvalidArgument for what doesn't fit together.

    >>> from matplotlib.figure import Figure
    >>> figure = Figure()
    >>> draw_neighbors(figure, torch.rand(20, 1, 8, 8), torch.rand(20, 3), queries=2, k=3)
    >>> len(figure.axes)
    8
    """
    picture = torch.as_tensor(images).detach().cpu().float()
    if picture.ndim not in (3, 4) or (picture.ndim == 4 and picture.shape[1] not in (1, 3)):
        raise InvalidArgument(f"images have shape {tuple(picture.shape)}; want (n, H, W) or (n, 1 or 3, H, W)")
    values = samples(features, "features")
    paired(picture, values, "images", "features")
    n = len(values)
    if isinstance(queries, int):
        chosen = np.random.default_rng(seed).permutation(n)[: integer(queries, "queries")].tolist()
    else:
        chosen = list(queries)
        if any(not 0 <= query < n for query in chosen):
            raise InvalidArgument(f"queries are {chosen}; want indices of {n} images")
    if picture.ndim == 3:
        picture = picture[:, None]
    low, high = picture.aminmax()
    picture = (picture - low) / (high - low).clamp_min(1e-12)
    # One more, since the nearest to an image is itself.
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
