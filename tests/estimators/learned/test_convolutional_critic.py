"""Information between pictures and vectors by convolutional critics, against tasks whose information is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.estimate import Estimate, Kind
from infoflow.critics import SeparablePictures
from infoflow.estimators import Neural
from infoflow.tasks import bump_images


def estimated(x: Any, y: Any, **settings: Any) -> Estimate:
    chosen = {"hidden": (64, 64), "preprocessing": "standardize", "learning_rate": 2e-3, **settings}
    return Neural(critic="convolutional", **chosen).estimate(x, y)


def pictures(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = bump_images(2.0).sample(n, seed)
    return np.asarray(x)[:, None], np.asarray(y)[:, None]


@pytest.mark.slow
def test_pictures_on_both_sides() -> None:
    x, y = pictures(2000, 0)
    found = estimated(x, y, max_epochs=25, folds=2)
    assert found.kind is Kind.LOWER_BOUND
    assert 1.5 < found.nats < 2.1  # 2 nats
    assert found.parameters["critic"] == "convolutional"


def test_pictures_and_classes() -> None:
    x, _ = pictures(600, 1)
    left = (x[:, 0, :, :8].sum((1, 2)) > x[:, 0, :, 8:].sum((1, 2))).astype(int)
    found = estimated(torch.as_tensor(x), left, max_epochs=30, folds=2)
    assert 0.4 < found.nats <= np.log(2)
    assert found.ceiling_name == "H(Y)"


def test_pictures_and_vectors_and_many_pairs_at_once() -> None:
    generator = torch.Generator().manual_seed(2)
    noise, shade = torch.randn(400, 1, 8, 8, generator=generator), torch.randn(400, 1, generator=generator)
    x, y = 0.1 * noise + shade[:, :, None, None], shade + torch.randn(400, 1, generator=generator)
    estimator = Neural(critic="convolutional", preprocessing="standardize", learning_rate=2e-3, max_epochs=10)
    found = estimator.estimate_many([(x, y), (y, x), (shade, y)])
    assert 0.2 < found[0].nats < 0.5  # ½ log 2 = 0.347
    assert found[1] == estimator.estimate(y, x)
    assert found[2] == estimator.estimate(shade, y)


def test_bad_input() -> None:
    x, y = pictures(50, 3)
    with pytest.raises(InvalidArgument, match=r"^x and y must hold the same"):
        estimated(x, y[:45])
    with pytest.raises(TooFewSamples, match="at least 40"):
        estimated(x[:20], y[:20])
    with pytest.raises(InvalidArgument, match="4 pixels per side"):
        estimated(x[:, :, :3], y)
    with pytest.raises(InvalidArgument, match="channels, height, width"):
        SeparablePictures((3, 8), 2)  # type: ignore[arg-type]


def test_gradients_reach_every_parameter_and_the_seed_is_all_the_randomness() -> None:
    before = torch.get_rng_state()
    critics = [SeparablePictures((2, 8, 8), 3, hidden=(4,), channels=(3, 5), seed=7) for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(*(c.parameters() for c in critics), strict=True))
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(6, 2, 8, 8, generator=generator), torch.randn(6, 3, generator=generator)
    positive, negative = critics[0].scores(x, y)
    torch.autograd.backward(positive.sum() + negative.square().sum())
    assert all(float(p.grad.abs().sum()) > 0 for p in critics[0].parameters() if p.grad is not None)
    assert all(p.grad is not None for p in critics[0].parameters())
    torch.testing.assert_close(critics[0].pairs(x, y), positive)
