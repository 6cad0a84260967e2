"""Claims on the figures of Table 3, judged from the published figures themselves and from others."""

from __future__ import annotations

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


def test_the_published_figures_support_every_claim() -> None:
    found = claims(PUBLISHED, deviation=0.02)
    assert len(found) == 6
    assert all(claim.holds and claim.published for claim in found)
    places = {claim.text: EXPERIMENTS["table3"].place(claim.text) for claim in found}
    assert len(set(places.values())) == 4
    assert places[found[-1].text].endswith("oursTexture's digit accuracy is lower; Table 3")
    assert places[found[-2].text].endswith("outperforms the flow-based model; Table 3")


def test_other_figures_do_not() -> None:
    other = {("baseline", "best_digit"): (16.0, 94.0), ("ifm", "best_digit"): (39.0, 50.0)}
    assert [claim.holds for claim in claims(other)] == [False, False, False]
    swapped = {("ifm", "best_digit"): (30.0, 50.0), ("ifm", "best_texture"): (35.0, 45.0)}
    assert [claim.holds for claim in claims(swapped)] == [False, False]
    assert all(claim.holds is None for claim in claims(other, deviation=5.0))


def test_the_last_epoch_is_no_claim_of_the_paper() -> None:
    found = claims({("baseline", "last"): (11.0, 96.0)})
    assert [claim.published for claim in found] == [False, False]
