"""I(X;T) of a layer by the replica formula, its saddle point by the state evolution of multi-layer VAMP."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from infoflow.core.errors import DidNotConverge, InvalidArgument
from infoflow.core.estimate import Estimate, Kind
from infoflow.core.settings import OneOf, PositiveFloat, Settings, check
from infoflow.estimators.channels.linear_gaussian import matrix
from infoflow_reproductions.information_plane.replica.scalar_channel import ACTIVATIONS, channel, second_moment
from infoflow_reproductions.information_plane.replica.spectrum import Spectrum

# Precision of the initial messages, relative to the signal; its inverse for the start without knowledge.
_SURE = 1e6
_TOLERANCE = 1e-7
_ITERATIONS = 500
# Fixed points within this relative distance are one.
_SAME = 1e-4


@dataclass(frozen=True, eq=False)
class ReplicaInformation(Settings):
    """I(X; T_L + ε) of T_l = φ_l(W_l T_{l−1}), X ~ N(0, σ_x² I), ε ~ N(0, σ² I), by the replica formula.

    Parameters
    ----------
    weights : sequence of array-like of shape (n_l, n_{l−1})
        Matrices W_l, that of the layer nearest to X first.
    activations
        Name of each φ_l: "linear", "relu", "leaky_relu" (slope 0.01) or "hardtanh".
    noise_variance
        Variance σ² of the noise on the last layer; the layers before it have none.
    input_variance
        Variance σ_x² of the input.

    Raises
    ------
    InvalidArgument
        If the matrices do not fit one another or the number of activations; `UnknownName` for an unknown activation.

    Notes
    -----
    The formula is ::

        I/n_0 = min extr I_0(Ã_1) + Σ_l α̃_l I_l(Ã_{l+1}, Ṽ_l)
                + ½ Σ_l α̃_{l−1} [F_{W_l}(A_l V_l) − Ã_l V_l − α_l A_l Ṽ_l],

    with α_l = n_l/n_{l−1}, α̃_l = n_l/n_0, Ã_{L+1} = 1/σ², I_l the information of one unit's scalar channel, and F_W
    from the singular values of W. It is exact in the limit of wide layers where the W_l are drawn independently, each
    as likely as UWV for any rotations U and V (as U diag(s) Vᵀ with random U and V, whatever s); this is proven for two
    layers of Gaussian weights. Where the iteration has two fixed points the formula takes the one of less information,
    with a warning.

    References
    ----------
    Gabrié et al. (2018), Entropy and mutual information in models of deep neural networks, claim 1.
    Fletcher, Rangan, Schniter (2018), Inference in Deep Networks in High Dimensions, for the iteration.

    Examples
    --------
    >>> one = ReplicaInformation([[[1.0, 0.0], [0.0, 1.0]]], ["linear"], noise_variance=1.0)
    >>> round(one.mutual_information().bits, 6)   # two units of ½ log2(1 + 1)
    1.0
    """

    weights: Sequence[Any]
    activations: Sequence[str]
    noise_variance: PositiveFloat
    input_variance: PositiveFloat = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not len(self.weights):
            raise InvalidArgument("weights", "a sequence of one matrix per layer", got_text="an empty one")
        if isinstance(self.activations, str) or len(self.activations) != len(self.weights):
            wanted = f"a sequence of one name for each of {len(self.weights)} weights"
            raise InvalidArgument("activations", wanted, self.activations)
        for name in self.activations:
            check(name, "activation", OneOf(tuple(ACTIVATIONS)))
        for i, (below, above) in enumerate(itertools.pairwise(self._spectra), start=1):
            if above.inputs != below.outputs:
                wanted = f"a matrix with {below.outputs} inputs, the outputs of weights[{i - 1}]"
                raise InvalidArgument(f"weights[{i}]", wanted, above.inputs)

    def mutual_information(self) -> Estimate:
        """Compute the information of the last layer in nats.

        Returns
        -------
        Estimate
            A point estimate; it has no samples (n = 0).

        Raises
        ------
        DidNotConverge
            If the iteration finds no fixed point.
        """
        layers = self._layers()
        found = [_fixed_point(layers, self.input_variance, 1 / self.noise_variance, known) for known in (False, True)]
        converged = [one for one in found if one is not None]
        if not converged:
            raise DidNotConverge(
                f"The messages between {len(layers)} layers did not converge in {_ITERATIONS} iterations. "
                f"Use a noise_variance above {self.noise_variance:g}."
            )
        low, high = min(converged), max(converged)
        warnings = []
        if high - low > _SAME * max(high, 1e-6):
            warnings.append(
                f"the formula has two fixed points, {low:.4g} and {high:.4g} nats per input, so the smaller one is "
                "returned"
            )
        if len(converged) < len(found):
            warnings.append("the iteration converged from one of two starting points, so another value may be smaller")
        return Estimate(
            max(low, 0.0) * layers[0].spectrum.inputs,
            quantity="I(X;T+ε)",
            kind=Kind.POINT,
            estimator=type(self).__name__,
            n=0,
            parameters={
                "layers": tuple((layer.spectrum.outputs, layer.activation) for layer in layers),
                "noise_variance": self.noise_variance,
                "input_variance": self.input_variance,
            },
            warnings=tuple(warnings),
        )

    @cached_property
    def _spectra(self) -> list[Spectrum]:
        matrices = [matrix(weight, f"weights[{i}]") for i, weight in enumerate(self.weights)]
        return [Spectrum.of(each.cpu().numpy()) for each in matrices]

    def _layers(self) -> list[_Layer]:
        layers = []
        power, width = self.input_variance, 1.0
        for i, (spectrum, activation) in enumerate(zip(self._spectra, self.activations, strict=True)):
            inner = power * spectrum.mean / spectrum.ratio
            if inner <= 0:
                raise InvalidArgument(f"weights[{i}]", "different from 0 on inputs that vary", got_text="no output")
            layers.append(_Layer(spectrum, activation, power, inner, width, width * spectrum.ratio))
            power, width = second_moment(activation, inner), width * spectrum.ratio
        return layers


class _Layer(NamedTuple):
    spectrum: Spectrum
    activation: str
    power: float
    """E T² of a unit below."""
    inner: float
    """E (WT)² of a unit."""
    share_below: float
    """α̃_{l−1}: units below per input."""
    share: float
    """α̃_l."""


@dataclass
class _Messages:
    """The messages at one layer: `above` and `seen` from the layers above, `known` and `prior` from those below."""

    above: float
    """Ã_l: precision with which T_{l−1} is known from above."""
    seen: float
    """Variance with which W T_{l−1} is known from above."""
    prior: float = 0.0
    """Ṽ_l: variance of a unit's z given the layers below."""
    known: float = 0.0
    """V_l: remaining variance of T_{l−1}."""
    slope: float = 0.0
    """A_l: precision with which the layers above know z."""
    information: float = 0.0
    """I_l of a unit, nats."""

    @property
    def below(self) -> float:
        """Precision with which T_{l−1} is known from below alone, at least what rounding leaves."""
        return max(1 / self.known - self.above, 1e-12 * self.above)


def _fixed_point(layers: Sequence[_Layer], input_variance: float, precision: float, known: bool) -> float | None:
    """Nats per input where the messages converge, starting with all values known or none; or None."""
    start = _SURE if known else 1 / _SURE
    messages = [_Messages(start / layer.power, layer.inner / start) for layer in layers]
    before = math.nan
    for _ in range(_ITERATIONS):
        _forward(layers, messages, input_variance)
        _backward(layers, messages, precision)
        value = _information(layers, messages, input_variance)
        if abs(value - before) <= _TOLERANCE * max(abs(value), 1e-6):
            return value
        before = value
    return None


def _forward(layers: Sequence[_Layer], messages: Sequence[_Messages], input_variance: float) -> None:
    messages[0].known = 1 / (1 / input_variance + messages[0].above)
    for i, (layer, at) in enumerate(zip(layers, messages, strict=True)):
        if i:
            below = layers[i - 1]
            at.known = channel(below.activation, at.above, messages[i - 1].prior, below.inner).unknown_output
        at.prior = min(layer.spectrum.forward(at.below, at.seen), layer.inner)


def _backward(layers: Sequence[_Layer], messages: Sequence[_Messages], precision: float) -> None:
    for layer, at in zip(reversed(layers), reversed(messages), strict=True):
        unit = channel(layer.activation, precision, at.prior, layer.inner)
        unknown = min(unit.unknown_input / at.prior, 1 - 1e-15)
        at.slope = (1 - unknown) / at.prior
        at.seen = unknown * at.prior / (1 - unknown)
        at.above = layer.spectrum.backward(at.below, at.seen)
        at.information = unit.information
        precision = at.above


def _information(layers: Sequence[_Layer], messages: Sequence[_Messages], input_variance: float) -> float:
    """The value of the formula at these messages."""
    total = 0.5 * math.log1p(input_variance * messages[0].above)
    for layer, at in zip(layers, messages, strict=True):
        energy = layer.spectrum.energy(at.below, at.seen, at.slope * at.known)
        bulk = energy - at.above * at.known - layer.spectrum.ratio * at.slope * at.prior
        total += layer.share * at.information + 0.5 * layer.share_below * bulk
    return total
