"""What profiles of one model have in common: points, quantities, labels and codes, fixed before the first pass."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from torch import nn

from infoflow.core import distributed
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Seed, validated
from infoflow.profiles.batches import read
from infoflow.profiles.labels import Codes, Labels, labeling
from infoflow.profiles.measuring import measure
from infoflow.profiles.points import points
from infoflow.profiles.quantities import Make, Unembedding, chosen
from infoflow.profiles.result import COLUMNS, Profile
from infoflow.profiles.survey import described, survey
from infoflow.profiles.unembedding import unembedding as found_unembedding

_NO_LABELS = (
    "The batches hold neither token ids nor labels, so nothing about labels is measured. Pass input_ids, or labels "
    "with the batches."
)

# Rows per code below which label information is mostly bias.
_PER_CODE = 100


class Profiler:
    """Measures a model repeatedly with the same points, quantities, labels, codes and references.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    batches
        Batches that can be run through repeatedly, as `infoflow.profile` takes them.
    labels
        Labels of tokens.
    layers
        Points of the network.
    quantities
        What is measured.
    codes
        Codes of the tokens; by default the most frequent tokens of the batches.
    max_codes
        Largest number of codes.
    seed
        Seed of references, samples and of shuffled labels.
    unembedding
        Function from activations (n, d) to logits, for the logit lens; that of a causal model of transformers is found.
    group : torch.distributed.ProcessGroup or None
        Processes that share the batches in turns.

    Raises
    ------
    InvalidArgument
        If the batches can be run through once only; `UnknownName` for an unknown layer, label or quantity.

    Examples
    --------
    >>> import torch
    >>> model = nn.Sequential(nn.Linear(4, 80), nn.ReLU(), nn.Linear(80, 3))
    >>> profiler = Profiler(model, [(torch.randn(300, 4), torch.arange(300) % 3)])
    >>> profiler.run().layers
    ['1']
    """

    @validated
    def __init__(
        self,
        model: nn.Module,
        batches: Iterable[Any],
        labels: Labels = ("current", "next"),
        layers: str | Sequence[str] = "auto",
        quantities: str | Sequence[str] | Mapping[str, Make] = "default",
        *,
        codes: Codes | None = None,
        max_codes: PositiveInt = 512,
        seed: Seed = 0,
        unembedding: Unembedding | None = None,
        group: distributed.Group = None,
    ) -> None:
        once = iter(batches) is batches
        if once and codes is None:
            raise InvalidArgument(
                "batches",
                "a list or a loader that can be run through twice, since tokens are counted first",
                got_text=f"an iterator ({type(batches).__name__})",
                remedy="Pass a list, or codes=... of an earlier profile.",
            )
        self.model, self.batches, self._group = model, batches, group
        self.points = points(model, layers)
        wanted = labeling(labels, codes)
        if once:
            self.survey = described(wanted, codes)
        else:
            self.survey = survey(read(batches, model), wanted, codes, max_codes=max_codes, per_code=_PER_CODE)
        self.codes = self.survey.codes
        self.labeling = labeling(labels, self.codes)
        lens = unembedding if unembedding is not None else found_unembedding(model)
        self.quantities = chosen(quantities, seed, self.survey, lens)
        self._seed = seed

    @property
    def settings(self) -> dict[str, Any]:
        """What profiles that compare have in common, as values that JSON can hold."""
        return {
            "layers": [point.name for point in self.points],
            "labels": [*self.labeling.names, *self.labeling.functions],
            "quantities": list(self.quantities),
            "codes": 0 if self.codes is None else self.codes.count,
            "seed": self._seed,
            "batches": self.survey.digest,
        }

    @validated
    def run(self, *, checkpoint: str | os.PathLike[str] | None = None, save_every: PositiveInt = 100) -> Profile:
        """Run the model as it is now on all batches, and return its profile.

        Parameters
        ----------
        checkpoint
            File to which what was accumulated is saved, and from which an interrupted pass continues; it is deleted at
            the end.
        save_every
            Batches between two savings.

        Returns
        -------
        Profile
            The table of this pass, with the codes of all.

        Raises
        ------
        InvalidArgument
            If there is no batch, a batch has a shape that does not fit, or the model cannot run on it.
        BrokenStore
            If the checkpoint is damaged.
        """
        meters = measure(
            self.model,
            read(self.batches, self.model),
            self.points,
            self.quantities,
            self.labeling,
            group=self._group,
            checkpoint=checkpoint,
            save_every=save_every,
            settings={name: value for name, value in self.settings.items() if name != "batches"},
        )
        known = self.survey.classes or self.survey.codes is not None
        rows = [
            (meter.point.name, depth, *row[:-1], row[-1] if known else (*row[-1], _NO_LABELS))
            for depth, meter in enumerate(meters)
            for row in meter.table()
        ]
        return Profile(pd.DataFrame(rows, columns=list(COLUMNS)), self.codes)
