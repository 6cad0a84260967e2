"""One row of Table I as an experiment: its recipes, what the review says of it, and the rule of its verdict."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Findings, Row, Verdict
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.information_plane import figures
from infoflow_reproductions.information_plane.curves import NOT_ESTIMATED
from infoflow_reproductions.information_plane.judging import agreement, survival
from infoflow_reproductions.information_plane.reading import LEARNS, Reading
from infoflow_reproductions.information_plane.tracing import trials
from infoflow_reproductions.information_plane.variant import Recipe

PAPER = "information-plane"


@dataclass(frozen=True)
class TableRow:
    """What the review says of one paper."""

    name: str
    """After the first author: also the experiment's name."""
    reference: str
    """Its number in the review."""
    paper: str
    review: str
    """What the review's Table I and text say that it shows."""
    settings_known: bool = True
    chosen: str = ""
    """What was chosen where settings are unpublished."""

    @property
    def title(self) -> str:
        """Of the experiment."""
        return f"Table I {self.reference}: {self.paper}"


def verdict(row: TableRow, verdicts: Sequence[str]) -> tuple[str, str]:
    """The row's verdict from those of its published claims, and a second one for what was chosen.

    - "settings unknown" where the paper doesn't tell them: then the second is what the chosen settings give;
    - "differs" where a claim differs,
    - "inconclusive" where one is inconclusive,
    - "reproduced" where all hold.

    >>> verdict(TableRow("a", "[0]", "A", ""), ["reproduced", "inconclusive"])
    ('inconclusive', '')
    >>> verdict(TableRow("a", "[0]", "A", "", settings_known=False), ["reproduced", "differs"])
    ('settings unknown', 'differs')
    """
    found = (
        Verdict.DIFFERS
        if Verdict.DIFFERS in verdicts
        else Verdict.REPRODUCED
        if verdicts and set(verdicts) == {str(Verdict.REPRODUCED)}
        else Verdict.INCONCLUSIVE
    )
    return (str(found), "") if row.settings_known else (str(Verdict.SETTINGS_UNKNOWN), str(found))


def experiment(
    row: TableRow,
    recipes: Mapping[str, Recipe],
    judge: Callable[[Reading], Sequence[Claim]],
    *,
    more: Callable[[Recipe], Sequence[Trial]] = lambda _: (),
    rows: Callable[[Reading], Sequence[Row]] = lambda _: (),
) -> Experiment:
    """The experiment of a row whose trials are `tracing.trace`; `judge` makes its claims from the reading.

    `more` trials, named NETWORK/..., return curves likewise.
    """

    def report(recipe: Recipe, results: Results) -> Findings:
        reading = Reading(recipe, results)
        claims = [*judge(reading), *survival(reading), *agreement(reading)]
        return Findings(
            [*rows(reading), *found_rows(reading)],
            claims,
            figures.pictures(reading),
            notes(row, recipe, recipes["full"], claims),
        )

    return Experiment(PAPER, row.name, row.title, recipes, lambda recipe: [*trials(recipe), *more(recipe)], report)


def found_rows(reading: Reading) -> list[Row]:
    """Each layer's last I(X;T) and I(T;Y) by the first estimator, and the accuracy, in bits."""
    made = []
    frame = reading.plane.frame
    for network in reading.networks:
        for layer in reading.layers(network):
            for axis in ("input", "label"):
                nats = reading.nats(network, layer, axis=axis)
                part = frame[(frame["axis"] == axis) & (frame["estimator"] == reading.first(network))]
                quantity = part["quantity"].iloc[0]
                if quantity != NOT_ESTIMATED:
                    what = f"{network}, {layer}: {quantity} at the end"
                    made.append(Row(what, [figures.bits(value) for value in nats.iloc[-1]], "bits"))
        accuracy = reading.metric(network, "test_accuracy")
        if len(accuracy):
            made.append(Row(f"{network}: test accuracy", [float(value) for value in accuracy.iloc[-1]]))
    return made


def notes(row: TableRow, recipe: Any, full: Any, claims: Sequence[Claim]) -> list[str]:
    """The review's verdict, ours, the rule, and how the settings differ from the published ones."""
    ours, chosen = verdict(row, [claim.verdict for claim in claims if claim.published])
    told = [
        f"The review: {row.review}",
        f"This row: {ours}{f' ({chosen}, as chosen)' if chosen else ''}. Rule: differs where a published claim "
        "differs, inconclusive where one is inconclusive, otherwise reproduced. Settings unknown where the "
        "paper tells too few of them. 'Why' tells whether a claim that differs would hold by the other estimators and "
        "settings that the same activations were measured with.",
        "A layer compresses where I(X;T) at the end lies more than 5 % below its peak in the whole 10–90 % band over "
        "seeds, and doesn't where the whole band lies within. Neither is told, nor whether I(T;Y) rises, of a network "
        f"whose training loss falls by less than {LEARNS:.0%} with some seed.",
    ]
    if row.chosen:
        told.append(f"Chosen, as unpublished: {row.chosen}")
    if recipe != full:
        told.append(f"Other scale than published: {'; '.join(_smaller(recipe, full))}.")
    return told


def _smaller(recipe: Any, full: Any) -> list[str]:
    told = []
    for part in dataclasses.fields(full):
        mine, wanted = getattr(recipe, part.name), getattr(full, part.name)
        if mine == wanted:
            continue
        if part.name == "variants":
            known = {variant.name: variant for variant in wanted}
            for variant in mine:
                other = known.get(variant.name)
                if other is None:
                    continue
                for field in dataclasses.fields(variant):
                    a, b = getattr(variant, field.name), getattr(other, field.name)
                    if a != b:
                        told.append(f"{variant.name}: {field.name} {a!r} for {b!r}")
            told += [f"without {name}" for name in known if name not in {variant.name for variant in mine}]
        elif part.name == "rulers":
            told.append("fewer settings swept")
        else:
            told.append(f"{part.name} {mine!r} for {wanted!r}")
    return told
