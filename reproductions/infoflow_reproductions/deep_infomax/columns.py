"""The columns of the tables of accuracy: for each data set the published settings and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from infoflow_reproductions.deep_infomax import published
from infoflow_reproductions.deep_infomax.methods import LABELS
from infoflow_reproductions.deep_infomax.recipes import FULL, Accuracies, accuracy_row
from infoflow_reproductions.deep_infomax.settings import Learning
from infoflow_reproductions.harness.findings import Row


@dataclass(frozen=True)
class Column:
    """One data set's part of a table.

    Parameters
    ----------
    full
        Settings of the published runs.
    figures
        Method -> published accuracies on conv, fc and Y, and fine-tuned where that is published.
    supervised
        Published accuracy of a supervised network.
    unknown
        Why the settings of the published figures are not fully known, if they are not.

    Examples
    --------
    >>> CIFAR100.figures["dim-l"], CIFAR100.supervised
    ((48.13, 45.92, 39.6), 42.27)
    """

    full: Learning
    figures: Mapping[str, tuple[float, ...]]
    supervised: float | None = None
    unknown: str = ""

    def rows(self, learning: Learning, what: str, accuracies: Accuracies, key: str) -> list[Row]:
        """Return the accuracies of a method beside the published ones.

        Parameters
        ----------
        learning
            Settings of the runs.
        what
            Title of the method.
        accuracies
            Its accuracies by layer.
        key
            Name of the method in `figures`.

        Returns
        -------
        list of Row
            One row a layer.
        """
        figures = self.figures.get(key, (None,) * len(accuracies))
        return [
            accuracy_row(learning, f"{what}: {layer}", values, figure, self.full, unknown=self.unknown)
            for (layer, values), figure in zip(accuracies.items(), figures, strict=True)
        ]

    def supervised_row(self, learning: Learning, values: Sequence[float]) -> Row:
        """Return the supervised network's own accuracy beside the published one.

        Parameters
        ----------
        learning
            Settings of the runs.
        values
            Accuracy in percent, one per seed.

        Returns
        -------
        Row
            The row.
        """
        what = f"{LABELS['supervised']}: its own accuracy"
        return accuracy_row(learning, what, values, self.supervised, self.full)


_CIFAR100 = replace(FULL, data="cifar100")

# Appendix A.1: 200 epochs and the AlexNet-like encoder for all but CIFAR.
_LARGER = replace(FULL, epochs=200, size=replace(FULL.size, architecture="alexnet"))

CIFAR10 = Column(FULL, published.TABLE1, published.SUPERVISED)
CIFAR100 = Column(_CIFAR100, published.TABLE1_CIFAR100, published.SUPERVISED_CIFAR100)
_BASELINE = "the published baseline differs from the row of Table 1 that it is by its description"
CIFAR10_TASKS = Column(FULL, published.TABLE4, unknown=_BASELINE)
CIFAR100_TASKS = Column(_CIFAR100, published.TABLE4_CIFAR100, unknown=_BASELINE)
TINY_IMAGENET = Column(
    replace(_LARGER, data="tiny-imagenet", images=100_000),
    published.TABLE2_TINY_IMAGENET,
    published.SUPERVISED_TINY_IMAGENET,
)
STL10 = Column(
    replace(_LARGER, data="stl10", images=105_000, labeled=5000), published.TABLE2_STL10, published.SUPERVISED_STL10
)
