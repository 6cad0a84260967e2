"""What a comparison of losses trains: the runs at the paper's learning rate and λ, and those of the controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infoflow.core.checks import choice
from infoflow_reproductions.milc.classifier import Training

AT_PAPERS = "at the paper's learning rate and λ"
"""Begin of claims on the runs whose batch size, epochs, images and network need not be those of the paper."""

PLAIN, AUGMENTED, DECAYED, RAW = "plain", "augmented", "decayed", "not standardized"
RIVALS = ("lsr", "cp", "cp-weighted", "lc", "lc-hard", "la", "pc", "ncmi")


@dataclass(frozen=True)
class Recipe:
    """The losses of a comparison and how they are trained; compared runs take the same number of steps.

    Parameters
    ----------
    base
        The published run of mutual information learning with the first network, from which the others are varied.
    networks
        Names of the networks.
    control_size
        Training images of the controls, which leave `held_out` others.
    held_out
        Images on which the controls' settings are chosen.
    seeds
        Number of seeds.
    multiples
        Factors on the learning rate in the controls, of cross-entropy and mutual information alike.
    weights
        Other values of λ in the controls, each at every learning rate.
    rivals
        Other losses of the comparison.
    regimes
        Further controls, of cross-entropy and mutual information alone.
    regime_multiples
        Factors on the learning rate in those.
    weight_decay
        Weight decay of the regime "decayed".
    smaller
        What is smaller than in the paper, if anything; the figures are not compared with the published ones then.
    tolerance
        Largest difference from a published accuracy that counts as reproduced.
    """

    base: Training
    networks: tuple[str, ...]
    control_size: int
    held_out: int
    seeds: int = 3
    multiples: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    weights: tuple[float, ...] = (0.5, 5.0)
    rivals: tuple[str, ...] = RIVALS
    regimes: tuple[str, ...] = (AUGMENTED, DECAYED)
    regime_multiples: tuple[float, ...] = (1.0, 10.0)
    weight_decay: float = 5e-4
    smaller: str = ""
    tolerance: float = 0.01

    def published(self, network: str) -> dict[str, Training]:
        """Return the runs at the paper's learning rate and λ.

        Parameters
        ----------
        network
            Name of the network.

        Returns
        -------
        dict
            Settings by loss.
        """
        # Where the controls have as many training images, one run serves both.
        held_out = self.held_out if self.base.size == self.control_size else 0
        mil = replace(self.base, network=network, held_out=held_out)
        return {**{loss: replace(mil, loss=loss, weight=0.0) for loss in ("ce", *self.rivals)}, "mil": mil}

    def controls(self, network: str) -> dict[tuple[str, str], list[Training]]:
        """Return the runs among which held-out images choose.

        Parameters
        ----------
        network
            Name of the network.

        Returns
        -------
        dict
            By regime and loss: both at the same learning rates, mutual information also with each λ at each of them.
        """
        mil = replace(self.base, network=network, size=self.control_size, held_out=self.held_out)
        changes: dict[str, dict[str, Any]] = {
            PLAIN: {},
            AUGMENTED: {"augment": True},
            DECAYED: {"weight_decay": self.weight_decay},
            RAW: {"standardized": False},
        }
        found = {}
        for regime in (PLAIN, *self.regimes):
            multiples = self.multiples if regime == PLAIN else self.regime_multiples
            both = self._at(mil, multiples, changes[choice(regime, "regime", changes)])
            found[regime, "ce"] = [replace(each, loss="ce", weight=0.0) for each in both]
            found[regime, "mil"] = both
        for weight in self.weights:
            found[PLAIN, "mil"] += self._at(replace(mil, weight=weight), self.multiples, {})
        return found

    def _at(self, base: Training, multiples: Sequence[float], changes: Mapping[str, Any]) -> list[Training]:
        rates = [float(f"{base.learning_rate * multiple:.6g}") for multiple in multiples]
        return [replace(base, learning_rate=rate, **changes) for rate in rates]

    def trainings(self) -> list[Training]:
        """Return every run once.

        Returns
        -------
        list of Training
            Settings, network by network.
        """
        every = [
            training
            for network in self.networks
            for group in (self.published(network).values(), *self.controls(network).values())
            for training in group
        ]
        return list(dict.fromkeys(every))
