"""What profiles of one model have in common: points, quantities, labels and codes, fixed before the first pass."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from torch import nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Seed, validated
from infoflow.profiles.batches import read
from infoflow.profiles.labels import Codes, Labels, frequent, labeling
from infoflow.profiles.measuring import Meter, measure
from infoflow.profiles.points import points
from infoflow.profiles.quantities import Make, chosen
from infoflow.profiles.result import COLUMNS, Profile

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
        Seed of references and of shuffled labels.

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
    ) -> None:
        if iter(batches) is batches and codes is None:
            raise InvalidArgument(
                "batches",
                "a list or a loader that can be run through twice, since tokens are counted first",
                got_text=f"an iterator ({type(batches).__name__})",
                remedy="Pass a list, or codes=... of an earlier profile.",
            )
        self.model, self.batches = model, batches
        self.points, self.quantities = points(model, layers), chosen(quantities, seed)
        self.codes = codes if codes is not None else frequent(read(batches, model), max_codes, _PER_CODE)
        self.labeling = labeling(labels, self.codes)

    def run(self) -> Profile:
        """Run the model as it is now on all batches, and return its profile.

        Returns
        -------
        Profile
            The table of this pass, with the codes of all.

        Raises
        ------
        InvalidArgument
            If there is no batch, a batch has a shape that does not fit, or the model cannot run on it.
        """
        meters = measure(self.model, read(self.batches, self.model), self.points, self.quantities, self.labeling)
        return Profile(_table(meters), self.codes)


def _table(meters: Sequence[Meter]) -> pd.DataFrame:
    rows = []
    for depth, meter in enumerate(meters):
        lost = sum(count for _, count in meter.broken)
        broken = (
            (
                f"{lost} rows of layer {meter.point.name!r} hold NaN or infinite activations, the first in batch "
                f"{meter.broken[0][0]}, and were left out; look at this batch",
            )
            if lost
            else ()
        )
        for accumulator in meter.accumulators.values():
            for found in accumulator.estimates():
                limits = (found.null, found.ceiling, found.standard_error)
                rows.append(
                    (
                        meter.point.name,
                        depth,
                        found.quantity,
                        found.label,
                        found.value,
                        found.unit,
                        *(math.nan if value is None else value for value in limits),
                        str(found.kind),
                        found.n,
                        (*found.warnings, *broken),
                    )
                )
    return pd.DataFrame(rows, columns=list(COLUMNS))
