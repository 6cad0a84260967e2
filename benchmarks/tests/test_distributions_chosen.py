"""Choices of distributions: by name, by family, and one per family by a rule that depends on no results."""

from __future__ import annotations

import numpy as np
import pytest
from infoflow_benchmarks.distributions import DISTRIBUTIONS, FAMILIES, chosen, one_per_family

from infoflow.core.errors import UnknownName


def test_one_per_family_has_the_first_of_dependent_numbers_of_each_family() -> None:
    found = one_per_family()
    for family in FAMILIES:
        members = [d for d in DISTRIBUTIONS if d.family == family]
        numbers = [d for d in members if all(np.asarray(values).dtype.kind == "f" for values in d.sample(5, 0))]
        first = next((d for d in numbers if d.mutual_information > 0.01), None)
        assert first is None or first in found
    names = [distribution.name for distribution in found]
    assert [d.name for d in found if d.mutual_information == 0] == ["gauss r=0"]
    assert "gauss d=100 r=0.2" in names
    assert len(names) == 14


def test_names_and_families_are_combined() -> None:
    assert chosen(["all"]) == DISTRIBUTIONS
    assert chosen(["one-per-family"]) == one_per_family()
    assert [d.name for d in chosen(["one-per-family", "circle s=0.3"], ["shapes"])] == [
        "lognormal r=0.5",
        "circle s=0.3",
    ]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'circle s=0.3'"):
        chosen(["circle s=0.2"])
    with pytest.raises(UnknownName, match="Did you mean 'latents'"):
        chosen(["all"], ["latent"])
