"""A picture of a data set: some samples of each class, with what is known of them."""

from __future__ import annotations

import os

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from infoflow.checks import integer
from infoflow.data.dataset import Dataset
from infoflow.errors import InvalidArgument


def contact_sheet(
    dataset: Dataset, path: str | os.PathLike[str] | None = None, *, columns: int = 8, figure: Figure | None = None
) -> Figure:
    """Draws the first `columns` images of every class, a row a class; written to `path` (PNG, PDF, SVG) if given.

    Below each image are its factors' classes ("digit 3, texture 7"), but for the label's own, which names the row.
    Images are (n, height, width) or (n, channels, height, width) with 1 or 3 channels, in units of `dataset.scale`.
    `figure` is one to draw into, in place of a new one. Global state of matplotlib's stays as it is.

    Raises InvalidArgument for inputs that are no images.

    >>> from infoflow.data import digits
    >>> len(contact_sheet(digits(), columns=2).axes)
    20
    """
    integer(columns, "columns")
    images = dataset.inputs
    if images.ndim == 3:
        images = images[:, None]
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        raise InvalidArgument(f"inputs have shape {dataset.inputs.shape}; want grey or RGB images")
    if figure is None:
        figure = Figure(figsize=(0.85 * columns + 0.5, 0.95 * dataset.classes + 0.5), layout="constrained")
        FigureCanvasAgg(figure)
    axes = figure.subplots(dataset.classes, columns, squeeze=False)
    shown = {name: values for name, values in dataset.factors.items() if not np.array_equal(values, dataset.labels)}
    for label, row in enumerate(axes):
        chosen = np.nonzero(dataset.labels == label)[0][:columns]
        for axis in row:
            axis.axis("off")
        for axis, i in zip(row, chosen, strict=False):
            picture = np.clip(images[i].transpose(1, 2, 0) / dataset.scale, 0.0, 1.0)
            axis.imshow(picture.squeeze(), cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
            axis.set_title(
                ", ".join(f"{name} {int(v[i])}" for name, v in shown.items() if v.ndim == 1), fontsize=6, pad=2
            )
        row[0].text(-0.12, 0.5, str(label), transform=row[0].transAxes, ha="right", va="center", fontsize=9)
    figure.suptitle(f"{dataset.name}: {len(dataset)} images, a class a row", fontsize=9)
    if path is not None:
        figure.savefig(path, dpi=110)
    return figure
