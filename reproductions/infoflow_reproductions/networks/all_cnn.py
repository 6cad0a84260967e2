"""The all-convolutional networks of Springenberg et al., with a dropout where they stride."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from infoflow.core.checks import choice, integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.layers import BernoulliDropout
from infoflow.models.seeded import seeded
from infoflow_reproductions.networks.noisy import DROPOUTS, noisy_layer


class AllCNN(nn.Module):
    """3×3 convolutions in stages of three, then a head: (n, channels, S, S) -> logits (n, classes).

    Stage i is three convolutions of `stages[i]` channels; the third has stride 2 and carries the dropout (one of
    `noisy_layer`'s). The head is a 3×3 and a 1×1 convolution of `head` channels, a 1×1 one of `classes`, the mean over
    places and a linear layer. All convolutions but a dropout's noise branch are batch-normalized. `width` multiplies
    every number of hidden channels. `keep` < 1 drops input pixels in training.

    `representation(x)` is what the last dropout lets through, `units` = width · stages[-1] maps of it. After
    training with noise, `infoflow.layers.reestimate_batch_norm` before evaluating without. Parameters are drawn from
    `seed` alone.

    Raises InvalidArgument (numbers out of range; in forward, images of other channels), UnknownName.

    Springenberg, Dosovitskiy, Brox, Riedmiller: Striving for simplicity, arXiv:1412.6806; Achille, Soatto (2018),
    table 2.

    >>> import torch
    >>> network = AllCNN((16, 32), 32, dropout="information", width=0.25)
    >>> network(torch.zeros(2, 3, 32, 32)).shape, network.representation(torch.zeros(2, 3, 32, 32)).shape
    (torch.Size([2, 10]), torch.Size([2, 8, 8, 8]))
    """

    def __init__(
        self,
        stages: Sequence[int],
        head: int,
        *,
        channels: int = 3,
        classes: int = 10,
        width: float = 1.0,
        dropout: str = "information",
        activation: str = "relu",
        max_alpha: float = 0.7,
        rate: float = 0.5,
        keep: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__()
        choice(dropout, "dropout", DROPOUTS)
        factor = positive(width, "width")
        if not 0 < positive(keep, "keep") <= 1:
            raise InvalidArgument(f"keep is {keep!r}; want a share of the input in (0, 1]")
        if not len(stages):
            raise InvalidArgument("stages is empty; want the channels of each")
        sizes = [max(1, round(factor * integer(size, "stages"))) for size in stages]
        last = max(1, round(factor * integer(head, "head")))
        self.channels = integer(channels, "channels")
        self.units = sizes[-1]
        integer(classes, "classes", minimum=2)

        def layer(fan_in: int, fan_out: int, kernel: int = 3, noise: str = "none", stride: int = 1) -> nn.Module:
            # Without a bias of its own: the normalization brings one.
            host = nn.Conv2d(fan_in, fan_out, kernel, stride, padding=kernel // 2, bias=False)
            return noisy_layer(host, noise, activation, norm=True, max_alpha=max_alpha, rate=rate)

        with seeded(seed):
            body: OrderedDict[str, nn.Module] = OrderedDict()
            if keep < 1:
                body["input"] = BernoulliDropout(1 - keep)
            before = self.channels
            for i, size in enumerate(sizes, start=1):
                body[f"conv{i}a"] = layer(before, size)
                body[f"conv{i}b"] = layer(size, size)
                body[f"dropout{i}"] = layer(size, size, noise=dropout, stride=2)
                before = size
            self.body = nn.Sequential(body)
            self.head = nn.Sequential(
                OrderedDict(
                    conv1=layer(before, last),
                    conv2=layer(last, last, 1),
                    conv3=layer(last, classes, 1),
                    mean=nn.AdaptiveAvgPool2d(1),
                    flatten=nn.Flatten(),
                    logits=nn.Linear(classes, classes),
                )
            )

    def representation(self, x: Tensor) -> Tensor:
        """The output of the last dropout layer; InvalidArgument unless x is (n, channels, height, width)."""
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise InvalidArgument(f"images have shape {tuple(x.shape)}; want (n, {self.channels}, height, width)")
        z: Tensor = self.body(x)
        return z

    def forward(self, x: Tensor) -> Tensor:
        """Logits (n, classes)."""
        logits: Tensor = self.head(self.representation(x))
        return logits


def all_cnn_32(
    dropout: str = "information",
    *,
    width: float = 1.0,
    keep: float = 0.8,
    seed: int = 0,
    activation: str = "relu",
    max_alpha: float = 0.7,
    channels: int = 3,
    classes: int = 10,
) -> AllCNN:
    """All-CNN-32: stages of 96 and 192 channels, for 32×32 images; table 2(a). Arguments as `AllCNN`'s.

    >>> sum(parameter.numel() for parameter in all_cnn_32("none").parameters())
    1371106
    """
    return AllCNN(
        (96, 192),
        192,
        dropout=dropout,
        width=width,
        keep=keep,
        seed=seed,
        activation=activation,
        max_alpha=max_alpha,
        channels=channels,
        classes=classes,
    )


def all_cnn_96(
    dropout: str = "information",
    *,
    width: float = 1.0,
    seed: int = 0,
    activation: str = "relu",
    max_alpha: float = 1.0,
    channels: int = 1,
    classes: int = 10,
) -> AllCNN:
    """All-CNN-96: stages of 32, 64, 96 and 192 channels, for 96×96 images; table 2(b). Arguments as `AllCNN`'s.

    >>> import torch
    >>> all_cnn_96(width=0.25).representation(torch.zeros(1, 1, 96, 96)).shape
    torch.Size([1, 48, 6, 6])
    """
    return AllCNN(
        (32, 64, 96, 192),
        192,
        dropout=dropout,
        width=width,
        seed=seed,
        activation=activation,
        max_alpha=max_alpha,
        channels=channels,
        classes=classes,
    )
