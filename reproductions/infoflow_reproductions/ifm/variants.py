"""Variants of the flow alone: choice of negatives, bound and critic, and saturation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.ifm.comparison import Recipe, figures, identity, rows, steady, trials, values
from infoflow_reproductions.ifm.methods import METHODS
from infoflow_reproductions.ifm.notes import at_reduced_scale, conditions
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

SAME: Mapping[str, tuple[str, str]] = {
    "infonce-separable": ("random", "negatives"),
    "plain": ("js-published", "critics"),
}
"""Method -> the method with the same settings and its experiment, which alone makes the claims on both."""

# A bound so close to its ceiling has a small gradient.
_SATURATED = 0.9


def report(recipe: Recipe, results: Results) -> Findings:
    """Report accuracies, how close each bound came to its ceiling, and which variants improve on cross-entropy."""
    every = recipe
    recipe, diverged = steady(every, results)
    variants = [name for name in recipe.methods if METHODS[name].flow]
    claims = [identity(recipe, results), *diverged]
    for name in (name for name in variants if name not in SAME):
        gain = differences(*(values(results, one, "digit_best_digit") for one in (name, "baseline")))
        title = METHODS[name].title
        text = f"{title}: recognizes the digit better than cross-entropy alone, epoch chosen by the digit"
        claims.append(Claim.above(text, gain, unit="points", published=False))
        nearest = [max(one["saturation"][pair][-1] for pair in one["saturation"]) for one in results.of(method=name)]
        if any(nearest):
            share = f"{100 * _SATURATED:g} % of its ceiling"
            text = f"{title}: the bound of the most saturated pair is above {share} at the end"
            claims.append(Claim.above(text, nearest, _SATURATED, published=False))
    return Findings(
        [*rows(every, results, {}, ("best_digit", "last")), *_flows(variants, results)],
        claims,
        figures(recipe, results, ("best_digit", "last")),
        [
            f"The flow alone, without the exchange of statistics, on {recipe.counts[0]:,} training images for "
            f"{recipe.epochs} epochs (in table3 at scale cpu: {CPU.counts[0]:,} images, {CPU.epochs} epochs).",
            *_repeated(variants),
            *conditions(recipe, results),
        ],
    )


def _repeated(variants: list[str]) -> list[str]:
    """Return notes on methods whose claims are those of another experiment."""
    return [
        f"'{METHODS[name].title}' has the settings of '{METHODS[SAME[name][0]].title}' in {SAME[name][1]}, where the "
        "claims on both are."
        for name in variants
        if name in SAME
    ]


def _flows(variants: list[str], results: Results) -> list[Row]:
    """Return each pair's bound at the end, and the share of negatives that score below their positive."""
    found = []
    for name in variants:
        for pair in results.of(method=name)[0]["flow"]:
            ends = [one["flow"][pair][-1] for one in results.of(method=name)]
            apart = [100 * one["separated"][pair][-1] for one in results.of(method=name)]
            found.append(Row(f"{METHODS[name].title}, {pair}: {METHODS[name].bound}", ends, "nats"))
            found.append(Row(f"{METHODS[name].title}, {pair}: negatives scored below their positive", apart, "%"))
    return found


def _experiment(name: str, title: str, methods: tuple[str, ...]) -> Experiment:
    few = at_reduced_scale(replace(CPU, methods=methods, counts=(4000, *CPU.counts[1:]), epochs=4))
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
