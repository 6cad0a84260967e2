"""Table 3: which cue a classifier uses when two agreed in training, and which training retains both."""

from __future__ import annotations

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings
from infoflow_reproductions.harness.seeds import differences, over_seeds
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.ifm.comparison import (
    SELECTIONS,
    Recipe,
    figures,
    least,
    rows,
    sanity,
    steady,
    summed,
    trials,
    values,
)

PUBLISHED = {
    ("baseline", "best_digit"): (12.44, 95.07),
    ("baseline", "best_texture"): (12.05, 96.44),
    ("ifm", "best_digit"): (54.54, 40.41),
    ("ifm", "best_texture"): (31.78, 69.00),
}
"""(method, selection) -> digit and texture accuracy, in percent."""

_OURS = {"ours": "our recipe (share 0.5)", "ours-layout": "our recipe (share 0.6)"}

_ABLATION = (
    ("exchange", "baseline", "the exchange of statistics alone retains both cues better than cross-entropy"),
    ("exchange", "exchange-spectrum", "exchanging the layers' moments improves on exchanging the input's spectrum"),
    ("exchange", "exchange-moments", "exchanging the input's spectrum improves on exchanging the layers' moments"),
    ("ours", "exchange", "the flow improves on the exchange"),
    ("ifm", "baseline", "the flow as published retains both cues better than cross-entropy"),
    ("ifm-image", "ifm", "same-image negatives and InfoNCE improve on the published flow"),
    ("spectral", "baseline", "spectral decoupling retains both cues better than cross-entropy"),
    ("orthogonal", "baseline", "a gradient-orthogonal ensemble retains both cues better than cross-entropy"),
)
"""(method, method to compare with, claim)."""


def report(recipe: Recipe, results: Results) -> Findings:
    """Report the published rows, whether each part of our recipe matters, and whether it reaches its goals."""
    every = recipe
    recipe, diverged = steady(every, results)
    claims = [*_published(recipe, results), sanity(recipe, results), *diverged]
    claims += [*_goals(recipe, results), *_ablation(recipe, results)]
    pictures = figures(recipe, results, SELECTIONS, PUBLISHED)
    return Findings(rows(every, results, PUBLISHED), claims, pictures, _notes(recipe, results))


def _published(recipe: Recipe, results: Results) -> list[Claim]:
    texture, digit = (values(results, "baseline", f"{factor}_last") for factor in ("texture", "digit"))
    claims = [
        Claim.above("cross-entropy alone relies on the texture: texture above 90 %", texture, 90.0, unit="%"),
        Claim.above("... and digit below 20 %", [20 - value for value in digit], unit="points below"),
    ]
    if "ifm" in recipe.methods:
        gain = differences(*(values(results, name, "digit_best_digit") for name in ("ifm", "baseline")))
        text = "IFM as published recognizes the digit better than cross-entropy alone"
        claims.append(Claim.above(text, gain, unit="points"))
    return claims


def _goals(recipe: Recipe, results: Results) -> list[Claim]:
    claims = []
    row = PUBLISHED["ifm", "best_digit"]
    for name in (name for name in _OURS if name in recipe.methods):
        digit, texture = (values(results, name, f"{factor}_best_digit") for factor in ("digit", "texture"))
        margin = [min(d - row[0], t - row[1]) for d, t in zip(digit, texture, strict=True)]
        both = ", ".join(
            f"{factor} {over_seeds(numbers).text('.1f', '%')}"
            for factor, numbers in (("digit", digit), ("texture", texture))
        )
        total = summed(results, name, "best_digit")
        for words, numbers, threshold, unit in (
            (
                "as good as the paper's row, digit 54.5 % and texture 40.4 % in one model",
                margin,
                0.0,
                f"points (of the smaller margin); {both}",
            ),
            ("both accuracies add up to the paper's row's 94.95 % or more", total, sum(row), "%"),
            ("both accuracies add up to 100 % or more", total, 100.0, "%"),
            ("the smaller of both is 45 % or more", least(results, name, "best_digit"), 45.0, "%"),
        ):
            text = f"{_OURS[name]}, epoch chosen by the digit's validation accuracy: {words}"
            claims.append(Claim.above(text, numbers, threshold, unit=unit, published=False))
    return claims


def _ablation(recipe: Recipe, results: Results) -> list[Claim]:
    """Return the gain of each part in the smaller accuracy at the last epoch, which involves no selection."""
    return [
        Claim.above(
            f"{words} (smaller accuracy, last epoch)",
            differences(least(results, first), least(results, second)),
            unit="points",
            published=False,
        )
        for first, second, words in _ABLATION
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
        "No label of the second factor is used in training, and no choice depends on test images. The epoch is chosen "
        "on shifted validation images by the accuracy of one factor, as in the paper, which requires labels of the "
        "shifted distribution. The last epoch requires none.",
        "The exchange of statistics assumes that one cue lies in what all locations share (spectrum, moments of "
        "channels) and the other in their arrangement. Training then rewards both cues by construction.",
        "The exchange was found by trying about fifty recipes on draws 0 and 1, by the accuracies of both factors on "
        f"their validation images; the draws reported are {recipe.draws[0]} to {recipe.draws[-1]}. Tried there: other "
        "shares and weights, more epochs, images, pixels and channels, other layers, amplitudes channel by channel "
        "(digit accuracy 27 % instead of 48 %), and separate outputs for layout and statistics.",
        "The draw of textures limits the result: white digits are hardly visible on textures that are bright or coarse "
        "at this size. On draw 7, which has several (as has draw 2), an output trained for the layout alone reaches "
        "44 % on the digit and 42 % on the texture of the shifted validation images; on draws 0 and 1 about 63 and "
        "27 %.",
    ]
    if "last-layer" in recipe.methods:
        notes.append(
            "'Last layer retrained' fits its linear layer to shifted validation images and their digits. No other "
            "method is trained on such data, so it is no fair comparison."
        )
    if reached:
        listed = ", ".join(f"{name} {share:.2f}" for name, share in reached.items())
        notes.append(f"Largest share of its ceiling that a pair's bound reached by the last epoch: {listed}.")
    textures = sorted({found["textures"] for found in map(results.__getitem__, results) if "textures" in found})
    if textures:
        notes.append(f"Textures: {' or '.join(textures)}.")
    if recipe.smaller:
        notes.append(f"Smaller than published: {recipe.smaller}.")
    return notes


_ALL = (
    "baseline",
    "ifm",
    "ifm-image",
    "exchange",
    "exchange-spectrum",
    "exchange-moments",
    "ours",
    "ours-layout",
    "spectral",
    "decorrelation",
    "ice",
    "orthogonal",
    "last-layer",
)

CPU = Recipe(
    methods=tuple(name for name in _ALL if name != "ifm-image"),
    size=16,
    width=0.5,
    counts=(8000, 1500, 3000),
    epochs=5,
    learning_rate=0.03,
    hidden=(64, 32),
    smaller="16×16 pixels (means of 2×2), half the channels, 8000 of 48,000 training images, 5 epochs, critics 64-32, "
    "learning rate 0.03 for 0.01",
)
CPU_PUBLISHED = Recipe(
    methods=("baseline", "ifm", "exchange", "ours"), epochs=20, shorter=(("exchange", 10), ("ours", 10))
)
SMOKE = Recipe(
    methods=("baseline", "ifm", "ours", "ice", "orthogonal", "last-layer"),
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
    {"smoke": SMOKE, "cpu": CPU, "cpu-published": CPU_PUBLISHED, "full": Recipe(methods=_ALL)},
    trials,
    report,
)
