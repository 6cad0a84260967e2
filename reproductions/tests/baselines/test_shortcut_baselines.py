"""The baselines agree with closed forms, with plain loops and with a toy data set that has two cues."""

from __future__ import annotations

import copy
import math
from collections import OrderedDict

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from infoflow_reproductions.baselines.decorrelation import Decorrelation
from infoflow_reproductions.baselines.gradient_orthogonality import GradientOrthogonality
from infoflow_reproductions.baselines.independence_cross_entropy import IndependenceCrossEntropy
from infoflow_reproductions.baselines.spectral_decoupling import SpectralDecoupling
from torch import nn

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.objectives import StatisticsExchange
from infoflow.objectives.exchanged_maps import moments_exchanged, spectrum_exchanged


def test_spectral_decoupling_is_cross_entropy_and_the_mean_square() -> None:
    logits, labels = torch.randn(7, 4, dtype=torch.float64), torch.arange(7) % 4
    wanted = F.cross_entropy(logits, labels) + 0.15 * logits.square().sum(1).mean()
    torch.testing.assert_close(SpectralDecoupling(0.3)(logits, labels), wanted)
    each = SpectralDecoupling(0.3, reduction="none")(logits, labels)
    torch.testing.assert_close(each.mean(), wanted)
    assert SpectralDecoupling(0.0)(logits, labels) == pytest.approx(F.cross_entropy(logits, labels).item())


def test_decorrelation_is_the_sum_over_pairs_of_features() -> None:
    x = torch.randn(9, 4, dtype=torch.float64)
    c = np.corrcoef(x.numpy().T)
    wanted = sum(c[i, j] ** 2 for i in range(4) for j in range(4) if i != j) / 4
    assert Decorrelation()(x).item() == pytest.approx(wanted)
    cov = np.cov(x.numpy().T, bias=True)
    wanted = sum(cov[i, j] ** 2 for i in range(4) for j in range(4) if i != j) / 2
    assert Decorrelation(normalize=False)(x).item() == pytest.approx(wanted)
    assert Decorrelation()(torch.ones(5, 3)).item() == 0.0
    with pytest.raises(InvalidArgument, match="at least 2"):
        Decorrelation()(torch.ones(1, 3))


def test_nuisance_information_is_a_lower_bound_and_not_rewarded_below_zero() -> None:
    loss = IndependenceCrossEntropy(3, classes=2, hidden=(16,))
    labels = torch.arange(200) % 2
    telling = F.one_hot(labels, 3).float()
    optimizer = torch.optim.Adam(loss.parameters(), 0.05)
    for _ in range(60):
        optimizer.zero_grad()
        loss.opponent_loss(telling, labels).backward()
        optimizer.step()
    loss(torch.zeros(200, 2), telling, labels)
    terms = loss.terms
    assert terms["nuisance_information"].item() == pytest.approx(math.log(2), abs=0.05)
    assert terms["nuisance_information"] <= math.log(2)
    wrong = loss(torch.zeros(200, 2), telling.roll(1, 0), labels)  # the adversary is sure, and wrong
    assert loss.terms["nuisance_information"] < 0
    assert wrong.item() == pytest.approx(math.log(2))
    features = telling.clone().requires_grad_()
    loss.opponent_loss(features, labels).backward()
    assert features.grad is None
    with pytest.raises(InvalidArgument, match=r"^nuisance must"):
        loss(torch.zeros(4, 2), torch.zeros(4, 5), torch.zeros(4, dtype=torch.int64))


def test_gradient_overlap_of_linear_members_is_the_angle_of_their_rows() -> None:
    torch.manual_seed(0)
    members = [nn.Linear(5, 3), nn.Linear(5, 3)]
    x, labels = torch.randn(6, 5), torch.tensor([0, 1, 2, 0, 1, 2])
    rows = [member.weight[labels] for member in members]
    wanted = F.cosine_similarity(*rows).square().mean()
    objective = GradientOrthogonality(2.0)
    loss = objective(members, x, labels)
    torch.testing.assert_close(objective.terms["gradient_overlap"], wanted.detach())
    torch.testing.assert_close(loss, objective.terms["cross_entropy"] + 2 * wanted)
    loss.backward()
    assert members[0].weight.grad is not None
    with pytest.raises(InvalidArgument, match="at least 2"):
        GradientOrthogonality()(members[:1], x, labels)


def test_exchanged_moments_and_spectra_are_the_partner_s() -> None:
    x = torch.randn(4, 2, 6, 6, dtype=torch.float64)
    partner = torch.tensor([2, 3, 1, 0])
    moved = moments_exchanged(x, partner)
    torch.testing.assert_close(moved.mean((2, 3)), x.mean((2, 3))[partner])
    torch.testing.assert_close(moved.std((2, 3)), x.std((2, 3))[partner], rtol=2e-3, atol=0)
    # The layout stays: each channel is its own, shifted and scaled.
    for i in range(4):
        assert np.corrcoef(moved[i, 0].flatten(), x[i, 0].flatten())[0, 1] == pytest.approx(1.0)


@pytest.mark.parametrize("shape", [(4, 2, 5), (4, 3, 4, 2), (4, 1, 2, 2, 3)])
@pytest.mark.parametrize("partner", [[2, 3, 1, 0], [0, 1, 0, 1], [1, 1, 1, 2]])
def test_gradients_of_exchanged_moments_are_those_of_differences(shape: tuple[int, ...], partner: list[int]) -> None:
    x = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    to = torch.tensor(partner)
    assert torch.autograd.gradcheck(lambda maps: moments_exchanged(maps, to), (x,))


def test_a_constant_channel_takes_the_partner_s_mean_with_finite_gradients() -> None:
    x = torch.randn(2, 1, 4, 4)
    x[0] = 3.0
    x.requires_grad_()
    moved = moments_exchanged(x, torch.tensor([1, 0]))
    torch.testing.assert_close(moved[0], x[1].mean().expand_as(x[0]))
    moved.square().sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_an_exchanged_spectrum_has_the_partner_s_second_order_statistics_and_the_own_layout() -> None:
    x = torch.randn(4, 3, 6, 6) + torch.tensor([1.0, -1.0, -1.0, 1.0])[:, None, None, None]  # bright and dark
    partner = torch.tensor([2, 3, 1, 0])
    mixed = spectrum_exchanged(x, partner)
    own, of_partner, of_mixed = (torch.fft.rfft2(v) for v in (x, x[partner], mixed))
    # Amplitudes and all products of two channels: the cross-covariances at every distance.
    for a in range(3):
        for b in range(3):
            wanted = of_partner[:, a] * of_partner[:, b].conj()
            torch.testing.assert_close(of_mixed[:, a] * of_mixed[:, b].conj(), wanted, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(mixed.mean((2, 3)), x[partner].mean((2, 3)))
    inner = (..., slice(1, 3))  # without the real coefficients, whose phase is only a sign
    torch.testing.assert_close(of_mixed.mean(1)[inner].angle(), own.mean(1)[inner].angle(), atol=1e-2, rtol=0)
    torch.testing.assert_close(spectrum_exchanged(x, torch.arange(4)), x)
    flat = torch.zeros_like(x)
    flat[1] = x[1]  # what is constant lies nowhere, and takes its partner's layout too
    torch.testing.assert_close(spectrum_exchanged(flat, torch.tensor([1, 1, 1, 1])), x[1].expand_as(x))


def test_every_layer_takes_the_plain_partner_s_statistics() -> None:
    """A partner that is itself exchanged would hand on another's from the second layer on."""
    x, labels = torch.randn(5, 2, 6, 6), torch.arange(5)
    model = nn.Sequential(OrderedDict(conv=nn.Conv2d(2, 3, 3, padding=1), act=nn.ReLU(), flat=nn.Flatten()))
    seen = {}
    model.flat.register_forward_hook(lambda module, inputs, output: seen.update(maps=inputs[0]))
    model(x)
    plain = seen["maps"]
    StatisticsExchange(model, ["conv", "act"], spectra=["input"])(x, labels)
    for mean in seen["maps"][5:].mean((2, 3)):  # the exchanged half
        assert (plain.mean((2, 3)) - mean).abs().amax(1).amin() < 1e-5
    torch.testing.assert_close(seen["maps"][:5], plain)


def test_the_exchange_leaves_the_network_alone() -> None:
    model = nn.Sequential(
        OrderedDict(conv=nn.Conv2d(1, 3, 3, padding=1), pool=nn.AdaptiveMaxPool2d(1), out=nn.Flatten())
    )
    before = copy.deepcopy(model.state_dict())
    x, labels = torch.randn(5, 1, 6, 6), torch.tensor([0, 1, 2, 0, 1])
    plain = model(x)
    exchange = StatisticsExchange(model, ["conv"], spectra=["input"], share=0.25)
    total, terms = exchange(x, labels), exchange.terms
    wanted = 0.25 * terms["exchanged/layout"] + 0.75 * terms["exchanged/statistics"]
    torch.testing.assert_close(total.detach(), wanted)
    assert torch.equal(model(x), plain)
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.modules())
    assert all(torch.equal(a, b) for a, b in zip(before.values(), model.state_dict().values(), strict=True))
    with pytest.raises(UnknownName, match="Did you mean 'conv'"):
        StatisticsExchange(model, ["con"])
    with pytest.raises(InvalidArgument, match="one or more names"):
        StatisticsExchange(model)
    with pytest.raises(InvalidArgument, match="^share must"):
        StatisticsExchange(model, ["conv"], share=2)
    with pytest.raises(TooFewSamples):
        exchange(x[:1], labels[:1])
    with pytest.raises(InvalidArgument, match="output of layer 'out' must be maps"):
        StatisticsExchange(model, ["out"])(x, labels)
    assert all(not m._forward_hooks and not m._forward_pre_hooks for m in model.modules())


def test_the_exchange_makes_a_toy_keep_both_cues() -> None:
    """Tint and layout agree in training. Cross-entropy alone may keep one; with the exchange neither may win."""
    generator = torch.Generator().manual_seed(0)

    def batch(n: int, agree: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        layout = torch.randint(2, (n,), generator=generator)
        tint = layout if agree else torch.randint(2, (n,), generator=generator)
        bar = torch.zeros(n, 1, 8, 8)
        bar[layout == 0, :, 3:5] = 1.0
        bar[layout == 1, :, :, 3:5] = 1.0
        x = bar + 0.1 * torch.randn(n, 1, 8, 8, generator=generator)
        return x + (2.0 * tint - 1)[:, None, None, None], layout, tint

    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 2))
    exchange = StatisticsExchange(model, ["input"])
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(60):
        x, layout, _ = batch(64, True)
        optimizer.zero_grad()
        (F.cross_entropy(model(x), layout) + exchange(x, layout)).backward()
        optimizer.step()
    x, layout, tint = batch(1000, False)
    q = model(x).softmax(1)
    conflict = layout != tint
    agreeing = q[~conflict].gather(1, layout[~conflict, None])
    assert agreeing.mean() > 0.95
    assert q[conflict].sub(0.5).abs().mean() < 0.2  # where cues disagree, both labels get their half
