"""Transfer entropy: closed forms of coupled processes, enumeration, published values, surrogates, and bad series."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import solve_discrete_lyapunov

import infoflow
from infoflow.errors import InvalidArgument, TooFewSamples
from infoflow.tables import transfer_entropy

# x_t = 0.6 x_{t-1} + e, y_t = 0.4 y_{t-1} + 0.5 x_{t-1} + f.
COUPLED = np.array([[0.6, 0.0], [0.5, 0.4]])


def process(coupling: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(n + 100, len(coupling)))
    state = np.zeros_like(noise)
    for t in range(1, n + 100):
        state[t] = coupling @ state[t - 1] + noise[t]
    return state[100:].T


def closed_form() -> float:
    """½ log Var(y_t | y_{t-1}) / Var(y_t | y_{t-1}, x_{t-1}), from the stationary covariance."""
    covariance = solve_discrete_lyapunov(COUPLED, np.eye(2))
    lagged = COUPLED @ covariance  # Cov(state_t, state_{t-1})
    without = covariance[1, 1] - lagged[1, 1] ** 2 / covariance[1, 1]
    return 0.5 * math.log(without / 1.0)


@pytest.mark.parametrize("estimator", ["auto", "gaussian"])
def test_a_coupled_gaussian_process_in_both_directions(estimator: str) -> None:
    x, y = process(COUPLED, 2000)
    assert transfer_entropy(x, y, estimator=estimator).nats == pytest.approx(closed_form(), abs=0.03)
    assert transfer_entropy(y, x, estimator=estimator).nats == pytest.approx(0.0, abs=0.01)


def test_symbols_are_counted_as_by_enumeration() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(3, size=60)
    y = np.r_[0, (x[:-1] + rng.integers(2, size=59)) % 3]
    rows = list(zip(y[1:].tolist(), y[:-1].tolist(), x[:-1].tolist(), strict=True))

    def share(*places: int) -> dict[tuple[int, ...], float]:
        keys = [tuple(row[i] for i in places) for row in rows]
        return {key: keys.count(key) / len(keys) for key in set(keys)}

    p, now_past, past_source, past = share(0, 1, 2), share(0, 1), share(1, 2), share(1)
    expected = sum(w * math.log(w * past[(b,)] / (now_past[a, b] * past_source[b, c])) for (a, b, c), w in p.items())
    assert transfer_entropy(x, y, estimator="discrete").nats == pytest.approx(expected)
    letters = np.array(["a", "b", "c"])
    assert transfer_entropy(letters[x], letters[y], estimator="discrete").nats == pytest.approx(expected)


def test_the_published_value_of_nlints() -> None:
    # te_disc(c(3,2,4,4,3), c(1,4,4,3,3), 1, 1) prints 0.5 bits for the second series to the first.
    found = transfer_entropy([1, 4, 4, 3, 3], [3, 2, 4, 4, 3], estimator="discrete")
    assert found.bits == pytest.approx(0.5)


def test_the_documented_example_of_jidt_a_copy_of_the_past_carries_one_bit() -> None:
    source = np.random.default_rng(0).integers(2, size=3000)
    target = np.roll(source, 1)
    assert transfer_entropy(source, target, estimator="discrete").bits == pytest.approx(1.0, abs=0.01)
    noise = np.random.default_rng(1).integers(2, size=3000)
    assert transfer_entropy(noise, target, estimator="discrete").bits == pytest.approx(0.0, abs=0.005)


def test_the_documented_multivariate_example_of_jidt_a_copy_and_an_xor_carry_two_bits() -> None:
    source = np.random.default_rng(0).integers(2, size=(5000, 2))
    target = np.zeros_like(source)
    target[1:] = np.stack([source[:-1, 0], source[:-1, 0] ^ source[:-1, 1]], axis=1)
    columns = {"source": tuple(source.T.astype(str)), "target": tuple(target.T.astype(str))}
    assert transfer_entropy(**columns, estimator="discrete").bits == pytest.approx(2.0, abs=0.01)
    noise = tuple(np.random.default_rng(1).integers(2, size=(5000, 2)).T.astype(str))
    assert transfer_entropy(noise, columns["target"], estimator="discrete").bits == pytest.approx(0.0, abs=0.01)


def a_copied_bit(seed: int, delay: int = 0, n: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """The process of infomeasure's tests: the low bit of y is that of an earlier x, its high bit is random."""
    generator = np.random.default_rng(seed)
    x = generator.integers(0, 4, n)
    y = np.zeros(n, dtype=int)
    for i in range(1, n):
        y[i] = (x[i - 1 - delay] & 1) + (generator.integers(0, 2) << 1)
    return x, y


def test_the_published_values_of_infomeasure() -> None:
    # The example of its guide, whose value infomeasure 0.6.3 prints, and those that its tests state in bits.
    four, eight = [0, 1, 0, 1, 0, 1, 0, 1], [0, 0, 1, 1, 0, 0, 1, 1]
    assert transfer_entropy(four, eight, estimator="discrete").bits == pytest.approx(0.9649839288804954)
    assert transfer_entropy(eight, four, estimator="discrete").bits == pytest.approx(0.0)
    for seed, delay, forward, backward in (
        (1, 0, 1.004240718338, 0.01829086716204),
        (2, 0, 1.00477430056, 0.0197437874713),
        (1, 1, 0.020519982911, 0.02183675871687),
    ):
        x, y = a_copied_bit(seed, delay)
        assert transfer_entropy(x, y, estimator="discrete").bits == pytest.approx(forward)
        assert transfer_entropy(y, x, estimator="discrete").bits == pytest.approx(backward)
    assert transfer_entropy(*a_copied_bit(1, 1), lag=2, estimator="discrete").bits == pytest.approx(0.999339606768)
    x, y = a_copied_bit(1)
    assert transfer_entropy(x, y, source_history=2, estimator="discrete").bits == pytest.approx(1.018586121810)
    assert transfer_entropy(x, y, history=2, estimator="discrete").bits == pytest.approx(1.01092219403)


def test_the_published_values_of_inform() -> None:
    x, y = [0, 0, 1, 1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0, 0, 0, 1]
    for history, forward, backward in ((1, 0.8112781, 0.2169172), (2, 0.6792696, 0.0)):
        assert transfer_entropy(y, x, history=history, estimator="discrete").bits == pytest.approx(forward, abs=1e-6)
        assert transfer_entropy(x, y, history=history, estimator="discrete").bits == pytest.approx(backward, abs=1e-6)


def test_conditioning_on_the_common_driver_removes_the_transfer() -> None:
    # z drives x after one step and y after two, so x's past informs about y only through z.
    rng = np.random.default_rng(0)
    z = rng.normal(size=3002)
    x, y = z[1:-1] + 0.5 * rng.normal(size=3000), z[:-2] + 0.5 * rng.normal(size=3000)
    assert transfer_entropy(x, y).nats > 0.3
    assert transfer_entropy(x, y, condition=(z[1:-1], rng.normal(size=3000))).nats == pytest.approx(0.0, abs=0.02)


def test_lags_are_scanned_with_one_p_value() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    y = np.roll(x, 3) + rng.normal(size=300)
    found = transfer_entropy(x, y, lag=[1, 2, 3], permutations=39)
    assert found.parameters["lag"] == 3
    assert set(found.parameters["nats_by_lag"]) == {1, 2, 3}
    assert found.p_value == 0.025
    assert found.nats == pytest.approx(0.5 * math.log(2), abs=0.1)
    unrelated = [
        transfer_entropy(*process(np.diag([0.9, 0.9]), 300, seed), lag=[1, 2], permutations=19, estimator="gaussian")
        for seed in range(20)
    ]
    assert sum((each.p_value or 0) <= 0.05 for each in unrelated) <= 3


def test_sources_of_several_columns_and_longer_histories() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 2))
    y = np.r_[0, 0, x[1:-1, 0] + x[:-2, 1]] + rng.normal(size=2000)
    found = transfer_entropy(x, y, source_history=2, history=2)
    assert found.nats == pytest.approx(0.5 * math.log(3), abs=0.06)
    assert found.n == 1998


def test_bad_series() -> None:
    x, y = process(COUPLED, 50)
    times = pd.date_range("2020", periods=50)
    with pytest.raises(TooFewSamples, match="target must be longer than lag and history"):
        transfer_entropy(x[:6], y[:6], lag=3)
    with pytest.raises(InvalidArgument, match="unsorted"):
        transfer_entropy(pd.Series(x, index=times[::-1]), y)
    with pytest.raises(InvalidArgument, match="irregular"):
        transfer_entropy(x, pd.Series(y, index=times.delete(3).append(times[-1:] + pd.Timedelta("1D"))))
    with pytest.raises(InvalidArgument, match="source and target must hold the same number of samples"):
        transfer_entropy(x[:40], y)
    with pytest.raises(InvalidArgument, match="source must be finite, got 1 NaN"):
        transfer_entropy(np.r_[x[:-1], np.nan], y)
    with pytest.raises(InvalidArgument, match="lag must be"):
        transfer_entropy(x, y, lag=0)
    assert infoflow.transfer_entropy(pd.Series(x, index=times), y, estimator="gaussian").n == 49
    with pytest.raises(InvalidArgument, match="target must be a series of the same times as source"):
        transfer_entropy(pd.Series(x, index=times), pd.Series(y, index=times + pd.Timedelta("1D")))
    months = pd.date_range("2000", periods=50, freq="MS")
    assert transfer_entropy(pd.Series(x, index=months), pd.Series(y, index=months), estimator="gaussian").n == 49


def test_times_with_a_missing_value_are_left_out_on_request() -> None:
    x, y = process(COUPLED, 3000)
    whole = transfer_entropy(x, y, estimator="gaussian")
    holes = np.where(np.random.default_rng(0).random(3000) < 0.05, np.nan, x)
    found = transfer_entropy(holes, y, estimator="gaussian", missing="drop")
    assert found.n == int((~np.isnan(holes[:-1])).sum())
    assert found.nats == pytest.approx(whole.nats, abs=0.03)
    assert any("missing values" in text for text in found.warnings)


def test_a_bar_counts_the_surrogates_where_it_is_asked_for(capfd: pytest.CaptureFixture[str]) -> None:
    x, y = np.random.default_rng(0).integers(2, size=(2, 50))
    quiet = transfer_entropy(x, y, estimator="discrete", permutations=7)
    assert capfd.readouterr().err == ""
    shown = transfer_entropy(x, y, estimator="discrete", permutations=7, progress=True)
    assert "7/7" in capfd.readouterr().err
    assert shown == quiet


def test_the_p_value_rests_on_the_regression_of_the_estimate() -> None:
    # The source follows the target's past along a wave that is no quadratic, and adds nothing to it.
    p_values = []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        target = np.zeros(401)
        for t in range(1, 401):
            target[t] = 2 * np.sin(1.2 * target[t - 1]) + 0.5 * rng.normal()
        source = np.sin(1.2 * target) + 0.3 * rng.normal(size=401)
        p_values.append(infoflow.transfer_entropy(source, target, permutations=19, seed=seed).p_value)
    assert sum(p is not None and p <= 0.05 for p in p_values) <= 1
