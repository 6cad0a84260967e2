"""Which layers' estimates can support a verdict: those that are neither saturated nor contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from infoflow.core.estimate import NATS_PER_BIT
from infoflow.plane.compression import COMPRESSES, DOES_NOT, SATURATED

CONTRADICT = "the estimates contradict each other"

EXCESS = 0.05
"""Bits by which the mean of I(T;Y) must exceed that of I(X;T) at the end of training to contradict it."""

Expected = Literal["all", "some", "none"]


def contradicting(ends: Mapping[str, tuple[float, float]]) -> dict[str, str]:
    """Return the layers whose estimates break data processing, I(T;Y) ≤ I(X;T), with both values as text.

    Parameters
    ----------
    ends
        For each layer I(X;T) and I(T;Y) at the end of training in nats, means over seeds.

    Returns
    -------
    dict
        Text by layer.

    Examples
    --------
    >>> contradicting({"tanh1": (0.4, 0.1), "tanh2": (0.0, 1.7)})
    {'tanh2': 'I(T;Y) = 2.453 bits exceeds I(X;T) = 0 bits'}
    """
    bits = {layer: (x / NATS_PER_BIT, y / NATS_PER_BIT) for layer, (x, y) in ends.items()}
    return {
        layer: f"I(T;Y) = {y:.4g} bits exceeds I(X;T) = {x:.4g} bits"
        for layer, (x, y) in bits.items()
        if y > x + EXCESS
    }


def left_out(reasons: Mapping[str, str]) -> str:
    """Return a remark that names layers which support no verdict.

    Parameters
    ----------
    reasons
        Why, by layer.

    Returns
    -------
    str
        The remark, empty if there are none.

    Examples
    --------
    >>> left_out({"a": "saturated", "b": "I(T;Y) = 2 bits exceeds I(X;T) = 1 bits"})
    'left out: a (saturated), b (I(T;Y) = 2 bits exceeds I(X;T) = 1 bits)'
    """
    return f"left out: {', '.join(f'{layer} ({why})' for layer, why in reasons.items())}" if reasons else ""


def judged(
    expected: Expected, verdicts: Mapping[str, str], contradictions: Mapping[str, str]
) -> tuple[bool | None, str]:
    """Return whether all, some or none of the layers compress, judged by the layers that can support a verdict.

    Parameters
    ----------
    expected
        What the claim expects.
    verdicts
        The verdict on each layer's compression.
    contradictions
        Layers whose estimates contradict each other, with both values as text.

    Returns
    -------
    tuple of (bool or None, str)
        Whether the claim holds, and a remark that names the layers that are left out. "all" holds if every other layer
        compresses and fails if one does not; "some" holds if one compresses and fails if none does, provided that no
        layer is left out; "none" is the opposite of "some".

    Examples
    --------
    >>> judged("none", {"a": "saturated (lower bound only)", "b": "does not compress"}, {})
    (True, 'left out: a (saturated)')
    >>> judged("some", {"a": "compresses"}, {"a": "I(T;Y) = 2 bits exceeds I(X;T) = 1 bits"})[0] is None
    True
    """
    without = {
        layer: contradictions.get(layer, "saturated")
        for layer, verdict in verdicts.items()
        if layer in contradictions or verdict == SATURATED
    }
    sound = {verdict for layer, verdict in verdicts.items() if layer not in without}
    remark = left_out(without)
    if not sound:
        broken = any(layer in contradictions for layer in without)
        return None, f"{CONTRADICT}; {remark}" if broken else f"every layer is saturated; {remark}"
    if expected == "some":
        if COMPRESSES in sound:
            return True, remark
        return (False if sound == {DOES_NOT} and not without else None), remark
    wanted, opposite = (COMPRESSES, DOES_NOT) if expected == "all" else (DOES_NOT, COMPRESSES)
    return (True if sound == {wanted} else False if opposite in sound else None), remark
