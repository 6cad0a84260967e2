"""Every critic: shapes, agreement with a loop over pairs, gradients everywhere, seeds, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from infoflow import bounds, critics
from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName

N = 6
VECTORS: dict[str, Callable[..., critics.VectorCritic]] = {
    "separable": lambda **k: critics.Separable(3, 4, embedding=5, hidden=(8,), **k),
    "cosine": lambda **k: critics.Separable(3, 4, embedding=5, hidden=(8,), normalize=True, **k),
    "shortcut": lambda **k: critics.Separable(3, 4, embedding=5, hidden=(8,), shortcut=True, **k),
    "bilinear": lambda **k: critics.Bilinear(3, 4, **k),
    "concatenated": lambda **k: critics.Concatenated(3, 4, hidden=(8, 7), **k),
    "concatenated-2": lambda **k: critics.Concatenated(3, 4, hidden=(8,), n_negatives=2, **k),
    "global": lambda **k: critics.GlobalCritic(3, 4, **k),
}
LOCALS: dict[str, Callable[..., critics.LocalCritic]] = {
    "concat-and-convolve": lambda **k: critics.ConcatAndConvolve(3, 4, units=9, **k),
    "concat-and-convolve-all": lambda **k: critics.ConcatAndConvolve(3, 4, units=9, n_negatives=None, **k),
    "encode-and-dot": lambda **k: critics.EncodeAndDot(3, 4, units=8, **k),
}
EVERY = VECTORS | LOCALS
N_NEGATIVES = {"concatenated-2": 2, "global": 1, "concat-and-convolve": 1}


def data(name: str, n: int = N, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(n, 3, *((2, 2) if name in LOCALS else ()), generator=generator, dtype=dtype)
    return x, torch.randn(n, 4, generator=generator, dtype=dtype)


@pytest.mark.parametrize("name", EVERY)
def test_scores_have_the_shapes_that_bounds_take(name: str) -> None:
    positive, negative = EVERY[name]()(*data(name))
    count = N_NEGATIVES.get(name, N - 1)
    assert positive.shape == ((4, N) if name in LOCALS else (N,))
    assert negative.shape == ((1, N, count * 4) if name in LOCALS else (N, count))
    assert bounds.infonce(positive, negative).shape == positive.shape[:-1]


@pytest.mark.parametrize("name", VECTORS)
def test_scores_are_those_of_single_pairs(name: str) -> None:
    critic, (x, y) = VECTORS[name]().double(), data(name, dtype=torch.float64)
    positive, negative = critic.scores(x, y)
    torch.testing.assert_close(positive, critic.pairs(x, y))
    for i in range(N):
        others = [j for j in range(N) if j != i]
        if name in N_NEGATIVES:
            others = [(i + k) % N for k in range(1, N_NEGATIVES[name] + 1)]
        alone = torch.stack([critic.pairs(x[i : i + 1], y[j : j + 1])[0] for j in others])
        torch.testing.assert_close(negative[i], alone)


@pytest.mark.parametrize("name", LOCALS)
def test_local_scores_are_those_of_single_locations(name: str) -> None:
    critic, (x, y) = LOCALS[name]().double().eval(), data(name, dtype=torch.float64)
    positive, negative = critic.scores(x, y)

    def score(location: Tensor, summary: Tensor) -> Tensor:
        if isinstance(critic, critics.EncodeAndDot):
            return critic.map_encoder(location[None])[0] @ critic.summary_encoder(summary[None])[0]
        return critic.rest(critic.first(torch.cat([location, summary])))[0]

    flat = x.flatten(2)
    for i in range(N):
        others = [(i + 1) % N] if name == "concat-and-convolve" else [j for j in range(N) if j != i]
        torch.testing.assert_close(positive[:, i], torch.stack([score(flat[i, :, k], y[i]) for k in range(4)]))
        expected = torch.stack([score(flat[j, :, k], y[i]) for j in others for k in range(4)])
        torch.testing.assert_close(negative[0, i].sort().values, expected.sort().values)


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("name", EVERY)
def test_gradients_reach_every_parameter(name: str, spectral_norm: bool) -> None:
    critic, (x, y) = EVERY[name](spectral_norm=spectral_norm), data(name)
    x.requires_grad_(), y.requires_grad_()
    (-bounds.jensen_shannon(*critic.scores(x, y)).mean()).backward()
    for label, tensor in [*critic.named_parameters(), ("x", x), ("y", y)]:
        assert tensor.grad is not None, label
        assert torch.isfinite(tensor.grad).all(), label
        assert tensor.grad.abs().sum() > 0, label


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("name", EVERY)
def test_a_seed_fixes_the_weights_and_the_global_random_state_stays(name: str, spectral_norm: bool) -> None:
    before = torch.random.get_rng_state()
    torch.manual_seed(1)
    first = EVERY[name](seed=7, spectral_norm=spectral_norm)
    torch.manual_seed(2)
    state = torch.random.get_rng_state()
    second = EVERY[name](seed=torch.Generator().manual_seed(7), spectral_norm=spectral_norm)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.random.set_rng_state(before)
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    other = EVERY[name](seed=8)
    assert any(not torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=False))


@pytest.mark.parametrize("name", ["concatenated", "separable", "encode-and-dot"])
def test_spectral_norm_holds_each_weight_near_one(name: str) -> None:
    critic, (x, y) = EVERY[name](spectral_norm=True), data(name)
    for _ in range(30):
        critic.scores(x, y)  # each pass in training mode is a step of the power iteration
    for module in critic.modules():
        if isinstance(module, nn.Linear):
            norm = torch.linalg.matrix_norm(module.weight.detach(), 2)
            assert float(norm) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("name", EVERY)
def test_bad_input_is_refused(name: str) -> None:
    critic, (x, y) = EVERY[name](), data(name)
    with pytest.raises(TooFewSamples, match="batch of one"):
        critic.scores(x[:1], y[:1])
    with pytest.raises(InvalidArgument, match="^x and y must hold the same number of samples, got 6 and 5"):
        critic.scores(x, y[:5])
    with pytest.raises(InvalidArgument, match=r"^y must be .*got shape \(6, 3\)"):
        critic.scores(x, y[:, :3])
    with pytest.raises(InvalidArgument, match="^x must be"):
        critic.scores(x[:, :2], y)
    with pytest.raises(InvalidArgument, match="^y must be .*got int"):
        critic.scores(x, 3)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: critics.Separable(0, 3), "^x_features must be"),
        (lambda: critics.Separable(3, 3, embedding=2.5), "^embedding must be"),  # type: ignore[arg-type]
        (lambda: critics.Separable(3, 3, normalize=True, temperature=0.0), "^temperature must be"),
        (lambda: critics.Concatenated(3, 3, hidden=()), "^hidden must be"),
        (lambda: critics.Concatenated(3, 3, hidden=(4, 0)), "^hidden must be"),
        (lambda: critics.Concatenated(3, 3, n_negatives=0), "^n_negatives must be"),
        (lambda: critics.Concatenated(3, 3, n_negatives=6).scores(*data("x", 6)), "."),
        (lambda: critics.Bilinear(3, 3, seed=-1), "^seed must be"),
    ],
)
def test_bad_arguments_are_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        build()


def test_an_unknown_activation_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'relu'"):
        critics.Separable(3, 3, activation="rlu")


def test_gradients_of_split_pairs_return_to_the_entries_they_came_from() -> None:
    generator = torch.Generator().manual_seed(0)
    for n, candidates, offset in ((2, 2, 0), (4, 4, 0), (3, 6, 2)):
        table = torch.randn(5, n, candidates, generator=generator, requires_grad=True)
        own = torch.zeros(n, candidates, dtype=torch.bool)
        own[torch.arange(n), torch.arange(n) + offset] = True
        weights = torch.randn(table.shape, generator=generator)
        positive, negative = torch.func.vmap(lambda each, at=offset: critics.split_pairs(each, at))(table)
        of_positive = weights[:, own].view(5, n)
        of_negative = weights[:, ~own].view(5, n, candidates - 1)
        ((positive * of_positive).sum() + (negative * of_negative).sum()).backward()
        assert torch.equal(table.grad, weights)


@settings(max_examples=30)
@given(n=st.integers(1, 6), before=st.integers(0, 4), after=st.integers(0, 4))
def test_split_pairs_takes_partners_out_wherever_they_are(n: int, before: int, after: int) -> None:
    candidates = n + before + after
    table = torch.arange(2.0 * n * candidates).reshape(2, n, candidates)
    if candidates < 2:
        with pytest.raises(TooFewSamples):
            critics.split_pairs(table, before)
        return
    positive, negative = critics.split_pairs(table, before)
    for lead in range(2):
        for i in range(n):
            row = table[lead, i].tolist()
            assert positive[lead, i].item() == row.pop(before + i)
            assert negative[lead, i].tolist() == row
    with pytest.raises(InvalidArgument, match="offset"):
        critics.split_pairs(table, before + after + 1)


@settings(max_examples=30)
@given(n=st.integers(2, 40), seed=st.integers(0, 10**6))
def test_nobody_keeps_its_partner(n: int, seed: int) -> None:
    order = critics.derangement(n, torch.Generator().manual_seed(seed))
    assert sorted(order.tolist()) == list(range(n))
    assert not bool((order == torch.arange(n)).any())
    assert not bool((critics.shifts(n, n, None) == torch.arange(n)[:, None]).any())


def test_derangements_of_three_are_equally_likely() -> None:
    generator = torch.Generator().manual_seed(0)
    first = sum(critics.derangement(3, generator).tolist() == [1, 2, 0] for _ in range(400))
    assert 160 <= first <= 240  # four standard deviations


def test_the_contrastive_image_text_loss_is_a_special_case() -> None:
    critic, (x, y) = VECTORS["cosine"](), data("cosine")
    positive, negative = critic.scores(x, y)
    f, g = critic.x_network(x), critic.y_network(y)
    logits = nn.functional.cosine_similarity(f[:, None], g[None], dim=-1) / 0.07
    cross_entropy = nn.functional.cross_entropy(logits, torch.arange(N))
    torch.testing.assert_close(-bounds.infonce(positive, negative) + torch.tensor(N).log(), cross_entropy)
