"""Claims on the batch size that follow from the figures of a table alone."""

from __future__ import annotations

import re
from collections.abc import Mapping

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample, difference
from infoflow_reproductions.harness.row_claims import Figures, exceeds
from infoflow_reproductions.harness.seeds import seed_count
from infoflow_reproductions.milc.classifier import CLASSES

# A network whose accuracy exceeds that of guessing by no more has not learned enough for a comparison.
NEAR_CHANCE = 0.05

_OURS, _BASE = r"mutual information, λ = [\d.]+", "cross-entropy"


def of_batch_sizes(figures: Figures, published_size: int) -> list[Claim]:
    """Return the claims on the accuracy by batch size.

    Parameters
    ----------
    figures
        Figures by name.
    published_size
        Batch size of the paper's table.

    Returns
    -------
    list of Claim
        The paper's: at equal epochs mutual information learning is less accurate at the largest batch size than at the
        smallest, and loses more between them, or gains less, than cross-entropy. As controls the contrast at equal
        steps, since larger batches take fewer steps in equal epochs, whether cross-entropy alone rises at equal epochs,
        and the comparison of Tables 2 and 3, which other experiments judge, at the batch size of the table.
    """
    claims = []
    for budget in ("epochs", "steps"):
        ours, base = (_by_batch_size(figures, loss, budget) for loss in (_OURS, _BASE))
        sizes = sorted(ours.keys() & base.keys())
        if budget == "epochs" and published_size in sizes:
            text = f"B = {published_size}, equal epochs: mutual information learning outperforms cross-entropy"
            pair = ours[published_size], base[published_size]
            claims.append(exceeds(text, *pair, "of test accuracy", published=False))
        if len(sizes) < 2:
            continue
        ends = sizes[0], sizes[-1]
        if budget == "epochs":
            claims.append(_not_rising("mutual information learning's accuracy does not always rise", ends, ours))
        claims.append(_contrast(budget, ends, ours, base))
        if budget == "epochs":
            text = "cross-entropy's accuracy does not always rise either"
            claims.append(_not_rising(text, ends, base, published=False))
    return claims


def _by_batch_size(figures: Figures, loss: str, budget: str) -> dict[int, Sample]:
    matches = ((re.match(rf"{loss}, B = (\d+), equal {budget}", name), sample) for name, sample in figures.items())
    return {int(match[1]): sample for match, sample in matches if match}


def _not_rising(words: str, ends: tuple[int, int], found: Mapping[int, Sample], *, published: bool = True) -> Claim:
    """Return the claim that the accuracy at the smallest batch size is above that at the largest, at equal epochs."""
    smallest, largest = ends
    text = f"equal epochs: {words} (smallest above largest B)"
    unit = f"of test accuracy, B = {smallest} and {largest}"
    claim = exceeds(text, found[smallest], found[largest], unit, published=published)
    return _unless_guessing(claim, min(found[size].mean for size in ends))


def _contrast(budget: str, ends: tuple[int, int], ours: Mapping[int, Sample], base: Mapping[int, Sample]) -> Claim:
    """Return the claim that the accuracy of `ours` falls by more than that of `base`."""
    smallest, largest = ends
    text = (
        f"equal {budget}: from the smallest to the largest batch size the accuracy of mutual information learning "
        "falls by more, or rises by less, than that of cross-entropy"
    )
    four = [one[size] for one in (ours, base) for size in ends]
    found = difference(difference(*four[:2]), difference(*four[2:]))
    low, high = found.interval
    seeds = min(one.n for one in four)
    evidence = (
        f"B = {smallest} → {largest}: mutual information {four[0].mean:.4g} → {four[1].mean:.4g}, cross-entropy "
        f"{four[2].mean:.4g} → {four[3].mean:.4g}; difference of the falls {found.mean:.4g} [{low:.4g}, {high:.4g}], "
        f"{seed_count(seeds)}{', paired' if found.values else ' each'}"
    )
    claim = Claim(text, found.above, evidence, budget == "epochs", sample=found, seeds=seeds)
    return _unless_guessing(claim, min(one.mean for one in four))


def _unless_guessing(claim: Claim, accuracy: float) -> Claim:
    """Return a claim, which is not judged where an accuracy that has to be above guessing is near it."""
    if accuracy > 1 / CLASSES + NEAR_CHANCE:
        return claim
    reason = f"not judged: an accuracy of {accuracy:.4g} is near that of guessing, {1 / CLASSES:g}"
    return Claim(claim.text, None, f"{claim.evidence}; {reason}", claim.published)
