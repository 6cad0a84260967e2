"""The choice of epochs, the claims, and every method trains."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from infoflow_reproductions.harness.findings import Verdict
from infoflow_reproductions.harness.trial import Context, Results
from infoflow_reproductions.harness.trial import part as narrowed
from infoflow_reproductions.ifm import EXPERIMENTS
from infoflow_reproductions.ifm.classifier import DIVERGED, Task, Training, _summary, run
from infoflow_reproductions.ifm.comparison import Recipe, figures, identity, rows, summed, trials
from infoflow_reproductions.ifm.figures import accuracy_curves, flow_curves, plane
from infoflow_reproductions.ifm.images import Images, Part, images
from infoflow_reproductions.ifm.methods import METHODS, Method
from infoflow_reproductions.ifm.table3 import PUBLISHED, SMOKE, report
from infoflow_reproductions.ifm.variants import SAME
from infoflow_reproductions.networks.flow_classifier import FlowClassifier
from matplotlib.figure import Figure as Canvas

from infoflow.core.errors import DidNotConverge


def part(digit: list[int], texture: list[int]) -> Part:
    return Part(torch.zeros(len(digit), 3, 4, 4), torch.tensor(digit), torch.tensor(texture))


PARTS = Images(part([0], [0]), part([0], [0]), part([0, 1, 2, 3], [0, 2, 2, 1]))


def test_epochs_are_chosen_on_validation_and_reported_on_test() -> None:
    def row(epoch: int, *values: float) -> dict[str, float]:
        names = ("validation_digit", "validation_texture", "test_digit", "test_texture")
        return {"epoch": epoch, "loss": 1.0, **dict(zip(names, values, strict=True))}

    history = [
        row(0, 99.0, 99.0, 99.0, 99.0),  # before training: never chosen
        row(1, 20.0, 60.0, 21.0, 61.0),
        row(2, 50.0, 40.0, 48.0, 41.0),
        row(3, 50.0, 30.0, 90.0, 31.0),  # equal to the one before on validation: the first is chosen
    ]
    found = _summary(history, PARTS, Method(""))
    assert (found["best_digit"], found["best_texture"], found["last"]) == (2, 1, 3)
    assert (found["digit_best_digit"], found["texture_best_digit"]) == (48.0, 41.0)
    assert (found["digit_best_texture"], found["texture_last"]) == (21.0, 31.0)
    assert found["agree"] == 50.0
    assert found["flow"] == {}


def results(recipe: Recipe, pairs: dict[str, tuple[float, float]]) -> Results:
    """Digit and texture accuracy of every method, with small differences between seeds."""
    listed = trials(recipe)
    known = {}
    for trial in listed:
        digit, texture = (v + 0.1 * trial.arguments["seed"] for v in pairs[trial.arguments["method"]])
        flow = {"act1-act2": [0.1, 0.2]} if METHODS[trial.arguments["method"]].flow else {}
        known[trial.name] = {
            "agree": 10.0,
            "best_digit": 2,
            "best_texture": 1,
            **{
                f"{f}_{s}": v
                for s in ("best_digit", "best_texture", "last")
                for f, v in (("digit", digit), ("texture", texture))
            },
            "flow": flow,
            "saturation": flow,
            "separated": flow,
            "epoch": [0, 1, 2],
            "test_digit": [10, 20, digit],
            "test_texture": [10, 20, texture],
        }
    return Results(listed, known)


def test_claims_follow_the_numbers() -> None:
    recipe = Recipe(methods=("baseline", "ifm", "exchange", "ours"), seeds=3)
    numbers = {"baseline": (12.0, 95.0), "ifm": (54.5, 40.4), "exchange": (45.0, 50.0), "ours": (56.0, 46.0)}
    found = report(recipe, results(recipe, numbers))
    claims = {claim.text: claim.holds for claim in found.claims}
    assert all(claims.values()), claims
    assert [claim.text for claim in found.claims if claim.published] == [LATER]
    numbers["ours"] = (60.0, 38.0)
    numbers["ifm"] = (10.0, 97.0)
    claims = {claim.text: claim.holds for claim in report(recipe, results(recipe, numbers)).claims}
    failed = [text for text, holds in claims.items() if not holds]
    assert any("as good as the paper's row" in text for text in failed)
    assert any("smaller of both is 45 %" in text for text in failed)
    assert any("flow improves on the exchange" in text for text in failed)


LATER = "IFM as published: the epoch with the best validation accuracy of the digit is later than that of the texture"


@pytest.mark.parametrize(
    ("epochs", "holds", "evidence"),
    [
        ([(5, 1), (4, 2), (5, 1)], True, "difference 3.333 [0.4649, 6.202] epochs over 3 seeds"),
        ([(1, 5), (1, 5), (1, 5)], False, "difference -4 [-4, -4] epochs over 3 seeds"),
        ([(5, 1), (1, 5), (3, 3)], None, "difference 0 [-9.937, 9.937] epochs over 3 seeds"),
        ([(2, 2), (2, 2), (2, 2)], None, "difference 0 [0, 0] epochs over 3 seeds"),
    ],
)
def test_the_order_of_the_selected_epochs(epochs: list[tuple[int, int]], holds: bool | None, evidence: str) -> None:
    recipe = Recipe(methods=("baseline", "ifm"), seeds=3)
    found = results(recipe, {"baseline": (12.0, 95.0), "ifm": (54.5, 40.4)})
    for one, (digit, texture) in zip(found.of(method="ifm"), epochs, strict=True):
        one |= {"best_digit": digit, "best_texture": texture}  # type: ignore[operator]
    (claim,) = (claim for claim in report(recipe, found).claims if claim.text == LATER)
    assert (claim.holds, claim.evidence) == (holds, evidence)
    assert claim.published
    assert "perhaps still halfway" in EXPERIMENTS["table3"].place(claim.text)


def test_methods_of_fewer_epochs_are_compared_at_equal_epochs() -> None:
    methods = ("baseline", "cross-entropy-4", "exchange")
    recipe = Recipe(methods=methods, seeds=3, epochs=2, shorter=(("cross-entropy-4", 1), ("exchange", 1)))
    numbers = {"baseline": (12.0, 95.0), "cross-entropy-4": (15.0, 90.0), "exchange": (45.0, 50.0)}
    found = report(recipe, results(recipe, numbers))
    claims = {claim.text: claim for claim in found.claims}
    alone = claims[
        "the exchange of statistics alone retains both cues better than cross-entropy (smaller accuracy, epoch 1)"
    ]
    assert alone.evidence.startswith("difference 0 ")  # 20 % in epoch 1 of every artificial curve
    control = claims[
        "the exchange improves on cross-entropy with the same total weight of its losses (smaller accuracy, last epoch)"
    ]
    assert control.holds
    assert not control.published
    assert any(note.startswith("Epochs: 2, but") for note in found.notes)
    assert any("cross-entropy by the digit 2, by the texture 1 of 2" in note for note in found.notes)


def test_the_control_of_weight_4_is_a_fourfold_learning_rate(tmp_path: Path) -> None:
    training = narrowed(replace(SMOKE, counts=(64, 16, 16), batch_size=32, width=0.05, learning_rate=0.01), Training)
    here = Context(None, "cpu", tmp_path / "c", False)
    weighted = run(Task("cross-entropy-4", 0, training, {"plain_weight": 4.0}), context=here)
    faster = replace(training, learning_rate=0.04)
    plain = run(Task("baseline", 0, faster, {}), context=here._replace(checkpoint=tmp_path / "d"))
    assert weighted["test_digit"] == plain["test_digit"]
    assert weighted["test_texture"] == plain["test_texture"]
    assert weighted["loss"] == pytest.approx([4 * value for value in plain["loss"]], rel=1e-5)


def test_rows_are_judged_at_full_scale_only() -> None:
    recipe = Recipe(methods=("baseline", "ifm"), seeds=3)
    numbers = {"baseline": (12.0, 95.0), "ifm": (20.0, 90.0)}
    found = {row.what: row.verdict for row in rows(recipe, results(recipe, numbers), PUBLISHED)}
    assert found["cross-entropy, best digit: digit"] is Verdict.REPRODUCED
    assert found["IFM as published, best digit: digit"] is Verdict.SETTINGS_UNKNOWN
    smaller = replace(recipe, smaller="fewer images")
    some = [row for row in rows(smaller, results(smaller, numbers), PUBLISHED) if row.published]
    assert {row.verdict for row in some} == {Verdict.REDUCED_SCALE}
    assert all(row.why.startswith("fewer images; the paper does not state") for row in some)


def test_impossible_sum_violates_the_identity() -> None:
    recipe = Recipe(methods=("baseline",), seeds=2, first_seed=0)
    # The second seed has 0.1 points more of each; digit and texture agree in 10 % of the images.
    kept = identity(recipe, results(recipe, {"baseline": (40.0, 69.0)}))
    assert (kept.holds, kept.published) == (True, False)
    assert kept.evidence == "the largest sum is 0.8 points below it; at most 40.1 % of both (cross-entropy)"
    violated = identity(recipe, results(recipe, {"baseline": (60.0, 57.0)}))
    assert violated.holds is False
    assert violated.evidence == "exceeded by 7.2 points; at most 57.1 % of both (cross-entropy)"
    assert summed(results(recipe, {"baseline": (60.0, 50.0)}), "baseline")[1] == pytest.approx(60.1 + 50.1)


# Together they cover every option of a method.
DIFFERENT = (
    "ours",
    "spectral",
    "decorrelation",
    "ice",
    "orthogonal",
    "last-layer",
    "hard",
    "infonce-bounded",
    "noise-2",
    "to-the-end",
)


@pytest.mark.parametrize("name", DIFFERENT)
def test_every_method_trains(name: str, tmp_path: Path) -> None:
    """One epoch of a tiny network: finite losses, accuracies within bounds, flows where there are some."""
    recipe = replace(SMOKE, counts=(64, 16, 16), batch_size=32, width=0.05, methods=(name,), first_seed=0, seeds=1)
    found = trials(recipe)[0](Context(None, "cpu", tmp_path / "c", False))
    assert np.isfinite([value for value in found["loss"] if value is not None]).all()
    assert found["digit_last"] + found["texture_last"] <= 100 + found["agree"] + 1e-4
    assert bool(found["flow"]) == bool(METHODS[name].flow)
    assert all(np.isfinite(curve).all() for curve in found["flow"].values())


def test_divergence_is_a_result_with_a_flow_and_an_error_without(tmp_path: Path) -> None:
    steep = replace(SMOKE, counts=(64, 16, 16), batch_size=32, width=0.05, learning_rate=1e30)
    training = narrowed(steep, Training)
    here = Context(None, "cpu", tmp_path / "c", False)
    found = run(Task("ifm", 0, training, {"flow": 1.0}), context=here)
    assert list(found) == [DIVERGED]
    assert "no longer finite" in found[DIVERGED]
    with pytest.raises(DidNotConverge):
        run(Task("baseline", 0, training, {}), context=here._replace(checkpoint=tmp_path / "d"))


def test_diverged_method_has_no_other_claim() -> None:
    experiment = EXPERIMENTS["critics"]
    recipe = replace(experiment.recipe("cpu"), seeds=3)
    found = results(recipe, dict.fromkeys(recipe.methods, (30.0, 60.0)))
    known = {name: found[name] for name in found}
    known["nwj-published/seed=3"] = {DIVERGED: "loss is no longer finite in epoch 2"}
    known |= {f"nwj-bounded/seed={seed}": {DIVERGED: "loss is no longer finite"} for seed in (2, 3, 4)}
    reported = experiment.report(recipe, Results(trials(recipe), known))
    about = [claim for claim in reported.claims if claim.text.startswith("NWJ")]
    assert [(claim.text, claim.holds) for claim in about] == [
        ("NWJ, published critic: training stays finite with every seed", False),
        ("NWJ, cosine critic: training stays finite with every seed", False),
    ]
    assert about[0].evidence == "seed 3: loss is no longer finite in epoch 2"
    rows_of = {
        name: [row for row in reported.rows if row.what.startswith(METHODS[name].title)]
        for name in ("nwj-published", "nwj-bounded")
    }
    assert not rows_of["nwj-bounded"]
    assert all(len(row.values) == 2 and "2 of 3 seeds" in row.what for row in rows_of["nwj-published"])


def test_smaller_images_are_means_of_pixels() -> None:
    large, small = (images("digits", 0, size, (20, 20, 20)).test.x for size in (32, 16))
    wanted = large.float().reshape(20, 3, 16, 2, 16, 2).mean((3, 5))
    assert (small.float() - wanted).abs().max() <= 0.5


def test_classifier_has_the_published_widths() -> None:
    model = FlowClassifier()
    widths = [model.get_submodule(f"conv{i}").out_channels for i in range(1, 5)]
    assert [a + b for a, b in itertools.pairwise(widths)] == [96, 192, 256]
    assert model.linear.in_features == 512


def test_experiments_have_every_scale() -> None:
    assert list(EXPERIMENTS) == ["table3", "negatives", "critics", "saturation"]
    for experiment in EXPERIMENTS.values():
        assert set(experiment.recipes) >= {"smoke", "cpu", "full"}
        assert experiment.recipe("full").smaller == ""
        assert experiment.recipe("cpu").seeds >= 5


@pytest.mark.parametrize("name", ["negatives", "critics", "saturation"])
def test_variants_report_the_saturation_of_their_bounds(name: str) -> None:
    experiment = EXPERIMENTS[name]
    recipe = replace(experiment.recipe("cpu"), seeds=3)
    numbers = {method: (30.0 if METHODS[method].flow else 12.0, 60.0) for method in recipe.methods}
    found = experiment.report(recipe, results(recipe, numbers))
    held = {claim.text: claim.holds for claim in found.claims}
    assert all(holds for text, holds in held.items() if "recognizes the digit better" in text)
    assert not any(holds for text, holds in held.items() if "of its ceiling" in text)  # 0.2 of it, in these numbers
    assert sum("nats" in row.unit for row in found.rows) == sum(bool(METHODS[m].flow) for m in recipe.methods)
    assert [figure.name for figure in found.figures] == ["both-accuracies", "accuracies", "flows"]


def test_equal_settings_are_claimed_once() -> None:
    """A method whose settings are those of another experiment's has figures, and its claims are there."""
    for name, (other, experiment) in SAME.items():
        assert replace(METHODS[name], title="") == replace(METHODS[other], title="")
        assert other in EXPERIMENTS[experiment].recipe("cpu").methods
    judged: list[Method] = []
    for name in ("negatives", "critics", "saturation"):
        experiment = EXPERIMENTS[name]
        recipe = replace(experiment.recipe("cpu"), seeds=2)
        found = experiment.report(recipe, results(recipe, dict.fromkeys(recipe.methods, (30.0, 60.0))))
        texts = [claim.text for claim in found.claims]
        titles = {METHODS[method].title: METHODS[method] for method in recipe.methods if METHODS[method].flow}
        judged += [method for title, method in titles.items() if any(text.startswith(f"{title}:") for text in texts)]
        assert all(any(row.what.startswith(f"{title}, last") for row in found.rows) for title in titles)
    assert len(judged) == 16  # 5 + 7 + 6 without two
    assert len({replace(method, title="") for method in judged}) == 16


def test_lines_are_drawn_at_the_largest_limit_of_all_seeds() -> None:
    recipe = Recipe(methods=("baseline", "ifm"), seeds=3)
    found = results(recipe, {"baseline": (12.0, 95.0), "ifm": (54.5, 40.4)})
    for name in recipe.methods:
        for one, agree in zip(found.of(method=name), (9.0, 11.5, 10.0), strict=True):
            one |= {"agree": agree}  # type: ignore[operator]
    canvas = Canvas()
    plane(found, recipe.methods, ("last",)).draw(canvas)
    assert np.asarray(canvas.axes[0].lines[0].get_xydata()).tolist() == [[11.5, 100], [100, 11.5]]
    canvas = Canvas()
    accuracy_curves(found, recipe.methods).draw(canvas)
    for axes in canvas.axes[:2]:
        assert [line.get_ydata()[0] for line in axes.lines if line.get_color() == "black"] == [111.5]  # type: ignore[index]


def test_bounds_with_and_without_a_ceiling_name_their_units() -> None:
    recipe = Recipe(methods=("baseline", "ifm", "ours"), seeds=2)
    found = results(recipe, {"baseline": (12.0, 95.0), "ifm": (54.5, 40.4), "ours": (56.0, 46.0)})
    alike = flow_curves(found, recipe.methods)
    assert alike is not None
    canvas = Canvas()
    alike.draw(canvas)
    assert [axes.get_title() for axes in canvas.axes] == [METHODS[name].title for name in ("ifm", "ours")]
    assert canvas.get_supylabel() == "bound, share of the ceiling"
    for one in found.of(method="ifm"):
        one["saturation"] = {"act1-act2": [0.0, 0.0]}
    mixed = flow_curves(found, recipe.methods)
    assert mixed is not None
    canvas = Canvas()
    mixed.draw(canvas)
    units = [axes.get_title().partition("\n")[2] for axes in canvas.axes]
    assert units == ["(nats)", "(share of the ceiling)"]
    assert canvas.get_supylabel() == "bound"


def test_methods_without_a_flow_have_no_picture_of_one() -> None:
    recipe = Recipe(methods=("baseline", "exchange"), seeds=2)
    found = results(recipe, {"baseline": (12.0, 95.0), "exchange": (45.0, 50.0)})
    assert [figure.name for figure in figures(recipe, found)] == ["both-accuracies", "accuracies"]
