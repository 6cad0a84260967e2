"""Claims on the figures of Table 3, judged from the published figures themselves and from others."""

from __future__ import annotations

import pytest
from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.ifm import EXPERIMENTS
from infoflow_reproductions.ifm.statements import of_table
from infoflow_reproductions.ifm.table3 import PUBLISHED


def claims(figures: dict[tuple[str, str], tuple[float, float]], deviation: float = 0.05) -> list[Claim]:
    """Return the claims from digit and texture accuracies of four seeds."""
    names = {"baseline": "cross-entropy", "ifm": "IFM as published"}
    return of_table(
        {
            f"{names[method]}, {selection.replace('_', ' ')}: {factor}": Sample(mean, deviation, 4)
            for (method, selection), pair in figures.items()
            for factor, mean in zip(("digit", "texture"), pair, strict=True)
        }
    )


GAINS = [
    f"IFM as published recognizes the digit better than cross-entropy alone, epoch chosen by the {factor} (any gain "
    "counts)"
    for factor in ("digit", "texture")
]


def test_the_published_figures_support_every_claim() -> None:
    found = claims(PUBLISHED, deviation=0.02)
    assert len(found) == 8
    assert all(claim.holds and claim.published for claim in found)
    places = {claim.text: EXPERIMENTS["table3"].place(claim.text) for claim in found}
    assert len(set(places.values())) == 5
    assert places[found[-1].text].endswith("oursTexture's digit accuracy is lower; Table 3")
    assert places[found[-2].text].endswith("outperforms the flow-based model; Table 3")
    assert found[-1].evidence.endswith("; choosing the epoch by the digit favors this")
    assert [claim.text for claim in found[4:6]] == GAINS
    assert all("'much higher'" in places[text] and "tested: higher" in places[text] for text in GAINS)


def test_other_figures_do_not() -> None:
    other = {("baseline", "best_digit"): (16.0, 94.0), ("ifm", "best_digit"): (15.0, 50.0)}
    # Texture, digit, gain and iCE fi-RevNet.
    assert [claim.holds for claim in claims(other)] == [False, False, False, False]
    swapped = {("ifm", "best_digit"): (30.0, 50.0), ("ifm", "best_texture"): (35.0, 45.0)}
    assert [claim.holds for claim in claims(swapped)] == [False, False]
    assert all(claim.holds is None for claim in claims(other, deviation=50.0))


def test_gains_are_judged_by_pairs_of_seeds() -> None:
    """Differences of 1, 2 and 3 points in three seeds: mean 2, deviation 1, t of 2 degrees of freedom 4.303."""
    figures = {
        f"{name}, best texture: digit": Sample.of(values)
        for name, values in (("cross-entropy", [10.0, 20.0, 30.0]), ("IFM as published", [11.0, 22.0, 33.0]))
    }
    (claim,) = of_table(figures)
    assert claim.text == GAINS[1]
    assert claim.sample is not None
    half = 4.302652729911275 / 3**0.5
    assert claim.sample.interval == pytest.approx((2 - half, 2 + half))
    assert claim.holds is None
    assert claim.evidence == "22 against 20 % of the digits, difference 2 [-0.4841, 4.484], 3 seeds, paired"


def test_the_last_epoch_is_no_claim_of_the_paper() -> None:
    found = claims({("baseline", "last"): (11.0, 96.0), ("ifm", "last"): (12.0, 95.0)})
    assert [claim.published for claim in found] == [False, False, False]
    assert [claim.holds for claim in found] == [True, True, True]
    assert found[-1].text == "last epoch: IFM as published has a higher digit accuracy than cross-entropy alone"
