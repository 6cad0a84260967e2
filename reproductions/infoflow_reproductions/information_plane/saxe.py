"""Row [4]: does compression come from the saturating nonlinearity, and does it need noise in training?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.harness.trial import Trial
from infoflow_reproductions.information_plane import teacher
from infoflow_reproductions.information_plane.figures import bits
from infoflow_reproductions.information_plane.judging import alike, keeps, some_compress
from infoflow_reproductions.information_plane.reading import Reading, label_of
from infoflow_reproductions.information_plane.rows import TableRow, experiment
from infoflow_reproductions.information_plane.rulers import Ruler
from infoflow_reproductions.information_plane.variant import Recipe, Variant

ROW = TableRow(
    "saxe",
    "[4]",
    "Saxe et al., On the information bottleneck theory of deep learning (2018)",
    "tanh and softsign: double-sided saturation compresses (softsign less), ReLU and softplus don't, nor do linear "
    "networks; full-batch gradient descent is as stochastic; compression isn't tied to generalization",
)

KDE, NARROW, EVEN, WIDE = (
    "kernel-density:variance=0.001", "binning:width=0.07", "binning:bins=100,scope=run", "binning:width=0.5",
)  # fmt: skip
STUDENT = "linear student"
WHOLE = "tanh, full batch"
# SZT's inputs to train on: 80 % of 4096.
_INPUTS = 3276

_TANH = Variant(
    "tanh", initialization="saxe", batch_size=256, epochs=10_000, shuffled_split=True
)  # fmt: skip
_MNIST = Variant(
    "MNIST ReLU", data="mnist", widths=(1024, 20, 20, 20), activation=("relu",), initialization="saxe",
    optimizer="sgd", learning_rate=1e-3, batch_size=128, epochs=1000, probe="test", at_most=2,
)  # fmt: skip


def judge(reading: Reading) -> Sequence[Claim]:
    """By the paper's kernel density; the bins as a control."""
    claims = []
    by = {"tanh": True, "ReLU": False, "softplus": False}
    for network, falls in by.items():
        if not reading.has(network):
            continue
        hidden = reading.hidden(network)
        for text in (KDE, NARROW):
            if falls:
                claims.append(
                    some_compress(
                        reading,
                        f"{network}: some hidden layer compresses ({label_of(text)})",
                        network,
                        hidden,
                        label_of(text),
                    )
                )
            else:
                claims.append(
                    keeps(
                        reading,
                        f"{network}: no hidden layer compresses ({label_of(text)})",
                        network,
                        hidden,
                        label_of(text),
                    )
                )
    if reading.has("tanh", WHOLE):
        claims += _without_noise(reading)
    if reading.has("MNIST ReLU"):
        claims.append(
            keeps(reading,
                "MNIST ReLU: no hidden layer compresses (KDE)", "MNIST ReLU", reading.hidden("MNIST ReLU"),
                label_of("kernel-density:variance=0.1"),
            )
        )  # fmt: skip
    if reading.has(STUDENT):
        lost = max(reading.shares(STUDENT, "linear1"))
        claims.append(
            Claim(
                "linear student, exact I(X;T): no compression",
                lost <= 0.05,
                f"at most {lost:.1%} of the peak is lost, over {len(reading.shares(STUDENT, 'linear1'))} seed(s)",
            )
        )
    return claims


def _without_noise(reading: Reading) -> list[Claim]:
    """The full batch against batches: verdicts, and how much is lost after as many epochs and after as many steps."""
    hidden = reading.hidden("tanh")
    by_batches, whole = (reading.verdicts(network, hidden) for network in ("tanh", WHOLE))
    claims = [
        some_compress(
            reading,
            "tanh: compression needs no noise of batches: some hidden layer compresses without it",
            WHOLE,
            hidden,
        ),
        Claim(
            "tanh: full-batch gradient descent gives every layer the verdict of batches",
            alike([(by_batches[layer], whole[layer]) for layer in hidden]),
            "; ".join(f"{layer}: {by_batches[layer]} / {whole[layer]}" for layer in hidden),
        ),
    ]
    layer = hidden[-2]
    end = float(reading.nats("tanh", layer).index[-1])
    steps = _steps(reading, "tanh") / _steps(reading, WHOLE)
    for told, until in (("epochs", end), ("steps", end / steps)):
        pairs = zip(reading.shares("tanh", layer, until=until), reading.shares(WHOLE, layer), strict=True)
        more = [100 * (whole_lost - lost) for lost, whole_lost in pairs]
        claims.append(
            Claim.above(
                f"tanh: after as many {told}, {layer} has lost more of its peak with the full batch than with batches",
                more, unit="points", published=False,
            )
        )  # fmt: skip
    return claims


def _steps(reading: Reading, network: str) -> int:
    """Of an epoch."""
    variant = next(variant for variant in reading.recipe.variants if variant.name == network)
    return math.ceil(_INPUTS / variant.batch_size)


def saturation(reading: Reading) -> list[Row]:
    """The binned ReLU layers of the MNIST network, beside log2 of the 10000 test images."""
    if not reading.has("MNIST ReLU"):
        return []
    variant = next(variant for variant in reading.recipe.variants if variant.name == "MNIST ReLU")
    whole = variant.data == "mnist" and not variant.probe_size
    return [
        Row(
            f"MNIST ReLU, {layer}: H(Q(T)) in bins of 0.5 at the end; its ceiling is published",
            [bits(value) for value in reading.nats("MNIST ReLU", layer, label_of(WIDE)).iloc[-1]],
            "bits",
            math.log2(10_000),
            0.15,
            comparable=whole,
            why="" if whole else "other images, or fewer of them",
        )
        for layer in reading.hidden("MNIST ReLU")
    ]


def student(recipe: Recipe) -> list[Trial]:
    """N = P = 100 inputs and samples, SNR 1, noise of variance 1 on the hidden layer."""
    epochs = 10_000 if recipe.seeds > 2 else 100
    return teacher.trials(
        STUDENT, inputs=100, hidden=100, samples=100, noise=1.0, epochs=epochs, rate=0.1, snr=1.0,
        snapshots=recipe.snapshots, seeds=recipe.seeds,
    )  # fmt: skip


_FULL = Recipe(
    variants=(
        _TANH,
        replace(_TANH, name="ReLU", activation=("relu",)),
        replace(_TANH, name="softsign", activation=("softsign",)),
        replace(_TANH, name="softplus", activation=("softplus",)),
        replace(_TANH, name=WHOLE, batch_size=_INPUTS),
        _MNIST,
        replace(_MNIST, name="MNIST tanh", activation=("tanh",)),
    ),
    estimators=(KDE, NARROW, EVEN, WIDE, "kernel-density:variance=0.1"),
    rulers=(
        Ruler("kernel-density", "variance", (1e-4, 1e-3, 1e-2, 1e-1)),
        Ruler("binning", "width", (0.01, 0.03, 0.07, 0.2, 0.5, 1.0)),
    ),
    seeds=10,
    snapshots=30,
    pairs=4096,
)

SAXE = experiment(
    ROW,
    {
        "smoke": replace(
            _FULL,
            variants=(replace(_MNIST, data="digits", widths=(32, 8), epochs=2, probe_size=100),),
            rulers=(Ruler("binning", "width", (0.1, 1.0)),),
            estimators=(WIDE, "kernel-density:variance=0.1"),
            seeds=2,
            snapshots=3,
        ),
        "cpu": replace(
            _FULL,
            variants=tuple(
                replace(variant, epochs=12) if variant.data == "mnist" else variant for variant in _FULL.variants
            ),
            snapshots=14,
            pairs=800,
        ),
        "full": _FULL,
    },
    judge,
    rows=saturation,
    more=student,
)
