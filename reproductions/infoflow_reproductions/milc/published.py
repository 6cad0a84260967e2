"""The figures of Yi et al. (arXiv 2209.10058) with which the results are compared."""

from __future__ import annotations

TABLE_2 = ("mlp", "cnn")
"""The networks of Table 2, on MNIST."""
TABLE_3 = ("googlenet", "resnet18", "mobilenet_v2", "efficientnet_b0", "shufflenet_v2")
"""The networks of Table 3, on CIFAR-10."""

_LOSSES = ("ce", "lsr", "cp", "lc", "mil")
_CIFAR10 = {
    "mobilenet_v2": (0.676, 0.647, 0.660, 0.677, 0.762),
    "efficientnet_b0": (0.524, 0.510, 0.503, 0.524, 0.682),
    "shufflenet_v2": (0.604, 0.554, 0.578, 0.600, 0.677),
}
# Three cells of these rows are legible; their losses are a guess.
_GUESSED = {
    ("mnist", "mlp"): (0.934, 0.930, 0.932),
    ("mnist", "cnn"): (0.982, 0.980, 0.980),
    ("cifar10", "googlenet"): (0.766, 0.784, 0.791),
    ("cifar10", "resnet18"): (0.679, 0.703, 0.726),
}

ACCURACY: dict[tuple[str, str, str], float] = {
    **{
        ("cifar10", network, loss): figure
        for network, row in _CIFAR10.items()
        for loss, figure in zip(_LOSSES, row, strict=True)
    },
    **{
        (*place, loss): figure
        for place, row in _GUESSED.items()
        for loss, figure in zip(("lsr", "cp", "lc"), row, strict=True)
    },
}
"""(data, network, loss) -> test accuracy."""

UNCLEAR = dict.fromkeys(_GUESSED, "it is unclear to which losses the legible figures of this row belong")
"""(data, network) -> why its published figures are uncertain."""

EXPECTED = {("mnist", "mlp"): 0.93}
"""(data, network) -> expected accuracy of cross-entropy at the paper's settings, about that of the other losses."""


def networks_of(data: str) -> tuple[str, ...]:
    """Return the networks that the paper trains on a data set.

    Parameters
    ----------
    data
        Name of the data, as in `Training`.

    Returns
    -------
    tuple of str
        Names of the networks of Table 2 or 3.

    Examples
    --------
    >>> networks_of("mnist"), "cnn" in networks_of("cifar10-16")
    (('mlp', 'cnn'), False)
    """
    return TABLE_3 if data.startswith("cifar10") else TABLE_2
