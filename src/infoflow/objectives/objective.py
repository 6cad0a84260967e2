"""The contract of objectives: a scalar to minimize, its named terms, and who trains which parameters with it."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.module_inputs import ExplainedInputs

Players: TypeAlias = "dict[str, tuple[nn.Module, Callable[..., Tensor]]]"
"""Name of a player -> (the module whose parameters it trains, its loss of a batch), in the order of their turns."""


class Objective(ExplainedInputs, nn.Module, abc.ABC):
    """Base class of objectives: `forward` returns a scalar to minimize, `terms` its parts.

    Notes
    -----
    A subclass implements `forward`, which passes the terms to `record` and returns the total. The modes of training
    and evaluation matter only where a subclass documents it. Terms travel with copies and pickles.

    Examples
    --------
    >>> import torch
    >>> class MeanSquare(Objective):
    ...     def forward(self, x):
    ...         value = x.square().mean()
    ...         self.record({"mean_square": value})
    ...         return value
    >>> objective = MeanSquare()
    >>> dict(objective.terms)
    {}
    >>> x = torch.ones(3, requires_grad=True)
    >>> objective(x).backward()
    >>> dict(objective.terms)
    {'mean_square': tensor(1.)}
    """

    _terms: dict[str, Tensor]

    def __init__(self) -> None:
        super().__init__()
        self._terms = {}

    if TYPE_CHECKING:

        def __call__(self, *args: Any, **kwargs: Any) -> Tensor: ...

    @abc.abstractmethod
    def forward(self, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the value to minimize, a scalar tensor with a gradient.

        Parameters
        ----------
        *args
            The batch, as the subclass documents it.
        **kwargs
            Further arguments of the subclass.
        """

    @property
    def terms(self) -> Mapping[str, Tensor]:
        """Named scalars of the last call, detached, in nats unless documented otherwise; empty before the first."""
        return MappingProxyType(self._terms)

    def record(self, terms: Mapping[str, Tensor]) -> None:
        """Replace `terms` by these values, detached.

        Parameters
        ----------
        terms
            Scalar tensors by name.
        """
        self._terms = {name: value.detach() for name, value in terms.items()}


class ModelObjective(Objective):
    """Base class of objectives that contain the model that they train, and that an opponent may train against.

    Notes
    -----
    Minimize `forward` over the parameters of `learner` and, where `opponent` is not None, `opponent_loss` over those
    of `opponent`, each with an optimizer of its own. Neither loss gives a gradient to the other's parameters.
    `opponent_loss` replaces `terms` too. By default the learner is the objective itself and there is no opponent.

    Examples
    --------
    >>> class Norm(ModelObjective):
    ...     def forward(self, inputs):
    ...         return inputs.square().mean()
    >>> Norm().opponent is None
    True
    """

    @property
    def learner(self) -> nn.Module:
        """The module whose parameters minimize `forward`."""
        return self

    @property
    def opponent(self) -> nn.Module | None:
        """The module whose parameters minimize `opponent_loss`, or None."""
        return None

    @property
    def representation(self) -> nn.Module:
        """The encoder, to be evaluated by probes."""
        return self.encoder  # type: ignore[return-value]

    def opponent_loss(self, *args: Any, **kwargs: Any) -> Tensor:
        """Compute the opponent's value to minimize on the same batch, a scalar tensor.

        Parameters
        ----------
        *args
            The batch, as the subclass documents it.
        **kwargs
            Further arguments of the subclass.

        Raises
        ------
        InvalidArgument
            If there is no opponent.
        """
        raise InvalidArgument(f"{type(self).__name__} has no opponent to train, so it has no opponent_loss.")

    def players(self) -> Players:
        """List who trains which parameters with which loss, as `infoflow.training.Player` takes it.

        Returns
        -------
        dict
            "learner", and "opponent" where there is one, each with its module and its loss.
        """
        found: Players = {"learner": (self.learner, self)}
        if self.opponent is not None:
            found["opponent"] = (self.opponent, self.opponent_loss)
        return found
