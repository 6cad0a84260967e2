"""Neural estimation: honest parts, truth on a Gaussian, the same answer again and in company, and what is warned of."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from infoflow import critics
from infoflow.core.errors import DidNotConverge, InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.estimate import Kind
from infoflow.estimators import mutual_information
from infoflow.estimators.learned.critics.head_start import Described, Residual, critic_columns, head_start, pairs_width
from infoflow.estimators.learned.critics.neural import Neural, usable_bounds
from infoflow.estimators.learned.held_out import split
from infoflow.estimators.learned.training import _behind

FAST = {"hidden": (32,), "embedding": 8, "folds": 2, "max_epochs": 12, "patience": 3, "batch_size": 128}

# One bound of each form; the rest wait for the slow suite.
QUICK = ("infonce", "donsker_varadhan", "nwj", "smile")


def gaussian(n: int, information: float, dimensions: int = 1, seed: int = 0) -> tuple[Tensor, Tensor]:
    rho = math.sqrt(1 - math.exp(-2 * information / dimensions))
    x, noise = torch.randn(2, n, dimensions, generator=torch.Generator().manual_seed(seed))
    return x, rho * x + math.sqrt(1 - rho**2) * noise


class Exact(nn.Module):
    """The log density ratio of `gaussian`, with a weight that takes no part in it."""

    def __init__(self, information: float, dimensions: int) -> None:
        super().__init__()
        self.idle = nn.Parameter(torch.zeros(1))
        self.information, self.square = information, 1 - math.exp(-2 * information / dimensions)

    def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        rho, noise = math.sqrt(self.square), 1 - self.square
        # −(y − ρx)²/2σ² + y²/2, which spares float32 the difference of large numbers.
        residual = (y[None] - rho * x[:, None]).square().sum(-1) / noise
        table = self.information + (y.square().sum(-1)[None] - residual) / 2 + 0 * self.idle
        return critics.split_pairs(table)


@pytest.mark.parametrize(
    "bound", [b if b in QUICK else pytest.param(b, marks=pytest.mark.slow) for b in usable_bounds()]
)
def test_every_bound_finds_the_information_of_a_gaussian(bound: str) -> None:
    x, y = gaussian(2000, 0.7)
    fitted = Neural(bound=bound, **FAST).fit(x, y)
    estimate = fitted.estimate
    assert estimate.nats == pytest.approx(0.7, abs=0.15)
    assert estimate.interval is not None
    assert estimate.interval.low <= estimate.nats <= estimate.interval.high
    assert estimate.kind in (Kind.LOWER_BOUND, Kind.POINT)
    assert estimate.parameters["preprocessing"] == "gaussianize"
    assert fitted.pointwise.shape == (2000,)
    assert float(fitted.pointwise.mean()) == pytest.approx(0.7, abs=0.2)


@pytest.mark.parametrize("critic", ["separable", "concatenated"])
def test_pointwise_values_follow_the_true_log_ratio(critic: str) -> None:
    x, y = gaussian(3000, 0.5)
    rho = math.sqrt(1 - math.exp(-1.0))
    truth = 0.5 + (rho * x * y - rho**2 * (x**2 + y**2) / 2)[:, 0] / (1 - rho**2)
    values = Neural(critic=critic, **FAST).pointwise(x, y)
    assert float(torch.corrcoef(torch.stack([values, truth.double()]))[0, 1]) > 0.95


def test_independent_samples_give_nothing() -> None:
    x, y = gaussian(1500, 0.0, 2)
    estimate = Neural(**FAST).estimate(x, y)
    assert 0.0 <= estimate.nats < 0.02
    assert 0.0 in estimate.interval


@pytest.mark.slow
def test_five_by_five_gaussian_within_a_twentieth_of_a_nat() -> None:
    estimates = [Neural(seed=s).estimate(*gaussian(10000, 1.0, 5, seed=s)) for s in range(5)]
    assert sum(e.nats for e in estimates) / 5 == pytest.approx(1.0, abs=0.05)
    assert sum(1.0 in e.interval for e in estimates) >= 4


def test_heavy_tails_and_monotone_maps_do_not_matter() -> None:
    x, y = gaussian(1500, 0.6)
    plain = Neural(**FAST).estimate(x, y)
    warped = Neural(**FAST).estimate(x.double().exp() ** 5, y.double() ** 3)
    assert warped.nats == pytest.approx(plain.nats, abs=0.02)


def test_classes_are_bounded_by_their_entropy() -> None:
    labels = torch.arange(900) % 3
    x = 20.0 * labels[:, None] + torch.randn(900, 2, generator=torch.Generator().manual_seed(0))
    estimate = Neural(**FAST).estimate(x, labels)
    assert estimate.ceiling == pytest.approx(math.log(3))
    assert estimate.ceiling_name == "H(Y)"
    assert estimate.nats == pytest.approx(math.log(3), abs=0.08)


def test_the_same_seed_gives_the_same_number_and_leaves_the_global_state_alone() -> None:
    x, y = gaussian(400, 0.5)
    state = torch.random.get_rng_state()
    first = Neural(seed=3, **FAST).estimate(x, y)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.randn(5)
    assert Neural(seed=3, **FAST).estimate(x, y).nats == first.nats
    torch.random.set_rng_state(state)
    assert Neural(seed=4, **FAST).estimate(x, y).nats != first.nats


@pytest.mark.slow
def test_two_fresh_processes_agree() -> None:
    code = (
        "import torch; from infoflow.estimators.learned.critics.neural import Neural; torch.set_num_threads(1);"
        "x, e = torch.randn(2, 300, 1, generator=torch.Generator().manual_seed(0));"
        "print(repr(Neural(folds=2, max_epochs=3).estimate(x, x + e).nats))"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (run.communicate(timeout=120)[0] for run in runs)
    assert first == second
    assert float(first) > 0


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    pairs = [gaussian(300, 0.2 + 0.3 * k, seed=k) for k in range(3)]
    pairs.insert(1, gaussian(240, 0.4, dimensions=2, seed=9))  # another shape between them
    estimator = Neural(**(FAST | {"max_epochs": 5}))
    together = estimator.fit_many(pairs)
    for pair, many in zip(pairs, together, strict=True):
        alone = estimator.fit(*pair)
        assert many.estimate.nats == pytest.approx(alone.estimate.nats, abs=1e-3)
        torch.testing.assert_close(many.pointwise, alone.pointwise, atol=1e-2, rtol=1e-2)
    assert estimator.estimate_many([]) == []


def test_early_stopping_asks_no_other_pair() -> None:
    pairs = [gaussian(200, information, dimensions=2, seed=k) for k, information in enumerate((0.0, 0.3, 1.5))]
    estimator = Neural(**(FAST | {"max_epochs": 40, "patience": 2, "head_start": False}))
    alone = [estimator.fit(*pair) for pair in pairs]
    epochs = [max(row["epoch"] for row in fitted.history) for fitted in alone]
    assert len(set(epochs)) > 1
    for many, one in zip(estimator.fit_many(pairs), alone, strict=True):
        assert [row["epoch"] for row in many.history] == [row["epoch"] for row in one.history]
        assert many.estimate.nats == pytest.approx(one.estimate.nats, abs=1e-4)


@pytest.mark.parametrize("bound", ["mine", "nwj"])
def test_going_on_with_some_changes_nothing_for_them(bound: str) -> None:
    # What an optimizer and a running average remember goes on with the members that stay.
    pairs = [gaussian(160, information, seed=k) for k, information in enumerate((0.0, 1.0))]
    estimator = Neural(**(FAST | {"bound": bound, "max_epochs": 30, "patience": 1, "head_start": False}))
    alone = [estimator.fit(*pair) for pair in pairs]
    assert len({len(fitted.history) for fitted in alone}) == 2
    for many, one in zip(estimator.fit_many(pairs), alone, strict=True):
        assert len(many.history) == len(one.history)
        for row, other in zip(many.history, one.history, strict=True):
            assert row == pytest.approx(other, abs=1e-4)


def test_history_has_a_row_per_member_and_epoch() -> None:
    fitted = Neural(**(FAST | {"max_epochs": 3, "restarts": 2})).fit(*gaussian(200, 0.5))
    assert len(fitted.history) == 2 * 2 * 3
    assert {row["member"] for row in fitted.history} == {0, 1, 2, 3}
    assert all(math.isfinite(row["validation"]) for row in fitted.history)


def test_parts_never_overlap_and_every_sample_is_reported_on() -> None:
    for n, folds in ((40, 2), (41, 4), (103, 5)):
        parts = split(n, folds, 0.15, seed=0)
        for fit, select, report in parts:
            assert sorted(torch.cat([fit, select, report]).tolist()) == list(range(n))
        assert set(torch.cat([report for _, _, report in parts]).tolist()) == set(range(n))


def test_a_critic_from_elsewhere() -> None:
    def build(x_features: int, y_features: int, seed: int) -> nn.Module:
        return critics.Separable(x_features, y_features, 4, (16,), shortcut=True, seed=seed)

    estimate = Neural(**(FAST | {"critic": build})).estimate(*gaussian(1500, 0.7))
    assert estimate.nats == pytest.approx(0.7, abs=0.15)


class TestWarnings:
    def test_saturation(self) -> None:
        estimate = Neural(**(FAST | {"batch_size": 16})).estimate(*gaussian(600, 5.0, 2))
        assert any("16 candidates" in w and "raise batch_size" in w for w in estimate.warnings)

    def test_more_information_than_samples_can_show(self) -> None:
        # Even the exact log ratio shows no more than the logarithm of its candidates.
        estimator = Neural(critic=lambda x, y, seed: Exact(20.0, x), preprocessing="none", folds=2, max_epochs=1)
        estimate = estimator.estimate(*gaussian(800, 20.0, 8))
        assert estimate.nats == pytest.approx(math.log(200), abs=0.01)  # rows meet 199 others
        assert estimate.nats <= estimate.ceiling
        assert any("no lower bound can be trusted near log 400" in w for w in estimate.warnings)
        free = dataclasses.replace(estimator, bound="dime").estimate(*gaussian(800, 20.0, 8))
        assert free.nats == pytest.approx(20.0, abs=0.5)
        # With a critic that is not exact, nothing confirms such a value.
        assert any("above log 400" in w and "far too low or too high" in w for w in free.warnings)
        easy = dataclasses.replace(estimator, bound="dime", critic=lambda x, y, seed: Exact(2.0, x))
        assert not any("above log" in w for w in easy.estimate(*gaussian(800, 2.0, 8)).warnings)

    def test_ten_nats_are_too_many_for_a_lower_bound_and_it_names_the_cure(self) -> None:
        x, y = gaussian(10000, 10.0, 5)
        estimate = Neural(folds=2, max_epochs=1).estimate(x, y)
        # log of the 2048 or so candidates that a reported row meets.
        assert estimate.nats < 7.7
        (warning,) = (w for w in estimate.warnings if "no lower bound can be trusted" in w)
        assert "doe" in warning
        assert "gaussian-mixture" in warning
        for cure in ("doe", "gaussian-mixture"):
            quick = {"max_epochs": 2} if cure == "doe" else {}
            found = mutual_information(x, y, estimator=cure, folds=2, **quick)
            assert found.nats == pytest.approx(10.0, abs=0.1)
            assert 10.0 in found.interval

    def test_an_exhausted_budget(self) -> None:
        estimate = Neural(**(FAST | {"max_epochs": 2})).estimate(*gaussian(400, 0.7))
        assert any("still improving in the last epoch" in w for w in estimate.warnings)

    def test_overfitting(self) -> None:
        big = {"hidden": (256,), "weight_decay": 0.0, "folds": 2, "head_start": False}
        estimate = Neural(**big).estimate(*gaussian(100, 3.0, 20))
        assert any("overfitting: the objective is" in w for w in estimate.warnings)


def test_a_permutation_test_from_one_fit() -> None:
    settings = FAST | {"max_epochs": 3}
    dependent, independent = gaussian(400, 0.2), gaussian(400, 0.0, seed=1)
    found = Neural(**settings).tested(*dependent, permutations=99)
    assert found.nats == Neural(**settings).estimate(*dependent).nats
    assert found.p_value == 0.02  # twice the least that 99 shuffles can show
    assert Neural(**settings).tested(*independent, permutations=99).p_value > 0.1
    assert mutual_information(*dependent, estimator="neural", permutations=99, **settings) == found


@pytest.mark.slow
def test_p_values_under_independence_are_spread_out() -> None:
    settings = FAST | {"max_epochs": 1}
    p = [Neural(**settings).tested(*gaussian(80, 0.0, seed=s), permutations=19).p_value for s in range(20)]
    assert sum(value <= 0.1 for value in p) <= 5
    assert max(p) > 0.5


def test_seeds_within_folds_are_named() -> None:
    estimate = Neural(**(FAST | {"max_epochs": 1, "restarts": 2})).estimate(*gaussian(200, 0.5))
    assert estimate.interval.spans == "2 folds of 2 seeds each"


def test_what_overfits_is_not_selected() -> None:
    big = {"hidden": (256,), "weight_decay": 0.0, "bound": "nwj"}
    estimate = Neural(**(FAST | big)).estimate(*gaussian(200, 0.0, 20))
    assert estimate.nats < 0.02
    assert 0.0 in estimate.interval


class TestHeadStart:
    def test_a_gaussian_in_many_dimensions_needs_no_learning(self) -> None:
        # One canonical pair of 20, whose columns a critic would overfit long before it found it.
        x, y = gaussian(1200, 0.8)
        generator = torch.Generator().manual_seed(1)
        turned = [
            torch.cat([side, torch.randn(1200, 19, generator=generator)], 1)
            @ torch.linalg.qr(torch.randn(20, 20, generator=generator)).Q
            for side in (x, y)
        ]
        settings = FAST | {"max_epochs": 4}
        assert Neural(**settings).estimate(*turned).nats == pytest.approx(0.8, abs=0.12)
        assert Neural(head_start=False, **settings).estimate(*turned).nats < 0.5

    def test_a_common_scale_is_found_by_its_radius(self) -> None:
        generator = torch.Generator().manual_seed(0)
        scale = torch.exp(torch.randn(1500, 1, generator=generator))
        x, y = (scale * torch.randn(1500, 5, generator=generator) for _ in range(2))
        assert Neural(**(FAST | {"max_epochs": 4})).estimate(x, y).nats > 0.3

    @pytest.mark.parametrize("critic", ["separable", "bilinear", "concatenated"])
    def test_every_critic_starts_as_the_given_ratio(self, critic: str) -> None:
        x, y = gaussian(400, 0.6, 2)
        parts = (torch.arange(300), torch.arange(300, 350), torch.arange(350, 400))
        sides = [Described.of(values, parts, False, "gaussianize") for values in (x, y)]
        pairs = head_start(*sides)
        columns = critic_columns(*sides, pairs, 2, whole=True)
        width = pairs_width(*(side.form for side in sides)) + 2
        features = columns[0].shape[1] - width, columns[1].shape[1] - width
        positive, negative = Residual(Neural(critic=critic)._critic(*features, 0), width, 0.0)(*columns)
        # The log ratio of the pairs (u, v), from scipy's densities.
        u, v, rho = (t.double().numpy() for t in (pairs.u[2], pairs.v[2], pairs.rho))
        expected = sum(
            stats.multivariate_normal(cov=[[1, r], [r, 1]]).logpdf(np.stack([a, b], 1))
            - stats.norm.logpdf(a)
            - stats.norm.logpdf(b)
            for a, b, r in zip(u.T, v.T, rho, strict=True)
        )
        assert len(rho) == 2
        assert positive.detach().numpy() == pytest.approx(expected, abs=1e-4)
        assert negative.shape == (50, 49)

    def test_every_fold_is_preprocessed_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[int] = []
        of = Described.of
        monkeypatch.setattr(Described, "of", lambda raw, *rest: calls.append(raw.shape[1]) or of(raw, *rest))
        Neural(**(FAST | {"max_epochs": 1, "folds": 3})).estimate(*gaussian(200, 0.5, 2))
        assert calls == [2] * 6

    def test_the_report_part_has_no_say(self) -> None:
        x, y = gaussian(400, 0.6, 2)
        parts = (torch.arange(300), torch.arange(300, 350), torch.arange(350, 400))
        found = []
        for _ in range(2):
            found.append(head_start(*(Described.of(values, parts, False, "gaussianize") for values in (x, y))))
            x[350:], y[350:] = 100.0, -100.0
        assert torch.equal(found[0].rho, found[1].rho)
        assert torch.equal(found[0].u[1], found[1].u[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bound": "club"}, "unknown bound 'club'"),
        ({"bound": "flo"}, "unknown bound 'flo'"),
        ({"bound": "infonc"}, "Did you mean 'infonce'"),
        ({"critic": "seperable"}, "Did you mean 'separable'"),
        ({"folds": 1}, "^folds must"),
        ({"batch_size": 2}, "^batch_size must"),
        ({"validation": 1.0}, "^validation must"),
        ({"learning_rate": 0.0}, "^learning_rate must"),
        ({"preprocessing": "whiten"}, "unknown preprocessing"),
        ({"hidden": (0,)}, "^hidden must"),
        ({"seed": -1}, "^seed must"),
        ({"activation": "rlu"}, "Did you mean 'relu'"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises((InvalidArgument, UnknownName), match=message):
        Neural(**arguments)  # type: ignore[arg-type]


def test_bad_samples_are_refused() -> None:
    x, y = gaussian(100, 0.5)
    with pytest.raises(TooFewSamples, match=r"^x must be"):
        Neural().estimate(x[:30], y[:30])
    with pytest.raises(InvalidArgument, match=r"^x and y must hold the same"):
        Neural().estimate(x, y[:99])
    with pytest.raises(InvalidArgument, match=r"^x must be finite"):
        Neural().estimate(torch.cat([x[:99], torch.tensor([[math.nan]])]), y)


def test_a_diverging_fit_is_an_error_not_a_number() -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.tensor(math.nan))

        def forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
            return critics.split_pairs(self.weight * x @ y.T)

    with pytest.raises(DidNotConverge, match="never finite"):
        Neural(**(FAST | {"critic": lambda x, y, seed: Broken()})).estimate(*gaussian(200, 0.5))


@pytest.mark.slow
def test_economical_critics_find_what_others_find_in_fewer_epochs() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 2))
    y = x**2 + 0.5 * rng.normal(size=(1500, 2))  # without the columns themselves, radii alone show little
    thorough, economical = (Neural(economical=each, max_epochs=30, seed=1).fit(x, y) for each in (False, True))
    assert economical.estimate.nats == pytest.approx(thorough.estimate.nats, abs=0.05)
    assert len(economical.history) < 0.9 * len(thorough.history)


def test_a_first_fold_below_what_is_required_is_the_only_one() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = x + rng.normal(size=(400, 2))  # 0.69 nats
    few = Neural(economical=True, required=2.0, max_epochs=3)
    found = few.estimate(x, y)
    assert found.interval is not None
    assert found.interval.spans == "samples of the first fold"
    assert found.nats < 2.0
    assert few.estimate_many([(x, y)]) == [found]
    every = Neural(economical=True, required=0.1, max_epochs=3).fit(x, y)
    assert every.estimate == Neural(economical=True, required=0.1, max_epochs=3).estimate(x, y)
    assert every.estimate.interval is not None
    assert every.estimate.interval.spans == "4 folds"
    # Pointwise values are those of every sample.
    for each in (few.pointwise(x, y), few.fit(x, y).pointwise, few.fit_many([(x, y)])[0].pointwise):
        torch.testing.assert_close(each, every.pointwise)
    assert len({row["member"] for row in every.history}) == 5  # the better of them in the other folds


def test_a_critic_that_is_clearly_behind_is_given_up() -> None:
    value = torch.tensor([0.5, 0.53, 0.9, 0.1])
    assert _behind(value, torch.tensor([0, 0, 1, 1])).tolist() == [True, False, False, True]
    assert not _behind(value, torch.arange(4)).any()
