"""The paper's comparison of losses on MNIST and CIFAR-10, and the same with the learning rate tuned."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.seeds import over_seeds
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.milc import classifier, figures
from infoflow_reproductions.milc.classifier import Found, Training
from infoflow_reproductions.milc.losses import title
from infoflow_reproductions.milc.published import ACCURACY, EXPECTED, UNCLEAR

PLAIN, AUGMENTED, DECAYED, RAW = "plain", "augmented", "decayed", "not standardized"
RIVALS = ("lsr", "cp", "cp-weighted", "lc", "lc-hard", "la", "pc", "ncmi")


@dataclass(frozen=True)
class Recipe:
    """The losses of a comparison and how they are trained; compared runs take the same number of steps.

    Parameters
    ----------
    data
        Name of the data set.
    networks
        Names of the networks.
    epochs
        Epochs of training.
    batch_size
        Images per step.
    size
        Training images of the comparison as published.
    control_size
        Training images of the controls, which leave `held_out` others.
    held_out
        Images on which the controls' settings are chosen.
    seeds
        Number of seeds.
    learning_rate
        The published learning rate.
    multiples
        Factors on the learning rate in the controls.
    weight
        The published weight λ of the mutual-information loss.
    weights
        Other values of λ in the controls.
    rivals
        Other losses of the comparison.
    regimes
        Further controls, of cross-entropy and mutual information alone.
    regime_multiples
        Factors on the learning rate in those.
    weight_decay
        Weight decay of the regime "decayed".
    standardized
        Whether pixels are standardized by channel, except in the regime "not standardized", where they lie in [0, 1].
    stem
        First layers of torchvision's networks, as in `infoflow.models.vision_network`.
    smaller
        What is smaller than in the paper, if anything; the figures are not compared with the published ones then.
    tolerance
        Largest difference from a published accuracy that counts as reproduced.
    """

    data: str
    networks: tuple[str, ...]
    epochs: int
    batch_size: int
    size: int
    control_size: int
    held_out: int
    seeds: int = 3
    learning_rate: float = 1e-3
    multiples: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    weight: float = 50.0
    weights: tuple[float, ...] = (0.5, 5.0)
    rivals: tuple[str, ...] = RIVALS
    regimes: tuple[str, ...] = (AUGMENTED, DECAYED)
    regime_multiples: tuple[float, ...] = (1.0, 10.0)
    weight_decay: float = 5e-4
    standardized: bool = False
    stem: str = "small"
    smaller: str = ""
    tolerance: float = 0.01

    def training(self, network: str, loss: str, weight: float, rate: float, regime: str, **sizes: int) -> Training:
        """Return the settings of one run.

        Parameters
        ----------
        network, loss
            Names of network and loss.
        weight
            Weight λ.
        rate
            Learning rate.
        regime
            "plain" or one of `regimes`.
        **sizes
            `size` and `held_out` of `Training`.

        Returns
        -------
        Training
            Its settings.
        """
        return Training(
            self.data,
            network,
            loss,
            seed=0,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=rate,
            **sizes,
            weight=weight,
            augment=regime == AUGMENTED,
            weight_decay=self.weight_decay if regime == DECAYED else 0.0,
            stem=self.stem,
            standardized=self.standardized and regime != RAW,
        )

    def published(self, network: str) -> dict[str, Training]:
        """Return the runs at the paper's settings.

        Parameters
        ----------
        network
            Name of the network.

        Returns
        -------
        dict
            Settings by loss.
        """
        # Where the controls have as many training images, one run serves both.
        sizes = {"size": self.size, "held_out": self.held_out if self.size == self.control_size else 0}
        weights = {"ce": 0.0, **dict.fromkeys(self.rivals, 0.0), "mil": self.weight}
        return {
            loss: self.training(network, loss, weight, self.learning_rate, PLAIN, **sizes)
            for loss, weight in weights.items()
        }

    def controls(self, network: str) -> dict[tuple[str, str], list[Training]]:
        """Return the runs among which held-out images choose.

        Parameters
        ----------
        network
            Name of the network.

        Returns
        -------
        dict
            By regime and loss: cross-entropy at several learning rates, mutual information also at several λ.
        """
        sizes = {"size": self.control_size, "held_out": self.held_out}
        found = {}
        for regime in (PLAIN, *self.regimes):
            multiples = self.multiples if regime == PLAIN else self.regime_multiples
            rates = [float(f"{self.learning_rate * multiple:.6g}") for multiple in multiples]
            for loss, weight in (("ce", 0.0), ("mil", self.weight)):
                settings = [(weight, rate) for rate in rates]
                if regime == PLAIN and loss == "mil":
                    settings += [(other, self.learning_rate) for other in self.weights]
                found[regime, loss] = [self.training(network, loss, *each, regime, **sizes) for each in settings]
        return found

    def trainings(self) -> list[Training]:
        """Return every run once.

        Returns
        -------
        list of Training
            Settings, network by network.
        """
        every = [
            training
            for network in self.networks
            for group in (self.published(network).values(), *self.controls(network).values())
            for training in group
        ]
        return list(dict.fromkeys(every))


def _trials(recipe: Recipe) -> list[Trial]:
    return classifier.trials(recipe.trainings(), recipe.seeds)


def _report(recipe: Recipe, results: Results) -> Findings:
    """Report the table of the paper, the controls, and the remaining gain."""
    found = Found(results, recipe.seeds)
    networks = [_Network(recipe, found, name) for name in recipe.networks]
    every = [(training.loss, one) for training in recipe.trainings() for one in found.of(training)]
    notes = [network.remaining() for network in networks]
    diverged = sum(bool(one["diverged"]) for _, one in every)
    if diverged:
        notes.append(f"{diverged} runs diverged (their loss was no longer finite); they count as guessing.")
    steps = sorted({int(one["steps"]) for _, one in every})
    notes.append(f"Steps of every run: {' or '.join(map(str, steps))}; accuracies are those of the last epoch.")
    if recipe.smaller:
        notes.append(f"Smaller than in the paper: {recipe.smaller}.")
    return Findings(
        [row for network in networks for row in network.rows()],
        [claim for network in networks for claim in network.claims()],
        [*(picture for network in networks for picture in network.pictures()), figures.scatter(every)],
        notes,
    )


class _Network:
    """The results of one network."""

    def __init__(self, recipe: Recipe, found: Found, name: str) -> None:
        self.recipe, self.found, self.name = recipe, found, name
        self.published, self.controls = recipe.published(name), recipe.controls(name)
        self.best = {key: found.best(trainings) for key, trainings in self.controls.items()}
        self.ce, self.mil = self.published["ce"], self.published["mil"]

    def rows(self) -> list[Row]:
        """Return the accuracies beside the published ones, and those of the controls."""
        recipe = self.recipe
        unclear = UNCLEAR.get((recipe.data, self.name))
        stem = f"the paper does not state how it fits {self.name} to 32×32 images; here stem {recipe.stem!r}"
        rows = [
            Row(
                f"{self.name}: {title(loss, training.weight)}",
                self.found.values(training),
                "test accuracy",
                published=ACCURACY.get((recipe.data, self.name, loss)),
                tolerance=recipe.tolerance,
                comparable=not recipe.smaller,
                settings_known=not (unclear or recipe.data == "cifar10"),
                why=recipe.smaller or unclear or stem,
            )
            for loss, training in self.published.items()
        ]
        for key, trainings in self.controls.items():
            for training in trainings:
                mark = " (chosen on held-out images)" if training == self.best[key] else ""
                what = f"{self.name}, {key[0]}: {training.title}{mark}"
                rows.append(Row(what, self.found.values(training), "test accuracy"))
        return rows

    def claims(self) -> list[Claim]:
        """Return the paper's claims and those of the controls."""
        recipe, found = self.recipe, self.found
        claims = [self._gain("at the paper's settings mutual information learning", "cross-entropy", self.mil, self.ce)]
        expected = EXPECTED.get((recipe.data, self.name))
        if expected is not None and not recipe.smaller:
            reached = over_seeds(found.values(self.ce))
            text = f"cross-entropy at the paper's settings reaches {expected:g} ± {recipe.tolerance:g}"
            holds = abs(reached.mean - expected) <= recipe.tolerance
            evidence = f"{reached} over {reached.seeds} seed(s)"
            claims.append(Claim(f"{self.name}: {text}", holds, evidence, published=False))
        if recipe.rivals:
            rival = max((self.published[name] for name in recipe.rivals), key=lambda each: sum(found.values(each)))
            other = f"the best other loss, {title(rival.loss)}"
            claims.append(self._gain("at the paper's settings it", other, self.mil, rival))
        tuned, best = self.best[PLAIN, "ce"], self.best[PLAIN, "mil"]
        claims += [
            self._gain(
                "at the paper's settings it",
                f"cross-entropy with the learning rate chosen on held-out images ({tuned.learning_rate:g})",
                self.controls[PLAIN, "mil"][0],
                tuned,
                published=False,
            ),
            self._gain(
                f"with learning rate and λ chosen on held-out images ({best.learning_rate:g}, {best.weight:g}) it",
                "cross-entropy with a learning rate chosen likewise",
                best,
                tuned,
                published=False,
            ),
        ]
        kinds = {
            AUGMENTED: "augmentation",
            DECAYED: f"weight decay {recipe.weight_decay:g}",
            RAW: "pixels in [0, 1], not standardized,",
        }
        claims += [
            self._gain(
                f"with {kinds[regime]} and both learning rates chosen on held-out images it",
                "cross-entropy",
                self.best[regime, "mil"],
                self.best[regime, "ce"],
                published=False,
            )
            for regime in recipe.regimes
        ]
        return claims

    def _gain(self, ours: str, other: str, run: Training, over: Training, *, published: bool = True) -> Claim:
        text = f"{self.name}: {ours} outperforms {other}"
        return Claim.above(text, self.found.gain(run, over), unit="percentage points", published=published)

    def remaining(self) -> str:
        """Return the result of the comparison as a sentence."""
        recipe, found = self.recipe, self.found
        tuned, best = self.best[PLAIN, "ce"], self.best[PLAIN, "mil"]
        gain, faster, rest = (
            over_seeds(found.gain(*pair)) for pair in ((self.mil, self.ce), (tuned, self.ce), (best, tuned))
        )
        if rest.low > 0:
            verdict = f"a gain of {rest.mean:.2f} points remains"
        elif rest.high < 0:
            verdict = f"this is a loss of {-rest.mean:.2f} points"
        else:
            verdict = "no significant gain remains"
        most = recipe.learning_rate * max(recipe.multiples)
        edge = " (the largest tried; a larger one may be better)" if tuned.learning_rate >= 0.999 * most else ""
        return (
            f"{self.name}: at the paper's learning rate ({recipe.learning_rate:g}) mutual information learning gains "
            f"{gain} points of test accuracy over cross-entropy. A learning rate of {tuned.learning_rate:g}{edge}, "
            f"chosen on {recipe.held_out} held-out images, gains cross-entropy {faster} points. With the settings of "
            f"both chosen likewise ({best.title}), the difference is {rest} points: {verdict}."
        )

    def pictures(self) -> list[Figure]:
        """Return the curves over training and the errors by learning rate."""
        tuned = self.best[PLAIN, "ce"]
        shown = {title(loss, training.weight): training for loss, training in self.published.items()}
        shown[f"cross-entropy, tuned ({tuned.learning_rate:g})"] = tuned
        runs = {label: (training.loss, self.found.of(training)) for label, training in shown.items()}
        panels: dict[str, dict[str, list[Any]]] = {}
        for (regime, loss), trainings in self.controls.items():
            panels.setdefault(regime, {})[loss] = [
                (each.learning_rate, self.found.values(each, "held_out_accuracy"), self.found.values(each))
                for each in trainings
                if loss == "ce" or each.weight == self.recipe.weight
            ]
        return [figures.curves(self.name, runs), figures.learning_rates(self.name, panels, self.recipe.weight)]


_CPU_MNIST = Recipe("mnist", ("mlp",), epochs=77, batch_size=512, size=60_000, control_size=50_000, held_out=10_000)
MNIST = Experiment(
    "milc",
    "mnist",
    "Mutual-information-learned classifiers on MNIST",
    {
        "smoke": Recipe(
            "digits",
            ("mlp",),
            epochs=2,
            batch_size=64,
            size=1000,
            control_size=800,
            held_out=200,
            seeds=2,
            multiples=(1.0, 30.0),
            rivals=("lsr", "ncmi"),
            regime_multiples=(1.0,),
            smaller="a smoke test on digits",
        ),
        "cpu": _CPU_MNIST,
        "full": replace(_CPU_MNIST, networks=("mlp", "cnn"), seeds=5, regime_multiples=(1.0, 3.0, 10.0, 30.0)),
    },
    _trials,
    _report,
)

CIFAR = Experiment(
    "milc",
    "cifar",
    "Mutual-information-learned classifiers on CIFAR-10",
    {
        "smoke": Recipe(
            "digits32",
            ("cnn",),
            epochs=1,
            batch_size=64,
            size=300,
            control_size=300,
            held_out=100,
            seeds=2,
            multiples=(1.0, 30.0),
            weights=(),
            rivals=("cp",),
            regimes=(),
            smaller="a smoke test on digits",
        ),
        "cpu": Recipe(
            "cifar10-16",
            ("mlp", "cnn"),
            epochs=40,
            batch_size=128,
            size=10_000,
            control_size=10_000,
            held_out=5_000,
            rivals=("lsr", "cp", "lc", "la", "ncmi"),
            regimes=(AUGMENTED, DECAYED, RAW),
            standardized=True,
            smaller="10,000 of 50,000 training images, averaged to 16×16 pixels; small networks without batch "
            "normalization; 3,160 steps of 128 images for 19,600 of 256",
        ),
        "full": Recipe(
            "cifar10",
            ("mobilenet_v2", "efficientnet_b0", "shufflenet_v2", "resnet18", "googlenet"),
            epochs=100,
            batch_size=256,
            size=50_000,
            control_size=45_000,
            held_out=5_000,
            rivals=("lsr", "cp", "lc"),
            tolerance=0.02,
        ),
    },
    _trials,
    _report,
)
