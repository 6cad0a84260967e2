"""The methods: baseline, published recipe and variants, our recipe and parts of it, existing alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Pairs = tuple[tuple[str, str], ...]

BLOCKS: Pairs = (("act1", "act2"), ("act2", "act3"), ("act3", "act4"))
FROM_INPUT: Pairs = (("input", "act1"), *BLOCKS)
TO_THE_END: Pairs = (("input", "act4"), ("act1", "act4"), ("act2", "act4"))


@dataclass(frozen=True)
class Method:
    """Training of one classifier: cross-entropy, and what is added to it."""

    title: str
    flow: float = 0.0
    """Weight of the information flow; 0 is none."""
    pairs: Pairs = BLOCKS
    bound: str = "jensen_shannon"
    critic: str = "published"
    negatives: Literal["random", "same-location", "same-image", "same-class"] = "random"
    count: int = 1
    mining: int = 1
    noise: float = 0.0
    locations: int = 16
    exchange: tuple[str, ...] = ()
    """Layers whose channels' moments are exchanged."""
    spectra: tuple[str, ...] = ()
    """Layers whose amplitude spectra are exchanged."""
    share: float = 0.5
    exchange_weight: float = 3.0
    """Weight of the loss on exchanged images."""
    plain_weight: float = 1.0
    """Weight of the cross-entropy on plain images."""
    decoupling: float = 0.0
    """λ of spectral decoupling."""
    decorrelation: float = 0.0
    baseline: str = ""
    """ "ice", "orthogonal" or "last-layer": methods with a network or a second step of their own."""


_MANY = Method("", flow=1.0, bound="infonce", critic="separable", count=8, locations=8)
_MOMENTS = ("act1", "act2", "act3")
_EXCHANGE = Method("exchange of statistics", exchange=_MOMENTS, spectra=("input",))
_OURS = replace(_MANY, title="exchange + IFM", exchange=_MOMENTS, spectra=("input",), flow=0.5, negatives="same-image")

METHODS: Mapping[str, Method] = {
    "baseline": Method("cross-entropy"),
    # The exchange's losses have the total weight 4; with one loss this is a fourfold learning rate.
    "cross-entropy-4": Method("cross-entropy of weight 4, no exchange", plain_weight=4.0),
    "ifm": Method("IFM as published", flow=1.0),
    "ifm-image": replace(_MANY, title="IFM, InfoNCE, same-image negatives", negatives="same-image"),
    "exchange": _EXCHANGE,
    "exchange-spectrum": replace(_EXCHANGE, title="exchange, input's spectrum alone", exchange=()),
    "exchange-moments": replace(_EXCHANGE, title="exchange, layers' moments alone", spectra=()),
    "ours": _OURS,
    "ours-layout": replace(_OURS, title="exchange + IFM, layout's share 0.6", share=0.6),
    "spectral": Method("spectral decoupling", decoupling=0.1),
    "decorrelation": Method("decorrelation", decorrelation=0.1),
    "ice": Method("iCE-style minimax + IFM", baseline="ice", flow=1.0, pairs=(*BLOCKS, ("act4", "linear"))),
    "orthogonal": Method("gradient-orthogonal ensemble", baseline="orthogonal"),
    "last-layer": Method("last layer retrained on shifted digits", baseline="last-layer"),
    # Choice of negatives.
    "random": replace(_MANY, title="random locations", negatives="random"),
    "same-location": replace(_MANY, title="same location, other images", negatives="same-location"),
    "same-image": replace(_MANY, title="same image", negatives="same-image"),
    "same-class": replace(_MANY, title="same class, other images", negatives="same-class"),
    "hard": replace(_MANY, title="hardest of 8 times as many", mining=8, count=2),
    # Choice of bound and critic.
    "js-published": Method("Jensen–Shannon, published critic", flow=1.0, locations=8),
    "js-separable": Method("Jensen–Shannon, separable", flow=1.0, critic="separable", locations=8),
    "infonce-separable": replace(_MANY, title="InfoNCE, separable"),
    "infonce-bounded": replace(_MANY, title="InfoNCE, cosine critic", critic="cosine"),
    # NWJ's e^score diverges in training where scores are unbounded.
    "nwj-published": Method("NWJ, published critic", flow=1.0, bound="nwj", locations=8),
    "nwj-bounded": Method("NWJ, cosine critic", flow=1.0, bound="nwj", critic="cosine", locations=8),
    "hellinger-published": Method(
        "squared Hellinger, published critic", flow=1.0, bound="squared_hellinger", locations=8
    ),
    # Saturation of the bound.
    "plain": Method("as published, 8 locations per image", flow=1.0, locations=8),
    "noise-.5": Method("noise ε = 0.5", flow=1.0, noise=0.5, locations=8),
    "noise-2": Method("noise ε = 2", flow=1.0, noise=2.0, locations=8),
    "from-input": Method("pairs from the input on", flow=1.0, pairs=FROM_INPUT, locations=8),
    "to-the-end": Method("pairs of early layers with the last", flow=1.0, pairs=TO_THE_END, locations=8),
    "weight-4": Method("weight 4", flow=4.0, locations=8),
}
