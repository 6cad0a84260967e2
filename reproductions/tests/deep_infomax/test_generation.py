"""Figure 14 and Table 10: games and scores against closed forms, networks as published, claims from numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from infoflow_reproductions import Results
from infoflow_reproductions.baselines.games import LeastSquaresGAN, SaturatingGAN
from infoflow_reproductions.deep_infomax import EXPERIMENTS
from infoflow_reproductions.deep_infomax.games import LABELS, PENALTIES, game, losses_and_penalties
from infoflow_reproductions.deep_infomax.generation_scores import frechet_distance, inception_score
from infoflow_reproductions.deep_infomax.overlap import histograms
from infoflow_reproductions.harness.commands import is_earlier
from infoflow_reproductions.harness.figures import pack
from infoflow_reproductions.harness.row_claims import figures_of
from infoflow_reproductions.networks.residual_gan import ResidualGenerator, ResidualJudge
from scipy.linalg import sqrtm
from torch import nn

from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.provenance import plain

SHAPE = (1, 2, 2)


def constant() -> nn.Module:
    made = nn.Sequential(nn.Linear(3, 4), nn.Unflatten(1, SHAPE)).double()
    nn.init.zeros_(made[0].weight)  # every sample is the bias
    return made


def test_games_have_the_published_losses() -> None:
    torch.manual_seed(0)
    made, line = constant(), nn.Linear(4, 1).double()
    judge, images = nn.Sequential(nn.Flatten(), line), torch.randn(5, *SHAPE, dtype=torch.float64)
    with torch.no_grad():
        data, drawn = line(images.flatten(1)).numpy().ravel(), float(line(made[0].bias))
    sigmoid = 1 / (1 + math.exp(-drawn))
    assert SaturatingGAN(made, judge, 3)(images).item() == pytest.approx(math.log(1 - sigmoid), rel=1e-9)
    squares = LeastSquaresGAN(made, judge, 3)
    assert squares(images).item() == pytest.approx((drawn - 1) ** 2 / 2, rel=1e-9)
    by_hand = np.mean((data - 1) ** 2) / 2 + drawn**2 / 2
    assert squares.opponent_loss(images).item() == pytest.approx(by_hand, rel=1e-9)


def test_the_gradients_of_the_discriminators_are_clipped_and_no_others() -> None:
    torch.manual_seed(0)
    objective = game(
        "discriminators", constant(), nn.Sequential(nn.Flatten(), nn.Linear(4, 1)).double(), 3, 0, clip=1e-4
    )
    objective.double()
    for _, loss in objective.players().values():
        value = loss(torch.randn(6, *SHAPE, dtype=torch.float64))
        value.backward()
    largest = {
        name: max(float(p.grad.abs().max()) for p in module.parameters() if p.grad is not None)
        for name, (module, _) in objective.players().items()
    }
    assert largest["discriminators"] == pytest.approx(1e-4)
    assert largest["judge"] > 1e-3


def test_scores_equal_their_closed_forms() -> None:
    assert inception_score(torch.full((40, 5), 0.2)) == pytest.approx(1.0)
    p = torch.tensor([[0.9, 0.1], [0.3, 0.7]])
    marginal = [0.6, 0.4]
    kl = np.mean([sum(q * math.log(q / m) for q, m in zip(row, marginal, strict=True)) for row in p.tolist()])
    assert inception_score(p, splits=1) == pytest.approx(math.exp(kl))
    rng = np.random.default_rng(0)
    a = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4))
    b = rng.normal(size=(200, 4)) @ rng.normal(size=(4, 4)) + 1
    covariances = [np.cov(v.T) for v in (a, b)]
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(sum(covariances))
    expected -= 2 * np.trace(sqrtm(covariances[0] @ covariances[1])).real
    assert frechet_distance(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(TooFewSamples, match="^probabilities must"):
        inception_score(p)


def test_residual_networks_are_those_of_gulrajani_et_al() -> None:
    """Four blocks of 512, 256, 128 and 64 channels; batch norm in the generator alone."""
    judge = ResidualJudge(64, width=64)
    with torch.device("meta"):
        made = ResidualGenerator(128, 64, width=64)
    outputs = [block.second.out_channels for block in made.network if hasattr(block, "second")]
    assert outputs == [512, 256, 128, 64]
    assert [block.second.out_channels for block in judge.network if hasattr(block, "second")] == [128, 256, 512, 512]
    assert any(isinstance(module, nn.BatchNorm2d) for module in made.modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in judge.modules())
    with pytest.raises(InvalidArgument, match="^side must"):
        ResidualJudge(48)


@pytest.mark.parametrize("network", [ResidualGenerator(6, 16, width=2).network, ResidualJudge(16, width=2).network])
def test_shortcuts_of_residual_blocks_are_convolutions_of_the_larger_maps(network: nn.Sequential) -> None:
    """As published: the generator enlarges before the convolution of 1×1, and the judge shrinks after it."""
    block = next(module for module in network if hasattr(module, "shortcut"))
    x = torch.randn(3, block.first.in_channels, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        block.second.weight.zero_()
        block.second.bias.zero_()
        enlarged = x.repeat_interleave(2, 2).repeat_interleave(2, 3) if block.up else x
        expected = block.shortcut(enlarged)
        if not block.up:
            expected = expected.unfold(2, 2, 2).unfold(3, 2, 2).mean((-2, -1))
        torch.testing.assert_close(block(x), expected)


def test_two_gaussians_overlap_as_far_as_their_means_are_apart() -> None:
    rng = np.random.default_rng(0)
    _, data, samples = histograms(rng.normal(size=40_000) + 1, rng.normal(size=40_000) - 1)
    assert np.minimum(data, samples).sum() == pytest.approx(math.erfc(1 / math.sqrt(2)), abs=0.02)


def judged(name: str, found: Any) -> dict[str, bool | None]:
    experiment = EXPERIMENTS[name]
    recipe = experiment.recipe("cpu")
    trials = experiment.trials(recipe)
    report = experiment.report(recipe, Results(trials, {one.name: found(one.arguments) for one in trials}))
    assert all(experiment.place(claim.text) for claim in report.claims if claim.published)
    return {claim.text: claim.holds for claim in report.claims}


def test_claims_of_table_10_hold_for_its_figures_and_fail_for_turned_ones() -> None:
    table = {"discriminators": (7.41, 55.15), "ns-gan": (8.65, 40.17), "wgan-gp": (8.38, 42.30)}
    image = pack(torch.zeros(1, 1, 3, 4, 4))

    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        score, distance = table[arguments["method"]]
        noise = 1e-3 * arguments["seed"]
        return {"IS": score + noise, "FID": distance + noise, "real IS": 31.21, "real FID": 4.03, "samples": image}

    assert list(judged("table10", found).values()) == [True] * 6
    turned = judged("table10", lambda a: {**found(a), "FID": 100 - found(a)["FID"], "IS": 20 - found(a)["IS"]})
    assert [turned[text] for text in turned if "does not surpass" in text] == [False] * 4


def test_claims_of_figure_14_compare_the_overlap() -> None:
    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        overlap = 0.3 if arguments["method"] == "discriminators" else 0.01
        return {"overlap": overlap + 1e-3 * arguments["seed"], "edges": [0, 1], "data": [1], "samples": [1]}

    experiment = EXPERIMENTS["overlap"]
    recipe = experiment.recipe("full")
    trials = experiment.trials(recipe)
    report = experiment.report(recipe, Results(trials, {one.name: found(one.arguments) for one in trials}))
    claims = experiment.further(figures_of(report.rows))
    ours, control = LABELS["discriminators"], LABELS["unpenalized"]
    text = "the modes of {} overlap more than those of {}"
    assert {claim.text: claim.holds for claim in claims} == {
        **{text.format(ours, LABELS[one]): True for one in ("gan", "gan-log-d", "ls-gan", "wgan-gp", "unpenalized")},
        # Without penalties, as the three others.
        **{text.format(control, LABELS[one]): None for one in ("gan", "gan-log-d", "ls-gan")},
    }
    assert not any(claim.published for claim in claims)  # the sentence is on poor training
    assert not report.claims
    assert recipe.ratio == 50


@pytest.mark.parametrize("name", LABELS)
def test_every_game_has_the_penalty_that_its_note_states(name: str) -> None:
    """WGAN-GP 10 (its paper), NS-GAN 1, prior matching 0.1; the first three games of Figure 14 and the control none."""
    expected = {"wgan-gp": 10.0, "ns-gan": 1.0, "prior-matching": 0.1, "discriminators": 0.1}.get(name, 0.0)
    assert game(name, constant(), nn.Linear(4, 1), 3, 0).penalty == PENALTIES[name] == expected
    note = losses_and_penalties([name])
    assert f"{LABELS[name]}: " in note
    assert (f"; {expected:g} on " if expected else "; none.") in note


def test_results_of_the_generator_without_discriminators_are_of_an_earlier_recipe() -> None:
    recipe = EXPERIMENTS["generator"].recipe("cpu")
    settings = {"paper": "dim", "experiment": "generator", "scale": "cpu", **plain(asdict(recipe))}
    assert not is_earlier({"settings": settings, "provenance": {}})
    earlier = {name: value for name, value in settings.items() if name != "revision"}
    assert is_earlier({"settings": earlier, "provenance": {}})
