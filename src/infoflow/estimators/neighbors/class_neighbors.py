"""Mutual information of a continuous variable and classes, from nearest neighbors (Ross 2014)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.checks import choice, classes, integer, paired, positive
from infoflow.core.estimate import Estimate, Kind
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.neighbors.rescaling import RESCALINGS, Rescaled, noise_generator, rescaled
from infoflow.estimators.neighbors.settings import crowded, digamma, digammas, norm
from infoflow.pairwise.neighbors import METRICS, count_within, nearest, open_ball_sizes


@dataclass(frozen=True)
class ClassNeighbors:
    """I(X;Y) of continuous x and classes y: how many samples of any class are as near as the k-th of the own class.

    I = ψ(N) + ⟨ψ(k̃)⟩ − ⟨ψ(N_y)⟩ − ⟨ψ(m)⟩ (Ross 2014, eq. 2), with N_y the size of the sample's class, and k̃ and m the
    samples, itself included, that are strictly nearer than the k-th neighbor of its class: k̃ in the class, which is k
    unless distances are tied, and m in all. Where that neighbor is at distance 0 (x repeats) they are the duplicates,
    so constant, rounded and discrete x are right too. Classes of fewer than k + 1 samples use fewer neighbors; samples
    alone in their class are left out, with a warning. The ceiling is H(Y).

    `metric`, `rescale`, `noise` and `seed` as in `KSG`.

    Raises InvalidArgument or UnknownName for unknown settings. (B. C. Ross 2014, PLoS ONE 9(2): e87357.)

    >>> import numpy as np
    >>> y = np.random.default_rng(0).integers(2, size=2000)
    >>> x = 10 * y + np.random.default_rng(1).normal(size=2000)  # the class is plain to see
    >>> ClassNeighbors().estimate(x, y).bits
    1.0
    """

    k: int = 3
    metric: str = "auto"
    rescale: str = "standard"
    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        integer(self.k, "k")
        choice(self.metric, "metric", ("auto", *METRICS))
        choice(self.rescale, "rescale", RESCALINGS)
        positive(self.noise, "noise", zero=True)
        integer(self.seed, "seed", minimum=0)

    def estimate(self, x: Any, y: Any, *, quantity: str = "I(X;Y)", names: tuple[str, str] = ("x", "y")) -> Estimate:
        """I(X;Y) in nats from continuous samples x of shape (n, ...) and classes y (n,).

        Raises InvalidArgument for what isn't samples or classes and for unequal lengths, TooFewSamples for n < 3.

        >>> ClassNeighbors(k=1).estimate([0.0, 0.1, 5.0, 5.1], [0, 0, 1, 1]).saturated
        True
        """
        left, codes, count = self._samples(x, y, names)
        n = codes.shape[0]
        warnings = left.warnings
        ceiling = float(plug_in(torch.bincount(codes)))
        nats = 0.0
        if left.constant or count == 1:
            constant = names[0] if left.constant else names[1]
            warnings += (f"{constant} is constant, so the mutual information is 0",)
        else:
            terms, used = self._terms(left.values, codes)
            alone = n - int(used.sum())
            if alone:
                warnings += (f"{alone} of {n} samples are alone in their class and left out; merge rare classes",)
            if alone < n:
                nats = float(terms[used].mean())
            warnings += crowded(left.values.shape[1], n)
        return Estimate(
            min(nats, ceiling),
            quantity=quantity,
            kind=Kind.POINT,
            estimator="ClassNeighbors",
            n=n,
            parameters=asdict(self) | {"metric": norm(self.metric, left.values.shape[1])},
            ceiling=ceiling,
            ceiling_name="H(Y)",
            warnings=warnings,
        )

    def pointwise(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Pointwise information (n,) in nats: how much each sample speaks for dependence.

        Its mean is the estimate before that is cut at H(Y); samples alone in their class, which the mean leaves out,
        are 0. Takes what `estimate` takes, and raises as it does.

        >>> ClassNeighbors(k=1).pointwise([0.0, 0.1, 5.0, 5.1], [0, 0, 1, 1]).tolist()  # ψ(4) - ψ(2) = 1/2 + 1/3
        [0.8333, 0.8333, 0.8333, 0.8333]
        """
        left, codes, count = self._samples(x, y, ("x", "y"))
        if left.constant or count == 1:
            return np.zeros(codes.shape[0])
        terms: NDArray[np.float64] = self._terms(left.values, codes)[0].cpu().numpy()
        return terms

    def _samples(self, x: Any, y: Any, names: tuple[str, str]) -> tuple[Rescaled, Tensor, int]:
        rng = noise_generator(self.seed)
        left = rescaled(x, names[0], how=self.rescale, minimum=3, noise=self.noise, rng=rng)
        codes, count = classes(y, names[1])
        paired(left.values, codes, *names)
        return left, codes.to(left.values.device), count

    def _terms(self, x: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Pointwise information (n,), and which samples have another of their class."""
        metric = norm(self.metric, x.shape[1])
        sizes = torch.bincount(codes)[codes]
        used = sizes > 1
        terms = torch.zeros(codes.shape[0], dtype=torch.float64, device=x.device)
        members, labels, size = x[used], codes[used], sizes[used]
        if members.shape[0] < 2:
            return terms, used
        radius = torch.zeros_like(size, dtype=torch.float64)
        neighbors = torch.zeros_like(size)
        for label in torch.bincount(labels).nonzero()[:, 0]:
            own = labels == label
            k = min(self.k, int(own.sum()) - 1)
            distance = nearest(members[own], k, metric=metric)[0]
            radius[own] = distance[:, -1]
            neighbors[own] = open_ball_sizes([members[own]], distance)
        near = count_within(members, radius, metric=metric) + 1
        total = digamma(members.shape[0])
        terms[used] = total + digammas(neighbors) - digammas(size) - digammas(near)
        return terms, used
