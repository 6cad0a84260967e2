"""The results of a row's trials as tables, which its claims are judged by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd

from infoflow.core.estimate import NATS_PER_BIT
from infoflow.plane import Plane
from infoflow.plane.compression import compression
from infoflow.plane.sweeps import sensitivity
from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.information_plane.curves import NOT_ESTIMATED, SIDES, geometry_of, plane_of
from infoflow_reproductions.information_plane.layer_estimators import label_of
from infoflow_reproductions.information_plane.recipe import OUTPUT, SettingSweep, Variant
from infoflow_reproductions.information_plane.soundness import contradicting

DECISION = label_of("decision-rule")
"""The entropy of the decision in the plane's table."""
FITTED = 0.95
"""Part of its greatest value in training at which I(T;Y) counts as fitted."""
LEARNS = 0.05
"""The training loss must fall by this part of its first value before a claim on the layers is judged."""


class Readable(Protocol):
    """What a reading needs of a recipe."""

    @property
    def variants(self) -> tuple[Variant, ...]: ...
    @property
    def sweeps(self) -> tuple[SettingSweep, ...]: ...
    @property
    def labels(self) -> Sequence[str]:
        """The paper's estimators as the plane's table names them."""

    @property
    def without_ceiling(self) -> str:
        """An estimator that has no ceiling; empty if there is none."""


class Reading:
    """The plane, the verdicts on compression and their sensitivity, from the curves of all trials."""

    def __init__(self, recipe: Readable, results: Results) -> None:
        self.recipe = recipe
        self.networks = list(dict.fromkeys(trial.partition("/")[0] for trial in results))
        self.found = {
            name: [results[trial] for trial in results if trial.startswith(f"{name}/")] for name in self.networks
        }
        whole = plane_of(self.found)
        apart = whole.frame["probe"].isin(SIDES)
        self.plane = Plane(whole.frame[~apart], whole.metrics, whole.provenance)
        self.sides = whole.frame[apart]
        """The rows of training inputs alone and of test inputs alone."""

    @cached_property
    def compression(self) -> pd.DataFrame:
        """`infoflow.plane.compression` of everything."""
        return compression(self.plane.frame)

    @cached_property
    def sensitivity(self) -> pd.DataFrame:
        """`infoflow.plane.sensitivity` of the recipe's sweeps."""
        return sensitivity(self.plane, [sweep.sweep for sweep in self.recipe.sweeps])

    @cached_property
    def geometry(self) -> pd.DataFrame:
        """Measures of the activations' geometry."""
        return pd.concat([geometry_of(name, found) for name, found in self.found.items()], ignore_index=True)

    def has(self, *networks: str) -> bool:
        """Whether all of them were run (the smallest scale leaves some out)."""
        return set(networks) <= set(self.networks)

    def variant(self, network: str) -> Variant:
        """The settings of a network."""
        return next(variant for variant in self.recipe.variants if variant.name == network)

    def first(self, network: str) -> str:
        """The first of the paper's estimators that the network was measured with."""
        rows = self.plane.frame
        known = rows.loc[rows["network"] == network, "estimator"].unique()
        return next((one for one in self.recipe.labels if one in known), str(known[0]))

    @property
    def drawn(self) -> list[str]:
        """The estimators whose planes are drawn: all but those of sweeps alone and the one without a ceiling."""
        swept = {label_of(text) for sweep in self.recipe.sweeps for text in sweep.texts} - {*self.recipe.labels}
        return [one for one in self.plane.estimators if one not in {*swept, self.unlimited}]

    def has_plane(self, estimator: str) -> bool:
        """Whether the label axis of an estimator's plane holds results."""
        rows = self.plane.frame
        return not (rows.loc[rows["estimator"] == estimator, "quantity"] == NOT_ESTIMATED).any()

    @property
    def unlimited(self) -> str:
        """The name of the estimator without a ceiling in the plane's table; empty if there is none."""
        return label_of(self.recipe.without_ceiling) if self.recipe.without_ceiling else ""

    def is_geometric(self, estimator: str) -> bool:
        """Whether an estimator's I(X;T) of a deterministic layer measures geometry: with noise, bins or a kernel.

        A generative model of the inputs and MINE without noise do not.
        """
        without_noise = {label_of(text) for text in self.texts if text.startswith(("generative", "noisy-mine"))}
        rows = self.plane.frame
        noisy = rows.loc[(rows["estimator"] == estimator) & (rows["axis"] == "input"), "quantity"].str.contains("ε")
        return bool(noisy.any()) or estimator not in without_noise

    @property
    def texts(self) -> Sequence[str]:
        """The paper's estimators as the recipe has them; empty where the trials have others."""
        return getattr(self.recipe, "estimators", ())

    def truths(self, estimator: str) -> dict[str, str]:
        """Network -> the true value of what an estimator measures in it, of those that it measures.

        The decision is a function with finitely many values, also where the layer that it is made from has none.
        """
        rows = self.plane.frame
        known = rows.loc[rows["estimator"] == estimator, "network"].unique()
        if estimator == DECISION:
            return dict.fromkeys(map(str, known), "finite: H(L) of the decision L")
        return {str(name): next((str(one.get("truth", "")) for one in self.found[name]), "") for name in known}

    def layers(self, network: str) -> list[str]:
        """The network's layers by depth."""
        rows = self.plane.frame[self.plane.frame["network"] == network].sort_values("depth", kind="stable")
        return [str(layer) for layer in rows["layer"].unique()]

    def hidden(self, network: str) -> list[str]:
        """All layers except the output."""
        return [layer for layer in self.layers(network) if layer != OUTPUT]

    def rows(self, network: str, layer: str, estimator: str | None = None, axis: str = "input") -> pd.DataFrame:
        """The plane's rows of one layer, by the paper's first estimator unless another is named."""
        frame = self.plane.frame
        return frame[
            (frame["network"] == network)
            & (frame["layer"] == layer)
            & (frame["estimator"] == (estimator or self.first(network)))
            & (frame["axis"] == axis)
        ]

    def nats(self, network: str, layer: str, estimator: str | None = None, axis: str = "input") -> pd.DataFrame:
        """Epochs by seeds, nats."""
        rows = self.rows(network, layer, estimator, axis)
        return rows.pivot(index="epoch", columns="seed", values="nats").sort_index()

    def bits(
        self, network: str, layer: str, estimator: str | None = None, axis: str = "input", *, epoch: int | None = None
    ) -> list[float]:
        """The value of each seed at an epoch, the last one by default, in bits."""
        nats = self.nats(network, layer, estimator, axis)
        values = (nats.iloc[-1] if epoch is None else nats.loc[epoch]).to_numpy()
        return [float(value) / NATS_PER_BIT for value in values]

    def ceiling(self, network: str, layer: str, estimator: str | None = None, axis: str = "input") -> float:
        """The highest value that estimates of a layer can have at the end, in bits; infinite where none is known."""
        rows = self.rows(network, layer, estimator, axis)
        highest = rows[rows["epoch"] == rows["epoch"].max()]["ceiling"].fillna(math.inf).max()
        return float(highest) / NATS_PER_BIT

    def metric(self, network: str, metric: str) -> pd.DataFrame:
        """Epochs by seeds."""
        rows = self.plane.metrics
        rows = rows[(rows["network"] == network) & (rows["metric"] == metric)]
        return rows.pivot(index="epoch", columns="seed", values="value").sort_index()

    def shares(self, network: str, layer: str, estimator: str | None = None, until: float = math.inf) -> list[float]:
        """For each seed, the part of I(X;T)'s peak that is lost at the end, or at the last snapshot until an epoch."""
        nats = self.nats(network, layer, estimator).loc[:until]
        peak = nats.max()
        return [float(1 - nats[seed].iloc[-1] / peak[seed]) if peak[seed] > 0 else 0.0 for seed in nats.columns]

    def lost(self, network: str, layer: str, axis: str = "input") -> list[float]:
        """For each seed, how far the value at the end lies below its peak, in nats."""
        nats = self.nats(network, layer, axis=axis)
        return [float(nats[seed].max() - nats[seed].iloc[-1]) for seed in nats.columns]

    def judged(self, network: str, estimator: str, *, after_fitting: bool = False) -> pd.DataFrame:
        """The rows of `infoflow.plane.compression` of one network and estimator.

        With `after_fitting`, of the snapshots from the first one at which I(T;Y) of a layer has reached `FITTED` of its
        greatest value, in the mean over seeds.
        """
        if not after_fitting:
            rows = self.compression
            return rows[(rows["network"] == network) & (rows["estimator"] == estimator)]
        kept = []
        for layer in self.layers(network):
            label = self.nats(network, layer, estimator, "label").mean(axis=1)
            start = label.index[label >= FITTED * label.max()][0]
            kept += [
                rows[rows["epoch"] >= start]
                for rows in (self.rows(network, layer, estimator, axis) for axis in ("input", "label"))
            ]
        return compression(pd.concat(kept))

    def verdicts(
        self, network: str, layers: Sequence[str], estimator: str | None = None, *, after_fitting: bool = False
    ) -> dict[str, str]:
        """Layer -> the verdict on its compression; see `judged`."""
        rows = self.judged(network, estimator or self.first(network), after_fitting=after_fitting)
        known = dict(zip(rows["layer"], rows["verdict"], strict=True))
        return {layer: str(known[layer]) for layer in layers}

    def contradictions(self, network: str, layers: Sequence[str], estimator: str | None = None) -> dict[str, str]:
        """Layer -> both values, where the estimates at the end break I(T;Y) ≤ I(X;T)."""
        ends = {}
        for layer in layers:
            label = self.rows(network, layer, estimator, "label")
            if len(label) and label["quantity"].iloc[0] != NOT_ESTIMATED:
                x, y = (self.nats(network, layer, estimator, axis).iloc[-1].mean() for axis in ("input", "label"))
                ends[layer] = (float(x), float(y))
        return contradicting(ends)

    def unlearned(self, network: str) -> list[int]:
        """The seeds whose training loss ends less than `LEARNS` of its first value below it."""
        loss = self.metric(network, "train_loss")
        return [int(seed) for seed in loss.columns if not loss[seed].iloc[-1] < (1 - LEARNS) * loss[seed].iloc[0]]

    def correlation(self, network: str, layer: str, estimator: str | None = None) -> tuple[float, int]:
        """Correlation over seeds of the lost part of the peak with the final test accuracy, and the number of seeds.

        NaN if one of the two doesn't vary.
        """
        shares = np.array(self.shares(network, layer, estimator))
        accuracy = self.metric(network, "test_accuracy").iloc[-1].to_numpy()
        if len(shares) < 3 or shares.std() == 0 or accuracy.std() == 0:
            return float("nan"), len(shares)
        return float(np.corrcoef(shares, accuracy)[0, 1]), len(shares)
