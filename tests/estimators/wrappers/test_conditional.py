"""Conditional mutual information: closed forms, the class average, and the chain rule for those without a form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Estimate, Kind
from infoflow.estimators.conditioning import conditional_mutual_information
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.learned.critics.neural import Neural
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.estimators.neighbors.mixed import MixedKSG


def chain(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x - z - y: dependent, but not once z is known."""
    rng = np.random.default_rng(seed)
    z, ex, ey = rng.normal(size=(3, n))
    return z + 0.5 * ex, z + 0.5 * ey, z


def collider(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x -> z <- y: independent, but -½ log(1 - ρ²) once z = x + y + noise is known, with ρ = -½."""
    rng = np.random.default_rng(seed)
    x, y, noise = rng.normal(size=(3, n))
    return x, y, x + y + noise


def loop(x: np.ndarray, y: np.ndarray, z: np.ndarray, k: int) -> float:
    """Frenzel and Pompe's equation for one-dimensional variables, sample by sample."""
    terms = []
    for i in range(len(x)):
        to_x, to_y, to_z = (np.abs(np.delete(v, i) - v[i]) for v in (x, y, z))
        radius = np.sort(np.max([to_x, to_y, to_z], axis=0))[k - 1] * (1 - 1e-9)
        n_z, n_xz, n_yz = (
            np.sum(to_z < radius),
            np.sum((to_x < radius) & (to_z < radius)),
            np.sum((to_y < radius) & (to_z < radius)),
        )
        terms.append(digamma(k) + digamma(n_z + 1) - digamma(n_xz + 1) - digamma(n_yz + 1))
    return float(np.mean(terms))


def test_the_papers_equation() -> None:
    x, y, z = collider(150, 0)
    estimator = KSG(k=4, rescale="none")
    assert estimator.conditional(x, y, z).nats == pytest.approx(loop(x, y, z, 4))


@pytest.mark.parametrize("estimator", [KSG(), Gaussian(), "ksg"])
def test_continuous_conditions(estimator: KSG | Gaussian | str) -> None:
    assert KSG().estimate(*chain(4000, 0)[:2]).nats > 0.4
    assert conditional_mutual_information(*chain(4000, 0), estimator).nats == pytest.approx(0.0, abs=0.06)
    estimate = conditional_mutual_information(*collider(4000, 0), estimator)
    assert estimate.nats == pytest.approx(-0.5 * math.log(1 - 0.25), abs=0.04)
    assert estimate.quantity == "I(X;Y|Z)"


def test_discrete_conditions_are_averaged_over_classes() -> None:
    rng = np.random.default_rng(0)
    z = rng.integers(3, size=6000)
    rho = np.array([0.0, 0.6, 0.9])[z]
    x = rng.normal(size=6000) + 10 * z
    y = rho * (x - 10 * z) + np.sqrt(1 - rho**2) * rng.normal(size=6000) - 5 * z
    truth = -0.5 * (math.log(1 - 0.36) + math.log(1 - 0.81)) / 3
    estimate = conditional_mutual_information(x, y, z, "ksg")
    assert estimate.nats == pytest.approx(truth, abs=0.04)
    assert estimate.n == 6000
    assert KSG().conditional(x, y, z).nats == estimate.nats
    shares = np.bincount(z) / 6000
    parts = [KSG().estimate(x[z == c], y[z == c]).nats for c in range(3)]
    assert estimate.nats == pytest.approx(float(shares @ parts))


def test_what_a_layer_keeps_beyond_the_label() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=3000)
    x = 20.0 * y + rng.normal(size=3000)
    label_only = 20.0 * y + rng.normal(size=3000)
    both = x + rng.normal(size=3000)
    assert conditional_mutual_information(x, label_only, y, "ksg").nats == pytest.approx(0.0, abs=0.03)
    assert conditional_mutual_information(x, both, y, "ksg").nats == pytest.approx(0.5 * math.log(2), abs=0.04)


def test_classes_on_one_side_given_a_continuous_variable() -> None:
    # y says which sign; given |x| as z, x tells y wholly: I(X;Y|Z) = log 2. And z itself says nothing of y.
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    y = (x > 0).astype(int)
    estimate = conditional_mutual_information(x, y, np.abs(x), "ksg")
    assert estimate.nats == pytest.approx(math.log(2), abs=0.03)
    assert estimate.ceiling_name == "H(Y)"
    assert conditional_mutual_information(y, x, np.abs(x), "ksg").nats == pytest.approx(estimate.nats)
    # Given x itself nothing is left.
    assert conditional_mutual_information(x, y, x, "ksg").nats == pytest.approx(0.0, abs=0.03)


def test_estimators_without_a_form_of_their_own_use_the_chain_rule() -> None:
    x, y, z = collider(3000, 1)
    estimate = conditional_mutual_information(x, y, z, MixedKSG())
    direct = MixedKSG().estimate(np.stack([x, z], 1), y).nats - MixedKSG().estimate(z, y).nats
    assert estimate.nats == pytest.approx(direct)
    assert estimate.nats == pytest.approx(-0.5 * math.log(1 - 0.25), abs=0.1)
    assert "difference of two estimates" in estimate.warnings[0]
    labels = (y > 0).astype(int)
    swapped = [conditional_mutual_information(a, b, z, MixedKSG()).nats for a, b in ((x, labels), (labels, x))]
    assert swapped[0] == swapped[1]


class LowerBound:
    def estimate(self, x: object, y: object) -> Estimate:
        return Estimate(0.1, quantity="I(X;Y)", kind=Kind.LOWER_BOUND, estimator="LowerBound", n=10)


def test_a_difference_of_bounds_is_no_bound() -> None:
    estimate = conditional_mutual_information(*collider(10, 0), LowerBound())
    assert estimate.kind is Kind.DIFFERENCE_OF_BOUNDS
    assert estimate.nats == 0.0


def test_discrete_samples_by_counting() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.integers(2, size=(2, 4000))
    estimate = conditional_mutual_information(x, y, x ^ y, "discrete")
    assert estimate.nats == pytest.approx(math.log(2), abs=1e-3)
    counted = conditional_mutual_information(x, y, x ^ y, Discrete())
    assert counted.nats == estimate.nats
    assert estimate.nats <= estimate.ceiling


def test_small_classes_are_left_out_with_a_warning() -> None:
    x, y, _ = chain(100, 0)
    z = np.zeros(100, dtype=int)
    z[:2] = 1
    estimate = conditional_mutual_information(x, y, z, "ksg")
    assert "2 of 100 samples are in classes of z" in estimate.warnings[-1]
    assert estimate.nats == pytest.approx(KSG().estimate(x[2:], y[2:]).nats)
    with pytest.raises(TooFewSamples, match="No class of z holds enough samples"):
        conditional_mutual_information(x, y, np.arange(100) // 2, "ksg")


def test_constants() -> None:
    x, y, _ = chain(300, 0)
    plain = conditional_mutual_information(x, y, np.ones(300), "ksg")
    assert plain.nats == pytest.approx(KSG().estimate(x, y).nats, abs=0.01)
    assert "z has 1 constant column" in plain.warnings[0]
    nothing = conditional_mutual_information(x, np.ones(300), y, "ksg")
    assert nothing.nats == 0.0
    assert "y is constant" in nothing.warnings[-1]


def test_bad_input_is_named() -> None:
    x, y, z = chain(30, 0)
    with pytest.raises(UnknownName, match="unknown estimator 'ksk'. Did you mean 'ksg'"):
        conditional_mutual_information(x, y, z, "ksk")
    with pytest.raises(InvalidArgument, match="cannot be combined with an estimator object"):
        conditional_mutual_information(x, y, z, KSG(), k=5)
    with pytest.raises(InvalidArgument, match="^estimator must be a name or an object"):
        conditional_mutual_information(x, y, z, 3)  # type: ignore[arg-type]
    for call in (
        lambda: conditional_mutual_information(x, y, z[:20], "ksg"),
        lambda: conditional_mutual_information(x, y, z[:20], MixedKSG()),
        lambda: conditional_mutual_information(x, y, np.zeros(20, dtype=int), "ksg"),
    ):
        with pytest.raises(InvalidArgument, match="30.*20"):
            call()


def test_a_chain_rule_of_infinite_terms_is_refused() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=200)
    with pytest.raises(InvalidArgument, match=r"I\(Z;Y\) is inf nats.*Use estimator='ksg'"):
        conditional_mutual_information(rng.normal(size=200), 2 * z + 1, z, "cca")


def test_a_neural_estimate_is_a_difference_of_bounds_with_both_intervals() -> None:
    """x -> z <- y: independent, but not once their noisy sum is known; -½ log(1 - ¼) = .144."""
    x, y, z = collider(2000, 5)
    neural = Neural(max_epochs=15)
    found = conditional_mutual_information(x, y, z, neural)
    assert found.kind is Kind.DIFFERENCE_OF_BOUNDS
    assert found.nats == pytest.approx(-0.5 * math.log(1 - 0.25), abs=0.06)
    both, alone = neural.estimate(np.stack([x, z], 1), y), neural.estimate(z, y)
    assert both.interval is not None
    assert alone.interval is not None
    assert found.interval is not None
    assert found.nats == both.nats - alone.nats
    assert found.interval.low == both.interval.low - alone.interval.high
    assert found.interval.high == both.interval.high - alone.interval.low
    assert found.interval.level == pytest.approx(0.9)
    assert any("errors add up" in warning for warning in found.warnings)


def test_a_neural_estimate_of_a_chain_is_next_to_nothing() -> None:
    found = conditional_mutual_information(*chain(2000, 6), "neural", max_epochs=15)
    assert found.nats == pytest.approx(0.0, abs=0.08)
    assert found.interval is not None
    assert 0.0 in found.interval
