"""A lower bound on the information of a layer about its label, by the held-out cross-entropy of a probe."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
import torch.nn.functional as F

from infoflow.core.checks import classes, paired, samples, squarable
from infoflow.core.errors import TooFewSamples
from infoflow.core.estimate import Estimate, Interval, Kind
from infoflow.core.settings import Integer, PositiveFloat, Seed
from infoflow.entropies.discrete import plug_in
from infoflow.estimators.layer_estimator import StatedSettings
from infoflow.estimators.learned.floor import below_correlations
from infoflow.estimators.learned.held_out import half_width

# Samples in the smallest fold; fewer do not estimate a cross-entropy.
_FOLD = 4


@dataclass(frozen=True)
class ClassifierBound(StatedSettings):
    """Lower bound I(X;Y) ≥ H(Y) − E[−log q(Y|X)] by a probe q that is evaluated on held-out samples.

    Parameters
    ----------
    probe
        "linear" is multinomial logistic regression on standardized columns, "perceptron" has one hidden layer of 64
        ReLU units.
    folds
        Number of folds; each is evaluated by a probe that was fitted on the others.
    penalty
        Inverse strength of the weight penalty, 1/(2·penalty)·|w|².
    seed
        Random seed of the folds and of a perceptron's weights.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Notes
    -----
    q is mixed with the frequencies of the classes, (1 − 1/n) q + 1/n p, so that one confident mistake does not make the
    bound infinite. The gap to I(X;Y) is what the probe cannot use (Xu et al. 2020) or cannot learn from n samples.
    A bound below 0 is reported as 0. The interval (95 %) is within [0, H(Y)]: Student's over folds, at least as wide
    as the standard error of the samples' cross-entropies; H(Y) is the plug-in entropy of all labels.

    References
    ----------
    Barber and Agakov (2003), "The IM algorithm: A variational approach to information maximization", NeurIPS, eq. 3.
    Darlow and Storkey (2020), "What information does a ResNet compress?", which applies it to layers. Xu et al. (2020),
    "A theory of usable information under computational constraints", ICLR.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(500, 2))
    >>> found = ClassifierBound().estimate(x, (x[:, 0] > 0).astype(int))
    >>> found.kind, 0.5 < found.nats < 0.6931
    (<Kind.LOWER_BOUND: 'lower bound'>, True)
    """

    probe: Literal["linear", "perceptron"] = "linear"
    folds: Annotated[int, Integer(2)] = 4
    penalty: PositiveFloat = 1.0
    seed: Seed = 0

    _stated: ClassVar[tuple[str, ...]] = ("probe", "folds", "penalty", "seed")

    def estimate(self, x: Any, y: Any) -> Estimate:
        """Estimate the bound on I(X;Y).

        Parameters
        ----------
        x : array-like of shape (n, ...)
            Samples of X.
        y : array-like of shape (n,)
            Integer classes.

        Returns
        -------
        Estimate
            Lower bound in nats.

        Raises
        ------
        InvalidArgument
            If `x` are not finite samples or `y` not classes of the same length.
        TooFewSamples
            If there are fewer than four samples per fold.
        """
        values = squarable(samples(x, "x", dtype=torch.float64), "x")
        codes, count = classes(y, "y")
        paired(values, codes)
        n = len(values)
        if n < _FOLD * self.folds:
            raise TooFewSamples(
                f"x and y must hold at least {_FOLD * self.folds} samples for {self.folds} folds, got {n}."
            )
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
            surprise[:] = entropy  # the cross-entropy of a probe without information, whatever the folds
        value = entropy - float(surprise.mean())
        folds = torch.tensor([entropy - float(surprise[part].mean()) for part in parts])
        half = half_width(folds, torch.from_numpy(entropy - surprise), 0.95)
        nats, notes = max(value, 0.0), []
        if constant:
            notes.append("x is constant, so the mutual information is 0")
        if count == 1:
            notes.append("y is constant, so the mutual information is 0")
        if value < 0:
            notes.append(
                f"the probe predicts worse than the class frequencies ({value:.3g} nats), so the bound is reported as "
                "0; use more samples or another penalty"
            )
        if count > 1 and not constant:
            notes.extend(below_correlations(values, F.one_hot(codes, count), value, half))
        # The interval is of the reported value; where nothing varies there is none.
        interval = Interval(max(nats - half, 0.0), min(nats + half, entropy), "folds") if half > 0 else None
        ceiling, kind = (entropy, "H(Y)"), Kind.LOWER_BOUND
        return self._made(nats, "I(X;Y)", n, ceiling, tuple(notes), kind=kind, interval=interval)

    def _probabilities(self, x: Any, y: Any, queries: Any, count: int) -> Any:
        """q(c|x) for each of `count` classes, above 0."""
        n = len(y)
        frequency = (np.bincount(y, minlength=count) + 1.0) / (n + count)
        found = np.zeros((len(queries), count))
        seen = np.unique(y)
        if len(seen) == 1:
            found[:, seen[0]] = 1.0
        else:
            mean, deviation = x.mean(0), x.std(0)
            # A column that varies by rounding alone has no information; far from 0, rounding is above 0.
            varying = deviation > 1e-12 * np.maximum(1e-300, np.abs(x).max(0))
            scale = np.where(varying, deviation, 1.0)
            # Every step of the fit reads all columns; in single precision wide ones take up to half of the time.
            x, queries = (((part - mean) / scale * varying).astype(np.float32) for part in (x, queries))
            with warnings.catch_warnings():
                # The bound holds for any probe, also for one that stops early or has very many classes.
                warnings.simplefilter("ignore")
                found[:, seen] = self._new_probe().fit(x, y).predict_proba(queries)
        return (1 - 1 / n) * found + frequency / n

    def _new_probe(self) -> Any:
        if self.probe == "linear":
            from sklearn.linear_model import LogisticRegression

            return LogisticRegression(C=self.penalty, max_iter=300)
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier((64,), alpha=1e-4 / self.penalty, random_state=self.seed, max_iter=200)
