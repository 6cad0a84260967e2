"""The scales that the experiments share, and what their reports have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infoflow_reproductions.deep_infomax.learning import trial
from infoflow_reproductions.deep_infomax.methods import LABELS, LOCAL, Size
from infoflow_reproductions.deep_infomax.published import LAYERS
from infoflow_reproductions.deep_infomax.settings import REVISION, Learning
from infoflow_reproductions.harness.figures import bars
from infoflow_reproductions.harness.findings import Claim, Figure, Row
from infoflow_reproductions.harness.seeds import differences
from infoflow_reproductions.harness.trial import Results, Trial

SMOKE = Learning(
    data="digits32",
    images=200,
    size=Size(width=1 / 32, features=8, units=16),
    epochs=1,
    batch_size=32,
    learning_rate=1e-3,
    probe_epochs=1,
    probe_rate=1e-3,
    probe_milestones=(),
    ndm_epochs=1,
    mine_epochs=1,
    decoder_epochs=1,
    revision=REVISION,
)

CPU = Learning(
    images=10_000,
    size=Size(width=0.25, units=64),
    epochs=6,
    learning_rate=1e-3,
    probe_epochs=10,
    probe_rate=1e-3,
    probe_milestones=(7,),
    ndm_epochs=10,
    mine_epochs=15,
    decoder_epochs=8,
    probe_averaged=3,
    revision=REVISION,
)

FULL = Learning(probe_averaged=100, revision=REVISION)

_TITLES = {"cifar10": "CIFAR-10", "cifar100": "CIFAR-100", "tiny-imagenet": "Tiny ImageNet", "stl10": "STL-10"}

TOLERANCE = 2.0
"""Largest difference from a published accuracy at full scale, in percentage points."""

Accuracies = dict[str, list[float]]
"""Layer -> test accuracy in percent, one per seed."""


@dataclass(frozen=True)
class Comparison:
    """Methods to compare.

    Parameters
    ----------
    learning
        How all are trained and measured.
    methods
        Names in `methods.LABELS`.
    measures
        Names in `learning.MEASURES`.
    seeds
        Number of seeds.
    critic
        Local critic of DIM where it is not the default, "encode-and-dot".
    """

    learning: Learning
    methods: tuple[str, ...] = tuple(LABELS)
    measures: tuple[str, ...] = ("mlp",)
    seeds: int = 3
    critic: str = ""


def trials(recipe: Comparison, pictured: Sequence[str] = ()) -> list[Trial]:
    """Return the trials of every method and seed.

    Parameters
    ----------
    recipe
        What to compare.
    pictured
        Methods whose first seed also gives a picture of nearest neighbors.

    Returns
    -------
    list of Trial
        The trials, method by method.
    """
    return [
        trial(
            recipe.learning,
            method,
            seed,
            options={"critic": recipe.critic} if recipe.critic and method in LOCAL else None,
            measures=[*recipe.measures, *["neighbors"] * (seed == 0 and method in pictured)],
        )
        for method in recipe.methods
        for seed in range(recipe.seeds)
    ]


def in_short(learning: Learning, full: Learning = FULL) -> str:
    """Return the sizes of a reduced scale in a few words; an empty text at full scale.

    Parameters
    ----------
    learning
        Settings of a run.
    full
        Settings of the published runs.

    Returns
    -------
    str
        Images, epochs and widths.

    Examples
    --------
    >>> in_short(FULL), in_short(SMOKE)
    ('', '200 images, 1 epochs, widths × 0.03125')
    """
    if not why(learning, full):
        return ""
    return f"{learning.images} images, {learning.epochs} epochs, widths × {learning.size.width:g}"


def why(learning: Learning, full: Learning = FULL) -> str:
    """Return what is smaller than in the paper; an empty text at full scale.

    Parameters
    ----------
    learning
        Settings of a run.
    full
        Settings of the published runs.

    Returns
    -------
    str
        The differences, separated by commas.

    Examples
    --------
    >>> why(FULL), why(SMOKE)
    ('', '200 images of digits32 instead of 50000 of CIFAR-10, 1 epochs of 1000, widths × 0.03125, ...')
    """
    size = learning.size
    parts = {
        f"{learning.images} images of {learning.data} instead of {full.images} of {_TITLES[full.data]}": (
            (learning.data, learning.images) != (full.data, full.images)
        ),
        f"{learning.epochs} epochs of {full.epochs}": learning.epochs != full.epochs,
        f"widths × {size.width:g}": size.width != 1,
        f"learning rate {learning.learning_rate:g}, not {full.learning_rate:g}": (
            learning.learning_rate != full.learning_rate
        ),
    }
    return ", ".join(text for text, differs in parts.items() if differs)


def smaller(learning: Learning, full: Learning = FULL) -> list[str]:
    """Return the note on what is smaller than in the paper, if anything is.

    Parameters
    ----------
    learning
        Settings of a run.
    full
        Settings of the published runs.

    Returns
    -------
    list of str
        One note or none.
    """
    return [f"Smaller than the paper: {why(learning, full)}."] if why(learning, full) else []


def accuracies(results: Results, layers: Sequence[str] = LAYERS, **settings: Any) -> Accuracies:
    """Return the test accuracies of the runs that have these settings.

    Parameters
    ----------
    results
        Results of the trials.
    layers
        Layers to return.
    **settings
        Settings by name, as in `Results.of`.

    Returns
    -------
    dict
        Layer -> accuracy in percent, one per seed.
    """
    return {layer: results.values(layer, scale=100, **settings) for layer in layers}


def accuracy_row(
    learning: Learning,
    what: str,
    values: Sequence[float],
    published: float | None,
    full: Learning = FULL,
    *,
    unknown: str = "",
) -> Row:
    """Return an accuracy and the published one; at a reduced scale the row states the scale.

    Parameters
    ----------
    learning
        Settings of the runs.
    what
        Description of the accuracy.
    values
        Accuracy in percent, one per seed.
    published
        The published accuracy, if there is one.
    full
        Settings of the published runs.
    unknown
        Why the settings of the published accuracy are not fully known, if they are not.

    Returns
    -------
    Row
        The row.
    """
    reduced = in_short(learning, full) if published is not None else ""
    return Row(
        what,
        values,
        "%",
        published,
        TOLERANCE,
        comparable=not reduced,
        settings_known=not unknown,
        why="; ".join(filter(None, (reduced, unknown))),
    )


def accuracy_bars(found: Mapping[str, Accuracies], *, suffix: str = "", after: str = "") -> Figure:
    """Return the picture of accuracies by method and layer.

    Parameters
    ----------
    found
        Title of a method -> its accuracies.
    suffix
        End of the file name.
    after
        Text added to the caption.

    Returns
    -------
    Figure
        The picture.
    """
    caption = f"Test accuracy of a perceptron on conv, fc and Y{after}; 95 % intervals and single seeds."
    return bars(f"accuracy{suffix}", caption, found, "test accuracy / %")


def rankings(found: Mapping[str, Accuracies], order: Iterable[tuple[str, str, bool]]) -> list[Claim]:
    """Return claims that one method is above another on Y.

    Parameters
    ----------
    found
        Name of a method -> its accuracies; claims on other methods are left out.
    order
        Names of the better and the worse method, and whether the paper's table orders them so.

    Returns
    -------
    list of Claim
        The claims.
    """
    return [
        Claim.above(
            f"{LABELS[above]} is above {LABELS[below]} on Y",
            differences(found[above]["Y"], found[below]["Y"]),
            unit="points",
            published=published,
        )
        for above, below, published in order
        if above in found and below in found
    ]
