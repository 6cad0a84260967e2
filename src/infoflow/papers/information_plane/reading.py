"""What the trials of a row found, as tables to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pandas as pd

from infoflow.papers.findings import Claim
from infoflow.papers.information_plane.curves import SIDES, geometry_of, plane_of
from infoflow.papers.information_plane.readers import estimator_of
from infoflow.papers.information_plane.variant import Recipe
from infoflow.papers.trial import Results
from infoflow.plane import Plane
from infoflow.plane.compression import COMPRESSES, DOES_NOT, compression
from infoflow.plane.labels import label
from infoflow.plane.sweeps import DEPENDS, NEVER, SURVIVES, sensitivity

OUTPUT = "output"

STANDS = ": whether layers compress survives "
"""Between the network and the setting in a claim of `Reading.survival`; the page of all rows counts by it."""

LEARNS = 0.05
"""By how much of its first value the training loss has to fall, for a verdict on what layers do in training."""


class Reading:
    """The plane, the verdicts on compression and their sensitivity, from the curves of all trials.

    `estimators` are labels in the plane, where those aren't the recipe's.
    """

    def __init__(self, recipe: Recipe, results: Results, estimators: Sequence[str] | None = None) -> None:
        self.recipe = recipe
        self.networks = list(dict.fromkeys(trial.partition("/")[0] for trial in results))
        self.found = {
            name: [results[trial] for trial in results if trial.startswith(f"{name}/")] for name in self.networks
        }
        self.estimators = [label_of(text) for text in recipe.estimators] if estimators is None else list(estimators)
        whole = plane_of(self.found)
        apart = whole.frame["probe"].isin(SIDES)
        self.plane = Plane(whole.frame[~apart], whole.metrics, whole.provenance)
        self.sides = whole.frame[apart]
        """The rows of training and test inputs by themselves."""

    @cached_property
    def compression(self) -> pd.DataFrame:
        """`infoflow.plane.compression` of everything."""
        return compression(self.plane.frame)

    @cached_property
    def sensitivity(self) -> pd.DataFrame:
        """`infoflow.plane.sensitivity` of the recipe's rulers."""
        return sensitivity(self.plane, [ruler.sweep for ruler in self.recipe.rulers])

    @cached_property
    def geometry(self) -> pd.DataFrame:
        """How the activations lie, means over seeds."""
        return pd.concat([geometry_of(name, found) for name, found in self.found.items()], ignore_index=True)

    def has(self, *networks: str) -> bool:
        """Whether all of them were run (the smallest scale leaves some out)."""
        return set(networks) <= set(self.networks)

    def first(self, network: str) -> str:
        """The first of the recipe's estimators that the network was measured with."""
        rows = self.plane.frame
        known = rows.loc[rows["network"] == network, "estimator"].unique()
        return next((one for one in self.estimators if one in known), str(known[0]))

    @property
    def drawn(self) -> list[str]:
        """The estimators whose planes are worth a picture: the recipe's, and those of single variants."""
        swept = {label_of(text) for ruler in self.recipe.rulers for text in ruler.texts} - {*self.estimators}
        return [one for one in self.plane.estimators if one not in swept]

    def layers(self, network: str) -> list[str]:
        """The network's layers by depth."""
        rows = self.plane.frame[self.plane.frame["network"] == network].sort_values("depth", kind="stable")
        return [str(layer) for layer in rows["layer"].unique()]

    def hidden(self, network: str) -> list[str]:
        """All but the output."""
        return [layer for layer in self.layers(network) if layer != OUTPUT]

    def nats(self, network: str, layer: str, estimator: str | None = None, axis: str = "input") -> pd.DataFrame:
        """Epochs by seeds, nats."""
        frame = self.plane.frame
        rows = frame[
            (frame["network"] == network)
            & (frame["layer"] == layer)
            & (frame["estimator"] == (estimator or self.first(network)))
            & (frame["axis"] == axis)
        ]
        return rows.pivot(index="epoch", columns="seed", values="nats").sort_index()

    def metric(self, network: str, metric: str) -> pd.DataFrame:
        """Epochs by seeds."""
        rows = self.plane.metrics
        rows = rows[(rows["network"] == network) & (rows["metric"] == metric)]
        return rows.pivot(index="epoch", columns="seed", values="value").sort_index()

    def shares(self, network: str, layer: str, estimator: str | None = None) -> list[float]:
        """For each seed, how much of the peak of I(X;T) is lost at the end."""
        nats = self.nats(network, layer, estimator)
        peak = nats.max()
        return [float(1 - nats[seed].iloc[-1] / peak[seed]) if peak[seed] > 0 else 0.0 for seed in nats.columns]

    def verdicts(self, network: str, layers: Sequence[str], estimator: str | None = None) -> dict[str, str]:
        """Layer -> the verdict on its compression."""
        rows = self.compression
        rows = rows[(rows["network"] == network) & (rows["estimator"] == (estimator or self.first(network)))]
        known = dict(zip(rows["layer"], rows["verdict"], strict=True))
        return {layer: str(known[layer]) for layer in layers}

    def unlearned(self, network: str) -> list[int]:
        """The seeds whose training loss ends less than `LEARNS` of its first value below it."""
        loss = self.metric(network, "train_loss")
        return [int(seed) for seed in loss.columns if not loss[seed].iloc[-1] < (1 - LEARNS) * loss[seed].iloc[0]]

    def _kinds(self, network: str, layers: Sequence[str], estimator: str | None) -> set[str]:
        """The verdicts of these layers; of a single seed, or where one didn't learn, nothing is told."""
        if len(self.nats(network, layers[0], estimator).columns) < 2 or self.unlearned(network):
            return set()
        return set(self.verdicts(network, layers, estimator).values())

    def _evidence(self, network: str, layers: Sequence[str], estimator: str | None) -> str:
        rows = self.compression
        rows = rows[(rows["network"] == network) & (rows["estimator"] == (estimator or self.first(network)))]
        told = []
        for layer in layers:
            row = rows[rows["layer"] == layer].iloc[0]
            band = f" ({row['share_low']:.0%} to {row['share_high']:.0%})" if row["seeds"] > 1 else ""
            told.append(f"{layer} loses {row['share']:.0%}{band} of its peak: {row['verdict']}")
        return (
            f"{estimator or self.first(network)}, {int(rows['seeds'].max())} seed(s): {'; '.join(told)}"
            f"{self._but(network)}"
        )

    def _but(self, network: str) -> str:
        """What is to be said of seeds that didn't learn."""
        seeds = self.unlearned(network)
        return f"; but with seed {', '.join(map(str, seeds))} the network doesn't learn" if seeds else ""

    def compresses(
        self, text: str, network: str, layers: Sequence[str], estimator: str | None = None, *, published: bool = True
    ) -> Claim:
        """Holds where every layer "compresses"; doesn't where one "does not compress"; else the seeds can't tell.

        One seed never can; that holds of the others too.
        """
        found = self._kinds(network, layers, estimator)
        holds = True if found == {COMPRESSES} else False if DOES_NOT in found else None
        return Claim(text, holds, self._evidence(network, layers, estimator), published)

    def some_compress(
        self, text: str, network: str, layers: Sequence[str], estimator: str | None = None, *, published: bool = True
    ) -> Claim:
        """Holds where a layer "compresses"; doesn't where all "do not compress"; else the seeds can't tell."""
        found = self._kinds(network, layers, estimator)
        holds = True if COMPRESSES in found else False if found == {DOES_NOT} else None
        return Claim(text, holds, self._evidence(network, layers, estimator), published)

    def keeps(
        self, text: str, network: str, layers: Sequence[str], estimator: str | None = None, *, published: bool = True
    ) -> Claim:
        """Holds where every layer "does not compress"; doesn't where one "compresses"; else the seeds can't tell."""
        found = self._kinds(network, layers, estimator)
        holds = True if found == {DOES_NOT} else False if COMPRESSES in found else None
        return Claim(text, holds, self._evidence(network, layers, estimator), published)

    def rises(self, text: str, network: str, layer: str, estimator: str | None = None, axis: str = "label") -> Claim:
        """Whether the last value of a layer is surely above its first."""
        nats = self.nats(network, layer, estimator, axis)
        claim = Claim.above(
            text, [float(nats[seed].iloc[-1] - nats[seed].iloc[0]) for seed in nats.columns], unit="nats"
        )
        if not self.unlearned(network):
            return claim
        return replace(claim, holds=None, evidence=claim.evidence + self._but(network))

    def survival(self) -> list[Claim]:
        """For each network and ruler: does the verdict of every layer that can be judged survive the setting?"""
        claims: list[Claim] = []
        if not self.recipe.rulers:
            return claims
        for (network, sweep), rows in self.sensitivity.groupby(["network", "sweep"], sort=False):
            verdicts = dict(zip(rows["layer"], rows["verdict"], strict=True))
            kinds = set(verdicts.values())
            firm = {SURVIVES, NEVER}
            holds = False if DEPENDS in kinds else True if kinds <= firm and kinds else None
            ruler = next(one for one in self.recipe.rulers if one.sweep.name == sweep)
            claims.append(
                Claim(
                    f"{network}{STANDS}{sweep} over {ruler.sweep.decades:.1f} decades",
                    holds,
                    "; ".join(f"{layer}: {verdict}" for layer, verdict in verdicts.items()),
                    published=False,
                )
            )
        return claims

    def agreement(self) -> list[Claim]:
        """For each network: is each layer's verdict the same on training inputs as on test inputs?"""
        claims: list[Claim] = []
        if self.sides.empty:
            return claims
        table = compression(self.sides)
        for (network, estimator), rows in table.groupby(["network", "estimator"], sort=False):
            pairs = {
                str(layer): tuple(part.set_index("probe")["verdict"].reindex(list(SIDES)))
                for layer, part in rows.sort_values("depth").groupby("layer", sort=False)
            }
            firm = {layer: pair for layer, pair in pairs.items() if {*pair} <= {COMPRESSES, DOES_NOT}}
            differing = [layer for layer, (train, test) in firm.items() if train != test]
            seeds, n = int(rows["seeds"].max()), int(self.sides.loc[self.sides["network"] == network, "n"].max())
            claims.append(
                Claim(
                    f"{network}: whether layers compress is the same on training and on test inputs",
                    None if seeds < 2 else False if differing else True if len(firm) == len(pairs) else None,
                    f"{estimator}, {seeds} seed(s), {n} inputs of each: "
                    + "; ".join(f"{layer}: {_one_or_both(*pair)}" for layer, pair in pairs.items()),
                    published=False,
                )
            )
        return claims

    def correlation(self, network: str, layer: str, estimator: str | None = None) -> tuple[float, int]:
        """Over seeds, of the share of the peak that is lost with the test accuracy at the end (NaN: nothing varies)."""
        shares = np.array(self.shares(network, layer, estimator))
        accuracy = self.metric(network, "test_accuracy").iloc[-1].to_numpy()
        if len(shares) < 3 or shares.std() == 0 or accuracy.std() == 0:
            return float("nan"), len(shares)
        return float(np.corrcoef(shares, accuracy)[0, 1]), len(shares)


def _one_or_both(train: str, test: str) -> str:
    return f"{train} on both" if train == test else f"{train} on training inputs, {test} on test inputs"


def label_of(text: str) -> str:
    """An estimator's name in the plane's table."""
    return label(estimator_of(text, {}))
