"""The logit lens: what a model's own unembedding decodes from a layer about the next token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, Seed, Settings
from infoflow.estimators.streaming import label_tables
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.estimators.streaming.label_tables import entropy_of
from infoflow.estimators.streaming.means import mean_and_error, moments
from infoflow.estimators.streaming.reading import Reading, ReadingKind
from infoflow.estimators.streaming.rows import checked_rows, thinned
from infoflow.estimators.streaming.warnings import left_out_rows, near_ceiling


@dataclass(frozen=True)
class LogitLens(Settings):
    """A held-out lower bound of I(T;X): the entropy of labels less the cross-entropy of the model's unembedding.

    Parameters
    ----------
    every
        One of so many rows is used, at random by the content of the batch: the unembedding is the main cost.
    seed
        Seed of the choice of rows.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    Held out as long as the text is none that the model was trained on. The entropy of the labels is that of the counts
    of all rows: an estimate, too small from few rows. The bound may be negative in early layers.

    References
    ----------
    nostalgebraist (2020), Interpreting GPT: the logit lens.

    Examples
    --------
    >>> lens = LogitLens(every=1).accumulator(4, "next", lambda t: 50 * t, classes=4)
    >>> label = torch.arange(400) % 4
    >>> lens.update(torch.nn.functional.one_hot(label).float(), {"next": label})
    >>> round(lens.estimate().value, 4)  # log 4
    1.3863
    """

    every: PositiveInt = 16
    seed: Seed = 0

    def accumulator(
        self,
        dimensions: int,
        label: str,
        unembedding: Callable[[Tensor], Tensor],
        *,
        classes: int,
        codes: Tensor | None = None,
    ) -> LogitLensAccumulator:
        """Create an accumulator for one label set.

        Parameters
        ----------
        dimensions
            d.
        label
            Name of the label set, such as "next".
        unembedding
            Function from activations (n, d) to logits (n, V), with the final normalization where the model has one.
        classes
            Number K of labels.
        codes : Tensor of integers, of shape (V,)
            Label of each token, where labels are codes of tokens; the probabilities of a code's tokens add up.

        Returns
        -------
        LogitLensAccumulator
            An empty accumulator.
        """
        return LogitLensAccumulator(self, dimensions, label, unembedding, classes, codes)


class LogitLensAccumulator(RowAccumulator):
    """Sums of cross-entropies and counts of labels; created by `LogitLens.accumulator`.

    Parameters
    ----------
    settings
        Which rows.
    dimensions
        d.
    label
        Name of the label set.
    unembedding
        Function from activations to logits.
    classes
        Number of labels.
    codes : Tensor of integers, of shape (V,)
        Label of each token.

    Examples
    --------
    >>> LogitLens().accumulator(8, "next", torch.nn.Linear(8, 5), classes=5).estimates()
    []
    """

    def __init__(
        self,
        settings: LogitLens,
        dimensions: int,
        label: str,
        unembedding: Callable[[Tensor], Tensor],
        classes: int,
        codes: Tensor | None = None,
    ) -> None:
        self._chosen, self._dimensions, self._label, self._classes = settings, dimensions, label, classes
        self._unembedding, self._codes = unembedding, None if codes is None else torch.as_tensor(codes).long()
        shape = {"dimensions": dimensions, "label": label, "classes": classes}
        super().__init__({**shape, "every": settings.every, "seed": settings.seed})

    @torch.no_grad()
    def update(
        self,
        t: Tensor,
        labels: Mapping[str, Tensor] | None = None,
        weights: Tensor | None = None,
        documents: Tensor | None = None,
    ) -> None:
        """Add a batch of rows.

        Parameters
        ----------
        t : Tensor of shape (..., d)
            Activations; the unembedding receives them in their own type.
        labels : mapping of str to integer Tensor of shape (...)
            Label sets; that of this accumulator must be among them, and negative labels leave rows out.
        weights
            Rows of weight 0 are left out; other weights are ignored.
        documents
            Ignored, so that one call serves every accumulator of rows.

        Raises
        ------
        InvalidArgument
            If shapes do not fit, the label set is missing, or a label is beyond its classes or the logits.
        """
        if labels is None or self._label not in labels:
            raise InvalidArgument("labels", f"a mapping with {self._label!r}", list(labels or {}))
        rows = checked_rows(t, self._dimensions, {self._label: labels[self._label]}, weights)
        label_tables.check_labels(rows.labels[self._label], self._label, self._classes)
        self._add("not finite", float(rows.not_finite))
        rows = rows.select((rows.labels[self._label] >= 0) & (rows.weights > 0))
        if len(rows.t) == 0:
            return
        self._add("labels", torch.bincount(rows.labels[self._label], minlength=self._classes).double())
        self._add("rows", float(len(rows.t)))
        rows = thinned(rows, self._chosen.every, self._chosen.seed)
        label = rows.labels[self._label]
        logits = self._unembedding(rows.t.to(t.dtype)).float()
        width = self._classes if self._codes is None else len(self._codes)
        if logits.shape[0] != len(label) or logits.ndim != 2 or logits.shape[1] < width:
            raise InvalidArgument("unembedding", f"a function to logits of shape ({len(label)}, {width})", logits)
        log_probability = logits.log_softmax(1)
        if self._codes is None:
            found = log_probability.gather(1, label[:, None])[:, 0]
        else:
            mine = self._codes.to(label.device)[None, :] == label[:, None]
            found = log_probability[:, :width].masked_fill(~mine, -torch.inf).logsumexp(1)
        loss = -found.double()
        good = loss.isfinite()
        self._add("impossible", float((~good).sum()))
        self._add("n", float(good.sum()))
        self._add("losses", moments(loss[good]))

    def estimates(self) -> list[Reading]:
        """Return the bound; an empty list before the first row."""
        if self.n == 0:
            return []
        loss, error = mean_and_error(self._sum("losses"))
        entropy = float(entropy_of(self._sum("labels")))
        value = entropy - loss
        warnings = [*left_out_rows(self.left_out["not finite"]), *near_ceiling(value, entropy)]
        impossible = round(float(self._sum("impossible")))
        if impossible:
            warnings.append(
                f"The lens gives {impossible} labels the probability zero; they were left out, so the bound is too "
                "large. Check that labels and logits use one vocabulary."
            )
        name, kind = f"logit lens of {self._label}", ReadingKind.HELD_OUT
        return [Reading(name, self._label, value, kind, self.n, "nats", None, entropy, error, tuple(warnings))]
