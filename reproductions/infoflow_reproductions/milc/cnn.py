"""The second row of Table 2, the convolutional network on MNIST, and Figure 5 on CIFAR-10 with such a network."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.milc.comparison import CIFAR, MNIST
from infoflow_reproductions.milc.recipe import Recipe
from infoflow_reproductions.milc.sweeps import BATCH_SIZE, WEIGHT, BatchSizes, Weights

_WHOLE = MNIST.recipe("full")
_SMALL = replace(_WHOLE.base, network="cnn", epochs=20, batch_size=128, size=5_000)
MNIST_CNN = replace(
    MNIST,
    name="mnist-cnn",
    title="Mutual-information-learned classifiers on MNIST: the convolutional network",
    recipes={
        "smoke": Recipe(
            replace(_SMALL, data="digits32", epochs=1, batch_size=64, size=300),
            ("cnn",),
            control_size=300,
            held_out=100,
            seeds=2,
            multiples=(1.0, 30.0),
            weights=(),
            rivals=("lsr",),
            regimes=(),
            smaller="a smoke test on digits",
        ),
        "cpu": Recipe(
            _SMALL,
            ("cnn",),
            control_size=5_000,
            held_out=2_000,
            seeds=4,
            multiples=(1.0, 10.0),
            weights=(0.5,),
            rivals=("lsr", "cp", "lc"),
            regimes=(),
            smaller="5,000 of 60,000 training images; 800 steps of 128 images for 9,086 of 512",
        ),
        "full": replace(_WHOLE, networks=("cnn",), rivals=("lsr", "cp", "lc"), seeds=3),
    },
)

_COLOR = replace(CIFAR.recipe("cpu").base, network="cnn", epochs=12, batch_size=256)
_DIGITS = replace(_COLOR, data="digits32", epochs=1, batch_size=64, size=300)
_PUBLISHED = replace(CIFAR.recipe("full").base, network="resnet18")

BATCH_SIZE_CIFAR = replace(
    BATCH_SIZE,
    name="batch-size-cifar",
    title="Mutual-information-learned classifiers: the batch size on CIFAR-10",
    recipes={
        "smoke": BatchSizes(_DIGITS, (32, 64), seeds=2),
        "cpu": BatchSizes(_COLOR, (64, 256, 1024)),
        "full": BatchSizes(_PUBLISHED, (32, 128, 256, 512, 1024)),
    },
)
WEIGHT_CIFAR = replace(
    WEIGHT,
    name="weight-cifar",
    title="Mutual-information-learned classifiers: the weight of the label entropy on CIFAR-10",
    recipes={
        "smoke": Weights(replace(_DIGITS, held_out=100), weights=(0.0, 50.0), seeds=2),
        "cpu": Weights(replace(_COLOR, held_out=2_000)),
        "full": Weights(replace(_PUBLISHED, size=45_000, held_out=5_000)),
    },
)
