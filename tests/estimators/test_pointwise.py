"""Pointwise information from every estimator that has it, against a Gaussian's own log density ratio."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from infoflow.estimators import ESTIMATORS, Ability, Neural, create
from infoflow.estimators.learned.critics.neural import usable_bounds
from infoflow.tasks import gaussian_with

WITH_POINTWISE = [name for name, entry in ESTIMATORS.items() if Ability.POINTWISE in entry.abilities]
OF_BOUNDS = [name for name in WITH_POINTWISE if issubclass(ESTIMATORS[name].load(), Neural)]
# Takes classes, so it has no place beside a Gaussian; its own tests check it.
OTHERS = [name for name in WITH_POINTWISE if name not in OF_BOUNDS and name != "class-neighbors"]


def agrees(estimator: Any, least_correlation: float) -> None:
    task = gaussian_with(0.7, dim=2)
    x, y = task.sample(1500, 4)
    truth = task.pointwise(x, y)
    found = np.asarray(estimator.pointwise(x, y))
    assert found.shape == (1500,)
    assert np.isfinite(found).all()
    assert found.mean() == pytest.approx(truth.mean(), abs=0.12)
    assert np.corrcoef(found, truth)[0, 1] > least_correlation


@pytest.mark.parametrize("bound", usable_bounds())
def test_every_bound(bound: str) -> None:
    agrees(Neural(bound=bound, folds=2, max_epochs=5), 0.9)


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_estimator_that_has_it(name: str) -> None:
    # Nearest neighbors are noisy sample by sample: digamma of a few counts.
    agrees(create(name), 0.7 if "ksg" in name or name == "mixed" else 0.9)


def test_every_neural_shorthand_has_it() -> None:
    assert set(OF_BOUNDS) >= {"infonce", "mine", "nwj", "smile", "dime", "jensen-shannon-mi", "neural"}
