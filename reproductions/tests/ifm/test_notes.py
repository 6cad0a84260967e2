"""Notes and texts on what is smaller follow from the settings."""

from __future__ import annotations

from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.ifm import EXPERIMENTS
from infoflow_reproductions.ifm.comparison import Recipe, trials
from infoflow_reproductions.ifm.notes import against_published, at_reduced_scale, conditions, sources
from infoflow_reproductions.ifm.variants import NEGATIVES


def test_what_is_smaller_follows_from_the_settings() -> None:
    assert at_reduced_scale(Recipe()).smaller == ""
    rest = (
        "1,500 of 12,000 validation and 3,000 of 10,000 test images, {} instead of 50 epochs (the paper states no "
        "number), critics 64-32 instead of 256-128-64, learning rate 0.03 instead of 0.01"
    )
    small = "16×16 instead of 32×32 pixels (means of 2×2), 50 % of the channels"
    assert EXPERIMENTS["table3"].recipe("cpu").smaller == f"{small}, 8,000 of 48,000 training, {rest.format(5)}"
    for name in ("negatives", "critics", "saturation"):
        assert EXPERIMENTS[name].recipe("cpu").smaller == f"{small}, 4,000 of 48,000 training, {rest.format(4)}"


def test_settings_of_flows_are_listed_where_they_differ_from_the_published() -> None:
    assert against_published(["baseline", "ifm"]) == []
    assert against_published(NEGATIVES) == [
        "Settings of flows against IFM as published: all of them bound infonce instead of jensen_shannon, critic "
        "separable instead of published, locations per image 8 instead of 16; random locations (negatives per location "
        "8 instead of 1); same location, other images (kind of negatives same-location instead of random, negatives "
        "per location 8 instead of 1); same image (kind of negatives same-image instead of random, negatives per "
        "location 8 instead of 1); same class, other images (kind of negatives same-class instead of random, negatives "
        "per location 8 instead of 1); hardest of 8 times as many (negatives per location 2 instead of 1, candidates "
        "per negative 8 instead of 1)."
    ]
    (weighted,) = against_published(["ifm", "weight-4", "to-the-end"])
    assert weighted == (
        "Settings of flows against IFM as published: weight 4 (weight 4 instead of 1, locations per image 8 instead of "
        "16); pairs of early layers with the last (pairs input-act4 act1-act4 act2-act4 instead of act1-act2 act2-act3 "
        "act3-act4, locations per image 8 instead of 16)."
    )


def test_draws_of_textures_are_listed_together() -> None:
    def texts(*draws: int) -> list[str]:
        return [f"MNIST train set, IDX files; textures of DTD, draw {draw}" for draw in draws]

    digits = "Digits: MNIST train set, IDX files. Textures: "
    assert sources(texts(3)) == f"{digits}DTD, draw 3."
    assert sources(texts(10, 9, 8, 9)) == f"{digits}DTD, draws 8 to 10."
    assert sources(texts(2, 5, 3)) == f"{digits}DTD, draws 2, 3 and 5."
    other = "MNIST train set, IDX files; procedural textures, draw 4"
    assert sources([*texts(2, 3), other]) == f"{digits}DTD, draws 2 to 3 or procedural textures, draw 4."
    assert sources(["a; given textures", "b; given textures"]) == "Digits: a or b. Textures: given textures."


def test_conditions_name_every_choice_and_the_training_of_the_recipe() -> None:
    recipe = Recipe(methods=("baseline", "ifm"), seeds=1, epochs=7, texture_side=48, batch_size=32)
    found = conditions(recipe, Results(trials(recipe), {name: {} for name in ("baseline/seed=2", "ifm/seed=2")}))
    assert len(found) == 1
    for choice in (
        "scaled to 48 pixels",
        "pixels in [−2, 2]",
        "after the activation and before the pooling",
        "16 locations per image and 1 negative for each",
        "one batch norm over positives and negatives together",
        "momentum 0.9, batches of 32, 7 epochs",
        "Padding 1",
    ):
        assert choice in found[0]
