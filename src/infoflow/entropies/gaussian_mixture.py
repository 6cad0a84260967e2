"""Monte-Carlo information of a Gaussian mixture with one component per sample, in blocks.

All estimates are means of the log ratio log φ_i(z)/p(z) of a draw's own component to the whole mixture.
The ratio never exceeds log n, is exactly 0 where all components coincide and log n where they
are far apart: subtracting the noise's own energy removes most of the Monte-Carlo variance.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, NamedTuple

import torch
from torch import Tensor

from infoflow.core.checks import SMALLEST_SQUARABLE, classes, paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, PositiveFloat, Seed, validated
from infoflow.pairwise.exponentials import row_log_sums

# Log ratios held at a time: 32 MiB of float64.
_PAIRS = 1 << 22

Draws = Annotated[int, Integer(2)]


class MonteCarlo(NamedTuple):
    """A mean in nats, and its standard error over the random draws.

    Parameters
    ----------
    nats
        The mean.
    error
        The standard error.

    Examples
    --------
    >>> MonteCarlo(2.5, 0.1).error
    0.1
    """

    nats: float
    error: float


class MixtureInformation(NamedTuple):
    """Information of a noisy sample about its component, and about its component's class.

    Parameters
    ----------
    component
        I(T; Z) in nats.
    label
        I(Y; Z) in nats, or None without labels.

    Examples
    --------
    >>> noisy_information(torch.tensor([[0.0], [100.0]]), 1.0).label is None  # no labels were given
    True
    """

    component: MonteCarlo
    label: MonteCarlo | None


@validated
def noisy_information(
    centers: Tensor, variance: PositiveFloat, labels: Tensor | None = None, *, draws: Draws = 8, seed: Seed = 0
) -> MixtureInformation:
    """I(T; T+ε) for T uniform on the centers and ε ~ N(0, σ²I), and I(Y; T+ε) for integer labels.

    Parameters
    ----------
    centers : torch.Tensor of shape (n, ...)
        Values of T.
    variance
        σ².
    labels : torch.Tensor of shape (n,)
        Classes of the centers.
    draws
        Draws per component.
    seed
        Seed of the draws.

    Returns
    -------
    MixtureInformation
        Both in nats: means of log φ_i(z)/p(z) and of log p_y(z)/p(z) over the same draws z, with p_y the mixture of the
        components of class y.

    Raises
    ------
    InvalidArgument
        If the centers are not finite numbers, the lengths differ, or a setting is outside of its range.

    Examples
    --------
    >>> far = noisy_information(torch.tensor([[0.0], [100.0]]), 1.0)
    >>> round(far.component.nats, 4)   # log 2
    0.6931
    """
    t = samples(centers, "centers", minimum=1, dtype=torch.float64)
    sigma = math.sqrt(variance)
    t = (t - t.mean(0)) / sigma
    norms = t.square().sum(1)

    def ratios(rows: slice, noise: Tensor) -> Tensor:
        # log φ_j(z)/φ_i(z) = −½‖t_i−t_j‖² − ε·(t_i−t_j) for z = t_i + ε: the noise's own energy cancels.
        own = t[rows]
        products = (own + noise) @ t.mT
        energy = (own * (own / 2 + noise)).sum(1, keepdim=True)
        return products.sub_(energy).sub_(norms / 2)

    return _information(t, labels, ratios, draws, seed)


@validated
def multiplied_information(
    centers: Tensor, sigma: PositiveFloat, labels: Tensor | None = None, *, draws: Draws = 8, seed: Seed = 0
) -> MixtureInformation:
    """I(F; Z) for F uniform on the centers and Z = F∘(1 + σε), ε ~ N(0, I), and I(Y; Z) for integer labels.

    Parameters
    ----------
    centers : torch.Tensor of shape (n, ...)
        Values of F.
    sigma
        σ.
    labels : torch.Tensor of shape (n,)
        Classes of the centers.
    draws
        Draws per component.
    seed
        Seed of the draws.

    Returns
    -------
    MixtureInformation
        Both in nats.

    Raises
    ------
    InvalidArgument
        If the centers are not finite numbers, the lengths differ, or a setting is outside of its range.

    Notes
    -----
    Component j is N(f_j, σ² diag f_j²). A coordinate that is exactly 0 remains 0: it is an atom, so a draw with it can
    only come from components with zeros at the same places.

    Examples
    --------
    >>> signs = multiplied_information(torch.tensor([[1.0], [-1.0]]), 0.01)
    >>> round(signs.component.nats, 4)   # log 2
    0.6931
    """
    f = samples(centers, "centers", minimum=1, dtype=torch.float64)
    zero = f == 0
    # The scale of a coordinate carries no information; with 1 as the largest no square overflows.
    f = f / f.abs().amax(0).masked_fill(zero.all(0), 1.0)
    if bool((~zero & (f.abs() < SMALLEST_SQUARABLE)).any()):
        raise InvalidArgument(
            "centers",
            "0 or at least 1e-150 of the largest magnitude of the same coordinate",
            float(f[~zero].abs().min()),
        )
    inverse = torch.where(zero, 0.0, 1 / torch.where(zero, 1.0, f))
    scale = torch.where(zero, 0.0, torch.where(zero, 1.0, f.abs()).log()).sum(1)
    pattern = torch.unique(zero, dim=0, return_inverse=True)[1] if bool(zero.any()) else None
    squared = inverse.square()
    # ½ Σ (z/f_j − 1)²/σ², expanded so that all pairs are two matrix products.
    constant = (~zero).sum(1).double() / 2

    def ratios(rows: slice, noise: Tensor) -> Tensor:
        z = f[rows] * (1 + sigma * noise)
        exponents = z @ inverse.mT - z.square() @ squared.mT / 2 - constant
        own = (noise.square() * ~zero[rows]).sum(1, keepdim=True) / 2 + scale[rows, None]
        exponents = exponents / sigma**2 - scale + own
        if pattern is not None:
            exponents = exponents.masked_fill(pattern[rows, None] != pattern[None, :], -math.inf)
        return exponents

    return _information(f, labels, ratios, draws, seed)


def _information(
    centers: Tensor, labels: Tensor | None, ratios: Callable[[slice, Tensor], Tensor], draws: int, seed: int
) -> MixtureInformation:
    n, d = centers.shape
    generator = torch.Generator().manual_seed(seed)
    codes = None
    if labels is not None:
        codes = classes(labels, "labels")[0].to(centers.device)
        paired(centers, codes, "centers", "labels")
        prior = (torch.bincount(codes).double() / n).log()[codes]
    component, label = centers.new_empty((n, draws)), centers.new_empty((n, draws))
    height = max(1, _PAIRS // n)
    for start in range(0, n, height):
        rows = slice(start, min(start + height, n))
        index = torch.arange(rows.start, rows.stop, device=centers.device)
        for k in range(draws):
            noise = torch.randn(len(index), d, generator=generator, dtype=torch.float64).to(centers)
            values = ratios(rows, noise)
            values[index - start, index] = 0.0  # a component relative to itself, exactly
            whole = row_log_sums(values)
            component[rows, k] = math.log(n) - whole
            if codes is not None:
                own = row_log_sums(values.masked_fill_(codes[rows, None] != codes[None, :], -math.inf))
                label[rows, k] = own - whole - prior[rows]
    return MixtureInformation(_mean(component), _mean(label) if codes is not None else None)


def _mean(values: Tensor) -> MonteCarlo:
    """Draws are stratified by component, so only the spread within a component counts."""
    n, draws = values.shape
    return MonteCarlo(float(values.mean()), math.sqrt(float(values.var(1).mean()) / (n * draws)))
