"""What every layer with noise shares: when the noise is on, and what the last forward pass let through."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.checks import choice
from infoflow.core.errors import InvalidArgument

EVALUATIONS = ("deterministic", "mean", "sampled")

NEVER_REESTIMATED = (
    "batch normalization keeps statistics that it gathered while noise was on, so the network without noise is "
    "normalized wrongly; call infoflow.layers.reestimate_batch_norm(model, batches) after training"
)


class StochasticLayer(nn.Module):
    """The base of layers that limit information with noise. In training the noise is on; in evaluation mode,

    - "deterministic": it is off,
    - "mean": the noise is replaced by its mean, where that differs from off,
    - "sampled": it stays on.

    `noise(model, on)` overrides this for a while. After a forward pass, `divergence()` gives what was let through.

    >>> import infoflow
    >>> infoflow.layers.GaussianDropout(0.5).noisy
    True
    """

    def __init__(self, evaluation: str = "deterministic") -> None:
        super().__init__()
        self.evaluation = choice(evaluation, "evaluation", EVALUATIONS)
        self.forced: bool | None = None
        # What `_divergence` needs of each forward pass that counts. With its graph, so it isn't copied or saved.
        self._passes: list[tuple[Tensor, ...]] = []
        self._without_gradient = False
        self._keeps_all = False
        # Whether noise was on when this network's batch normalization (if any) last gathered its statistics.
        self._noisy_statistics = False
        self._among_batch_norm = False

    @property
    def noisy(self) -> bool:
        """Whether the next forward pass draws noise."""
        if self.forced is not None:
            return self.forced
        return self.training or self.evaluation == "sampled"

    def divergence(self) -> Tensor | None:
        """What the last forward pass let through, element by element, in nats: (n or 1, units, places...).

        None for noise without a finite divergence. Raises InvalidArgument if there was no forward pass (since the
        layer was made, copied, loaded or told to forget).
        """
        if not self._finite():
            return None
        if not self._passes:
            raise InvalidArgument(
                f"{type(self).__name__} has not run: there is no forward pass (since it was made, copied or told to "
                "forget) whose information could be told; call the model first"
            )
        try:
            total = self._divergence(*self._passes[0])
            for kept in self._passes[1:]:
                total = total + self._divergence(*kept)
        except RuntimeError as error:
            if "vmap" not in str(error):
                raise
            raise InvalidArgument(
                f"the last forward pass of {type(self).__name__} ran inside torch.vmap, which keeps its values to "
                "itself; ask for the cost inside the function that is mapped, and return it"
            ) from None
        return total

    def _finite(self) -> bool:
        return True

    @abstractmethod
    def _divergence(self, *kept: Tensor) -> Tensor:
        """From what a forward pass has kept."""

    def _keep(self, *kept: Tensor) -> None:
        if self._keeps_all:
            self._passes = [*self._passes, kept]
        else:
            self._passes = [kept]
        self._without_gradient = self.training and not torch.is_grad_enabled()

    def _begin(self) -> bool:
        """To be called first in forward: whether to draw noise."""
        noisy = self.noisy
        if not self._keeps_all:
            self._passes = []  # frees the graph of the last pass before this one needs memory
        if self.training:
            if noisy and not self._noisy_statistics:
                self._noisy_statistics = True
        elif not noisy and self._noisy_statistics and self._among_batch_norm and not torch.compiler.is_compiling():
            warnings.warn(NEVER_REESTIMATED, stacklevel=3)
        return noisy

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_passes": [], "_keeps_all": False, "forced": None}

    def get_extra_state(self) -> Tensor:
        """For the state dict: whether batch normalization around has to be re-estimated, so that a copy knows too."""
        return torch.tensor([self._noisy_statistics, self._among_batch_norm])

    def set_extra_state(self, state: Tensor) -> None:
        """From a state dict."""
        self._noisy_statistics, self._among_batch_norm = (bool(flag) for flag in state)


def stochastic_layers(model: nn.Module) -> dict[str, StochasticLayer]:
    """The layers with noise in a model by their names, "" for the model itself; each once.

    >>> import infoflow
    >>> list(stochastic_layers(nn.Sequential(nn.Linear(2, 2), infoflow.layers.GaussianDropout(0.5))))
    ['1']
    """
    if not isinstance(model, nn.Module):
        raise InvalidArgument(f"model is {type(model).__name__}; want a torch.nn.Module")
    return {name: module for name, module in model.named_modules() if isinstance(module, StochasticLayer)}


@contextmanager
def noise(model: nn.Module, on: bool) -> Iterator[None]:
    """Within the block the noise of every layer in the model is on, or off, whatever mode the model is in.

    >>> import infoflow
    >>> layer = infoflow.layers.GaussianDropout(0.5)
    >>> with noise(layer, False):
    ...     layer(torch.ones(1, 2))
    tensor([[1., 1.]])
    """
    layers = list(stochastic_layers(model).values())
    before = [layer.forced for layer in layers]
    try:
        for layer in layers:
            layer.forced = bool(on)
        yield
    finally:
        for layer, forced in zip(layers, before, strict=True):
            layer.forced = forced


def sampled_outputs(model: nn.Module, *inputs: Any, draws: int = 16) -> Tensor:
    """The outputs of `draws` passes with noise, (draws, ...): average their probabilities for a prediction.

    The model keeps its mode, so batch normalization of a model in evaluation mode stays as it is. Without gradient.
    Raises InvalidArgument (draws < 1, a model without noise).

    >>> import infoflow
    >>> model = nn.Sequential(infoflow.layers.GaussianDropout(0.5), nn.Linear(2, 3)).eval()
    >>> sampled_outputs(model, torch.ones(5, 2), draws=4).softmax(-1).mean(0).shape
    torch.Size([5, 3])
    """
    if draws < 1:
        raise InvalidArgument(f"draws is {draws!r}; want an integer >= 1")
    if not stochastic_layers(model):
        raise InvalidArgument("model has no layer with noise, so all draws would be equal; want one of infoflow.layers")
    with torch.no_grad(), noise(model, True):
        return torch.stack([model(*inputs) for _ in range(draws)])
