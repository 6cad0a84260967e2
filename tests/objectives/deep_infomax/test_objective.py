"""Deep InfoMax's value at the optimal critic, its masks, its players, its inputs."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from infoflow.bounds import BOUNDS, Takes
from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.critics import EncodeAndDot, LocalCritic, split_pairs
from infoflow.models import ConvolutionalEncoder
from infoflow.objectives import (
    AdversarialMatching,
    DeepInfoMax,
    Encoding,
    KernelMatching,
    Occlusion,
    deep_infomax_for,
    encode,
)

sys.path.insert(0, str(Path(__file__).parent))
from encoders import Plain, Tokens

COUNTS = np.array([[6, 1, 1], [2, 5, 1]])  # the joint distribution of (c, y), in sixteenths


class Optimal(nn.Module):
    """The critic of known pairs: the bound's own optimum, negatives enumerating the product of the marginals."""

    def __init__(self, bound: str) -> None:
        super().__init__()
        joint = torch.from_numpy(COUNTS / COUNTS.sum())
        ratio = (joint / (joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True))).log()
        self.table = BOUNDS[bound].score(ratio)  # type: ignore[misc]

    def scores(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        c, v = x.flatten(1)[:, 0].long(), y[:, 0].long()
        return self.table[c, v], self.table[c[:, None], v[None, :]]


def closed_form(quantity: str) -> float:
    p = COUNTS / COUNTS.sum()
    q = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    m = (p + q) / 2
    return {
        "I(X;Y)": np.sum(p * np.log(p / q)),
        "2 JSD": np.sum(p * np.log(p / m)) + np.sum(q * np.log(q / m)),
        "squared Hellinger distance": np.sum((np.sqrt(p) - np.sqrt(q)) ** 2),
        "Pearson χ²": np.sum((p - q) ** 2 / q),
        "KL(p(x)p(y) ‖ p(x,y))": np.sum(q * np.log(q / p)),
    }[quantity]


@pytest.mark.parametrize(
    "name",
    [
        "jensen_shannon",
        "nwj",
        "donsker_varadhan",
        "mine",
        "tuba",
        "jensen_shannon_mi",
        "squared_hellinger",
        "chi_squared",
        "reverse_kl",
    ],
)
def test_each_measure_is_its_divergence_at_the_optimal_critic(name: str) -> None:
    c, v = (torch.from_numpy(index).double() for index in np.nonzero(np.ones_like(COUNTS)))
    times = torch.from_numpy(COUNTS.flatten())
    encoding = Encoding(c.repeat_interleave(times)[:, None, None], v.repeat_interleave(times)[:, None])
    objective = DeepInfoMax(nn.Identity(), global_critic=Optimal(name), alpha=2.0, bound=name)
    loss = objective.loss(encoding)
    expected = closed_form(BOUNDS[name].quantity)
    assert objective.terms["global"].item() == pytest.approx(expected, rel=1e-9)
    if BOUNDS[name].objective is None:
        assert loss.item() == pytest.approx(-2 * expected, rel=1e-9)


class Shifted(LocalCritic):
    """Scores of a fixed table around `level`."""

    def __init__(self, level: float) -> None:
        super().__init__(2, 3)
        self.level = level

    def scores(self, x: Tensor, y: Tensor, *, group: Any = None) -> tuple[Tensor, Tensor]:
        n, places = len(x), x[0, 0].numel()
        table = torch.randn(places, n, n, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) + self.level
        own, others = split_pairs(table)
        return own, others.transpose(0, 1).flatten(1).unsqueeze(0)


@pytest.mark.parametrize("level", [0.0, -40.0, -1e4, 1e4])
def test_a_partner_is_no_negative_whatever_the_level_of_the_scores(level: float) -> None:
    encoding = Encoding(torch.zeros(4, 2, 3, 2), torch.zeros(4, 3))
    critic = Shifted(level)
    objective = DeepInfoMax(nn.Identity(), local_critic=critic, beta=1.0, bound="infonce")
    objective.loss(encoding)
    table = torch.randn(6, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(3)).numpy() + level
    expected = []
    for place in range(6):
        for image in range(4):
            own = table[place, image, image]
            others = [table[p, image, j] for j in range(4) if j != image for p in range(6)]
            expected.append(-math.log(sum(math.exp(s - own) for s in [own, *others]) / (len(others) + 1)))
    assert objective.terms["local"].item() == pytest.approx(np.mean(expected), abs=1e-9)


def network(**settings: Any) -> tuple[DeepInfoMax, Tensor]:
    torch.manual_seed(0)
    images = torch.randn(6, 1, 8, 8)
    encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=5)
    return deep_infomax_for(encoder, images, units=16, **settings), images


def test_neither_player_gives_the_other_a_gradient() -> None:
    objective, images = network(alpha=0.5, beta=1.0, gamma=1.0, coordinates="both", occlusion=3)
    learner, opponent = objective.learner, objective.opponent
    assert opponent is not None
    objective(images).backward()
    assert all(p.grad is None for p in opponent.parameters())
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in learner.parameters() if p.ndim > 1)
    learner.zero_grad()
    objective.opponent_loss(images).backward()
    assert all(p.grad is None for p in learner.parameters())
    assert all(bool(p.grad.abs().sum() > 0) for p in opponent.parameters() if p.ndim > 1)


def test_the_players_share_no_parameter_and_leave_none_out() -> None:
    objective, _ = network(alpha=1.0, beta=1.0, gamma=1.0, coordinates="both")
    learner = {id(p) for p in objective.learner.parameters()}
    opponent = {id(p) for p in objective.opponent.parameters()}  # type: ignore[union-attr]
    assert not learner & opponent
    assert learner | opponent == {id(p) for p in objective.parameters()}


def test_the_adversarial_prior_moves_the_encoder() -> None:
    objective, images = network(beta=0.0, gamma=1.0)
    objective(images).backward()
    assert all(bool(p.grad.abs().sum() > 0) for p in objective.encoder.vector.parameters())


@pytest.mark.parametrize("bound", [n for n, b in BOUNDS.items() if b.takes is Takes.NEGATIVE])
@pytest.mark.parametrize("critic", ["encode-and-dot", "concat-and-convolve"])
def test_every_bound_goes_with_every_critic(bound: str, critic: str) -> None:
    objective, images = network(alpha=0.5, beta=1.0, gamma=0.1, bound=bound, critic=critic, matching="kernel")
    loss = objective(images)
    loss.backward()
    assert all(math.isfinite(float(term)) for term in objective.terms.values())
    assert set(objective.terms) == {"global", "local", "prior"}
    assert objective.opponent is None


@pytest.mark.parametrize("bound", [n for n, b in BOUNDS.items() if b.takes is not Takes.NEGATIVE])
def test_a_bound_of_densities_is_refused(bound: str) -> None:
    with pytest.raises(InvalidArgument, match="takes"):
        network(bound=bound)


def test_negatives_are_drawn_without_repetition_and_evenly() -> None:
    objective, _ = network(n_negatives=3)
    torch.manual_seed(0)
    table = torch.arange(8.0).expand(1, 5, 8)
    counts = torch.zeros(8)
    for _ in range(400):
        drawn = objective._drawn(table)
        assert drawn.shape == (1, 5, 3)
        assert all(len(set(row.tolist())) == 3 for row in drawn[0])
        counts += torch.bincount(drawn.flatten().long(), minlength=8)
    assert bool(((counts / counts.sum() - 1 / 8).abs() < 0.015).all())
    assert objective._drawn(table[..., :3]) is not None
    with pytest.raises(
        InvalidArgument, match=r"^n_negatives must be at most the critic's number of negatives \(2\), got 3"
    ):
        objective._drawn(table[..., :2])


@pytest.mark.parametrize("critic", ["concat-and-convolve", "encode-and-dot"])
def test_all_others_of_the_batch_are_negatives_where_asked_for(critic: Any) -> None:
    """Section 3.1: all combinations across the batch; by default a critic of pairs gives Jensen–Shannon one."""
    encoder, images = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16), torch.randn(6, 1, 8, 8)
    for n_negatives, expected in ((None, 1), ("all", 5)):
        made = deep_infomax_for(encoder, images, alpha=1.0, critic=critic, units=16, n_negatives=n_negatives)
        assert made.n_negatives is None
        whole = made.global_critic.scores(*encoder(images))[1]  # type: ignore[union-attr]
        assert whole.shape == (6, expected)
        if critic == "concat-and-convolve":
            assert made.local_critic.n_negatives == (1 if n_negatives is None else None)  # type: ignore[union-attr]
        assert torch.isfinite(made(images))


def test_the_vector_alone_sees_the_occluded_input() -> None:
    seen: list[Tensor] = []

    class Watching(Plain):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            seen.append(x)
            return super().forward(x)

    encoder, images = Watching(), torch.rand(6, 1, 8, 8) + 1
    objective = DeepInfoMax(encoder, local_critic=EncodeAndDot(4, 3, units=8), beta=1.0, occlusion=Occlusion(3))
    encoding = objective.encode(images)
    occluded, whole = seen
    torch.testing.assert_close(whole, images)
    assert bool((occluded == 0).flatten(1).any(1).all())
    plain = Plain()
    torch.testing.assert_close(encoding.map, plain(images)[0])
    torch.testing.assert_close(encoding.vector, plain(occluded)[1])


def test_time_series() -> None:
    torch.manual_seed(0)
    series = torch.randn(6, 2, 32)
    encoder = ConvolutionalEncoder((2, 32), widths=(4, 8), local=0, units=16, features=5)
    objective = deep_infomax_for(encoder, series, alpha=1.0, units=16, coordinates="both", occlusion=8)
    loss = objective(series)
    loss.backward()
    assert set(objective.terms) == {"global", "local", "prior", "absolute_coordinates", "relative_coordinates"}


def test_token_sequences() -> None:
    torch.manual_seed(0)
    tokens = torch.randint(10, (6, 16))
    hidden = Occlusion(4, fill=10)
    objective = deep_infomax_for(
        Tokens(), tokens, alpha=1.0, units=16, coordinates="both", occlusion=hidden, critic="concat-and-convolve"
    )
    objective(tokens).backward()
    assert bool((hidden(tokens) == 10).any())


def test_the_same_seed_gives_the_same_objective_and_a_part_left_out_changes_no_other() -> None:
    with_coordinates, _ = network(coordinates="both", seed=4)
    without, _ = network(coordinates="none", seed=4)
    for mine, other in zip(without.local_critic.parameters(), with_coordinates.local_critic.parameters(), strict=True):
        torch.testing.assert_close(mine, other)


def test_encoders_that_return_no_map() -> None:
    images = torch.randn(4, 1, 8, 8)
    with pytest.raises(InvalidArgument, match="^the output of encoder Flatten must"):
        encode(nn.Flatten(), images)
    with pytest.raises(InvalidArgument, match="^the output of encoder _Returning must"):
        encode(_Returning(lambda x: (x.flatten(1), x.flatten(1))), images)
    with pytest.raises(InvalidArgument, match="^the output of encoder _Returning must"):
        encode(_Returning(lambda x: (x, x, x)), images)
    with pytest.raises(InvalidArgument, match="1 NaN value"):
        encode(
            _Returning(lambda x: (x, x.flatten(1)[:, :1] * torch.tensor([[1], [1], [1], [math.nan]]))),
            images,
            check_values=True,
        )


class _Returning(nn.Module):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


@pytest.mark.parametrize("critic", ["encode-and-dot", "concat-and-convolve"])
@pytest.mark.parametrize("part", ["local", "global", "coordinates"])
def test_a_map_of_another_size_than_the_critics(critic: str, part: str) -> None:
    weights = {"local": (0, 1, "none"), "global": (1, 0, "none"), "coordinates": (0, 0, "both")}[part]
    objective, images = network(alpha=weights[0], beta=weights[1], gamma=0.0, coordinates=weights[2], critic=critic)
    objective.encoder = Plain(channels=3, features=5)
    with pytest.raises(InvalidArgument, match="must|want"):
        objective(images)


def test_a_batch_of_one() -> None:
    objective, images = network()
    with pytest.raises(TooFewSamples, match=r"^inputs must be at least two.*, got 1"):
        objective(images[:1])


def test_settings_that_make_no_objective() -> None:
    encoder = Plain()
    with pytest.raises(InvalidArgument, match=r"^local_critic must be given where beta > 0, got None"):
        DeepInfoMax(encoder, beta=1.0)
    with pytest.raises(InvalidArgument, match=r"^matching must be given where gamma > 0, got None"):
        DeepInfoMax(encoder, gamma=1.0)
    with pytest.raises(InvalidArgument, match="^alpha, beta or gamma must"):
        DeepInfoMax(encoder)
    with pytest.raises(InvalidArgument, match=r"^alpha must be"):
        DeepInfoMax(encoder, alpha=-1.0)
    with pytest.raises(UnknownName, match="Did you mean 'jensen_shannon'"):
        network(bound="jensen_shanon")
    with pytest.raises(UnknownName, match="encode-and-dot"):
        network(critic="encode-and-dots")
    with pytest.raises(UnknownName, match="kernel"):
        network(matching="kernels")
    objective = DeepInfoMax(encoder, gamma=1.0, matching=KernelMatching())
    with pytest.raises(InvalidArgument, match="no discriminator"):
        objective.opponent_loss(torch.randn(4, 1, 8, 8))


def test_a_matching_of_our_own_is_taken_as_it_is() -> None:
    matching = AdversarialMatching(5, "sphere", units=(8,))
    objective, _ = network(matching=matching)
    assert objective.matching is matching
