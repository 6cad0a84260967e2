"""Table 3: which cue a classifier lives on when two agreed in training; and what makes it keep both."""

from __future__ import annotations

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.ifm.comparison import (
    SELECTIONS,
    Recipe,
    differences,
    in_words,
    least,
    rows,
    sanity,
    steady,
    summed,
    trials,
    values,
)
from infoflow_reproductions.ifm.figures import accuracy_curves, flow_curves, plane

PUBLISHED = {
    ("baseline", "best_digit"): (12.44, 95.07),
    ("baseline", "best_texture"): (12.05, 96.44),
    ("ifm", "best_digit"): (54.54, 40.41),
    ("ifm", "best_texture"): (31.78, 69.00),
}
"""(method, selection) -> digit and texture accuracy, in percent."""

_OURS = ("ours", "ours-layout")


def report(recipe: Recipe, results: Results) -> Findings:
    """Rows beside the published ones; whether each part of our recipe matters; whether the goals are reached."""
    every = recipe
    recipe, diverged = steady(every, results)
    claims = [*_published(recipe, results), sanity(recipe, results), *diverged]
    claims += [*_goals(recipe, results), *_ablation(recipe, results)]
    return Findings(
        rows(every, results, PUBLISHED),
        claims,
        [
            plane(results, recipe.methods, SELECTIONS, PUBLISHED),
            accuracy_curves(results, recipe.methods),
            flow_curves(results, recipe.methods),
        ],
        _notes(recipe, results),
    )


def _published(recipe: Recipe, results: Results) -> list[Claim]:
    texture, digit = (values(results, "baseline", f"{factor}_last") for factor in ("texture", "digit"))
    claims = [
        Claim.above("cross-entropy alone lives on the texture: texture above 90 %", texture, 90.0, unit="%"),
        Claim.above("... and digit below 20 %", [20 - value for value in digit], unit="points below"),
    ]
    if "ifm" in recipe.methods:
        gain = differences(results, "ifm", "baseline", "digit_best_digit")
        claims.append(
            Claim.above("IFM as published knows the digit better than cross-entropy alone", gain, unit="points")
        )
    return claims


def _goals(recipe: Recipe, results: Results) -> list[Claim]:
    claims = []
    for name in (name for name in _OURS if name in recipe.methods):
        digit, texture = (values(results, name, f"{factor}_best_digit") for factor in ("digit", "texture"))
        what = f"{_TITLES[name]}, epoch chosen by the digit's validation accuracy"
        row = PUBLISHED["ifm", "best_digit"]
        margin = [min(d - row[0], t - row[1]) for d, t in zip(digit, texture, strict=True)]
        claims.append(
            Claim.above(
                f"{what}: as good as the paper's row, digit 54.5 % and texture 40.4 % in one model",
                margin,
                unit=f"points (of the lesser margin); digit {in_words(digit)}, texture {in_words(texture)}",
                published=False,
            )
        )
        for words, numbers, wanted in (
            ("both accuracies add up to the paper's row's 94.95 %", summed(results, name, "best_digit"), sum(row)),
            ("both accuracies add up to 100 %", summed(results, name, "best_digit"), 100.0),
            ("the lesser of both is 45 %", least(results, name, "best_digit"), 45.0),
        ):
            claims.append(Claim.above(f"{what}: {words} or more", numbers, wanted, unit="%", published=False))
    return claims


_TITLES = {"ours": "our recipe (share ½)", "ours-layout": "our recipe (share .6)"}


def _ablation(recipe: Recipe, results: Results) -> list[Claim]:
    """What each part adds to the lesser of both accuracies at the last epoch: no selection helps there."""
    steps = (
        ("exchange", "baseline", "the exchange of statistics alone keeps both cues better than nothing"),
        ("exchange", "exchange-spectrum", "exchanging layers' moments adds to exchanging the input's spectrum"),
        ("exchange", "exchange-moments", "exchanging the input's spectrum adds to exchanging layers' moments"),
        ("ours", "exchange", "the flow adds to the exchange"),
        ("ifm", "baseline", "the flow as published keeps both cues better than nothing"),
        ("ifm-image", "ifm", "same-image negatives and InfoNCE improve on the published flow"),
        ("spectral", "baseline", "spectral decoupling keeps both cues better than nothing"),
        ("orthogonal", "baseline", "a gradient-orthogonal ensemble keeps both cues better than nothing"),
    )
    return [
        Claim.above(
            f"{words} (lesser accuracy, last epoch)",
            [a - b for a, b in zip(least(results, first), least(results, second), strict=True)],
            unit="points",
            published=False,
        )
        for first, second, words in steps
        if first in recipe.methods and second in recipe.methods
    ]


def _notes(recipe: Recipe, results: Results) -> list[str]:
    reached = {
        name: max(
            max(found["saturation"][pair][-1] for pair in found["saturation"]) for found in results.of(method=name)
        )
        for name in recipe.methods
        if results.of(method=name)[0]["saturation"]
    }
    notes = [
        "No label of the second factor is used in training, and nothing is chosen on test images. Which epoch "
        "counts is chosen on shifted validation images by the accuracy of one factor, as in the paper: an oracle. The "
        "last epoch needs none.",
        "The exchange of statistics assumes that one cue lies in what all locations share (spectrum, moments of "
        "channels) and the other in their arrangement. Both cues then count by construction, not by luck.",
        "The exchange was found by trying about fifty recipes on draws 0 and 1, by the accuracies of both factors on "
        "their validation images; the draws reported are "
        f"{recipe.first_seed} to {recipe.first_seed + recipe.seeds - 1}. Tried there: other shares and weights, more "
        "epochs, images, pixels and channels, other layers, amplitudes channel by channel (the digit is right on 27 % "
        "instead of 48 %), outputs of their own for layout and statistics.",
        "What limits it is the draw: white digits hardly show on textures that are bright or coarse at this size. On "
        "draw 7, which has several (so has draw 2), an output trained for the layout alone names the digit on 44 % of "
        "the shifted validation images and the texture on 42 %; on draws 0 and 1 on about 63 and 27 %.",
    ]
    if "last-layer" in recipe.methods:
        notes.append(
            "'Last layer retrained' fits its linear layer on shifted validation images and their digits: it alone is "
            "trained on such data, so it is no rival on equal terms."
        )
    if reached:
        listed = ", ".join(f"{name} {share:.2f}" for name, share in reached.items())
        notes.append(f"Largest share of its ceiling that a pair's bound reached by the last epoch: {listed}.")
    if recipe.smaller:
        notes.append(f"Smaller than published: {recipe.smaller}.")
    return notes


_ALL = (
    "baseline", "ifm", "ifm-image", "exchange", "exchange-spectrum", "exchange-moments", "ours", "ours-layout",
    "spectral", "decorrelation", "ice", "orthogonal", "last-layer",
)  # fmt: skip

CPU = Recipe(
    tuple(name for name in _ALL if name != "ifm-image"),
    size=16,
    width=0.5,
    counts=(8000, 1500, 3000),
    epochs=5,
    learning_rate=0.03,
    hidden=(64, 32),
    smaller="16×16 pixels (means of 2×2), half the channels, 8000 training images, 5 epochs, critics 64-32",
)
SMOKE = Recipe(
    ("baseline", "ifm", "ours", "ice", "orthogonal", "last-layer"),
    source="digits",
    size=16,
    width=0.125,
    counts=(256, 64, 64),
    epochs=1,
    batch_size=64,
    hidden=(8, 4),
    seeds=2,
    smaller="a smoke test on 8×8 digits",
)

TABLE3 = Experiment(
    "ifm",
    "table3",
    "Information flow on shifted MNIST: digit and texture in one classifier",
    {"smoke": SMOKE, "cpu": CPU, "full": Recipe(_ALL)},
    trials,
    report,
)
