"""The small convolutional network of the classification papers."""

from __future__ import annotations

from collections import OrderedDict
from typing import Annotated

from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, Seed, validated
from infoflow.models.seeded import seeded

_KERNEL = 5


class SmallCNN(nn.Sequential):
    """Two convolutions with poolings and two linear layers: (n, C, S, S) -> logits (n, classes).

    Parameters
    ----------
    image
        Channels C and side S of the images.
    classes
        Number of classes.
    seed
        Random seed of the parameters, which are drawn as torch does.

    Raises
    ------
    InvalidArgument
        If a number is out of range. A side below 16 leaves nothing after the poolings.

    Notes
    -----
    The layers are conv 10 (5×5) – pool – conv 20 (5×5) – pool – fc 50 – fc `classes`, with ReLU after both poolings and
    the first linear layer. Convolutions have no padding, and poolings are 2×2 maxima with stride 2. The modules are
    named `conv1`, `pool1`, `relu1`, ..., `fc2`.

    The paper (Appendix H) states maxima with stride 2 after the convolutions, and ReLU for the first linear layer; ReLU
    after the poolings is chosen here. The size of the kernels and the padding are not in the text at hand.

    References
    ----------
    The CNN of Yi et al. (2022), arXiv:2209.10058, Appendix H.

    Examples
    --------
    >>> import torch
    >>> SmallCNN((1, 28))(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    >>> sum(parameter.numel() for parameter in SmallCNN((3, 32)).parameters())
    31340
    """

    @validated
    def __init__(
        self, image: tuple[int, int] = (1, 28), classes: Annotated[int, Integer(2)] = 10, *, seed: Seed = 0
    ) -> None:
        if not isinstance(image, tuple) or len(image) != 2 or image[0] < 1 or image[1] < 16:
            raise InvalidArgument("image", "(channels, side) with a side of at least 16", image)
        channels, side = image
        last = ((side - _KERNEL + 1) // 2 - _KERNEL + 1) // 2
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
        self.image = image

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits.

        Parameters
        ----------
        x : Tensor of shape (n, C, S, S)
            Images.

        Returns
        -------
        Tensor of shape (n, classes)
            Logits.

        Raises
        ------
        InvalidArgument
            If the images have another shape.
        """
        channels, side = self.image
        if x.ndim != 4 or tuple(x.shape[1:]) != (channels, side, side):
            raise InvalidArgument("x", f"of shape (n, {channels}, {side}, {side})", got_text=f"shape {tuple(x.shape)}")
        logits: Tensor = super().forward(x)  # type: ignore[no-untyped-call]
        return logits
