"""A generative estimate of I(X;T): pixels predicted one after the other, with and without the layer."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.decomposition import PCA
from torch import Tensor, nn

from infoflow.core.checks import classes, paired, samples
from infoflow.core.denormals import denormals_as_zero
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.core.settings import Integer, PositiveInt, Seed, Settings
from infoflow.estimators import ClassifierBound
from infoflow.estimators.learned.densities.difference_of_entropies import Masked

_PART = 0.25
"""The part of the samples to report on, and as many to stop by."""
_NEGATIVE = (
    "The model given the layer predicts no better than the one without it, so the estimate is 0; "
    "more samples or epochs may help."
)


@dataclass(frozen=True)
class Generative(Settings):
    """I(X̃;T) as the cross-entropy of small pictures X̃ minus that given T, both of autoregressive models.

        Î = E[log q(x̃|t) − log q(x̃)],   q(x̃|t) = Π_i q(x̃_i | x̃_1..i−1, t)

    on samples that neither model was fitted to. X̃ is X (n, C·S·S) in gray, averaged to `side`×`side` pixels of
    `levels` levels, so that I(X̃;T) ≤ I(X;T); q are masked networks of one hidden layer with `hidden` units (Germain et
    al. 2015) that take the first `components` principal components of T. Each cross-entropy is an upper bound of an
    entropy, so their difference is no bound; a negative one occurs by chance and is reported as 0. `measure` returns it
    with `ClassifierBound` for the label. Nats. Darlow and Storkey use PixelCNN++ at full size.

    Raises
    ------
    InvalidArgument
        If the inputs are not square pictures.

    References
    ----------
    Darlow and Storkey, What information does a ResNet compress? (2020).

    Examples
    --------
    >>> pictures = torch.randint(0, 2, (400, 1, 1), generator=torch.Generator().manual_seed(0)).repeat(1, 4, 4).float()
    >>> found = Generative(side=2, levels=2, epochs=20).information(pictures.flatten(1), pictures[:, 0, :1])
    >>> 0.5 < found.nats < 0.75  # log 2
    True
    """

    side: PositiveInt = 7
    levels: Annotated[int, Integer(2)] = 4
    hidden: PositiveInt = 256
    components: PositiveInt = 32
    epochs: PositiveInt = 40
    seed: Seed = 0

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate I(X̃;T) and the classifier's bound on I(T;Y)."""
        if x is None:
            raise InvalidArgument("x", "the network's inputs, which are predicted", None)
        classes(y, "y")
        label = replace(ClassifierBound().estimate(t, y), quantity="I(T;Y)")
        return LayerInformation(self.information(x, t), label)

    def information(self, x: Any, t: Any) -> Estimate:
        """Estimate I(X̃;T) of pictures x (n, C·S·S) and a layer t (n, ...)."""
        pixels = self._small(samples(x, "x"))
        layer = samples(t, "t", dtype=torch.float64).cpu()
        paired(pixels, layer, "x", "t")
        n = len(pixels)
        given = self._features(layer.numpy(), self._parts(n)[2])
        found = _alone(self, pixels.numpy().tobytes(), n) - self._cross_entropy(pixels, given)
        return Estimate(
            max(found, 0.0),
            quantity="I(X̃;T)",
            kind=Kind.DIFFERENCE_OF_BOUNDS,
            estimator="Generative",
            n=n,
            ceiling=pixels.shape[1] * math.log(self.levels),
            ceiling_name="pixels · log levels",
            warnings=(_NEGATIVE,) if found < 0 else (),
        )

    def _small(self, x: Tensor) -> Tensor:
        """Whole numbers 0..levels−1, (n, side²)."""
        values = x.float().cpu()
        for channels in (1, 3):
            edge = math.isqrt(values.shape[1] // channels)
            if channels * edge**2 == values.shape[1]:
                break
        else:
            got = f"{values.shape[1]} values per sample"
            raise InvalidArgument("x", "square pictures of 1 or 3 channels", got_text=got)
        gray = values.reshape(len(values), channels, edge, edge).mean(1, keepdim=True)
        small = F.adaptive_avg_pool2d(gray, min(self.side, edge)).flatten(1)
        low, high = small.min(), small.max()
        scaled = (small - low) / (high - low).clamp_min(1e-12)
        return (scaled * self.levels).long().clamp_max(self.levels - 1)

    def _features(self, layer: Any, fit: Any) -> Tensor:
        count = min(self.components, layer.shape[1], len(fit))
        centered = layer - layer[fit].mean(0)
        codes = PCA(count, random_state=self.seed).fit(centered[fit]).transform(centered)
        # Components at the size of rounding errors carry no information.
        scale = np.maximum(codes[fit].std(0), 1e-9 * max(1e-300, float(np.abs(layer).max())))
        return torch.from_numpy((codes / scale).clip(-6, 6)).float()

    def _parts(self, n: int) -> list[Any]:
        """The samples to report on, to stop by, and to fit to."""
        order = np.random.default_rng(self.seed).permutation(n)
        return np.split(order, [int(_PART * n), int(2 * _PART * n)])

    @torch.inference_mode(False)
    @torch.enable_grad()
    def _cross_entropy(self, pixels: Tensor, given: Tensor) -> float:
        """Mean −log q(x̃|given) on the report part, in nats, by the epoch that is best on the select part."""
        report, select, fit = self._parts(len(pixels))
        model = _Autoregressive(given.shape[1], pixels.shape[1], self.hidden, self.levels, self.seed)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        generator = torch.Generator().manual_seed(self.seed)
        best, value = math.inf, math.inf
        for _ in range(self.epochs):
            for rows in torch.split(torch.from_numpy(fit)[torch.randperm(len(fit), generator=generator)], 64):
                optimizer.zero_grad()
                model(given[rows], pixels[rows]).mean().backward()
                with denormals_as_zero():
                    optimizer.step()
            with torch.no_grad():
                seen = float(model(given[select], pixels[select]).mean())
                if seen < best:
                    best, value = seen, float(model(given[report], pixels[report]).mean())
        return value


@lru_cache(maxsize=8)
def _alone(settings: Generative, pixels: bytes, n: int) -> float:
    """Cross-entropy without a layer: the same for every layer and epoch of a recording, so it is fitted once."""
    whole = torch.from_numpy(np.frombuffer(pixels, np.int64).reshape(n, -1).copy())
    return settings._cross_entropy(whole, torch.empty(n, 0))


class _Autoregressive(nn.Module):
    """−log q(x|given) of whole numbers, by masked layers."""

    def __init__(self, features: int, pixels: int, hidden: int, levels: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.pixels, self.levels = pixels, levels
        # The condition has degree 0 and pixel i degree i; a unit depends on inputs of at most its own degree.
        inputs = torch.cat([torch.zeros(features), torch.arange(1, pixels + 1)])
        units = torch.arange(hidden) % pixels
        self.first = Masked(inputs, units, generator, strict=False)
        self.last = Masked(units, torch.arange(1, pixels + 1).repeat_interleave(levels), generator, strict=True)

    def forward(self, given: Tensor, x: Tensor) -> Tensor:
        scaled = 2 * x.float() / (self.levels - 1) - 1
        logits = self.last(torch.relu(self.first(torch.cat([given, scaled], 1)))).view(len(x), self.pixels, self.levels)
        return F.cross_entropy(logits.movedim(2, 1), x, reduction="none").sum(1)
