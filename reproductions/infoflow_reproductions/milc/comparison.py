"""The paper's comparison of losses on MNIST and CIFAR-10, and the same with the learning rate tuned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.harness.findings import Findings, Row
from infoflow_reproductions.harness.lists import Entries
from infoflow_reproductions.harness.trial import Results, Trial
from infoflow_reproductions.milc import classifier, figures
from infoflow_reproductions.milc.classifier import Found, Training
from infoflow_reproductions.milc.images import scale_of_pixels
from infoflow_reproductions.milc.network_report import NetworkReport
from infoflow_reproductions.milc.overfitting import EXTREMELY_SMALL
from infoflow_reproductions.milc.published import networks_of
from infoflow_reproductions.milc.recipe import AUGMENTED, DECAYED, RAW, Recipe


def _trials(recipe: Recipe) -> list[Trial]:
    return classifier.trials(recipe.trainings(), recipe.seeds)


def _report(recipe: Recipe, results: Results) -> Findings:
    """Report the table of the paper, the controls, and the remaining gain."""
    found = Found(results, recipe.seeds)
    networks = [NetworkReport(recipe, found, name) for name in recipe.networks]
    every = [(training.loss, one) for training in recipe.trainings() for one in found.of(training)]
    notes = [network.remaining() for network in networks]
    diverged = sum(bool(one["diverged"]) for _, one in every)
    if diverged:
        notes.append(f"{diverged} runs diverged (their loss was no longer finite); they count as guessing.")
    steps = sorted({int(one["steps"]) for _, one in every})
    notes.append(f"Steps of every run: {' or '.join(map(str, steps))}; accuracies are those of the last epoch.")
    rows = [row for network in networks for row in network.rows()]
    return Findings(
        rows,
        [claim for network in networks for claim in network.claims()],
        [*(picture for network in networks for picture in network.pictures()), figures.scatter(every)],
        [*notes, *_choices(recipe, rows)],
    )


def _choices(recipe: Recipe, rows: Sequence[Row]) -> list[str]:
    """Return what is smaller than in the paper, and what the paper does not state."""
    notes = []
    if recipe.smaller:
        notes.append(
            f"Smaller than in the paper: {recipe.smaller}. The paper finds that mutual information learning takes "
            "longer to converge, so a loss after fewer steps or images does not contradict a gain after training as "
            "long as published."
        )
    others = [name for name in recipe.networks if name not in networks_of(recipe.base.data)]
    if recipe.base.data.startswith("cifar10"):
        notes.append(
            "Table 3 has GoogLeNet, ResNet-18, MobileNetV2, EfficientNet-B0 and ShuffleNetV2; here: "
            f"{', '.join(recipe.networks)}. "
            + (f"Claims on {' and '.join(others)} are therefore not the paper's. " if others else "")
            + "Only ShuffleNetV2 has a recipe near the published size below scale 'full' "
            "(cpu-published). The gain of more than 10 points in the abstract is that of EfficientNet-B0, and is "
            "judged with that network alone."
        )
    if recipe.base.stem == "imagenet":
        notes.append(_stem(rows))
    raw = ", and in [0, 1] in runs 'not standardized'" if RAW in recipe.regimes else ""
    notes.append(f"{scale_of_pixels(recipe.base.standardized)}{raw}.")
    notes.append(
        "Training losses and training accuracies are those of the first 10,000 training images after training. The "
        f"paper gives no number for an extremely small training loss; the threshold of {EXTREMELY_SMALL:g} nats is "
        "chosen here."
    )
    if "cnn" in recipe.networks:
        notes.append(
            "The paper's CNN (Appendix H) has ReLU after the first fully connected layer; none is stated after the "
            "convolutions, where the network here has one after each pooling. Its kernel size is lost in the text at "
            "hand; 5×5 is an inference."
        )
    return notes


def _stem(rows: Sequence[Row]) -> str:
    """Return how the stem was chosen, and how far the accuracies are from the published ones."""
    known = [(row.what, row.found.mean, row.published) for row in rows if row.published is not None]
    text = (
        "The paper does not state how the networks of Table 3 are fitted to 32×32 images. Here they have torchvision's "
        "stem for 224×224 images ('imagenet'), which was chosen by the published figures (0.52 to 0.77): in "
        "exploration without stored results, accuracies with a stem for small images were far above them."
    )
    if not known:
        return text
    pairs = "; ".join(f"{what} {found:.3f}, published {published:.3f}" for what, found, published in known)
    below = 100 * sum(published - found for _, found, published in known) / len(known)
    side = "below" if below > 0 else "above"
    return f"{text} The runs here are on average {abs(below):.1f} points {side} the published figures ({pairs})."


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
        # The stem for 224×224 images is an inference: the published accuracies of 0.52 to 0.77 are far below those of a
        # stem for small images. So it is in "full" as well.
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
