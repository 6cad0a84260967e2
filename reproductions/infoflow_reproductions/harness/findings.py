"""What a reproduction found: figures beside the published ones, claims, pictures; and verdicts by rule."""

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
    """What may be said of a published figure or claim."""

    REPRODUCED = "reproduced"
    DIFFERS = "differs"
    CANT_TELL = "can't tell"
    SETTINGS_UNKNOWN = "settings unknown"
    OTHER_SCALE = "other scale"
    NOT_PUBLISHED = "not published"


@dataclass(frozen=True)
class Row:
    """One figure: what, its value of every seed, and the published one with how far ours may lie from it.

    The verdict follows by rule: without a published figure, "not published"; at a scale that can't be compared (`why`
    says what is smaller), "other scale"; with the mean within `tolerance` of the published figure, "reproduced"; where
    only the interval reaches that far, "can't tell"; else "differs", or "settings unknown" where the paper doesn't
    tell its settings (`why` says which were chosen).

    Raises InvalidArgument (a published figure without tolerance, no values, incomparable for no reason).

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
            raise InvalidArgument(f"{self.what} has no values; want one for each seed")
        if self.published is not None and self.comparable and self.tolerance is None:
            raise InvalidArgument(f"{self.what} has a published figure but no tolerance; want one")
        if not (self.comparable and self.settings_known) and not self.why:
            raise InvalidArgument(f"{self.what} can't be compared, but why isn't said; want a reason")

    @property
    def found(self) -> OverSeeds:
        """The mean over seeds, and its interval."""
        return over_seeds(self.values)

    @property
    def verdict(self) -> Verdict:
        """By the rule above."""
        if self.published is None:
            return Verdict.NOT_PUBLISHED
        if not self.comparable:
            return Verdict.OTHER_SCALE
        tolerance = self.tolerance or 0.0
        found = self.found
        if math.isfinite(found.mean) and abs(found.mean - self.published) <= tolerance:
            return Verdict.REPRODUCED
        if not self.settings_known:
            return Verdict.SETTINGS_UNKNOWN
        reaches = found.low - tolerance <= self.published <= found.high + tolerance
        return Verdict.CANT_TELL if found.seeds > 1 and reaches else Verdict.DIFFERS


@dataclass(frozen=True)
class Claim:
    """A sentence, whether what was found bears it out (None: the seeds can't tell), and the figures that say so.

    `published` is False for what the paper doesn't say: a control, or a goal of ours.

    >>> claim = Claim.above("wider networks err less", [0.02, 0.03, 0.025])
    >>> claim.holds, claim.evidence
    (True, 'difference 0.025 [0.01258, 0.03742] over 3 seeds')
    """

    text: str
    holds: bool | None
    evidence: str
    published: bool = True

    @property
    def verdict(self) -> str:
        """ "reproduced" or "differs" of what is published, "holds" or "doesn't hold" of ours; or "can't tell"."""
        if self.holds is None:
            return str(Verdict.CANT_TELL)
        if self.published:
            return str(Verdict.REPRODUCED if self.holds else Verdict.DIFFERS)
        return "holds" if self.holds else "doesn't hold"

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
        """Holds where the 95 % interval of the mean difference over seeds lies above the threshold.

        Doesn't hold where it lies below; one seed, or an interval on both sides, can't tell. Pair the seeds:
        give one difference for each.
        """
        found = over_seeds(differences)
        holds = True if found.low > threshold else False if found.high < threshold else None
        beside = f", wanted above {threshold:g}" if threshold else ""
        evidence = f"difference {found}{f' {unit}' if unit else ''}{beside}"
        if found.seeds > 1:
            evidence += f" over {found.seeds} seeds"
        return cls(text, holds, evidence, published)

    @classmethod
    def falling(cls, text: str, curves: Sequence[Sequence[float]], *, published: bool = True) -> Claim:
        """Holds where the mean over seeds never rises from one setting to the next, and its whole fall is sure.

        `curves` has one sequence for each seed, over the settings in order. Sure: the 95 % interval of first minus
        last lies above 0. A mean that rises somewhere doesn't hold, unless the rise is within its seeds' interval.
        """
        steps = [over_seeds([b - a for a, b in zip(earlier, later, strict=True)])
                 for earlier, later in _neighbors(curves)]  # fmt: skip
        whole = over_seeds([curve[0] - curve[-1] for curve in curves])
        means = [sum(values) / len(values) for values in zip(*curves, strict=True)]
        holds: bool | None = None
        if whole.high < 0 or any(step.low > 0 for step in steps):
            holds = False
        elif whole.low > 0 and all(step.mean <= 0 for step in steps):
            holds = True
        path = " → ".join(f"{mean:.4g}" for mean in means)
        return cls(text, holds, f"{path}; first − last {whole}, {len(curves)} seed(s)", published)


def _neighbors(curves: Sequence[Sequence[float]]) -> list[tuple[list[float], list[float]]]:
    settings = [list(values) for values in zip(*curves, strict=True)]
    if len(settings) < 2:
        raise InvalidArgument("curves has fewer than two settings; want two or more")
    return list(itertools.pairwise(settings))


@dataclass(frozen=True)
class Figure:
    """A picture: `draw` gets an empty matplotlib figure."""

    name: str
    """Of the file, without its ending."""
    caption: str
    draw: Callable[[Canvas], None]


@dataclass(frozen=True)
class Findings:
    """All that a reproduction has to say."""

    rows: Sequence[Row] = ()
    claims: Sequence[Claim] = ()
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = field(default=())
