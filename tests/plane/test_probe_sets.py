"""The labels of a probe mean the same as in functions of tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from infoflow.core.errors import InvalidArgument
from infoflow.plane.probe_sets import checked_probes

X = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
NAMES = ["cat", "ant", "cat", "bee"]
FORMS: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "array": np.array,
    "objects": lambda names: np.array(names, dtype=object),
    "Series": lambda names: pd.Series(names, index=[7, 5, 3, 1]),
    "categories": lambda names: pd.Series(names, dtype="category"),
}


@pytest.mark.parametrize("form", FORMS)
def test_text_and_categories_become_codes_in_the_order_of_their_names(form: str) -> None:
    ((values, labels),) = checked_probes(X, FORMS[form](NAMES)).values()
    assert torch.equal(values, X)
    assert labels.tolist() == [2, 0, 2, 1]


def test_a_name_has_the_same_code_in_every_probe() -> None:
    probes = checked_probes({"train": X, "test": X[:2]}, {"train": NAMES, "test": np.array(["bee", "cat"])})
    assert probes["train"][1].tolist() == [2, 0, 2, 1]
    assert probes["test"][1].tolist() == [1, 2]


def test_integers_and_booleans_remain_as_they_are() -> None:
    assert checked_probes(X, [7, 3, 7, 5])["probe"][1].tolist() == [7, 3, 7, 5]
    assert checked_probes(X, [True, False, True, True])["probe"][1].tolist() == [1, 0, 1, 1]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["cat", None, "ant", "bee"], "missing"),
        (NAMES[:3], "same number"),
        (np.array(["2020-01-01"] * 4, dtype="datetime64[D]"), "dates or times"),
        ([0.5, 1.5, 0.5, 1.5], "integer classes"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        checked_probes(X, labels)
