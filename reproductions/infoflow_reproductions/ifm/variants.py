"""Variants of the flow alone: whom a location is told from, by which bound and critic, and what saturates."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.ifm.comparison import Recipe, differences, rows, sanity, steady, trials
from infoflow_reproductions.ifm.figures import accuracy_curves, flow_curves, plane
from infoflow_reproductions.ifm.methods import METHODS
from infoflow_reproductions.ifm.table3 import CPU, SMOKE

NEGATIVES = ("baseline", "random", "same-location", "same-image", "same-class", "hard")
CRITICS = (
    "baseline", "js-published", "js-separable", "infonce-separable", "infonce-bounded", "nwj-published", "nwj-bounded",
    "hellinger-published",
)  # fmt: skip
SATURATION = ("baseline", "plain", "noise-.5", "noise-2", "from-input", "to-the-end", "weight-4")

# A bound this close to its ceiling has little gradient left.
_SATURATED = 0.9


def report(recipe: Recipe, results: Results) -> Findings:
    """Accuracies of the last epoch and of the oracle; how near each bound came to its ceiling; what helped."""
    every = recipe
    recipe, diverged = steady(every, results)
    variants = [name for name in recipe.methods if METHODS[name].flow]
    claims = [sanity(recipe, results), *diverged]
    for name in variants:
        gain = differences(results, name, "baseline", "digit_best_digit")
        title = METHODS[name].title
        claims.append(
            Claim.above(
                f"{title}: knows the digit better than cross-entropy alone", gain, unit="points", published=False
            )
        )
        nearest = [max(one["saturation"][pair][-1] for pair in one["saturation"]) for one in results.of(method=name)]
        if any(nearest):
            claims.append(
                Claim.above(
                    f"{title}: the fullest pair's bound is above {_SATURATED:.0%} of its ceiling at the end",
                    nearest,
                    _SATURATED,
                    published=False,
                )
            )
    return Findings(
        [*rows(every, results, {}, ("best_digit", "last")), *_flows(variants, results)],
        claims,
        [
            plane(results, recipe.methods, ("best_digit", "last")),
            accuracy_curves(results, recipe.methods),
            flow_curves(results, variants),
        ],
        [
            "The flow alone, without the exchange of statistics; everything else as in table3.",
            *([f"Smaller than published: {recipe.smaller}."] if recipe.smaller else []),
        ],
    )


def _flows(variants: list[str], results: Results) -> list[Row]:
    """Each pair's bound at the end, and the share of negatives that are told from their positive."""
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
        smaller=CPU.smaller.replace("8000", "4000").replace("5 epochs", "4 epochs"),
    )
    return Experiment(
        "ifm",
        name,
        title,
        {"smoke": replace(SMOKE, methods=methods[:3]), "cpu": few, "full": Recipe(methods)},
        trials,
        report,
    )


VARIANTS = (
    _experiment("negatives", "Information flow: whom a location's features are told from", NEGATIVES),
    _experiment("critics", "Information flow: which bound and critic", CRITICS),
    _experiment("saturation", "Information flow: what keeps the bound from its ceiling", SATURATION),
)
