"""Discrete pairs, whose information is a finite sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, PositiveInt, Probability, Seed, validated
from infoflow.tasks.gaussian import Array

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Discrete:
    """Classes X and Y with given joint probabilities.

    Parameters
    ----------
    name
        Name of the task.
    joint : array-like of shape (a, b)
        Probabilities, with sum 1.

    Raises
    ------
    InvalidArgument
        If `joint` is not a matrix of numbers >= 0 with sum 1.

    Notes
    -----
    I(X;Y) = Σ p(x, y) log p(x, y) / p(x) p(y).

    References
    ----------
    Cover, Thomas: Elements of information theory, eq. 2.28.

    Examples
    --------
    >>> Discrete("copy", [[0.5, 0.0], [0.0, 0.5]]).mutual_information  # log 2
    0.6931
    """

    name: str
    joint: Any

    def __post_init__(self) -> None:
        joint = np.array(self.joint, dtype=np.float64)
        if joint.ndim != 2 or not (joint >= 0).all() or not np.isclose(joint.sum(), 1):
            raise InvalidArgument("joint", "a matrix of numbers >= 0 with sum 1", joint)
        joint /= joint.sum()
        joint.setflags(write=False)
        object.__setattr__(self, "joint", joint)

    @property
    def mutual_information(self) -> float:
        """I(X;Y) in nats."""
        return float(special.rel_entr(self.joint, np.outer(self.joint.sum(axis=1), self.joint.sum(axis=0))).sum())

    @validated
    def sample(self, n: PositiveInt, seed: Seed) -> tuple[Codes, Codes]:
        """Draw pairs; the same seed gives the same pairs.

        Parameters
        ----------
        n
            Number of pairs.
        seed
            Seed of the draw.

        Returns
        -------
        x, y : ndarray of shape (n, ...)
            The sides of the pairs.

        Examples
        --------
        >>> symmetric_channel(0.1).sample(5, seed=0)[0].dtype
        dtype('int64')
        """
        rng = np.random.default_rng(seed)
        flat = rng.choice(self.joint.size, size=n, p=self.joint.ravel())
        x, y = np.unravel_index(flat, self.joint.shape)
        return x.astype(np.int64), y.astype(np.int64)

    def pointwise(self, x: Codes, y: Codes) -> Array:
        """Return the pointwise information log p(x, y) / p(x) p(y).

        Parameters
        ----------
        x, y : ndarray of shape (n, ...)
            Points in the form of `sample`.

        Returns
        -------
        ndarray of shape (n,)
            Pointwise information in nats; its mean under the joint distribution is I(X;Y).

        Examples
        --------
        >>> symmetric_channel(0.1).pointwise(np.array([0]), np.array([0]))  # log 1.8
        array([0.5878])
        """
        joint = self.joint
        return np.asarray(np.log(joint[x, y]) - np.log(joint.sum(axis=1)[x]) - np.log(joint.sum(axis=0)[y]))


@validated
def symmetric_channel(error: Probability, symbols: Annotated[int, Integer(2)] = 2) -> Discrete:
    """Create uniform symbols, each received as one of the others, evenly, with probability `error`.

    Parameters
    ----------
    error
        Probability ε of a wrong symbol.
    symbols
        Number m of symbols.

    Returns
    -------
    Discrete
        The task, with I = log m - H_b(ε) - ε log(m - 1) nats.

    Examples
    --------
    >>> symmetric_channel(0.1).mutual_information  # log 2 - H_b(0.1)
    0.3681
    """
    joint = np.full((symbols, symbols), error / (symbols - 1))
    np.fill_diagonal(joint, 1 - error)
    return Discrete(f"symmetric-channel-{symbols}-{error:g}", joint / symbols)


@validated
def erasure_channel(erased: Probability, symbols: Annotated[int, Integer(2)] = 2) -> Discrete:
    """Create uniform symbols, each received unchanged or, with probability `erased`, as one further symbol.

    Parameters
    ----------
    erased
        Probability ε of an erasure.
    symbols
        Number m of symbols.

    Returns
    -------
    Discrete
        The task, with I = (1 - ε) log m nats.

    Examples
    --------
    >>> erasure_channel(0.25).mutual_information  # 0.75 log 2
    0.5199
    """
    joint = np.concatenate([(1 - erased) * np.eye(symbols), np.full((symbols, 1), erased)], axis=1)
    return Discrete(f"erasure-channel-{symbols}-{erased:g}", joint / symbols)
