"""Table 3: which cue a classifier uses when two agreed in training, and which training retains both."""

from __future__ import annotations

from collections.abc import Sequence

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings
from infoflow_reproductions.harness.inference import PERCENT
from infoflow_reproductions.harness.seeds import differences, over_seeds
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.ifm.comparison import (
    SELECTIONS,
    Recipe,
    figures,
    identity,
    least,
    least_at,
    rows,
    steady,
    summed,
    trials,
    values,
)
from infoflow_reproductions.ifm.methods import METHODS
from infoflow_reproductions.ifm.notes import OBJECTIVE, at_reduced_scale, conditions

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
    ("exchange", "cross-entropy-4", "the exchange improves on cross-entropy with the same total weight of its losses"),
    ("exchange", "exchange-spectrum", "exchanging the layers' moments as well improves on the input's spectrum alone"),
    ("exchange", "exchange-moments", "exchanging the input's spectrum as well improves on the layers' moments alone"),
    ("ours", "exchange", "the flow improves on the exchange"),
    ("ifm-image", "ifm", "same-image negatives and InfoNCE improve on the published flow"),
    ("spectral", "baseline", "spectral decoupling retains both cues better than cross-entropy"),
    ("orthogonal", "baseline", "a gradient-orthogonal ensemble retains both cues better than cross-entropy"),
)
"""(method, method to compare with, claim).

The published flow is compared with cross-entropy by `statements.of_table`: in the digit, which is its smaller accuracy.
"""


def report(recipe: Recipe, results: Results) -> Findings:
    """Report the published rows, whether each part of our recipe matters, and whether it reaches its goals."""
    every = recipe
    recipe, diverged = steady(every, results)
    claims = [*_published(recipe, results), identity(recipe, results), *diverged]
    claims += [*_goals(recipe, results), *_ablation(recipe, results)]
    pictures = figures(recipe, results, SELECTIONS, PUBLISHED)
    return Findings(rows(every, results, PUBLISHED), claims, pictures, _notes(recipe, results))


def _published(recipe: Recipe, results: Results) -> list[Claim]:
    """Return the claim on the order in which the published flow learns both factors."""
    if "ifm" not in recipe.methods:
        return []
    later = differences(*(values(results, "ifm", f"best_{factor}") for factor in ("digit", "texture")))
    text = (
        f"{METHODS['ifm'].title}: the epoch with the best validation accuracy of the digit is later than that of the "
        "texture"
    )
    return [Claim.above(text, later, unit="epochs")]


def _goals(recipe: Recipe, results: Results) -> list[Claim]:
    claims = []
    row = PUBLISHED["ifm", "best_digit"]
    for name in (name for name in _OURS if name in recipe.methods):
        digit, texture = (values(results, name, f"{factor}_best_digit") for factor in ("digit", "texture"))
        margin = [min(d - row[0], t - row[1]) for d, t in zip(digit, texture, strict=True)]
        both = ", ".join(
            f"{factor} {over_seeds(numbers, span=PERCENT).text('.1f', '%')}"
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
    """Return the gain of each part in the smaller accuracy at the last epoch of both, which involves no selection."""
    claims = []
    for first, second, words in _ABLATION:
        if first not in recipe.methods or second not in recipe.methods:
            continue
        epochs = [recipe.epochs_of(name) for name in (first, second)]
        if epochs[0] == epochs[1]:
            when, pair = "last epoch", [least(results, name) for name in (first, second)]
        else:
            when = f"epoch {min(epochs)}"
            pair = [least_at(results, name, min(epochs)) for name in (first, second)]
        text = f"{words} (smaller accuracy, {when})"
        claims.append(Claim.above(text, differences(*pair), unit="points", published=False))
    return claims


def _selected(recipe: Recipe, results: Results) -> str:
    """Return the epochs that were selected."""
    found = []
    for name in (name for name in ("baseline", "ifm") if name in recipe.methods):
        chosen = {factor: [int(v) for v in values(results, name, f"best_{factor}")] for factor in ("digit", "texture")}
        by = ", ".join(f"by the {factor} {'–'.join(map(str, _ends(epochs)))}" for factor, epochs in chosen.items())
        found.append(f"{METHODS[name].title} {by} of {recipe.epochs_of(name)}")
    return f"Selected epochs, over seeds: {'; '.join(found)}."


def _draws(recipe: Recipe) -> str:
    first, last = recipe.draws[0], recipe.draws[-1]
    return f"the draw reported is {first}" if first == last else f"the draws reported are {first} to {last}"


def _ends(epochs: Sequence[int]) -> list[int]:
    return sorted({min(epochs), max(epochs)})


def _notes(recipe: Recipe, results: Results) -> list[str]:
    reached = {
        name: max(
            max(found["saturation"][pair][-1] for pair in found["saturation"]) for found in results.of(method=name)
        )
        for name in recipe.methods
        if results.of(method=name)[0]["saturation"]
    }
    notes = [
        OBJECTIVE,
        "Changed after the results were known: the digit accuracy at the epoch chosen by the texture and the order of "
        "the selected epochs became claims of the paper; the optimum of about 50 % of each factor (section 4.3) is no "
        "longer counted as one, since no classifier can exceed it in both by more than half of P(digit = texture).",
        "No label of the second factor is used in training, and no choice depends on test images. The epoch is chosen "
        "on shifted validation images by the accuracy of one factor, as in the paper, which requires labels of the "
        "shifted distribution. The last epoch requires none.",
        "The exchange of statistics assumes that one cue lies in what all locations share (spectrum, moments of "
        "channels) and the other in their arrangement. Training then rewards both cues by construction.",
        "The exchange was found by exploration on draws 0 and 1 without stored results, by the accuracies of both "
        f"factors on their validation images; {_draws(recipe)}.",
        "The draw of textures limits the result: white digits are hardly visible on textures that are bright or coarse "
        "at this size.",
        "iCE fi-RevNet is not implemented; claims compare with its published accuracy of the digit.",
        _selected(recipe, results),
    ]
    if "cross-entropy-4" in recipe.methods:
        notes.append(
            "The exchange trains on exchanged images with weight 3 beside the plain ones with weight 1. Cross-entropy "
            "of weight 4, which is a fourfold learning rate, has the same total weight, but not the second pass of "
            "each step."
        )
    if "last-layer" in recipe.methods:
        notes.append(
            "'Last layer retrained' fits its linear layer to shifted validation images and their digits. No other "
            "method is trained on such data, so it is no fair comparison."
        )
    if reached:
        listed = ", ".join(f"{METHODS[name].title} {share:.2f}" for name, share in reached.items())
        notes.append(f"Largest share of the ceiling at the last epoch (over pairs and seeds): {listed}.")
    return [*notes, *conditions(recipe, results)]


_ALL = (
    "baseline",
    "cross-entropy-4",
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

CPU = at_reduced_scale(
    Recipe(
        methods=_ALL,
        size=16,
        width=0.5,
        counts=(8000, 1500, 3000),
        epochs=5,
        learning_rate=0.03,
        hidden=(64, 32),
    )
)
# A step of the exchange takes about twice as long, so its methods and their control have half the epochs.
CPU_PUBLISHED = Recipe(
    methods=("baseline", "cross-entropy-4", "ifm", "exchange", "ours"),
    epochs=20,
    shorter=(("cross-entropy-4", 10), ("exchange", 10), ("ours", 10)),
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
