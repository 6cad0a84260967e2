"""Prior distributions of a representation: how to sample from one, and how to map vectors into its support."""

from __future__ import annotations

import abc
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import FiniteFloat, OneOf, PositiveFloat, Settings, check


class Prior(Settings, abc.ABC):
    """Base class of distributions of vectors; a subclass is a frozen dataclass with the three abstract methods.

    Examples
    --------
    >>> issubclass(Uniform, Prior), sorted(PRIORS)
    (True, ['ball', 'gaussian', 'sphere', 'uniform'])
    """

    @abc.abstractmethod
    def sample(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Sample as many vectors as `like` (n, features) has, of its type and on its device.

        Parameters
        ----------
        like : Tensor of shape (n, features)
            Tensor of the same shape, type and device.
        generator
            Random generator; by default torch's global one.
        """

    @abc.abstractmethod
    def squash(self, y: Tensor) -> Tensor:
        """Map any vectors (n, features) into the support.

        Parameters
        ----------
        y : Tensor of shape (n, features)
            Vectors.
        """

    @abc.abstractmethod
    def outside(self, y: Tensor) -> Tensor:
        """Find the vectors (n, features) outside of the support: boolean (n,).

        Parameters
        ----------
        y : Tensor of shape (n, features)
            Vectors.
        """

    def require(self, y: Tensor) -> Tensor:
        """Return y.

        Parameters
        ----------
        y : Tensor of shape (n, features)
            Vectors.

        Raises
        ------
        InvalidArgument
            If vectors lie outside of the support.
        """
        count = int(self.outside(y.detach()).sum())
        if count:
            remedy = "Map them into it with squash=True, or use another prior."
            found = f"{count} of {len(y)} vectors outside of it"
            raise InvalidArgument("y", f"in the support of {self}", got_text=found, remedy=remedy)
        return y


@dataclass(frozen=True)
class Uniform(Prior):
    """Independent uniform features; a sigmoid maps into the interval.

    Parameters
    ----------
    low
        Lower end.
    high
        Upper end. The default U[0, 1] is that of Deep InfoMax.

    Raises
    ------
    InvalidArgument
        If `low` is not below `high`.

    Examples
    --------
    >>> Uniform().squash(torch.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    """

    low: FiniteFloat = 0.0
    high: FiniteFloat = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low < self.high:
            raise InvalidArgument("low", f"below high ({self.high})", self.low)

    def sample(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        draw = torch.rand(like.shape, generator=generator, dtype=like.dtype, device=like.device)
        return self.low + (self.high - self.low) * draw

    def squash(self, y: Tensor) -> Tensor:
        return self.low + (self.high - self.low) * torch.sigmoid(y)

    def outside(self, y: Tensor) -> Tensor:
        return ((y < self.low) | (y > self.high)).any(1)


@dataclass(frozen=True)
class Gaussian(Prior):
    """Independent Gaussian features; the support is everything.

    Parameters
    ----------
    mean
        Mean of every feature.
    scale
        Standard deviation of every feature.

    Raises
    ------
    InvalidArgument
        If a parameter is out of range.

    Examples
    --------
    >>> bool(Gaussian().outside(torch.tensor([[1e6]])))
    False
    """

    mean: FiniteFloat = 0.0
    scale: PositiveFloat = 1.0

    def sample(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        draw = torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)
        return self.mean + self.scale * draw

    def squash(self, y: Tensor) -> Tensor:
        return y

    def outside(self, y: Tensor) -> Tensor:
        return ~torch.isfinite(y).all(1)


def _direction(y: Tensor) -> tuple[Tensor, Tensor]:
    """y / ‖y‖ and ‖y‖ (n, 1), with a gradient at 0 too."""
    norm = (y.square().sum(1, keepdim=True) + torch.finfo(y.dtype).tiny).sqrt()
    return y / norm, norm


@dataclass(frozen=True)
class Sphere(Prior):
    """Uniform on a sphere; normalization maps onto it.

    Parameters
    ----------
    radius
        Radius of the sphere.

    Raises
    ------
    InvalidArgument
        If the radius is not positive.

    Examples
    --------
    >>> Sphere().squash(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """

    radius: PositiveFloat = 1.0

    def sample(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return self.squash(torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device))

    def squash(self, y: Tensor) -> Tensor:
        return self.radius * _direction(y)[0]

    def outside(self, y: Tensor) -> Tensor:
        return (y.square().sum(1).sqrt() - self.radius).abs() > 1e-3 * self.radius


@dataclass(frozen=True)
class Ball(Prior):
    """Uniform in a ball; the tanh of the norm maps into it.

    Parameters
    ----------
    radius
        Radius of the ball.

    Raises
    ------
    InvalidArgument
        If the radius is not positive.

    Examples
    --------
    >>> Ball().squash(torch.tensor([[30.0, 40.0]]))
    tensor([[0.6000, 0.8000]])
    """

    radius: PositiveFloat = 1.0

    def sample(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        direction, _ = _direction(torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device))
        volume = torch.rand(len(like), 1, generator=generator, dtype=like.dtype, device=like.device)
        return self.radius * direction * volume ** (1 / like.shape[1])

    def squash(self, y: Tensor) -> Tensor:
        direction, norm = _direction(y)
        return self.radius * direction * norm.tanh()

    def outside(self, y: Tensor) -> Tensor:
        return y.square().sum(1).sqrt() > self.radius * (1 + 1e-3)


PRIORS: dict[str, type[Prior]] = {"uniform": Uniform, "gaussian": Gaussian, "ball": Ball, "sphere": Sphere}


def prior_by_name(prior: str | Prior) -> Prior:
    """Return a prior, given itself or its name.

    Parameters
    ----------
    prior
        One of `PRIORS`, which is created with its defaults, or a prior.

    Raises
    ------
    UnknownName
        If there is no such prior.

    Examples
    --------
    >>> prior_by_name("uniform")
    Uniform(low=0.0, high=1.0)
    """
    if isinstance(prior, Prior):
        return prior
    return PRIORS[check(prior, "prior", OneOf(tuple(PRIORS)))]()
