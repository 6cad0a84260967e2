"""How a probe runs through a model, and what is stored of a layer's maps and tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeInt, PositiveInt, Settings


@dataclass(frozen=True)
class Readout(Settings):
    """How a probe runs through a model, and what is stored of a layer's maps and tokens.

    Parameters
    ----------
    maps
        Of maps (n, C, H, W), and of more axes: all values ("flatten"), or their "mean" or "max" over all axes but the
        channels.
    tokens
        Of tokens (n, length, d): all values, flattened ("none"), their "mean", the "first" (a class token) or the
        "last" (a decoder).
    padding
        Token that fills up the sequences of the probe. "mean" excludes it, and "last" is the last token that differs.
    call : callable
        Function of model and batch that runs the model, where `model(batch)` does not (attention masks, for example).
    batch_size
        Samples per forward pass; None for 1024, and fewer where samples are large.

    Raises
    ------
    InvalidArgument
        If padding is given without tokens "mean" or "last".

    Examples
    --------
    >>> str(Readout(tokens="mean", padding=0))
    'flatten, tokens mean, padding 0'
    """

    maps: Literal["flatten", "mean", "max"] = "flatten"
    tokens: Literal["none", "mean", "first", "last"] = "none"
    padding: NonNegativeInt | None = None
    call: Callable[[nn.Module, Tensor], Any] | None = None
    batch_size: PositiveInt | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.padding is not None and self.tokens not in ("mean", "last"):
            raise InvalidArgument("tokens", "'mean' or 'last' where padding is given", self.tokens)

    def __str__(self) -> str:
        if self.tokens == "none":
            return self.maps
        return f"{self.maps}, tokens {self.tokens}" + f", padding {self.padding}" * (self.padding is not None)

    @property
    def complete(self) -> bool:
        """Whether the stored layer is what the next layer receives."""
        return self.maps == "flatten" and self.tokens == "none"

    def check(self, probes: Iterable[Tensor]) -> None:
        """Raise InvalidArgument where the padding does not fit the probes."""
        padding = self.padding
        if padding is None:
            return
        for x in probes:
            if x.is_floating_point() or x.ndim != 2:
                raise InvalidArgument(
                    "probe_x",
                    "integer tokens (n, length) where padding is given",
                    got_text=f"{x.dtype} {tuple(x.shape)}",
                )
            if bool(torch.eq(x, padding).all(1).any()):
                raise InvalidArgument(
                    "probe_x", f"free of sequences that are all padding ({self.padding})", got_text="at least one"
                )

    def pooled(self, values: Tensor, batch: Tensor) -> Tensor:
        """Activations (seeds, n, ...) of a batch of inputs as they are stored: (seeds, n, d)."""
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
                "padding",
                "None where a layer changes the number of tokens",
                self.padding,
                remedy=f"A layer returns {values.shape[2]} tokens for sequences of {real.shape[1]}.",
            )
        if self.tokens == "mean":
            weights = real / real.sum(1, keepdim=True)
            return torch.einsum("rnld,nl->rnd", values, weights.to(values.dtype))
        places = torch.arange(real.shape[1], device=values.device)
        last = torch.where(real, places, -1).amax(1)
        return values[:, torch.arange(len(last), device=values.device), last]
