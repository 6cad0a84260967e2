"""I(X;T) of a layer by the replica formula, its saddle point by the state evolution of multi-layer VAMP."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch

from infoflow.core.checks import choice, positive, samples
from infoflow.core.errors import DidNotConverge, InvalidArgument
from infoflow.core.estimate import Estimate, Kind
from infoflow.estimators.channels.replica.scalar_channel import ACTIVATIONS, Channel, channel, second_moment
from infoflow.estimators.channels.replica.spectrum import Spectrum

# How far from certainty, or from knowing nothing, the messages begin.
_SURE = 1e6
_TOLERANCE = 1e-7
_ITERATIONS = 500
# Saddle points this near one another (relative) are one.
_SAME = 1e-4


@dataclass(frozen=True, eq=False)
class ReplicaInformation:
    """I(X; T_L + ε) of T_l = φ_l(W_l T_{l−1}), X ~ N(0, σ_x² I), ε ~ N(0, σ² I), by the replica formula.

        I/n_0 = min extr I_0(Ã_1) + Σ_l α̃_l I_l(Ã_{l+1}, Ṽ_l)
                + ½ Σ_l α̃_{l−1} [F_{W_l}(A_l V_l) − Ã_l V_l − α_l A_l Ṽ_l],

    with α_l = n_l/n_{l−1}, α̃_l = n_l/n_0, Ã_{L+1} = 1/σ², I_l the information of one unit's scalar channel, and F_W
    from the singular values of W. Exact as layers grow wide where the W_l are drawn independently, each as likely as
    UWV for any rotations U and V (as U diag(s) Vᵀ with random U, V, whatever s); proven for two layers of Gaussian
    weights. It is finite without noise within: ε alone, on the layer looked at, makes it so.

    `weights`: matrices (n_l, n_{l−1}), the layer nearest to X first; `activations`: a name for each, of "linear",
    "relu", "leaky_relu" (slope 0.01) and "hardtanh"; `noise_variance` σ² > 0; `input_variance` σ_x². Nats. Where
    messages settle at two places, the one of less information counts, as the formula says; the estimate warns of it.

    Raises InvalidArgument (matrices that don't fit one another, another number of activations), UnknownName
    (activation), DidNotConverge.

    Gabrié et al. (2018), "Entropy and mutual information in models of deep neural networks", Claim 1; its iteration is
    that of Fletcher, Rangan and Schniter (2018), "Inference in deep networks in high dimensions".

    >>> one = ReplicaInformation([[[1.0, 0.0], [0.0, 1.0]]], ["linear"], noise_variance=1.0)
    >>> round(one.mutual_information().bits, 6)   # two units of ½ log2(1 + 1)
    1.0
    """

    weights: Sequence[Any]
    activations: Sequence[str]
    noise_variance: float
    input_variance: float = 1.0

    def __post_init__(self) -> None:
        positive(self.noise_variance, "noise_variance")
        positive(self.input_variance, "input_variance")
        if not len(self.weights):
            raise InvalidArgument("weights is empty; want a matrix for each layer")
        if isinstance(self.activations, str) or len(self.activations) != len(self.weights):
            raise InvalidArgument(
                f"activations is {self.activations!r}; want a name for each of {len(self.weights)} weights"
            )
        for name in self.activations:
            choice(name, "activation", ACTIVATIONS)
        for i, (below, above) in enumerate(itertools.pairwise(self._spectra), start=1):
            if above.inputs != below.outputs:
                raise InvalidArgument(
                    f"weights[{i}] takes {above.inputs} inputs, but weights[{i - 1}] gives {below.outputs}; want "
                    "layers that follow one another"
                )

    def mutual_information(self) -> Estimate:
        """Of the last layer. It has no samples (n = 0)."""
        layers = self._layers()
        found = [_saddle(layers, self.input_variance, 1 / self.noise_variance, sure) for sure in (False, True)]
        settled = [one for one in found if one is not None]
        if not settled:
            raise DidNotConverge(
                f"the messages between {len(layers)} layers don't settle in {_ITERATIONS} rounds; want more noise than "
                f"{self.noise_variance:g}"
            )
        low, high = min(settled), max(settled)
        warnings = []
        if high - low > _SAME * max(high, 1e-6):
            warnings.append(f"the formula has two saddle points, of {low:.4g} and {high:.4g} nats an input")
        if len(settled) < len(found):
            warnings.append("messages settled from one beginning of two only")
        return Estimate(
            max(low, 0.0) * layers[0].spectrum.inputs,
            quantity="I(X;T+ε)",
            kind=Kind.POINT,
            estimator="ReplicaInformation",
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
        return [_spectrum(weight, i) for i, weight in enumerate(self.weights)]

    def _layers(self) -> list[_Layer]:
        layers = []
        power, width = self.input_variance, 1.0
        for i, (spectrum, activation) in enumerate(zip(self._spectra, self.activations, strict=True)):
            inner = power * spectrum.mean / spectrum.ratio
            if inner <= 0:
                raise InvalidArgument(
                    f"weights[{i}] lets nothing through (all zero, or units that are off); want weights"
                )
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
    """α̃_{l−1}: units below, as a part of the inputs."""
    share: float
    """α̃_l."""


def _spectrum(weight: Any, number: int) -> Spectrum:
    name = f"weights[{number}]"
    matrix = samples(weight, name, minimum=1, dtype=torch.float64)
    if matrix.ndim != 2:
        raise InvalidArgument(f"{name} has {matrix.ndim} axes; want a matrix")
    return Spectrum.of(matrix.detach().cpu().numpy())


def _saddle(layers: Sequence[_Layer], input_variance: float, precision: float, sure: bool) -> float | None:
    """Nats for each input where the messages settle, beginning with all known (`sure`) or nothing; None: nowhere."""
    begun = _SURE if sure else 1 / _SURE
    above = [begun / layer.power for layer in layers]  # Ã_l: how exactly T_{l−1} is seen from above
    seen = [layer.inner / begun for layer in layers]  # the variance that W T_{l−1} is seen with from above
    prior = [0.0] * len(layers)  # Ṽ_l: the variance of a unit's z, as told from below
    known = [0.0] * len(layers)  # V_l: what is unknown of T_{l−1}
    slope = [0.0] * len(layers)  # A_l: how exactly the layers above see z
    units: list[Channel] = []
    before = math.nan
    for _ in range(_ITERATIONS):
        for i, layer in enumerate(layers):
            if i:
                known[i] = channel(layers[i - 1].activation, above[i], prior[i - 1], layers[i - 1].inner).unknown_output
            else:
                known[i] = 1 / (1 / input_variance + above[i])
            prior[i] = min(layer.spectrum.forward(_below(known[i], above[i]), seen[i]), layer.inner)
        units = []
        for i in reversed(range(len(layers))):
            layer = layers[i]
            exact = above[i + 1] if i + 1 < len(layers) else precision
            units.insert(0, unit := channel(layer.activation, exact, prior[i], layer.inner))
            unknown = min(unit.unknown_input / prior[i], 1 - 1e-15)
            slope[i] = (1 - unknown) / prior[i]
            seen[i] = unknown * prior[i] / (1 - unknown)
            above[i] = layer.spectrum.backward(_below(known[i], above[i]), seen[i])
        value = _information(layers, input_variance, above, seen, known, prior, slope, units)
        if abs(value - before) <= _TOLERANCE * max(abs(value), 1e-6):
            return value
        before = value
    return None


def _information(
    layers: Sequence[_Layer],
    input_variance: float,
    above: Sequence[float],
    seen: Sequence[float],
    known: Sequence[float],
    prior: Sequence[float],
    slope: Sequence[float],
    units: Sequence[Channel],
) -> float:
    """The formula where the messages stand."""
    total = 0.5 * math.log1p(input_variance * above[0])
    for i, layer in enumerate(layers):
        below = _below(known[i], above[i])
        energy = layer.spectrum.energy(below, seen[i], slope[i] * known[i])
        bulk = energy - above[i] * known[i] - layer.spectrum.ratio * slope[i] * prior[i]
        total += layer.share * units[i].information + 0.5 * layer.share_below * bulk
    return total


def _below(known: float, above: float) -> float:
    """How exactly a unit is known from below alone. Less than rounding lets one see isn't taken for nothing."""
    return max(1 / known - above, 1e-12 * above)
