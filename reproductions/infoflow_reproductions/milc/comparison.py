"""The paper's comparison of losses on MNIST and CIFAR-10, and the same with the learning rate tuned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from infoflow.core.checks import choice
from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Claim, Figure, Findings, Row
from infoflow_reproductions.harness.inference import PART, POINTS
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.seeds import over_seeds, seed_count
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.milc import classifier, figures
from infoflow_reproductions.milc.classifier import Found, Training
from infoflow_reproductions.milc.learning_curves import connection, longer
from infoflow_reproductions.milc.losses import title
from infoflow_reproductions.milc.published import ACCURACY, EXPECTED, UNCLEAR

PLAIN, AUGMENTED, DECAYED, RAW = "plain", "augmented", "decayed", "not standardized"
RIVALS = ("lsr", "cp", "cp-weighted", "lc", "lc-hard", "la", "pc", "ncmi")
# The network with which the paper's gain exceeds 10 percentage points.
_MOST = "efficientnet_b0"


@dataclass(frozen=True)
class Recipe:
    """The losses of a comparison and how they are trained; compared runs take the same number of steps.

    Parameters
    ----------
    base
        The published run of mutual information learning with the first network, from which the others are varied.
    networks
        Names of the networks.
    control_size
        Training images of the controls, which leave `held_out` others.
    held_out
        Images on which the controls' settings are chosen.
    seeds
        Number of seeds.
    multiples
        Factors on the learning rate in the controls, of cross-entropy and mutual information alike.
    weights
        Other values of λ in the controls, each at every learning rate.
    rivals
        Other losses of the comparison.
    regimes
        Further controls, of cross-entropy and mutual information alone.
    regime_multiples
        Factors on the learning rate in those.
    weight_decay
        Weight decay of the regime "decayed".
    smaller
        What is smaller than in the paper, if anything; the figures are not compared with the published ones then.
    tolerance
        Largest difference from a published accuracy that counts as reproduced.
    """

    base: Training
    networks: tuple[str, ...]
    control_size: int
    held_out: int
    seeds: int = 3
    multiples: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    weights: tuple[float, ...] = (0.5, 5.0)
    rivals: tuple[str, ...] = RIVALS
    regimes: tuple[str, ...] = (AUGMENTED, DECAYED)
    regime_multiples: tuple[float, ...] = (1.0, 10.0)
    weight_decay: float = 5e-4
    smaller: str = ""
    tolerance: float = 0.01

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
        held_out = self.held_out if self.base.size == self.control_size else 0
        mil = replace(self.base, network=network, held_out=held_out)
        return {**{loss: replace(mil, loss=loss, weight=0.0) for loss in ("ce", *self.rivals)}, "mil": mil}

    def controls(self, network: str) -> dict[tuple[str, str], list[Training]]:
        """Return the runs among which held-out images choose.

        Parameters
        ----------
        network
            Name of the network.

        Returns
        -------
        dict
            By regime and loss: both at the same learning rates, mutual information also with each λ at each of them.
        """
        mil = replace(self.base, network=network, size=self.control_size, held_out=self.held_out)
        changes: dict[str, dict[str, Any]] = {
            PLAIN: {},
            AUGMENTED: {"augment": True},
            DECAYED: {"weight_decay": self.weight_decay},
            RAW: {"standardized": False},
        }
        found = {}
        for regime in (PLAIN, *self.regimes):
            multiples = self.multiples if regime == PLAIN else self.regime_multiples
            both = self._at(mil, multiples, changes[choice(regime, "regime", changes)])
            found[regime, "ce"] = [replace(each, loss="ce", weight=0.0) for each in both]
            found[regime, "mil"] = both
        for weight in self.weights:
            found[PLAIN, "mil"] += self._at(replace(mil, weight=weight), self.multiples, {})
        return found

    def _at(self, base: Training, multiples: Sequence[float], changes: Mapping[str, Any]) -> list[Training]:
        rates = [float(f"{base.learning_rate * multiple:.6g}") for multiple in multiples]
        return [replace(base, learning_rate=rate, **changes) for rate in rates]

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
    notes += _choices(recipe)
    return Findings(
        [row for network in networks for row in network.rows()],
        [claim for network in networks for claim in network.claims()],
        [*(picture for network in networks for picture in network.pictures()), figures.scatter(every)],
        notes,
    )


def _choices(recipe: Recipe) -> list[str]:
    """Return what is smaller than in the paper, and what the paper does not state."""
    notes = []
    if recipe.smaller:
        notes.append(
            f"Smaller than in the paper: {recipe.smaller}. The paper finds that mutual information learning takes "
            "longer to converge, so a loss after fewer steps or images does not contradict a gain after training as "
            "long as published."
        )
    if recipe.base.data.startswith("cifar10"):
        notes.append(
            "Table 3 has GoogLeNet, ResNet-18, MobileNetV2, EfficientNet-B0 and ShuffleNetV2; here: "
            f"{', '.join(recipe.networks)}. Only ShuffleNetV2 has a recipe near the published size below scale 'full' "
            "(cpu-published). The gain of more than 10 points in the abstract is that of EfficientNet-B0, and is "
            "judged with that network alone."
        )
        notes.append(
            "The paper does not state how the networks of Table 3 are fitted to 32×32 images. Recipes with these "
            "networks have torchvision's stem for 224×224 images ('imagenet'): in exploration without stored results "
            "it alone reached the published range of 0.52 to 0.77, and a stem for small images far more."
        )
    if "cnn" in recipe.networks:
        notes.append(
            "The paper's CNN (Appendix H) has ReLU after the first fully connected layer; none is stated after the "
            "convolutions, where the network here has one after each pooling. Its kernel size is lost in the text at "
            "hand; 5×5 is an inference."
        )
    return notes


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
        unclear = UNCLEAR.get((recipe.base.data, self.name))
        stem = f"the paper does not state how it fits {self.name} to 32×32 images; here stem {recipe.base.stem!r}"
        rows = [
            Row(
                f"{self.name}: {title(loss, training.weight)}",
                self.found.values(training),
                "test accuracy",
                published=ACCURACY.get((recipe.base.data, self.name, loss)),
                tolerance=recipe.tolerance,
                comparable=not recipe.smaller,
                settings_known=not (unclear or recipe.base.data == "cifar10"),
                why=recipe.smaller or unclear or stem,
                certain=unclear is None,
            )
            for loss, training in self.published.items()
        ]
        for key, trainings in self.controls.items():
            for training in trainings:
                mark = " (chosen on held-out images)" if len(trainings) > 1 and training == self.best[key] else ""
                what = f"{self.name}, {key[0]}: {training.title}{mark}"
                rows.append(Row(what, self.found.values(training), "test accuracy"))
        return rows

    def claims(self) -> list[Claim]:
        """Return the paper's claims and those of the controls."""
        recipe, found = self.recipe, self.found
        claims = [self._gain("at the paper's settings mutual information learning", "cross-entropy", self.mil, self.ce)]
        expected = EXPECTED.get((recipe.base.data, self.name))
        if expected is not None and not recipe.smaller:
            reached = over_seeds(found.values(self.ce), span=PART)
            text = f"cross-entropy at the paper's settings reaches {expected:g} ± {recipe.tolerance:g}"
            holds = abs(reached.mean - expected) <= recipe.tolerance
            evidence = f"{reached} over {seed_count(reached.seeds)}"
            claims.append(Claim(f"{self.name}: {text}", holds, evidence, published=False))
        if self.name == _MOST:
            text = f"{self.name}: at the paper's settings it outperforms cross-entropy by more than 10 points"
            claims.append(Claim.above(text, found.gain(self.mil, self.ce), 10.0, unit="percentage points"))
        claims += longer(self.name, found.of(self.mil), found.of(self.ce))
        every = dict.fromkeys([*self.published.values(), *(one for group in self.controls.values() for one in group)])
        claims += connection(
            self.name, [found.of(one) for one in self.published.values()], [found.of(one) for one in every]
        )
        tuned, best = self.best[PLAIN, "ce"], self.best[PLAIN, "mil"]
        if self._choice:
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
                    "cross-entropy with a learning rate chosen from the same values likewise",
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
                f"with λ = {self.mil.weight:g}, {kinds[regime]} and both learning rates chosen on held-out images it",
                "cross-entropy",
                self.best[regime, "mil"],
                self.best[regime, "ce"],
                published=False,
            )
            for regime in recipe.regimes
        ]
        return claims

    @property
    def _choice(self) -> bool:
        """Whether held-out images choose among several settings."""
        return any(len(self.controls[PLAIN, loss]) > 1 for loss in ("ce", "mil"))

    def _gain(self, ours: str, other: str, run: Training, over: Training, *, published: bool = True) -> Claim:
        text = f"{self.name}: {ours} outperforms {other}"
        return Claim.above(text, self.found.gain(run, over), unit="percentage points", published=published)

    def remaining(self) -> str:
        """Return the result of the comparison as a sentence."""
        recipe, found = self.recipe, self.found
        tuned, best = self.best[PLAIN, "ce"], self.best[PLAIN, "mil"]
        gain, faster, rest = (
            over_seeds(found.gain(*pair), span=POINTS)
            for pair in ((self.mil, self.ce), (tuned, self.ce), (best, tuned))
        )
        at_papers = (
            f"{self.name}: at the paper's learning rate ({recipe.base.learning_rate:g}) mutual information learning "
            f"gains {gain} points of test accuracy over cross-entropy."
        )
        if not self._choice:
            return f"{at_papers} No other setting ran, so that neither loss had its settings chosen."
        if rest.seeds == 1:
            verdict = "one seed does not show whether a gain remains"
        elif rest.low > 0:
            verdict = f"a gain of {rest.mean:.2f} points remains"
        elif rest.high < 0:
            verdict = f"this is a loss of {-rest.mean:.2f} points"
        else:
            verdict = "no significant gain remains"
        most = recipe.base.learning_rate * max(recipe.multiples)
        edge = " (the largest tried; a larger one may be better)" if tuned.learning_rate >= 0.999 * most else ""
        return (
            f"{at_papers} A learning rate of {tuned.learning_rate:g}{edge}, chosen on {recipe.held_out} held-out "
            f"images, gains cross-entropy {faster} points. With learning rate and λ of mutual information learning "
            f"chosen likewise ({best.title}; one of {len(self.controls[PLAIN, 'mil'])} settings, for cross-entropy "
            f"one of {len(self.controls[PLAIN, 'ce'])}), the difference is {rest} points: {verdict}."
        )

    def pictures(self) -> list[Figure]:
        """Return the curves over training and, where several settings ran, the errors by learning rate."""
        tuned, best = self.best[PLAIN, "ce"], self.best[PLAIN, "mil"]
        shown = {title(loss, training.weight): training for loss, training in self.published.items()}
        if self._choice:
            shown[f"cross-entropy, tuned ({tuned.learning_rate:g})"] = tuned
            if (best.weight, best.learning_rate) != (self.mil.weight, self.mil.learning_rate):
                shown[f"{title('mil', best.weight)}, tuned ({best.learning_rate:g})"] = best
        runs = {label: (training.loss, self.found.of(training)) for label, training in shown.items()}
        curves = figures.curves(self.name, runs)
        if not self._choice:
            return [curves]
        panels: dict[str, dict[tuple[str, float], list[Any]]] = {}
        for (regime, loss), trainings in self.controls.items():
            for each in trainings:
                accuracies = self.found.values(each, "held_out_accuracy"), self.found.values(each)
                lines = panels.setdefault(regime, {}).setdefault((loss, each.weight), [])
                lines.append((each.learning_rate, *accuracies))
        return [curves, figures.learning_rates(self.name, panels, self.recipe.base.weight)]


_MNIST = Training(
    "mnist", "mlp", "mil", seed=0, epochs=77, batch_size=512, learning_rate=1e-3, size=60_000, weight=50.0
)
# Three seeds, as in the paper, could never show that a claim differs.
_CPU_MNIST = Recipe(_MNIST, ("mlp",), control_size=50_000, held_out=10_000, seeds=4)
_NEEDS = {name: Entries() for name in ("networks", "multiples", "regime_multiples")}
MNIST = Experiment(
    "milc",
    "mnist",
    "Mutual-information-learned classifiers on MNIST",
    {
        "smoke": Recipe(
            replace(_MNIST, data="digits", epochs=2, batch_size=64, size=1000),
            ("mlp",),
            control_size=800,
            held_out=200,
            seeds=2,
            multiples=(1.0, 30.0),
            rivals=("lsr", "ncmi"),
            regime_multiples=(1.0,),
            smaller="a smoke test on digits",
        ),
        "cpu": _CPU_MNIST,
        "full": replace(_CPU_MNIST, seeds=5, regime_multiples=(1.0, 3.0, 10.0, 30.0)),
    },
    _trials,
    _report,
    needs=_NEEDS,
)

_CIFAR = replace(_MNIST, data="cifar10", network="mobilenet_v2", epochs=100, batch_size=256, size=50_000)
CIFAR = Experiment(
    "milc",
    "cifar",
    "Mutual-information-learned classifiers on CIFAR-10",
    {
        "smoke": Recipe(
            replace(_CIFAR, data="digits32", network="cnn", epochs=1, batch_size=64, size=300),
            ("cnn",),
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
            replace(_CIFAR, data="cifar10-16", epochs=40, batch_size=128, size=10_000, standardized=True),
            ("mlp", "cnn"),
            control_size=10_000,
            held_out=5_000,
            seeds=4,
            rivals=("lsr", "cp", "lc", "la", "ncmi"),
            regimes=(AUGMENTED, DECAYED, RAW),
            smaller="10,000 of 50,000 training images, averaged to 16×16 pixels; small networks without batch "
            "normalization; 3,160 steps of 128 images for 19,600 of 256",
        ),
        # The stem of torchvision's networks for 224×224 images is an inference: the published accuracies of 0.52 to
        # 0.77 are what it reaches on 32×32 images, and far below those of a stem for small images. So it is in "full".
        "cpu-published": Recipe(
            replace(_CIFAR, network="shufflenet_v2", size=45_000, stem="imagenet", channels_last=True),
            ("shufflenet_v2",),
            control_size=45_000,
            held_out=5_000,
            multiples=(1.0, 10.0),
            weights=(0.5,),
            rivals=(),
            regimes=(),
            tolerance=0.02,
            smaller="45,000 of 50,000 training images, since the others choose learning rate and λ",
        ),
        "full": Recipe(
            replace(_CIFAR, stem="imagenet"),
            ("mobilenet_v2", "efficientnet_b0", "shufflenet_v2", "resnet18", "googlenet"),
            control_size=45_000,
            held_out=5_000,
            rivals=("lsr", "cp", "lc"),
            tolerance=0.02,
        ),
    },
    _trials,
    _report,
    needs=_NEEDS,
)
