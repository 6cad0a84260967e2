"""The result of an estimator: a number in nats with its kind, ceiling, interval and warnings."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from infoflow.core.errors import InvalidArgument
from infoflow.core.figures import draw_estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NATS_PER_BIT = math.log(2.0)

# Relative distance to the ceiling below which an estimate is only a lower limit of the quantity.
SATURATION = 0.01

# Rounding error of a sum over up to a million float64 terms; a larger excess is a fault of the estimator.
_ROUNDING = 1e-6

# Beginnings of quantities that no distribution makes negative, as differential entropies are.
_NEVER_NEGATIVE = ("I(", "H(", "TC(")


class Kind(StrEnum):
    """Relation of an estimate's number to the quantity that it is named after.

    Examples
    --------
    >>> Kind("lower bound") is Kind.LOWER_BOUND, str(Kind.PLUG_IN)
    (True, 'plug-in')
    """

    EXACT = "exact"
    PLUG_IN = "plug-in"
    POINT = "point estimate"
    LOWER_BOUND = "lower bound"
    UPPER_BOUND = "upper bound"
    DIFFERENCE_OF_BOUNDS = "difference of bounds"


@dataclass(frozen=True)
class Interval:
    """An interval in nats.

    Parameters
    ----------
    low, high
        Ends, in nats.
    spans
        Variation that the interval covers: "bootstrap", "subsampling", "seeds", "folds", ...
    level
        Confidence level.

    Examples
    --------
    >>> 0.5 in Interval(0.4, 0.6, "bootstrap"), 0.7 in Interval(0.4, 0.6, "bootstrap")
    (True, False)
    """

    low: float
    high: float
    spans: str
    level: float = 0.95

    def __contains__(self, nats: object) -> bool:
        return isinstance(nats, int | float) and self.low <= nats <= self.high


@dataclass(frozen=True)
class Estimate:
    """One number in nats with what is needed to judge it.

    Parameters
    ----------
    nats
        The estimate. A value above the ceiling by no more than rounding is set to the ceiling.
    quantity
        What was estimated, such as "I(X;Y)".
    kind
        Relation of the number to the quantity.
    estimator
        Name of the estimator.
    n
        Number of samples.
    parameters
        Settings of the estimator by name; printed are those that differ from the default.
    ceiling
        Largest value, in nats, that the quantity can have or that the estimator can return from these samples
        (log N, H(Y), log m); infinite if there is none.
    ceiling_name
        Which of these the ceiling is.
    interval
        Interval of the estimate, if one was computed. It ends at the ceiling, and at 0 where the quantity is never
        negative and the number is not; one without width, as of a variable that does not vary, is dropped unless the
        estimate is exact.
    p_value
        The p-value of a test of independence, if one was computed.
    warnings
        Sentences that limit the interpretation, each with cause, consequence and remedy.
    why
        Why this estimator was chosen, where it was chosen from the samples.

    Raises
    ------
    ValueError
        If `nats` is NaN or above the ceiling by more than rounding: a fault of the estimator.

    Examples
    --------
    >>> e = Estimate(2.0, "I(X;Y)", Kind.PLUG_IN, "Discrete", n=100, ceiling=4.605, ceiling_name="log N")
    >>> round(e.bits, 3), float(e), e.saturated
    (2.885, 2.0, False)
    >>> print(e)
    I(X;Y) = 2.0000 nats (2.8854 bits), plug-in, Discrete, n = 100, ceiling log N = 4.6050
    """

    nats: float
    quantity: str
    kind: Kind
    estimator: str
    n: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    ceiling: float = math.inf
    ceiling_name: str = ""
    interval: Interval | None = None
    p_value: float | None = None
    warnings: tuple[str, ...] = ()
    why: str = ""

    def __post_init__(self) -> None:
        if math.isnan(self.nats):
            raise ValueError(f"{self.estimator} produced NaN for {self.quantity}")
        if self.nats > self.ceiling:
            if self.nats > self.ceiling + _ROUNDING * max(1.0, abs(self.ceiling)):
                raise ValueError(
                    f"{self.estimator} produced {self.quantity} = {self.nats} nats above its ceiling {self.ceiling}"
                )
            object.__setattr__(self, "nats", float(self.ceiling))
        object.__setattr__(self, "nats", self.nats + 0.0)  # −0.0 becomes 0.0
        if self.interval is not None:
            object.__setattr__(self, "interval", self._within_range(self.interval))

    def _within_range(self, interval: Interval) -> Interval | None:
        """The interval in the quantity's range and, but for rounding, around the number; None where nothing varied."""
        least = min(0.0, self.nats) if self.quantity.startswith(_NEVER_NEGATIVE) else -math.inf
        low, high = max(interval.low, least), min(interval.high, self.ceiling)
        slack = _ROUNDING * max(1.0, abs(self.nats)) if math.isfinite(self.nats) else 0.0
        if self.nats < low <= self.nats + slack:
            low = self.nats
        if self.nats - slack <= high < self.nats:
            high = self.nats
        if low >= high and self.kind is not Kind.EXACT:
            return None
        return dataclasses.replace(interval, low=low + 0.0, high=high + 0.0)

    @property
    def bits(self) -> float:
        """The estimate in bits: nats / log 2."""
        return self.nats / NATS_PER_BIT

    @property
    def saturated(self) -> bool:
        """Whether the estimate is within 1 % of its ceiling, so that it is only a lower limit."""
        return math.isfinite(self.ceiling) and self.nats >= self.ceiling * (1 - SATURATION)

    def __float__(self) -> float:
        return self.nats

    def __hash__(self) -> int:  # `parameters` is a mapping, which has no hash
        return hash((self.nats, self.quantity, self.kind, self.estimator, self.n))

    def to_dict(self) -> dict[str, Any]:
        """Return all fields, bits and saturation as plain values that JSON can hold.

        Returns
        -------
        dict
            Field name to value; an infinite ceiling becomes None.

        Examples
        --------
        >>> Estimate(0.5, "I(X;Y)", Kind.POINT, "KSG", n=100).to_dict()["kind"]
        'point estimate'
        """
        content = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        content["kind"] = str(self.kind)
        content["parameters"] = dict(self.parameters)
        content["interval"] = None if self.interval is None else dataclasses.asdict(self.interval)
        content["warnings"] = list(self.warnings)
        content["ceiling"] = self.ceiling if math.isfinite(self.ceiling) else None
        return {**content, "bits": self.bits, "saturated": self.saturated}

    def plot(self, ax: Axes | None = None, *, history: Sequence[Estimate] = ()) -> Axes:
        """Draw the number with its interval, and others of fewer samples, against the number of samples.

        Parameters
        ----------
        ax
            Axes to draw on; new ones by default.
        history
            Earlier estimates of the same quantity.

        Returns
        -------
        matplotlib.axes.Axes
            The axes.

        Raises
        ------
        InvalidArgument
            If the history has an estimate of another quantity.

        Examples
        --------
        >>> half = Estimate(0.5, "I(X;Y)", Kind.POINT, "KSG", n=100, interval=Interval(0.4, 0.6, "bootstrap"))
        >>> half.plot().get_ylabel()
        'I(X;Y) in nats'
        """
        others = sorted({each.quantity for each in history} - {self.quantity})
        if others:
            raise InvalidArgument("history", f"estimates of {self.quantity}", got_text=f"estimates of {others[0]}")
        return draw_estimates([*history, self], ax)

    def __repr__(self) -> str:
        return f"<{str(self).partition(chr(10))[0]}{self._counted()}>"

    def _counted(self) -> str:
        count = len(self.warnings)
        return f", {count} warning{'s' * (count > 1)}" if count else ""

    def __str__(self) -> str:
        from infoflow.core.printed_settings import printed  # imports torch, which `import infoflow` does not

        parts = [f"{self.quantity} = {_shown(self.nats)} nats ({_shown(self.bits)} bits)", str(self.kind)]
        parts.append(printed(self.estimator, self.parameters))
        parts.append(f"n = {self.n}")
        if self.interval is not None:
            i = self.interval
            parts.append(f"{i.level:.0%} interval [{_shown(i.low)}, {_shown(i.high)}] over {i.spans}")
        if self.p_value is not None:
            parts.append(f"p = {self.p_value:.3g}")
        if math.isfinite(self.ceiling):
            reached = " (saturated)" if self.saturated else ""
            parts.append(f"ceiling {self.ceiling_name} = {self.ceiling:.4f}{reached}")
        return ", ".join(parts) + "".join(f"\n  warning: {w}" for w in self.warnings)


def _shown(nats: float) -> str:
    """Four decimals, without the sign of a number that rounds to 0."""
    text = f"{nats:.4f}"
    return text.removeprefix("-") if float(text) == 0 else text


class LayerInformation(NamedTuple):
    """One point of the information plane.

    Parameters
    ----------
    input
        I(X;T), or a quantity that stands for it, such as H(Q(T)).
    label
        I(T;Y).

    Examples
    --------
    >>> half = Estimate(0.5, "I", Kind.POINT, "KSG", n=100)
    >>> LayerInformation(input=half, label=half).label.nats
    0.5
    """

    input: Estimate
    label: Estimate
