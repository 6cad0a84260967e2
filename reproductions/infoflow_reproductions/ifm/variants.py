"""Variants of the flow alone: choice of negatives, bound and critic, and saturation."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.ifm.comparison import Recipe, conditions, figures, rows, sanity, steady, trials, values
from infoflow_reproductions.ifm.methods import METHODS
from infoflow_reproductions.ifm.table3 import CPU, SMOKE

NEGATIVES = ("baseline", "random", "same-location", "same-image", "same-class", "hard")
CRITICS = (
    "baseline",
    "js-published",
    "js-separable",
    "infonce-separable",
    "infonce-bounded",
    "nwj-published",
    "nwj-bounded",
    "hellinger-published",
)
SATURATION = ("baseline", "plain", "noise-.5", "noise-2", "from-input", "to-the-end", "weight-4")

# A bound so close to its ceiling has a small gradient.
_SATURATED = 0.9


def report(recipe: Recipe, results: Results) -> Findings:
    """Report accuracies, how close each bound came to its ceiling, and which variants improve on cross-entropy."""
    every = recipe
    recipe, diverged = steady(every, results)
    variants = [name for name in recipe.methods if METHODS[name].flow]
    claims = [sanity(recipe, results), *diverged]
    for name in variants:
        gain = differences(*(values(results, one, "digit_best_digit") for one in (name, "baseline")))
        title = METHODS[name].title
        text = f"{title}: recognizes the digit better than cross-entropy alone"
        claims.append(Claim.above(text, gain, unit="points", published=False))
        nearest = [max(one["saturation"][pair][-1] for pair in one["saturation"]) for one in results.of(method=name)]
        if any(nearest):
            text = f"{title}: the bound of the most saturated pair is above {_SATURATED:.0%} of its ceiling at the end"
            claims.append(Claim.above(text, nearest, _SATURATED, published=False))
    return Findings(
        [*rows(every, results, {}, ("best_digit", "last")), *_flows(variants, results)],
        claims,
        figures(recipe, results, ("best_digit", "last")),
        [
            "The flow alone, without the exchange of statistics; everything else as in table3, but 8 locations per "
            "image for 16.",
            *conditions(recipe, results),
        ],
    )


def _flows(variants: list[str], results: Results) -> list[Row]:
    """Return each pair's bound at the end, and the share of negatives that score below their positive."""
    found = []
    for name in variants:
        for pair in results.of(method=name)[0]["flow"]:
            ends = [one["flow"][pair][-1] for one in results.of(method=name)]
            apart = [100 * one["separated"][pair][-1] for one in results.of(method=name)]
            found.append(Row(f"{METHODS[name].title}, {pair}: {METHODS[name].bound}", ends, "nats"))
            found.append(Row(f"{METHODS[name].title}, {pair}: negatives below their positive", apart, "%"))
    return found


def _experiment(name: str, title: str, methods: tuple[str, ...]) -> Experiment:
    few = replace(
        CPU,
        methods=methods,
        counts=(4000, 1500, 3000),
        epochs=4,
        smaller=CPU.smaller.replace("8,000", "4,000").replace("5 epochs", "4 epochs"),
    )
    return Experiment(
        "ifm",
        name,
        title,
        {"smoke": replace(SMOKE, methods=methods[:3]), "cpu": few, "full": Recipe(methods=methods)},
        trials,
        report,
        needs={"methods": Entries(("baseline",))},
    )


VARIANTS = (
    _experiment("negatives", "Information flow: choice of negatives", NEGATIVES),
    _experiment("critics", "Information flow: choice of bound and critic", CRITICS),
    _experiment("saturation", "Information flow: saturation of the bound", SATURATION),
)
