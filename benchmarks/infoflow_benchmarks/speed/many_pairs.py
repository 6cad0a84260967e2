"""The mutual information of 32 pairs in one batched fit, compared with one fit after another.

The pairs resemble the layers and snapshots of a recording: 1000 samples of a three-dimensional input and layer.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from infoflow.bounds import infonce
from infoflow.critics import Separable
from infoflow.estimators.learned.critics.neural import Neural
from infoflow_benchmarks.speed.comparison import Comparison, Timing
from infoflow_benchmarks.speed.timing import torch_threads

Pair = tuple[Tensor, Tensor]


def gaussians(count: int, n: int) -> list[Pair]:
    """Pairs of three-dimensional Gaussians, each with a different strength of dependence."""
    generator = torch.Generator().manual_seed(0)
    x, noise = torch.randn(2, count, n, 3, generator=generator)
    strength = torch.linspace(0.5, 2.0, count)[:, None, None]
    return list(zip(x, x + strength * noise, strict=True))


def together(estimator: Neural, pairs: list[Pair]) -> list[float]:
    return [found.nats for found in estimator.estimate_many(pairs)]


def pair_by_pair(estimator: Neural, pairs: list[Pair]) -> list[float]:
    return [estimator.estimate(x, y).nats for x, y in pairs]


def critic_by_critic(estimator: Neural, pairs: list[Pair]) -> list[float]:
    """The loop written by hand: a module, torch.optim.AdamW and early stopping for every pair and fold."""
    return [sum(_fold(estimator, x, y, fold) for fold in range(estimator.folds)) / estimator.folds for x, y in pairs]


def _fold(estimator: Neural, x: Tensor, y: Tensor, fold: int) -> float:
    generator = torch.Generator().manual_seed(fold)
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(0)).roll(-fold * len(x) // estimator.folds)
    report = len(x) // estimator.folds
    select = report + round(estimator.validation * (len(x) - report))
    fitted = rows[select:]
    x, y = ((values - values[fitted].mean(0)) / values[fitted].std(0) for values in (x, y))
    critic = Separable(
        x.shape[1],
        y.shape[1],
        estimator.embedding,
        estimator.hidden,
        activation=estimator.activation,
        shortcut=True,
        seed=fold,
    )
    optimizer = torch.optim.AdamW(critic.parameters(), estimator.learning_rate, weight_decay=estimator.weight_decay)
    averaged = AveragedModel(critic, multi_avg_fn=get_ema_multi_avg_fn(0.9))  # type: ignore[no-untyped-call]
    best, chosen = float("-inf"), critic
    batch = min(estimator.batch_size, len(fitted))
    for _ in range(estimator.max_epochs):
        for chunk in torch.split(fitted[torch.randperm(len(fitted), generator=generator)], batch):
            if len(chunk) == batch:
                optimizer.zero_grad()
                (-infonce(*critic.scores(x[chunk], y[chunk]))).backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                averaged.update_parameters(critic)
        with torch.no_grad():
            value = float(infonce(*averaged(x[rows[report:select]], y[rows[report:select]])))
        if value > best:
            best, chosen = value, copy.deepcopy(cast(Separable, averaged.module))
    with torch.no_grad():
        return float(infonce(*chosen.scores(x[rows[:report]], y[rows[:report]])))


def mean_estimates(timing: Timing) -> str:
    ours, reference = (sum(estimates) / len(estimates) for estimates in (timing.ours, timing.reference))
    return f"mean of the estimates {ours:.3f} nats, the reference's {reference:.3f}"


def cases(quick: bool = False) -> Iterator[Comparison]:
    """Fits on one thread, with default critics and with small ones that suffice for such layers.

    They run for a fixed number of epochs, and also with early stopping, where each pair stops independently.
    """
    count, n, epochs = (2, 120, 1) if quick else (32, 1000, 10)
    pairs = gaussians(count, n)
    default = Neural(max_epochs=epochs, patience=epochs)
    plain = replace(default, head_start=False, preprocessing="standardize")
    small = replace(plain, hidden=(16,), embedding=8, batch_size=64)
    most, patience = (2, 1) if quick else (100, 5)
    critics = {
        "default": default,
        "64-64-64, no head start": plain,
        "16, batch 64": small,
        "default, stopped early": replace(default, max_epochs=most, patience=patience),
        "16, batch 64, stopped early": replace(small, max_epochs=most, patience=patience),
    }
    with torch_threads(1):
        for name, estimator in critics.items():
            yield Comparison(
                f"{count} pairs, critics {name}",
                "one pair after another",
                partial(together, estimator, pairs),
                partial(pair_by_pair, estimator, pairs),
                target_ratio=8.0,
                note="folds side by side in both",
            )
        for name in ("64-64-64, no head start", "16, batch 64"):
            yield Comparison(
                f"{count} pairs, critics {name}",
                "one critic after another, torch.optim.AdamW",
                partial(together, critics[name], pairs),
                partial(critic_by_critic, critics[name], pairs),
                target_ratio=8.0,
                difference=None,
                note=mean_estimates,
            )
