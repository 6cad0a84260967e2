"""Figure 13 as an experiment: where the loss of DIM(L) with InfoNCE is high when a part of the input is occluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infoflow_reproductions.deep_infomax.learning import trial
from infoflow_reproductions.deep_infomax.notes import LOCAL_CRITIC, OCCLUSIONS
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL, SMOKE, smaller
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.figures import bars, sheets
from infoflow_reproductions.harness.findings import Claim, Findings, Row
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results, Trial

_TRAINED = {"occlusion": "trained with occlusion", "whole": "trained without"}
_PARTS = ("inside", "outside", "inside, whole", "outside, whole")


@dataclass(frozen=True)
class Recipe:
    """Training with and without occlusion.

    Parameters
    ----------
    learning
        How both are trained.
    block
        Smallest side of the occluded block in pixels.
    seeds
        Number of seeds.
    """

    learning: Learning
    block: int = 10
    seeds: int = 5


def _options(recipe: Recipe, kind: str) -> dict[str, int]:
    return {"occlusion": recipe.block} if kind == "occlusion" else {}


def trials(recipe: Recipe) -> Sequence[Trial]:
    """Return the trials of both trainings and every seed."""
    return [
        trial(
            recipe.learning,
            "dim-l-nce",
            seed,
            options=_options(recipe, kind),
            measures=["occluded-loss"],
            label=kind,
        )
        for kind in _TRAINED
        for seed in range(recipe.seeds)
    ]


def report(recipe: Recipe, results: Results) -> Findings:
    """Report the loss inside and outside of the occluded region."""
    found = {kind: {part: results.values(part, options=_options(recipe, kind)) for part in _PARTS} for kind in _TRAINED}
    rows = [
        Row(f"{_TRAINED[kind]}: InfoNCE loss {part}", values, "nats")
        for kind, parts in found.items()
        for part, values in parts.items()
    ]
    claims = [
        Claim.above(
            f"{_TRAINED[kind]}: the loss is higher at locations that overlap the occluded region than at others",
            differences(found[kind]["inside"], found[kind]["outside"]),
            unit="nats",
            published=kind == "occlusion",
        )
        for kind in _TRAINED
    ]
    claims.append(
        Claim.above(
            "trained with occlusion: occlusion raises the loss more inside than outside of the region",
            [
                (a - b) - (c - d)
                for a, b, c, d in zip(
                    *(found["occlusion"][part] for part in ("inside", "inside, whole", "outside", "outside, whole")),
                    strict=True,
                )
            ],
            unit="nats",
            published=False,
        )
    )
    pairs = {_TRAINED[kind]: results.of(options=_options(recipe, kind))[0]["pairs"] for kind in _TRAINED}
    pictures = [
        sheets(
            "occlusion",
            "In each row a test image, the InfoNCE loss of its local features (lighter is higher), the same image with "
            "a block of it occluded, and its loss.",
            pairs,
        ),
        bars(
            "loss",
            'InfoNCE loss at locations that overlap the occluded block and at others; "whole" is the loss at the same '
            "locations of images without it.",
            {_TRAINED[kind]: parts for kind, parts in found.items()},
            "loss / nats",
        ),
    ]
    notes = [
        "The receptive field of a local feature is 10×10 pixels. Negatives are the locations of the 63 other images of "
        "a batch of 64. The paper does not state whether the model of its figure was trained with occlusion.",
        OCCLUSIONS,
        LOCAL_CRITIC,
        *smaller(recipe.learning),
    ]
    return Findings(rows, claims, pictures, notes)


EXPERIMENT = Experiment(
    "dim",
    "occlusion",
    "Deep InfoMax, Figure 13: the loss of local features with and without occlusion",
    {"smoke": Recipe(SMOKE, seeds=1), "cpu": Recipe(CPU), "full": Recipe(FULL)},
    trials,
    report,
)
