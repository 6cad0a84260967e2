"""Distributions that a representation may be asked to follow: how to draw from one, and how to enter its support."""

from __future__ import annotations

import abc
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.checks import choice, positive
from infoflow.core.errors import InvalidArgument


class Prior(abc.ABC):
    """A distribution of vectors: `sample` draws from it, `squash` maps any vector into its support.

    >>> issubclass(Uniform, Prior), sorted(PRIORS)
    (True, ['ball', 'gaussian', 'sphere', 'uniform'])
    """

    @abc.abstractmethod
    def sample(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """As many vectors as `like` (n, features) has, of its type and on its device."""

    @abc.abstractmethod
    def squash(self, y: Tensor) -> Tensor:
        """Vectors of any size (n, features) as vectors inside the support."""

    @abc.abstractmethod
    def outside(self, y: Tensor) -> Tensor:
        """Which of the vectors (n, features) lie outside the support: boolean (n,)."""

    def require(self, y: Tensor) -> Tensor:
        """y itself. Raises InvalidArgument where vectors lie outside the support: no density can be matched there."""
        count = int(self.outside(y.detach()).sum())
        if count:
            raise InvalidArgument(
                f"{count} of {len(y)} vectors lie outside the support of {self}; want them squashed into it "
                "(squash=True), or another prior"
            )
        return y


@dataclass(frozen=True)
class Uniform(Prior):
    """Independent and uniform between `low` and `high`; a sigmoid leads into it. Deep InfoMax's own prior is U[0, 1].

    >>> Uniform().squash(torch.zeros(1, 2))
    tensor([[0.5000, 0.5000]])
    """

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InvalidArgument(f"low is {self.low} and high {self.high}; want low < high")

    def sample(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        draw = torch.rand(like.shape, generator=generator, dtype=like.dtype, device=like.device)
        return self.low + (self.high - self.low) * draw

    def squash(self, y: Tensor) -> Tensor:
        return self.low + (self.high - self.low) * torch.sigmoid(y)

    def outside(self, y: Tensor) -> Tensor:
        return ((y < self.low) | (y > self.high)).any(1)


@dataclass(frozen=True)
class Gaussian(Prior):
    """Independent and normal with this mean and standard deviation; its support is everything.

    >>> bool(Gaussian().outside(torch.tensor([[1e6]])))
    False
    """

    mean: float = 0.0
    deviation: float = 1.0

    def __post_init__(self) -> None:
        positive(self.deviation, "deviation")

    def sample(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        draw = torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)
        return self.mean + self.deviation * draw

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
    """Uniform on the sphere of this radius; normalization leads to it.

    >>> Sphere().squash(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """

    radius: float = 1.0

    def __post_init__(self) -> None:
        positive(self.radius, "radius")

    def sample(self, like: Tensor, generator: torch.Generator | None = None) -> Tensor:
        return self.squash(torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device))

    def squash(self, y: Tensor) -> Tensor:
        return self.radius * _direction(y)[0]

    def outside(self, y: Tensor) -> Tensor:
        return (y.square().sum(1).sqrt() - self.radius).abs() > 1e-3 * self.radius


@dataclass(frozen=True)
class Ball(Prior):
    """Uniform in the ball of this radius; the norm goes through tanh to enter it.

    >>> Ball().squash(torch.tensor([[30.0, 40.0]]))
    tensor([[0.6000, 0.8000]])
    """

    radius: float = 1.0

    def __post_init__(self) -> None:
        positive(self.radius, "radius")

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
    """A prior, given itself or its name. Raises UnknownName.

    >>> prior_by_name("uniform")
    Uniform(low=0.0, high=1.0)
    """
    if isinstance(prior, Prior):
        return prior
    return PRIORS[choice(prior, "prior", PRIORS)]()
