"""Feature selection by mutual information in scikit-learn's pipelines, with any estimator of infoflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from infoflow.core import checks
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, check
from infoflow.estimators import mutual_information


@dataclass(frozen=True)
class MutualInformationScore:
    """Score function of scikit-learn: the mutual information I(X_j;Y) of every feature with the target, in nats.

    Parameters
    ----------
    estimator
        Name of an estimator, or an estimator.
    parameters
        Settings that go with a name.
    n_jobs
        Number of parallel jobs, as in joblib.

    Raises
    ------
    InvalidArgument
        When called, if X and y do not fit or the estimator is not usable.

    Notes
    -----
    The object is called with X of shape (n, features) and y of shape (n,) and returns scores (features,). A target of
    integers or strings means classes; one of floats is continuous.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.feature_selection import SelectKBest
    >>> X, y = load_iris(return_X_y=True)
    >>> SelectKBest(MutualInformationScore("ksg"), k=2).fit(X, y).get_support(indices=True).tolist()
    [2, 3]
    """

    estimator: Any = "ksg"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    n_jobs: int | None = None

    def __call__(self, X: Any, y: Any) -> np.ndarray:
        features = checks.samples(X, "X")
        y = np.asarray(y)
        if y.dtype.kind in "OSU":
            y = np.unique(y.astype(str), return_inverse=True)[1]
        if y.shape != (len(features),):
            raise InvalidArgument("y", f"of shape ({len(features)},), one target per sample", y)
        found = Parallel(n_jobs=self.n_jobs)(
            delayed(mutual_information)(features[:, j], y, estimator=self.estimator, **self.parameters)
            for j in range(features.shape[1])
        )
        return np.array([estimate.nats for estimate in found])


class MutualInformationSelector(SelectorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
    """Transformer of scikit-learn that selects the features with the most information about the target.

    Parameters
    ----------
    k
        Number of features.
    estimator
        Name of an estimator, or an estimator.
    n_jobs
        Number of parallel jobs, as in joblib.

    Attributes
    ----------
    scores_ : numpy.ndarray of shape (features,)
        I(X_j;Y) in nats, after `fit`.

    Notes
    -----
    Each feature is scored on its own, so redundant features can be selected together. A target of integers or strings
    means classes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> MutualInformationSelector(k=2).fit_transform(X, y).shape
    (150, 2)
    """

    def __init__(self, k: int = 10, estimator: Any = "ksg", n_jobs: int | None = None) -> None:
        self.k = k
        self.estimator = estimator
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any) -> MutualInformationSelector:
        """Score every feature.

        Parameters
        ----------
        X : array-like of shape (n, features)
            Samples.
        y : array-like of shape (n,)
            Targets.

        Returns
        -------
        MutualInformationSelector
            The selector itself.

        Raises
        ------
        InvalidArgument
            If `k` is out of range or the estimator is not usable.
        """
        check(self.k, "k", Integer(1))
        X, y = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        if type_of_target(y, raise_unknown=True) in ("binary", "multiclass"):
            y = np.unique(y, return_inverse=True)[1]
        self.scores_ = MutualInformationScore(self.estimator, n_jobs=self.n_jobs)(X, y)
        return self

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        mask = np.zeros(len(self.scores_), dtype=bool)
        mask[np.argsort(-self.scores_, kind="stable")[: self.k]] = True
        return mask

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
