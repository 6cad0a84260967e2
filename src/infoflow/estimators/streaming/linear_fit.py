"""A softmax regression on standardized rows, with the penalty chosen on other rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

_PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
_PASSES = 60


@dataclass(frozen=True)
class LinearFit:
    """Weights (d, K) and offsets (K,) of standardized rows.

    Parameters
    ----------
    mean, scale : Tensor of shape (d,)
        Of the training rows.
    weight : Tensor of shape (d, K)
        Weights.
    offset : Tensor of shape (K,)
        Offsets.
    """

    mean: Tensor
    scale: Tensor
    weight: Tensor
    offset: Tensor

    def log_probability(self, t: Tensor) -> Tensor:
        """Log-probability of each class, (n, K)."""
        return torch.log_softmax((t - self.mean) / self.scale @ self.weight + self.offset, 1)


def fitted(t: Tensor, label: Tensor, chosen_t: Tensor, chosen_label: Tensor, classes: int) -> LinearFit:
    """Fit for each penalty, from strong to weak, until the loss of the rows that choose rises.

    Parameters
    ----------
    t, label : Tensor of shape (n, d) and (n,)
        Training rows.
    chosen_t, chosen_label : Tensor of shape (k, d) and (k,)
        Rows that choose the penalty.
    classes
        K.
    """
    mean = t.mean(0)
    scale = t.std(0).clamp_min(1e-6 * float(t.std().clamp_min(1e-30)))
    x = (t - mean) / scale
    # The frequencies, with one pseudo-count: the start is the best fit that ignores the activations.
    share = (torch.bincount(label, minlength=classes) + 1.0) / (len(label) + classes)
    weight, offset = torch.zeros(t.shape[1], classes), share.log()
    best, lowest = LinearFit(mean, scale, weight, offset), float("inf")
    for penalty in _PENALTIES:
        weight, offset = _minimized(x, label, weight, offset, penalty)
        candidate = LinearFit(mean, scale, weight, offset)
        loss = float(-candidate.log_probability(chosen_t).gather(1, chosen_label[:, None]).mean())
        if loss >= lowest:
            break
        best, lowest = candidate, loss
    return best


@torch.enable_grad()
def _minimized(x: Tensor, label: Tensor, weight: Tensor, offset: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    weight, offset = weight.clone().requires_grad_(), offset.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([weight, offset], max_iter=_PASSES, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(x @ weight + offset, label) + penalty * weight.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return weight.detach(), offset.detach()
