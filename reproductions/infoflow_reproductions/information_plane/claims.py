"""Claims on compression and on rising information, and the reason why a published one differs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from infoflow.core.estimate import NATS_PER_BIT
from infoflow.plane.compression import COMPRESSES, DOES_NOT, SATURATED, THRESHOLD, compression
from infoflow.plane.sweeps import DEPENDS, NEVER, SURVIVES
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.seeds import seed_count
from infoflow_reproductions.information_plane import soundness
from infoflow_reproductions.information_plane.curves import SIDES
from infoflow_reproductions.information_plane.layer_estimators import label_of
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import OUTPUT

STANDS = ": compression verdicts do not depend on "
"""Between the network and the setting in a claim of `survival`; the page of all rows counts by it."""

Rule = Callable[[Reading, str], Claim]
"""Judges a claim on one network."""

Rules = Callable[[Reading], Iterable[Claim]]
"""Makes the claims of a row, or a part of them."""


def on(network: str, *rules: Rule) -> Rules:
    """Claims on this network, where it was run."""
    return lambda reading: [rule(reading, network) for rule in rules if reading.has(network)]


def on_each(*rules: Rule, where: Callable[[str], bool] = lambda _: True) -> Rules:
    """Claims on each network whose name fulfills a condition."""
    return lambda reading: [rule(reading, network) for network in reading.networks if where(network) for rule in rules]


@dataclass(frozen=True)
class Compression:
    """A claim that all, some or none of a network's layers compress.

    It is judged by `soundness.judged`: layers that are saturated, or whose estimates break I(T;Y) ≤ I(X;T) at the end,
    are left out and named. With a single seed, and if the network doesn't learn with some seed, it is inconclusive;
    with fewer than four seeds it can't fail.
    """

    expected: Literal["all", "some", "none"]
    text: str
    """{estimator} and {layer} (the last hidden one) are filled in."""
    layers: Literal["hidden", "output", "every"] = "hidden"
    by: str = ""
    """The estimator; the paper's first one when empty."""
    published: bool = True
    after_fitting: bool = False
    """Whether only snapshots count from when I(T;Y) of the layer has reached 95 % of its greatest value."""

    def __call__(self, reading: Reading, network: str) -> Claim:
        """Judge the claim; if it differs, the evidence lists by which other estimators it would hold."""
        used = label_of(self.by) if self.by else reading.first(network)
        layers = {"hidden": reading.hidden, "output": lambda _: [OUTPUT], "every": reading.layers}[self.layers](network)
        text = f"{network}: {self.text.format(estimator=used, layer=layers[-1])}"
        holds, remark = self._judged(reading, network, layers, used)
        evidence = _evidence(reading, network, layers, used, after_fitting=self.after_fitting)
        evidence += f"; {remark}" if remark else ""
        seeds = min(len(reading.nats(network, layer, used).columns) for layer in layers)
        claim = Claim(text, holds, evidence, self.published, seeds=seeds)
        return explained(reading, claim, network, used, lambda other: self._judged(reading, network, layers, other)[0])

    def _judged(self, reading: Reading, network: str, layers: Sequence[str], estimator: str) -> tuple[bool | None, str]:
        seeds = min(len(reading.nats(network, layer, estimator).columns) for layer in layers)
        if seeds < 2 or reading.unlearned(network):
            return None, ""
        verdicts = reading.verdicts(network, layers, estimator, after_fitting=self.after_fitting)
        return soundness.judged(self.expected, verdicts, reading.contradictions(network, layers, estimator))


@dataclass(frozen=True)
class Rises:
    """A claim that the last value of the last hidden layer (or of the output, where that is all) is above its first.

    It is inconclusive if half of the seeds start at a ceiling, where an estimate is only a lower bound, or if the
    layer's estimates break I(T;Y) ≤ I(X;T) at the end.
    """

    text: str
    """{layer} is filled in."""
    axis: Literal["input", "label"] = "label"
    layer: str = ""
    """The layer, if it is another one."""
    at_first: bool = False
    """Whether the peak counts in place of the last value, if it is above the first by more than 5 % of it."""

    def __call__(self, reading: Reading, network: str) -> Claim:
        """Judge the claim; if it differs, the evidence lists by which other estimators it would hold."""
        used, layer = reading.first(network), self.layer or (reading.hidden(network) or [OUTPUT])[-1]
        claim = self._judged(reading, network, layer, used)
        return explained(
            reading, claim, network, used, lambda other: self._judged(reading, network, layer, other).holds
        )

    def _judged(self, reading: Reading, network: str, layer: str, estimator: str) -> Claim:
        text = f"{network}: {self.text.format(layer=layer)}"
        nats = reading.nats(network, layer, estimator, self.axis)
        if nats.empty:
            return Claim(text, None, f"{estimator} does not measure {layer}")
        last = (1 - THRESHOLD) * nats.max() if self.at_first else nats.iloc[-1]
        claim = Claim.above(text, [float(last[seed] - nats[seed].iloc[0]) for seed in nats.columns], unit="nats")
        if reading.unlearned(network):
            return replace(claim, holds=None, evidence=claim.evidence + _unlearned(reading, network))
        rows = reading.rows(network, layer, estimator, self.axis)
        if rows.loc[rows["epoch"] == nats.index[0], "saturated"].mean() >= 0.5:
            claim = replace(claim, holds=None, evidence=f"{claim.evidence}; saturated at the start")
        return supported(reading, claim, network, [layer], estimator)


def falls_with_depth(reading: Reading, network: str) -> Claim:
    """Judge whether I(X;T) at the end falls from each layer to the next."""
    layers = reading.layers(network)
    ends = [reading.nats(network, layer).iloc[-1] / NATS_PER_BIT for layer in layers]
    curves = [[float(end[seed]) for end in ends] for seed in ends[0].index]
    return Claim.falling(f"{network}: I(X;T) at the end falls with the layer index", curves)


def below_the_label(reading: Reading, network: str) -> Claim:
    """Judge whether the last layer's I(X;T) ends below its I(T;Y), which no true values can."""
    x, y = (reading.nats(network, OUTPUT, axis=axis).iloc[-1] for axis in ("input", "label"))
    text = f"{network}: the last layer breaks data processing, I(X;T) < I(T;Y) at the end"
    return Claim.above(text, [float(label - value) for value, label in zip(x, y, strict=True)], unit="nats")


OVERFITS = 0.05
"""Part of the lowest test loss by which the last one must exceed it where a network overfits."""


def rise_of_loss(reading: Reading, network: str) -> list[float]:
    """By which part of its lowest value the test loss ends above it, for each seed."""
    loss = reading.metric(network, "test_loss")
    return [float(loss[seed].iloc[-1] / loss[seed].min() - 1) for seed in loss.columns]


def overfits(reading: Reading, network: str) -> Claim:
    """Judge whether a network overfits; papers state it as a setting, not as a result."""
    text = f"{network}: overfits, the test loss ends above its lowest value"
    return Claim.above(text, rise_of_loss(reading, network), OVERFITS, unit="of the lowest", published=False)


def supported(
    reading: Reading, claim: Claim, network: str, layers: Sequence[str], estimator: str | None = None
) -> Claim:
    """A claim that rests on the estimates of these layers: inconclusive if one of them breaks I(T;Y) ≤ I(X;T)."""
    broken = reading.contradictions(network, layers, estimator)
    if not broken:
        return claim
    return replace(
        claim, holds=None, evidence=f"{claim.evidence}; {soundness.CONTRADICT}; {soundness.left_out(broken)}"
    )


def explained(reading: Reading, claim: Claim, network: str, used: str, judge: Callable[[str], bool | None]) -> Claim:
    """A published claim that differs, with what `judge` finds by the network's other estimators and settings.

    All of them measure the same activations, so they show whether the claim depends on the estimator.
    """
    if claim.holds is not False or not claim.published:
        return claim
    rows = reading.plane.frame
    others = [one for one in rows.loc[rows["network"] == network, "estimator"].unique() if one != used]
    verdicts = {one: judge(one) for one in others}
    holding = [one for one, holds in verdicts.items() if holds]
    differing = sum(holds is False for holds in verdicts.values())
    of = f"{differing} of {len(others)} other estimators"
    if holding:
        why = f"depends on the estimator: it holds with {', '.join(holding)} and fails with {of}"
    elif differing:
        open_ones = len(others) - differing
        left = f"; {open_ones} {'is' if open_ones == 1 else 'are'} inconclusive" if open_ones else ""
        why = f"holds with no other estimator: it also fails with {of}{left}"
    elif others:
        why = f"inconclusive with all {len(others)} other estimators"
    else:
        why = "no other estimator was run"
    return replace(claim, evidence=f"{claim.evidence}. Why: {why}")


def by_estimator(reading: Reading, network: str, judged: Callable[[str], Claim]) -> Claim:
    """The claim by the network's first estimator and, where it differs, what the others find."""
    used = reading.first(network)
    return explained(reading, judged(used), network, used, lambda other: judged(other).holds)


def alike(pairs: Collection[tuple[str, str]]) -> bool | None:
    """Whether two verdicts on each layer are the same; None if one of them is inconclusive and no others differ."""
    firm = [pair for pair in pairs if {*pair} <= {COMPRESSES, DOES_NOT}]
    if any(one != other for one, other in firm):
        return False
    return True if len(firm) == len(pairs) else None


def survival(reading: Reading) -> list[Claim]:
    """For each network and sweep: is the verdict of every layer that can be judged the same at every setting?"""
    claims: list[Claim] = []
    if not reading.recipe.sweeps:
        return claims
    decades = {sweep.sweep.name: sweep.sweep.decades for sweep in reversed(reading.recipe.sweeps)}
    for (network, sweep), rows in reading.sensitivity.groupby(["network", "sweep"], sort=False):
        verdicts = dict(zip(rows["layer"], rows["verdict"], strict=True))
        kinds = set(verdicts.values())
        holds = False if DEPENDS in kinds else True if kinds <= {SURVIVES, NEVER} and kinds else None
        text = f"{network}{STANDS}{sweep} over {decades[str(sweep)]:.1f} decades"
        claims.append(Claim(text, holds, listed(verdicts), published=False))
    return claims


def at_the_ceiling(reading: Reading) -> list[Claim]:
    """For each network: do layers that the paper's estimator saturates compress by one that has no ceiling?"""
    claims: list[Claim] = []
    rows = reading.compression
    for network in reading.networks:
        known = set(rows.loc[rows["network"] == network, "estimator"])
        verdicts = reading.verdicts(network, reading.layers(network))
        full = [layer for layer, verdict in verdicts.items() if verdict == SATURATED]
        if not full or reading.unlimited not in known:
            continue
        found = reading.verdicts(network, full, reading.unlimited)
        several = min(len(reading.nats(network, layer).columns) for layer in full) > 1
        holds = False if COMPRESSES in found.values() else True if {*found.values()} == {DOES_NOT} else None
        text = f"{network}: layers at the ceiling of {reading.first(network)} do not compress with {reading.unlimited}"
        claims.append(Claim(text, holds if several else None, listed(found), published=False))
    return claims


def agreement(reading: Reading) -> list[Claim]:
    """For each network: is each layer's verdict the same on training inputs as on test inputs?"""
    claims: list[Claim] = []
    if reading.sides.empty:
        return claims
    table = compression(reading.sides)
    for (network, estimator), rows in table.groupby(["network", "estimator"], sort=False):
        pairs = {str(layer): _both(part) for layer, part in rows.sort_values("depth").groupby("layer", sort=False)}
        seeds, n = int(rows["seeds"].max()), int(reading.sides.loc[reading.sides["network"] == network, "n"].max())
        found = listed({layer: _one_or_both(*pair) for layer, pair in pairs.items()})
        claims.append(
            Claim(
                f"{network}: compression verdicts are the same on training and on test inputs",
                None if seeds < 2 else alike(pairs.values()),
                f"{estimator}, {seed_count(seeds)}, {n} inputs of each: {found}",
                published=False,
            )
        )
    return claims


def listed(found: dict[str, str]) -> str:
    """What was found for each layer or network, as a part of a sentence."""
    return "; ".join(f"{name}: {value}" for name, value in found.items())


def _evidence(
    reading: Reading, network: str, layers: Sequence[str], estimator: str, *, after_fitting: bool = False
) -> str:
    rows = reading.judged(network, estimator, after_fitting=after_fitting)
    parts = []
    for layer in layers:
        row = rows[rows["layer"] == layer].iloc[0]
        band = f" ({row['share_low']:.0%} to {row['share_high']:.0%})" if row["seeds"] > 1 else ""
        parts.append(f"{layer} loses {row['share']:.0%}{band} of its peak: {row['verdict']}")
    return f"{estimator}, {seed_count(int(rows['seeds'].max()))}: {'; '.join(parts)}{_unlearned(reading, network)}"


def _unlearned(reading: Reading, network: str) -> str:
    seeds = reading.unlearned(network)
    return f"; the network does not learn with seed {', '.join(map(str, seeds))}" if seeds else ""


def _both(rows: pd.DataFrame) -> tuple[str, str]:
    train, test = rows.set_index("probe")["verdict"].reindex(list(SIDES))
    return str(train), str(test)


def _one_or_both(train: str, test: str) -> str:
    return f"{train} on both" if train == test else f"{train} on training inputs, {test} on test inputs"
