"""The paper's comparison of losses, and the control that matters: the same with the learning rate tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.seeds import over_seeds
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.milc import classifier, figures
from infoflow_reproductions.milc.losses import title
from infoflow_reproductions.milc.published import ACCURACY, EXPECTED, UNCLEAR

PLAIN, AUGMENTED, DECAYED, RAW = "plain", "augmented", "decayed", "not standardized"
RIVALS = ("lsr", "cp", "cp-weighted", "lc", "lc-hard", "la", "pc", "ncmi")


@dataclass(frozen=True)
class Recipe:
    """What is compared, and how it is trained. Runs that are compared take the same number of steps."""

    data: str
    networks: tuple[str, ...]
    epochs: int
    batch_size: int
    size: int
    """Images to train on in the comparison as published."""
    control_size: int
    """Images to train on in the controls, so that `held_out` others are left to choose settings by."""
    held_out: int
    seeds: int = 3
    learning_rate: float = 1e-3
    multiples: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    """Of the learning rate, in the controls."""
    weight: float = 50.0
    """λ of the mutual-information loss, as published."""
    weights: tuple[float, ...] = (0.5, 5.0)
    """Other λ, in the controls."""
    rivals: tuple[str, ...] = RIVALS
    regimes: tuple[str, ...] = (AUGMENTED, DECAYED)
    """Further controls, of cross-entropy and mutual information."""
    regime_multiples: tuple[float, ...] = (1.0, 10.0)
    weight_decay: float = 5e-4
    standardized: bool = False
    """Whether pixels are standardized by channel rather than in [0, 1], but for the regime "not standardized"."""
    stem: str = "small"
    """Of torchvision's networks: see `infoflow.models.vision_network`."""
    smaller: str = ""
    """What is smaller than in the paper, if anything: then figures are not held against the published ones."""
    tolerance: float = 0.01


class Run(NamedTuple):
    """A loss with its settings: what the seeds repeat."""

    network: str
    loss: str
    weight: float
    learning_rate: float
    regime: str
    size: int
    held_out: int

    def trial(self, recipe: Recipe, seed: int) -> Trial:
        """One seed of it."""
        return classifier.trial(
            data=recipe.data,
            network=self.network,
            loss=self.loss,
            weight=self.weight,
            seed=seed,
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            learning_rate=self.learning_rate,
            size=self.size,
            held_out=self.held_out,
            augment=self.regime == AUGMENTED,
            weight_decay=recipe.weight_decay if self.regime == DECAYED else 0.0,
            stem=recipe.stem,
            standardized=recipe.standardized and self.regime != RAW,
        )

    @property
    def title(self) -> str:
        """In tables."""
        return f"{title(self.loss, self.weight)}, learning rate {self.learning_rate:g}"


def published_runs(recipe: Recipe, network: str) -> list[Run]:
    """Every loss at the paper's settings."""
    # Where the controls train on as many images, one run serves both.
    held_out = recipe.held_out if recipe.size == recipe.control_size else 0
    names = [("ce", 0.0), *((name, 0.0) for name in recipe.rivals), ("mil", recipe.weight)]
    return [Run(network, name, w, recipe.learning_rate, PLAIN, recipe.size, held_out) for name, w in names]


def control_runs(recipe: Recipe, network: str, regime: str, loss: str) -> list[Run]:
    """Cross-entropy at several learning rates, or mutual information at several learning rates and several λ."""
    multiples = recipe.multiples if regime == PLAIN else recipe.regime_multiples
    weight = recipe.weight if loss == "mil" else 0.0
    settings = [(weight, recipe.learning_rate * m) for m in multiples]
    if regime == PLAIN and loss == "mil":
        settings += [(other, recipe.learning_rate) for other in recipe.weights]
    return [
        Run(network, loss, w, float(f"{rate:.6g}"), regime, recipe.control_size, recipe.held_out)
        for w, rate in settings
    ]


def trials(recipe: Recipe) -> list[Trial]:
    """All of them, seed by seed."""
    found: dict[str, Trial] = {}
    for seed in range(recipe.seeds):
        for network in recipe.networks:
            runs = published_runs(recipe, network)
            for regime in (PLAIN, *recipe.regimes):
                for loss in ("ce", "mil"):
                    runs += control_runs(recipe, network, regime, loss)
            for run in runs:
                one = run.trial(recipe, seed)
                found.setdefault(one.name, one)
    return list(found.values())


class Found:
    """The results of runs, seed by seed."""

    def __init__(self, recipe: Recipe, results: Results) -> None:
        self._recipe, self._results = recipe, results

    def of(self, run: Run) -> list[Mapping[str, Any]]:
        """Of every seed."""
        return [self._results[run.trial(self._recipe, seed).name] for seed in range(self._recipe.seeds)]

    def accuracy(self, run: Run, part: str = "test") -> list[float]:
        """On a part of the data, of every seed."""
        return [float(found[f"{part}_accuracy"]) for found in self.of(run)]

    def best(self, runs: Sequence[Run]) -> Run:
        """That which is most accurate on the held-out images, in the mean over seeds."""
        return max(runs, key=lambda run: over_seeds(self.accuracy(run, "held_out")).mean)

    def gain(self, run: Run, over: Run) -> list[float]:
        """In percentage points of test accuracy, of every seed."""
        return [100 * (a - b) for a, b in zip(self.accuracy(run), self.accuracy(over), strict=True)]

    def all(self) -> list[tuple[str, Mapping[str, Any]]]:
        """(loss, result) of every trial."""
        seen = [
            run
            for network in self._recipe.networks
            for run in [
                *published_runs(self._recipe, network),
                *(
                    run
                    for regime in (PLAIN, *self._recipe.regimes)
                    for loss in ("ce", "mil")
                    for run in control_runs(self._recipe, network, regime, loss)
                ),
            ]
        ]
        return [(run.loss, one) for run in dict.fromkeys(seen) for one in self.of(run)]


def report(recipe: Recipe, results: Results) -> Findings:
    """The table of the paper, the controls, and what remains of the gain."""
    found = Found(recipe, results)
    rows: list[Row] = []
    claims: list[Claim] = []
    pictures: list[Figure] = []
    notes: list[str] = []
    for network in recipe.networks:
        rows += _rows(recipe, found, network)
        claims += _claims(recipe, found, network)
        notes.append(_remaining(recipe, found, network))
        pictures += [_curves(recipe, found, network), _rates(recipe, found, network)]
    pictures.append(figures.scatter(found.all(), classifier.CLASSES))
    diverged = sum(bool(one["diverged"]) for _, one in found.all())
    if diverged:
        notes.append(f"{diverged} runs diverged (their loss was no longer finite); they count as guessing.")
    steps = sorted({int(one["steps"]) for _, one in found.all()})
    notes.append(f"Steps of every run: {' or '.join(map(str, steps))}; accuracies are those of the last epoch.")
    if recipe.smaller:
        notes.append(f"Smaller than in the paper: {recipe.smaller}.")
    return Findings(rows, claims, pictures, notes)


def _rows(recipe: Recipe, found: Found, network: str) -> list[Row]:
    rows = []
    for run in published_runs(recipe, network):
        figure = ACCURACY.get((recipe.data, network, run.loss))
        unclear = UNCLEAR.get((recipe.data, network))
        rows.append(
            Row(
                f"{network}: {title(run.loss, run.weight)}",
                found.accuracy(run),
                "test accuracy",
                published=figure,
                tolerance=recipe.tolerance,
                comparable=not recipe.smaller,
                settings_known=not (unclear or recipe.data == "cifar10"),
                why=recipe.smaller or unclear or _stem(recipe, network),
            )
        )
    for regime in (PLAIN, *recipe.regimes):
        for loss in ("ce", "mil"):
            runs = control_runs(recipe, network, regime, loss)
            best = found.best(runs)
            for run in runs:
                mark = " (chosen on held-out images)" if run == best else ""
                rows.append(Row(f"{network}, {regime}: {run.title}{mark}", found.accuracy(run), "test accuracy"))
    return rows


def _stem(recipe: Recipe, network: str) -> str:
    return f"the paper doesn't say how it fits {network} to 32×32 images; here stem {recipe.stem!r}"


def _claims(recipe: Recipe, found: Found, network: str) -> list[Claim]:
    at_paper = {run.loss: run for run in published_runs(recipe, network)}
    ce, mil = at_paper["ce"], at_paper["mil"]
    points = "percentage points"
    claims = [
        Claim.above(
            f"{network}: at the paper's settings mutual information learning beats cross-entropy",
            found.gain(mil, ce),
            unit=points,
        )
    ]
    expected = EXPECTED.get((recipe.data, network))
    if expected is not None and not recipe.smaller:
        reached = over_seeds(found.accuracy(ce))
        claims.append(
            Claim(
                f"{network}: cross-entropy at the paper's settings reaches {expected:g} ± {recipe.tolerance:g}",
                abs(reached.mean - expected) <= recipe.tolerance,
                f"{reached} over {reached.seeds} seed(s)",
                published=False,
            )
        )
    if recipe.rivals:
        rival = max((at_paper[name] for name in recipe.rivals), key=lambda run: sum(found.accuracy(run)))
        claims.append(
            Claim.above(
                f"{network}: at the paper's settings it beats the best rival, {title(rival.loss)}",
                found.gain(mil, rival),
                unit=points,
            )
        )
    tuned = found.best(control_runs(recipe, network, PLAIN, "ce"))
    runs = control_runs(recipe, network, PLAIN, "mil")
    best = found.best(runs)
    claims += [
        Claim.above(
            f"{network}: at the paper's settings it beats cross-entropy with the learning rate chosen on held-out "
            f"images ({tuned.learning_rate:g})",
            found.gain(runs[0], tuned),
            unit=points,
            published=False,
        ),
        Claim.above(
            f"{network}: with learning rate and λ chosen on held-out images ({best.learning_rate:g}, {best.weight:g}) "
            "it beats cross-entropy with the learning rate chosen so",
            found.gain(best, tuned),
            unit=points,
            published=False,
        ),
    ]
    for regime in recipe.regimes:
        its_tuned, its_best = (found.best(control_runs(recipe, network, regime, loss)) for loss in ("ce", "mil"))
        kind = {
            AUGMENTED: "augmentation",
            DECAYED: f"weight decay {recipe.weight_decay:g}",
            RAW: "pixels in [0, 1], not standardized,",
        }[regime]
        claims.append(
            Claim.above(
                f"{network}: with {kind} and both learning rates chosen on held-out images it beats cross-entropy",
                found.gain(its_best, its_tuned),
                unit=points,
                published=False,
            )
        )
    return claims


def _remaining(recipe: Recipe, found: Found, network: str) -> str:
    """The sentence that the comparison was made for, from its numbers."""
    at_paper = {run.loss: run for run in published_runs(recipe, network)}
    gain = over_seeds(found.gain(at_paper["mil"], at_paper["ce"]))
    tuned = found.best(control_runs(recipe, network, PLAIN, "ce"))
    best = found.best(control_runs(recipe, network, PLAIN, "mil"))
    rest = over_seeds(found.gain(best, tuned))
    if rest.low > 0:
        verdict = f"of the gain {rest.mean:.2f} points remain"
    elif rest.high < 0:
        verdict = f"the gain is gone: it is a loss of {-rest.mean:.2f} points"
    else:
        verdict = "no gain remains that the seeds could tell from none"
    faster = over_seeds(found.gain(tuned, at_paper["ce"]))
    most = recipe.learning_rate * max(recipe.multiples)
    edge = " (the largest tried: more may be better still)" if tuned.learning_rate >= 0.999 * most else ""
    return (
        f"{network}: at the paper's learning rate ({recipe.learning_rate:g}) mutual information learning gains "
        f"{gain} points of test accuracy over cross-entropy. A learning rate of {tuned.learning_rate:g}{edge}, chosen "
        f"on {recipe.held_out} held-out images, gains cross-entropy {faster} points. With the settings of both chosen "
        f"so ({best.title}), the difference is {rest} points: {verdict}."
    )


def _curves(recipe: Recipe, found: Found, network: str) -> Figure:
    tuned = found.best(control_runs(recipe, network, PLAIN, "ce"))
    shown = {title(run.loss, run.weight): run for run in published_runs(recipe, network)}
    shown[f"cross-entropy, tuned ({tuned.learning_rate:g})"] = tuned
    return figures.curves(network, {label: (run.loss, found.of(run)) for label, run in shown.items()})


def _rates(recipe: Recipe, found: Found, network: str) -> Figure:
    panels: dict[str, dict[str, list[tuple[float, list[float], list[float]]]]] = {}
    for regime in (PLAIN, *recipe.regimes):
        panels[regime] = {
            loss: [
                (run.learning_rate, found.accuracy(run, "held_out"), found.accuracy(run))
                for run in control_runs(recipe, network, regime, loss)
                if loss == "ce" or run.weight == recipe.weight
            ]
            for loss in ("ce", "mil")
        }
    return figures.learning_rates(network, panels, recipe.weight)
