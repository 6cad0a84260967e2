"""Comparisons of methods: the recipe, its trials, and what all reports have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from infoflow.core.checks import choice
from infoflow_reproductions.harness.findings import Claim, Figure, Row
from infoflow_reproductions.harness.trial import Results, Trial, part
from infoflow_reproductions.ifm.classifier import DIVERGED, Task, Training, run
from infoflow_reproductions.ifm.figures import accuracy_curves, flow_curves, plane
from infoflow_reproductions.ifm.methods import METHODS

SELECTIONS = ("best_digit", "best_texture", "last")

Published = Mapping[tuple[str, str], tuple[float, float]]
"""(method, selection) -> digit and texture accuracy in percent."""

# Accuracies are float32 means in percent.
_ROUNDING = 1e-3

UNSTATED = (
    "the paper does not state the ten textures and their size, the range of the pixels, the outputs and the numbers of "
    "locations and negatives of the flow, what its batch norm averages over, optimizer, momentum, batch size and epochs"
)
"""What is chosen here in every comparison."""


@dataclass(frozen=True)
class Recipe(Training):
    """Methods to compare, and how all their classifiers are trained.

    Parameters
    ----------
    source, size, width, counts, texture_side, epochs, batch_size, learning_rate, hidden
        As in `Training`.
    methods
        Names in `METHODS`.
    seeds
        Number of seeds; a seed draws split, textures and weights.
    first_seed
        First seed to report; seeds 0 and 1 served for exploration.
    smaller
        What is smaller than published, if anything is.
    shorter
        Methods with another number of epochs.
    """

    methods: tuple[str, ...] = ()
    seeds: int = 5
    first_seed: int = 2
    smaller: str = ""
    shorter: tuple[tuple[str, int], ...] = ()

    @property
    def draws(self) -> range:
        """The seeds."""
        return range(self.first_seed, self.first_seed + self.seeds)

    def epochs_of(self, method: str) -> int:
        """Return the number of epochs of a method.

        Parameters
        ----------
        method
            Name of the method.

        Returns
        -------
        int
            Its number of epochs.
        """
        return dict(self.shorter).get(method, self.epochs)


def trials(recipe: Recipe) -> list[Trial]:
    """Return a trial per seed and method, seeds outermost, so that an interrupted run has complete comparisons."""
    found = []
    for seed in recipe.draws:
        for name in recipe.methods:
            method = METHODS[choice(name, "method", METHODS)]
            settings = {key: value for key, value in asdict(method).items() if key != "title"}
            training = replace(part(recipe, Training), epochs=recipe.epochs_of(name))
            found.append(Trial(f"{name}/seed={seed}", run, Task(name, seed, training, settings)))
    return found


def steady(recipe: Recipe, results: Results) -> tuple[Recipe, list[Claim]]:
    """Return the recipe without the methods whose training diverged with some seed, and a claim on each of these.

    Nothing else is claimed of them, since the seeds that did train are a biased selection.
    """
    diverged = {}
    for name in recipe.methods:
        found = {seed: results.of(method=name, seed=seed)[0] for seed in recipe.draws}
        failures = [f"seed {seed}: {one[DIVERGED]}" for seed, one in found.items() if DIVERGED in one]
        if failures:
            text = f"{METHODS[name].title}: training stays finite with every seed"
            diverged[name] = Claim(text, False, "; ".join(failures), published=False)
    remaining = tuple(name for name in recipe.methods if name not in diverged)
    return replace(recipe, methods=remaining), list(diverged.values())


def values(results: Results, method: str, what: str) -> list[float]:
    """Return one number per seed, without the seeds whose training diverged."""
    return [float(found[what]) for found in results.of(method=method) if DIVERGED not in found]


def rows(recipe: Recipe, results: Results, published: Published, selections: Sequence[str] = SELECTIONS) -> list[Row]:
    """Return digit and texture accuracy of every method and selection, and the published ones."""
    found = []
    for name in recipe.methods:
        trained = len(values(results, name, "agree"))
        fewer = f" ({trained} of {recipe.seeds} seeds; the others diverged)" if trained < recipe.seeds else ""
        for selection in selections if trained else ():
            known = (name, selection) in published
            figures = published.get((name, selection), (None, None))
            found += [
                Row(
                    f"{METHODS[name].title}, {selection.replace('_', ' ')}: {factor}{fewer}",
                    values(results, name, f"{factor}_{selection}"),
                    "%",
                    published=figure,
                    tolerance=5.0 if known else None,
                    comparable=not (known and recipe.smaller),
                    settings_known=not known,
                    why="; ".join(filter(None, (recipe.smaller, UNSTATED))) if known else "",
                )
                for factor, figure in zip(("digit", "texture"), figures, strict=True)
            ]
    return found


def identity(recipe: Recipe, results: Results) -> Claim:
    """Return the check that no classifier is right about both more often than 1 + P(digit = texture).

    This holds for every classifier, so that only an error of the code can violate it.
    """
    every = [
        (found[f"digit_{selection}"], found[f"texture_{selection}"], found["agree"], name)
        for name in recipe.methods
        for found in results.of(method=name)
        for selection in SELECTIONS
    ]
    worst = max(digit + texture - 100 - agree for digit, texture, agree, _ in every)
    both, name = max((min(digit, texture), name) for digit, texture, _, name in every)
    holds = bool(worst <= _ROUNDING)
    below = f"the largest sum is {abs(min(worst, 0.0)):.1f} points below it"
    return Claim(
        "check of an identity: digit and texture accuracy add up to at most 1 + P(digit = texture), about 110 %, so "
        "that no classifier has both above half of it, 55 %",
        holds,
        f"{below if holds else f'exceeded by {worst:.1f} points'}; at most {both:.1f} % of both "
        f"({METHODS[name].title})",
        published=False,
    )


def figures(
    recipe: Recipe, results: Results, selections: Sequence[str] = SELECTIONS, published: Published | None = None
) -> list[Figure]:
    """Return the pictures of a comparison."""
    flows = flow_curves(results, recipe.methods)
    return [
        plane(results, recipe.methods, selections, published),
        accuracy_curves(results, recipe.methods),
        *([] if flows is None else [flows]),
    ]


def summed(results: Results, method: str, selection: str = "last") -> list[float]:
    """Return digit + texture of every seed, in percentage points."""
    pairs = (values(results, method, f"{factor}_{selection}") for factor in ("digit", "texture"))
    return [digit + texture for digit, texture in zip(*pairs, strict=True)]


def least_at(results: Results, method: str, epoch: int) -> list[float]:
    """Return the smaller of both accuracies of every seed after an epoch."""
    found = []
    for one in (one for one in results.of(method=method) if DIVERGED not in one):
        place = list(one["epoch"]).index(epoch)
        found.append(min(float(one["test_digit"][place]), float(one["test_texture"][place])))
    return found


def least(results: Results, method: str, selection: str = "last") -> list[float]:
    """Return the smaller of both accuracies of every seed."""
    pairs = (values(results, method, f"{factor}_{selection}") for factor in ("digit", "texture"))
    return [min(pair) for pair in zip(*pairs, strict=True)]
