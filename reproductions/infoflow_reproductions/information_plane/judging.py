"""Claims by the rules on compression, from what was read; and why one differs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import pandas as pd

from infoflow.plane.compression import COMPRESSES, DOES_NOT, THRESHOLD, compression
from infoflow.plane.sweeps import DEPENDS, NEVER, SURVIVES
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.information_plane.curves import SIDES
from infoflow_reproductions.information_plane.reading import Reading

STANDS = ": whether layers compress survives "
"""Between the network and the setting in a claim of `survival`; the page of all rows counts by it."""

_Rule = Callable[[set[str]], bool | None]


def compresses(
    reading: Reading,
    text: str,
    network: str,
    layers: Sequence[str],
    estimator: str | None = None,
    *,
    published: bool = True,
) -> Claim:
    """Holds where every layer "compresses"; doesn't where one "does not compress"; else the seeds can't tell.

    One seed never can; that holds of the others too. Where a published claim differs, the evidence says by which
    of the network's other estimators and settings it would hold.
    """
    return _judged(reading, text, network, layers, estimator, _all_compress, published)


def some_compress(
    reading: Reading, text: str, network: str, layers: Sequence[str], estimator: str | None = None
) -> Claim:
    """Holds where a layer "compresses"; doesn't where all "do not compress"; else the seeds can't tell."""
    return _judged(reading, text, network, layers, estimator, _some_compress)


def keeps(reading: Reading, text: str, network: str, layers: Sequence[str], estimator: str | None = None) -> Claim:
    """Holds where every layer "does not compress"; doesn't where one "compresses"; else the seeds can't tell."""
    return _judged(reading, text, network, layers, estimator, _none_compresses)


def _judged(
    reading: Reading,
    text: str,
    network: str,
    layers: Sequence[str],
    estimator: str | None,
    rule: _Rule,
    published: bool = True,
) -> Claim:
    used = estimator or reading.first(network)
    holds = rule(_kinds(reading, network, layers, used))
    claim = Claim(text, holds, _evidence(reading, network, layers, used), published)
    return explained(reading, claim, network, used, lambda other: rule(_kinds(reading, network, layers, other)))


def rises(
    reading: Reading,
    text: str,
    network: str,
    layer: str,
    estimator: str | None = None,
    axis: str = "label",
    *,
    at_first: bool = False,
) -> Claim:
    """Whether the last value of a layer is surely above its first; `at_first`: its peak, by more than 5 % of it.

    Not told where half of the seeds begin at a ceiling: the true value may be anything above.
    """
    used = estimator or reading.first(network)
    claim = _rising(reading, text, network, layer, used, axis, at_first)
    return explained(
        reading, claim, network, used, lambda other: _rising(reading, "", network, layer, other, axis, at_first).holds
    )


def _rising(reading: Reading, text: str, network: str, layer: str, estimator: str, axis: str, at_first: bool) -> Claim:
    nats = reading.nats(network, layer, estimator, axis)
    if nats.empty:
        return Claim(text, None, f"{estimator} doesn't measure {layer}")
    if at_first:
        gains = [float((1 - THRESHOLD) * nats[seed].max() - nats[seed].iloc[0]) for seed in nats.columns]
    else:
        gains = [float(nats[seed].iloc[-1] - nats[seed].iloc[0]) for seed in nats.columns]
    claim = Claim.above(text, gains, unit="nats")
    if reading.unlearned(network):
        return replace(claim, holds=None, evidence=claim.evidence + _but(reading, network))
    frame = reading.plane.frame
    begun = frame[
        (frame["network"] == network) & (frame["layer"] == layer) & (frame["estimator"] == estimator)
        & (frame["axis"] == axis) & (frame["epoch"] == nats.index[0])
    ]  # fmt: skip
    if claim.holds is False and begun["saturated"].mean() >= 0.5:
        return replace(claim, holds=None, evidence=f"{claim.evidence}; but it begins at its ceiling")
    return claim


def explained(reading: Reading, claim: Claim, network: str, used: str, judge: Callable[[str], bool | None]) -> Claim:
    """A published claim that differs, with what `judge` says by the network's other estimators and settings.

    They are all of one network's activations, so that they tell whether the ruler is why it differs.
    """
    if claim.holds is not False or not claim.published:
        return claim
    rows = reading.plane.frame
    others = [one for one in rows.loc[rows["network"] == network, "estimator"].unique() if one != used]
    verdicts = {one: judge(one) for one in others}
    holding = [one for one, holds in verdicts.items() if holds]
    differing = sum(holds is False for holds in verdicts.values())
    if holding:
        why = f"the ruler decides: of {len(others)} others it holds by {', '.join(holding)} and differs by {differing}"
    elif differing:
        why = f"not the ruler's doing: it differs by {differing} of {len(others)} others too, and holds by none"
    elif others:
        why = f"the {len(others)} other rulers can't tell"
    else:
        why = "there is no other ruler here"
    return replace(claim, evidence=f"{claim.evidence}. Why: {why}")


def alike(pairs: Collection[tuple[str, str]]) -> bool | None:
    """Whether two verdicts on each layer are the same; None where a layer has one that says neither."""
    firm = [pair for pair in pairs if {*pair} <= {COMPRESSES, DOES_NOT}]
    if any(one != other for one, other in firm):
        return False
    return True if len(firm) == len(pairs) else None


def survival(reading: Reading) -> list[Claim]:
    """For each network and ruler: does the verdict of every layer that can be judged survive the setting?"""
    claims: list[Claim] = []
    if not reading.recipe.rulers:
        return claims
    for (network, sweep), rows in reading.sensitivity.groupby(["network", "sweep"], sort=False):
        verdicts = dict(zip(rows["layer"], rows["verdict"], strict=True))
        kinds = set(verdicts.values())
        firm = {SURVIVES, NEVER}
        holds = False if DEPENDS in kinds else True if kinds <= firm and kinds else None
        ruler = next(one for one in reading.recipe.rulers if one.sweep.name == sweep)
        claims.append(
            Claim(
                f"{network}{STANDS}{sweep} over {ruler.sweep.decades:.1f} decades",
                holds,
                "; ".join(f"{layer}: {verdict}" for layer, verdict in verdicts.items()),
                published=False,
            )
        )
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
        claims.append(
            Claim(
                f"{network}: whether layers compress is the same on training and on test inputs",
                None if seeds < 2 else alike(pairs.values()),
                f"{estimator}, {seeds} seed(s), {n} inputs of each: "
                + "; ".join(f"{layer}: {_one_or_both(*pair)}" for layer, pair in pairs.items()),
                published=False,
            )
        )
    return claims


def _kinds(reading: Reading, network: str, layers: Sequence[str], estimator: str) -> set[str]:
    """The verdicts of these layers; of a single seed, or where one didn't learn, nothing is told."""
    seeds = min(len(reading.nats(network, layer, estimator).columns) for layer in layers)
    if seeds < 2 or reading.unlearned(network):
        return set()
    return set(reading.verdicts(network, layers, estimator).values())


def _evidence(reading: Reading, network: str, layers: Sequence[str], estimator: str) -> str:
    rows = reading.compression
    rows = rows[(rows["network"] == network) & (rows["estimator"] == estimator)]
    told = []
    for layer in layers:
        row = rows[rows["layer"] == layer].iloc[0]
        band = f" ({row['share_low']:.0%} to {row['share_high']:.0%})" if row["seeds"] > 1 else ""
        told.append(f"{layer} loses {row['share']:.0%}{band} of its peak: {row['verdict']}")
    return f"{estimator}, {int(rows['seeds'].max())} seed(s): {'; '.join(told)}{_but(reading, network)}"


def _but(reading: Reading, network: str) -> str:
    """What is to be said of seeds that didn't learn."""
    seeds = reading.unlearned(network)
    return f"; but with seed {', '.join(map(str, seeds))} the network doesn't learn" if seeds else ""


def _all_compress(verdicts: set[str]) -> bool | None:
    return True if verdicts == {COMPRESSES} else False if DOES_NOT in verdicts else None


def _some_compress(verdicts: set[str]) -> bool | None:
    return True if COMPRESSES in verdicts else False if verdicts == {DOES_NOT} else None


def _none_compresses(verdicts: set[str]) -> bool | None:
    return True if verdicts == {DOES_NOT} else False if COMPRESSES in verdicts else None


def _both(rows: pd.DataFrame) -> tuple[str, str]:
    train, test = rows.set_index("probe")["verdict"].reindex(list(SIDES))
    return str(train), str(test)


def _one_or_both(train: str, test: str) -> str:
    return f"{train} on both" if train == test else f"{train} on training inputs, {test} on test inputs"
