"""Claims of information dropout that follow from the figures of a table, on figures whose verdicts are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from infoflow_reproductions import Claim, experiments
from infoflow_reproductions.harness.findings import Row
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.harness.row_claims import figures_of, within
from infoflow_reproductions.information_dropout.claims_over_beta import (
    deeper_selects,
    drastic,
    main_task_improves,
    of_cluttered,
    overfitting_falls,
    retained,
    share_rises,
)
from infoflow_reproductions.information_dropout.claims_over_size import (
    activations_of_second_layer,
    follow_priors,
    hardly_varies,
    of_cifar,
    of_mlp,
    of_vae,
)
from infoflow_reproductions.information_dropout.judging import at_most, over

NEAR = (-0.01, 0.0, 0.0, 0.01)


def figures(means: Mapping[str, float], spread: Sequence[float] = NEAR) -> dict[str, Sample]:
    """Return figures of four seeds around the given means."""
    return figures_of([Row(name, [mean + one for one in spread]) for name, mean in means.items()])


def by_text(claims: Sequence[Claim]) -> dict[str, Claim]:
    return {claim.text: claim for claim in claims}


def test_figures_are_in_the_order_of_the_setting() -> None:
    found = figures(
        {"a, β = 1": 1.0, "a, β = 0.1": 2.0, "a, too large β = 9": 3.0, "ab, β = 2": 4.0, "a, width 8": 5.0}
    )
    assert [(value, one.mean) for value, one in over(found, "a")] == [(0.1, 2.0), (1.0, 1.0)]
    assert [value for value, _ in over(found, "a", "too large β = ")] == [9.0]
    assert [value for value, _ in over(found, "a", "width ")] == [8.0]


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        # Student's quantile is 3.182 and the deviation 1.155: the half width is 1.837.
        ([-1.0, -1.0, 1.0, 1.0], True),
        ([-0.8, -0.8, 1.2, 1.2], None),
        ([2.0, 2.0, 4.0, 4.0], None),
        ([3.0, 3.0, 5.0, 5.0], False),
        ([-5.0, -5.0, -3.0, -3.0], False),
    ],
)
def test_equivalence_holds_where_the_interval_lies_within_the_limits(values: list[float], holds: bool | None) -> None:
    assert within("", Sample.of(values), 2.0, "", seeds=4).holds is holds


def test_variation_between_seeds_alone_is_no_difference() -> None:
    """The mean of absolute differences is 3, above the limit of 2; that of signed ones is 0."""
    values = [3.0, -3.0] * 20
    claim = within("", Sample.of(values), 2.0, "", seeds=40)
    assert claim.sample is not None
    assert (claim.sample.mean, claim.holds) == (0.0, True)


def test_a_distance_has_to_lie_below_its_limit() -> None:
    # Mean 0.08 or 0.12, deviation 0.00816, half width 0.01299.
    assert at_most("", Sample.of([0.07, 0.08, 0.08, 0.09]), 0.1, "").holds is True
    assert at_most("", Sample.of([0.11, 0.12, 0.12, 0.13]), 0.1, "").holds is False
    assert at_most("", Sample.of([0.09, 0.10, 0.10, 0.11]), 0.1, "").holds is None


def test_the_share_in_the_box_rises_and_has_a_sample_for_holm_and_for_seeds_added_later() -> None:
    name = "share of the nats inside the digit's box, β = "
    (claim,) = share_rises(figures({f"{name}0.1": 10.0, f"{name}1": 15.0, f"{name}2": 30.0}))
    assert (claim.text, claim.holds) == ("The share of the information inside the digit's box rises with β", True)
    assert claim.evidence.startswith("10 → 15 → 30 %; last − first 20 [")
    assert claim.sample is not None
    assert claim.sample.mean == pytest.approx(20.0)
    assert len(claim.steps) == 2
    # Of two seeds any interval that is valid at any number is unbounded.
    few = figures({f"{name}0.1": 10.0, f"{name}1": 30.0}, (0.0, 0.1))
    assert share_rises(few)[0].judged_anytime().holds is None
    (fallen,) = share_rises(figures({f"{name}0.1": 30.0, f"{name}1": 10.0}))
    assert fallen.holds is False
    assert share_rises(figures({f"{name}0.1": 10.0})) == []


def test_the_last_layer_is_compared_with_the_first_at_the_largest_beta() -> None:
    name = "share inside the box, dropout"
    found = figures(
        {f"{name}1, β = 0.1": 50.0, f"{name}1, β = 2": 20.0, f"{name}3, β = 0.1": 10.0, f"{name}3, β = 2": 30.0}
    )
    (claim,) = deeper_selects(found)
    assert claim.text.startswith("At β = 2 the last dropout layer is more selective than the first")
    assert claim.holds is True
    assert claim.sample is not None
    assert claim.sample.mean == pytest.approx(10.0)
    assert deeper_selects(figures({f"{name}1, β = 2": 20.0})) == []
    assert [one.published for one in of_cluttered(found)] == [True]


def test_the_main_task_is_labeled_by_its_noise_and_names_the_epochs_that_were_set_after_a_result() -> None:
    rows = {"test error, object, β = 0.01": 50.0, "test error, object, β = 1": 48.0}
    rows |= {"test error with noise, object, β = 0.01": 52.0, "test error with noise, object, β = 1": 53.0}
    clean, noisy = main_task_improves(figures(rows))
    assert clean.text == "The main task improves without noise (D): lower error at β = 1 than at β = 0.01"
    assert (clean.holds, noisy.holds) == (True, False)
    assert "with noise (N)" in noisy.text
    assert clean.evidence.endswith("24 epochs, set after the error had risen by 3.4 points with 8")
    other = main_task_improves(figures({"test error, object, β = 0.1": 50.0, "test error, object, β = 3": 48.0}))
    assert "epochs" not in other[0].evidence


def test_errors_are_called_errors() -> None:
    rows = {"test error, object, β = 0.01": 50.0, "test error, object, β = 1": 48.5}
    rows |= {"test accuracy on the digit, β = 0.01": 40.0, "test accuracy on the digit, β = 1": 20.0}
    kept, drops = retained(figures(rows))
    assert kept.evidence.startswith("error 50 % → 48.5 %; first − last 1.5 [1.5, 1.5], required above -2")
    assert drops.sample is not None
    assert drops.sample.mean == pytest.approx(21.5)
    assert "accuracy on the nuisance 40 % → 20 %, error on the main task 50 % → 48.5 %" in drops.evidence


@pytest.mark.parametrize(("training", "holds"), [(None, None), (24.0, None), (19.0, True)])
def test_a_falling_error_is_judged_only_where_the_smallest_beta_overfits(training: float | None, holds: object) -> None:
    """Half of the test error of 40 % is 20 %."""
    rows = {"test error, β = 0.1": 40.0, "test error, β = 1": 30.0}
    if training is not None:
        rows |= {"training error, β = 0.1": training, "training error, β = 1": 25.0}
    (claim,) = overfitting_falls(figures(rows))
    assert claim.holds is holds
    assert claim.text.startswith("The test error falls as β rises")
    assert ("not judged" in claim.evidence) is (holds is None)
    assert (claim.sample is None) is (holds is None)


def test_an_overfitting_network_can_contradict_a_falling_error() -> None:
    rows = {"test error, β = 0.1": 40.0, "test error, β = 1": 45.0, "training error, β = 0.1": 5.0}
    assert overfitting_falls(figures(rows))[0].holds is False


@pytest.mark.parametrize(("nats", "guess"), [(0.005, True), (3.0, False)])
def test_a_drastic_error_names_the_nats_that_are_left(nats: float, guess: bool) -> None:
    rows = {
        "test error, β = 0.1": 40.0,
        "test error, β = 1": 39.0,
        "nats per image, all layers, too large β = 30": nats,
    }
    (claim,) = drastic(figures({**rows, "test error, too large β = 30": 90.0}))
    assert claim.text == (
        "At β = 30, too large, the test error is drastically higher than at β = 0.1, by more than 10 points"
    )
    assert claim.holds is True
    assert f"{nats:g} nats are left at β = 30" in claim.evidence
    assert ("follows from the choice of β" in claim.evidence) is guess
    assert drastic(figures({**rows, "test error, too large β = 30": 45.0}))[0].holds is False
    assert drastic(figures(rows)) == []


def test_claims_on_relu_do_not_count_as_those_of_a_figure_with_softplus() -> None:
    flow = experiments("information-dropout")["flow"]
    rows = {"nats per image, dropout1, β = 2": 10.0, "nats per image, dropout2, β = 2": 5.0}
    (claim,) = flow.further(figures(rows))
    assert (claim.holds, claim.published) == (True, False)
    assert flow.place(claim.text) == ""


def test_information_dropout_is_compared_with_every_method_of_the_table() -> None:
    errors = {
        "no dropout": (5.0, 4.0),
        "binary dropout, rate 0.5": (12.0, 7.0),
        "constant log-normal, mean 1.28": (9.0, 8.0),
        "constant log-normal, unit mean": (8.0, 7.0),
        "constant log-normal, α chosen": (5.5, 4.5),
        "binary dropout, rate chosen": (6.0, 5.5),
        "information dropout, β chosen": (5.2, 4.1),
    }
    rows = {
        f"test error, {name}, width {width}": value
        for name, pair in errors.items()
        for width, value in zip((32, 256), pair, strict=True)
    }
    claims = by_text(of_mlp(figures(rows)))
    assert len(claims) == 14
    small = "At the smallest width (32) information dropout has a lower error than "
    means = {text.removeprefix(small): one.sample.mean for text, one in claims.items() if small in text and one.sample}
    assert means == pytest.approx(
        {
            "binary dropout, rate 0.5": 6.8,
            "constant log-normal noise of unit mean": 2.8,
            "constant log-normal noise of mean 1.28": 3.8,
            "constant log-normal noise with a chosen α": 0.3,
            "binary dropout with a chosen rate": 0.8,
            "no dropout": -0.2,
        }
    )
    assert {text for text, one in claims.items() if one.published} == {
        f"{start}{text}"
        for start in (small, small.replace("At the smallest width (32)", "Width 256:"))
        for text in (
            "binary dropout, rate 0.5",
            "constant log-normal noise of unit mean",
            "binary dropout with a chosen rate",
        )
    } | {
        f"Its advantage over {text} is larger at the smallest width than at the largest"
        for text in ("binary dropout, rate 0.5", "binary dropout with a chosen rate")
    }
    larger = claims["Its advantage over binary dropout, rate 0.5 is larger at the smallest width than at the largest"]
    assert larger.sample is not None
    assert larger.sample.mean == pytest.approx(6.8 - 2.9)
    mlp = experiments("information-dropout")["mlp"]
    assert all("the paper states no rate" in mlp.place(text) for text in claims if "binary" in text)


def test_one_width_supports_no_claim_on_sizes_and_names_of_stored_claims_are_kept() -> None:
    rows = {"test error, no dropout, width 0.125": 49.0, "test error, information dropout, width 0.125": 50.0}
    (claim,) = of_cifar(figures(rows))
    assert claim.text == "Width 0.125: information dropout has a lower error than no dropout"
    assert claim.holds is False


def test_bounds_are_similar_by_their_signed_difference() -> None:
    rows = [
        Row("bound on log p(x), Gaussian latent, k = 0.5", [-100.0, -103.0, -100.0, -103.0], "nats"),
        Row("bound on log p(x), information dropout, k = 0.5", [-101.4, -104.6, -101.6, -104.4], "nats"),
    ]
    (claim,) = of_vae(figures_of(rows))
    assert claim.text == "k = 0.5: the two bounds lie within 2 nats of each other"
    assert claim.holds is True
    assert claim.evidence.startswith("differ by 1.5 nats on average, limit 2, in favor of the Gaussian latent")
    rows[1] = Row("bound on log p(x), information dropout, k = 0.5", [-104.0, -107.1, -104.1, -107.0], "nats")
    assert of_vae(figures_of(rows))[0].holds is False


def test_seeds_that_were_added_to_the_autoencoders_are_taken_into_account() -> None:
    vae = experiments("information-dropout")["vae"]
    assert vae.planned("cpu", 5) == {"planned_seeds": 3}
    assert vae.planned("cpu", 3) == {}


def test_the_total_hardly_varies_by_its_mean_relative_change() -> None:
    """Ratios of 0.7, 1.3, 0.7, ... differ from 1 by 0.3 each and by 0 on average."""
    name = "nats per image, all layers, width "
    large = Row(f"{name}1", [100.0] * 24)
    (claim,) = hardly_varies(figures_of([Row(f"{name}0.5", [70.0, 130.0] * 12), large]))
    assert claim.holds is True
    assert claim.evidence.startswith("width 0.5 over width 1: 1 [")
    (lower,) = hardly_varies(figures_of([Row(f"{name}0.5", [59.0, 61.0] * 12), large]))
    assert lower.holds is False
    assert "differs from 1 by 0.4 on average, limit 0.25" in lower.evidence


def test_a_unit_is_an_activation_also_where_channels_are_stored() -> None:
    channels = {
        "nats per unit and image, dropout1, width 0.25": 40.0,
        "nats per unit and image, dropout2, width 0.25": 15.0,
    }
    (claim,) = activations_of_second_layer(figures(channels))
    assert claim.sample is not None
    assert (claim.holds, claim.published, claim.sample.mean) == (True, True, pytest.approx(20.0))
    activations = {"nats per activation, dropout1, width 0.25": 2.0, "nats per activation, dropout2, width 0.25": 1.0}
    (other,) = activations_of_second_layer(figures({**channels, **activations}))
    assert (other.text, other.holds) == (claim.text, False)
    place = experiments("information-dropout")["sizes"].place(claim.text)
    assert "relevant to the task" in place
    assert "settled after the claim had failed for channels" in place


def test_priors_are_named_as_what_they_are() -> None:
    distance = "Kolmogorov distance from the "
    uniform, fitted = follow_priors(
        figures(
            {f"{distance}log-uniform prior, relu": 0.3, f"{distance}log-normal prior, softplus": 0.02}, (0.0, 0.001)
        )
    )
    assert (uniform.holds, fitted.holds) == (False, True)
    assert uniform.evidence.startswith("distance 0.3")
    assert "a log-normal fitted to the same ones, limit 0.1" in fitted.evidence
    (learned,) = follow_priors(figures({f"{distance}learned log-normal prior, softplus": 0.02}, (0.0, 0.001)))
    assert learned.text == fitted.text
    assert "the layer's learned prior" in learned.evidence
