"""A lower bound of the information that a layer has on its label: what a probe can say of the label from it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from infoflow.core.checks import choice, classes, integer, paired, positive, samples, squarable
from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.learned.held_out import half_width

PROBES = ("linear", "perceptron")

# Samples in the smallest fold; fewer say nothing of a cross-entropy.
_FOLD = 4


@dataclass(frozen=True)
class ClassifierBound:
    """I(X;Y) ≥ H(Y) − E[−log q(Y|X)], with q a probe that is fitted on other samples than those it is judged by.

    `probe` "linear" is multinomial logistic regression on standardized columns with the penalty 1/(2·`penalty`)·|w|²,
    "perceptron" one hidden layer of 64 ReLU units. Each of `folds` folds is judged by a probe fitted on the others,
    and q is mixed with the classes' frequencies there, (1 − 1/n) q + 1/n p, so that one sure mistake can't make the
    bound infinite. The gap is what the probe can't use (Xu et al. 2020: the usable information), and what it can't
    learn from so many samples. A bound below 0 is reported as 0. The interval (95 %) is Student's over folds, no
    narrower than the samples' own surprises allow; H(Y) is the plug-in of all labels.

    `x` has shape (n, ...), `y` integer classes (n,). Nats. Raises InvalidArgument, or TooFewSamples below four samples
    a fold. Barber and Agakov (2003), eq. 3; as Darlow and Storkey (2020) use it on layers.

    >>> x = np.random.default_rng(0).normal(size=(500, 2))
    >>> found = ClassifierBound().estimate(x, (x[:, 0] > 0).astype(int))
    >>> found.kind, 0.5 < found.nats < 0.6931
    (<Kind.LOWER_BOUND: 'lower bound'>, True)
    """

    probe: str = "linear"
    folds: int = 4
    penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        choice(self.probe, "probe", PROBES)
        integer(self.folds, "folds", minimum=2)
        positive(self.penalty, "penalty")
        integer(self.seed, "seed", minimum=0)

    def estimate(self, x: Any, y: Any) -> Estimate:
        """The bound of I(X;Y)."""
        values = squarable(samples(x, "x", dtype=torch.float64), "x")
        codes, count = classes(y, "y")
        paired(values, codes)
        n = len(values)
        if n < _FOLD * self.folds:
            raise TooFewSamples(f"x and y hold {n} samples; want at least {_FOLD * self.folds} for {self.folds} folds")
        columns, labels = values.cpu().numpy(), codes.cpu().numpy()
        entropy = float(plug_in(codes.bincount()))
        constant = bool((values == values[0]).all())
        surprise = np.empty(n)
        parts = np.array_split(np.random.default_rng(self.seed).permutation(n), self.folds)
        for part in parts:
            rest = np.setdiff1d(np.arange(n), part)
            probabilities = self._probabilities(columns[rest], labels[rest], columns[part], count)
            surprise[part] = -np.log(probabilities[np.arange(len(part)), labels[part]])
        if constant:
            surprise[:] = entropy  # what a probe that knows nothing says, without the luck of the folds
        value = entropy - float(surprise.mean())
        folds = torch.tensor([entropy - float(surprise[part].mean()) for part in parts])
        half = half_width(folds, torch.from_numpy(entropy - surprise), 0.95)
        notes = []
        if constant:
            notes.append("x is constant: it carries no information")
        if count == 1:
            notes.append("y is constant: its information is 0 by definition")
        if value < 0:
            notes.append(f"the probe says less than the classes' frequencies ({value:.3g} nats); 0 is a bound as well")
        return Estimate(
            max(value, 0.0),
            quantity="I(X;Y)",
            kind=Kind.LOWER_BOUND,
            estimator=type(self).__name__,
            n=n,
            parameters={f.name: getattr(self, f.name) for f in fields(self)},
            ceiling=entropy,
            ceiling_name="H(Y)",
            interval=Interval(min(value, 0.0) - half, max(value, 0.0) + half, "folds"),
            warnings=tuple(notes),
        )

    def _probabilities(self, x: Any, y: Any, asked: Any, count: int) -> Any:
        """q(c|x) for each of `count` classes, above 0."""
        n = len(y)
        frequency = (np.bincount(y, minlength=count) + 1.0) / (n + count)
        found = np.zeros((len(asked), count))
        seen = np.unique(y)
        if len(seen) == 1:
            found[:, seen[0]] = 1.0
        else:
            mean, deviation = x.mean(0), x.std(0)
            # A column that only rounding moves says nothing, and far from 0 that is more than nothing.
            moving = deviation > 1e-12 * np.maximum(1e-300, np.abs(x).max(0))
            scale = np.where(moving, deviation, 1.0)
            x, asked = ((part - mean) / scale * moving for part in (x, asked))
            with warnings.catch_warnings():
                # A probe that stops early, or of very many classes, is a probe still: the bound holds for any.
                warnings.simplefilter("ignore")
                found[:, seen] = self._fresh().fit(x, y).predict_proba(asked)
        return (1 - 1 / n) * found + frequency / n

    def _fresh(self) -> Any:
        if self.probe == "linear":
            return LogisticRegression(C=self.penalty, max_iter=300)
        return MLPClassifier((64,), alpha=1e-4 / self.penalty, random_state=self.seed, max_iter=200)
