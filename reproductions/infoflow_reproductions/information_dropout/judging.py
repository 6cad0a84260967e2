"""Rules that the claims on this paper's stored figures share."""

from __future__ import annotations

import re
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import Sample
from infoflow_reproductions.harness.row_claims import Figures


def over(figures: Figures, beginning: str, symbol: str = "β = ") -> list[tuple[float, Sample]]:
    """Return the figures of one quantity in the order of a setting.

    Parameters
    ----------
    figures
        Figures by name.
    beginning
        Beginning of the names, before the comma.
    symbol
        Text between the comma and the value of the setting.

    Returns
    -------
    list of (float, Sample)
        Value of the setting and figure.
    """
    found = []
    for name, sample in figures.items():
        match = re.fullmatch(rf"{re.escape(beginning)}, {re.escape(symbol)}([\d.]+)", name)
        if match:
            found.append((float(match[1]), sample))
    return sorted(found, key=lambda pair: pair[0])


def at_most(text: str, figure: Sample, limit: float, evidence: str) -> Claim:
    """Return the claim that a mean lies below a limit.

    Parameters
    ----------
    text
        The claim.
    figure
        The figure.
    limit
        Value that it may not exceed.
    evidence
        The figures that decide it.

    Returns
    -------
    Claim
        It holds where the 95 % interval of the mean lies below the limit, and does not hold where it lies above.
    """
    sample = replace(figure.times(-1), threshold=-limit)
    return Claim(text, sample.above, evidence, sample=sample, seeds=figure.n)
