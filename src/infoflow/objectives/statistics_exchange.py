"""Images with the layout of one and the statistics of another, that count as both: neither cue may hide the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.core.capture import unwrapped
from infoflow.core.checks import positive
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.objectives.information_flow.taps import INPUT, known
from infoflow.objectives.objective import Objective

# Of a channel that is constant over an image: its deviations are 0 already, and stay so.
_FLOOR = 1e-3


Exchange = Callable[[Tensor, Tensor], Tensor]


class StatisticsExchange(Objective):
    """−½ log q(y_i) − ½ log q(y_σ(i)) for images whose layers have i's layout and σ(i)'s statistics over locations.

        h_i ← s_j (h_i − m_i)/s_i + m_j      after each of `layers`, m and s each channel's mean and deviation,
        h_i ← F⁻¹(e^{iθ} F h_j)              after each of `spectra`, F the Fourier transform over locations,

    j = σ(i), one random derangement for all layers of a batch, h_j as it is in the *plain* images, and θ the phase by
    which i's mean over channels is ahead of j's in that wave (0 in the constant one). So all second-order statistics
    are j's at once, the relations between channels (colors) among them, and `spectra=["input"]` moves a texture more
    completely than its channels' moments. A cue that all locations share (a texture, a tint) moves with the statistics,
    one that lies in their arrangement (a shape) stays; where both say y in all of the data, only a sample of their
    *product* shows that they are two. As both labels count, by `share` for the layout's, neither cue may win, and no
    label of a second factor is needed. This is a training signal beside the plain loss: the network's plain forward
    pass stays as it is, nothing is left in it.

    `layers` and `spectra` are names of modules, "input" the network's own input; maps are (n, channels, ...).
    Calling it, `exchange(x, labels)`, runs the network on x twice over, plain and exchanged, as one batch. Raises
    UnknownName (layers), InvalidArgument (maps without locations, share), TooFewSamples.

    Moments: Nuriel et al., Permuted AdaIN, CVPR 2021, who keep one label; both labels: Hong et al., StyleMix, CVPR
    2021; amplitudes, each channel's by itself: Chen et al., Amplitude-phase recombination, ICCV 2021.

    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4))
    >>> exchange = StatisticsExchange(model, layers=["1"], spectra=["input"])
    >>> loss = exchange(torch.randn(6, 3, 8, 8), torch.arange(6) % 4)
    >>> sorted(exchange.terms)
    ['exchanged/layout', 'exchanged/statistics']
    """

    def __init__(
        self, model: nn.Module, layers: Sequence[str] = (), *, spectra: Sequence[str] = (), share: float = 0.5
    ) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise InvalidArgument(f"model is a {type(model).__name__}; want an nn.Module")
        if isinstance(layers, str) or isinstance(spectra, str) or not (layers or spectra):
            raise InvalidArgument(f"layers is {layers!r}, spectra {spectra!r}; want lists, one or more names in all")
        # In a tuple, so that the network is no part of this module.
        self._model = (model,)
        exchanges = [(name, moments_exchanged) for name in layers] + [(name, spectrum_exchanged) for name in spectra]
        self.exchanges = [(known(unwrapped(model), name), how) for name, how in exchanges]
        if positive(share, "share", zero=True) > 1:
            raise InvalidArgument(f"share is {share!r}; want 0 (statistics alone) to 1 (layout alone)")
        self.share = share

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """The loss, and its terms in nats: the cross-entropies to the layout's label and to the statistics' label."""
        n = len(x)
        if n < 2:
            raise TooFewSamples("a batch of one has nobody to exchange statistics with; want at least two samples")
        order = torch.randperm(n, device=x.device)
        partner = torch.empty_like(order).scatter_(0, order, order.roll(1))  # one random cycle leaves nobody in place
        # Of exchanged partners a second layer would take the statistics of the partner's partner.
        with self.exchanged(torch.cat([torch.arange(n, device=x.device), partner])):
            logits = self._model[0](torch.cat([x, x]))[n:]
        layout = F.cross_entropy(logits, labels)
        statistics = F.cross_entropy(logits, labels[partner])
        total = self.share * layout + (1 - self.share) * statistics
        self.record({"exchanged/layout": layout, "exchanged/statistics": statistics})
        return total

    @contextmanager
    def exchanged(self, partner: Tensor) -> Iterator[None]:
        """Within the block the network's layers take the statistics of sample `partner[i]` (n,) for sample i.

        Where there are several layers, partners should be samples that are their own partners, and so stay plain.

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
        got = tuple(maps.shape) if isinstance(maps, Tensor) else type(maps).__name__
        raise InvalidArgument(f"layer {name!r} puts out {got}; want maps of shape ({len(partner)}, channels, ...)")
    return maps


def moments_exchanged(maps: Tensor, partner: Tensor) -> Tensor:
    """Maps (n, channels, ...) with each sample's means and deviations over locations replaced by its partner's."""
    over = tuple(range(2, maps.ndim))
    deviation, mean = torch.std_mean(maps, over, correction=0, keepdim=True)
    deviation = deviation + _FLOOR
    return (maps - mean) * (deviation[partner] / deviation) + mean[partner]


def spectrum_exchanged(maps: Tensor, partner: Tensor) -> Tensor:
    """Maps (n, channels, ...): each sample's partner's with every wave moved to where the sample has it."""
    over = tuple(range(2, maps.ndim))
    waves = torch.fft.rfftn(maps.float(), dim=over)
    layout = waves.mean(1, keepdim=True)
    product = layout * layout[partner].conj()
    size = product.abs()
    tiny = torch.finfo(size.dtype).tiny
    moves = torch.where(size > tiny, product / size.clamp_min(tiny), torch.ones_like(product))
    moves.flatten(2)[..., 0] = 1  # a mean lies nowhere
    exchanged: Tensor = torch.fft.irfftn(moves * waves[partner], s=maps.shape[2:], dim=over)
    return exchanged.to(maps.dtype)
