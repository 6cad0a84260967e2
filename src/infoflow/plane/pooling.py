"""What becomes of a layer's maps and tokens before they are stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from infoflow.core.checks import choice, integer
from infoflow.core.errors import InvalidArgument

MAPS = ("flatten", "mean", "max")
TOKENS = ("none", "mean", "first", "last")


@dataclass(frozen=True)
class Pooling:
    """Activations (seeds, n, ...) to (seeds, n, d).

    `maps`: (n, C, H, W) and more axes are flattened, or their mean or maximum over all but the channels is taken.
    `tokens`: of (n, length, d) the "mean" over the length, the "first", the "last", or ("none") all, flattened;
    positions at which the input is `padding` count for neither mean nor last.
    """

    maps: str = "flatten"
    tokens: str = "none"
    padding: int | None = None

    def __post_init__(self) -> None:
        choice(self.maps, "maps", MAPS)
        choice(self.tokens, "tokens", TOKENS)
        if self.padding is not None:
            integer(self.padding, "padding", minimum=0)

    def __str__(self) -> str:
        if self.tokens == "none":
            return self.maps
        return f"{self.maps}, tokens {self.tokens}" + f", padding {self.padding}" * (self.padding is not None)

    @property
    def keeps_all(self) -> bool:
        """Whether the stored layer is what the next layer sees."""
        return self.maps == "flatten" and self.tokens == "none"

    def check(self, probes: Iterable[Tensor]) -> None:
        """Raises InvalidArgument for a padding that doesn't go with the probes."""
        if self.padding is None:
            return
        if self.tokens not in ("mean", "last"):
            raise InvalidArgument(f"padding is {self.padding}, but tokens is {self.tokens!r}; want 'mean' or 'last'")
        for x in probes:
            if x.is_floating_point() or x.ndim != 2:
                raise InvalidArgument(
                    f"padding is {self.padding}, but the probe has shape {tuple(x.shape)} and {x.dtype}; want integer "
                    "tokens (n, length)"
                )
            if bool((x == self.padding).all(1).any()):
                raise InvalidArgument(
                    f"a sequence of the probe is all padding ({self.padding}); want at least one token"
                )

    def __call__(self, values: Tensor, batch: Tensor) -> Tensor:
        """The activations of a batch of inputs, as they are stored."""
        if values.ndim == 4 and self.tokens != "none":
            return self._tokens(values, batch)
        if values.ndim > 3 and self.maps != "flatten":
            maps = values.flatten(3)
            values = maps.mean(-1) if self.maps == "mean" else maps.amax(-1)
        return values.flatten(2) if values.ndim > 2 else values.unsqueeze(2)

    def _tokens(self, values: Tensor, batch: Tensor) -> Tensor:
        if self.tokens == "first":
            return values[:, :, 0]
        if self.padding is None:
            return values.mean(2) if self.tokens == "mean" else values[:, :, -1]
        real = batch.to(values.device) != self.padding
        if values.shape[2] != real.shape[1]:
            raise InvalidArgument(
                f"a layer returns {values.shape[2]} tokens for sequences of {real.shape[1]}, so padding can't be told; "
                "want padding=None"
            )
        if self.tokens == "mean":
            weights = real / real.sum(1, keepdim=True)
            return torch.einsum("rnld,nl->rnd", values, weights.to(values.dtype))
        places = torch.arange(real.shape[1], device=values.device)
        last = torch.where(real, places, -1).amax(1)
        return values[:, torch.arange(len(last), device=values.device), last]
