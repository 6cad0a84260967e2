"""The small convolutional network of the classification papers."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.models.seeded import seeded

_KERNEL = 5


class SmallCNN(nn.Sequential):
    """conv 10 (5×5) – pool – conv 20 (5×5) – pool – fc 50 – fc `classes`, with ReLU: (n, C, S, S) -> (n, classes).

    Convolutions without padding, 2×2 max-pooling, logits out. `image` = (channels C, side S). Its modules are named
    `conv1`, `pool1`, `relu1`, ..., `fc2`. Parameters are drawn as torch does, from `seed` alone, without touching
    torch's global random state. Nothing drops out. (The CNN of Yi et al. 2022, arXiv 2209.10058, which leaves its
    activations and pooling open.)

    Raises InvalidArgument (image, classes, seed; a side below 16 leaves nothing to flatten).

    >>> import torch
    >>> SmallCNN((1, 28))(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    >>> sum(parameter.numel() for parameter in SmallCNN((3, 32)).parameters())
    31340
    """

    def __init__(self, image: tuple[int, int] = (1, 28), classes: int = 10, *, seed: int = 0) -> None:
        try:
            channels, side = (integer(value, "image") for value in image)
        except (TypeError, ValueError):
            raise InvalidArgument(f"image is {image!r}; want (channels, side)") from None
        last = ((side - _KERNEL + 1) // 2 - _KERNEL + 1) // 2
        if last < 1:
            raise InvalidArgument(f"image side is {side}; want at least 16, or nothing is left after two poolings")
        integer(classes, "classes", minimum=2)
        with seeded(seed):
            modules: OrderedDict[str, nn.Module] = OrderedDict(
                conv1=nn.Conv2d(channels, 10, _KERNEL),
                pool1=nn.MaxPool2d(2),
                relu1=nn.ReLU(),
                conv2=nn.Conv2d(10, 20, _KERNEL),
                pool2=nn.MaxPool2d(2),
                relu2=nn.ReLU(),
                flatten=nn.Flatten(),
                fc1=nn.Linear(20 * last**2, 50),
                relu3=nn.ReLU(),
                fc2=nn.Linear(50, classes),
            )
        super().__init__(modules)
        self.image = (channels, side)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes) of images (n, C, S, S); InvalidArgument for another shape."""
        channels, side = self.image
        if x.ndim != 4 or tuple(x.shape[1:]) != (channels, side, side):
            raise InvalidArgument(f"images have shape {tuple(x.shape)}; want (n, {channels}, {side}, {side})")
        logits: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return logits
