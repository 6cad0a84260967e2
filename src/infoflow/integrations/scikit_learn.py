"""Feature selection by mutual information in scikit-learn's pipelines, with any estimator of infoflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from infoflow.core import checks
from infoflow.core.columns import read
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, OneOf, check
from infoflow.core.variable import complete
from infoflow.estimators import mutual_information
from infoflow.estimators.conditioning import by_values
from infoflow.tables.independence import independence


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
        Name of an estimator, or an estimator. The default counts repeated values, as of rounded or clipped features.
    discrete_features
        Which features are symbols: "auto" for those of text, True, False, a mask, or indices.
    missing
        "raise" raises an error at NaN; "drop" leaves out, for each feature, the samples where it has none.
    permutations
        Number of permutations of the target for `p_values_`; 0 for none.
    random_state
        Seed of the permutations.
    n_jobs
        Number of parallel jobs, as in joblib.

    Attributes
    ----------
    scores_ : numpy.ndarray of shape (features,)
        I(X_j;Y) in nats, after `fit`.
    p_values_ : numpy.ndarray of shape (features,)
        p-values of independence, NaN without permutations.
    warnings_ : list of tuple of str
        Warnings of the estimate of each feature.

    Notes
    -----
    Each feature is scored on its own, so redundant features can be selected together; see `infoflow.rank` for others.
    A target of strings or booleans means classes; numbers do where they have at most n/20 different values, or at most
    8 and n/4.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> MutualInformationSelector(k=2).fit_transform(X, y).shape
    (150, 2)
    """

    def __init__(
        self,
        k: int = 10,
        estimator: Any = "mixed",
        n_jobs: int | None = None,
        *,
        discrete_features: Any = "auto",
        missing: Any = "raise",
        permutations: int = 0,
        random_state: Any = None,
    ) -> None:
        self.k = k
        self.estimator = estimator
        self.n_jobs = n_jobs
        self.discrete_features = discrete_features
        self.missing = missing
        self.permutations = permutations
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> MutualInformationSelector:
        """Score every feature.

        Parameters
        ----------
        X : array-like or table of shape (n, features)
            Samples. Text, and booleans and categories of a table that also holds text, are symbols.
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
        check(self.missing, "missing", OneOf(("raise", "drop")))
        permutations = check(self.permutations, "permutations", Integer(0))
        finite = "allow-nan" if self.missing == "drop" else True
        X, y = validate_data(self, X, y, dtype=None, ensure_min_samples=2, ensure_all_finite=finite)
        type_of_target(y, raise_unknown=True)
        target = by_values(read(y, "y"))
        names = getattr(self, "feature_names_in_", range(X.shape[1]))
        numeric = X.astype(np.float64) if X.dtype.kind in "biuf" else X
        features = [read(numeric[:, j], f"feature {name}") for j, name in enumerate(names)]
        discrete = self._discrete(X.shape[1])
        seed = int(check_random_state(self.random_state).randint(2**31))

        def score(j: int) -> tuple[float, float, tuple[str, ...]]:
            (feature, own), _ = complete([features[j], target], self.missing)
            found = mutual_information(feature, own, estimator=self.estimator, discrete_x=True if discrete[j] else None)
            p_value = independence([feature], own, permutations, seed=seed) if permutations else np.nan
            return found.nats, p_value, found.warnings

        found = Parallel(n_jobs=self.n_jobs)(delayed(score)(j) for j in range(X.shape[1]))
        self.scores_ = np.array([each[0] for each in found])
        self.p_values_ = np.array([each[1] for each in found])
        self.warnings_ = [each[2] for each in found]
        return self

    def _discrete(self, width: int) -> np.ndarray:
        """Which features are symbols, as a mask."""
        mask = np.zeros(width, dtype=bool)
        if isinstance(self.discrete_features, str):
            check(self.discrete_features, "discrete_features", OneOf(("auto",)))
            return mask
        chosen = np.asarray(self.discrete_features)
        if chosen.dtype == bool and chosen.shape not in ((), (width,)):
            raise InvalidArgument("discrete_features", f"a mask of {width} features", chosen)
        if chosen.dtype.kind not in "bi" or (chosen.dtype != bool and (abs(chosen) >= width).any()):
            raise InvalidArgument("discrete_features", "'auto', True, False, a mask, or indices of features", chosen)
        mask[... if chosen.shape == () else chosen] = chosen if chosen.shape == () else True
        return mask

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        mask = np.zeros(len(self.scores_), dtype=bool)
        mask[np.argsort(-self.scores_, kind="stable")[: self.k]] = True
        return mask

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = self.missing == "drop"
        return tags
