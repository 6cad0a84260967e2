"""Compression before estimation: high-dimensional samples through PCA or a small autoencoder first."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn

from infoflow.core.checks import choice, classes, integer, is_classes, paired, samples, squarable
from infoflow.core.errors import DidNotConverge, InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.core.protocols import Estimator
from infoflow.estimators.registry import resolve

_HIDDEN = 64
_BATCH = 256
_RATE = 2e-3


@dataclass(frozen=True)
class Compressed:
    """I(f(X); g(Y)) by any estimator after each variable is compressed to at most `components` numbers.

    method "pca": the leading principal components, of all samples. method "autoencoder": small encoders f, g trained
    so that each code predicts *both* variables (mean squared error of standardized columns, one-hot for classes),
    `steps` Adam steps from `seed` on one half of the samples; the estimate is from the other half.

    By data processing I(f(X); g(Y)) ≤ I(X;Y), so what is estimated is at most the information asked for; the estimate
    of it keeps the estimator's own error, and so is no bound but a point estimate. A variable of at most `components`
    columns, and classes (integer, (n,)), stay as they are. Nats; `x` and `y` of shape (n, ...).

    Raises InvalidArgument or TooFewSamples for what it, or the estimator, can't use; DidNotConverge where training
    fails.

    Gowri et al. (2024), "Approximating mutual information of high-dimensional variables using learned representations";
    Butakov et al. (2024), "Information bottleneck analysis of deep neural networks via lossy compression".

    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(2000, 1))
    >>> x = z @ rng.normal(size=(1, 100)) + 0.01 * rng.normal(size=(2000, 100))
    >>> Compressed(Gaussian(), components=1).estimate(x, z + rng.normal(size=(2000, 1))).nats   # ½ log 2 = 0.35
    0.3
    """

    estimator: str | Estimator = "ksg"
    method: str = "pca"
    components: int = 8
    steps: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        resolve(self.estimator)
        choice(self.method, "method of compressed", ("autoencoder", "pca"))
        integer(self.components, "components")
        integer(self.steps, "steps")
        integer(self.seed, "seed", minimum=0)

    def estimate(self, x: Any, y: Any) -> Estimate:
        """I(f(X); g(Y))."""
        return self._estimate(x, y, "x", "y", "I(X;Y)")

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """I(f(X); g(T)) and I(g(T); Y); the network's inputs `x` are needed."""
        if x is None:
            raise InvalidArgument("x is None; compression needs the network's inputs for I(X;T)")
        classes(y, "y")
        return LayerInformation(self._estimate(x, t, "x", "t", "I(X;T)"), self._estimate(t, y, "t", "y", "I(T;Y)"))

    def _estimate(self, x: Any, y: Any, x_name: str, y_name: str, quantity: str) -> Estimate:
        first, second = _values(x, x_name), _values(y, y_name)
        paired(first, second, x_name, y_name)
        if self.method == "pca":
            (f, kept_f), (g, kept_g) = self._principal(first), self._principal(second)
            note = "".join(
                f"{name} keeps {kept:.1%} of its variance; "
                for name, kept in ((x_name, kept_f), (y_name, kept_g))
                if kept is not None
            )
        elif self._wide(first) or self._wide(second):
            # A caller that needs no gradients must not keep the encoders from theirs.
            with torch.inference_mode(False), torch.enable_grad():
                f, g = self._encoded(first, second)
            note = f"codes of {self.components} numbers, learned on one half of the samples; "
        else:
            f, g, note = first, second, ""
        found: Estimate = resolve(self.estimator).estimate(f, g)
        warnings = found.warnings
        if note:
            warnings = (*warnings, note + "compressed variables hold at most the information of the whole ones")
        return replace(
            found,
            quantity=quantity,
            kind=Kind.POINT,
            estimator="Compressed",
            n=len(first),
            parameters={field.name: getattr(self, field.name) for field in fields(self)},
            warnings=warnings,
        )

    def _wide(self, values: Tensor) -> bool:
        return values.ndim == 2 and values.shape[1] > self.components

    def _principal(self, values: Tensor) -> tuple[Tensor, float | None]:
        if not self._wide(values):
            return values, None
        if len(values) <= self.components:
            raise TooFewSamples(f"there are {len(values)} samples; want more than components = {self.components}")
        if bool((values == values[0]).all()):
            return values[:, :1], None
        model = PCA(self.components, random_state=self.seed)
        # Centered first: scikit-learn subtracts the mean from a covariance, which far from 0 leaves only rounding.
        codes = model.fit_transform((values - values.mean(0)).cpu().numpy())
        return torch.from_numpy(codes).to(values), float(np.sum(model.explained_variance_ratio_))

    def _encoded(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The held-out half's codes under encoders trained on the other half."""
        n = len(x)
        if n < 8:
            raise TooFewSamples(f"there are {n} samples; want at least 8 for the autoencoder")
        generator = torch.Generator().manual_seed(self.seed)
        order = torch.randperm(n, generator=generator)
        train, held = order[: n // 2], order[n // 2 :]
        targets = [_standard(v, train).cpu() for v in (x, y)]
        total = sum(t.shape[1] for t in targets)
        coders = {
            i: _perceptron(targets[i].shape[1], self.components, generator)
            for i, values in enumerate((x, y))
            if self._wide(values)
        }
        decoders = {i: _perceptron(self.components, total, generator) for i in coders}
        both = torch.cat(targets, 1)
        parameters = [p for module in (*coders.values(), *decoders.values()) for p in module.parameters()]
        optimizer = torch.optim.Adam(parameters, lr=_RATE)
        # Equal weight for both variables, whatever their widths.
        weight = torch.cat([t.new_full((t.shape[1],), 1 / t.shape[1]) for t in targets])
        for _ in range(self.steps):
            rows = train[torch.randint(len(train), (min(_BATCH, len(train)),), generator=generator)]
            loss = weight.new_zeros(())
            for i, coder in coders.items():
                loss = loss + ((decoders[i](coder(targets[i][rows])) - both[rows]).square() * weight).sum(1).mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        if not math.isfinite(float(loss.detach())):
            raise DidNotConverge("the autoencoder diverged; compress with method='pca'")
        codes = []
        with torch.no_grad():
            for i, values in enumerate((x, y)):
                codes.append(coders[i](targets[i][held]).double() if i in coders else values[held.to(values.device)])
        return codes[0], codes[1]


def _values(value: Any, name: str) -> Tensor:
    """Samples (n, d), or class codes (n,)."""
    if is_classes(value):
        return classes(value, name, minimum=2)[0]
    return squarable(samples(value, name, dtype=torch.float64), name)


def _standard(values: Tensor, train: Tensor) -> Tensor:
    """Columns of mean 0 and deviation 1 over the training half, in float32; classes as one-hot columns."""
    if values.ndim == 1:
        values = torch.nn.functional.one_hot(values).double()
    seen = values[train.to(values.device)]
    deviation = seen.std(0)
    return ((values - seen.mean(0)) / torch.where(deviation > 0, deviation, 1.0)).float()


def _perceptron(inputs: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    """Two ReLU layers; initialized from the local generator, as torch's own would touch the global one."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in ((inputs, _HIDDEN), (_HIDDEN, _HIDDEN), (_HIDDEN, outputs)):
        layer = nn.utils.skip_init(nn.Linear, fan_in, fan_out, dtype=torch.float32)  # type: ignore[no-untyped-call]
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
