"""Counts of verdicts as text, also once the number of claims of a paper is taken into account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from infoflow_reproductions.harness.findings import FAILED, HELD, Verdict
from infoflow_reproductions.harness.records import claim_of, corrected

Judged = tuple[Verdict, Verdict | None]
"""The verdict on a claim, and the one by Holm's method; None where no statistical test decides the claim."""

_PLURALS = {
    Verdict.DIFFERS: "differ",
    Verdict.DIFFERS_REDUCED: "differ at reduced scale",
    Verdict.HOLDS: "hold",
    Verdict.FAILS: "do not hold",
}

WITH_HOLM = (
    "*With Holm* is the verdict once the number of claims of the paper is taken into account; a claim *without a test* "
    "follows from a count, a bound or an order, to which this does not apply."
)
"""What the counts in parentheses are."""


def judged(summaries: Sequence[Mapping[str, Any]]) -> list[list[Judged]]:
    """Return the verdicts on the published claims of a paper.

    Parameters
    ----------
    summaries
        All experiments of the paper, as their claims are corrected together.

    Returns
    -------
    list of list
        For each experiment the verdicts on its published claims.
    """
    claims = [[claim_of(record) for record in summary["claims"]] for summary in summaries]
    by_holm = iter(corrected([claim for some in claims for claim in some]))
    pairs = [[(claim, next(by_holm)) for claim in some] for some in claims]
    return [[(claim.verdict, holm) for claim, holm in some if claim.published] for some in pairs]


def counted(verdicts: Iterable[Judged]) -> str:
    """Return how often each verdict occurs, and how often it remains by Holm's method.

    Parameters
    ----------
    verdicts
        Verdicts on claims.

    Returns
    -------
    str
        Empty without claims.

    Examples
    --------
    >>> found, lost = Verdict.REPRODUCED, Verdict.INCONCLUSIVE
    >>> counted([(found, found), (found, lost), (found, None), (lost, lost)])
    '3 reproduced (1 with Holm, 1 without a test), 1 inconclusive'
    >>> counted([(Verdict.DIFFERS, None)] * 2)
    '2 differ (2 without a test)'
    """
    known = list(verdicts)
    parts = []
    for verdict in Verdict:
        kept = [holm for one, holm in known if one is verdict]
        if not kept:
            continue
        part = f"{len(kept)} {verdict if len(kept) == 1 else _PLURALS.get(verdict, verdict)}"
        if verdict in FAILED or verdict in HELD:
            untested = kept.count(None)
            remain = "none" if (count := kept.count(verdict)) == 0 else str(count)
            reasons = [f"{remain} with Holm"] if untested < len(kept) else []
            reasons += [f"{untested or 'none'} without a test"] if untested else []
            part += f" ({', '.join(reasons)})"
        parts.append(part)
    return ", ".join(parts)
