"""What is smaller is that of the paper where the paper states it, and of the full recipe elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from infoflow_reproductions.deep_infomax import EXPERIMENTS
from infoflow_reproductions.deep_infomax.recipes import CPU, FULL
from infoflow_reproductions.deep_infomax.settings import REVISION, REVISIONS, Learning
from infoflow_reproductions.harness.trial import flat


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_nothing_is_smaller_at_the_published_scale_but_where_networks_and_data_are_others(name: str) -> None:
    experiment = EXPERIMENTS[name]
    assert bool(experiment.reduced(experiment.recipe("full"))) == (name == "generator")
    for scale in ("smoke", "cpu"):
        assert experiment.reduced(experiment.recipe(scale))


def test_settings_that_the_paper_does_not_state_are_listed_apart() -> None:
    stated, _, ours = EXPERIMENTS["table4"].reduced(EXPERIMENTS["table4"].recipe("cpu")).partition("; ")
    assert "epochs 6 for 1000" in stated
    assert "probe epochs" not in stated
    assert "probe epochs 10 for 150" in ours
    assert "locations per step whose coordinates are predicted, 16 for all" in ours
    assert "longer" not in stated + ours


def test_methods_that_the_table_has_not_are_no_reduction() -> None:
    table1, recipe = EXPERIMENTS["table1"], EXPERIMENTS["table1"].recipe("cpu")
    assert "methods without AAE, BiGAN" in table1.reduced(recipe)
    assert "views" not in table1.reduced(recipe)
    published = tuple(name for name in table1.recipe("full").methods if name not in ("nt-xent", "vicreg", "amdim"))
    assert table1.reduced(replace(table1.recipe("full"), methods=published)) == ""


def test_runs_are_counted_where_the_paper_states_their_number() -> None:
    recipe = EXPERIMENTS["table3"].recipe("cpu")
    assert recipe.seeds == 5
    assert "3 runs for 5" in EXPERIMENTS["table3"].reduced(replace(recipe, seeds=3))
    assert "critic units 64 for 512" in EXPERIMENTS["table3"].reduced(recipe)  # Table 6


def test_generation_is_compared_with_appendix_a_8() -> None:
    experiment = EXPERIMENTS["generator"]
    full = experiment.recipe("full")
    assert full.epochs == 100  # caption of Figure 15
    for part in ("LSUN, CelebA and Tiny ImageNet (64×64)", "for residual ones"):
        assert part in experiment.reduced(full)
    assert "10 epochs for 100" in experiment.reduced(experiment.recipe("cpu"))


def test_settings_without_a_revision_are_those_of_the_first() -> None:
    assert {FULL.revision, CPU.revision} == {REVISION} == {max(REVISIONS)}
    assert Learning().revision == 1
    assert "revision" not in flat(Learning())
    assert flat(FULL)["revision"] == REVISION
