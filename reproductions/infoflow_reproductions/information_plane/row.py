"""One row of Table I as an experiment: its recipes, what it shows by the review, and the rule of its verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row, Verdict
from infoflow_reproductions.harness.lists import Needs
from infoflow_reproductions.harness.row_claims import Figures
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.information_plane import figures, tracing
from infoflow_reproductions.information_plane.claims import Rules, agreement, at_the_ceiling, survival
from infoflow_reproductions.information_plane.curves import NOT_ESTIMATED
from infoflow_reproductions.information_plane.reading import LEARNS, Reading

# Settings whose value 0 stands for all, and the words for it.
_ZERO = {"size": "all", "probe_size": "all", "metrics_on": "all", "at_most": "no limit"}
# What the numbers of some settings count.
_COUNTED = {
    "size": "training samples",
    "probe_size": "inputs measured",
    "metrics_on": "samples for losses and accuracies",
    "at_most": "seeds at most",
    "pairs": "inputs for pairwise estimators",
}

PAPER = "information-plane"
UNLIKE = "Unlike the review's Table I and text: "
SMALLER = "Reduced scale: "
"""Begins the note on settings that are smaller than published."""


@dataclass(frozen=True)
class TableRow:
    """A paper of the table: what it shows by the review, and how it is reproduced."""

    name: str
    """After the first author: also the experiment's name."""
    reference: str
    """Its number in the review."""
    paper: str
    review: str
    """What it shows, by the review's Table I and text."""
    recipes: Mapping[str, Any]
    """Scale -> settings; a `Recipe`, unless `trials` takes another dataclass."""
    claims: Sequence[Rules]
    published: Callable[[Reading], Sequence[Row]] = lambda _: ()
    """Figures beside the published ones."""
    trials: Callable[[Any], Sequence[Trial]] = tracing.trials
    """Trials named NETWORK/..., which return curves."""
    settings_known: bool = True
    chosen: str = ""
    """What was chosen where settings are unpublished."""
    unlike: str = ""
    """What Table I or the text publishes and this row does otherwise at every scale."""
    unjudged: str = ""
    """Sentences of the review that no claim judges, with the reason."""
    places: Sequence[tuple[str, str]] = ()
    """Part of a claim's text and the section of its sentence; the first part that a text contains counts."""
    of_figures: Callable[[Figures], Sequence[Claim]] | None = None
    """Claims that follow from the figures that `report` returns."""
    remarks: Sequence[str] = ()
    needs: Needs = field(default_factory=dict)
    """What the lists of the recipe must hold."""

    @property
    def experiment(self) -> Experiment:
        """The row as an experiment."""
        title = f"Table I {self.reference}: {self.paper}"
        return Experiment(
            PAPER,
            self.name,
            title,
            self.recipes,
            self.trials,
            self.report,
            sentences=[*self.places, ("", f"Table I, row {self.reference}, and its text: {self.review}")],
            smaller=lambda recipe: "; ".join(_smaller(recipe, self.recipes["full"])),
            of_full=True,
            of_figures=self.of_figures,
            needs=self.needs,
        )

    def report(self, recipe: Any, results: Results) -> Findings:
        """Judge the claims and collect figures, pictures and notes."""
        reading = Reading(recipe, results)
        claims = [claim for rules in (*self.claims, survival, at_the_ceiling, agreement) for claim in rules(reading)]
        rows = [*self.published(reading), *found_rows(reading)]
        return Findings(rows, claims, figures.pictures(reading), [*self._notes(recipe, claims), *self.remarks])

    def _notes(self, recipe: Any, claims: Sequence[Claim]) -> list[str]:
        """The review's verdict, ours, the rule, and how the settings differ from the published ones."""
        ours, chosen = verdict([claim.verdict for claim in claims if claim.published], self.settings_known)
        notes = [
            f"The review: {self.review}",
            f"This row: {ours}{f' ({chosen} with the chosen settings)' if chosen else ''}. Rule: differs if a "
            f"published claim differs; otherwise {Verdict.INCONCLUSIVE} if one is {Verdict.INCONCLUSIVE}; otherwise "
            "reproduced. Settings unknown if the paper publishes too few of them. 'Why' states whether a claim that "
            "differs would hold with the other estimators and settings that measured the same activations.",
            "Compression is the decrease of I(X;T) from its peak to the end of training, relative to the peak. A layer "
            "compresses if the 10–90 % band over seeds is above 5 %, and does not compress if the band is at or below "
            "5 %; otherwise the verdict is 'varies by seed'. A layer is 'saturated' if the estimate ends at its "
            "ceiling in at least half of the seeds, and 'not fitted yet' if I(T;Y) rises by less than 5 % of its "
            "ceiling and ends below half of it. Compression and the rise of I(T;Y) are "
            f"not judged for a network whose training loss falls by less than {LEARNS:.0%} with some seed.",
        ]
        if self.chosen:
            notes.append(f"Not in the review, chosen here: {self.chosen}")
        if self.unlike:
            notes.append(f"{UNLIKE}{self.unlike}")
        if self.unjudged:
            notes.append(f"Not judged: {self.unjudged}")
        if recipe != self.recipes["full"]:
            notes.append(f"{SMALLER}{'; '.join(_smaller(recipe, self.recipes['full']))}.")
        return notes


def verdict(verdicts: Sequence[str], settings_known: bool = True) -> tuple[str, str]:
    """A row's verdict from those of its published claims, and a second one for what was chosen.

    - "settings unknown" if the paper doesn't publish them: then the second is what the chosen settings give;
    - "differs" if a claim differs,
    - "inconclusive" if one is inconclusive,
    - "reproduced" if all hold.

    >>> verdict(["reproduced", "reproduced"])
    ('reproduced', '')
    >>> verdict(["reproduced", "differs"], settings_known=False)
    ('settings unknown', 'differs')
    """
    found = (
        Verdict.DIFFERS
        if {str(Verdict.DIFFERS), str(Verdict.DIFFERS_REDUCED)} & {str(one) for one in verdicts}
        else Verdict.REPRODUCED
        if verdicts and set(verdicts) <= {str(Verdict.REPRODUCED), str(Verdict.REPRODUCED_REDUCED)}
        else Verdict.INCONCLUSIVE
    )
    return (str(found), "") if settings_known else (str(Verdict.SETTINGS_UNKNOWN), str(found))


def found_rows(reading: Reading) -> list[Row]:
    """Each layer's last I(X;T) and I(T;Y) by the first estimator, and the accuracy, in bits."""
    made = []
    for network in reading.networks:
        for layer in reading.layers(network):
            for axis in ("input", "label"):
                quantity = reading.rows(network, layer, axis=axis)["quantity"].iloc[0]
                if quantity != NOT_ESTIMATED:
                    what = f"{network}, {layer}: {quantity} at the end"
                    ceiling = reading.ceiling(network, layer, axis=axis)
                    made.append(Row(what, reading.bits(network, layer, axis=axis), "bits", ceiling=ceiling))
        accuracy = reading.metric(network, "test_accuracy")
        if len(accuracy):
            made.append(Row(f"{network}: test accuracy", [float(value) for value in accuracy.iloc[-1]]))
    return made


def _smaller(recipe: Any, full: Any) -> list[str]:
    """The settings that differ from the published ones, variant by variant."""
    parts = []
    for name, mine, published in _differing(recipe, full):
        if name == "variants":
            known = {variant.name: variant for variant in published}
            parts += [
                f"{variant.name}: {_setting(field, a, b)}"
                for variant in mine
                if variant.name in known
                for field, a, b in _differing(variant, known[variant.name])
            ]
            parts += [f"without {name}" for name in known if name not in {variant.name for variant in mine}]
            parts += [f"with {variant.name} ({_sizes(variant)})" for variant in mine if variant.name not in known]
        elif name == "sweeps":
            parts.append("fewer settings are swept")
        else:
            parts.append(_setting(name, mine, published))
    return parts


def _setting(name: str, mine: Any, published: Any) -> str:
    """How a setting differs, with a word for a number of 0 that stands for all."""
    here, there = (_ZERO[name] if value == 0 and name in _ZERO else _value(value) for value in (mine, published))
    return f"{_COUNTED.get(name, name.replace('_', ' '))} {here} instead of {there}"


def _sizes(variant: Any) -> str:
    """How large the training of a variant is that the full recipe does not have."""
    sizes = ((name, getattr(variant, name)) for name in ("epochs", "size", "probe_size"))
    return ", ".join(f"{_COUNTED.get(name, name)} {_value(value) if value else 'all'}" for name, value in sizes)


def _value(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(_value, value)) or "none"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _differing(one: Any, other: Any) -> list[tuple[str, Any, Any]]:
    values = [(field.name, getattr(one, field.name), getattr(other, field.name)) for field in dataclasses.fields(one)]
    return [value for value in values if value[1] != value[2]]
