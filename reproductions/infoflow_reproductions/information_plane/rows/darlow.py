"""Row [11]: variational bounds on both axes: a classifier for the label, a generative model for the input."""

from __future__ import annotations

from dataclasses import replace

from infoflow_reproductions.harness.findings import Claim, Row
from infoflow_reproductions.information_plane.claims import Compression, Rises, on_each, supported
from infoflow_reproductions.information_plane.reading import Reading
from infoflow_reproductions.information_plane.recipe import IMAGES, OUTPUT, Recipe, SettingSweep, smoke
from infoflow_reproductions.information_plane.row import TableRow

_COLOR = replace(IMAGES, data="cifar10", widths=(), activation=("leaky_relu",), initialization="torch", epochs=100)
_DEEP = ("leaky_relu6", "leaky_relu7", OUTPUT)
_ADAM = replace(_COLOR, name="six convolutions", network="cnn-deep", probe="train", layers=_DEEP)
_CNN = replace(_ADAM, optimizer="sgd", learning_rate=0.05, momentum=0.9, probe_size=10_000)
EARLY = "layer1"
_TORCHVISION = replace(_CNN, name="ResNet-18", network="resnet18", layers=(EARLY, "layer3", "layer4", OUTPUT))
_RESNET = replace(_TORCHVISION, weight_decay=5e-4, probe_size=3000)
_SHALLOW = replace(_CNN, data="digits", network="cnn-shallow", layers=("leaky_relu3", OUTPUT))
_DIGITS = replace(_SHALLOW, epochs=1, size=200, probe_size=100)


def peaks(reading: Reading) -> list[Row]:
    """Compare the epoch of the greatest I(X;T) with that of the surveyed paper."""
    return [
        Row(
            f"{network}, {layer}: epoch of the peak of I(X;T), about 10 in the surveyed paper",
            [float(epoch) for epoch in reading.nats(network, layer).idxmax()],
            "",
            10.0,
            5.0,
            comparable=False,
            why="another network and other images",
        )
        for network in reading.networks
        for layer in reading.hidden(network)[-1:]
    ]


def stronger_early(reading: Reading, network: str) -> Claim:
    """Compare the lost part of I(X;T)'s peak between an early layer, if one is recorded, and the last hidden one."""
    layers = reading.hidden(network)
    if layers[0] != EARLY:
        text = f"{network}: compression is stronger in early layers"
        return Claim(text, None, f"not judged: only late layers are recorded ({', '.join(layers)})")
    early, late = (reading.shares(network, layer) for layer in (layers[0], layers[-1]))
    more = [100 * (first - last) for first, last in zip(early, late, strict=True)]
    claim = Claim.above(f"{network}: compression is stronger in early layers", more, unit="percentage points")
    return supported(reading, claim, network, [layers[0], layers[-1]])


_FULL = Recipe(
    variants=(_RESNET, _CNN),
    estimators=("generative:side=8,epochs=100",),
    sweeps=(SettingSweep("kernel-density", "variance", (0.01, 0.1, 1.0, 10.0)),),
    sides=("kernel-density:variance=0.1",),
    seeds=10,
    together=1,
    snapshots=20,
    pairs=10_000,
)

ROW = TableRow(
    "darlow",
    "[11]",
    "Darlow & Storkey, What information does a ResNet compress? (2018)",
    "fitting, then compression at the end of training, stronger in early layers, by a classifier's bound of I(Y;L) and "
    "PixelCNN++ of I(X;L)",
    recipes={
        "smoke": smoke(
            _FULL,
            _DIGITS,
            SettingSweep("kernel-density", "variance", (0.1, 1.0)),
            estimators=("generative:side=3,epochs=1",),
        ),
        "cpu": replace(
            _FULL,
            variants=(replace(_ADAM, epochs=12, size=3000, probe_size=2000),),
            estimators=("generative:side=7,epochs=40",),
            seeds=2,
            metrics_on=5000,
            snapshots=7,
            pairs=1500,
        ),
        "full": _FULL,
    },
    claims=[
        on_each(
            Rises("fitting, I(T;Y) of {layer} rises"),
            Rises("fitting, I(X;T) of {layer} rises at first", axis="input", at_first=True),
            Compression("some", "then some hidden layer compresses"),
            stronger_early,
        )
    ],
    published=peaks,
    settings_known=False,
    chosen="ResNet-18; pictures of 7×7 pixels and four grays; SGD 0.05 with momentum 0.9, batches of 128",
    unlike="CIFAR-10 in place of CINIC-10, masked networks in place of PixelCNN++; at cpu scale six convolutions in "
    "place of a ResNet, and Adam 1e-3 in place of SGD, which doesn't always learn there",
    unjudged="that pictures from deeper layers are more diverse within a class, and that features irrelevant to the "
    "class "
    "are discarded in training: pictures are not judged",
    places=(
        ("early layers", "section III-C: compression, which is stronger for early layers, at the end of training"),
        ("compresses", "section III-C: compression at the end of training"),
        ("I(X;T)", "the surveyed paper [11]; the review's text has compression at the end alone"),
        ("", "section III-C: all authors observe a fitting phase in the sense that I(Y;L) increases"),
    ),
)
