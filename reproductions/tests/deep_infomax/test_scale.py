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
    reduced = EXPERIMENTS["table4"].reduced(EXPERIMENTS["table4"].recipe("cpu"))
    stated, _, ours = reduced.partition(". Not stated in the paper, and other than in our full recipe: ")
    assert stated.startswith("10,000 images instead of 50,000, 6 epochs instead of 1000")
    assert "probe epochs" not in stated
    assert "10 probe epochs instead of 150" in ours
    # Appendix A.6: all locations, and two hidden layers of 512 units.
    assert "coordinates predicted at 16 locations per step instead of all" in stated
    assert "units of the coordinate predictors 64 instead of 512" in stated
    assert "units of the local critic 64 instead of 2048" in stated
    assert "longer" not in reduced


def test_settings_that_no_trial_uses_are_not_listed() -> None:
    def reduced(name: str) -> str:
        return EXPERIMENTS[name].reduced(EXPERIMENTS[name].recipe("cpu"))

    used = {
        "table1": ("probe",),
        "table3": ("NDM", "MINE", "decoder"),
        "occlusion": (),
        "ndm": ("NDM",),
        "ablation-maps": ("probe", "NDM", "MINE", "decoder"),
    }
    for name, words in used.items():
        text = reduced(name)
        assert [word for word in ("probe", "NDM", "MINE", "decoder") if word in text] == list(words)
        assert "coordinate predictors" not in text
        assert ("local critic" in text) == (name != "ndm")  # an autoencoder has none


def test_methods_that_the_table_has_not_are_no_reduction() -> None:
    table1, recipe = EXPERIMENTS["table1"], EXPERIMENTS["table1"].recipe("cpu")
    assert "methods without AAE, BiGAN" in table1.reduced(recipe)
    assert "views" not in table1.reduced(recipe)
    published = tuple(name for name in table1.recipe("full").methods if name not in ("nt-xent", "vicreg", "amdim"))
    assert table1.reduced(replace(table1.recipe("full"), methods=published)) == ""


def test_runs_are_counted_where_the_paper_states_their_number() -> None:
    recipe = EXPERIMENTS["table3"].recipe("cpu")
    assert recipe.seeds == 5
    assert "3 runs instead of 5" in EXPERIMENTS["table3"].reduced(replace(recipe, seeds=3))
    assert "units of the local critic 64 instead of 512" in EXPERIMENTS["table3"].reduced(recipe)  # Table 6


def test_generation_is_compared_with_appendix_a_8() -> None:
    experiment = EXPERIMENTS["generator"]
    full = experiment.recipe("full")
    assert full.epochs == 100  # caption of Figure 15
    for part in ("LSUN, CelebA and Tiny ImageNet (64×64)", "instead of residual ones"):
        assert part in experiment.reduced(full)
    small = experiment.reduced(experiment.recipe("cpu"))
    assert "10 epochs instead of 100, learning rate 0.0005 instead of 0.0001" in small


def test_settings_without_a_revision_are_those_of_the_first() -> None:
    assert {FULL.revision, CPU.revision} == {REVISION} == {max(REVISIONS)}
    assert Learning().revision == 1
    assert "revision" not in flat(Learning())
    assert flat(FULL)["revision"] == REVISION
