"""Who trains what with which loss: the form in which objectives hand themselves to a training loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from torch import Tensor, nn

from infoflow.objectives.loss import Loss

Game: TypeAlias = "dict[str, tuple[nn.Module, Callable[..., Tensor | Loss]]]"
"""Name of a player -> (the module whose parameters it owns, its loss of a batch), in the order of their turns. Wrap
each in `infoflow.training.Player` for `fit`, or in an optimizer of your own."""


def game(learner: nn.Module, loss: Callable[..., Any], opponent: nn.Module | None, answer: Callable[..., Any]) -> Game:
    """One player, or two where there is an opponent.

    >>> list(game(nn.Linear(1, 1), print, None, print)), list(game(nn.Linear(1, 1), print, nn.Linear(1, 1), print))
    (['learner'], ['learner', 'opponent'])
    """
    players: Game = {"learner": (learner, loss)}
    if opponent is not None:
        players["opponent"] = (opponent, answer)
    return players
