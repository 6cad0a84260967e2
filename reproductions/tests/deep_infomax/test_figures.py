"""Figures 7, 9 and 13 and the order of Table 3: claims follow from the numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from infoflow_reproductions import Results
from infoflow_reproductions.baselines.autoencoders import MeanOfGaussian
from infoflow_reproductions.deep_infomax import EXPERIMENTS
from infoflow_reproductions.deep_infomax.measures import posterior_samples
from infoflow_reproductions.deep_infomax.methods import Size, learner
from infoflow_reproductions.deep_infomax.occluded_loss import losses, overlapping
from infoflow_reproductions.harness.figures import pack
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.objectives import DeepInfoMax
from infoflow.probes import NeuralDependency


def judged(name: str, scale: str, found: Any) -> dict[str, bool | None]:
    experiment = EXPERIMENTS[name]
    recipe = experiment.recipe(scale)
    trials = experiment.trials(recipe)
    report = experiment.report(recipe, Results(trials, {one.name: found(one.arguments) for one in trials}))
    assert all(experiment.place(claim.text) for claim in report.claims if claim.published)
    return {claim.text: claim.holds for claim in report.claims}


def test_maps_of_the_ablation_judge_every_sentence_of_the_appendix() -> None:
    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        a, b, g = (arguments["options"][name] for name in ("alpha", "beta", "gamma"))
        noise = 1e-3 * arguments["seed"]
        return {
            "Y": (20 + 20 * b + (10 if 0 < a < 0.5 else 0)) / 100 + noise,
            "MS-SSIM": 0.3 + 0.3 * a + (0.1 if b > 0 else 0) + noise,
            "Î(X;Y)": 5 + 20 * (a > 0 and b > 0) + noise,
            "NDM": 9 - 8 * (g > 0) + noise,
        }

    claims = judged("ablation-maps", "cpu", found)
    assert set(claims.values()) == {True}
    assert sum(text.startswith("NDM is lower with γ = 0.1") for text in claims) == 8
    assert "at γ = 0.1 a small amount of β (0.1) improves reconstruction" in claims
    turned = judged("ablation-maps", "cpu", lambda a: {k: -v for k, v in found(a).items()})
    assert set(turned.values()) == {False}
    full = EXPERIMENTS["ablation-maps"].recipe("full")
    assert min(filter(None, full.alphas)) == 0.1
    assert full.measures == ("mlp", "ms-ssim", "mine", "ndm")


def test_neighbors_of_both_objectives_are_compared() -> None:
    image = pack(torch.zeros(1, 5, 3, 4, 4))

    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        share = {"random": 0.1, "dim-g": 0.2, "dim-l": 0.3}[arguments["method"]]
        return {"same class": share + 0.01 * arguments["seed"], "neighbors": image}

    assert set(judged("neighbors", "full", found).values()) == {True}
    recipe = EXPERIMENTS["neighbors"].recipe("full")
    assert (recipe.learning.data, recipe.methods, recipe.critic) == (
        "tiny-imagenet",
        ("random", "dim-g", "dim-l"),
        "concat-and-convolve",
    )


def test_table_3_compares_the_order_of_both_measures_and_the_dependence_of_bigan() -> None:
    ssim = {"random": 0.4, "vae": 0.72, "aae": 0.67, "bigan": 0.46, "nat": 0.29, "dim-g": 0.49, "dim-l": 0.37}
    mine = {"random": 9.0, "vae": 93.02, "aae": 87.48, "bigan": 37.69, "nat": 6.04, "dim-g": 49.63, "dim-l": 45.09}

    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        method, noise = arguments["method"], 1e-3 * arguments["seed"]
        values = {"MS-SSIM": ssim.get(method, 0.53) + noise, "Î(X;Y)": mine.get(method, 101.65) + noise}
        ndm, linear = (24.49, 9.0) if method == "bigan" else (5.0 + noise, 1.0 + noise)
        dependence = {"NDM": ndm, "NDM (sigmoid)": 0.5, "TC": linear}
        sampled = {"NDM (samples)": 1.6} if "ndm-samples" in arguments["measures"] else {}
        return {"SVM (conv)": 0.5, "SVM (fc)": 0.4, "SVM (Y)": 0.3 + noise, **values, **dependence, **sampled}

    claims = judged("table3", "full", found)
    assert claims["MS-SSIM and Î(X;Y) order the methods alike (rank correlation above 0)"] is True
    assert sum("lower NDM than BiGAN" in text and holds is True for text, holds in claims.items()) == 6
    assert sum("correlation matrix than BiGAN" in text and holds is True for text, holds in claims.items()) == 6
    experiment = EXPERIMENTS["table3"]
    recipe = experiment.recipe("full")
    trials = experiment.trials(recipe)
    rows = experiment.report(recipe, Results(trials, {one.name: found(one.arguments) for one in trials})).rows
    compared = {row.what.partition(": ")[2]: row.comparable for row in rows if row.published is not None}
    linear = ("SVM (conv)", "SVM (fc)", "SVM (Y)")
    assert {name for name, comparable in compared.items() if comparable} == set(linear)
    assert set(compared) - set(linear) == {"MS-SSIM", "Î(X;Y)", "NDM", "NDM (sigmoid)"}


def test_a_measure_that_is_the_same_for_all_methods_has_no_order() -> None:
    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        measures = {"MS-SSIM": 0.4, "Î(X;Y)": len(arguments["method"]), "NDM": 1.0, "NDM (sigmoid)": 0.5, "TC": 1.0}
        sampled = {"NDM (samples)": 1.6} if "ndm-samples" in arguments["measures"] else {}
        return {"SVM (conv)": 0.5, "SVM (fc)": 0.4, "SVM (Y)": 0.3, **measures, **sampled}

    claims = judged("table3", "full", found)
    assert claims["MS-SSIM and Î(X;Y) order the methods alike (rank correlation above 0)"] is None


def test_dependence_that_the_samples_do_not_support_is_not_compared() -> None:
    """Eight shuffles of 5,000 rows: above log 40,000 = 10.6 nats on both sides NDM is no measurement."""

    def at(bigan: float, other: float) -> set[bool | None]:
        def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
            noise = 1e-3 * arguments["seed"]
            value = (bigan if arguments["method"] == "bigan" else other) + noise
            sampled = {"NDM (samples)": 1.6} if "ndm-samples" in arguments["measures"] else {}
            svm = {"SVM (conv)": 0.5, "SVM (fc)": 0.4, "SVM (Y)": 0.3 + noise}
            varying = {"MS-SSIM": len(arguments["method"]) / 10, "Î(X;Y)": len(arguments["method"])}
            measures = {**varying, "NDM": value, "NDM (sigmoid)": 0.5, "TC": value}
            return {**svm, **measures, **sampled}

        claims = judged("table3", "full", found)
        linear = {holds for text, holds in claims.items() if "correlation matrix than BiGAN" in text}
        assert linear == {other < bigan}
        return {holds for text, holds in claims.items() if "lower NDM than BiGAN" in text}

    assert at(240.0, 68.0) == at(240.0, 3300.0) == {None}
    assert at(240.0, 9.0) == {True}
    assert at(9.0, 240.0) == {False}


class Given(nn.Module):
    """Encoder of two-dimensional inputs with the means x₀, x₁ and 0.01 · x₀, and variances 0.01, 0.01 and 1."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean = torch.stack([x[:, 0], x[:, 1], 0.01 * x[:, 0]], 1)
        return x, torch.cat([mean, torch.tensor([0.01, 0.01, 1.0]).log().expand(len(x), -1)], 1)


def test_an_empty_feature_counts_in_the_means_and_not_in_the_samples() -> None:
    """A third feature whose mean repeats the first one, at a hundredth of the noise: the samples are independent."""
    x = torch.randint(0, 256, (3000, 2), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    encoder = MeanOfGaussian(Given())
    measure = NeuralDependency(settings={"hidden": (16,), "max_epochs": 3, "folds": 2})
    of_samples = measure.score(posterior_samples(encoder, x, 0)).value
    of_means = measure.score(encoder(x.float() / 127.5 - 1)[1]).value
    assert of_samples < 0.05
    assert of_means > 1.0
    with pytest.raises(InvalidArgument, match="^representation must be that of a BetaAutoencoder"):
        posterior_samples(Given(), x, 0)


def test_loss_of_locations_is_minus_equation_5_and_overlap_follows_the_receptive_field() -> None:
    torch.manual_seed(0)
    size = Size(width=1 / 32, features=4, units=8)
    made = learner("dim-l-nce", size, images=10, classes=10, seed=0)
    objective = made.players["learner"].loss
    assert isinstance(objective, DeepInfoMax)
    objective.eval()
    images = torch.rand(3, 3, 32, 32)
    found = losses(objective, images, images)
    with torch.no_grad():
        own, others = objective.local_critic.scores(*objective.encoder(images))  # type: ignore[union-attr]
    image, location = 1, 13
    scores = torch.cat([own[location, image][None], others[0, image]])
    expected = -math.log(math.exp(own[location, image]) / float(scores.exp().sum()))
    assert float(found.flatten(1)[image, location]) == pytest.approx(expected, rel=1e-4)
    # A pixel changes exactly the locations whose receptive field contains it.
    hidden = torch.zeros(1, 32, 32, dtype=torch.bool)
    hidden[0, 9, 20] = True
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        change = (objective.encoder(x)[0] - objective.encoder(x + 5 * hidden[:, None])[0]).abs().sum(1)[0]
    assert bool((overlapping(hidden)[0] | (change < 1e-6)).all())
    assert bool((change > 1e-6).any())


def test_the_loss_is_compared_inside_and_outside_of_the_occlusion() -> None:
    image = pack(torch.zeros(1, 4, 3, 4, 4))

    def found(arguments: Mapping[str, Any]) -> dict[str, Any]:
        noise = 1e-3 * arguments["seed"]
        return {"inside": 6 + noise, "outside": 4, "inside, whole": 4, "outside, whole": 3.9, "pairs": image}

    assert list(judged("occlusion", "cpu", found).values()) == [True] * 3
