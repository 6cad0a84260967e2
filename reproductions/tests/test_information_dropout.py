"""The experiments of information dropout: measurements, choice of settings, and reports of known results."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from infoflow_reproductions import experiments
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Findings, Row
from infoflow_reproductions.harness.row_claims import figures_of
from infoflow_reproductions.harness.trial import Context, Results
from infoflow_reproductions.information_dropout import cifar, cluttered, mlp, sweeps, vae
from infoflow_reproductions.information_dropout.figures import panels
from infoflow_reproductions.information_dropout.images import SIDES, Images, Part, images
from infoflow_reproductions.information_dropout.notes import chosen_here, notes_of
from infoflow_reproductions.information_dropout.training import error, noisy_error, train
from infoflow_reproductions.information_dropout.trial import nuisance_accuracy
from infoflow_reproductions.networks.dropout_mlp import DropoutMLP
from matplotlib.figure import Figure as Canvas
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument, MissingData, UnknownName
from infoflow.layers import GaussianDropout


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(None, "cpu", tmp_path / "checkpoint", False)


def findings_of(experiment: Experiment, recipe: Any, found: Any) -> Findings:
    """Return the report on trials whose results are `found(arguments)`."""
    trials = experiment.trials(recipe)
    return experiment.report(recipe, Results(trials, {trial.name: found(trial.arguments) for trial in trials}))


def test_the_paper_has_eight_experiments_at_three_scales() -> None:
    found = experiments("information-dropout")
    assert list(found) == ["mlp", "cifar", "cluttered", "occluded", "vae", "disentangling", "flow", "sizes"]
    for experiment in found.values():
        assert set(experiment.recipes) - {"cpu-published"} == {"smoke", "cpu", "full"}
        assert experiment.recipe("cpu").seeds >= 3


def test_the_recipe_full_has_the_published_settings_where_the_paper_states_them() -> None:
    found = {name: experiment.recipe("full") for name, experiment in experiments("information-dropout").items()}
    cnn = found["cifar"].settings
    assert (cnn.batch_size, cnn.learning_rate, cnn.weight_decay, cnn.keep) == (100, 0.05, 1e-3, 0.8)
    assert (cnn.epochs, cnn.milestones, cnn.samples, cnn.pool) == (200, (80, 120, 160), 50_000, 1)
    assert (found["cifar"].betas, min(found["cifar"].widths), max(found["cifar"].widths)) == ((3.0,), 0.25, 1.0)
    clutter = found["cluttered"].settings
    assert (clutter.batch_size, clutter.learning_rate, clutter.epochs, clutter.milestones) == (128, 0.01, 80, (30, 60))
    assert max(found["cluttered"].betas) <= 0.5
    assert (cluttered.MAX_ALPHA, clutter.samples, clutter.pool, clutter.width) == (0.7, 50_000, 1, 1.0)
    perceptron = found["mlp"].settings
    assert (perceptron.epochs, perceptron.learning_rate, perceptron.milestones) == (80, 0.07, (30, 70))
    autoencoder = found["vae"].settings
    assert (autoencoder.epochs, autoencoder.milestones, found["vae"].factors) == (300, (30, 120), (1, 2, 3))


def test_parts_of_the_training_set_do_not_overlap_and_are_reproducible() -> None:
    parts = images("toy-digits", 900, 300)
    rows = {tuple(image.flatten().tolist()) for image in parts.train.x}
    held = [tuple(image.flatten().tolist()) for image in parts.held_out.x]
    assert sum(image in rows for image in held) <= 2  # the set itself contains duplicates
    images.cache_clear()
    assert torch.equal(parts.train.x, images("toy-digits", 900, 300).train.x)
    assert torch.equal(images("toy-digits", 900).test.y, parts.test.y)
    assert len(images("toy-digits", 900).held_out) == 0


def test_pooling_averages_pixels() -> None:
    whole, pooled = images("toy-colors", 50), images("toy-colors", 50, pool=2)
    wanted = whole.train.x.reshape(50, 3, 8, 2, 8, 2).mean((3, 5))
    assert pooled.train.x.shape == (50, 3, 8, 8)
    assert torch.allclose(pooled.train.x, wanted, atol=0.5 / 255 + 1e-6)


@pytest.mark.parametrize("data", ["toy-digits", "toy-cluttered", "toy-colors", "toy-occluded"])
def test_images_have_their_side(data: str) -> None:
    assert images(data, 20).train.x.shape[-1] == SIDES[data]


def test_whitening_is_learned_on_training_images_alone() -> None:
    few, more = images("toy-colors", 400, whiten=True), images("toy-colors", 800, whiten=True)
    assert not torch.allclose(few.test.x, more.test.x)
    assert float(few.train.x.mean()) == pytest.approx(0, abs=1e-3)
    assert torch.equal(few.test.x, images("toy-colors", 400, 200, whiten=True).test.x)


@pytest.mark.parametrize("data", ["mnist", "cifar10", "cluttered-mnist", "occluded-cifar"])
def test_missing_data_name_the_folder(tmp_path: Path, data: str) -> None:
    with pytest.raises(MissingData, match=str(tmp_path)):
        images(data, 10, root=tmp_path)


def test_invalid_arguments_are_rejected() -> None:
    with pytest.raises(UnknownName, match="'toy-digits'"):
        images("toy-digit", 10)
    with pytest.raises(InvalidArgument, match=r"^size \+ held_out must"):
        images("toy-digits", 1400, 100)
    with pytest.raises(UnknownName, match="information-dropout"):
        experiments("information_dropout")


def test_training_weights_the_information_by_beta_over_n(context: Context) -> None:
    """A large β reduces the information; β = 0 does not."""
    part = images("toy-digits", 300).train.flattened()
    nats = {}
    for beta in (0.0, 30.0):
        network = DropoutMLP([64, 16, 16, 10], seed=0)
        schedule = replace(mlp.PUBLISHED, epochs=6, batch_size=50, learning_rate=0.05, milestones=(5,))
        alone = context._replace(checkpoint=context.checkpoint.with_suffix(f".{beta}"))
        fit = schedule.fit("sgd", momentum=0.9, nesterov=True)
        history = train(network, part, fit, beta=beta, seed=0, context=alone)
        nats[beta] = history[-1]["information"]
        first = history[0]
        assert first["loss"] == pytest.approx(first["cross_entropy"] + beta / 300 * first["information"], rel=1e-4)
    assert nats[30.0] < 0.5 * nats[0.0]


def test_error_is_in_percent(context: Context) -> None:
    class Zero(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.nn.functional.one_hot(torch.zeros(len(x), dtype=int), 10).float()

    part = Part(torch.zeros(1200, 3), torch.arange(1200) % 10)
    assert error(Zero(), part, context) == pytest.approx(90.0)
    assert np.isnan(error(Zero(), part.first(0), context))


def test_the_error_with_noise_is_that_of_the_noise_and_leaves_the_random_state(context: Context) -> None:
    """A correct unit of 0.999 against a wrong one of 1: their noise decides, half of all cases."""
    network = nn.Sequential(GaussianDropout(1.0)).eval()
    part = Part(torch.tensor([[0.999, 1.0]]).repeat(4000, 1), torch.zeros(4000, dtype=int))
    state = torch.random.get_rng_state()
    assert error(network, part, context) == 100.0
    assert noisy_error(network, part, 3, context) == pytest.approx(50.0, abs=3)
    assert noisy_error(network, part, 3, context) == noisy_error(network, part, 3, context)
    assert torch.equal(state, torch.random.get_rng_state())


class Representation(nn.Module):
    """The nuisance, or noise."""

    def __init__(self, contains: bool) -> None:
        super().__init__()
        self.contains = contains

    def representation(self, x: Tensor) -> Tensor:
        return x if self.contains else torch.randn_like(x)


@pytest.mark.parametrize(("contains", "low", "high"), [(True, 95, 100), (False, 2, 22)])
def test_the_nuisance_is_classified_where_the_representation_contains_it(
    context: Context, contains: bool, low: float, high: float
) -> None:
    generator = torch.Generator().manual_seed(0)

    def part(n: int) -> Part:
        nuisance = torch.randint(10, (n,), generator=generator)
        x = torch.nn.functional.one_hot(nuisance, 10).float() + 0.1 * torch.randn(n, 10, generator=generator)
        return Part(x, torch.zeros(n, dtype=int), {"nuisance": nuisance})

    train_part, test = part(600), part(400)
    state = torch.random.get_rng_state()
    accuracy = nuisance_accuracy(Representation(contains), Images(train_part, test, test), 0, context)
    assert low <= accuracy <= high
    assert torch.equal(state, torch.random.get_rng_state())


def _part_with_boxes() -> Part:
    boxes = torch.tensor([[0, 0, 12, 12], [6, 3, 18, 15]])
    return Part(torch.zeros(2, 1, 24, 24), torch.zeros(2, dtype=int), {"box": boxes})


def test_the_share_of_uniform_nats_inside_is_the_area_of_the_box() -> None:
    found = cluttered.measured({"a": torch.ones(2, 8, 8), "b": torch.full((2, 5, 5), 3.0)}, _part_with_boxes(), 1)
    assert found["area"] == pytest.approx(25.0)
    assert found["inside"] == pytest.approx(25.0, abs=1e-4)
    assert found["inside_per_layer"] == pytest.approx({"a": 25.0, "b": 25.0}, abs=1e-4)
    assert found["nats_per_layer"] == pytest.approx({"a": 64.0, "b": 75.0})
    assert found["nats"] == pytest.approx(139.0)


def test_nats_at_the_digit_are_all_inside_and_layers_are_weighted_by_their_nats() -> None:
    inside = torch.zeros(2, 8, 8)
    inside[0, :4, :4] = 1.0
    inside[1, 2:6, 1:5] = 1.0
    found = cluttered.measured({"a": inside, "b": torch.full((2, 4, 4), 1.0)}, _part_with_boxes(), 1)
    assert found["inside_per_layer"]["a"] == pytest.approx(100.0)
    assert found["inside"] == pytest.approx(100 * (16 + 4) / 32)


def test_boxes_are_pooled_with_their_images() -> None:
    part = _part_with_boxes()
    halved = Part(torch.zeros(2, 1, 12, 12), part.y, part.factors)
    assert cluttered.measured({"a": torch.ones(2, 6, 6)}, halved, 2)["area"] == pytest.approx(25.0)


def test_settings_are_chosen_by_held_out_errors() -> None:
    """β = 0.1, rate 0.1 and α = 0.7 are best on the test images; β = 1, rate 0.2 and α = 0.35 on the held-out ones."""

    def found(a: Mapping[str, Any]) -> dict[str, Any]:
        value = {"binary": "rate", "information": "beta", "gaussian": "alpha"}.get(a["method"], "")
        chosen = {0.5: (9.0, 9.0), 0.1: (1.0, 8.0), 1.0: (5.0, 3.0), 0.2: (7.0, 3.0), 0.7: (6.0, 9.0), 0.35: (8.0, 2.0)}
        test, held = chosen[a[value]] if value else (4.0, 4.0)
        return {"test_error": test + 0.01 * a["seed"], "held_out_error": held, "nats": 7.0, "learned_alpha": 0.35}

    recipe = mlp.Recipe(widths=(32,), betas=(0.1, 1.0), rates=(0.5, 0.2, 0.1), alphas=(0.7, 0.35), seeds=3)
    reported = findings_of(mlp.EXPERIMENT, recipe, found)
    means = {row.what: row.found.mean for row in reported.rows}
    assert means == pytest.approx(
        {
            "test error, no dropout, width 32": 4.01,
            "test error, binary dropout, rate 0.5, width 32": 9.01,
            "test error, constant log-normal, mean 1.28, width 32": 6.01,
            "test error, constant log-normal, unit mean, width 32": 6.01,
            "test error, information dropout, β chosen, width 32": 5.01,
            "test error, binary dropout, rate chosen, width 32": 7.01,
            "test error, constant log-normal, α chosen, width 32": 8.01,
            "geometric mean of the learned α, width 32": 0.35,
        }
    )
    assert "width 32: β = 1, binary rate 0.2, constant α 0.35" in reported.notes[0]
    # e^{0.49} − 1 = 0.632, times e^{0.49} 1.032; e^{0.1225} − 1 = 0.130.
    assert "variance 0.63 with unit mean and 1.03 as log N(0, α²)" in reported.notes[3]
    assert "width 32: α = 0.35, variance 0.13." in reported.notes[3]


def test_single_rates_and_alphas_are_not_called_chosen() -> None:
    def found(a: Mapping[str, Any]) -> dict[str, Any]:
        return {"test_error": 5.0, "held_out_error": 5.0, "nats": 7.0, "learned_alpha": 0.35}

    recipe = mlp.Recipe(widths=(32,), betas=(1.0,), rates=(0.5,), alphas=(0.7,), seeds=2)
    rows = findings_of(mlp.EXPERIMENT, recipe, found).rows
    assert [row.what for row in rows if "chosen" in row.what] == ["test error, information dropout, β chosen, width 32"]


def test_the_learned_noise_follows_from_the_nats(context: Context) -> None:
    """A unit of noise α transmits −log(α/0.701) nats; three layers have eight units each."""
    trial = next(one for one in mlp.EXPERIMENT.trials(mlp.EXPERIMENT.recipe("smoke")) if "information" in one.name)
    found = trial(context)
    assert found["learned_alpha"] == pytest.approx(0.701 * np.exp(-found["nats"] / 24))
    assert 0 < found["learned_alpha"] < 0.701


def test_occluded_claims_follow_the_numbers() -> None:
    def found(a: Mapping[str, Any], falls: bool) -> dict[str, Any]:
        step = {0.1: 0, 1.0: 1, 3.0: 2}[a["beta"]]
        jitter = 0.1 * a["seed"]
        nuisance = 80.0 - (20.0 * step if falls else -5.0 * step) + jitter
        error = 40.0 + (0.3 if falls else 4.0) * step + 0.2 * a["seed"] * step
        return {
            "test_error": 30.0,
            "noisy_test_error": error,
            "nuisance_accuracy": nuisance,
            "nats": 100.0 - 10 * step + jitter,
        }

    recipe = replace(sweeps.OCCLUDED.recipe("full"), betas=(0.1, 1.0, 3.0))
    assert [claim.holds for claim in findings_of(sweeps.OCCLUDED, recipe, lambda a: found(a, True)).claims] == [
        True
    ] * 3
    claims = findings_of(sweeps.OCCLUDED, recipe, lambda a: found(a, False)).claims
    assert [claim.holds for claim in claims] == [False, False, False]
    assert [claim.published for claim in claims] == [True, False, False]


def test_stored_figures_of_occluded_images_without_the_error_with_noise_support_no_claim_of_the_paper_on_it() -> None:
    errors, nuisance = [50.0, 51.0, 52.0], [40.0, 41.0, 42.0]
    rows = [
        Row("test error, object, β = 0.01", errors, "%"),
        Row("test error, object, β = 1", [value - 1 for value in errors], "%"),
        Row("test accuracy on the digit, β = 0.01", nuisance, "%"),
        Row("test accuracy on the digit, β = 1", [value - 20 for value in nuisance], "%"),
    ]
    improves, kept, drops = experiments("information-dropout")["occluded"].further(figures_of(rows))
    assert [claim.published for claim in (improves, kept, drops)] == [True, False, False]
    assert [claim.sample.mean for claim in (improves, kept, drops)] == pytest.approx([1, 1, 21])
    assert drops.holds
    noisy = Row("test error with noise, object, β = 1", errors, "%")
    assert len(experiments("information-dropout")["occluded"].further(figures_of([*rows, noisy]))) == 1


def test_a_binary_rate_is_chosen_on_the_images_on_which_beta_is() -> None:
    """Rate 0.2 is best on the held-out images, and its error is compared with that of information dropout."""

    def found(a: Mapping[str, Any]) -> dict[str, Any]:
        test = {"none": 40.0, "information": 44.0}.get(a["method"], {0.5: 60.0, 0.2: 42.0, 0.1: 41.0}[a["rate"]])
        held = {0.5: 50.0, 0.2: 30.0, 0.1: 35.0}[a["rate"]]
        return {"test_error": test + 0.1 * a["seed"], "held_out_error": held, "nats": 7.0}

    experiment = experiments("information-dropout")["cifar"]
    rows = findings_of(cifar.EXPERIMENT, experiment.recipe("cpu"), found).rows
    claims = {claim.text: claim for claim in experiment.further(figures_of(rows))}
    against = "Width 0.125: information dropout has a lower error than "
    assert claims[f"{against}binary dropout, rate 0.5"].sample.mean == pytest.approx(16)
    assert claims[f"{against}binary dropout with a chosen rate"].sample.mean == pytest.approx(-2)
    assert {text for text, claim in claims.items() if not claim.published} == {
        f"Width {width}: information dropout has a lower error than no dropout" for width in (0.125, 0.25)
    }


def test_beta_that_is_too_large_is_compared_with_the_smallest_and_left_out_of_the_falling_error() -> None:
    def found(a: Mapping[str, Any]) -> dict[str, Any]:
        error = {0.1: 40.0, 1.0: 38.0, 3.0: 36.0, 10.0: 35.0}.get(a["beta"], 88.0) + 0.1 * a["seed"]
        return {
            "test_error": error,
            "train_error": 5.0,
            "total_correlation": 9 - a["beta"] / 100 - a["seed"],
            "nats": 50.0 - a["beta"],
        }

    experiment = experiments("information-dropout")["disentangling"]
    findings = findings_of(experiment, experiment.recipe("full"), found)
    falls, drastic, information = experiment.further(figures_of(findings.rows))
    assert drastic.text.startswith("At β = 300, too large")
    assert drastic.sample.mean == pytest.approx(48)
    assert [(one.holds, one.published) for one in (falls, information)] == [(True, True), (True, False)]
    assert falls.evidence.startswith("40.1 → 38.1 → 36.1 → 35.1 %")
    assert falls.evidence.endswith("training error at β = 0.1: 5 %")


def test_reductions_name_only_what_the_paper_states() -> None:
    found = experiments("information-dropout")
    for experiment in found.values():
        assert experiment.reduced(experiment.recipe("full")) == ""
        reduced = experiment.reduced(experiment.recipe("cpu"))
        assert not [
            word for word in ("batch", "beta", "rates", "held out", "keep", "decay", "seeds") if word in reduced
        ]
        assert "{" not in chosen_here(experiment.name, experiment.recipe("cpu"))
    assert found["disentangling"].reduced(found["disentangling"].recipe("cpu")) == (
        "5,000 training images instead of 50,000, 6 epochs instead of 200, learning rate divided by ten after epochs 4 "
        "instead of 80, 120, 160, images averaged down to 16×16"
    )
    # MNIST has 60,000 training images; the full recipe trains on 50,000 and holds 10,000 out.
    assert found["mlp"].reduced(found["mlp"].recipe("cpu")).startswith("10,000 training images instead of 60,000, ")
    assert "images averaged down to 32×32" in found["cluttered"].reduced(found["cluttered"].recipe("cpu"))
    assert "activation" not in found["flow"].reduced(found["flow"].recipe("cpu"))
    assert "activation relu" in chosen_here("flow", found["flow"].recipe("cpu"))
    assert "learning rate" not in found["cluttered"].reduced(found["cluttered"].recipe("cpu"))
    note = chosen_here("disentangling", found["disentangling"].recipe("cpu"))
    assert note.startswith("Not stated in the paper and chosen here: ")
    assert "values of β 0.01, 0.1, 1 and, too large, 10, 30" in note
    assert "the last dropout layer with each place of an image as a sample" in note


def test_reports_end_with_the_notes_that_follow_from_the_recipe() -> None:
    def found(a: Mapping[str, Any]) -> dict[str, Any]:
        return {"bound": -99.0, "nats": 20.0, "curve": [0.0, 0.0]}

    experiment = experiments("information-dropout")["vae"]
    recipe = experiment.recipe("cpu")
    notes = findings_of(experiment, recipe, found).notes
    assert notes[2:] == notes_of("vae", recipe)
    assert any("With 15 epochs, run first" in note and "three to five, after results" in note for note in notes)
    (history,) = [
        note
        for note in notes_of("occluded", experiments("information-dropout")["occluded"].recipe("cpu"))
        if "8 epochs" in note
    ]
    assert "rose by 3.4 points" in history


def test_units_of_the_two_layers_are_compared_per_activation() -> None:
    """A channel of the second layer transmits less than one of the first, and an activation of it more."""
    experiment = experiments("information-dropout")["sizes"]
    recipe = replace(experiment.recipe("cpu"), widths=(0.125,), seeds=4)

    def found(a: Mapping[str, Any]) -> dict[str, Any]:
        jitter = 0.01 * a["seed"]
        return {
            "nats": 700.0,
            "test_error": 50.0,
            "nats_per_layer": {"dropout1": 480.0 + jitter, "dropout2": 320.0},
            "nats_per_unit": {"dropout1": [32.0 + jitter] * 12, "dropout2": [16.0] * 24},
            "distance_from_prior": 0.05,
        }

    findings = findings_of(experiment, recipe, found)
    rows = {row.what: row.found.mean for row in findings.rows}
    assert rows["nats per activation, dropout1, width 0.125"] == pytest.approx(0.5, abs=1e-3)
    assert rows["nats per activation, dropout2, width 0.125"] == pytest.approx(1.0)
    assert "Kolmogorov distance from the learned log-normal prior, softplus" in rows
    further = experiment.further(figures_of(findings.rows))
    (second,) = [claim for claim in further if "of the second layer" in claim.text]
    assert (second.holds, second.published) == (True, True)
    assert [claim.holds for claim in further if "prior" in claim.text] == [True, True]
    stored = {name: one for name, one in figures_of(findings.rows).items() if "activation" not in name}
    (again,) = [claim for claim in experiment.further(stored) if "of the second layer" in claim.text]
    assert (again.text, again.holds) == (second.text, True)


def test_bounds_are_compared_with_each_other_and_with_the_published_ones() -> None:
    def found(a: Mapping[str, Any]) -> dict[str, Any]:
        gap = 0.5 if a["k"] == 1 else 4.0
        return {"bound": -99.0 - gap * (a["latent"] == "information") - 0.01 * a["seed"], "nats": 20.0}

    full = findings_of(vae.EXPERIMENT, vae.Recipe(), found)
    claims = experiments("information-dropout")["vae"].further(figures_of(full.rows))
    assert [claim.holds for claim in claims] == [True, False, False]
    # Three seeds are too few to differ.
    assert [str(claim.verdict) for claim in claims] == ["reproduced", "inconclusive", "inconclusive"]
    assert {str(row.verdict) for row in full.rows if "bound" in row.what} == {"reproduced", "settings unknown"}
    small = findings_of(vae.EXPERIMENT, vae.Recipe(replace(vae.PUBLISHED, epochs=5), factors=(1,)), found)
    assert {str(row.verdict) for row in small.rows if "bound" in row.what} == {"reduced scale"}


@pytest.mark.parametrize("span", [1.3, 4.0, 30.0, 900.0, 1e4, 2e6, 1e9])
def test_numbers_at_a_logarithmic_axis_do_not_cover_each_other(span: float) -> None:
    canvas = Canvas(layout="constrained")
    curve = {0.1: [3.0, 3.1], 1.0: [3.0 / span, 3.1 / span]}
    panels("name", "caption", [({"a": curve}, "nats", True)], xlabel="β").draw(canvas)
    canvas.draw_without_rendering()
    (axes,) = canvas.axes
    shown = [tick.label1 for tick in axes.yaxis.get_major_ticks() if axes.bbox.y0 <= tick.label1.get_window_extent().y0]
    boxes = sorted((label.get_window_extent() for label in shown), key=lambda box: float(box.y0))
    assert len(boxes) >= 2
    assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))
