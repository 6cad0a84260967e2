"""Where the paper states the claims."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_CLUTTERED = "section 8, 'Cluttered MNIST': "
_DISREGARD = (
    f"{_CLUTTERED}'By increasing the value of β, we force the network to disregard the least discriminative components "
    "of the data'"
)
_NO_RATE = "the paper states no rate for its comparisons; "
_MENTIONED = f"{_NO_RATE}section 8 mentions 0.5 to explain α < 0.7"
_CHOSEN = f"{_NO_RATE}chosen here on held-out images"
_FIG3A = "caption of Figure 3 (a): information dropout outperforms "
_FIG3A_BINARY = f"{_FIG3A}binary dropout, especially on smaller networks"
_FIG3B = "section 8, 'MNIST and CIFAR-10': comparable to or better than binary dropout; Figure 3 (b)"
_SMALLER = "section 8, 'MNIST and CIFAR-10': especially on smaller networks; Figure 3"
_FIG6B = (
    "caption of Figure 6 (b): units of the top layer contain on average more information relevant to the task (nats "
    "are all information, relevant or not). That a unit is one activation was settled after the claim had failed for "
    "channels: the second layer has twice as many, so that by Figure 6 (a) a channel of it transmits less than half as "
    "much"
)

SENTENCES: Mapping[str, Sequence[tuple[str, str]]] = {
    "mlp": (
        ("advantage over binary dropout with a chosen rate", f"{_SMALLER} (a); {_CHOSEN}"),
        ("advantage over binary dropout", f"{_SMALLER} (a); {_MENTIONED}"),
        ("lower error than binary dropout with a chosen rate", f"{_FIG3A_BINARY}; {_CHOSEN}"),
        ("lower error than binary dropout", f"{_FIG3A_BINARY}; {_MENTIONED}"),
        (
            "lower error than constant",
            f"{_FIG3A}constant log-normal noise with the same variance; here α = 0.7, the largest learned one, whose "
            "variance is 0.63",
        ),
    ),
    "cifar": (
        ("advantage over binary dropout with a chosen rate", f"{_SMALLER} (b); {_CHOSEN}"),
        ("advantage over binary dropout", f"{_SMALLER} (b); {_MENTIONED}"),
        ("lower error than binary dropout with a chosen rate", f"{_FIG3B}; {_CHOSEN}"),
        ("lower error than binary dropout", f"{_FIG3B}; {_MENTIONED}"),
    ),
    "cluttered": (
        (
            "test error",
            f"{_CLUTTERED}a larger β, 'thereby building a better representation for the task'; caption of Figure 2: "
            "'provides better generalization performances'",
        ),
        (
            "more selective",
            "caption of Figure 2: for higher values of β the layers 'drop the information as soon as the receptive "
            "field is big enough to recognize it as a nuisance'",
        ),
        (
            "exceeds the box",
            "caption of Figure 2: 'the KL-divergence alone provides enough information to localize the digit'",
        ),
        ("inside", _DISREGARD),
    ),
    "occluded": (
        ("main task improves", "caption of Figure 4: larger β improves the main task by preventing overfitting"),
        ("classifier of the nuisance", "section 8, 'Occluded CIFAR', and caption of Figure 4"),
    ),
    "vae": (("two bounds", "section 8, 'VAE', and Table 1: similar performance"),),
    "disentangling": (
        ("too large", "section 8, 'Disentangling', and caption of Figure 5: where β is too large, a drastic increase"),
        (
            "test error",
            "section 8, 'Disentangling', and caption of Figure 5: 'the testing error improves, since we prevent "
            "overfitting'",
        ),
        ("correlation", "section 8, 'Disentangling': as β rises the total correlation diminishes; caption of Figure 5"),
    ),
    "sizes": (
        ("second layer transmits less", "caption of Figure 6 (a): the second layer transmits less than the first"),
        ("hardly varies", "caption of Figure 6 (a): the total hardly varies with the number of filters"),
        ("each unit transmits", "caption of Figure 6 (b): with fewer filters each unit lets more information flow"),
        ("activation of the second", _FIG6B),
        ("prior", "caption of Figure 1: the empirical distribution approximately follows the proposed prior"),
    ),
}
"""Experiment -> parts of claims and the places of their sentences."""
