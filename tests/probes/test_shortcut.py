"""Which of two factors each layer contains; correlated factors give a warning."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.estimators import MixedKSG
from infoflow.probes import shortcut


def batches(n: int, seed: int, *, correlated: bool = False) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    first = torch.randint(4, (n,), generator=generator)
    second = first % 2 if correlated else torch.randint(2, (n,), generator=generator)
    x = torch.cat([nn.functional.one_hot(first, 4), 3 * nn.functional.one_hot(second, 2)], 1).float()
    x = x + 0.1 * torch.randn(n, 6, generator=generator)
    return list(zip(x.split(100), first.split(100), second.split(100), strict=True))


class Halves(nn.Module):
    """Layers that contain all, the first factor, the second, or nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.all, self.first, self.second, self.nothing = (nn.Identity() for _ in range(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.first(x[:, :4])
        self.second(x[:, 4:])
        self.nothing(torch.sin(1e6 * x))
        return self.all(x)


def test_each_layer_contains_its_factors() -> None:
    layers = ["all", "first", "second", "nothing"]
    report = shortcut(Halves(), [batches(600, 0), batches(400, 1)], layers=layers, factors=["shape", "tint"])
    frame = report.frame.set_index(["layer", "factor"])
    for layer, (shape, tint) in {"all": (1, 1), "first": (1, 0), "second": (0, 1), "nothing": (0, 0)}.items():
        for factor, kept in (("shape", shape), ("tint", tint)):
            row = frame.loc[layer, factor]
            if kept:
                assert row["accuracy"] > 0.99
                assert row["share"] > 0.9
            else:
                assert abs(row["accuracy"] - row["chance"]) < 0.12
                assert row["nats"] < 0.05
            assert row["nats"] <= row["ceiling"] + 1e-9
    assert frame.loc[("all", "shape"), "ceiling"] == pytest.approx(math.log(4), abs=0.02)
    assert report.warnings == ()
    assert "shape" in str(report)


def test_correlated_factors_give_a_warning() -> None:
    report = shortcut(Halves(), [batches(600, 0, correlated=True), batches(400, 1)], layers=["second"])
    assert len(report.warnings) == 1
    assert "factor1 and factor2 share 50% of their entropy" in report.warnings[0]
    frame = report.frame.set_index("factor")
    assert frame.loc["factor1", "accuracy"] < 0.6  # predicted from the other factor


def test_mappings_of_labels_and_another_estimator() -> None:
    fit, held = ([(x, {"a": a, "b": b}) for x, a, b in batches(n, s)] for n, s in ((400, 0), (300, 1)))
    report = shortcut(Halves(), {"train": fit, "test": held}, layers=["second"], estimator=MixedKSG(), factors=["b"])
    assert list(report.frame["factor"]) == ["b"]
    assert next(iter(report.found.values())).information.estimator == "MixedKSG"


def test_invalid_arguments_raise() -> None:
    fit, held = batches(200, 0), batches(200, 1)
    with pytest.raises(InvalidArgument, match="^loaders must"):
        shortcut(Halves(), [fit])
    with pytest.raises(UnknownName, match="'second'"):
        shortcut(Halves(), [fit, held], layers=["secnd"])
    with pytest.raises(InvalidArgument, match="^factors must"):
        shortcut(Halves(), [fit, held], layers=["all"], factors=["one"])
    with pytest.raises(TooFewSamples, match="^loaders must.*0 samples"):
        shortcut(Halves(), [[], held], layers=["all"])
    with pytest.raises(InvalidArgument, match="^loaders must"):
        shortcut(Halves(), [[np.zeros(3)], held], layers=["all"])
    with pytest.raises(InvalidArgument, match="^factor 'factor1' must"):
        shortcut(Halves(), [[(x, a[:5], b) for x, a, b in fit], held], layers=["all"])
    with pytest.raises(InvalidArgument, match="^factor 'factor1' must"):
        shortcut(Halves(), [[(x, a * 0, b) for x, a, b in fit], held], layers=["all"])
    with pytest.raises(InvalidArgument, match="^loaders must"):
        shortcut(Halves(), [[(x, {"a": a}) for x, a, b in fit], held], layers=["all"])
