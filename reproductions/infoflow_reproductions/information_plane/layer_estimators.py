"""Estimators of a layer's place in the plane that only these rows use, and all estimators by text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from infoflow.core.checks import classes, paired, samples
from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind, LayerInformation
from infoflow.core.settings import PositiveFloat, Settings
from infoflow.entropies.discrete import entropy
from infoflow.estimators import AddedNoise, MatrixRenyi, Neural, SamplePropagation
from infoflow.estimators.registry import named_parameters, parse
from infoflow.plane.naming import display_name
from infoflow_reproductions.information_plane.generative import Generative


@dataclass(frozen=True)
class NoisyNetwork:
    """Sample propagation where the layers before are noisy too: I(X;T) = ĥ(T) − Σ_i ĥ(T | x_i)/n, its eq. 11.

    `measure(t, y, x)`: t are a layer's values before its own noise, with noise drawn anew in the layers before it for
    every row; rows of one input x belong together in any order. The variance must be that of the network's noise.

    Raises
    ------
    InvalidArgument
        If `measure` gets no x.

    References
    ----------
    Goldfeld et al., Estimating information flow in deep neural networks (2019).

    Examples
    --------
    >>> x = torch.tensor([[0.0], [0.0], [1.0], [1.0]])
    >>> t = torch.tensor([[-9.0], [-9.1], [9.0], [9.1]])
    >>> round(NoisyNetwork(SamplePropagation(variance=0.1)).measure(t, [0, 0, 1, 1], x).input.bits, 3)
    1.0
    """

    estimator: SamplePropagation

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate I(X;T+ε) and I(T+ε;Y), both with the network's noise."""
        if x is None:
            raise InvalidArgument("x", "the network's inputs, which identify the rows of one input", None)
        rows = samples(x, "x").cpu().numpy()
        _, numbers = np.unique(rows, axis=0, return_inverse=True)
        # The inputs stand in the place of the labels.
        of_input = self.estimator.estimate(t, torch.from_numpy(numbers.reshape(-1)))
        return LayerInformation(
            replace(of_input, quantity="I(X;T+ε)", ceiling_name="H(X)"), self.estimator.estimate(t, y)
        )


@dataclass(frozen=True)
class GaussianChannel(Settings):
    """Upper bound of I(X;T+ε) for a layer T with Gaussian noise ε ~ N(0, σ²I), from the covariance Σ of T alone.

        I(X;T+ε) ≤ ½ log det(I + Σ/σ²),   I(T+ε;Y) ≈ the bound less Σ_y p_y ½ log det(I + Σ_y/σ²)

    Of all distributions with one covariance the Gaussian has the greatest entropy, hence the bound. It has no ceiling,
    so it also measures layers in which every other estimate is log N. I(T+ε;Y) is a difference of bounds, at most H(Y).
    Nats.

    Examples
    --------
    >>> t = torch.tensor([[-1.0], [1.0]]).repeat(50, 1)
    >>> found = GaussianChannel(variance=1.0).measure(t, [0, 1] * 50)
    >>> round(found.input.nats, 4), round(found.label.nats, 4)  # ½ log 2
    (0.3466, 0.3466)
    """

    variance: PositiveFloat = 0.1

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate I(X;T+ε) and I(T+ε;Y)."""
        layer = samples(t, "t", dtype=torch.float64)
        labels, number = classes(y, "y")
        paired(layer, labels, "t", "y")
        whole = self._half_log_det(layer)
        parts = [layer[labels.to(layer.device) == label] for label in range(number)]
        within = sum(len(part) / len(layer) * self._half_log_det(part) for part in parts if len(part))
        top = float(entropy(labels.bincount()))
        settings: dict[str, Any] = {"estimator": "GaussianChannel", "n": len(layer)}
        return LayerInformation(
            Estimate(whole, quantity="I(X;T+ε)", kind=Kind.UPPER_BOUND, **settings),
            Estimate(
                min(max(whole - within, 0.0), top),
                quantity="I(T+ε;Y)",
                kind=Kind.DIFFERENCE_OF_BOUNDS,
                ceiling=top,
                ceiling_name="H(Y)",
                **settings,
            ),
        )

    def _half_log_det(self, t: torch.Tensor) -> float:
        """½ log det(I + TᵀT/nσ²) of centered rows, by the smaller of both Gram matrices, which have one determinant."""
        centered = (t - t.mean(0)) / (len(t) * self.variance) ** 0.5
        gram = centered @ centered.T if len(t) < t.shape[1] else centered.T @ centered
        return max(0.5 * float(torch.linalg.slogdet(torch.eye(len(gram)).to(gram) + gram).logabsdet), 0.0)


class ChannelRenyi:
    """Matrix-based Rényi information that joins maps channel by channel: Yu et al. (2020), eq. (5b).

    Parameters
    ----------
    estimator
        Estimator that joins the channels of maps; nats.
    shapes
        Shape of maps by the number of their values, as recordings hold them flattened.

    Examples
    --------
    >>> t = torch.tensor([[0.0, 0.0], [0.0, 0.0], [9.0, 9.0], [9.0, 9.0]])
    >>> maps = ChannelRenyi(MatrixRenyi(alpha=2, kernel_width=1.0, channels=True), {2: (2, 1, 1)})
    >>> round(maps.measure(t, [0, 0, 1, 1], t).label.bits, 3)
    1.0
    """

    def __init__(self, estimator: MatrixRenyi, shapes: Mapping[int, tuple[int, ...]]) -> None:
        self.estimator, self.shapes = estimator, dict(shapes)

    def __repr__(self) -> str:
        return f"ChannelRenyi({self.estimator!r}, {self.shapes!r})"

    def measure(self, t: Any, y: Any, x: Any = None) -> LayerInformation:
        """Estimate I_α(X;T) and I_α(T;Y); values that are no maps count as one channel."""
        return self.estimator.measure(self._maps(t), y, None if x is None else self._maps(x))

    def _maps(self, values: Any) -> Any:
        rows = torch.as_tensor(values).flatten(1)
        return rows.reshape(len(rows), *self.shapes.get(rows.shape[1], (1, rows.shape[1])))


def estimator_of(text: str, shapes: Mapping[int, tuple[int, ...]]) -> Any:
    """Create an estimator from text, as `infoflow.estimators.parse` does, with five further names.

    "noisy-network", "gaussian-channel" and "channel-renyi" are the classes above, "generative" is `Generative`, and
    "noisy-mine:variance=..." is MINE (with further settings of it) on the layer with noise.

    Parameters
    ----------
    text
        Name and settings, such as "binning:width=0.1".
    shapes
        Shape of maps by the number of their values, for "channel-renyi".

    Returns
    -------
    object
        The estimator.

    Examples
    --------
    >>> estimator_of("noisy-network:variance=0.01", {}).estimator.variance
    0.01
    """
    name, colon, rest = text.partition(":")
    if name == "noisy-network":
        return NoisyNetwork(parse(f"sample-propagation{colon}{rest}"))
    if name == "gaussian-channel":
        return GaussianChannel(**named_parameters(text)[1])
    if name == "noisy-mine":
        settings = named_parameters(text)[1]
        variance = settings.pop("variance")
        return AddedNoise(Neural(bound="mine", **settings), variance=variance)
    if name == "generative":
        return Generative(**named_parameters(text)[1])
    if name == "channel-renyi":
        return ChannelRenyi(parse(f"matrix-renyi:channels=True{',' if rest else ''}{rest}"), shapes)
    return parse(text)


def label_of(text: str) -> str:
    """The estimator's name in the plane's table."""
    return display_name(estimator_of(text, {}))
