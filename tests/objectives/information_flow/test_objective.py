"""The value is the published one, sampling is unbiased, and the network stays as it was."""

from __future__ import annotations

import copy
import itertools
import math
import pickle
from collections import OrderedDict

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.spatial.distance import jensenshannon
from torch import Tensor, nn

from infoflow import bounds
from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.critics import Bilinear, Concatenated, Separable
from infoflow.objectives import FlowCritic, InformationFlow, Locations, Negatives
from infoflow.objectives.information_flow.candidates import CandidateTable

KINDS = ("random", "same-location", "same-image", "same-class")


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 4, 3, padding=1),
            act1=nn.ReLU(),
            pool=nn.MaxPool2d(2),
            conv2=nn.Conv2d(4, 5, 3, padding=1),
            norm=nn.BatchNorm2d(5),
            flatten=nn.Flatten(),
            head=nn.Linear(5 * 2 * 2, 3),
        )
    )


def images(n: int = 6) -> Tensor:
    return torch.randn(n, 3, 4, 4, generator=torch.Generator().manual_seed(1))


class Table(nn.Module):
    """A critic of one-hot vectors that looks each pair up."""

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.values = nn.Parameter(values)

    def pairs(self, x: Tensor, y: Tensor) -> Tensor:
        return torch.einsum("ni,ij,nj->n", x, self.values, y)


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_is_twice_the_jensen_shannon_divergence(seed: int) -> None:
    """On a discrete joint: F* = 2 JSD(p(x,y), p(x)p(y)) − 2 log 2, at V* = log density ratio; E_joint[V*] = I."""
    rng = np.random.default_rng(seed)
    joint = rng.dirichlet(np.full(12, 0.5)).reshape(3, 4)
    product = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    wanted = 2 * jensenshannon(joint.ravel(), product.ravel()) ** 2 - 2 * math.log(2)

    def published(values: Tensor) -> Tensor:
        p, q = torch.from_numpy(joint), torch.from_numpy(product)
        return (-p * F.softplus(-values)).sum() - (q * F.softplus(values)).sum()

    best = torch.from_numpy(np.log(np.maximum(joint, 1e-300) / product)).requires_grad_()
    value = published(best)
    assert value.item() == pytest.approx(wanted, abs=1e-9)
    assert torch.autograd.grad(value, best)[0].abs().max() < 1e-9
    assert -2 * math.log(2) - 1e-9 <= value.item() <= 1e-9
    information = (joint * np.log(np.maximum(joint, 1e-300) / product)).sum()
    assert (torch.from_numpy(joint) * best).sum().item() == pytest.approx(information)


def test_all_locations_of_a_counted_joint_give_the_published_value() -> None:
    """Features that are one-hot codes: with all locations and negatives it is a sum over a joint's counts."""
    rng = np.random.default_rng(0)
    n, size = 5, 4
    x, y = rng.integers(3, size=(n, size)), rng.integers(2, size=(n, size))
    model = nn.Sequential(OrderedDict(a=nn.Identity(), b=nn.Conv2d(3, 2, 1)))
    values = torch.from_numpy(rng.normal(size=(3, 2)))
    flow = InformationFlow(
        model, [("a", "b")], critic=[Table(values)], locations=None, negatives=Negatives("random", None)
    )
    model.train()
    maps = F.one_hot(torch.from_numpy(x), 3).double().mT.reshape(n, 3, 2, 2)
    flow._kept.update(a=maps, b=F.one_hot(torch.from_numpy(y), 2).double().mT.reshape(n, 2, 2, 2))
    total, terms = flow(), flow.terms
    own = [values[x[i, s], y[i, s]].item() for i in range(n) for s in range(size)]
    others = [
        values[x[i, s], y[j, t]].item()
        for i, s, j, t in itertools.product(range(n), range(size), range(n), range(size))
        if (i, s) != (j, t)
    ]
    softplus = np.logaddexp(0, [-v for v in own]).mean() + np.logaddexp(0, others).mean()
    assert total.item() == pytest.approx(softplus - 2 * math.log(2))
    assert terms["a-b/saturation"].item() == pytest.approx((2 * math.log(2) - softplus) / (2 * math.log(2)))


@pytest.mark.parametrize("kind", ["random", "same-location", "same-image"])
def test_sampling_equals_all_locations_in_expectation_exactly(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every possible draw of one location and one negative, averaged: the full estimator to rounding."""
    model = network().double().train()
    x = images(3).double()

    def objective(locations: int | None, count: int | None) -> InformationFlow:
        critic = FlowCritic(4, 5, (6,), normalize=False).double()
        return InformationFlow(
            model, [("conv1", "conv2")], critic=[critic], negatives=Negatives(kind, count), locations=locations
        )

    with objective(None, None) as flow, torch.no_grad():
        model(x)
        kept = dict(flow._kept)
        flow()
        full = flow.terms["conv1-conv2"].item()
    negatives = {"random": 3 * 16 - 4, "same-location": 2, "same-image": 12}[kind]
    values = []
    with objective(1, 1) as flow, torch.no_grad():
        # Rows of different images are separate terms of a mean, so it is enough that all take the same numbers.
        for location, number in itertools.product(range(16), range(negatives)):
            monkeypatch.setattr(torch, "randint", lambda high, shape, where=location: torch.full(shape, where))
            monkeypatch.setattr(
                torch, "rand", lambda *shape, dtype, k=number: torch.full(shape, (k + 0.5) / negatives, dtype=dtype)
            )
            flow._kept.update(kept)
            flow()
            values.append(flow.terms["conv1-conv2"].item())
    assert np.mean(values) == pytest.approx(full, abs=1e-12)


def test_positives_and_negatives_share_one_normalization_pass() -> None:
    """A pair scores the same as positive and as negative of one call; passes of their own would tell them apart."""
    critic = FlowCritic(4, 4, (8, 8)).train()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 4, generator=generator)
    y = x[:, None] + 0.01 * torch.randn(64, 1, 4, generator=generator)  # (n, S = 1, d)
    index = torch.arange(64)[:, None].expand(-1, 3).clone()
    index[:, 2] = index[:, 2].roll(1)  # the partner twice, and a negative

    def scores(columns: Tensor) -> Tensor:
        return CandidateTable(critic, x, y, columns, lambda rows: rows, "x-y").scores()

    together = scores(index)
    torch.testing.assert_close(together[:, 0], together[:, 1])
    apart = scores(index[:, :1]), scores(index[:, 2:])
    # Each batch alone is centered by its own statistics: even a pair in both would get another score in each.
    assert (apart[0][:, 0] - together[:, 0]).abs().max() > 0.01
    # The leak itself: a critic that sees only constants can't separate them in one pass, but batches of their own can.
    same = torch.zeros(64, 4)
    one = CandidateTable(critic, same, torch.zeros(64, 1, 4), index, lambda rows: rows, "x-y").scores()
    assert one.std() < 1e-5


# Every bound, and every kind of negatives, at least once.
COMBINED = list(
    itertools.zip_longest(
        [n for n, b in bounds.BOUNDS.items() if b.takes is bounds.Takes.NEGATIVE], KINDS, fillvalue="random"
    )
)


@pytest.mark.parametrize(("name", "kind"), COMBINED)
def test_every_bound_and_kind_of_negatives_trains_network_and_critics(name: str, kind: str) -> None:
    model = network()
    labels = torch.tensor([0, 0, 1, 1, 0, 2])
    pairs = [("conv1", "conv2")] + [("conv2", "head")] * (kind != "same-image")
    with InformationFlow(model, pairs, bound=name, negatives=Negatives(kind, 3), locations=4) as flow:
        model(images())
        loss = flow(labels)
    loss.backward()
    assert torch.isfinite(loss)
    assert set(flow.terms) == {f"{x}-{y}{end}" for x, y in pairs for end in ("", "/saturation", "/separated")}
    for parameter in [model.conv1.weight, *flow.parameters()]:
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("kind", [Separable, Bilinear, Concatenated, FlowCritic])
def test_candidates_of_every_critic_are_its_pairs(kind: type[nn.Module]) -> None:
    critic = kind(4, 3).eval()
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(10, 4, generator=generator), torch.randn(5, 2, 3, generator=generator)
    for k in (1, 7):
        index = torch.randint(10, (10, k), generator=generator)
        found = CandidateTable(critic, x, y, index, lambda rows: rows, "x-y").scores()
        wanted = torch.stack([critic.pairs(x, y.flatten(0, 1)[index[:, j]]) for j in range(k)], 1)
        torch.testing.assert_close(found, wanted)


def test_mining_selects_the_negatives_with_the_highest_scores() -> None:
    critic = Bilinear(4, 3)
    x, y = torch.randn(10, 4), torch.randn(10, 1, 3)
    index = torch.cat([torch.arange(10)[:, None], torch.stack([torch.randperm(10)[:6] for _ in range(10)])], 1)
    table = CandidateTable(critic, x, y, index, lambda rows: rows, "x-y")
    wanted = table.scores()[:, 1:].sort(1, descending=True).values[:, :2]
    torch.testing.assert_close(table.mined(2)[:, 1:], wanted)
    torch.testing.assert_close(table.mined(2)[:, 0], table.scores()[:, 0])


def test_tokens_and_sequences() -> None:
    block = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    with InformationFlow(block, [("layers.0", "layers.1")], locations=None) as flow:
        block(torch.randn(3, 5, 8))
        assert torch.isfinite(flow())
    convolutions = nn.Sequential(nn.Conv1d(2, 4, 3, padding=1), nn.Conv1d(4, 6, 3, stride=2, padding=1))
    with InformationFlow(convolutions, [("0", "1"), ("input", "output")], example=torch.randn(2, 2, 8)) as flow:
        convolutions(torch.randn(3, 2, 8))
        assert flow().isfinite()


def test_the_network_stays_as_it_was() -> None:
    model = network()
    before, hooks = copy.deepcopy(model.state_dict()), [len(m._forward_hooks) for m in model.modules()]
    torch.manual_seed(5)
    state = torch.get_rng_state()
    flow = InformationFlow(model, [("conv1", "conv2"), ("input", "head")], example=images())
    assert torch.equal(state, torch.get_rng_state())
    assert model.training
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), before.values(), strict=True))
    own = {id(p) for p in model.parameters()}
    assert not own & {id(p) for p in flow.parameters()}
    model.eval()
    model(images())
    assert flow._kept == {}  # nothing is kept where the network only predicts
    flow.detach()
    assert [len(m._forward_hooks) for m in model.modules()] == hooks
    with pytest.raises(InvalidArgument, match="detached already"):
        flow.detach()
    with pytest.raises(InvalidArgument, match="detached from its model"):
        flow()


def test_copies_and_pickles_made_while_attached_carry_nothing() -> None:
    model = network()
    with InformationFlow(model, [("conv1", "conv2")]) as flow:
        for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301 - our own bytes
            other.train()(images())
            assert flow._kept == {}
            assert list(other.state_dict()) == list(model.state_dict())


def test_noise_makes_the_information_finite_and_ignores_scale() -> None:
    model = network()
    with InformationFlow(model, [("conv1", "conv1")], noise=1.0, critic=[Bilinear(4, 4)], bound="infonce") as flow:
        terms = []
        for scale in (1.0, 1000.0):
            torch.manual_seed(0)
            flow._kept["conv1"] = scale * torch.randn(6, 4, 4, 4)
            flow()
            terms.append(flow.terms["conv1-conv1"].item())
    assert terms[0] == pytest.approx(terms[1], rel=1e-3)


def test_weights_and_schedule_scale_the_total() -> None:
    model = network()
    pairs = [("conv1", "conv2"), ("conv2", "head")]
    with InformationFlow(model, pairs, weights=[2.0, 0.5], schedule=lambda step: 1.0 * step) as flow:
        for step in range(3):
            model(images())
            total, terms = flow(), flow.terms
            wanted = -step * (2.0 * terms["conv1-conv2"] + 0.5 * terms["conv2-head"])
            torch.testing.assert_close(total.detach(), wanted)


def test_draws_follow_the_global_random_state_and_first_weights_the_seed() -> None:
    model = network()
    totals = []
    for _ in range(2):
        with InformationFlow(model, [("conv1", "conv2")], seed=3) as flow:
            torch.manual_seed(1)
            model(images())
            totals.append(flow().item())
    assert totals[0] == totals[1]


def test_invalid_arguments_raise() -> None:
    model = network()
    with pytest.raises(UnknownName, match=r"unknown layer 'conv3'. Did you mean 'conv2'"):
        InformationFlow(model, [("conv1", "conv3")])
    with pytest.raises(InvalidArgument, match=r"^pairs must be a list .*, got \['conv1', 'conv2'\]"):
        InformationFlow(model, ["conv1", "conv2"])
    with pytest.raises(InvalidArgument, match=r"^pairs must be a list .*, got \[\]"):
        InformationFlow(model, [])
    with pytest.raises(InvalidArgument, match=r"^pairs must be a list of different pairs"):
        InformationFlow(model, [("conv1", "conv2")] * 2)
    with pytest.raises(UnknownName, match="unknown bound"):
        InformationFlow(model, [("conv1", "conv2")], bound="jensen")
    with pytest.raises(InvalidArgument, match=r"^bound must be one that takes scores of negatives alone, got 'club'"):
        InformationFlow(model, [("conv1", "conv2")], bound="club")
    with pytest.raises(UnknownName, match="unknown upsampling"):
        InformationFlow(model, [("conv1", "conv2")], locations=Locations(upsampling="cubic"))
    with pytest.raises(InvalidArgument, match="^x_features of the critic of 'conv1' and 'conv2' must"):
        InformationFlow(model, [("conv1", "conv2")], critic=[Bilinear(9, 5)])
    with pytest.raises(InvalidArgument, match=r"^critic must be 1 modules, one for each pair, got \[\]"):
        InformationFlow(model, [("conv1", "conv2")], critic=[])
    with pytest.raises(InvalidArgument, match=r"^critic must be modules with a method pairs.*, got Linear"):
        InformationFlow(model, [("conv1", "conv2")], critic=[nn.Linear(4, 5)])
    with pytest.raises(InvalidArgument, match="^The width of layer 'flatten' cannot"):
        InformationFlow(model, [("conv1", "flatten")])
    with pytest.raises(InvalidArgument, match=r"^mining must be 1 where all negatives are taken .*, got 2"):
        InformationFlow(model, [("conv1", "conv2")], negatives=Negatives(n_negatives=None, mining=2))
    with pytest.raises(InvalidArgument, match=r"^weights must be a number, or 1 numbers.*, got \[1.0, 2.0\]"):
        InformationFlow(model, [("conv1", "conv2")], weights=[1.0, 2.0])
    assert all(not m._forward_hooks for m in model.modules())
    with InformationFlow(model, [("conv1", "conv2")]) as flow:
        with pytest.raises(InvalidArgument, match="^Layer 'conv1' has not run since"):
            flow()
        model(images(1))
        with pytest.raises(TooFewSamples, match=r"^batch must be at least 2 samples for random negatives, got 1"):
            flow()
    with InformationFlow(model, [("flatten", "conv2")], critic=[Bilinear(7, 5)]) as flow:
        model(images())
        with pytest.raises(InvalidArgument, match="^The critic of flatten-conv2 does not fit its layers: x must"):
            flow()
