"""A classification problem on frozen features: what every labeled probe is given, checked once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from infoflow.core.checks import classes, paired, samples
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.training import usable_device


@dataclass(frozen=True)
class Problem:
    """Features (n, d) float32 and classes (n,) 0..C-1, to train on and to test on.

    >>> problem = Problem.of([[0.0], [1.0], [2.0]], [3, 7, 7], [[0.5], [2.0]], [7, 7])
    >>> problem.train_y.tolist(), problem.test_y.tolist(), problem.classes
    ([0, 1, 1], [1, 1], 2)
    """

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    classes: int
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, train_x: Any, train_y: Any, test_x: Any, test_y: Any) -> Problem:
        """Checks the four. Maps are flattened.

        Raises InvalidArgument (NaN, mismatched lengths or widths, one class) or TooFewSamples.
        """
        fit_x, report_x = (
            samples(value, name, minimum=1, dtype=torch.float32)
            for value, name in ((train_x, "train features"), (test_x, "test features"))
        )
        if fit_x.shape[1] != report_x.shape[1]:
            raise InvalidArgument(
                f"train features have {fit_x.shape[1]} columns but test features {report_x.shape[1]}; want the same"
            )
        labels = []
        for value, x, name in ((train_y, fit_x, "train"), (test_y, report_x, "test")):
            classes(value, f"{name} labels")
            labels.append(torch.as_tensor(value).detach().reshape(-1).to(fit_x.device, torch.int64))
            paired(x, labels[-1], f"{name} features", f"{name} labels")
        known, codes = torch.unique(torch.cat(labels), return_inverse=True)
        fit_y, report_y = codes[: len(fit_x)], codes[len(fit_x) :]
        seen = torch.bincount(fit_y, minlength=len(known)) > 0
        if int(seen.sum()) < 2:
            raise InvalidArgument(
                f"train labels hold one class only ({known[seen].tolist()[0]}); want at least two to tell apart"
            )
        if len(fit_x) < int(seen.sum()) + 1:
            raise TooFewSamples(
                f"train features hold {len(fit_x)} samples of {int(seen.sum())} classes; want more samples than classes"
            )
        cautions: tuple[str, ...] = ()
        if not bool(seen.all()):
            unseen = int((~seen)[report_y].sum())
            cautions += (
                f"{int((~seen).sum())} of {len(known)} classes are in the test labels only, so {unseen} of "
                f"{len(report_x)} test samples can't be right; want every class in the training labels",
            )
        if bool((fit_x.amax(0) == fit_x.amin(0)).all()):
            cautions += (
                "every feature is constant over the training samples: the representation has collapsed, "
                "and the probe can only guess",
            )
        return cls(fit_x, fit_y, report_x.to(fit_x.device), report_y, len(known), cautions)

    def on(self, device: str) -> Problem:
        """The same on another device. Raises InvalidArgument when it can't be used here."""
        where = usable_device(device)
        moved = {name: getattr(self, name).to(where) for name in ("train_x", "train_y", "test_x", "test_y")}
        return replace(self, **moved)

    def standardized(self) -> tuple[Tensor, Tensor]:
        """Both sets with the training set's mean and deviation taken off; constant columns become 0."""
        deviation, mean = torch.std_mean(self.train_x, dim=0, correction=0)
        # Rounding makes a constant column's deviation tiny, not 0.
        flat = deviation <= 1e-6 * mean.abs()
        scale = torch.where(flat, 0.0, 1 / torch.where(flat, 1.0, deviation))
        return (self.train_x - mean).mul_(scale), (self.test_x - mean).mul_(scale)
