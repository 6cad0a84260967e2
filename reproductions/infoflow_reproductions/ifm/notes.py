"""Notes on pages: what is printed and what is trained, what is chosen here, and how flows differ from the published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from infoflow_reproductions.harness.trial import Results
from infoflow_reproductions.ifm.classifier import Training
from infoflow_reproductions.ifm.comparison import UNSTATED, Recipe
from infoflow_reproductions.ifm.methods import METHODS

OBJECTIVE = (
    "The objective as printed (Eqs. 2 to 5) is E_P[σ(V)] − log E_Q[1 − σ(V)], with P the joint distribution and Q the "
    "product of the marginals. It cannot be meant: it grows without bound as σ(V) approaches 1 on samples of Q too, so "
    "that a critic that outputs 1 everywhere maximizes it, while the text has the critic output 0 on Q. IFM as "
    "published trains E_P[log σ(V)] + E_Q[log(1 − σ(V))] + 2 log 2, which follows from the bound on f-divergences "
    "without the logarithm of Eq. 2, with the activation and the conjugate that the paper states. Section 3.3 prints "
    "the data-processing inequalities the wrong way round, I(X,H0) < I(X,H1) < ... < I(X,Hn); by the introduction the "
    "information decreases with depth."
)
"""How the trained objective differs from the printed one."""

# Fields of `Method` that make a flow.
_FLOW = {
    "flow": "weight",
    "pairs": "pairs",
    "bound": "bound",
    "critic": "critic",
    "negatives": "kind of negatives",
    "count": "negatives per location",
    "mining": "candidates per negative",
    "noise": "noise ε",
    "locations": "locations per image",
}


def at_reduced_scale(recipe: Recipe) -> Recipe:
    """Return a recipe with the text on what is smaller than published.

    Parameters
    ----------
    recipe
        The recipe, on images of shifted MNIST.

    Returns
    -------
    Recipe
        The same recipe; its `smaller` lists what differs from `Training`'s defaults.

    Examples
    --------
    >>> at_reduced_scale(Recipe(counts=(4000, 1500, 10_000), learning_rate=0.03)).smaller
    '4,000 of 48,000 training and 1,500 of 12,000 validation images, learning rate 0.03 instead of 0.01'
    """
    published = Training()
    parts = []
    if recipe.size != published.size:
        factor = published.size // recipe.size
        sizes = (f"{side}×{side}" for side in (recipe.size, published.size))
        parts.append(f"{' instead of '.join(sizes)} pixels (means of {factor}×{factor})")
    if recipe.width != published.width:
        parts.append(f"{100 * recipe.width:g} % of the channels")
    counts = [
        f"{count:,} of {whole:,} {name}"
        for name, count, whole in zip(("training", "validation", "test"), recipe.counts, published.counts, strict=True)
        if count != whole
    ]
    if counts:
        parts.append(f"{_listed(counts)} images")
    if recipe.epochs != published.epochs:
        parts.append(f"{recipe.epochs} instead of {published.epochs} epochs (the paper states no number)")
    if recipe.hidden != published.hidden:
        parts.append(f"critics {' instead of '.join('-'.join(map(str, of.hidden)) for of in (recipe, published))}")
    if recipe.learning_rate != published.learning_rate:
        parts.append(f"learning rate {recipe.learning_rate:g} instead of {published.learning_rate:g}")
    return replace(recipe, smaller=", ".join(parts))


def conditions(recipe: Recipe, results: Results) -> list[str]:
    """Return notes on what is chosen here, on the flows, on the data, and on what is smaller than published.

    Parameters
    ----------
    recipe
        The recipe.
    results
        Results of its trials.

    Returns
    -------
    list of str
        The notes.
    """
    side, batch, flow = recipe.texture_side, recipe.batch_size, METHODS["ifm"]
    notes = [
        f"Chosen here, since {UNSTATED}: photographs of textures scaled to {side} pixels; pixels in [−2, 2]; outputs "
        f"after the activation and before the pooling; for {flow.title} {flow.locations} locations per image and "
        f"{flow.count} negative for each; one batch norm over positives and negatives together; stochastic gradient "
        f"descent with momentum 0.9, batches of {batch}, {recipe.epochs} epochs. Padding 1 of the convolutions follows "
        "from the 128×2×2 inputs of the linear layer in Table 1. The size of the textures was chosen since "
        "cross-entropy alone then reaches about the published accuracies, in exploration without stored results.",
        *against_published(recipe.methods),
    ]
    images = sorted({found["textures"] for found in map(results.__getitem__, results) if "textures" in found})
    if images:
        notes.append(sources(images))
    if recipe.shorter:
        few = ", ".join(f"{METHODS[name].title} {epochs}" for name, epochs in recipe.shorter)
        notes.append(
            f"Epochs: {recipe.epochs}, but {few}. Such methods are compared with the others after as many epochs as "
            "both have."
        )
    if recipe.smaller:
        notes.append(f"Smaller than published: {recipe.smaller}.")
    return notes


def against_published(methods: Sequence[str]) -> list[str]:
    """Return a note on how the settings of flows differ from those of the published flow.

    Parameters
    ----------
    methods
        Names of methods, some of which have a flow.

    Returns
    -------
    list of str
        One note, or none where no setting differs.

    Examples
    --------
    >>> against_published(["baseline", "ifm", "plain"])[0].partition(": ")[2]
    'as published, 8 locations per image (locations per image 8 instead of 16).'
    """
    usual = METHODS["ifm"]
    differing = {
        name: [
            f"{words} {_setting(value)} instead of {_setting(getattr(usual, field))}"
            for field, words in _FLOW.items()
            if (value := getattr(METHODS[name], field)) != getattr(usual, field)
        ]
        for name in methods
        if METHODS[name].flow
    }
    if not any(differing.values()):
        return []
    every = list(differing.values())
    common = [one for one in every[0] if len(every) > 1 and all(one in some for some in every)]
    parts = [f"all of them {', '.join(common)}"] if common else []
    for name, some in differing.items():
        if own := [one for one in some if one not in common]:
            parts.append(f"{METHODS[name].title} ({', '.join(own)})")
    return [f"Settings of flows against {usual.title}: {'; '.join(parts)}."]


def sources(texts: Iterable[str]) -> str:
    """Return a note on what the images of all seeds were made from.

    Parameters
    ----------
    texts
        Digits and textures of each seed, separated by a semicolon.

    Returns
    -------
    str
        The note, in which draws of one source of textures are listed together.

    Examples
    --------
    >>> sources(f"MNIST, checked; textures of DTD, draw {draw}" for draw in (2, 3, 4))
    'Digits: MNIST, checked. Textures: DTD, draws 2 to 4.'
    """
    digits: list[str] = []
    draws: dict[str, list[int]] = {}
    for text in texts:
        of_digits, _, of_textures = text.partition("; ")
        digits.append(of_digits)
        match = re.fullmatch(r"(.*), draw (\d+)", of_textures)
        known = draws.setdefault((match[1] if match else of_textures).removeprefix("textures of "), [])
        known += [int(match[2])] if match else []
    listed = [f"{name}{_draws(sorted(set(some)))}" for name, some in draws.items()]
    return f"Digits: {' or '.join(dict.fromkeys(digits))}. Textures: {' or '.join(listed)}."


def _draws(numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    if len(numbers) == 1:
        return f", draw {numbers[0]}"
    if list(numbers) == list(range(numbers[0], numbers[-1] + 1)):
        return f", draws {numbers[0]} to {numbers[-1]}"
    return f", draws {_listed([str(number) for number in numbers])}"


def _listed(words: Sequence[str]) -> str:
    *before, last = words
    return f"{', '.join(before)} and {last}" if before else last


def _setting(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join("-".join(pair) for pair in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
