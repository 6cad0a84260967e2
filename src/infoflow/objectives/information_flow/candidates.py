"""Scores of rows with their candidates, from one pass of a critic over all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.critics import Concatenated, Separable


@dataclass(frozen=True)
class CandidateTable:
    """Rows x (R, d_x), all images' y (n, S, d_y), and for each row its candidates' numbers in y, (R, k), partner first.

    Critics that treat x and y apart at first (separable ones wholly, concatenated ones in their first layer) do so once
    for each row of y, where rows are candidates several times.
    """

    critic: nn.Module
    x: Tensor
    y: Tensor
    index: Tensor
    noisy: Callable[[Tensor], Tensor]
    name: str

    def scores(self) -> Tensor:
        """(R, k), of partners and strangers in one pass: layers with a memory of the batch must not tell them apart."""
        try:
            return self._scores(self.index)
        except InvalidArgument as error:
            raise InvalidArgument(f"the critic of {self.name} doesn't fit its layers: {error}") from None

    def mined(self, count: int) -> Tensor:
        """(R, 1 + count): of the partner, and of those strangers that look most like it to the critic."""
        with torch.no_grad():
            best = self.scores()[:, 1:].topk(count, 1).indices + 1
        index = self.index.gather(1, torch.cat([torch.zeros_like(best[:, :1]), best], 1))
        return replace(self, index=index).scores()

    def _scores(self, index: Tensor) -> Tensor:
        repeated = index.numel() > self.y.shape[0] * self.y.shape[1]
        rows = self.y.flatten(0, 1)
        y = self.noisy(rows if repeated else rows[index.flatten()])
        if isinstance(self.critic, Separable):
            f, g = self.critic.embed(*self._fitting(y))
            return torch.einsum("ru,rku->rk", f, self._taken(g, index, repeated))
        if isinstance(self.critic, Concatenated):
            from_x, from_y = self.critic.halves(*self._fitting(y))
            joined: Tensor = self.critic.rest(from_x[:, None] + self._taken(from_y, index, repeated))[..., 0]
            return joined
        y = self._taken(y, index, repeated)
        flat: Tensor = self.critic.pairs(  # type: ignore[operator]
            self.x.repeat_interleave(index.shape[1], 0), y.flatten(0, 1)
        )
        return flat.reshape(index.shape)

    def _taken(self, y: Tensor, index: Tensor, repeated: bool) -> Tensor:
        return (y[index.flatten()] if repeated else y).reshape(*index.shape, -1)

    def _fitting(self, y: Tensor) -> tuple[Tensor, Tensor]:
        for name, given in (("x", self.x), ("y", y)):
            wanted = getattr(self.critic, f"{name}_features")
            if given.shape[-1] != wanted:
                raise InvalidArgument(f"{name} has {given.shape[-1]} features; want {wanted}")
        return self.x, y
