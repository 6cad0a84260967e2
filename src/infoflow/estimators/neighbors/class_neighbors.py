"""Mutual information of a continuous variable and classes, from nearest neighbors (Ross 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infoflow.core.checks import classes, paired
from infoflow.core.estimate import Estimate
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.neighbors.family import NeighborInformation, Pair, Terms, digamma_table, norm
from infoflow.estimators.neighbors.limits import Ceiling, lonely
from infoflow.estimators.neighbors.preparation import Prepared, noise_generator, prepare
from infoflow.pairwise.neighbors import count_within, nearer_in_groups, nearest, open_ball_sizes


@dataclass(frozen=True)
class ClassNeighbors(NeighborInformation):
    """Mutual information of continuous x and classes y, from the neighbors within each class and in all classes.

    Parameters
    ----------
    k
        Neighbors within a class; classes of fewer than k + 1 samples use fewer.
    metric
        Norm of x: "chebyshev", "euclidean", or "auto": Chebyshev up to 6 dimensions, Euclidean beyond.
    rescale
        "standard" (unit variance, which "auto" stands for: ranks would close the gaps between classes),
        "normal-scores" or "none".
    noise
        Scale of Gaussian noise added to x, in standard deviations of each column.
    seed
        Seed of that noise.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown name.

    Notes
    -----
    I = ψ(N) + ⟨ψ(k̃)⟩ − ⟨ψ(N_y)⟩ − ⟨ψ(m)⟩ (eq. 2), with N_y the size of the sample's class, and k̃ and m the samples,
    itself included, that are strictly nearer than the k-th neighbor of its class: k̃ in the class, which is k unless
    distances are tied, and m in all classes. Where that neighbor is at distance 0 they count the duplicates, so
    constant, rounded and discrete x are correct too. Samples alone in their class are left out, with a warning. The
    ceiling is H(Y).

    References
    ----------
    Ross (2014), Mutual Information between Discrete and Continuous Data Sets, PLoS ONE 9(2): e87357.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.random.default_rng(0).integers(2, size=2000)
    >>> x = 10 * y + np.random.default_rng(1).normal(size=2000)  # the class can be read off
    >>> ClassNeighbors().estimate(x, y).bits
    1.0
    """

    def estimate(self, x: Any, y: Any, *, quantity: str = "I(X;Y)", names: tuple[str, str] = ("x", "y")) -> Estimate:
        """Estimate I(X;Y) in nats.

        Parameters
        ----------
        x : array-like of shape (n, ...)
            Continuous samples.
        y : array-like of shape (n,)
            Classes.
        quantity
            What the estimate is called.
        names
            What messages call x and y.

        Returns
        -------
        Estimate
            A point estimate.

        Raises
        ------
        InvalidArgument
            If x is not finite numbers, y not classes, or their lengths differ; `TooFewSamples` for n < 3, or where no
            class holds two samples.

        Examples
        --------
        >>> ClassNeighbors(k=1).estimate([0.0, 0.1, 5.0, 5.1], [0, 0, 1, 1]).saturated
        True
        """
        return self._information(x, y, quantity, names)

    def pointwise(self, x: Any, y: Any) -> NDArray[np.float64]:
        """Pointwise information (n,) in nats; 0 for samples alone in their class, which the estimate leaves out.

        Parameters
        ----------
        x : array-like of shape (n, ...)
            Continuous samples.
        y : array-like of shape (n,)
            Classes.

        Returns
        -------
        numpy.ndarray of shape (n,)
            Nats per sample; the mean over the others is the estimate before it is cut at H(Y).

        Raises
        ------
        InvalidArgument
            If x is not finite numbers, y not classes, or their lengths differ; `TooFewSamples` for n < 3, or where no
            class holds two samples.

        Examples
        --------
        >>> ClassNeighbors(k=1).pointwise([0.0, 0.1, 5.0, 5.1], [0, 0, 1, 1]).tolist()  # ψ(4) - ψ(2) = 1/2 + 1/3
        [0.8333, 0.8333, 0.8333, 0.8333]
        """
        return self._pointwise(x, y)

    def _prepare(self, x: Any, y: Any, names: tuple[str, str]) -> Pair:
        left = prepare(
            x,
            names[0],
            rescale=self.rescaling,
            minimum=3,
            noise=self.noise,
            generator=noise_generator(self.seed),
        )
        codes, count = classes(y, names[1])
        paired(left.values, codes, *names)
        lonely(codes, names[1])
        # One column of codes, or none where there is only one class.
        column = codes.to(left.values.device)[:, None][:, : min(1, count - 1)]
        return Pair(left, Prepared(column, (), 0.0, symbols=True), names)

    def _dimensions(self, pair: Pair) -> int:
        return pair.x.values.shape[1]

    def _ceiling(self, pair: Pair) -> Ceiling:
        codes = pair.y.values[:, 0] if not pair.y.constant else torch.zeros(pair.n, dtype=torch.int64)
        return Ceiling(float(plug_in(torch.bincount(codes))), "H(Y)")

    def _terms(self, pair: Pair) -> Terms:
        return self._terms_for(pair, [self.k])[0]

    def _terms_for(self, pair: Pair, numbers: Sequence[int]) -> list[Terms]:
        """The terms for each number of neighbors."""
        x, codes = pair.x.values, pair.y.values[:, 0]
        sizes = torch.bincount(codes)[codes]
        used = sizes > 1  # the others have no neighbor in their class
        alone = pair.n - int(used.sum())
        if alone:
            x, codes, sizes = x[used], codes[used], sizes[used]
        warnings: tuple[str, ...] = ()
        if alone:
            warnings = (
                f"{alone} of {pair.n} samples {'is' if alone == 1 else 'are'} alone in a class of {pair.names[1]} and "
                f"{'was' if alone == 1 else 'were'} left out, so the estimate covers the other classes only; merge "
                "rare classes, or convert the integers to float if they are quantities",
            )
        ceiling = self._ceiling(pair)
        if not len(x):
            nothing = Terms(torch.zeros(pair.n, dtype=torch.float64, device=x.device), ceiling, warnings, used)
            return [nothing] * len(numbers)
        table = torch.from_numpy(digamma_table(len(x))).to(x.device)
        outside = table[len(x) - 1] - table[sizes - 1]
        found = []
        for inside, near in self._nearer(x, codes, numbers):
            values = outside + table[inside - 1] - table[near - 1]
            if alone:
                every = torch.zeros(pair.n, dtype=torch.float64, device=x.device)
                every[used] = values
                values = every
            found.append(Terms(values, ceiling, warnings, used if alone else None))
        return found

    def _nearer(self, x: Tensor, codes: Tensor, numbers: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        """For each number k, samples nearer than the k-th neighbor of the own class, in the class and in all (n,)."""
        if x.shape[1] == 1:
            return nearer_in_groups(x[:, 0], codes, numbers)
        metric, found = norm(self.metric, x.shape[1]), []
        for k in numbers:
            radius = torch.zeros(len(x), dtype=torch.float64, device=x.device)
            inside = torch.zeros_like(codes)
            for label in torch.bincount(codes).nonzero()[:, 0]:
                own = codes == label
                distance = nearest(x[own], min(k, int(own.sum()) - 1), metric=metric)[0]
                radius[own] = distance[:, -1]
                inside[own] = open_ball_sizes([x[own]], distance)
            found.append((inside, count_within(x, radius, metric=metric) + 1))
        return found


@dataclass(frozen=True)
class WithFewer:
    """An estimate within classes, its terms (n,), and those of fewer neighbors."""

    estimate: Estimate
    terms: NDArray[np.float64]
    fewer: NDArray[np.float64]

    @classmethod
    def of(cls, estimator: ClassNeighbors, x: Any, y: Any, fewer: int) -> WithFewer:
        """The results of samples x (n, ...) and classes y (n,), which are prepared once.

        >>> found = WithFewer.of(ClassNeighbors(k=2), [0.0, 0.1, 0.2, 5.0, 5.1, 5.2], [0, 0, 0, 1, 1, 1], 1)
        >>> found.estimate.nats, found.fewer.round(4).tolist()
        (0.6931, [0.7833, 0.7833, 0.7833, 0.7833, 0.7833, 0.7833])
        """
        pair = estimator._prepare(x, y, ("x", "y"))
        if pair.constant:
            return cls(estimator._described(pair, None), np.zeros(pair.n), np.zeros(pair.n))
        found = estimator._terms_for(pair, [estimator.k, fewer])
        return cls(estimator._described(pair, found[0]), *(each.values.cpu().numpy() for each in found))
