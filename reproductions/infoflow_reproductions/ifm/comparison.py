"""Methods side by side: the recipe, its trials, and what all comparisons report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.harness.seeds import over_seeds
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.ifm.classifier import DIVERGED, run
from infoflow_reproductions.ifm.methods import METHODS

SELECTIONS = ("best_digit", "best_texture", "last")


# Accuracies are float32 means, told in percent.
_ROUNDING = 1e-3


@dataclass(frozen=True)
class Recipe:
    """Hyper-parameters of all of a comparison's classifiers; a seed is a draw of split, textures and weights."""

    methods: tuple[str, ...]
    source: str = "shifted-mnist"
    size: int = 32
    width: float = 1.0
    counts: tuple[int, int, int] = (48_000, 12_000, 10_000)
    texture_side: int = 64
    epochs: int = 50
    batch_size: int = 128
    learning_rate: float = 0.01
    hidden: tuple[int, ...] = (256, 128, 64)
    seeds: int = 5
    first_seed: int = 2
    """Draws 0 and 1 served for looking around; what is reported comes from others."""
    smaller: str = ""
    """What is smaller than published, if anything is."""


def trials(recipe: Recipe) -> list[Trial]:
    """A trial for each method and seed, seeds outermost, so that an interrupted run has compared something."""
    shared = {k: v for k, v in asdict(recipe).items() if k not in ("methods", "seeds", "first_seed", "smaller")}
    found = []
    for seed in range(recipe.first_seed, recipe.first_seed + recipe.seeds):
        for name in recipe.methods:
            settings = asdict(METHODS[name])
            del settings["title"]
            arguments = {"method": name, "seed": seed, **shared, "settings": settings}
            found.append(Trial(f"{name}/seed={seed}", run, arguments))
    return found


def steady(recipe: Recipe, results: Results) -> tuple[Recipe, list[Claim]]:
    """The recipe without methods whose training diverged with some seed, and what is to be said of those.

    Nothing else is claimed of them, as the seeds that did train are a choice of the lucky ones.
    """
    diverged = {}
    for name in recipe.methods:
        failures = [
            f"seed {seed}: {found[0][DIVERGED]}"
            for seed in range(recipe.first_seed, recipe.first_seed + recipe.seeds)
            if DIVERGED in (found := results.of(method=name, seed=seed))[0]
        ]
        if failures:
            text = f"{METHODS[name].title}: training stays finite with every seed"
            diverged[name] = Claim(text, False, "; ".join(failures), published=False)
    kept = tuple(name for name in recipe.methods if name not in diverged)
    return replace(recipe, methods=kept), list(diverged.values())


def values(results: Results, method: str, what: str) -> list[float]:
    """One number a seed, in the order of the seeds; without those whose training diverged."""
    return [float(found[what]) for found in results.of(method=method) if DIVERGED not in found]


def both(results: Results, method: str, selection: str) -> list[tuple[float, float]]:
    """Digit and texture accuracy of every seed, in percent."""
    pairs = (values(results, method, f"{factor}_{selection}") for factor in ("digit", "texture"))
    return list(zip(*pairs, strict=True))


def rows(
    recipe: Recipe,
    results: Results,
    published: dict[tuple[str, str], tuple[float, float]],
    selections: Sequence[str] = SELECTIONS,
) -> list[Row]:
    """Digit and texture accuracy of every method and selection, beside what is published of them."""
    found = []
    for name in recipe.methods:
        trained = len(values(results, name, "agree"))
        fewer = f" ({trained} of {recipe.seeds} seeds; the others diverged)" if trained < recipe.seeds else ""
        for selection in selections if trained else ():
            figures = published.get((name, selection))
            for i, factor in enumerate(("digit", "texture")):
                found.append(
                    Row(
                        f"{METHODS[name].title}, {selection.replace('_', ' ')}: {factor}{fewer}",
                        values(results, name, f"{factor}_{selection}"),
                        "%",
                        published=None if figures is None else figures[i],
                        tolerance=None if figures is None else 5.0,
                        comparable=figures is None or not recipe.smaller,
                        settings_known=figures is None,
                        why="" if figures is None else recipe.smaller or _CHOSEN,
                    )
                )
    return found


_CHOSEN = "which textures, features, negatives, optimizer and how many epochs isn't told"


def sanity(recipe: Recipe, results: Results) -> Claim:
    """No classifier is right about both more often than 1 + P(digit = texture)."""
    worst = max(
        found[f"digit_{selection}"] + found[f"texture_{selection}"] - 100 - found["agree"]
        for name in recipe.methods
        for found in results.of(method=name)
        for selection in SELECTIONS
    )
    holds = bool(worst <= _ROUNDING)
    return Claim(
        "digit and texture accuracy add up to at most 1 + P(digit = texture), about 110 %",
        holds,
        f"the largest sum is {abs(min(worst, 0.0)):.1f} points below it"
        if holds
        else f"exceeded by {worst:.1f} points",
        published=False,
    )


def summed(results: Results, method: str, selection: str = "last") -> list[float]:
    """digit + texture of every seed, in points."""
    return [digit + texture for digit, texture in both(results, method, selection)]


def least(results: Results, method: str, selection: str = "last") -> list[float]:
    """The smaller of both accuracies of every seed."""
    return [min(pair) for pair in both(results, method, selection)]


def differences(results: Results, first: str, second: str, what: str) -> list[float]:
    """first − second, seed by seed, of a result such as "digit_last"."""
    return [a - b for a, b in zip(values(results, first, what), values(results, second, what), strict=True)]


def in_words(numbers: Sequence[float], unit: str = "%") -> str:
    """Mean and interval over seeds, to one decimal."""
    found = over_seeds(numbers)
    if found.seeds < 2:
        return f"{found.mean:.1f} {unit} (one seed)"
    return f"{found.mean:.1f} {unit} [{found.low:.1f}, {found.high:.1f}]"
