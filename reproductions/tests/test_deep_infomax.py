"""Deep InfoMax: verdicts follow from the numbers, and views, distances and pictures agree with their definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from infoflow_reproductions import Results, experiments
from infoflow_reproductions.deep_infomax import EXPERIMENTS, divergences, sweeps, table1, table4
from infoflow_reproductions.deep_infomax.kernel_distance import kernel_distance
from infoflow_reproductions.deep_infomax.measures import mine
from infoflow_reproductions.deep_infomax.methods import LABELS, VARIANTS, Size, learner
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL
from infoflow_reproductions.deep_infomax.views import view
from infoflow_reproductions.harness.figures import pack, unpack
from infoflow_reproductions.harness.row_claims import figures_of
from torch import nn

from infoflow.critics import ConcatAndConvolve, EncodeAndDot

BASE = {
    "random": 0.3,
    "supervised": 0.6,
    "vae": 0.4,
    "nat": 0.35,
    "dim-g": 0.45,
    "dim-g-prior": 0.5,
    "dim-g-all": 0.5,
    "dim-l-dv": 0.55,
    "dim-l": 0.6,
    "dim-l-nce": 0.65,
}


def results(trials: Any, found: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Results:
    return Results(trials, {trial.name: found(trial.arguments) for trial in trials})


def test_table_1_claims_the_order_of_the_methods() -> None:
    recipe = EXPERIMENTS["table1"].recipe("cpu")
    image = pack(torch.zeros(1, 2, 3, 4, 4))

    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        value = BASE[arguments["method"]] + 0.01 * arguments["seed"]
        return {"conv": value, "fc": value, "Y": value, "accuracy": value, "neighbors": image}

    report = table1.report(recipe, results(table1.trials(recipe), found))
    assert all(claim.holds for claim in report.claims)
    assert {row.verdict for row in report.rows} == {"reduced scale", "not published"}
    turned = table1.report(
        recipe,
        results(table1.trials(recipe), lambda a: {k: v if isinstance(v, dict) else 1 - v for k, v in found(a).items()}),
    )
    assert all(claim.holds is False for claim in turned.claims)


def test_figures_are_compared_with_the_published_ones_at_full_scale() -> None:
    recipe = replace(EXPERIMENTS["table1"].recipe("full"), methods=("dim-l", "vae"))

    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        local = arguments["method"] == "dim-l"
        return {
            "conv": 0.7325 if local else 0.5,
            "fc": 0.7362,
            "Y": 0.6696,
            "neighbors": pack(torch.zeros(1, 1, 3, 2, 2)),
        }

    verdicts = {row.what: row.verdict for row in table1.report(recipe, results(table1.trials(recipe), found)).rows}
    assert verdicts["DIM(L) JSD: conv"] == "reproduced"
    assert verdicts["VAE: conv"] == "inconclusive"  # far away, but too few seeds
    assert FULL.epochs == 1000
    assert Size() == FULL.size


def test_negatives_are_judged_by_what_each_bound_loses() -> None:
    recipe = EXPERIMENTS["negatives"].recipe("cpu")

    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        slope = 0.05 if arguments["method"] == "dim-l-nce" else 0.01
        value = 0.4 + slope * np.log10(arguments["options"]["negatives"]) + 0.001 * arguments["seed"]
        return {"conv": value, "Y": value}

    report = sweeps.NEGATIVES.report(recipe, results(sweeps.NEGATIVES.trials(recipe), found))
    assert [claim.holds for claim in report.claims] == [True, True]


def test_dependence_is_judged_over_all_weights() -> None:
    recipe = EXPERIMENTS["ndm"].recipe("cpu")

    def falling(arguments: Mapping[str, Any]) -> dict[str, Any]:
        value = 2 / (1 + arguments["options"]["beta"]) + 0.01 * arguments["seed"]
        named = dict.fromkeys(("NDM", "NDM (sigmoid)", "NDM (samples)", "TC"), value)
        return {**named, "NDM (samples): networks": 0.01, "curve_divergence": [value]}

    trials = divergences.EXPERIMENT.trials(recipe)

    def holds(found: Callable[[Mapping[str, Any]], dict[str, Any]]) -> list[bool | None]:
        report = divergences.EXPERIMENT.report(recipe, results(trials, found))
        claims = [*EXPERIMENTS["ndm"].further(figures_of(report.rows)), *report.claims]
        assert all(EXPERIMENTS["ndm"].place(claim.text) for claim in claims if claim.published)
        return [claim.holds for claim in claims]

    # Three on NDM, three on NDM of samples, two with a sigmoid, and that NDM is consistent.
    assert holds(falling) == [True] * 9
    rising = lambda a: {**falling(a), "NDM": a["options"]["beta"] + 0.01 * a["seed"]}  # noqa: E731
    assert holds(rising) == [False] * 3 + [True] * 6
    assert holds(lambda a: {**falling(a), "NDM (samples): networks": 5.0}) == [True] * 8 + [False]
    # Above log 40,000 nats at every weight.
    assert holds(lambda a: {**falling(a), "NDM": 50 + falling(a)["NDM"]}) == [None] * 3 + [True] * 6
    full = EXPERIMENTS["ndm"].recipe("full")  # Figure 12
    assert (full.betas, full.seeds, full.learning.ndm_networks) == ((0.1, 0.5, 1.0, 1.5, 2.0, 4.0), 5, 10)


def test_trials_of_table_4_and_the_ablation_have_their_options() -> None:
    recipe = EXPERIMENTS["table4"].recipe("cpu")
    names = {trial.name: trial.arguments["options"] for trial in table4.trials(recipe)}
    assert names["dim-l-nce/dim/seed=0"] == {}
    assert set(names["dim-l-nce/both/seed=2"]) == {"coordinates", "locations", "occlusion"}
    grid = EXPERIMENTS["ablation"].recipe("cpu")
    assert all(point["alpha"] or point["beta"] for point in grid.points())
    assert len(grid.points()) == (4 * 3 - 1) * 3
    assert len(sweeps.ABLATION.trials(grid)) == grid.seeds * len(grid.points())


def test_table_4_judges_each_length_of_training_separately() -> None:
    recipe = EXPERIMENTS["table4"].recipe("cpu")
    short, long = recipe.learning.epochs, recipe.longer

    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        gain = 0.05 * len(arguments["options"]) * (1 if arguments["epochs"] == long else -1)
        curves = {f"curve_{name}": [1.0, 0.5] for name in ("local", "absolute_coordinates", "relative_coordinates")}
        return {**curves, **dict.fromkeys(("conv", "fc", "Y"), 0.4 + gain + 0.01 * arguments["seed"])}

    report = table4.report(recipe, results(table4.trials(recipe), found))
    assert {claim.text.split(",")[0]: claim.holds for claim in report.claims} == {
        f"{short} epochs": False,
        f"{long} epochs": True,
    }
    assert {figure.name for figure in report.figures} == {
        f"{kind}-{epochs}" for kind in ("accuracy", "losses") for epochs in (short, long)
    }


@pytest.mark.parametrize("method", LABELS)
def test_every_method_is_built_and_learns_from_a_batch(method: str) -> None:
    made = learner(method, Size(width=1 / 32, features=4, units=8), images=20, classes=10, seed=0)
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(256, (6, 3, 32, 32), dtype=torch.uint8, generator=generator)
    batch = made.prepare(x, torch.arange(6), torch.arange(6), generator=generator)
    for player in made.players.values():
        loss = player.loss(*batch)
        loss.backward()
        assert any(p.grad is not None for p in player.module.parameters())
    assert bool(made.players) == (method != "random")
    names = dict(made.representation.named_modules())
    assert all(layer in names or layer == "output" for layer in made.layers.values())


@pytest.mark.parametrize("architecture", ["32x32", "alexnet"])
def test_the_global_objective_takes_the_last_convolution(architecture: str) -> None:
    """Appendix A.1; with a local term both take the map before it."""
    size = Size(architecture, width=1 / 32, features=4, units=8)
    x = torch.randn(3, *size.encoder(seed=0).shape)
    conv = size.encoder(seed=0).eval()
    expected = conv.conv(conv.local(x))
    for method, options in (("dim-g", {}), ("dim-g-all", {}), ("dim-lg", {"alpha": 1.0, "beta": 0.0, "gamma": 0.0})):
        encoder = learner(method, size, images=10, classes=10, seed=0, options=options).representation.eval()
        local, vector = encoder(x)
        assert torch.equal(local, expected)
        assert torch.equal(vector, conv(x)[1])
    chosen = learner("dim-g", size, images=10, classes=10, seed=0, options={"last_map": False}).representation.eval()
    assert torch.equal(chosen(x)[0], conv.local(x))
    for method in ("dim-l", "dim-lg"):
        assert learner(method, size, images=10, classes=10, seed=0).representation.conv  # type: ignore[truthy-bool]


def test_positives_are_added_to_the_negatives_of_their_own_vector() -> None:
    size = Size(width=1 / 32, features=4, units=8)
    objective: Any = (
        learner("dim-l", size, images=10, classes=10, seed=0, options={"positives": True}).players["learner"].loss
    )
    encoding = objective.encoder(torch.randn(5, 3, 32, 32))
    own, others = objective.local_critic.scores(*encoding)
    without = objective.local_critic.critic.scores(*encoding)
    assert torch.equal(own, without[0])
    assert torch.equal(others[..., : without[1].shape[-1]], without[1])
    assert torch.equal(others[0, 3, without[1].shape[-1] :], own[:, 3])
    assert set(objective.learner.parameters()) >= set(objective.local_critic.critic.parameters())


def test_controls_of_the_global_objective_have_all_negatives_and_the_local_prior() -> None:
    assert VARIANTS["dim-g-all"]["gamma"] == VARIANTS["dim-l"]["gamma"]
    size = Size(width=1 / 32, features=4, units=8)
    for method, expected in (("dim-g", 1), ("dim-g-all", 4)):
        objective: Any = learner(method, size, images=10, classes=10, seed=0).players["learner"].loss
        _, others = objective.global_critic.scores(*objective.encoder(torch.randn(5, 3, 32, 32)))
        assert others.shape == (5, expected)


def test_views_differ_between_images_and_draws_and_stay_in_range() -> None:
    images = torch.rand(8, 3, 32, 32)
    one, other = (view(images, torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert 0 <= float(one.min()) <= float(one.max()) <= 1
    assert not torch.equal(one, other)
    assert torch.equal(one, view(images, torch.Generator().manual_seed(0)))
    flat = view(torch.full((4, 3, 8, 8), 0.5), torch.Generator().manual_seed(0))
    assert bool((flat.flatten(1).std(1) < 1e-5).all())  # of one color, whatever is cropped


def test_the_kernel_distance_equals_loops() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.normal(size=(6, 3)), rng.normal(size=(6, 3)) + 1
    k = lambda a, b: (a @ b / 3 + 1) ** 3  # noqa: E731
    within = sum(np.mean([k(a, b) for i, a in enumerate(v) for j, b in enumerate(v) if i != j]) for v in (p, q))
    across = np.mean([k(a, b) for a in p for b in q])
    found = kernel_distance(torch.from_numpy(p), torch.from_numpy(q), subsets=1)
    assert found == pytest.approx(within - 2 * across, rel=1e-9)


def test_images_are_packed_without_loss() -> None:
    images = torch.randint(256, (2, 3, 3, 5, 4), dtype=torch.uint8)
    assert np.array_equal(unpack(pack(images)), images.numpy())


def test_rows_at_a_reduced_scale_state_the_scale() -> None:
    assert CPU.images == 10_000
    row = table1.report(
        replace(EXPERIMENTS["table1"].recipe("cpu"), methods=("dim-g",)),
        results(
            table1.trials(replace(EXPERIMENTS["table1"].recipe("cpu"), methods=("dim-g",))),
            lambda a: {"conv": 0.5, "fc": 0.5, "Y": 0.4},
        ),
    ).rows[0]
    assert row.why == f"10000 images, {CPU.epochs} epochs, widths × 0.25"


def test_settings_are_those_of_the_paper() -> None:
    """Section 4.2 (weights), appendix A.1 (critic of Table 3 and the ablation, Table 6), Table 3 (five runs)."""
    assert {
        name: (one["alpha"], one["beta"]) for name, one in VARIANTS.items() if name in ("dim-g", "dim-l", "dim-lg")
    } == {
        "dim-g": (1.0, 0.0),
        "dim-l": (0.0, 1.0),
        "dim-lg": (0.5, 0.1),
    }
    recipe = experiments("dim")["table3"].recipe("full")
    assert recipe.seeds == 5
    assert "nat" in recipe.methods
    for trial in experiments("dim")["table3"].trials(recipe):
        local = trial.arguments["method"] in ("dim-l", "dim-lg")
        assert trial.arguments["options"] == ({"critic": "concat-and-convolve"} if local else {})
    ablation = experiments("dim")["ablation"]
    assert all(
        trial.arguments["options"]["critic"] == "concat-and-convolve"
        for trial in ablation.trials(ablation.recipe("full"))
    )
    found = learner("dim-l", Size(width=0.1), images=10, classes=10, seed=0, options={"critic": "concat-and-convolve"})
    modules = [module for player in found.players.values() for module in player.module.modules()]
    (critic,) = [module for module in modules if isinstance(module, ConcatAndConvolve)]
    assert sorted(parameter.shape[0] for parameter in critic.parameters() if parameter.ndim > 1) == [1, 512, 512]


def test_the_dotted_encoders_are_those_of_tables_7_and_8() -> None:
    """Linear, ReLU, linear, and a linear shortcut, of 2048 units each; a layer norm for the locations alone."""
    critic = EncodeAndDot(128, 64)
    for encoder, inputs in ((critic.map_encoder, 128), (critic.summary_encoder, 64)):
        kinds = [type(layer).__name__ for layer in encoder.body]
        assert kinds == ["Linear", "ReLU", "Linear"]
        shapes = [tuple(layer.weight.shape) for layer in (encoder.body[0], encoder.body[2], encoder.shortcut)]
        assert shapes == [(2048, inputs), (2048, 2048), (2048, inputs)]
        assert not any(isinstance(module, nn.BatchNorm1d) for module in encoder.modules())
    assert isinstance(critic.map_encoder.norm, nn.LayerNorm)
    assert isinstance(critic.summary_encoder.norm, nn.Identity)


def test_mine_finds_a_known_information() -> None:
    """Twelve independent pairs of correlation 0.8 have −6 log(1 − 0.64) = 6.13 nats."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(800, 12))
    y = 0.8 * x + 0.6 * rng.normal(size=x.shape)
    assert mine(3).estimate(x, y).nats == pytest.approx(-6 * np.log(1 - 0.64), rel=0.2)
