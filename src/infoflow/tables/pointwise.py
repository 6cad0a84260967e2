"""Mutual information of single samples, and what a probe can use of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from infoflow.core.columns import read
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.protocols import Estimator
from infoflow.core.settings import Integer, Seed, check, validated
from infoflow.core.variable import Missing, Variable, complete
from infoflow.estimators.conditioning import by_values
from infoflow.estimators.gaussian.canonical_pairs import columns, spectrum
from infoflow.estimators.gaussian.gaussian import Gaussian
from infoflow.estimators.histogram.discrete import Discrete
from infoflow.estimators.neighbors.class_neighbors import ClassNeighbors
from infoflow.estimators.neighbors.ksg import KSG
from infoflow.estimators.neighbors.mixed import MixedKSG
from infoflow.estimators.registry import Ability, can, resolve
from infoflow.estimators.wrappers.mixed_types import arranged


@validated
def pointwise_mutual_information(
    x: Any,
    y: Any,
    estimator: str | Estimator = "auto",
    *,
    probe: Any = None,
    folds: int = 5,
    seed: Seed = 0,
    missing: Missing = "raise",
    **parameters: Any,
) -> NDArray[np.float64]:
    """Estimate the mutual information of each sample, log p(x,y) / p(x)p(y), in nats.

    Parameters
    ----------
    x, y : array-like of shape (n, ...), column or table
        Paired samples.
    estimator
        "discrete", "gaussian", or any estimator with pointwise values, by name or as an object. "auto" is "discrete"
        for symbols, nearest neighbors within classes for symbols and numbers, "ksg" for numbers without many ties, and
        "mixed" otherwise.
    probe
        A classifier or regressor of scikit-learn, or "linear": the result is then the pointwise V-information, what
        this family of predictors can use of x, held out by cross-validation.
    folds
        Folds of the cross-validation.
    seed
        Seed of the folds.
    missing
        "raise" raises an error at missing values, "drop" leaves out the rows that have one.
    **parameters
        Settings of the named estimator.

    Returns
    -------
    numpy.ndarray of shape (n,)
        Nats per sample. Their mean is the estimate of I(X;Y), before it is cut at a ceiling, or of the V-information.

    Raises
    ------
    InvalidArgument
        If the estimator has no pointwise values, or the samples are neither numbers nor symbols.

    Notes
    -----
    The V-information of a sample is log q(y|x) − log q(y), both fitted to the other folds: q(y|x) the probe's class
    probabilities, or a Gaussian around its prediction. It is negative where x misleads the probe.

    References
    ----------
    Xu et al. (2020), A theory of usable information under computational constraints. Ethayarajh, Choi, Swayamdipta
    (2022), Understanding dataset difficulty with V-usable information.

    Examples
    --------
    >>> pointwise_mutual_information(list("aabb") * 5, list("uuvv") * 5)[:2].tolist()  # log 2
    [0.693, 0.693]
    >>> usable = pointwise_mutual_information([0.0, 1.0] * 50, ["u", "v"] * 50, probe="linear")
    >>> bool(0.6 < usable.mean() < 0.7)
    True
    """
    (left, right), _ = complete([read(x, "x"), read(y, "y")], missing)
    if probe is not None:
        return _usable(left, right, probe, check(folds, "folds", Integer(2)), seed)
    if isinstance(estimator, str) and estimator == "auto":
        left, right = by_values(left), by_values(right)
        chosen: Any = _default(left, right)
    else:
        chosen = resolve(estimator, **parameters)
    chosen, (a, b) = arranged(chosen, [left, right])
    if isinstance(chosen, Discrete):
        return _counted(a, b)
    if isinstance(chosen, Gaussian):
        return _gaussian(a, b, chosen)
    if not can(chosen, Ability.POINTWISE):
        raise InvalidArgument("estimator", "one with pointwise values, such as 'ksg'", type(chosen).__name__)
    if isinstance(chosen, ClassNeighbors) and left.symbolic:
        a, b = b, a
    found: NDArray[np.float64] = np.asarray(chosen.pointwise(a, b))
    return found


def _default(x: Variable, y: Variable) -> Estimator:
    if x.symbolic and y.symbolic:
        return Discrete()
    if x.mixed or y.mixed:
        return MixedKSG()
    if x.symbolic or y.symbolic:
        return ClassNeighbors()
    repeated = max(1 - len(np.unique(column)) / len(x) for side in (x, y) for column in side.columns.T)
    return MixedKSG() if repeated > 0.05 else KSG()


def _counted(x: Any, y: Any) -> NDArray[np.float64]:
    a, b = (_codes(side, name) for side, name in ((x, "x"), (y, "y")))
    joint = np.unique(a * (int(b.max()) + 1) + b, return_inverse=True)[1]
    count_xy, count_x, count_y = (np.bincount(codes)[codes] for codes in (joint, a, b))
    return np.log(count_xy * len(a) / (count_x * count_y))


def _codes(side: Any, name: str) -> NDArray[np.int64]:
    values = np.asarray(side)
    if values.dtype.kind not in "biu":
        raise InvalidArgument(name, "an array of integer codes", got_text=f"dtype {values.dtype}")
    rows = values.reshape(len(values), -1)
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _gaussian(x: Any, y: Any, chosen: Gaussian) -> NDArray[np.float64]:
    """log density ratio of canonical pairs, shifted so that its mean is the estimate."""
    found = spectrum(
        columns(x, "x", copula=chosen.copula), columns(y, "y", copula=chosen.copula), shrinkage=chosen.shrinkage
    )
    rho = found.correlations
    u, v = found.x[:, : len(rho)], found.y[:, : len(rho)]
    share = rho / (1 - rho.square())
    terms = (share * (u * v - 0.5 * rho * (u.square() + v.square()))).sum(dim=1)
    array: NDArray[np.float64] = (terms - terms.mean()).numpy()
    return array + chosen.estimate(x, y).nats


def _usable(x: Variable, y: Variable, probe: Any, folds: int, seed: int) -> NDArray[np.float64]:
    from sklearn.base import clone, is_classifier
    from sklearn.linear_model import LogisticRegression, RidgeCV
    from sklearn.model_selection import KFold, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    y = by_values(y)
    if probe == "linear":
        probe = make_pipeline(
            StandardScaler(), LogisticRegression(max_iter=1000) if y.symbolic else RidgeCV(np.logspace(-4, 4, 9))
        )
    if not all(hasattr(probe, method) for method in ("fit", "predict", "get_params")):
        raise InvalidArgument("probe", "'linear', or a classifier or regressor of scikit-learn", probe)
    if y.symbolic and not hasattr(probe, "predict_proba"):
        raise InvalidArgument("probe", "a classifier with probabilities where y holds symbols", type(probe).__name__)
    if is_classifier(probe) and not y.symbolic:
        raise InvalidArgument("probe", "a regressor where y holds numbers", type(probe).__name__)
    features = x.indicators
    target = y.codes if y.symbolic else y.columns
    n = len(x)
    if n < 2 * folds:
        raise TooFewSamples("x", f"at least {2 * folds} samples for {folds} folds", n)
    result = np.empty(n)
    splitter = (StratifiedKFold if y.symbolic else KFold)(folds, shuffle=True, random_state=seed)
    for train, test in splitter.split(features, target):
        fitted = clone(probe).fit(features[train], target[train] if y.symbolic else target[train].squeeze())
        if y.symbolic:
            classes, count = np.unique(target[train], return_counts=True)
            place = np.searchsorted(classes, target[test]).clip(max=len(classes) - 1)
            floor = 1.0 / (len(train) + 1)
            given = fitted.predict_proba(features[test])[np.arange(len(test)), place].clip(floor)
            result[test] = np.log(given) - np.log(count[place] / len(train))
        else:
            rest = target[train] - fitted.predict(features[train]).reshape(len(train), -1)
            away = target[test] - fitted.predict(features[test]).reshape(len(test), -1)
            plain, center = target[train].var(axis=0), target[train].mean(axis=0)
            spread = (rest**2).mean(axis=0)
            terms = 0.5 * (np.log(plain / spread) + (target[test] - center) ** 2 / plain - away**2 / spread)
            result[test] = terms.sum(axis=1)
    return result
