"""Claims that follow from the figures of a table, for the paper's own figures and for stored ones."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from infoflow_reproductions.deep_infomax import EXPERIMENTS, divergences, published, table_claims
from infoflow_reproductions.deep_infomax.methods import LABELS
from infoflow_reproductions.harness.inference import Sample

SEEDS = 5


def figures(means: Mapping[str, float], deviation: float = 0.5) -> dict[str, Sample]:
    return {name: Sample(mean, deviation, SEEDS) for name, mean in means.items()}


def of_table(
    table: Mapping[str, tuple[float, ...]], supervised: float, layers: tuple[str, ...] = published.LAYERS
) -> dict[str, Sample]:
    means = {f"{LABELS[name]}: {layer}": row[i] for name, row in table.items() for i, layer in enumerate(layers)}
    return figures({**means, "supervised: its own accuracy": supervised})


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("table1", of_table(published.TABLE1, published.SUPERVISED)),
        ("table1-cifar100", of_table(published.TABLE1_CIFAR100, published.SUPERVISED_CIFAR100)),
        ("table2", of_table(published.TABLE2_TINY_IMAGENET, published.SUPERVISED_TINY_IMAGENET)),
    ],
)
def test_the_papers_own_figures_support_its_claims_on_every_layer(name: str, found: dict[str, Sample]) -> None:
    claims = EXPERIMENTS[name].further(found)
    # JSD on two layers and InfoNCE on three, each above five methods; the supervised one; DIM(G) of Table 1.
    assert len(claims) == 2 * 5 + 3 * 5 + 1 + name.startswith("table1")
    assert all(claim.holds for claim in claims)
    assert all(claim.of_figures and EXPERIMENTS[name].place(claim.text) for claim in claims)


def test_the_tasks_help_the_vector_more_than_the_map_by_the_difference_of_both_gains() -> None:
    names = {"dim": "DIM", **{task: f"DIM + {task}" for task in ("coordinates", "occlusion", "both")}}
    means = {
        f"6 epochs, {names[task]}: {layer}": row[i]
        for task, row in published.TABLE4.items()
        for i, layer in enumerate(published.LAYERS)
    }
    claims = {claim.text: claim for claim in EXPERIMENTS["table4"].further(figures(means))}
    both = claims["6 epochs, coordinates and occlusion together help more on Y than on conv"]
    assert both.holds
    # (73.99 − 70.65) − (77.27 − 77.46)
    assert both.sample is not None
    assert both.sample.mean == pytest.approx(3.53)
    # Four independent means of deviation 0.5 over five seeds.
    assert both.sample.deviation / both.sample.n**0.5 == pytest.approx((4 * 0.5**2 / SEEDS) ** 0.5)
    assert len(claims) == 3


def test_a_weight_of_half_the_local_one_is_no_small_amount() -> None:
    means = {
        f"α = {a:g}, β = {b:g}, γ = 0: Y": 40 + 10 * b + (3 if a == 0.1 else 0)
        for a in (0.0, 0.1, 0.5)
        for b in (0.5, 1.0)
    }
    claims = EXPERIMENTS["ablation"].further(figures(means))
    assert [(claim.text, claim.holds) for claim in claims] == [
        (f"a small amount of α (0.1) helps on Y, at β = {b:g}, γ = 0", True) for b in (0.5, 1.0)
    ]
    larger = {name: mean for name, mean in means.items() if "α = 0.1," not in name}
    assert table_claims.ablation(figures(larger)) == []


def test_dependence_after_a_sigmoid_is_no_claim_of_the_paper() -> None:
    """Section 4.2 applies the sigmoid to DIM alone; stored claims with the same texts are replaced by these."""
    falling = figures({f"β = {beta:g}: NDM (sigmoid)": 5 - beta for beta in (0.1, 0.5, 1.0, 4.0)}, 0.1)
    claims = EXPERIMENTS["ndm"].further(falling)
    assert [claim.text for claim in claims] == [
        "NDM (sigmoid) falls as β rises",
        "NDM (sigmoid) is lower at β = 4 than at β = 0.1",
    ]
    assert all(claim.holds and not claim.published for claim in claims)
    assert EXPERIMENTS["ndm"].further(figures({"β = 1: NDM (sigmoid)": 2.0})) == []


def test_losses_of_both_bounds_are_compared_at_every_number_of_negatives() -> None:
    means = {
        "DIM(L) JSD, 1 negative: Y": 43.0,
        "DIM(L) JSD, 64 negatives: Y": 46.6,
        "DIM(L) JSD, 4032 negatives: Y": 47.0,
        "DIM(L) InfoNCE, 1 negative: Y": 44.0,
        "DIM(L) InfoNCE, 64 negatives: Y": 46.5,
        "DIM(L) InfoNCE, 4032 negatives: Y": 48.5,
    }
    few, insensitive, between = EXPERIMENTS["negatives"].further(figures(means, 0.1))
    assert few.holds is False
    assert insensitive.holds is False
    assert "a limit of this reproduction" in insensitive.text
    assert insensitive.sample is not None
    assert insensitive.sample.mean == pytest.approx(-3.0)
    assert "limit − loss -3 [" in insensitive.evidence
    assert between.text == "from 4032 negatives to 64, InfoNCE loses more on Y than Jensen–Shannon"
    assert between.holds
    assert between.evidence.startswith("2 against 0.4 points, difference 1.6 [")


def by_seed(values: Mapping[str, list[float]]) -> dict[str, Sample]:
    return {name: Sample.of(some) for name, some in values.items()}


def test_the_supervised_classifier_is_compared_on_the_best_layer_of_the_paper() -> None:
    """Tables 1 and 2, DIM(L) (NCE): 75.57 on fc, 49.74 on conv, 38.09 on fc, 72.57 on conv."""
    best = {"table1": "fc", "table1-cifar100": "conv", "table2": "fc", "table2-stl10": "conv"}
    for name, layer in best.items():
        other = {"fc": "conv", "conv": "fc"}[layer]
        found = figures({f"DIM(L) InfoNCE: {layer}": 50.0, f"DIM(L) InfoNCE: {other}": 60.0, OWN: 60.0}, 0.1)
        (claim,) = EXPERIMENTS[name].further(found)
        assert f"on {layer}, its best layer in the paper" in claim.text
        assert claim.holds is False  # 10 points below, although the other layer is not


OWN = "supervised: its own accuracy"


def test_the_figures_of_table_3_support_its_sentences_on_information_and_reconstruction() -> None:
    names = {f"{LABELS[method]}: {name}": one for method, row in published.TABLE3.items() for name, one in row.items()}
    claims = {claim.text: claim for claim in EXPERIMENTS["table3"].further(figures(names, 0.01))}
    expected = {
        "Î(X;Y) by MINE: the combined terms DIM(L+G) score above DIM(L)": 101.65 - 45.09,
        "Î(X;Y) by MINE: the combined terms DIM(L+G) score above DIM(G)": 101.65 - 49.63,
        "Î(X;Y) by MINE: the combined terms DIM(L+G) score above VAE": 101.65 - 93.02,
        "Î(X;Y) by MINE: reconstruction (VAE) scores above DIM(L)": 93.02 - 45.09,
        "MS-SSIM: the global objective DIM(G) reconstructs better than the local one DIM(L)": 0.49 - 0.37,
        "MS-SSIM: a small amount of β improves reconstruction, DIM(L+G) above DIM(G)": 0.53 - 0.49,
    }
    assert {text: claim.sample.mean for text, claim in claims.items() if claim.sample} == pytest.approx(expected)
    assert all(claim.holds for claim in claims.values())
    turned = EXPERIMENTS["table3"].further(figures({name: -one for name, one in names.items()}, 0.01))
    assert {claim.holds for claim in turned} == {False}
    assert EXPERIMENTS["table3"].further(figures({"VAE: MS-SSIM": 0.7})) == []


@pytest.mark.parametrize(
    ("differences", "holds", "low", "high"),
    [
        # Mean 0.4, deviation 0.2, t(0.975, 2) = 4.303: 0.4 ± 0.497.
        ([0.2, 0.4, 0.6], True, -0.09683, 0.8968),
        ([-0.2, -0.4, -0.6], True, -0.8968, 0.09683),
        ([2.0, 2.2, 2.4], False, 1.7032, 2.6968),
        ([-2.0, -2.2, -2.4], False, -2.6968, -1.7032),
        ([0.8, 1.0, 1.2], None, 0.5032, 1.4968),
        # Seeds that differ by much more than the limit, but in both directions: no difference was shown.
        ([3.0, -3.0, 3.0, -3.0], None, -5.5123, 5.5123),
    ],
)
def test_means_are_alike_where_the_interval_of_their_difference_lies_within_the_limit(
    differences: list[float], holds: bool | None, low: float, high: float
) -> None:
    found = by_seed({"DIM(G): Y": [30 + one for one in differences], "DIM(G), next-to-last map: Y": [30.0] * 4})
    other = Sample.of([30.0] * len(differences))
    (claim,) = EXPERIMENTS["choices"].further({**found, "DIM(G), next-to-last map: Y": other})
    assert "less than 1 point, a limit of this reproduction" in claim.text
    assert claim.holds is holds
    mean = sum(differences) / len(differences)
    assert f"difference {mean:.4g} [{low:.4g}, {high:.4g}], limit ±1 points" in claim.evidence


def ndm(values: Mapping[float, list[float]]) -> dict[str, Sample]:
    return by_seed({f"β = {beta:g}: NDM": some for beta, some in values.items()})


def test_ndm_may_rise_between_the_two_weights_that_the_paper_calls_similar_and_nowhere_else() -> None:
    seeds = (0.0, 0.01, 0.02, 0.03, 0.04)

    def judged(means: Mapping[float, float]) -> dict[str, bool | None]:
        claims = EXPERIMENTS["ndm"].further(ndm({beta: [mean + s for s in seeds] for beta, mean in means.items()}))
        return {claim.text.partition(" (")[0]: claim.holds for claim in claims}

    falls, alike = "NDM falls as β rises", "NDM is similar at β = 0.5 and 1"
    # The fall is 3 nats, a quarter of it 0.75.
    assert judged({0.1: 4.0, 0.5: 2.0, 1.0: 2.5, 4.0: 1.0}) == {
        falls: True,
        "NDM is lower at β = 4 than at β = 0.1": True,
        alike: True,
    }
    assert judged({0.1: 4.0, 0.5: 2.0, 1.0: 2.8, 4.0: 1.0})[alike] is False
    assert judged({0.1: 4.0, 0.5: 2.8, 1.0: 2.0, 4.0: 1.0})[alike] is False
    # A rise of 0.5 elsewhere.
    assert judged({0.1: 4.0, 0.5: 2.0, 1.0: 2.0, 2.0: 2.5, 4.0: 1.0})[falls] is False


def test_consistency_counts_deviations_over_networks_and_over_models() -> None:
    """At β = 4, deviations 0.3 over networks and 0.4 over two models: 0.5, as (0.4/√2)² · 2 = 0.4²."""
    offset = 0.4 / 2**0.5
    claim = divergences.consistent({0.1: [10.0, 10.0], 4.0: [6 - offset, 6 + offset]}, {0.1: [0.0] * 2, 4.0: [0.3] * 2})
    assert claim.sample is not None
    assert claim.sample.mean == pytest.approx(0.25 * 4 - 0.5)
    assert "networks and models" in claim.text


PLACES = (
    (
        "ablation-maps",
        "at γ = 0 Î(X;Y) by MINE is higher with α = 1 and β = 0.1 than with the global term alone",
        "MINE",
    ),
    (
        "ablation-maps",
        "at γ = 0 Î(X;Y) by MINE is higher with α = 1 and β = 0.1 than with the local term alone",
        "MINE",
    ),
    ("ablation-maps", "at γ = 0 the local term alone is above the global one on Y", "good classification"),
    ("ablation-maps", "at γ = 0 the global term alone reconstructs better than the local one", "good reconstruction"),
    ("ablation-maps", "at γ = 0 a small amount of α (0.1) helps on Y", "small amount of α"),
    ("ablation-maps", "at γ = 0 a small amount of β (0.1) improves reconstruction", "small amount of β"),
    ("ablation-maps", "NDM is lower with γ = 0.1 than with γ = 0, at α = 0, β = 1", "as measured by NDM"),
    ("ablation", "at γ = 0 the local term alone is above the global one on Y", "good classification"),
    ("ablation", "a small amount of α (0.1) helps on Y, at β = 1, γ = 0", "small amount of α"),
    ("ablation", "a small amount of the prior term (0.1) helps on Y, at α = 0, β = 1", "effect of the prior"),
    ("table1", "DIM(L) InfoNCE is above DIM(L) JSD on Y", "appendix A.2"),
    ("table1", "DIM(L) JSD is above DIM(L) Donsker–Varadhan on Y", "KL-based"),
    ("table1", "DIM(L) InfoNCE is above VAE on conv", "whichever layer"),
    ("table1", "DIM(L) InfoNCE is above VAE on Y", "on all data sets and layers"),
    ("table1", "DIM(L) InfoNCE approaches or surpasses a supervised classifier (on fc)", "caption of Table 1: DIM(L)"),
    ("table1-cifar100", "VAE is above DIM(G) on Y", "falls short"),
    ("table2", "DIM(L) InfoNCE is above VAE on Y", "caption of Table 2: the local objective outperforms"),
    ("table2-stl10", "DIM(L) JSD is above VAE after semi-supervised fine-tuning", "column SS"),
    ("table3", "Î(X;Y) by MINE: the combined terms DIM(L+G) score above DIM(G)", "γ is 0.1 for DIM(L+G)"),
    ("table3", "Î(X;Y) by MINE: the combined terms DIM(L+G) score above VAE", "score very high"),
    ("table3", "Î(X;Y) by MINE: reconstruction (VAE) scores above DIM(L)", "VAE and AAE"),
    ("table3", "MS-SSIM: the global objective DIM(G) reconstructs better than the local one DIM(L)", "section 1"),
    ("table3", "MS-SSIM: a small amount of β improves reconstruction, DIM(L+G) above DIM(G)", "appendix A.4"),
    ("table3", "MS-SSIM and Î(X;Y) order the methods alike (rank correlation above 0)", "correlates"),
    ("table3", "VAE has a lower NDM than BiGAN", "lower dependence"),
    ("table4", "6 epochs, coordinates help more on Y than on conv", "highly compressed"),
    ("table4", "6 epochs, coordinates help on Y", "section 4.3"),
    ("negatives", "InfoNCE is better on Y with 4032 negatives than with 1", "NCE declines"),
    ("negatives", "from 4032 negatives to 64, InfoNCE loses more on Y than Jensen–Shannon", "while NCE declines"),
    ("ndm", "NDM is similar at β = 0.5 and 1 (within 0.25 of the fall)", "similar numbers"),
    ("ndm", "NDM of samples is consistent: its deviation", "relatively low"),
    ("ndm", "NDM falls as β rises", "downward trend"),
    (
        "choices",
        "the local objective is better on Y with the next-to-last map than with the last one",
        "last layer alone",
    ),
    ("choices", "the global objective is insensitive to the layer", "was insensitive"),
)


@pytest.mark.parametrize(("name", "claim", "part"), PLACES)
def test_every_claim_has_the_place_of_its_own_sentence(name: str, claim: str, part: str) -> None:
    assert part in EXPERIMENTS[name].place(claim)
