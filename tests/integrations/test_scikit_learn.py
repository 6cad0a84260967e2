from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from infoflow.core.errors import InfoflowError
from infoflow.estimators import mutual_information
from infoflow.integrations.scikit_learn import MutualInformationScore, MutualInformationSelector


@parametrize_with_checks([MutualInformationSelector(k=1)])
def test_the_contract_of_scikit_learn(estimator, check) -> None:
    check(estimator)


def data(n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Samples of which only columns 1 and 3 depend on the label."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, n)
    X = rng.normal(size=(n, 5))
    X[:, 1] += 3 * y
    X[:, 3] *= 1 + 4 * y
    return X, y


def test_the_informative_features_are_found_even_without_linear_dependence() -> None:
    X, y = data()
    assert SelectKBest(MutualInformationScore(), k=2).fit(X, y).get_support(indices=True).tolist() == [1, 3]
    selector = MutualInformationSelector(k=2).fit(X, y)
    assert selector.get_support(indices=True).tolist() == [1, 3]
    assert selector.transform(X).shape == (600, 2)


def test_no_score_exceeds_the_labels_entropy_even_of_a_constant_feature() -> None:
    X, y = data()
    X[:, 0] = 7.0
    scores = MutualInformationScore()(X, y)
    assert (scores <= np.log(2)).all()
    assert scores[0] == 0


def test_classes_may_have_names_and_scores_run_in_parallel() -> None:
    X, y = data()
    scores = MutualInformationScore("ksg", {"k": 5})(X, y)
    np.testing.assert_array_equal(scores, MutualInformationScore("ksg", {"k": 5}, n_jobs=2)(X, np.array(["u", "v"])[y]))
    assert MutualInformationSelector(k=2).fit(X, np.array(["u", "v"])[y]).get_support(indices=True).tolist() == [1, 3]


def test_each_score_is_that_of_its_column() -> None:
    X, y = data(200)
    expected = [mutual_information(X[:, j], y, "ksg").nats for j in range(5)]
    np.testing.assert_array_equal(MutualInformationScore()(X, y), expected)
    np.testing.assert_array_equal(MutualInformationSelector(k=1, estimator="ksg").fit(X, y).scores_, expected)
    ties = np.maximum(X, 0)
    mixed = [mutual_information(ties[:, j], y, "mixed").nats for j in range(5)]
    np.testing.assert_array_equal(MutualInformationSelector(k=1).fit(ties, y).scores_, mixed)


def test_in_a_pipeline() -> None:
    X, y = data()
    assert make_pipeline(MutualInformationSelector(k=2), LogisticRegression()).fit(X, y).score(X, y) > 0.9


def test_a_continuous_target() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(800, 3))
    y = X[:, 2] ** 2 + 0.1 * rng.normal(size=800)
    assert int(np.argmax(MutualInformationScore()(X, y))) == 2


def test_invalid_input_raises() -> None:
    with pytest.raises(InfoflowError, match="Did you mean 'ksg'"):
        MutualInformationScore("kgs")(*data())
    with pytest.raises(InfoflowError, match=r"^y must be of shape \(600,\)"):
        MutualInformationScore()(data()[0], [0, 1, 0])


def test_the_selector_takes_symbols_missing_values_and_permutations() -> None:
    X, y = data(300)
    X[:, 2] = (y + (np.random.default_rng(5).random(300) < 0.1)) % 2
    X[::20, 1] = np.nan
    selector = MutualInformationSelector(
        k=3, discrete_features=[2], missing="drop", permutations=99, random_state=0, estimator="auto"
    ).fit(X, y)
    assert selector.get_support(indices=True).tolist() == [1, 2, 3]
    assert (selector.p_values_[[1, 2, 3]] == 0.01).all()
    assert len(selector.warnings_) == 5
    again = MutualInformationSelector(k=3, missing="drop", permutations=99, random_state=0).fit(X, y)
    np.testing.assert_array_equal(again.p_values_, selector.p_values_)
    with pytest.raises(InfoflowError, match="discrete_features must be"):
        MutualInformationSelector(discrete_features=[9]).fit(X[:, 2:], y)


def test_integers_and_whole_floats_as_a_target_are_numbers() -> None:
    y = np.random.default_rng(0).integers(1000, size=300)
    X = np.stack([y + 50 * np.random.default_rng(1).normal(size=300), np.random.default_rng(2).normal(size=300)], 1)
    scores = [MutualInformationSelector(k=1).fit(X, target).scores_ for target in (y, y.astype(float))]
    np.testing.assert_array_equal(*scores)
    assert scores[0][0] > 0.8


def test_text_features_of_a_table_are_symbols() -> None:
    X, y = data(300)
    labels = np.array(["Oslo", "Rome", "Lima"])[np.where(np.random.default_rng(5).random(300) < 0.2, 2, y)]
    table = pd.DataFrame({"plain": X[:, 0], "city": labels, "strong": X[:, 1], "sort": pd.Categorical(labels)})
    selector = MutualInformationSelector(k=3, permutations=19, random_state=0).set_output(transform="pandas")
    chosen = selector.fit_transform(table, y)
    assert chosen.columns.tolist() == ["city", "strong", "sort"]
    assert selector.feature_names_in_.tolist() == table.columns.tolist()
    assert selector.scores_[1] == mutual_information(labels, y, "mixed").nats == selector.scores_[3]
    assert selector.scores_[2] == mutual_information(X[:, 1], y, "mixed").nats
    text = MutualInformationSelector(k=1).fit(labels[:, None], y)
    assert text.scores_[0] == selector.scores_[1]
    holes = table.assign(city=np.where(np.arange(300) % 10 == 0, None, labels))
    with pytest.raises(ValueError, match="contains NaN"):
        MutualInformationSelector(k=1).fit(holes, y)
    support = MutualInformationSelector(k=3, missing="drop").fit(holes, y).get_support(indices=True)
    assert support.tolist() == [1, 2, 3]
