"""What the trials of a row found, as tables to judge by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from infoflow.plane import Plane
from infoflow.plane.compression import compression
from infoflow.plane.labels import label
from infoflow.plane.sweeps import sensitivity
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.information_plane.curves import SIDES, geometry_of, plane_of
from infoflow_reproductions.information_plane.readers import estimator_of
from infoflow_reproductions.information_plane.variant import Recipe

OUTPUT = "output"

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

    def shares(self, network: str, layer: str, estimator: str | None = None, until: float = math.inf) -> list[float]:
        """For each seed, how much of I(X;T)'s peak is lost at the end, or at the last snapshot until an epoch."""
        nats = self.nats(network, layer, estimator).loc[:until]
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

    def correlation(self, network: str, layer: str, estimator: str | None = None) -> tuple[float, int]:
        """Over seeds, of the share of the peak that is lost with the test accuracy at the end (NaN: nothing varies)."""
        shares = np.array(self.shares(network, layer, estimator))
        accuracy = self.metric(network, "test_accuracy").iloc[-1].to_numpy()
        if len(shares) < 3 or shares.std() == 0 or accuracy.std() == 0:
            return float("nan"), len(shares)
        return float(np.corrcoef(shares, accuracy)[0, 1]), len(shares)


def label_of(text: str) -> str:
    """An estimator's name in the plane's table."""
    return label(estimator_of(text, {}))
