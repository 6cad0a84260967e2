"""The comparison on CIFAR-10."""

from __future__ import annotations

from infoflow_reproductions.harness.experiment import Experiment
from infoflow_reproductions.milc.comparison import AUGMENTED, DECAYED, RAW, Recipe, report, trials

CIFAR = Experiment(
    "milc",
    "cifar",
    "Mutual-information-learned classifiers on CIFAR-10",
    {
        "smoke": Recipe(
            "digits32", ("cnn",), epochs=1, batch_size=64, size=300, control_size=300, held_out=100, seeds=2,
            multiples=(1.0, 30.0), weights=(), rivals=("cp",), regimes=(), smaller="a smoke test on digits",
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
            "cifar10", ("mobilenet_v2", "efficientnet_b0", "shufflenet_v2", "resnet18", "googlenet"), epochs=100,
            batch_size=256, size=50_000, control_size=45_000, held_out=5_000,
            rivals=("lsr", "cp", "lc"), tolerance=0.02,
        ),
    },
    trials,
    report,
)  # fmt: skip
