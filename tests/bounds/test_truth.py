"""The bounds against exact enumeration of small discrete joints and closed forms of Gaussians."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from infoflow import bounds
from infoflow.bounds import BOUNDS, ExponentialAverage, Side, Takes

# How often each (x, y) occurs among N = 24 samples. Pairing every sample with all N samples' y then gives the
# product of the marginals exactly, so that a bound of these scores is an expectation, not an estimate of one.
COUNTS = torch.tensor([[5, 1, 1], [1, 6, 2], [2, 1, 5]])
JOINT = COUNTS.double() / COUNTS.sum()
PX, PY = JOINT.sum(1), JOINT.sum(0)
PRODUCT = PX[:, None] * PY[None]
LOG_RATIO = (JOINT / PRODUCT).log()
INFORMATION = float((JOINT * LOG_RATIO).sum())
PAIRS = torch.tensor([(x, y) for x in range(3) for y in range(3) for _ in range(int(COUNTS[x, y]))])

# Closed forms of the divergences between JOINT and PRODUCT.
MIXTURE = (JOINT + PRODUCT) / 2
TRUTH = {
    "jensen_shannon": float((JOINT * (JOINT / MIXTURE).log() + PRODUCT * (PRODUCT / MIXTURE).log()).sum()),
    "squared_hellinger": float((JOINT.sqrt() - PRODUCT.sqrt()).square().sum()),
    "chi_squared": float(((JOINT - PRODUCT).square() / PRODUCT).sum()),
    "reverse_kl": float((PRODUCT * -LOG_RATIO).sum()),
}


def population(table: Tensor) -> tuple[Tensor, Tensor]:
    """A critic's table (3, 3) as positive and negative scores over the whole population."""
    x, y = PAIRS.T
    return table[x, y], table[x][:, y]


def critic_tables() -> st.SearchStrategy[Tensor]:
    entry = st.floats(-4, 4)
    return st.lists(entry, min_size=9, max_size=9).map(lambda v: torch.tensor(v, dtype=torch.float64).reshape(3, 3))


FOR_SCORES = [b for b in BOUNDS.values() if b.takes is Takes.NEGATIVE and b.score is not None]
# Those whose expectation is linear, or whose logarithm is of the whole population: exact for any number of negatives.
FINITE = {"infonce", "interpolated"}


@pytest.mark.parametrize("bound", [b for b in FOR_SCORES if b.name not in FINITE], ids=lambda b: b.name)
def test_the_optimal_critic_attains_the_quantity(bound: bounds.Bound) -> None:
    truth = TRUTH.get(bound.name, INFORMATION)
    assert float(bound(*population(bound.score(LOG_RATIO)))) == pytest.approx(truth, abs=1e-12)
    torch.testing.assert_close(bound.log_ratio(bound.score(LOG_RATIO)), LOG_RATIO)


@settings(max_examples=40)
@given(table=critic_tables())
@pytest.mark.parametrize(
    "bound",
    [b for b in FOR_SCORES if b.side in (Side.LOWER, Side.DIVERGENCE) and b.name not in FINITE],
    ids=lambda b: b.name,
)
def test_no_critic_exceeds_it(bound: bounds.Bound, table: Tensor) -> None:
    assert float(bound(*population(table))) <= TRUTH.get(bound.name, INFORMATION) + 1e-12


@settings(max_examples=25)
@given(table=critic_tables(), baseline=st.floats(-2, 2))
def test_tuba_and_flo_are_lower_bounds_for_every_baseline(table: Tensor, baseline: float) -> None:
    positive, negative = population(table)
    rows = baseline * PAIRS[:, 0].double()
    assert float(bounds.tuba(positive, negative, rows)) <= INFORMATION + 1e-12
    assert float(bounds.flo(positive, negative, rows - positive)) <= INFORMATION + 1e-12


def test_tuba_and_flo_are_tight_where_they_say() -> None:
    positive, negative = population(LOG_RATIO)
    rows = torch.linspace(-3, 3, len(PAIRS), dtype=torch.float64)
    assert float(bounds.tuba(positive + rows, negative + rows[:, None], rows)) == pytest.approx(INFORMATION)
    # FLO: u = −log ratio, whatever is added to T in each row.
    assert float(bounds.flo(positive + rows, negative + rows[:, None], -positive)) == pytest.approx(INFORMATION)


def outcomes(negatives: int) -> tuple[Tensor, Tensor, Tensor]:
    """Every (x, y, negatives) with its probability, as a batch of problems with one row each."""
    cells = list(itertools.product(range(3), repeat=2 + negatives))
    index = torch.tensor(cells)
    weight = JOINT[index[:, 0], index[:, 1]] * PY[index[:, 2:]].prod(-1)
    return weight, index[:, :2], index[:, 2:]


def expected(function, table: Tensor, negatives: int) -> Tensor:  # type: ignore[no-untyped-def]
    """The exact expectation over the joint and independent negatives."""
    weight, pair, negatives_of = outcomes(negatives)
    positive = table[pair[:, 0], pair[:, 1]].unsqueeze(-1)
    negative = table[pair[:, :1], negatives_of].unsqueeze(-2)
    return (weight * function(positive, negative)).sum()


@settings(max_examples=25)
@given(table=critic_tables(), alpha=st.floats(0, 1), baseline=st.floats(-2, 2))
@pytest.mark.parametrize("negatives", [1, 2, 3])
def test_contrastive_bounds_hold_in_expectation(negatives: int, table: Tensor, alpha: float, baseline: float) -> None:
    assert float(expected(bounds.infonce, table, negatives)) <= INFORMATION + 1e-12
    value = expected(lambda p, n: bounds.interpolated(p, n, alpha, baseline), table, negatives)
    assert float(value) <= INFORMATION + 1e-12


def test_the_decoupled_form_is_no_lower_bound() -> None:
    decoupled = expected(lambda p, n: bounds.infonce(p, n, include_positive=False), LOG_RATIO, 1)
    assert float(decoupled) > INFORMATION


@pytest.mark.parametrize("negatives", [1, 2, 3])
def test_interpolated_ends_at_tuba_and_at_infonce_with_as_many_candidates(negatives: int) -> None:
    tuba = expected(bounds.tuba, LOG_RATIO, negatives)
    torch.testing.assert_close(expected(lambda p, n: bounds.interpolated(p, n, 0.0), LOG_RATIO, negatives), tuba)
    near = expected(lambda p, n: bounds.interpolated(p, n, 1e-9), LOG_RATIO, negatives)
    torch.testing.assert_close(near, tuba, rtol=1e-7, atol=1e-7)
    # m candidates in all: the partner among m − 1 negatives.
    end = expected(lambda p, n: bounds.interpolated(p, n, 1.0), LOG_RATIO, negatives)
    fewer = expected(bounds.infonce, LOG_RATIO, negatives - 1) if negatives > 1 else torch.tensor(0.0).double()
    torch.testing.assert_close(end, fewer)


OBJECTIVES = [
    *((b.name, b.training_objective, b.score) for b in FOR_SCORES if b.row_local and b.name != "interpolated"),
    *(
        (f"dime-{d}", lambda p, n, d=d: bounds.dime(p, n, d, readout="objective"), lambda ratio: ratio)
        for d in ("kl", "gan", "hellinger")
    ),
    *(
        (
            f"anchor-{nu}",
            lambda p, n, nu=nu: bounds.anchored_infonce(p, n, nu, readout="objective"),
            lambda ratio: ratio,
        )
        for nu in (0.1, 1.0, 7.0)
    ),
]


@pytest.mark.parametrize(("objective", "score"), [o[1:] for o in OBJECTIVES], ids=[o[0] for o in OBJECTIVES])
@pytest.mark.parametrize("negatives", [1, 3])
def test_the_optimal_critic_is_a_maximum_of_the_expected_objective(objective, score, negatives: int) -> None:  # type: ignore[no-untyped-def]
    table = score(LOG_RATIO).clone().requires_grad_()
    best = expected(objective, table, negatives)
    (gradient,) = torch.autograd.grad(best, table)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-12, rtol=0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        other = table.detach() + 0.3 * torch.randn(3, 3, generator=generator, dtype=torch.float64)
        assert float(expected(objective, other, negatives)) < float(best.detach()) + 1e-12


def test_the_anchor_fixes_what_infonce_leaves_free() -> None:
    free = LOG_RATIO + torch.tensor([[-1.0], [0.5], [2.0]])
    torch.testing.assert_close(expected(bounds.infonce, free, 2), expected(bounds.infonce, LOG_RATIO, 2))

    def anchored(p: Tensor, n: Tensor) -> Tensor:
        return bounds.anchored_infonce(p, n, readout="objective")

    assert float(expected(anchored, free, 2)) < float(expected(anchored, LOG_RATIO, 2)) - 0.01


def test_the_anchored_objective_is_the_information_about_which_candidate_is_the_partner() -> None:
    # Enumerated the other way round: classes, then candidates, with the log-loss of the exact posterior.
    k, nu = 2, 0.7
    total = 0.0
    for x, *ys in itertools.product(range(3), repeat=1 + k):
        alone = math.prod(float(PY[y]) for y in ys) * float(PX[x])
        ratios = [float(LOG_RATIO[x, y].exp()) for y in ys]
        weights = [nu / (k + nu) * alone, *(alone * r / (k + nu) for r in ratios)]
        total += sum(w * math.log(w / sum(weights)) for w in weights)
    prior = [nu / (k + nu), *[1 / (k + nu)] * k]
    total -= sum(p * math.log(p) for p in prior)
    objective = expected(lambda p, n: bounds.anchored_infonce(p, n, nu, readout="objective"), LOG_RATIO, k)
    assert float(objective) == pytest.approx(total, abs=1e-12)


def test_bounds_of_log_densities_at_the_true_densities() -> None:
    x, y = PAIRS.T
    conditional = (JOINT / PX[:, None]).log()  # log p(y|x)
    positive = conditional[x, y]
    entropy = -float((PY * PY.log()).sum())
    assert float(bounds.barber_agakov(positive, entropy)) == pytest.approx(INFORMATION)
    assert float(bounds.barber_agakov_upper(positive, PY.log()[y])) == pytest.approx(INFORMATION)
    assert float(bounds.doe(positive, PY.log()[y])) == pytest.approx(INFORMATION)
    # The mixture over the whole population is the true marginal.
    assert float(bounds.l1out(positive, conditional[:, y].T[:, x])) == pytest.approx(INFORMATION)
    club = float(((JOINT - PRODUCT) * conditional).sum())
    assert float(bounds.club(positive, conditional[x][:, y])) == pytest.approx(club)
    assert club > INFORMATION
    included = bounds.club(positive, conditional[x][:, y], include_positive=True)
    assert float(included) == pytest.approx(club * len(PAIRS) / (len(PAIRS) + 1))


@settings(max_examples=25)
@given(table=critic_tables())
def test_wrong_densities_err_to_the_stated_side(table: Tensor) -> None:
    x, y = PAIRS.T
    guess = torch.log_softmax(table, 1)
    entropy = -float((PY * PY.log()).sum())
    assert float(bounds.barber_agakov(guess[x, y], entropy)) <= INFORMATION + 1e-12
    conditional = (JOINT / PX[:, None]).log()[x, y]
    assert float(bounds.barber_agakov_upper(conditional, guess[0][y])) >= INFORMATION - 1e-12


@pytest.mark.parametrize("negatives", [1, 2])
def test_l1out_is_an_upper_bound_in_expectation(negatives: int) -> None:
    conditional = (JOINT / PX[:, None]).log()
    total = 0.0
    for x, y, *others in itertools.product(range(3), repeat=2 + negatives):
        weight = float(JOINT[x, y]) * math.prod(float(PX[o]) for o in others)
        value = bounds.l1out(conditional[x, y].reshape(1), conditional[list(others), y].reshape(1, -1))
        total += weight * float(value)
    assert total >= INFORMATION


class TestMine:
    def test_the_gradient_divides_by_the_average_instead_of_the_batch(self) -> None:
        positive, negative = (t.clone().requires_grad_() for t in population(LOG_RATIO))
        earlier = torch.full_like(negative, 2.0)
        average = ExponentialAverage(rate=0.25).updated(earlier).updated(negative)
        mean = 0.75 * math.exp(2.0) + 0.25 * float(negative.detach().exp().mean())
        assert float(average.log_mean) == pytest.approx(math.log(mean))
        value = bounds.mine(positive, negative, average)
        torch.testing.assert_close(value, bounds.donsker_varadhan(positive, negative))
        value.backward()
        torch.testing.assert_close(negative.grad, -negative.exp().detach() / negative.numel() / mean)
        torch.testing.assert_close(positive.grad, torch.full_like(positive, 1 / len(positive)))

    def test_the_state_is_a_new_object_and_carries_no_graph(self) -> None:
        first = ExponentialAverage()
        second = first.updated(torch.zeros(2, 3, requires_grad=True))
        assert first.log_mean is None
        assert not second.log_mean.requires_grad

    def test_a_jump_of_the_scores_leaves_the_gradient_bounded(self) -> None:
        negative = torch.full((4, 3), 1e4, requires_grad=True)
        average = ExponentialAverage(rate=0.01).updated(torch.zeros(4, 3)).updated(negative)
        bounds.mine(torch.zeros(4), negative, average).backward()
        assert float(negative.grad.abs().sum()) == pytest.approx(100, rel=1e-2)  # 1/rate


def gaussian_scores(rho: float, dimensions: int, batches: int, n: int, seed: int = 0) -> tuple[Tensor, Tensor, float]:
    """Exact log density ratios of correlated Gaussians, in-batch negatives without the diagonal."""
    generator = torch.Generator().manual_seed(seed)
    x, noise = torch.randn(2, batches, n, dimensions, generator=generator, dtype=torch.float64)
    y = rho * x + math.sqrt(1 - rho**2) * noise
    squares = (x.unsqueeze(2).square() + y.unsqueeze(1).square()).sum(-1) * rho**2 / 2
    cross = rho * x @ y.mT
    truth = -0.5 * dimensions * math.log1p(-(rho**2))
    table = truth + (cross - squares) / (1 - rho**2)
    off = table[:, ~torch.eye(n, dtype=torch.bool)].reshape(batches, n, n - 1)
    return table.diagonal(dim1=1, dim2=2), off, truth


@pytest.mark.parametrize("bound", [b for b in FOR_SCORES if b.quantity == "I(X;Y)"], ids=lambda b: b.name)
def test_gaussian_with_the_exact_ratio(bound: bounds.Bound) -> None:
    positive, negative, truth = gaussian_scores(0.6, 2, batches=200, n=64)
    values = bound(bound.score(positive), bound.score(negative))
    error = float(values.std()) / math.sqrt(len(values))
    bias = {"infonce": 0.02, "interpolated": 0.02, "donsker_varadhan": 0.005, "mine": 0.005}.get(bound.name, 0.0)
    assert float(values.mean()) == pytest.approx(truth, abs=4 * error + bias)
    if bound.side is Side.LOWER and bound.row_local:
        assert float(values.mean()) <= truth + 4 * error


def test_infonce_stops_at_its_ceiling_where_the_plug_in_values_do_not() -> None:
    positive, negative, truth = gaussian_scores(0.95, 8, batches=10, n=32)  # 9.3 nats
    infonce = bounds.infonce(positive, negative)
    assert float(infonce.max()) <= math.log(32)
    assert float(infonce.mean()) == pytest.approx(math.log(32), abs=0.02)
    assert float(bounds.anchored_infonce(positive, negative).mean()) == pytest.approx(truth, abs=0.3)
    assert float(bounds.dime(positive, negative).mean()) == pytest.approx(truth, abs=0.3)


def test_club_of_a_gaussian_is_its_own_closed_form() -> None:
    rho = 0.6
    generator = torch.Generator().manual_seed(3)
    x, noise = torch.randn(2, 3000, generator=generator, dtype=torch.float64)
    y = rho * x + math.sqrt(1 - rho**2) * noise
    table = torch.distributions.Normal(rho * x[:, None], math.sqrt(1 - rho**2)).log_prob(y[None])
    value = bounds.club(table.diagonal(), table, include_positive=False)
    assert float(value) == pytest.approx(rho**2 / (1 - rho**2), abs=0.05)


def test_scores_beyond_the_cap_still_push_in_the_right_direction() -> None:
    positive, negative = torch.zeros(2, requires_grad=True), torch.full((2, 3), 500.0, requires_grad=True)
    bounds.nwj(positive, negative).backward()
    assert bool((positive.grad > 0).all())
    assert bool((negative.grad < 0).all())
