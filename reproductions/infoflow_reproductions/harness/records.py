"""Claims as they are stored in results.json, and read back to be judged by today's rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from infoflow_reproductions.harness.findings import DIFFERENCE, FAILED, HELD, MEAN, Claim, Verdict
from infoflow_reproductions.harness.inference import LEVEL, PART, PERCENT, Sample, holm

# A share or correlation, without a unit or in percent, that has to exceed a positive number.
_LEVEL = re.compile(rf"^{DIFFERENCE} (\S+ \[[^]]*\](?: %)?, required above \d)")


def record_of(claim: Claim) -> dict[str, Any]:
    """Return a claim with its verdict and the numbers that the verdict follows from.

    Parameters
    ----------
    claim
        The claim.

    Returns
    -------
    dict
        Values that have a JSON form, but for NaN.
    """
    sample = claim.sample
    return {
        "claim": claim.text,
        "verdict": str(claim.verdict),
        "evidence": claim.evidence,
        "published": claim.published,
        "place": claim.place,
        "reduced": claim.reduced,
        "holds": claim.holds,
        "effect": None if sample is None else sample.effect,
        "p": None if sample is None else sample.p,
        "sample": None if sample is None else sample.record(),
        "steps": [step.record() for step in claim.steps],
        "seeds": claim.seeds,
        **({"of_figures": True} if claim.of_figures else {}),
    }


def claim_of(record: Mapping[str, Any]) -> Claim:
    """Return the claim of a record.

    Parameters
    ----------
    record
        What `record_of` returned, after a passage through JSON.

    Returns
    -------
    Claim
        The claim, whose verdict follows by today's rules.
    """
    sample = record.get("sample")
    claim = Claim(
        record["claim"],
        record["holds"],
        record["evidence"],
        record["published"],
        record.get("place", ""),
        record.get("reduced", ""),
        None if sample is None else _sample(sample),
        tuple(_sample(step) for step in record.get("steps", ())),
        record.get("seeds"),
        bool(record.get("of_figures")),
    )
    return _worded(_symmetric(claim))


def _worded(claim: Claim) -> Claim:
    """Return a claim whose evidence calls a level a mean; earlier versions called correlations and sums differences."""
    return replace(claim, evidence=_LEVEL.sub(rf"{MEAN} \1", claim.evidence))


def _symmetric(claim: Claim) -> Claim:
    """Return a claim about differences with their range, which earlier versions took for that of a level.

    They did so where no difference was negative. Such a range begins at 0 and excluded 0 from every interval.
    """
    old = claim.sample
    if old is None or old.low is None or old.high is None or (old.low, old.high) not in (PERCENT, PART):
        return claim
    if old.low < old.threshold < old.high or f"{DIFFERENCE} {old.mean:.4g}" not in claim.evidence:
        return claim
    new = replace(old, low=-old.high)
    evidence = claim.evidence
    for anytime in (False, True):
        before, after = (replace(one, anytime=anytime).text(mean=False) for one in (old, new))
        evidence = evidence.replace(before, after)
    # A claim that its experiment left undecided for another reason stays so.
    decided = claim.holds is not None and claim.holds is old.above
    return replace(claim, sample=new, evidence=evidence, holds=new.above if decided else claim.holds)


def corrected(claims: Sequence[Claim]) -> list[Verdict | None]:
    """Return the verdicts of a paper's claims when their number is taken into account by Holm's method.

    Parameters
    ----------
    claims
        Every claim of the paper. Published ones and others are a family each.

    Returns
    -------
    list of Verdict or None
        One per claim: "inconclusive" where a decided claim is no longer significant; None for a claim that rests on
        no statistical test.
    """
    p_values = [float("nan") if claim.sample is None else claim.sample.p for claim in claims]
    found: list[Verdict | None] = [None] * len(claims)
    for published in (True, False):
        family = [i for i, claim in enumerate(claims) if claim.published is published]
        for index, p in zip(family, holm([p_values[i] for i in family]), strict=True):
            if claims[index].sample is not None:
                verdict = claims[index].verdict
                decided = verdict in FAILED or verdict in HELD
                found[index] = Verdict.INCONCLUSIVE if decided and not p <= LEVEL else verdict
    return found


def _sample(record: Mapping[str, Any]) -> Sample:
    low, high = (None if record[name] is None else float(record[name]) for name in ("low", "high"))
    mean, deviation, threshold = (float(record[name]) for name in ("mean", "deviation", "threshold"))
    return Sample(mean, deviation, int(record["n"]), threshold, low, high, bool(record["anytime"]))
