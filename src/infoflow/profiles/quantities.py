"""Quantities of a profile by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.estimators.streaming.covariance import CovarianceSpectrum
from infoflow.estimators.streaming.soft_entropy import SoftEntropy

Make = Callable[[int], RowAccumulator]
"""Makes an accumulator for activations of so many dimensions."""

DEFAULT = ("soft-entropy", "covariance")
"""Quantities that cost little beside the forward pass."""


def available(seed: int) -> dict[str, Make]:
    """All quantities of single rows by name.

    Parameters
    ----------
    seed
        Seed of random references and of shuffled labels.

    Returns
    -------
    dict of functions
        Each makes an accumulator for activations of so many dimensions.

    Examples
    --------
    >>> list(available(0))
    ['soft-entropy', 'covariance']
    """
    return {
        "soft-entropy": lambda dimensions: SoftEntropy(seed=seed, center=True).accumulator(dimensions=dimensions),
        "covariance": lambda dimensions: CovarianceSpectrum().accumulator(dimensions=dimensions),
    }


def chosen(quantities: str | Sequence[str] | Mapping[str, Make], seed: int) -> dict[str, Make]:
    """The quantities that a caller names, or makes.

    Parameters
    ----------
    quantities
        "default", "all", a name, names, or a mapping from names to functions.
    seed
        Seed of random references and of shuffled labels.

    Returns
    -------
    dict of functions
        Each makes an accumulator for activations of so many dimensions.

    Raises
    ------
    UnknownName
        If there is no quantity of a name.

    Examples
    --------
    >>> list(chosen("covariance", 0))
    ['covariance']
    """
    if isinstance(quantities, Mapping):
        if not quantities:
            raise InvalidArgument("quantities", "at least one", got_text="none")
        return dict(quantities)
    known = available(seed)
    if isinstance(quantities, str):
        quantities = {"default": DEFAULT, "all": tuple(known)}.get(quantities, (quantities,))
    for name in quantities:
        if name not in known:
            raise UnknownName("quantity", name, [*known, "default", "all"])
    return {name: known[name] for name in quantities}
