"""What every bound of positive and negative scores must do, whatever it bounds."""

from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from infoflow import bounds
from infoflow.bounds import BOUNDS, Bound, BoundName, Takes
from infoflow.core.errors import InvalidArgument, UnknownName

PAIRED = [bound for bound in BOUNDS.values() if bound.takes not in (Takes.ENTROPY, Takes.MARGINAL)]
DENSITIES = [bound for bound in BOUNDS.values() if bound.takes in (Takes.ENTROPY, Takes.MARGINAL)]


def named(bound: Bound) -> str:
    return bound.name


every_paired = pytest.mark.parametrize("bound", PAIRED, ids=named)
every_density = pytest.mark.parametrize("bound", DENSITIES, ids=named)


def value(bound: Bound, positive: Tensor, negative: Tensor, **options: object) -> Tensor:
    extra = (-positive.detach(),) if bound.takes is Takes.NEGATIVE_AND_U else ()
    return bound(positive, negative, *extra, **options)


def objective(bound: Bound, positive: Tensor, negative: Tensor, **options: object) -> Tensor:
    extra = (-positive.detach(),) if bound.takes is Takes.NEGATIVE_AND_U else ()
    return bound.training_objective(positive, negative, *extra, **options)


def scores(
    n: int = 6, m: int = 5, *lead: int, seed: int = 0, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    positive = torch.randn(*lead, n, generator=generator, dtype=torch.float64)
    negative = torch.randn(*lead, n, m, generator=generator, dtype=torch.float64)
    return positive.to(dtype), negative.to(dtype)


def random_mask(n: int, m: int, seed: int = 1) -> Tensor:
    mask = torch.rand(n, m, generator=torch.Generator().manual_seed(seed)) < 0.6
    mask[:, 2] = True
    mask[0] = False
    mask[0, 3] = True  # one negative only
    mask[1] = True  # all
    return mask


@every_paired
def test_gives_one_number_for_one_problem_and_one_for_each_of_a_batch(bound: Bound) -> None:
    positive, negative = scores(6, 5, 2, 3)
    batch = value(bound, positive, negative)
    assert batch.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            single = value(bound, positive[i, j], negative[i, j])
            assert single.ndim == 0
            torch.testing.assert_close(batch[i, j], single)


@every_paired
def test_a_masked_negative_is_as_if_it_were_not_there(bound: Bound) -> None:
    positive, negative = scores()
    mask = random_mask(6, 5)
    positive.requires_grad_()
    negative = negative.masked_fill(~mask, 1e30).requires_grad_()  # a value that would show anywhere
    masked = value(bound, positive, negative, mask=mask)
    by_hand = torch.stack(
        [value(bound, p[None], row[keep][None]) for p, row, keep in zip(positive, negative, mask, strict=True)]
    )
    if bound.row_local:
        torch.testing.assert_close(masked, by_hand.mean())
    else:  # every row weighs the same in the mean of e^T, however many negatives it has
        clip = 5.0 if bound.name == "smile" else math.inf
        rows = [row[keep].clamp(-clip, clip).exp().mean() for row, keep in zip(negative, mask, strict=True)]
        torch.testing.assert_close(masked, positive.mean() - torch.stack(rows).mean().log())
    objective(bound, positive, negative, mask=mask).backward()
    assert positive.grad is not None
    assert negative.grad is not None
    assert torch.isfinite(positive.grad).all()
    assert torch.equal(negative.grad[~mask], torch.zeros(int((~mask).sum()), dtype=torch.float64))


@every_paired
def test_a_full_mask_changes_nothing(bound: Bound) -> None:
    positive, negative = scores()
    full = torch.ones(5, dtype=torch.bool)
    torch.testing.assert_close(value(bound, positive, negative, mask=full), value(bound, positive, negative))


@every_paired
def test_gradients_of_what_it_trains_by_are_those_of_finite_differences(bound: Bound) -> None:
    positive, negative = (t.requires_grad_() for t in scores(3, 4))
    extra = (
        (torch.linspace(-1, 1, 3, dtype=torch.float64, requires_grad=True),)
        if bound.takes is Takes.NEGATIVE_AND_U
        else ()
    )
    mask = random_mask(3, 4)
    for options in ({}, {"mask": mask}):
        assert torch.autograd.gradcheck(
            lambda *s, options=options: bound.training_objective(*s, **options), (positive, negative, *extra)
        )


@every_paired
def test_the_value_carries_the_gradient_of_the_objective(bound: Bound) -> None:
    gradients = []
    for function in (value, objective):
        positive, negative = (t.requires_grad_() for t in scores())
        gradients.append(torch.autograd.grad(function(bound, positive, negative), (positive, negative)))
    for reported, trained in zip(*gradients, strict=True):
        torch.testing.assert_close(reported, trained)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("size", [1e4, -1e4])
@every_paired
def test_huge_scores_leave_value_and_gradient_finite(bound: Bound, size: float, dtype: torch.dtype) -> None:
    for positive_size, negative_size in ((size, size), (size, -size), (size, 0.0), (0.0, size)):
        positive, negative = scores(dtype=dtype)
        positive, negative = (positive + positive_size).requires_grad_(), (negative + negative_size).requires_grad_()
        result = value(bound, positive, negative)
        result.backward()
        assert torch.isfinite(result)
        assert torch.isfinite(positive.grad).all()
        assert torch.isfinite(negative.grad).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32], ids=str)
@every_paired
def test_lower_precision_is_summed_in_float32(bound: Bound, dtype: torch.dtype) -> None:
    positive, negative = scores(64, 63, dtype=dtype)
    result = value(bound, positive, negative)
    assert result.dtype == torch.float32
    # The same rounded scores in float64: only the summation's own error is left.
    torch.testing.assert_close(
        result.double(), value(bound, positive.double(), negative.double()), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("bound", BOUNDS.values(), ids=named)
def test_half_precision_agrees_with_double_up_to_scores_of_60(bound: Bound, dtype: torch.dtype) -> None:
    second = {Takes.ENTROPY: (), Takes.MARGINAL: (9,)}.get(bound.takes, (9, 8))
    shapes = [(9,), second, (9,)] if bound.takes is Takes.NEGATIVE_AND_U else [(9,), second]
    generator = torch.Generator().manual_seed(0)
    for size in (1.0, 10.0, 15.0, 60.0):
        given = [size * (2 * torch.rand(shape, generator=generator) - 1).to(dtype) for shape in shapes]
        given[0][0], given[0][1] = size, -size
        half, double = ([part.detach().to(kind).requires_grad_() for part in given] for kind in (dtype, torch.float64))
        found, expected = bound.training_objective(*half), bound.training_objective(*double)
        torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)
        found.backward()
        expected.backward()
        largest = torch.finfo(dtype).max
        for rounded, exact in zip(half, double, strict=True):
            assert bool(torch.isfinite(rounded.grad).all())
            torch.testing.assert_close(
                rounded.grad.double(), exact.grad.clamp(-largest, largest), rtol=torch.finfo(dtype).eps, atol=1e-6
            )


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 7), m=st.integers(1, 7))
@every_paired
def test_the_order_of_samples_and_of_negatives_does_not_matter(bound: Bound, seed: int, n: int, m: int) -> None:
    positive, negative = scores(n, m, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    rows, columns = torch.randperm(n, generator=generator), torch.randperm(m, generator=generator)
    permuted = value(bound, positive[rows], negative[rows][:, columns])
    torch.testing.assert_close(permuted, value(bound, positive, negative))


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 7), m=st.integers(1, 9), scale=st.floats(0.0, 500.0))
@every_paired
def test_the_stated_ceiling_holds(bound: Bound, seed: int, n: int, m: int, scale: float) -> None:
    positive, negative = scores(n, m, seed=seed)
    ceiling = bound.ceiling(m)
    assert float(value(bound, positive * scale, negative * scale)) <= ceiling + 1e-9
    assert float(value(bound, positive + scale, negative - scale)) <= ceiling + 1e-9
    assert (ceiling < math.inf) == bool(bound.ceiling_name)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), shift=st.floats(-1e3, 1e3))
@pytest.mark.parametrize("name", ["donsker_varadhan", "mine", "infonce", "l1out", "club", "wasserstein"])
def test_a_constant_added_to_all_scores_cancels(name: str, seed: int, shift: float) -> None:
    positive, negative = scores(seed=seed)
    shifted = BOUNDS[name](positive + shift, negative + shift)
    torch.testing.assert_close(shifted, BOUNDS[name](positive, negative), rtol=1e-9, atol=1e-9)


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6))
@pytest.mark.parametrize("name", ["infonce", "l1out"])
def test_a_function_of_x_added_to_the_scores_cancels_in_row_wise_contrasts(name: str, seed: int) -> None:
    positive, negative = scores(seed=seed)
    shift = 10 * torch.randn(6, generator=torch.Generator().manual_seed(seed + 1), dtype=torch.float64)
    moved = BOUNDS[name](positive + shift, negative + shift[:, None])
    torch.testing.assert_close(moved, BOUNDS[name](positive, negative), rtol=1e-9, atol=1e-9)


@every_paired
def test_compiles_into_one_graph(bound: Bound) -> None:
    positive, negative = scores(dtype=torch.float32)
    torch.compiler.reset()
    compiled = torch.compile(lambda p, n: value(bound, p, n), fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(positive, negative), value(bound, positive, negative))


@pytest.mark.slow
@every_paired
def test_compiles_into_one_graph_with_a_mask(bound: Bound) -> None:
    positive, negative = scores(dtype=torch.float32)
    torch.compiler.reset()
    mask = random_mask(6, 5)
    with_mask = torch.compile(lambda p, n, k: value(bound, p, n, mask=k), fullgraph=True, backend="eager")
    torch.testing.assert_close(with_mask(positive, negative, mask), value(bound, positive, negative, mask=mask))


@every_paired
def test_bad_scores_are_refused_with_what_they_were(bound: Bound) -> None:
    positive, negative = scores()
    with pytest.raises(InvalidArgument, match=r"^negative must be of shape \(6,\).*got shape \(5, 5\)"):
        value(bound, positive, negative[:5])
    with pytest.raises(InvalidArgument, match=r"^negative must .*got shape \(6,\)"):
        value(bound, positive, negative[:, 0])
    with pytest.raises(InvalidArgument, match="^negative must .*no negatives"):
        value(bound, positive, negative[:, :0])
    with pytest.raises(InvalidArgument, match=r"^positive must .*got shape \(0,\)"):
        value(bound, positive[:0], negative[:0])
    with pytest.raises(InvalidArgument, match=r"^positive must .*got shape \(\)"):
        value(bound, positive[0], negative[0])
    with pytest.raises(InvalidArgument, match=r"dtype torch\.int64"):
        value(bound, positive.long(), negative)
    with pytest.raises(InvalidArgument, match="^negative must .*got a list"):
        value(bound, positive, [[0.0]])  # type: ignore[arg-type]
    mask = torch.ones(6, 5, dtype=torch.bool)
    mask[4] = False
    with pytest.raises(InvalidArgument, match=r"^mask must .*row \(4,\)"):
        value(bound, positive, negative, mask=mask)
    with pytest.raises(InvalidArgument, match=r"^mask must .*got shape \(6, 4\)"):
        value(bound, positive, negative, mask=mask[:, :4])
    with pytest.raises(InvalidArgument, match="^mask must be a boolean tensor"):
        value(bound, positive, negative, mask=mask.float())


@every_density
def test_bounds_of_log_densities_average_rows_and_keep_leading_axes(bound: Bound) -> None:
    positive, marginal = scores(6, 1, 4)[0], scores(6, 1, 4, seed=1)[0]
    second = marginal if bound.takes is Takes.MARGINAL else torch.full((4,), 0.5, dtype=torch.float64)
    expected = positive.mean(-1) + (-marginal.mean(-1) if bound.takes is Takes.MARGINAL else 0.5)
    torch.testing.assert_close(bound(positive, second), expected)
    assert bound(positive[0].bfloat16(), second[0].bfloat16()).dtype == torch.float32
    with pytest.raises(InvalidArgument, match=r"^positive must .*got shape \(0,\)"):
        bound(positive[0, :0], second)
    if bound.takes is Takes.MARGINAL:
        with pytest.raises(InvalidArgument, match=r"^marginal must .*got shape \(5,\)"):
            bound(positive[0], second[0, :5])


def test_every_registered_bound_is_a_public_function_of_that_name() -> None:
    for name, bound in BOUNDS.items():
        assert bound.name == name
        assert bound.function is getattr(bounds, name)
        assert (bound.log_ratio is None) == (bound.score is None)


def test_the_type_of_names_lists_every_bound() -> None:
    assert set(get_args(BoundName)) == set(BOUNDS)


def test_names_are_forgiving_but_unknown_ones_are_not() -> None:
    assert bounds.by_name("Jensen-Shannon-MI").name == "jensen_shannon_mi"
    with pytest.raises(UnknownName, match="Did you mean 'infonce'"):
        bounds.by_name("info-nce")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p, n: bounds.smile(p, n, tau=0.0), "^tau "),
        (lambda p, n: bounds.interpolated(p, n, alpha=1.5), "^alpha must"),
        (lambda p, n: bounds.interpolated(p, n, alpha=-0.1), "^alpha "),
        (lambda p, n: bounds.anchored_infonce(p, n, anchor=-1.0), "^anchor "),
        (lambda p, n: bounds.dime(p, n, divergence="tv"), "unknown divergence 'tv'"),
        (lambda p, n: bounds.smile(p, n, readout="both"), "unknown readout 'both'"),
        (lambda p, n: bounds.tuba(p, n, torch.zeros(5)), r"^log_baseline must"),
        (lambda p, n: bounds.flo(p, n, torch.zeros(5)), "^u must"),
        (lambda p, n: bounds.ExponentialAverage(rate=1.5), "^rate must"),
    ],
)
def test_bad_options_are_refused(call, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidArgument, match=message):
        call(*scores())
