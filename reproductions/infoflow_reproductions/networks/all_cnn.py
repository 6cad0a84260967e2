"""The all-convolutional networks of Springenberg et al., with a dropout where they stride."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated, Any

from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, Number, PositiveFloat, PositiveInt, Seed, validated
from infoflow.layers import BernoulliDropout
from infoflow.models.seeded import seeded
from infoflow_reproductions.networks.noisy import Activation, Dropout, noisy_layer


class AllCNN(nn.Module):
    """3×3 convolutions in stages of three, then a head: (n, channels, S, S) -> logits (n, classes).

    Parameters
    ----------
    stages
        Channels of each stage of three convolutions. The third has stride 2 and the dropout.
    head
        Channels of the 3×3 and the 1×1 convolution after the stages. A 1×1 convolution of `classes` channels and the
        mean over places follow, whose activations are the logits, as in table 2.
    channels
        Channels of the images.
    classes
        Number of classes.
    width
        Factor on every number of hidden channels.
    dropout, activation, max_alpha, rate
        As in `noisy_layer`.
    keep
        Share of the input pixels that training retains.
    seed
        Random seed of the parameters.

    Raises
    ------
    InvalidArgument
        If a number is out of range.
    UnknownName
        If the dropout or the activation does not exist.

    Notes
    -----
    All convolutions but the noise branch of a dropout are batch-normalized. After training with noise, call
    `infoflow.layers.reestimate_batch_norm` before an evaluation without noise. `units` is the number of maps in
    `representation(x)`.

    References
    ----------
    Springenberg, Dosovitskiy, Brox, Riedmiller: Striving for simplicity, arXiv:1412.6806. Achille, Soatto: Information
    dropout, IEEE TPAMI 40 (2018), table 2.

    Examples
    --------
    >>> import torch
    >>> network = AllCNN((16, 32), 32, dropout="information", width=0.25)
    >>> network(torch.zeros(2, 3, 32, 32)).shape, network.representation(torch.zeros(2, 3, 32, 32)).shape
    (torch.Size([2, 10]), torch.Size([2, 8, 8, 8]))
    """

    @validated
    def __init__(
        self,
        stages: Sequence[int],
        head: PositiveInt,
        *,
        channels: PositiveInt = 3,
        classes: Annotated[int, Integer(2)] = 10,
        width: PositiveFloat = 1.0,
        dropout: Dropout = "information",
        activation: Activation = "relu",
        max_alpha: PositiveFloat = 0.7,
        rate: float = 0.5,
        keep: Annotated[float, Number(0, 1, open_low=True)] = 1.0,
        seed: Seed = 0,
    ) -> None:
        super().__init__()
        if not len(stages) or min(stages) < 1:
            raise InvalidArgument("stages", "one or more positive numbers of channels", stages)
        sizes = [max(1, round(width * size)) for size in (*stages, head)]
        self.channels = channels
        self.units = sizes[-2]

        def layer(fan_in: int, fan_out: int, kernel: int = 3, noise: Dropout = "none", stride: int = 1) -> nn.Module:
            # Without a bias: the normalization has one.
            host = nn.Conv2d(fan_in, fan_out, kernel, stride, padding=kernel // 2, bias=False)
            return noisy_layer(host, noise, activation, norm=True, max_alpha=max_alpha, rate=rate)

        with seeded(seed):
            body: OrderedDict[str, nn.Module] = OrderedDict()
            if keep < 1:
                body["input"] = BernoulliDropout(1 - keep)
            before = channels
            for i, size in enumerate(sizes[:-1], start=1):
                body[f"conv{i}a"] = layer(before, size)
                body[f"conv{i}b"] = layer(size, size)
                body[f"dropout{i}"] = layer(size, size, noise=dropout, stride=2)
                before = size
            self.body = nn.Sequential(body)
            self.head = nn.Sequential(
                OrderedDict(
                    conv1=layer(before, sizes[-1]),
                    conv2=layer(sizes[-1], sizes[-1], 1),
                    conv3=layer(sizes[-1], classes, 1),
                    mean=nn.AdaptiveAvgPool2d(1),
                    flatten=nn.Flatten(),
                )
            )

    def representation(self, x: Tensor) -> Tensor:
        """Return the output of the last dropout layer.

        Parameters
        ----------
        x : Tensor of shape (n, channels, height, width)
            Images.

        Returns
        -------
        Tensor
            Maps.

        Raises
        ------
        InvalidArgument
            If the images have another shape.
        """
        if x.ndim != 4 or x.shape[1] != self.channels:
            wanted = f"of shape (n, {self.channels}, height, width)"
            raise InvalidArgument("x", wanted, got_text=f"shape {tuple(x.shape)}")
        z: Tensor = self.body(x)
        return z

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits.

        Parameters
        ----------
        x : Tensor of shape (n, channels, height, width)
            Images.

        Returns
        -------
        Tensor of shape (n, classes)
            Logits.
        """
        logits: Tensor = self.head(self.representation(x))
        return logits


def all_cnn_32(dropout: Dropout = "information", *, keep: float = 0.8, **options: Any) -> AllCNN:
    """Return All-CNN-32, whose stages have 96 and 192 channels, for 32×32 images.

    Parameters
    ----------
    dropout
        Kind of dropout, as in `noisy_layer`.
    keep
        Share of the input pixels that training retains.
    **options
        Further arguments of `AllCNN`.

    Returns
    -------
    AllCNN
        The network of table 2(a) in Achille and Soatto (2018).

    Examples
    --------
    >>> sum(parameter.numel() for parameter in all_cnn_32("none").parameters())
    1370996
    """
    return AllCNN((96, 192), 192, dropout=dropout, keep=keep, **options)
