"""Training on images with the layout of one and the statistics of another, so that both cues are learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.blocks import Module
from infoflow.core.capture import unwrapped
from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.module_inputs import explaining
from infoflow.core.settings import Probability, validated
from infoflow.objectives.exchanged_maps import moments_exchanged, spectrum_exchanged
from infoflow.objectives.information_flow.taps import INPUT, known
from infoflow.objectives.label_regularizers import LabelSmoothing
from infoflow.objectives.objective import Objective

Exchange = Callable[[Tensor, Tensor], Tensor]


class StatisticsExchange(Objective):
    """−½ log q(y_i) − ½ log q(y_σ(i)) for images whose layers have i's layout and σ(i)'s statistics over locations.

    Parameters
    ----------
    model
        Classifier, which is left as it is.
    layers
        Names of modules after which moments are exchanged; "input" is the network's own input.
    spectra
        Names of modules after which spectra are exchanged.
    share
        Weight of the layout's label, from 0 to 1.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, or outputs are no maps (n, channels, ...); `UnknownName` for an unknown layer,
        `TooFewSamples` for a batch of one.

    Notes
    -----
        h_i ← s_j (h_i − m_i)/s_i + m_j      after each of `layers`, m and s each channel's mean and deviation,
        h_i ← F⁻¹(e^{iθ} F h_j)              after each of `spectra`, F the Fourier transform over locations,

    with j = σ(i), one random derangement for all layers of a batch, h_j that of the *plain* images, and θ the phase by
    which i's mean over channels is ahead of j's in each wave (0 in the constant one). All second-order statistics are
    then j's, with the relations between channels (colors), and `spectra=["input"]` transfers a texture more completely
    than moments of channels do. A cue that all locations share (a texture, a tint) moves with the statistics, one in
    their arrangement (a shape) stays. Where both predict y in all of the data, only such combinations show that they
    are two; as both labels count, neither cue can replace the other, and no label of a second factor is needed. Use it
    in addition to the plain loss.

    A call runs the network on x twice, plain and exchanged, as one batch. The terms, in nats, are `exchanged/layout`
    and `exchanged/statistics`, the cross-entropies of both labels.

    References
    ----------
    Moments: Nuriel et al. (2021), Permuted AdaIN, CVPR, with one label. Both labels: Hong et al. (2021), StyleMix,
    CVPR. Amplitudes of each channel by itself: Chen et al. (2021), Amplitude-phase recombination, ICCV.

    Examples
    --------
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))
    >>> exchange = StatisticsExchange(model, layers=["1"], spectra=["input"])
    >>> loss = exchange(torch.randn(6, 3, 8, 8), torch.arange(6) % 4)
    >>> sorted(exchange.terms)
    ['exchanged/layout', 'exchanged/statistics']
    """

    @validated
    def __init__(
        self, model: Module, layers: Sequence[str] = (), *, spectra: Sequence[str] = (), share: Probability = 0.5
    ) -> None:
        super().__init__()
        if isinstance(layers, str) or isinstance(spectra, str) or not (layers or spectra):
            raise InvalidArgument(
                f"layers and spectra must be lists of one or more names, got {layers!r} and {spectra!r}."
            )
        # In a tuple, so that the network is no part of this module.
        self._model = (model,)
        self._cross_entropy = (LabelSmoothing(0.0),)
        exchanges = [(name, moments_exchanged) for name in layers] + [(name, spectrum_exchanged) for name in spectra]
        self.exchanges = [(known(unwrapped(model), name), how) for name, how in exchanges]
        self.share = share

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of inputs (n, channels, ...) and labels (n,).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        labels : Tensor of shape (n,)
            Classes.
        """
        tensors(x=x, labels=labels)
        n = len(x) if x.ndim else 0
        if n < 2:
            raise TooFewSamples("x", "at least 2 samples, which exchange statistics", n)
        if x.numel() == 0:
            raise InvalidArgument("x", "with at least one feature per sample", got_text=f"shape {tuple(x.shape)}")
        if labels.shape[:1] != (n,):
            raise InvalidArgument("labels", f"of shape ({n}, ...), one for each sample of x", labels)
        order = torch.randperm(n, device=x.device)
        partner = torch.empty_like(order).scatter_(0, order, order.roll(1))  # one random cycle
        # With the plain images too, since otherwise a second layer would take the statistics of the partner's partner.
        of_both = torch.cat([torch.arange(n, device=x.device), partner])
        with self.exchanged(of_both), explaining(self._model[0], x=x):
            logits = self._model[0](torch.cat([x, x]))[n:]
        layout = self._cross_entropy[0](logits, labels)
        statistics = self._cross_entropy[0](logits, labels[partner])
        total = self.share * layout + (1 - self.share) * statistics
        self.record({"exchanged/layout": layout, "exchanged/statistics": statistics})
        return total

    @contextmanager
    def exchanged(self, partner: Tensor) -> Iterator[None]:
        """Replace the statistics of sample i by those of sample `partner[i]` in the network's layers within the block.

        Parameters
        ----------
        partner : Tensor of shape (n,)
            Index of each sample's partner. With several layers, partners should be their own partners, so that their
            statistics stay plain.

        Examples
        --------
        >>> model = nn.Sequential(nn.Identity())
        >>> x = torch.tensor([[[0.0, 1.0]], [[5.0, 9.0]]])
        >>> with StatisticsExchange(model, ["0"]).exchanged(torch.tensor([1, 0])):
        ...     model(x).round().tolist()
        [[[5.0, 9.0]], [[0.0, 1.0]]]
        """
        inner = unwrapped(self._model[0])
        own = dict(inner.named_modules())
        handles = []
        try:
            for name, how in self.exchanges:
                if name == INPUT and name not in own:
                    handles.append(inner.register_forward_pre_hook(_Before(how, partner)))
                else:
                    handles.append(own.get(name, inner).register_forward_hook(_After(how, partner, name)))
            yield
        finally:
            for handle in handles:
                handle.remove()


class _Before:
    def __init__(self, how: Exchange, partner: Tensor) -> None:
        self.how, self.partner = how, partner

    def __call__(self, module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self.how(_maps(inputs[0], self.partner, INPUT), self.partner), *inputs[1:])


class _After:
    def __init__(self, how: Exchange, partner: Tensor, name: str) -> None:
        self.how, self.partner, self.name = how, partner, name

    def __call__(self, module: nn.Module, inputs: Any, output: Any) -> Tensor:
        return self.how(_maps(output, self.partner, self.name), self.partner)


def _maps(maps: Any, partner: Tensor, name: str) -> Tensor:
    if not isinstance(maps, Tensor) or maps.ndim < 3 or len(maps) != len(partner):
        wanted = f"maps of shape ({len(partner)}, channels, ...)"
        raise InvalidArgument(f"the output of layer {name!r}", wanted, maps)
    return maps
