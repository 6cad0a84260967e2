"""Features that a critic starts from: canonical pairs, their Gaussian log density ratio, and radii."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.bounds import infonce
from infoflow.critics import Bilinear, Concatenated, Separable, split_pairs
from infoflow.estimators.gaussian.canonical_pairs import columns, spectrum
from infoflow.estimators.preprocessing import Preprocessing, learn

# Larger correlations are set to this, so that scores are finite where x determines y.
_STRONGEST = 0.999

# Numbers of canonical pairs to try, and the largest.
_COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_MOST = 64

# With fewer samples per column, canonical pairs do not generalize.
_SAMPLES_PER_COLUMN = 4

# Candidates of a row where validation samples decide between sets of pairs.
_BLOCK = 384

# Standardized columns are clipped here, so that no outlier dominates a covariance.
_FARTHEST = 4.0


class Form(NamedTuple):
    """What the widths of one variable depend on; no transform changes it."""

    columns: int
    classes: bool

    @property
    def has_radius(self) -> bool:
        return not self.classes and self.columns > 1


@dataclass(frozen=True)
class Described:
    """One variable on the training, validation and report samples: preprocessed, and standardized."""

    values: Sequence[Tensor]
    standard: Sequence[Tensor]
    classes: bool

    @classmethod
    def of(cls, raw: Tensor, parts: Sequence[Tensor], classes: bool, preprocessing: Preprocessing) -> Described:
        """Learn both transforms on the training samples alone; one-hot coded classes are not transformed."""
        transform = learn(raw[parts[0]], "none" if classes else preprocessing)
        values = [transform(raw[rows]) for rows in parts]
        if classes:
            return cls(values, values, classes)
        standard = learn(raw[parts[0]], "standardize")
        return cls(values, [standard(raw[rows]).clamp(-_FARTHEST, _FARTHEST) for rows in parts], classes)

    @property
    def form(self) -> Form:
        return Form(self.values[0].shape[1], self.classes)

    @property
    def has_radius(self) -> bool:
        return self.form.has_radius

    def radius(self, part: int) -> Tensor:
        """(n, 1) log of the root mean square, scaled to a spread of about 1; (n, 0) for one column or classes."""
        values = self.values[part]
        if not self.has_radius:
            return values[:, :0]
        return (values.square().mean(1, keepdim=True) + 1e-3).log() * math.sqrt(values.shape[1] / 2)

    def with_radius(self, part: int) -> Tensor:
        """The columns, the radius, and their products: dependence through the radius is linear in these."""
        radius = self.radius(part)
        return torch.cat([self.values[part], radius, radius * self.values[part]], 1) if self.has_radius else radius


@dataclass(frozen=True)
class Pairs:
    """Normalized canonical variates u, v (n, K) of each part, and their correlations (K,) on the training samples."""

    u: Sequence[Tensor]
    v: Sequence[Tensor]
    rho: Tensor
    held_out: float
    """InfoNCE of the Gaussian log ratio on the validation samples, in nats."""

    def factors(self, part: int) -> tuple[Tensor, Tensor]:
        """Rows whose inner products are the Gaussian log ratio Σ_k ρuv/(1−ρ²) − ρ²(u²+v²)/2(1−ρ²) − ½log(1−ρ²)."""
        u, v, rho = self.u[part], self.v[part], self.rho
        share = 1 / (1 - rho.square())
        of_u = (share.log() / 2 - rho.square() * share * u.square() / 2).sum(1, keepdim=True)
        of_v = -(rho.square() * share * v.square() / 2).sum(1, keepdim=True)
        one = torch.ones_like(of_u)
        return torch.cat([one, of_u, rho * share * u], 1), torch.cat([of_v, one, v], 1)

    def first(self, count: int) -> Pairs:
        return Pairs([u[:, :count] for u in self.u], [v[:, :count] for v in self.v], self.rho[:count], 0.0)


def pairs_width(x: Form, y: Form) -> int:
    """The largest number of pairs that `head_start` returns for these forms, so that equal forms stack."""
    return min(_MOST, *(2 * side.columns + 1 if side.has_radius else side.columns for side in (x, y)))


def head_start(x: Described, y: Described) -> Pairs:
    """The canonical pairs with the highest value on the validation samples; none if no value is above 0.

    Three descriptions of each side compete: the preprocessed columns, these with their radius and its products, and the
    standardized columns. Canonical correlation analysis of the training samples gives the pairs, each variate is mapped
    to a normal one, and InfoNCE of the Gaussian log ratio on the validation samples selects description and number.
    """
    best = _nothing(x, y)
    for left, right in _descriptions(x, y):
        found = _canonical(left, right)
        if found is not None and found.held_out > best.held_out:
            best = found
    return best


def _nothing(x: Described, y: Described) -> Pairs:
    return Pairs([part[:, :0] for part in x.values], [part[:, :0] for part in y.values], x.values[0].new_zeros(0), 0.0)


def _descriptions(x: Described, y: Described) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    yield list(x.values), list(y.values)
    if x.has_radius or y.has_radius:
        left, right = ([s.with_radius(k) if s.has_radius else s.values[k] for k in range(3)] for s in (x, y))
        yield left, right
    if not (x.classes and y.classes):
        yield list(x.standard), list(y.standard)


def _canonical(x: Sequence[Tensor], y: Sequence[Tensor]) -> Pairs | None:
    if len(x[0]) < _SAMPLES_PER_COLUMN * (x[0].shape[1] + y[0].shape[1]):
        return None
    found = spectrum(columns(x[0].double(), "x"), columns(y[0].double(), "y"))
    count = min(found.significant(), _MOST)
    if count == 0:
        return None
    u, v = _normal(x, found.x[:, :count]), _normal(y, found.y[:, :count])
    rho = (u[0] * v[0]).mean(0) / (u[0].square().mean(0) * v[0].square().mean(0)).sqrt().clamp(min=1e-6)
    every = Pairs(u, v, rho.clamp(-_STRONGEST, _STRONGEST), 0.0)
    tried = [every.first(c) for c in sorted({c for c in _COUNTS if c < count} | {count})]
    return max((Pairs(p.u, p.v, p.rho, _held_out(p)) for p in tried), key=lambda p: p.held_out)


def _normal(parts: Sequence[Tensor], variates: Tensor) -> list[Tensor]:
    """The variates of the training samples, which are linear in the columns, on all parts, each mapped to a normal."""
    mean = parts[0].mean(0)
    weights = torch.linalg.pinv((parts[0] - mean).double()) @ variates
    linear = [((part - mean).double() @ weights).to(part.dtype) for part in parts]
    transform = learn(linear[0], "gaussianize")
    return [transform(part) for part in linear]


def _held_out(pairs: Pairs) -> float:
    left, right = pairs.factors(1)
    size = min(_BLOCK, len(left))
    starts = range(0, len(left) - size + 1, size)
    blocks = [infonce(*split_pairs(left[s : s + size] @ right[s : s + size].mT)) for s in starts]
    return float(torch.stack(blocks).mean())


class Residual(nn.Module):
    """Scores of a critic added to a given log ratio, whose factors are the last `width` columns of x and of y.

    The critic starts as 0, so that the sum starts as the ratio plus the `offset` of the bound's optimum.
    """

    def __init__(self, critic: nn.Module, width: int, offset: float) -> None:
        super().__init__()
        self.critic, self.width, self.offset = critic, width, offset
        with torch.no_grad():
            _silence(critic)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        w = self.width
        if isinstance(self.critic, Separable):  # one product and one table for both
            f, g = self.critic.embed(x[:, :-w], y[:, :-w])
            table = torch.cat([f, x[:, -w:]], 1) @ torch.cat([g, y[:, -w:]], 1).mT
            return split_pairs(table + self.offset if self.offset else table)  # 0 would be one more pass
        positive, negative = self.critic(x[:, :-w], y[:, :-w])
        own, others = split_pairs(x[:, -w:] @ y[:, -w:].mT + self.offset)
        return positive + own, negative + others


def _silence(critic: nn.Module) -> None:
    """Set to 0 the weights that make all scores 0 and still have a gradient."""
    weights: list[Tensor] = []
    if isinstance(critic, Separable):
        x_layers = [layer for layer in (critic.x_network[-1], critic.x_shortcut) if layer is not None]
        y_layers = [layer for layer in (critic.y_network[-1], critic.y_shortcut) if layer is not None]
        weights += [w for layer in y_layers for w in layer.parameters()]  # the embedding of y, and b(y)
        weights += [w[-1] for layer in x_layers for w in layer.parameters()]  # a(x)
    elif isinstance(critic, Concatenated):
        weights += list(critic.rest.children())[-1].parameters()
    elif isinstance(critic, Bilinear):
        weights += [*critic.interaction.parameters(), *critic.y_part.parameters()]
    for weight in weights:
        weight.zero_()


def critic_columns(x: Described, y: Described, pairs: Pairs, part: int, *, whole: bool) -> tuple[Tensor, Tensor]:
    """Inputs of `Residual`: variates, radius, columns (zeros unless `whole`), and the factors of the ratio."""
    width = pairs_width(x.form, y.form)
    sides = []
    for side, variates, factor in zip((x, y), (pairs.u[part], pairs.v[part]), pairs.factors(part), strict=True):
        values = side.values[part] if whole else torch.zeros_like(side.values[part])
        variates = F.pad(variates, (0, width - variates.shape[1]))
        sides.append(
            torch.cat([variates, side.radius(part), values, F.pad(factor, (0, width + 2 - factor.shape[1]))], 1)
        )
    return sides[0], sides[1]
