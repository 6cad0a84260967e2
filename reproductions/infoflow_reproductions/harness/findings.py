"""What a reproduction found: figures and published figures, claims and pictures, with verdicts by rule."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from infoflow.core.errors import InvalidArgument
from infoflow_reproductions.harness.inference import CORRELATION, LEVEL, Sample, holm, range_against, range_of
from infoflow_reproductions.harness.seeds import OverSeeds, over_seeds, seed_count

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


FEWEST_TO_DIFFER = 4
"""Number of seeds below which a claim or figure is inconclusive where it would differ."""

DIFFERENCE, MEAN = "difference", "mean"
"""First word of the evidence of a claim about differences, and of one about a level."""

_SHARES = ("", "%", "accuracy", "test accuracy")


class Verdict(StrEnum):
    """The verdicts on figures and claims.

    `HOLDS` and `FAILS` are those on claims that the paper does not make.
    """

    REPRODUCED = "reproduced"
    REPRODUCED_REDUCED = "reproduced at reduced scale"
    DIFFERS = "differs"
    DIFFERS_REDUCED = "differs at reduced scale"
    INCONCLUSIVE = "inconclusive"
    SETTINGS_UNKNOWN = "settings unknown"
    REDUCED_SCALE = "reduced scale"
    NOT_PUBLISHED = "not published"
    HOLDS = "holds"
    FAILS = "does not hold"


FAILED = (Verdict.DIFFERS, Verdict.DIFFERS_REDUCED, Verdict.FAILS)
"""Verdicts on claims that were found not to hold."""
HELD = (Verdict.REPRODUCED, Verdict.REPRODUCED_REDUCED, Verdict.HOLDS)
"""Verdicts on claims that were found to hold."""


@dataclass(frozen=True)
class Row:
    """One figure: its value for every seed, and the published one with a tolerance.

    Parameters
    ----------
    what
        Description of the figure.
    values
        One value per seed.
    unit
        Unit of the values.
    published
        The published figure, if there is one.
    tolerance
        Largest difference from the published figure that counts as reproduced.
    comparable
        Whether the scale of the run permits a comparison.
    settings_known
        Whether the paper states its settings.
    why
        What is smaller than published, or which settings were chosen here.
    certain
        Whether the published figure certainly belongs to this row; otherwise it is "settings unknown".
    floor
        Lowest value that the estimator can give; a row all of whose values lie there is "inconclusive".
    sound
        Whether estimates do not contradict each other; a figure that rests on some that do is "inconclusive".
    ceiling
        Highest possible value, where the unit has none: of an entropy, for example, that of the uniform distribution.

    Raises
    ------
    InvalidArgument
        If there are no values, a published figure has no tolerance, or `why` lacks a required reason.

    Notes
    -----
    The verdict follows by rule. Without a published figure it is "not published"; at a scale that permits no
    comparison, "reduced scale"; with estimates that contradict each other, "inconclusive"; with the mean of two or more
    seeds within `tolerance` of the published figure, "reproduced"; where only one seed or the confidence interval comes
    so close, "inconclusive"; otherwise "differs", or "settings unknown" where the paper does not state its settings.
    With fewer than `FEWEST_TO_DIFFER` seeds it is
    "inconclusive" in place of "differs".

    Examples
    --------
    >>> Row("accuracy", [0.92, 0.93, 0.94], published=0.934, tolerance=0.01).verdict
    <Verdict.REPRODUCED: 'reproduced'>
    """

    what: str
    values: Sequence[float]
    unit: str = ""
    published: float | None = None
    tolerance: float | None = None
    comparable: bool = True
    settings_known: bool = True
    why: str = ""
    certain: bool = True
    floor: float | None = None
    ceiling: float = math.inf
    sound: bool = True

    def __post_init__(self) -> None:
        if not len(self.values):
            raise InvalidArgument("values", f"one value per seed ({self.what})", got_text="none")
        if self.published is not None and self.comparable and self.tolerance is None:
            raise InvalidArgument("tolerance", f"given with a published figure ({self.what})", None)
        if not (self.comparable and self.settings_known) and not self.why:
            raise InvalidArgument("why", f"the reason why {self.what} is not comparable", self.why)

    @property
    def found(self) -> OverSeeds:
        """The mean over seeds and its confidence interval, within the range of the unit and below the ceiling."""
        unit = self.unit or ("accuracy" if self.what.endswith("accuracy") else "")
        span = range_of(unit, self.values)
        if span is not None and math.isinf(span[1]):
            span = (span[0], max(self.ceiling, *self.values))  # estimates may exceed it by rounding
        return over_seeds(self.values, span=span)

    @property
    def verdict(self) -> Verdict:
        """The verdict by the rule of the class."""
        if self.published is None:
            return Verdict.NOT_PUBLISHED
        if not self.comparable:
            return Verdict.REDUCED_SCALE
        if not self.certain:
            return Verdict.SETTINGS_UNKNOWN
        if not self.sound or (self.floor is not None and all(value <= self.floor for value in self.values)):
            return Verdict.INCONCLUSIVE
        tolerance = self.tolerance or 0.0
        found = self.found
        if math.isfinite(found.mean) and abs(found.mean - self.published) <= tolerance:
            return Verdict.REPRODUCED if found.seeds > 1 else Verdict.INCONCLUSIVE
        if not self.settings_known:
            return Verdict.SETTINGS_UNKNOWN
        reaches = found.low - tolerance <= self.published <= found.high + tolerance
        too_few = found.seeds < FEWEST_TO_DIFFER or reaches
        return Verdict.INCONCLUSIVE if too_few else Verdict.DIFFERS


@dataclass(frozen=True)
class Claim:
    """A sentence, whether the results support it, and the figures behind that.

    Parameters
    ----------
    text
        The claim.
    holds
        Whether it holds; None where the difference is not statistically significant.
    evidence
        The figures that decide it.
    published
        Whether the paper makes the claim; False for controls and goals of this reproduction.
    place
        Place of the claim's sentence in the paper; empty for claims that the paper does not make.
    reduced
        What is smaller than in the paper, if anything.
    sample
        The values over seeds on which a statistical test of the claim rests.
    steps
        Differences from each setting to the next, where the claim is about a sequence of settings.
    seeds
        Number of seeds, where that of the sample is a number of degrees of freedom or there is no sample.
    of_figures
        Whether the claim follows from the figures of the table, so that it is found anew when results are collected.

    Examples
    --------
    >>> claim = Claim.above("wider networks err less", [0.02, 0.03, 0.025])
    >>> claim.holds, claim.evidence
    (True, 'difference 0.025 [0.01258, 0.03742] over 3 seeds')
    """

    text: str
    holds: bool | None
    evidence: str
    published: bool = True
    place: str = ""
    reduced: str = ""
    sample: Sample | None = None
    steps: Sequence[Sample] = ()
    seeds: int | None = None
    of_figures: bool = False

    @property
    def verdict(self) -> Verdict:
        """The verdict; the words for published claims differ from those for others."""
        if self.holds is None or (not self.holds and self.too_few):
            return Verdict.INCONCLUSIVE
        if not self.published:
            return Verdict.HOLDS if self.holds else Verdict.FAILS
        if self.reduced:
            return Verdict.REPRODUCED_REDUCED if self.holds else Verdict.DIFFERS_REDUCED
        return Verdict.REPRODUCED if self.holds else Verdict.DIFFERS

    @property
    def too_few(self) -> bool:
        """Whether the claim has too few seeds to be rejected, by a test or by a count over them."""
        seeds = self.seeds or (self.sample.n if self.sample is not None else 0)
        return 0 < seeds < FEWEST_TO_DIFFER

    @classmethod
    def above(
        cls,
        text: str,
        differences: Sequence[float],
        threshold: float = 0.0,
        *,
        unit: str = "",
        published: bool = True,
        span: tuple[float, float] | None = None,
    ) -> Claim:
        """Return a claim that a mean over seeds lies above a threshold.

        Parameters
        ----------
        text
            The claim.
        differences
            One value per seed; of paired seeds their difference.
        threshold
            Value to exceed.
        unit
            Unit of the values.
        published
            Whether the paper makes the claim.
        span
            Range of the values; by default, where the unit has one, that of differences, or that of a level such as a
            share where the threshold lies within it.

        Returns
        -------
        Claim
            It holds where the 95 % interval of the mean lies above the threshold, does not hold where it lies below,
            and is inconclusive otherwise and with a single seed.
        """
        sample = Sample.of(differences, threshold, span=span or range_against(unit, differences, threshold))
        required = f", required above {threshold:g}" if threshold else ""
        # A share, a correlation or a sum of shares that has to exceed a positive number is a level.
        level = (sample.low is not None and sample.low >= 0) or (threshold > 0 and unit in _SHARES)
        level = level or span == CORRELATION
        evidence = f"{MEAN if level else DIFFERENCE} {sample.text()}{f' {unit}' if unit else ''}{required}"
        if sample.n > 1:
            evidence += f" over {sample.n} seeds"
        return cls(text, sample.above, evidence, published, sample=sample)

    @classmethod
    def falling(cls, text: str, curves: Sequence[Sequence[float]], *, published: bool = True) -> Claim:
        """Return a claim that a quantity falls from each setting to the next.

        Parameters
        ----------
        text
            The claim.
        curves
            One sequence per seed, over the settings in order.
        published
            Whether the paper makes the claim.

        Returns
        -------
        Claim
            It holds where the mean over seeds never rises and the 95 % interval of first minus last lies above 0. It
            does not hold where the mean rises significantly at any step or from first to last; the steps are tested
            together by Holm's method.

        Raises
        ------
        InvalidArgument
            If there are fewer than two settings.
        """
        settings = list(zip(*curves, strict=True))
        if len(settings) < 2:
            raise InvalidArgument("curves", "over two or more settings", got_text=str(len(settings)))
        pairs = itertools.pairwise(settings)
        steps = tuple(Sample.of([b - a for a, b in zip(before, after, strict=True)]) for before, after in pairs)
        whole = Sample.of([curve[0] - curve[-1] for curve in curves])
        path = " → ".join(f"{sum(values) / len(values):.4g}" for values in settings)
        evidence = f"{path}; first − last {whole.text()}, {seed_count(len(curves))}"
        return cls(text, falls(whole, steps), evidence, published, sample=whole, steps=steps)

    def judged_anytime(self) -> Claim:
        """Return the claim judged by intervals that remain valid where another number of seeds ran than was planned.

        Returns
        -------
        Claim
            The same claim; unchanged where it rests on no statistical test or on a single seed, or was inconclusive.
        """
        if self.sample is None or self.sample.anytime or self.sample.n < 2:
            return self
        whole = replace(self.sample, anytime=True)
        steps = tuple(replace(step, anytime=True) for step in self.steps)
        holds = self.holds if self.holds is None else falls(whole, steps) if steps else whole.above
        valid = "valid at any number"
        shown = f"too few for an interval {valid}" if whole.too_few else f"interval {valid} {whole.text(mean=False)}"
        added = f"; not the planned number of seeds, {shown}"
        return replace(self, holds=holds, sample=whole, steps=steps, evidence=self.evidence + added)


def falls(whole: Sample, steps: Sequence[Sample]) -> bool | None:
    """Return whether a sequence of settings falls.

    Parameters
    ----------
    whole
        First minus last.
    steps
        Difference of each setting from the one before it.

    Returns
    -------
    bool or None
        True where the means never rise and `whole` lies significantly above 0; False where a step, tested together
        with the others by Holm's method, or the whole rises significantly.
    """
    adjusted = holm([step.p for step in steps])
    rises = any(step.mean > 0 and p <= LEVEL for step, p in zip(steps, adjusted, strict=True))
    if rises or whole.above is False:
        return False
    return True if whole.above and all(step.mean <= 0 for step in steps) else None


@dataclass(frozen=True)
class Figure:
    """A picture.

    Parameters
    ----------
    name
        File name without its ending.
    caption
        Text below the picture.
    draw
        Function that draws on an empty matplotlib figure.
    """

    name: str
    caption: str
    draw: Callable[[Canvas], None]


@dataclass(frozen=True)
class Findings:
    """Everything that a reproduction reports.

    Parameters
    ----------
    rows
        Figures beside the published ones.
    claims
        Claims with their verdicts.
    figures
        Pictures.
    notes
        Sentences on conditions and limits.
    reduced
        What is smaller than in the paper; empty at the published scale.
    """

    rows: Sequence[Row] = ()
    claims: Sequence[Claim] = ()
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = field(default=())
    reduced: str = ""

    def placed(self, place: Callable[[str], str], *, reduced: str, anytime: bool) -> Findings:
        """Return the findings with what the recipe knows of the claims.

        Parameters
        ----------
        place
            Place of a published claim's sentence in the paper, by the claim's text.
        reduced
            What is smaller than in the paper; empty at the published scale.
        anytime
            Whether seeds were added after results had been seen.

        Returns
        -------
        Findings
            The same findings; claims are judged again where `anytime`.
        """
        claims = []
        for claim in self.claims:
            known = claim.judged_anytime() if anytime else claim
            if claim.published:
                known = replace(known, place=place(claim.text), reduced=reduced)
            claims.append(known)
        return replace(self, claims=claims, reduced=reduced)
