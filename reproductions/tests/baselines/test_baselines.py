"""The baselines: no loss leaks into the other player, values against slow references, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from infoflow_reproductions.baselines.autoencoders import AdversarialAutoencoder, BetaAutoencoder
from infoflow_reproductions.baselines.bigan import BiGAN
from infoflow_reproductions.baselines.generators import NonSaturatingGAN, PriorMatchingGenerator, WassersteinGAN
from infoflow_reproductions.baselines.noise_as_targets import NoiseAsTargets
from infoflow_reproductions.baselines.views import DotCritic, MultiViewDeepInfoMax, NTXent, VICReg
from infoflow_reproductions.networks.dcgan_discriminator import DCGANDiscriminator
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.models import ConvolutionalEncoder, DCGANDecoder
from infoflow.objectives import AdversarialMatching
from infoflow.objectives.priors import Gaussian

SHAPE = (1, 8, 8)


def encoder(features: int = 6) -> ConvolutionalEncoder:
    return ConvolutionalEncoder(SHAPE, widths=(4, 8), local=0, units=16, features=features)


def decoder() -> DCGANDecoder:
    return DCGANDecoder(6, SHAPE, widths=(8, 4))


def judge(**more: int) -> DCGANDiscriminator:
    return DCGANDiscriminator(SHAPE, widths=(4, 8), units=8, **more)


GAMES = {
    "aae": lambda: AdversarialAutoencoder(encoder(), decoder(), AdversarialMatching(6, "gaussian", units=(8,))),
    "bigan": lambda: BiGAN(encoder(), decoder(), judge(features=6)),
    "ns-gan": lambda: NonSaturatingGAN(decoder(), judge(), 6),
    "wgan-gp": lambda: WassersteinGAN(decoder(), judge(), 6),
    "prior-matching": lambda: PriorMatchingGenerator(decoder(), judge(outputs=3), 6),
    "discriminators": lambda: with_discriminators(decoder(), judge(), 6),
}


def with_discriminators(generator: nn.Module, judge: nn.Module, features: int) -> PriorMatchingGenerator:
    """Return prior matching as published: one feature, two discriminators, the data's Gaussian as the aim."""
    matchings = tuple(AdversarialMatching(1, Gaussian(mean), units=(16,), penalty=0.0) for mean in (1.0, -1.0))
    return PriorMatchingGenerator(generator, judge, features, matchings=matchings, toward="prior")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", GAMES)
def test_each_loss_gives_a_gradient_to_its_player_alone(name: str) -> None:
    torch.manual_seed(0)
    objective, images = GAMES[name](), torch.randn(5, *SHAPE)
    players = objective.players()
    assert len(players) == (3 if name == "discriminators" else 2)
    owned = [{id(p) for p in module.parameters()} for module, _ in players.values()]
    assert sum(map(len, owned)) == len(set.union(*owned))
    assert set.union(*owned) == {id(p) for p in objective.parameters()}
    for module, loss in players.values():
        objective.zero_grad()
        value = loss(images)
        value.backward()
        for parameter in objective.parameters():
            mine = any(parameter is p for p in module.parameters())
            assert mine or parameter.grad is None
        assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in module.parameters() if p.ndim > 1)


@pytest.mark.parametrize("name", ["ns-gan", "prior-matching", "discriminators"])
def test_a_generator_learns_one_gray_image(name: str) -> None:
    torch.manual_seed(0)
    objective, images = GAMES[name](), torch.full((16, *SHAPE), 0.5)
    optimizers = {k: torch.optim.Adam(m.parameters(), 3e-3, (0.5, 0.9)) for k, (m, _) in objective.players().items()}

    def distance() -> float:
        with torch.no_grad():
            return float((objective.sample(64, images) - 0.5).square().mean())

    before = distance()
    for _ in range(80):
        for key, (_, loss) in objective.players().items():
            optimizers[key].zero_grad()
            value = loss(images)
            value.backward()
            optimizers[key].step()
    assert distance() < 0.7 * before


def test_prior_matching_with_discriminators_equals_its_equations() -> None:
    """Equation 12 for a linear judge, with the non-saturating loss of the encoder, and equation 13."""
    torch.manual_seed(0)
    line, made = nn.Linear(64, 1).double(), nn.Sequential(nn.Linear(6, 64), nn.Unflatten(1, SHAPE)).double()
    nn.init.zeros_(made[0].weight)  # every sample is the bias
    game = with_discriminators(made, nn.Sequential(nn.Flatten(), line), 6).double()
    images = torch.randn(5, *SHAPE, dtype=torch.float64)
    with torch.no_grad():
        data, drawn = line(images.flatten(1)), line(made[0].bias[None])
        wanted = sum(
            nn.functional.softplus(-matching.discriminator(y)).mean()
            for matching, y in ((game.of_data, data), (game.of_samples, drawn))
        )
    assert game(images).item() == pytest.approx((1.0 - drawn.item()) ** 2, rel=1e-9)
    game.penalty = 0.0
    assert game.opponent_loss(images).item() == pytest.approx(wanted.item(), rel=1e-9)


def test_the_wasserstein_game_of_a_linear_judge() -> None:
    line = nn.Linear(64, 1).double()
    constant = nn.Sequential(nn.Linear(6, 64), nn.Unflatten(1, SHAPE)).double()
    nn.init.zeros_(constant[0].weight)
    game = WassersteinGAN(constant, nn.Sequential(nn.Flatten(), line), 6, penalty=10.0)
    images = torch.randn(5, *SHAPE, dtype=torch.float64)
    weight, drawn = line.weight.detach().numpy()[0], constant[0].bias.detach().numpy()
    gap = weight @ (drawn - images.flatten(1).mean(0).numpy())
    expected = gap + 10 * (np.linalg.norm(weight) - 1) ** 2
    assert game.opponent_loss(images).item() == pytest.approx(expected, rel=1e-6)
    assert game(images).item() == pytest.approx(-(weight @ drawn + line.bias.item()), rel=1e-9)


def test_divergence_of_the_latent_equals_the_closed_form() -> None:
    class Given(nn.Module):
        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return x, torch.tensor([[1.0, -2.0, 0.0, math.log(4.0)]]).expand(len(x), -1)

    objective = BetaAutoencoder(Given(), nn.Sequential(nn.Linear(2, 64), nn.Unflatten(1, SHAPE)), beta=3.0)
    loss = objective(torch.zeros(4, *SHAPE))
    by_hand = 0.5 * (1 + 1 - 1 - 0) + 0.5 * (4 + 4 - 1 - math.log(4))
    assert objective.terms["divergence"].item() == pytest.approx(by_hand, rel=1e-6)
    assert loss.item() == pytest.approx(objective.terms["reconstruction"].item() + 3 * by_hand, rel=1e-5)


def test_unusable_encoders_and_decoders_raise() -> None:
    with pytest.raises(InvalidArgument, match=r"^encoder must .* got 5 features"):
        BetaAutoencoder(encoder(5), decoder())(torch.zeros(4, *SHAPE))
    with pytest.raises(InvalidArgument, match=r"^decoder must"):
        BetaAutoencoder(encoder(12), DCGANDecoder(6, (3, 8, 8), widths=(8,)))(torch.zeros(4, *SHAPE))
    with pytest.raises(InvalidArgument, match=r"^the output of encoder Flatten must"):
        BetaAutoencoder(nn.Flatten(), decoder())(torch.zeros(4, *SHAPE))


def test_targets_are_exchanged_within_the_batch_at_the_least_cost() -> None:
    torch.manual_seed(0)
    objective = NoiseAsTargets(encoder(), 20, 6)
    before, rows, images = objective.targets.clone(), torch.tensor([3, 9, 14, 0]), torch.randn(4, *SHAPE)
    objective.encoder.eval()  # so that the reference sees the same vectors
    vector = nn.functional.normalize(objective.encoder(images)[1]).detach()
    cost = torch.cdist(vector, before[rows]).square().numpy()
    expected = cost[linear_sum_assignment(cost)].mean()
    assert objective(images, rows).item() == pytest.approx(expected, rel=1e-4)
    others = [i for i in range(20) if i not in rows]
    assert torch.equal(objective.targets[others], before[others])
    torch.testing.assert_close(objective.targets.sort(0).values, before.sort(0).values)
    objective.eval()
    kept = objective.targets.clone()
    objective(torch.randn(4, *SHAPE), rows)
    assert torch.equal(objective.targets, kept)
    with pytest.raises(InvalidArgument, match=r"^rows must be between 0 and 19"):
        objective(images, torch.tensor([0, 1, 2, 20]))
    with pytest.raises(InvalidArgument, match=r"^rows must be integers"):
        objective(images, torch.tensor([0, 1]))


def test_the_contrastive_loss_equals_loops() -> None:
    torch.manual_seed(0)
    objective = NTXent(encoder(), 6, temperature=0.3).double()
    views = torch.randn(2, 4, *SHAPE, dtype=torch.float64)
    objective.encoder.eval()
    vectors = objective.encoder(torch.cat([views[0], views[1]]))[1]
    h = nn.functional.normalize(objective.head(vectors), dim=1).detach().numpy()
    values = []
    for i in range(8):
        scores = {j: float(h[i] @ h[j]) / 0.3 for j in range(8) if j != i}
        own = scores[(i + 4) % 8]
        values.append(own - math.log(sum(math.exp(s) for s in scores.values()) / 7))
    assert -objective(*views).item() == pytest.approx(np.mean(values), rel=1e-9)


def test_the_terms_of_vicreg() -> None:
    torch.manual_seed(0)
    objective = VICReg(encoder(), 6, projection=3).double()
    views = torch.randn(2, 6, *SHAPE, dtype=torch.float64)
    objective.encoder.eval()
    h = objective.head(objective.encoder(torch.cat([views[0], views[1]]))[1]).detach().numpy()
    one, other = h[:6], h[6:]
    covariances = [np.cov(v.T) for v in (one, other)]
    expected = {
        "invariance": np.mean((one - other) ** 2),
        "variance": np.mean([np.maximum(0, 1 - np.sqrt(v.var(0, ddof=1) + 1e-4)).mean() for v in (one, other)]),
        "covariance": sum((np.sum(c**2) - np.sum(np.diag(c) ** 2)) / 3 for c in covariances),
    }
    found = objective(*views)
    for name, value in expected.items():
        assert objective.terms[name].item() == pytest.approx(value, rel=1e-7)
    assert found.item() == pytest.approx(
        25 * expected["invariance"] + 25 * expected["variance"] + expected["covariance"], rel=1e-7
    )


def test_across_views_each_vector_is_scored_against_the_other_view() -> None:
    seen: list[tuple[Tensor, Tensor]] = []

    class Watching(DotCritic):
        def scores(self, x: Tensor, y: Tensor, *, group: object = None) -> tuple[Tensor, Tensor]:
            seen.append((x, y))
            return super().scores(x, y, group=group)

    objective = MultiViewDeepInfoMax(encoder().eval(), Watching(4, 6, units=8))
    views = torch.randn(2, 5, *SHAPE)
    objective(*views).backward()
    (map1, vector2), (map2, vector1) = seen
    for view, local, vector in zip(views, (map1, map2), (vector1, vector2), strict=True):
        expected = objective.encoder(view)
        torch.testing.assert_close((local, vector), expected)


@pytest.mark.parametrize(
    "kind", [lambda e: NTXent(e, 6), lambda e: VICReg(e, 6), lambda e: MultiViewDeepInfoMax(e, DotCritic(4, 6))]
)
def test_unusable_views_raise(kind: object) -> None:
    objective = kind(encoder())  # type: ignore[operator]
    with pytest.raises(TooFewSamples, match=r"^first must"):
        objective(torch.randn(1, *SHAPE), torch.randn(1, *SHAPE))
    with pytest.raises(InvalidArgument, match=r"^second must"):
        objective(torch.randn(2, *SHAPE), torch.randn(3, *SHAPE))


def test_the_penalty_of_prior_matching_is_the_judge_s_mean_squared_slope() -> None:
    """Of a linear judge with weights W it is ‖W‖² / d, wherever it is taken."""
    torch.manual_seed(0)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(SHAPE)), 5))
    game = PriorMatchingGenerator(decoder(), linear, 6, penalty=3.0)
    inputs = torch.rand(400, *SHAPE)
    total, terms = game.opponent_loss(inputs), game.terms
    weight = linear[1].weight
    wanted = float(weight.detach().square().sum()) / 5
    assert float(terms["steepness"]) == pytest.approx(wanted, rel=0.1)
    torch.testing.assert_close(total.detach(), terms["data"] + terms["samples"] + 1.5 * terms["steepness"])
    with torch.no_grad():
        assert game.opponent_loss(inputs).isfinite()
    game = PriorMatchingGenerator(decoder(), linear, 6, penalty=0.0)
    free = game.opponent_loss(inputs)
    torch.testing.assert_close(free.detach(), game.terms["data"] + game.terms["samples"])
    with pytest.raises(InvalidArgument, match="penalty"):
        PriorMatchingGenerator(decoder(), linear, 6, penalty=-1.0)
