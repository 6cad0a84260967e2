"""Maps with the layout of one sample and the statistics over locations of another."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Added to deviations, for channels that are constant over an image.
_FLOOR = 1e-3


def moments_exchanged(maps: Tensor, partner: Tensor) -> Tensor:
    r"""Replace means and deviations over locations of maps by those of the samples' partners.

    $$ y_i = \frac{s_j}{s_i} (h_i - m_i) + m_j, \qquad j = \mathrm{partner}(i), $$

    with the mean m and deviation s of each channel, to which 0.001 is added. Gradients reach both samples; the function
    can be differentiated once.

    Parameters
    ----------
    maps : Tensor of shape (n, channels, ...)
        Maps.
    partner : Tensor of shape (n,)
        Index of each sample's partner.

    Returns
    -------
    Tensor of shape (n, channels, ...)
        The maps y.

    Examples
    --------
    >>> moments_exchanged(torch.tensor([[[0.0, 1.0]], [[5.0, 9.0]]]), torch.tensor([1, 0])).round().tolist()
    [[[5.0, 9.0]], [[0.0, 1.0]]]
    """
    exchanged: Tensor = _MomentsExchanged.apply(maps, partner)  # type: ignore[no-untyped-call]
    return exchanged


class _MomentsExchanged(torch.autograd.Function):
    """The gradient in closed form takes less than half of the time of automatic differentiation."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, partner: Tensor) -> Tensor:
        over = tuple(range(2, maps.ndim))
        mean = maps.mean(over, keepdim=True)
        centered = maps - mean
        deviation = torch.linalg.vector_norm(centered, dim=over, keepdim=True) / math.sqrt(maps[0, 0].numel())
        ctx.save_for_backward(centered, deviation, partner)
        floored = deviation + _FLOOR
        return torch.addcmul(mean[partner], centered, floored[partner] / floored)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        centered, deviation, partner = ctx.saved_tensors
        over = tuple(range(2, centered.ndim))
        floored = deviation + _FLOOR
        ratio = floored[partner] / floored
        of_shift = gradient.mean(over, keepdim=True)
        of_scale = (gradient * centered).mean(over, keepdim=True) / floored
        to_mean = torch.zeros_like(of_shift).index_add(0, partner, of_shift) - ratio * of_shift
        to_deviation = torch.zeros_like(of_scale).index_add(0, partner, of_scale) - ratio * of_scale
        # The deviation of a constant channel has no gradient.
        constant = deviation <= torch.finfo(deviation.dtype).tiny
        per_unit = torch.where(constant, 0, to_deviation / deviation.masked_fill(constant, 1))
        return torch.addcmul(torch.addcmul(to_mean, gradient, ratio), centered, per_unit), None


def spectrum_exchanged(maps: Tensor, partner: Tensor) -> Tensor:
    """Replace maps by those of the samples' partners, with every wave shifted to the sample's phase.

    Parameters
    ----------
    maps : Tensor of shape (n, channels, ...)
        Maps.
    partner : Tensor of shape (n,)
        Index of each sample's partner.

    Returns
    -------
    Tensor of shape (n, channels, ...)
        Maps whose Fourier transforms have the partner's amplitudes and relations between channels. Their phases, in the
        mean over channels, are the sample's, but for the constant wave.

    Examples
    --------
    >>> x = torch.tensor([[[0.0, 1.0, 0.0, 0.0]], [[2.0, 0.0, 0.0, 0.0]]])
    >>> spectrum_exchanged(x, torch.tensor([1, 0])).round().tolist()
    [[[0.0, 2.0, 0.0, 0.0]], [[1.0, 0.0, 0.0, 0.0]]]
    """
    over = tuple(range(2, maps.ndim))
    waves = torch.fft.rfftn(maps.float(), dim=over)
    layout = waves.mean(1, keepdim=True)
    product = layout * layout[partner].conj()
    size = product.abs()
    tiny = torch.finfo(size.dtype).tiny
    moves = torch.where(size > tiny, product / size.clamp_min(tiny), torch.ones_like(product))
    moves.flatten(2)[..., 0] = 1  # the mean has no phase
    exchanged: Tensor = torch.fft.irfftn(moves * waves[partner], s=maps.shape[2:], dim=over)
    return exchanged.to(maps.dtype)
