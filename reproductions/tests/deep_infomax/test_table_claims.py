"""Claims that follow from the figures of a table, for the paper's own figures and for stored ones."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from infoflow_reproductions.deep_infomax import EXPERIMENTS, published, table_claims
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
    assert len(claims) == 2 * 5 + 1 + name.startswith("table1")
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
