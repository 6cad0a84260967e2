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
    """Rows x (R, d_x), y (n, S, d_y) of all images, and indices (R, k) of each row's candidates in y, positive first.

    Critics that process x and y separately at first (separable ones entirely, concatenated ones in their first layer)
    do so once for each row of y, where rows are candidates several times.
    """

    critic: nn.Module
    x: Tensor
    y: Tensor
    index: Tensor
    noisy: Callable[[Tensor], Tensor]
    name: str

    def scores(self) -> Tensor:
        """(R, k), of positives and negatives in one pass, since batch normalization would reveal which is which."""
        try:
            return self._scores(self.index)
        except InvalidArgument as error:
            raise InvalidArgument(f"The critic of {self.name} does not fit its layers: {error}") from None

    def mined(self, count: int) -> Tensor:
        """(R, 1 + count): of the positive, and of the negatives with the highest scores."""
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
                raise InvalidArgument(name, f"of {wanted} features", given.shape[-1])
        return self.x, y
