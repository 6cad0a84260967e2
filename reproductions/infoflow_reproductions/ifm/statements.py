"""Where the paper states the claims, and claims that follow from the figures of Table 3 alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim
from infoflow_reproductions.harness.inference import PERCENT, Sample
from infoflow_reproductions.harness.row_claims import Figures, exceeds
from infoflow_reproductions.harness.seeds import seed_count
from infoflow_reproductions.ifm.methods import METHODS

SENTENCES: Mapping[str, Sequence[tuple[str, str]]] = {
    "table3": (
        ("texture above 95 %", "section 4.4, first paragraph: baselines reach above 95 % on the texture; Table 3"),
        ("slightly above", "section 4.4, first paragraph: baselines are slightly above 10 % on the digit; Table 3"),
        ("iCE fi-RevNet", "section 4.4, second paragraph: oursDigit also outperforms the flow-based model; Table 3"),
        ("at the epoch by the digit", "section 4.4, second paragraph: oursTexture's digit accuracy is lower; Table 3"),
        ("is later than", "section 4.4, second paragraph: the digit is more difficult to learn, perhaps still halfway"),
        ("", "section 4.4, second paragraph: digit 'much higher' than the baseline's (tested: higher); Table 3"),
    ),
}
"""Experiment -> parts of claims and the places of their sentences."""

REVNET = 40.01
"""Published digit accuracy of iCE fi-RevNet, in percent."""

_TEXTURE, _GUESSING = 95.0, 10.0
# Distance in points that counts as "slightly above", the tolerance of the rows.
_SLIGHTLY = 5.0
_CHOSEN = {"best digit": "epoch chosen by the digit", "best texture": "epoch chosen by the texture"}
# At the last epoch, which the paper does not report.
_RELIES, _IGNORES = 90.0, 20.0


def of_table(figures: Figures) -> list[Claim]:
    """Return the claims on single figures of the table and on two of them.

    Parameters
    ----------
    figures
        Figures by name.

    Returns
    -------
    list of Claim
        Cross-entropy's texture and digit against the paper's numbers at the selected epochs (and at the last one, which
        the paper does not report), and the published flow's digit against cross-entropy's at the same epochs, against
        iCE fi-RevNet and between both selections.
    """
    base = METHODS["baseline"].title
    claims = []
    for selection, words in _CHOSEN.items():
        texture, digit = (figures.get(f"{base}, {selection}: {factor}") for factor in ("texture", "digit"))
        if texture is None or digit is None:
            continue
        text = f"cross-entropy alone, {words}: texture above {_TEXTURE:g} %"
        claims.append(_beyond(text, texture, _TEXTURE))
        limit = _GUESSING + _SLIGHTLY
        text = f"cross-entropy alone, {words}: digit at most slightly above {_GUESSING:g} % (below {limit:g} %)"
        claims.append(_below(text, digit, limit))
    texture, digit = (figures.get(f"{base}, last: {factor}") for factor in ("texture", "digit"))
    if texture is not None and digit is not None:
        text = f"cross-entropy alone relies on the texture: texture above {_RELIES:g} %"
        claims.append(_beyond(text, texture, _RELIES, published=False))
        text = f"cross-entropy alone ignores the digit: digit below {_IGNORES:g} %"
        claims.append(_below(text, digit, _IGNORES, published=False))
    return [*claims, *_of_flow(figures)]


def _of_flow(figures: Figures) -> list[Claim]:
    """Return the claims on the published flow's digit accuracy."""
    base, flow = METHODS["baseline"].title, METHODS["ifm"].title
    claims = []
    for selection, words in _CHOSEN.items():
        with_flow, without = (figures.get(f"{name}, {selection}: digit") for name in (flow, base))
        if with_flow is not None and without is not None:
            text = f"{flow} recognizes the digit better than {base} alone, {words} (any gain counts)"
            claims.append(exceeds(text, with_flow, without, "% of the digits"))
    with_flow, without = (figures.get(f"{name}, last: digit") for name in (flow, base))
    if with_flow is not None and without is not None:
        text = f"last epoch: {flow} has a higher digit accuracy than {base} alone"
        claims.append(exceeds(text, with_flow, without, "% of the digits", published=False))
    by_digit, by_texture = (figures.get(f"{flow}, {selection}: digit") for selection in _CHOSEN)
    if by_digit is not None:
        text = f"{flow}, epoch chosen by the digit: digit above the published {REVNET:g} % of iCE fi-RevNet"
        claims.append(_beyond(text, by_digit, REVNET))
    if by_digit is not None and by_texture is not None:
        text = f"{flow}: the digit accuracy at the epoch chosen by the texture is below that at the epoch by the digit"
        claim = exceeds(text, by_digit, by_texture, "% of the digits")
        claims.append(replace(claim, evidence=f"{claim.evidence}; choosing the epoch by the digit favors this"))
    return claims


def _beyond(text: str, figure: Sample, threshold: float, *, published: bool = True) -> Claim:
    sample = replace(figure, threshold=threshold, low=PERCENT[0], high=PERCENT[1])
    return Claim(text, sample.above, _evidence(sample, "above"), published, sample=sample)


def _below(text: str, figure: Sample, threshold: float, *, published: bool = True) -> Claim:
    """Judge by the complement, since a claim's sample lies above its threshold where the claim holds."""
    whole = PERCENT[1]
    shown = replace(figure, threshold=threshold, low=PERCENT[0], high=whole)
    sample = replace(shown, mean=whole - figure.mean, threshold=whole - threshold)
    return Claim(text, sample.above, _evidence(shown, "below"), published, sample=sample)


def _evidence(sample: Sample, side: str) -> str:
    return f"{sample.text()} %, required {side} {sample.threshold:g}, {seed_count(sample.n)}"
