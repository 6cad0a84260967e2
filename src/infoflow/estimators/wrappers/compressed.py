"""Compression before estimation: high-dimensional samples through PCA or a small autoencoder first."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.core.checks import classes, paired, squarable
from infoflow.core.denormals import denormals_as_zero
from infoflow.core.errors import DidNotConverge, TooFewSamples
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.core.settings import PositiveInt, Seed
from infoflow.estimators.wrappers.family import Wrapper, required_inputs, samples_or_classes

_HIDDEN = 64
_BATCH = 256
_RATE = 2e-3


@dataclass(frozen=True)
class Compressed(Wrapper):
    """I(f(X); g(Y)) by another estimator, after each variable is compressed to at most `components` numbers.

    Parameters
    ----------
    estimator
        Name or object of the estimator inside.
    method
        "pca": the leading principal components, of all samples. "autoencoder": small encoders f, g trained on one half
        of the samples so that each code predicts both variables (mean squared error of standardized columns, one-hot
        for classes); the estimate uses the other half.
    components
        Numbers per variable. A variable of at most as many columns, and classes, are not compressed.
    steps
        Adam steps of the autoencoder.
    seed
        Seed of the compression.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range; `UnknownName` for an unknown estimator or method.

    Notes
    -----
    By data processing I(f(X); g(Y)) ≤ I(X;Y), so the quantity is at most the information asked for. Its estimate has
    the error of the estimator inside, so it is a point estimate and not a bound.

    References
    ----------
    Gowri et al. (2024), Approximating mutual information of high-dimensional variables using learned representations.
    Butakov et al. (2024), Information bottleneck analysis of deep neural networks via lossy compression.

    Examples
    --------
    >>> from infoflow.estimators.gaussian.gaussian import Gaussian
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=(2000, 1))
    >>> x = z @ rng.normal(size=(1, 100)) + 0.01 * rng.normal(size=(2000, 100))
    >>> Compressed(Gaussian(), components=1).estimate(x, z + rng.normal(size=(2000, 1))).nats   # ½ log 2 = 0.35
    0.3
    """

    method: Literal["pca", "autoencoder"] = "pca"
    components: PositiveInt = 8
    steps: PositiveInt = 1000
    seed: Seed = 0

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate I(f(X); g(Y)) in nats.

        Parameters
        ----------
        x, y : array-like of shape (n, ...)
            Paired samples; one-dimensional integers are classes.

        Returns
        -------
        Estimate
            A point estimate.

        Raises
        ------
        InvalidArgument
            If the samples are not finite numbers or their lengths differ; `TooFewSamples`, `DidNotConverge` if the
            training fails, and as the estimator inside raises.
        """
        return self._estimate(x, y, "x", "y", "I(X;Y)")

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate I(f(X); g(T)) and I(g(T); Y) in nats.

        Parameters
        ----------
        t : array-like of shape (n, ...)
            Activations.
        y : array-like of shape (n,)
            Classes.
        x : array-like of shape (n, ...)
            The network's inputs; required.

        Returns
        -------
        LayerInformation
            Both estimates.

        Raises
        ------
        InvalidArgument
            Without x, and as `estimate` raises.
        """
        required_inputs(x, "I(X;T)")
        classes(y, "y")
        return LayerInformation(self._estimate(x, t, "x", "t", "I(X;T)"), self._estimate(t, y, "t", "y", "I(T;Y)"))

    def _estimate(self, x: Any, y: Any, x_name: str, y_name: str, quantity: str) -> Estimate:
        first, second = _values(x, x_name), _values(y, y_name)
        paired(first, second, x_name, y_name)
        if self.method == "pca":
            (f, kept_f), (g, kept_g) = self._principal(first), self._principal(second)
            note = "".join(
                f"the components of {name} hold {kept:.1%} of its variance; "
                for name, kept in ((x_name, kept_f), (y_name, kept_g))
                if kept is not None
            )
        elif self._wide(first) or self._wide(second):
            # The encoders need gradients even where the caller has turned them off.
            with torch.inference_mode(False), torch.enable_grad():
                f, g = self._encoded(first, second)
            note = f"codes of {self.components} numbers, learned on one half of the samples; "
        else:
            f, g, note = first, second, ""
        found: Estimate = self.inner.estimate(f, g)
        warnings = found.warnings
        if note:
            warnings = (*warnings, note + "the compressed variables hold at most the information of the whole ones")
        return replace(
            found,
            quantity=quantity,
            kind=Kind.POINT,
            estimator="Compressed",
            n=len(first),
            parameters=self._parameters(),
            warnings=warnings,
        )

    def _wide(self, values: Tensor) -> bool:
        return values.ndim == 2 and values.shape[1] > self.components

    def _principal(self, values: Tensor) -> tuple[Tensor, float | None]:
        if not self._wide(values):
            return values, None
        if len(values) <= self.components:
            raise TooFewSamples("components", f"smaller than the number of samples ({len(values)})", self.components)
        if bool((values == values[0]).all()):
            return values[:, :1], None
        from sklearn.decomposition import PCA

        model = PCA(self.components, random_state=self.seed)
        # Centered first: scikit-learn subtracts the mean from a covariance, which far from 0 leaves only rounding.
        codes = model.fit_transform((values - values.mean(0)).cpu().numpy())
        return torch.from_numpy(codes).to(values), float(np.sum(model.explained_variance_ratio_))

    def _encoded(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The held-out half's codes under encoders trained on the other half."""
        n = len(x)
        if n < 8:
            raise TooFewSamples("n", "at least 8 for the autoencoder", n)
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
            with denormals_as_zero():
                optimizer.step()
        if not math.isfinite(float(loss.detach())):
            raise DidNotConverge("The autoencoder diverged. Use method='pca'.")
        codes = []
        with torch.no_grad():
            for i, values in enumerate((x, y)):
                codes.append(coders[i](targets[i][held]).double() if i in coders else values[held.to(values.device)])
        return codes[0], codes[1]


def _values(value: Any, name: str) -> Tensor:
    values = samples_or_classes(value, name)
    return values if values.ndim == 1 else squarable(values, name)


def _standard(values: Tensor, train: Tensor) -> Tensor:
    """Columns of mean 0 and deviation 1 over the training half, in float32; classes as one-hot columns."""
    if values.ndim == 1:
        values = torch.nn.functional.one_hot(values).double()
    seen = values[train.to(values.device)]
    deviation = seen.std(0)
    return ((values - seen.mean(0)) / torch.where(deviation > 0, deviation, 1.0)).float()


def _perceptron(inputs: int, outputs: int, generator: torch.Generator) -> nn.Sequential:
    """Two ReLU layers, initialized from the local generator: torch's own initialization uses the global one."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in ((inputs, _HIDDEN), (_HIDDEN, _HIDDEN), (_HIDDEN, outputs)):
        layer = nn.utils.skip_init(nn.Linear, fan_in, fan_out, dtype=torch.float32)  # type: ignore[no-untyped-call]
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers[:-1])
