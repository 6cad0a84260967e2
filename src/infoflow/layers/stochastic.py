"""Shared by all layers with noise: when the noise is on, and what the last forward pass transmitted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from infoflow.core.errors import InvalidArgument
from infoflow.core.module_inputs import ExplainedInputs
from infoflow.core.settings import PositiveInt, validated

Evaluation = Literal["deterministic", "mean", "sampled"]

NEVER_REESTIMATED = (
    "the statistics of batch normalization were gathered while noise was on, so the network without noise is "
    "normalized by wrong statistics; call infoflow.layers.reestimate_batch_norm(model, batches) after training"
)


class StochasticLayer(ExplainedInputs, nn.Module):
    """Base class of layers that limit information by noise.

    Parameters
    ----------
    evaluation
        Noise in evaluation mode: "deterministic" turns it off, "mean" replaces it by its mean where that differs from
        off, "sampled" leaves it on.

    Raises
    ------
    UnknownName
        If there is no such kind of evaluation.

    Notes
    -----
    In training mode the noise is on. `noise(model, on)` overrides both modes for a while. After a forward pass,
    `divergence()` is the information that it transmitted. A subclass calls `_begin` first in `forward`, passes what
    `_divergence` needs to `_keep`, and sets `finite` to False where the noise has no finite divergence.

    Examples
    --------
    >>> import infoflow
    >>> infoflow.layers.GaussianDropout(0.5).noisy
    True
    """

    finite: bool = True
    """Whether the noise has a finite divergence from the prior."""

    @validated
    def __init__(self, evaluation: Evaluation = "deterministic") -> None:
        super().__init__()
        self.evaluation = evaluation
        self.forced: bool | None = None
        # Arguments of `_divergence` from the last forward pass. They hold its graph, so they are not copied or saved.
        self._kept: tuple[Tensor, ...] | None = None
        self._without_gradient = False
        # Whether noise was on when batch normalization around the layer (if any) last gathered its statistics.
        self._noisy_statistics = False
        self._among_batch_norm = False

    @property
    def noisy(self) -> bool:
        """Whether the next forward pass draws noise."""
        if self.forced is not None:
            return self.forced
        return self.training or self.evaluation == "sampled"

    def divergence(self) -> Tensor | None:
        """Compute the information that the last forward pass transmitted, element by element.

        Returns
        -------
        Tensor or None
            Nats of shape (n or 1, units, places...); None for noise without a finite divergence.

        Raises
        ------
        InvalidArgument
            If there was no forward pass since the layer was created, copied, loaded or cleared.
        """
        if not self.finite:
            return None
        if self._kept is None:
            raise InvalidArgument(
                f"{type(self).__name__} has not run since it was created, copied or cleared, so there is no forward "
                "pass whose information could be computed. Call the model first."
            )
        try:
            return self._divergence(*self._kept)
        except RuntimeError as error:
            if "vmap" not in str(error):
                raise
            raise InvalidArgument(
                f"The last forward pass of {type(self).__name__} ran inside torch.vmap, outside of which its values "
                "are not available. Compute the cost inside the mapped function and return it."
            ) from None

    def forget(self) -> None:
        """Free what is held of the last forward pass."""
        self._kept = None

    def _divergence(self, *kept: Tensor) -> Tensor:
        """From the tensors that a forward pass passed to `_keep`."""
        raise NotImplementedError

    def _keep(self, *kept: Tensor) -> None:
        self._kept = kept
        self._without_gradient = self.training and not torch.is_grad_enabled()

    def _begin(self) -> bool:
        """Called first in forward: whether to draw noise."""
        noisy = self.noisy
        self.forget()  # frees the graph of the last pass before this one needs memory
        if self.training:
            if noisy and not self._noisy_statistics:
                self._noisy_statistics = True
        elif not noisy and self._noisy_statistics and self._among_batch_norm and not torch.compiler.is_compiling():
            warnings.warn(NEVER_REESTIMATED, stacklevel=3)
        return noisy

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": None, "forced": None}

    def get_extra_state(self) -> Tensor:
        """Return whether batch normalization around the layer must be re-estimated, for the state dict."""
        return torch.tensor([self._noisy_statistics, self._among_batch_norm])

    def set_extra_state(self, state: Tensor) -> None:
        """Restore what `get_extra_state` returned.

        Parameters
        ----------
        state
            The saved state.
        """
        self._noisy_statistics, self._among_batch_norm = (bool(flag) for flag in state)


def stochastic_layers(model: nn.Module) -> dict[str, StochasticLayer]:
    """Find the layers with noise in a model.

    Parameters
    ----------
    model
        The model.

    Returns
    -------
    dict
        Each layer once, by its name; the name of the model itself is "".

    Raises
    ------
    InvalidArgument
        If the model is no torch.nn.Module.

    Examples
    --------
    >>> import infoflow
    >>> list(stochastic_layers(nn.Sequential(nn.Linear(2, 2), infoflow.layers.GaussianDropout(0.5))))
    ['1']
    """
    if not isinstance(model, nn.Module):
        raise InvalidArgument("model", "a torch.nn.Module", model)
    return {name: module for name, module in model.named_modules() if isinstance(module, StochasticLayer)}


@contextmanager
def noise(model: nn.Module, on: bool) -> Iterator[None]:
    """Turn the noise of every layer in a model on or off within the block, whatever mode the model is in.

    Parameters
    ----------
    model
        The model.
    on
        Whether the noise is on.

    Raises
    ------
    InvalidArgument
        If the model is no torch.nn.Module.

    Examples
    --------
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


@validated
def sampled_outputs(model: nn.Module, *inputs: Any, draws: PositiveInt = 16) -> Tensor:
    """Compute the outputs of several passes with noise, whose probabilities may be averaged for a prediction.

    Parameters
    ----------
    model
        A model with noise. It stays in its mode, so batch normalization in evaluation mode is not updated.
    *inputs
        Arguments of the model.
    draws
        Number of passes.

    Returns
    -------
    Tensor
        Outputs of shape (draws, ...), without gradient.

    Raises
    ------
    InvalidArgument
        If `draws` is not positive or the model has no noise.

    Examples
    --------
    >>> import infoflow
    >>> model = nn.Sequential(infoflow.layers.GaussianDropout(0.5), nn.Linear(2, 3)).eval()
    >>> sampled_outputs(model, torch.ones(5, 2), draws=4).softmax(-1).mean(0).shape
    torch.Size([5, 3])
    """
    if not stochastic_layers(model):
        raise InvalidArgument("model has no layer with noise, so all draws would be equal. Use one of infoflow.layers.")
    with torch.no_grad(), noise(model, True):
        return torch.stack([model(*inputs) for _ in range(draws)])
