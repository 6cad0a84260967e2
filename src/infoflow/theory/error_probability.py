"""Lower bounds on the error of every classifier from the information between data and label."""

from __future__ import annotations

import math
import warnings
from typing import Any, Literal, get_args, overload

import numpy as np
from numpy.typing import NDArray
from scipy import special
from torch import Tensor

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import validated

Array = NDArray[np.float64]

Form = Literal["fano", "tight", "corrected", "weak", "paper"]
FORMS: tuple[str, ...] = get_args(Form)

# Computed entropies may be off by rounding.
_ROUNDING = 1e-9

_LN2 = math.log(2.0)

# Halvings of [0, 1 − 1/C], enough for float64.
_HALVINGS = 60


@overload
def error_lower_bound(mutual_information: float, label_entropy: float, classes: int, form: Form = "fano") -> float: ...
@overload
def error_lower_bound(mutual_information: Any, label_entropy: Any, classes: Any, form: Form = "fano") -> Any: ...
@validated
def error_lower_bound(mutual_information: Any, label_entropy: Any, classes: Any, form: Form = "fano") -> Any:
    """Compute the error probability that no classifier of Y from X can go below.

    Parameters
    ----------
    mutual_information : float or array-like
        I = I(X;Y) in nats.
    label_entropy : float or array-like
        H = H(Y) in nats.
    classes : int or array-like
        Number C of classes.
    form
        Form of the bound, see the notes. The default is the largest bound.

    Returns
    -------
    float or ndarray
        Probability: a float for numbers, otherwise an array of the arguments' common shape. Bounds below 0 count as 0.

    Raises
    ------
    InvalidArgument
        If numbers are negative or infinite, I > H, H > log C, or there are fewer than two classes; `UnknownName` for
        another form.

    Notes
    -----
    With the binary entropy H_b and L = log2(C − 1), any classifier errs with a probability of at least

    - "fano": the P in [0, 1 − 1/C] with H_b(P) + P log(C − 1) = H − I, by bisection;
    - "corrected": [L + 2 − √((L + 2)² − 8 (H − I − ½))] / 4 in bits, from H_b(p) <= 1 − 2 (p − ½)²;
    - "tight": the same from the sharper H_b(p) <= 1 − (2 / ln 2)(p − ½)²;
    - "weak": (H − I − 1) / log2 C in bits, the form that is quoted most;
    - "paper": (2 + H − √((H − 2)² + 8 I + 4)) / 4 in bits, which has H in place of L, **for balanced labels only**
      (H = log C). With C = 1025, half of the probability on one class and X independent of Y, always predicting that
      class errs half of the time, but this form gives 0.882. It is valid where H >= log(C − 1), and causes a warning
      unless labels are balanced.

    References
    ----------
    Fano (1961), Transmission of information. Yi et al. (2022), Mutual information learned classifiers,
    arXiv 2209.10058; the correction is ours.

    Examples
    --------
    >>> error_lower_bound(0.0, np.log(10), 10), error_lower_bound(np.log(10), np.log(10), 10)
    (0.9, 0.0)
    >>> error_lower_bound(np.log([1, 2, 5]), np.log(10), 10).round(4)
    array([0.9   , 0.4225, 0.1352])
    >>> [round(error_lower_bound(1.0, np.log(10), 10, form), 3) for form in FORMS]
    [0.311, 0.31, 0.302, 0.265, 0.291]
    """
    scalar = all(np.ndim(_plain(value)) == 0 for value in (mutual_information, label_entropy, classes))
    information, entropy, size = _consistent(mutual_information, label_entropy, classes)
    if form == "paper":
        _warn_of_unbalanced(entropy, size)
    bound = np.maximum(_FORMS[form](information, entropy, size), 0.0)
    return float(bound) if scalar else bound


def _fano(information: Array, entropy: Array, size: Array) -> Array:
    left = np.clip(entropy - information, 0.0, None)
    rest = np.log(size - 1)
    low, high = np.zeros(left.shape), 1 - 1 / size
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        below = special.entr(middle) + special.entr(1 - middle) + middle * rest < left
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(np.where(left >= np.log(size), 1 - 1 / size, low))


def _parabola(curvature: float) -> Any:
    """The bound from H_b(p) <= 1 − k (p − ½)² bits: the smaller root of k p² − (k + L) p + (H − I − 1 + k/4)."""

    def bound(information: Array, entropy: Array, size: Array) -> Array:
        left, slope = (entropy - information) / _LN2, curvature + np.log2(size - 1)
        constant = left - 1 + curvature / 4
        discriminant = np.maximum(slope**2 - 4 * curvature * constant, 0.0)
        return np.asarray(2 * constant / (slope + np.sqrt(discriminant)))  # the root without cancellation

    return bound


def _weak(information: Array, entropy: Array, size: Array) -> Array:
    return np.asarray((entropy - information - _LN2) / np.log(size))


def _paper(information: Array, entropy: Array, size: Array) -> Array:
    h, i = entropy / _LN2, information / _LN2
    return np.asarray((2 + h - np.sqrt((h - 2) ** 2 + 8 * i + 4)) / 4)


_FORMS = {"fano": _fano, "tight": _parabola(2 / _LN2), "corrected": _parabola(2.0), "weak": _weak, "paper": _paper}


def _warn_of_unbalanced(entropy: Array, size: Array) -> None:
    unbalanced = entropy < np.log(size) - 1e-6
    if not unbalanced.any():
        return
    h, c = float(entropy[unbalanced].flat[0]), int(size[unbalanced].flat[0])
    wrong = bool((entropy < np.log(size - 1) - _ROUNDING).any())
    verdict = "it is no bound where H(Y) < log(C - 1), as here" if wrong else "it still holds for H(Y) >= log(C - 1)"
    warnings.warn(
        f"form 'paper' is for balanced labels, H(Y) = log C, but H(Y) = {h:.4g} for {c} classes "
        f"(log C = {math.log(c):.4g}); {verdict}; use form 'fano'",
        stacklevel=3,
    )


def _plain(value: Any) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else value


def _numbers(value: Any, name: str) -> Array:
    array = np.asarray(_plain(value))
    if array.dtype.kind not in "iuf":
        raise InvalidArgument(name, "a number or an array of numbers", value)
    array = array.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        raise InvalidArgument(name, "finite", array[bad].flat[0].item())
    return array


def _consistent(mutual_information: Any, label_entropy: Any, classes: Any) -> tuple[Array, Array, Array]:
    information = _numbers(mutual_information, "mutual_information")
    entropy, size = _numbers(label_entropy, "label_entropy"), _numbers(classes, "classes")
    for values, name in ((information, "mutual_information"), (entropy, "label_entropy")):
        if (values < -_ROUNDING).any():
            remedy = "An estimate below 0 means 0." if name == "mutual_information" else ""
            raise InvalidArgument(name, "at least 0 nats", got_text=f"{values.min():.6g}", remedy=remedy)
    if (size < 2).any() or (size != np.floor(size)).any():
        raise InvalidArgument("classes", "integers >= 2", got_text=f"{size.min():g}")
    try:
        information, entropy, size = np.broadcast_arrays(information, entropy, size)
    except ValueError:
        shapes = ", ".join(str(values.shape) for values in (information, entropy, size))
        raise InvalidArgument(
            f"mutual_information, label_entropy and classes must have shapes that broadcast, got {shapes}."
        ) from None
    above = entropy > np.log(size) + _ROUNDING
    if above.any():
        h, c = entropy[above].flat[0], int(size[above].flat[0])
        raise InvalidArgument("label_entropy", f"at most log {c} = {math.log(c):.6g} nats", got_text=f"{h:.6g}")
    above = information > entropy + _ROUNDING
    if above.any():
        i, h = information[above].flat[0], entropy[above].flat[0]
        raise InvalidArgument("mutual_information", f"at most label_entropy ({h:.6g} nats)", got_text=f"{i:.6g}")
    entropy = np.clip(entropy, 0.0, np.log(size))
    return np.clip(information, 0.0, entropy), entropy, size
