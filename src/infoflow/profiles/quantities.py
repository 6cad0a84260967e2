"""Quantities of a profile by name, and which of them apply to a network and its batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.estimators.streaming.accumulator import Accumulator
from infoflow.estimators.streaming.covariance import CovarianceSpectrum
from infoflow.estimators.streaming.gaussian_information import GaussianInformation
from infoflow.estimators.streaming.logit_lens import LogitLens
from infoflow.estimators.streaming.probe_information import ProbeInformation
from infoflow.estimators.streaming.sequences import Curvature, PromptEntropy
from infoflow.estimators.streaming.soft_entropy import SoftEntropy
from infoflow.estimators.streaming.views import ViewMeasures
from infoflow.profiles.survey import Survey

Make = Callable[[int], Accumulator | None]
"""Makes an accumulator for activations of so many dimensions; None where the quantity does not apply to them."""

Unembedding = Callable[[Tensor], Tensor]
"""Function from activations (n, d) to logits (n, V)."""

DEFAULT = ("soft-entropy", "covariance")
"""Quantities that cost little compared with the forward pass."""

NAMES = (*DEFAULT, "prompt-entropy", "curvature", "views", "probe", "gaussian", "logit-lens")
"""All quantities. "probe" and "gaussian" are measured for each label set."""


class NotApplicable(InvalidArgument):
    """A quantity does not apply to the network or its batches."""


def makers(name: str, seed: int, known: Survey, unembedding: Unembedding | None) -> Iterator[tuple[str, Make]]:
    """Yield the accumulators of a quantity, by names that are unique within a profile.

    Parameters
    ----------
    name
        One of `NAMES`.
    seed
        Seed of random references, samples and shuffled labels.
    known
        What the batches hold.
    unembedding
        The unembedding of the network, where it has one.

    Yields
    ------
    tuple of str and function
        Name and maker.

    Raises
    ------
    NotApplicable
        If the quantity does not apply.

    Examples
    --------
    >>> [found for found, _ in makers("probe", 0, Survey(None, {"class": 3}, False), None)]
    ['probe of class']
    """
    if name == "soft-entropy":
        yield name, lambda d: SoftEntropy(seed=seed, center=True).accumulator(dimensions=d)
    elif name == "covariance":
        yield name, lambda d: CovarianceSpectrum().accumulator(dimensions=d)
    elif name in ("prompt-entropy", "curvature", "views"):
        if not known.sequences:
            raise NotApplicable(f"{name} requires sequences of tokens, which these batches do not hold.")
        if name == "views":
            yield name, lambda d: ViewMeasures(seed=seed).accumulator(dimensions=d)
        elif name == "curvature":
            yield name, lambda d: Curvature().accumulator(dimensions=d)
        else:
            yield name, lambda d: PromptEntropy().accumulator(dimensions=d)
    elif name in ("probe", "gaussian"):
        if not known.classes:
            raise NotApplicable(f"{name} requires labels with a known number of classes, which these batches lack.")
        for label, classes in known.classes.items():
            yield f"{name} of {label}", _labeled(name, seed, label, classes)
    else:
        if unembedding is None or known.codes is None or "next" not in known.classes:
            raise NotApplicable(
                "logit-lens requires the label 'next' and an unembedding. Pass unembedding=..., a function from "
                "activations to logits, where the network has no get_output_embeddings()."
            )
        yield name, _lens(seed, known, unembedding)


def available(seed: int) -> dict[str, Make]:
    """The quantities of single rows that apply to every network, by name.

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
    return chosen("default", seed, Survey(None, {}, sequences=False))


def chosen(
    quantities: str | Sequence[str] | Mapping[str, Make],
    seed: int,
    known: Survey,
    unembedding: Unembedding | None = None,
) -> dict[str, Make]:
    """The quantities that a caller names, or makes.

    Parameters
    ----------
    quantities
        "default", "all" (those that apply), a name, names, or a mapping from names to functions.
    seed
        Seed of random references and of shuffled labels.
    known
        What the batches hold.
    unembedding
        The unembedding of the network, where it has one.

    Returns
    -------
    dict of functions
        Each makes an accumulator for activations of so many dimensions.

    Raises
    ------
    UnknownName
        If there is no quantity of a name.
    InvalidArgument
        If none is chosen, or one does not apply.

    Examples
    --------
    >>> list(chosen("all", 0, Survey(None, {}, False)))
    ['soft-entropy', 'covariance']
    """
    if isinstance(quantities, Mapping):
        if not quantities:
            raise InvalidArgument("quantities", "at least one", got_text="none")
        return dict(quantities)
    names = {"default": DEFAULT, "all": NAMES}.get(quantities) if isinstance(quantities, str) else tuple(quantities)
    names = (str(quantities),) if names is None else names
    found: dict[str, Make] = {}
    for name in names:
        if name not in NAMES:
            raise UnknownName("quantity", name, [*NAMES, "default", "all"])
        try:
            found |= dict(makers(name, seed, known, unembedding))
        except NotApplicable:
            if quantities != "all":
                raise
    if not found:
        raise InvalidArgument("quantities", "at least one", got_text="none")
    return found


def _labeled(name: str, seed: int, label: str, classes: int) -> Make:
    if name == "probe":
        return lambda d: ProbeInformation(seed=seed).accumulator(d, label, classes=classes)
    return lambda d: GaussianInformation(seed=seed).accumulator(d, label, classes=classes)


def _lens(seed: int, known: Survey, unembedding: Unembedding) -> Make:
    """The lens for activations that the unembedding accepts."""

    def make(dimensions: int) -> Accumulator | None:
        try:
            width = int(unembedding(torch.zeros(1, dimensions)).shape[-1])
        except (RuntimeError, ValueError, IndexError):
            return None
        assert known.codes is not None
        codes = known.codes.encode(torch.arange(width))
        return LogitLens(seed=seed).accumulator(dimensions, "next", unembedding, classes=known.codes.count, codes=codes)

    return make
