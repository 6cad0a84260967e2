"""What a reproduction found: figures beside the published ones, claims and pictures, with verdicts by rule."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from infoflow.core.errors import InvalidArgument
from infoflow_reproductions.harness.seeds import OverSeeds, over_seeds

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


class Verdict(StrEnum):
    """The verdicts on figures and claims.

    `HOLDS` and `FAILS` are those on claims that the paper does not make.
    """

    REPRODUCED = "reproduced"
    DIFFERS = "differs"
    INCONCLUSIVE = "inconclusive"
    SETTINGS_UNKNOWN = "settings unknown"
    REDUCED_SCALE = "reduced scale"
    NOT_PUBLISHED = "not published"
    HOLDS = "holds"
    FAILS = "does not hold"


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

    Raises
    ------
    InvalidArgument
        If there are no values, a published figure has no tolerance, or `why` lacks a required reason.

    Notes
    -----
    The verdict follows by rule. Without a published figure it is "not published"; at a scale that permits no
    comparison, "reduced scale"; with the mean within `tolerance` of the published figure, "reproduced"; where only the
    confidence interval comes so close, "inconclusive"; otherwise "differs", or "settings unknown" where the paper does
    not state its settings.

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

    def __post_init__(self) -> None:
        if not len(self.values):
            raise InvalidArgument("values", f"one value per seed ({self.what})", got_text="none")
        if self.published is not None and self.comparable and self.tolerance is None:
            raise InvalidArgument("tolerance", f"given with a published figure ({self.what})", None)
        if not (self.comparable and self.settings_known) and not self.why:
            raise InvalidArgument("why", f"the reason why {self.what} is not comparable", self.why)

    @property
    def found(self) -> OverSeeds:
        """The mean over seeds and its confidence interval."""
        return over_seeds(self.values)

    @property
    def verdict(self) -> Verdict:
        """The verdict by the rule of the class."""
        if self.published is None:
            return Verdict.NOT_PUBLISHED
        if not self.comparable:
            return Verdict.REDUCED_SCALE
        tolerance = self.tolerance or 0.0
        found = self.found
        if math.isfinite(found.mean) and abs(found.mean - self.published) <= tolerance:
            return Verdict.REPRODUCED
        if not self.settings_known:
            return Verdict.SETTINGS_UNKNOWN
        reaches = found.low - tolerance <= self.published <= found.high + tolerance
        return Verdict.INCONCLUSIVE if found.seeds > 1 and reaches else Verdict.DIFFERS


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

    @property
    def verdict(self) -> Verdict:
        """The verdict; the words for published claims differ from those for others."""
        if self.holds is None:
            return Verdict.INCONCLUSIVE
        if self.published:
            return Verdict.REPRODUCED if self.holds else Verdict.DIFFERS
        return Verdict.HOLDS if self.holds else Verdict.FAILS

    @classmethod
    def above(
        cls,
        text: str,
        differences: Sequence[float],
        threshold: float = 0.0,
        *,
        unit: str = "",
        published: bool = True,
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

        Returns
        -------
        Claim
            It holds where the 95 % interval of the mean lies above the threshold, does not hold where it lies below,
            and is inconclusive otherwise and with a single seed.
        """
        found = over_seeds(differences)
        holds = True if found.low > threshold else False if found.high < threshold else None
        required = f", required above {threshold:g}" if threshold else ""
        evidence = f"difference {found}{f' {unit}' if unit else ''}{required}"
        if found.seeds > 1:
            evidence += f" over {found.seeds} seeds"
        return cls(text, holds, evidence, published)

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
            does not hold where the mean rises significantly at any step or from first to last.

        Raises
        ------
        InvalidArgument
            If there are fewer than two settings.
        """
        settings = list(zip(*curves, strict=True))
        if len(settings) < 2:
            raise InvalidArgument("curves", "over two or more settings", got_text=str(len(settings)))
        pairs = itertools.pairwise(settings)
        steps = [over_seeds([b - a for a, b in zip(before, after, strict=True)]) for before, after in pairs]
        whole = over_seeds([curve[0] - curve[-1] for curve in curves])
        holds: bool | None = None
        if whole.high < 0 or any(step.low > 0 for step in steps):
            holds = False
        elif whole.low > 0 and all(step.mean <= 0 for step in steps):
            holds = True
        path = " → ".join(f"{sum(values) / len(values):.4g}" for values in settings)
        return cls(text, holds, f"{path}; first − last {whole}, {len(curves)} seed(s)", published)


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
    """

    rows: Sequence[Row] = ()
    claims: Sequence[Claim] = ()
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = field(default=())
