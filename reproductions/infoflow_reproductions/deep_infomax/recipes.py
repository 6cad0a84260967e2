"""The three scales that the experiments share, and why the smaller ones can't be held against the paper."""

from __future__ import annotations

from infoflow_reproductions.deep_infomax.learning import Learning
from infoflow_reproductions.deep_infomax.methods import Size

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
)

FULL = Learning()

TOLERANCE = 2.0
"""Percentage points of accuracy that a reproduction at full scale may differ by."""


def in_short(learning: Learning) -> str:
    """That it is smaller, in a few words; empty at full scale.

    >>> in_short(FULL), in_short(SMOKE)
    ('', '200 images, 1 epochs, widths × 0.03125')
    """
    if not why(learning):
        return ""
    return f"{learning.images} images, {learning.epochs} epochs, widths × {learning.size.width:g}"


def why(learning: Learning) -> str:
    """What is smaller than in the paper; empty at full scale.

    >>> why(FULL), why(SMOKE)
    ('', '200 images of digits32 instead of 50000 of CIFAR-10, 1 epochs of 1000, widths × 0.03125, ...')
    """
    parts = []
    if (learning.data, learning.images) != (FULL.data, FULL.images):
        parts.append(f"{learning.images} images of {learning.data} instead of {FULL.images} of CIFAR-10")
    if learning.epochs != FULL.epochs:
        parts.append(f"{learning.epochs} epochs of {FULL.epochs}")
    if learning.size.width != 1:
        parts.append(f"widths × {learning.size.width:g}")
    if learning.size.units != FULL.size.units:
        parts.append(f"critic of {learning.size.units} units, not {FULL.size.units}")
    if learning.learning_rate != FULL.learning_rate:
        parts.append(f"learning rate {learning.learning_rate:g}, not {FULL.learning_rate:g}")
    if learning.probe_epochs != FULL.probe_epochs:
        parts.append(f"probes of {learning.probe_epochs} epochs, not {FULL.probe_epochs}")
    return ", ".join(parts)
