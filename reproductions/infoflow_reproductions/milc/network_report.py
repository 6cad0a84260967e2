"""The results of one network in a comparison of losses: figures, claims, pictures and a sentence."""

from __future__ import annotations

from typing import Any

from infoflow_reproductions.harness.findings import Claim, Figure, Row
from infoflow_reproductions.harness.inference import PART, POINTS
from infoflow_reproductions.harness.seeds import over_seeds, seed_count
from infoflow_reproductions.milc import figures
from infoflow_reproductions.milc.classifier import Found, Training
from infoflow_reproductions.milc.learning_curves import connection, longer
from infoflow_reproductions.milc.losses import title
from infoflow_reproductions.milc.overfitting import overfitting
from infoflow_reproductions.milc.published import ACCURACY, EXPECTED, UNCLEAR, networks_of
from infoflow_reproductions.milc.recipe import AT_PAPERS, AUGMENTED, DECAYED, PLAIN, RAW, Recipe

# The network with which the paper's gain exceeds 10 percentage points.
_MOST = "efficientnet_b0"
# Digits of a difference in percentage points within a sentence.
_DIGITS = ".3g"


class NetworkReport:
    """The results of one network.

    Parameters
    ----------
    recipe
        What was run.
    found
        Results of every run.
    name
        Name of the network.
    """

    def __init__(self, recipe: Recipe, found: Found, name: str) -> None:
        self.recipe, self.found, self.name = recipe, found, name
        self.published, self.controls = recipe.published(name), recipe.controls(name)
        self.best = {key: found.best(trainings) for key, trainings in self.controls.items()}
        self.ce, self.mil = self.published["ce"], self.published["mil"]
        self._of_paper = name in networks_of(recipe.base.data)

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
        recipe, found, paper = self.recipe, self.found, self._of_paper
        ours = f"{AT_PAPERS} mutual information learning"
        claims = [self._gain(ours, "cross-entropy", self.mil, self.ce, published=paper)]
        expected = EXPECTED.get((recipe.base.data, self.name))
        if expected is not None and not recipe.smaller:
            reached = over_seeds(found.values(self.ce), span=PART)
            text = f"cross-entropy at the paper's learning rate reaches {expected:g} ± {recipe.tolerance:g}"
            holds = abs(reached.mean - expected) <= recipe.tolerance
            evidence = f"{reached} over {seed_count(reached.seeds)}"
            claims.append(Claim(f"{self.name}: {text}", holds, evidence, published=False))
        if self.name == _MOST:
            text = f"{self.name}: {AT_PAPERS} it outperforms cross-entropy by more than 10 points"
            claims.append(Claim.above(text, found.gain(self.mil, self.ce), 10.0, unit="percentage points"))
        claims += longer(self.name, found.of(self.mil), found.of(self.ce), published=paper)
        claims += overfitting(self.name, found.of(self.mil), found.of(self.ce), published=paper)
        every = dict.fromkeys([*self.published.values(), *(one for group in self.controls.values() for one in group)])
        compared = [found.of(one) for one in self.published.values()]
        claims += connection(self.name, compared, [found.of(one) for one in every], published=paper)
        return [*claims, *self._with_chosen_settings(), *(self._in_regime(regime) for regime in recipe.regimes)]

    def _with_chosen_settings(self) -> list[Claim]:
        """Return the claims against cross-entropy with a chosen learning rate; none where only one ran."""
        if not self._choice:
            return []
        tuned, best = self.best[PLAIN, "ce"], self.best[PLAIN, "mil"]
        of = {loss: len(self.controls[PLAIN, loss]) for loss in ("ce", "mil")}
        return [
            self._gain(
                f"{AT_PAPERS} it",
                f"cross-entropy with the learning rate chosen on held-out images ({tuned.learning_rate:g})",
                self.controls[PLAIN, "mil"][0],
                tuned,
                published=False,
            ),
            self._gain(
                "with learning rate and λ chosen on held-out images "
                f"({best.learning_rate:g}, {best.weight:g}; one of {of['mil']} settings) it",
                "cross-entropy with a learning rate chosen in the same way "
                f"({tuned.learning_rate:g}; one of {of['ce']})",
                best,
                tuned,
                published=False,
            ),
        ]

    def _in_regime(self, regime: str) -> Claim:
        kinds = {
            AUGMENTED: "augmentation",
            DECAYED: f"weight decay {self.recipe.weight_decay:g}",
            RAW: "pixels in [0, 1], not standardized,",
        }
        ours, base = self.best[regime, "mil"], self.best[regime, "ce"]
        several = len(self.controls[regime, "ce"]) > 1
        rates = "both learning rates chosen on held-out images" if several else f"learning rate {ours.learning_rate:g}"
        with_ = f"with λ = {self.mil.weight:g}, {kinds[regime]} and {rates} it"
        return self._gain(with_, "cross-entropy", ours, base, published=False)

    @property
    def _choice(self) -> bool:
        """Whether held-out images choose among several settings of either loss; both have the same learning rates."""
        return len(self.controls[PLAIN, "ce"]) > 1

    def _gain(self, ours: str, other: str, run: Training, over: Training, *, published: bool) -> Claim:
        text = f"{self.name}: {ours} outperforms {other}"
        return Claim.above(text, self.found.gain(run, over), unit="percentage points", published=published)

    def remaining(self) -> str:
        """Return the result of the comparison as a sentence."""
        recipe, found = self.recipe, self.found
        tuned, best = self.best[PLAIN, "ce"], self.best[PLAIN, "mil"]
        gain, faster = found.gain(self.mil, self.ce), found.gain(tuned, self.ce)
        rest = over_seeds(found.gain(best, tuned), span=POINTS)
        verb, of_test = ("loses", "against") if _mean(gain) < 0 else ("gains", "over")
        at_papers = (
            f"{self.name}: at the paper's learning rate ({recipe.base.learning_rate:g}) mutual information learning "
            f"{verb} {_size(gain)} points of test accuracy {of_test} cross-entropy."
        )
        if not self._choice:
            return f"{at_papers} No other learning rate ran, so that neither loss had its settings chosen."
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
        moved = "lowers" if _mean(faster) < 0 else "raises"
        return (
            f"{at_papers} A learning rate of {tuned.learning_rate:g}{edge}, chosen on {recipe.held_out:,} held-out "
            f"images, {moved} cross-entropy by {_size(faster)} points. With learning rate and λ of mutual information "
            f"learning chosen in the same way ({best.title}; one of {len(self.controls[PLAIN, 'mil'])} settings, for "
            f"cross-entropy one of {len(self.controls[PLAIN, 'ce'])}), the difference is {rest.text(_DIGITS)} points: "
            f"{verdict}."
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


def _mean(differences: list[float]) -> float:
    return over_seeds(differences).mean


def _size(differences: list[float]) -> str:
    """The mean without its sign, and its interval."""
    sign = -1 if _mean(differences) < 0 else 1
    return over_seeds([sign * one for one in differences], span=POINTS).text(_DIGITS)
