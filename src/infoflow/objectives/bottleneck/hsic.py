"""The HSIC bottleneck: kernel dependence in place of information, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from infoflow.core.blocks import Module
from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.core.settings import NonNegativeFloat, Number, OneOf, PositiveFloat, check, validated
from infoflow.objectives.bottleneck.objective import BottleneckObjective, batch
from infoflow.objectives.bottleneck.schedules import Schedule
from infoflow.objectives.information_flow.taps import tap

Kernel = Literal["gaussian", "linear"]


def normalized_hsic(
    x: Tensor,
    y: Tensor,
    *,
    width: float = 5.0,
    epsilon: float = 1e-5,
    kernel_x: Kernel = "gaussian",
    kernel_y: Kernel = "gaussian",
) -> Tensor:
    """Compute the normalized HSIC tr(K̃_x K̃_y), K̃ = K̄(K̄ + εnI)⁻¹, a dependence from 0 to n − 1 without unit.

    Parameters
    ----------
    x : Tensor of shape (n, ...)
        Samples.
    y : Tensor of shape (n, ...)
        Samples of the other variable.
    width
        Width s of the Gaussian kernel relative to √features: s² = `width`² times the number of features.
    epsilon
        Regularization ε of the inverse.
    kernel_x
        "gaussian" for exp(−‖a − b‖²/2s²), "linear" for a·b.
    kernel_y
        The same for y.

    Returns
    -------
    Tensor
        A scalar, with gradients.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, or x and y are not two or more pairs.

    Notes
    -----
    K̄ is the centered kernel matrix. The cost is O(n³).

    References
    ----------
    Ma, Lewis and Kleijn (2020), The HSIC bottleneck, arXiv 1908.01580, section 3.

    Examples
    --------
    >>> x = torch.tensor([[0.0], [0.0], [1.0], [1.0]])
    >>> independent = torch.tensor([[0.0], [1.0], [0.0], [1.0]])
    >>> round(normalized_hsic(x, x).item(), 2), round(abs(normalized_hsic(x, independent).item()), 4)
    (1.0, 0.0)
    """
    for value, name in ((width, "width"), (epsilon, "epsilon")):
        check(value, name, Number(0, open_low=True))
    for kernel in (kernel_x, kernel_y):
        check(kernel, "kernel", OneOf(get_args(Kernel)))
    if len(x) != len(y) or len(x) < 2:
        raise InvalidArgument(f"x and y must hold two or more pairs of samples, got {len(x)} and {len(y)}.")
    one, other = (_projection(v, width, epsilon, kernel) for v, kernel in ((x, kernel_x), (y, kernel_y)))
    return (one * other.mT).sum()


class HSICBottleneck(BottleneckObjective):
    """The HSIC bottleneck: c · CE + w Σ_layers [nHSIC(T, X) − β nHSIC(T, Y)].

    Parameters
    ----------
    network
        Network from x to logits (n, C).
    layers
        Names of the modules whose outputs are T.
    classes
        Number of classes.
    beta
        Weight β of the dependence on labels, or its schedule.
    weight
        Weight w of the bottleneck terms.
    cross_entropy
        Weight c of the cross-entropy. With 0, layers after the last named one get no gradient.
    width
        Width of the Gaussian kernels, see `normalized_hsic`.
    epsilon
        Regularization, see `normalized_hsic`.
    label_kernel
        Kernel of one-hot labels, "gaussian" or "linear".

    Raises
    ------
    InvalidArgument
        If an argument is out of range; `UnknownName` for a layer or kernel that does not exist. In a call if the data
        do not fit.

    Notes
    -----
    Each layer should depend on the label and on as little else as possible. The terms are `cross_entropy` in nats, and
    for every layer `input_dependence/NAME` and `label_dependence/NAME`, which have no unit and lie between 0 and n − 1.
    The batch should be large; the cost is O(n³).

    References
    ----------
    Ma, Lewis and Kleijn (2020), The HSIC bottleneck, arXiv 1908.01580, section 3. With cross-entropy: Wang et al.
    (2021), arXiv 2106.02734.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> objective = HSICBottleneck(network, ["1"], classes=3)
    >>> loss = objective(torch.randn(16, 4), torch.arange(16) % 3)
    >>> sorted(objective.terms)
    ['cross_entropy', 'input_dependence/1', 'label_dependence/1']
    """

    @validated
    def __init__(
        self,
        network: Module,
        layers: Sequence[str],
        classes: int,
        beta: float | Schedule = 500.0,
        *,
        weight: NonNegativeFloat = 1e-3,
        cross_entropy: NonNegativeFloat = 1.0,
        width: PositiveFloat = 5.0,
        epsilon: PositiveFloat = 1e-5,
        label_kernel: Kernel = "gaussian",
    ) -> None:
        super().__init__(beta)
        self.network = network
        known = dict(network.named_modules())
        if isinstance(layers, str) or not layers:
            raise InvalidArgument("layers", "a list of one or more names of modules", layers)
        for name in layers:
            if name not in known:
                raise UnknownName("layer", name, [key for key in known if key])
        self.layers = tuple(dict.fromkeys(layers))
        self.classes, self.weight, self.cross_entropy_weight = classes, weight, cross_entropy
        self.width, self.epsilon, self.label_kernel = width, epsilon, label_kernel

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of inputs (n, ...) and labels (n,).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        labels : Tensor of shape (n,)
            Classes.
        """
        tensors(x=x, labels=labels)
        logits, outputs = self._outputs(batch(x, "x"))
        cross_entropy = self.cross_entropy(logits, labels)
        one_hot = nn.functional.one_hot(labels.to(torch.int64).clamp_min(0), self.classes).to(logits.dtype)
        total = self.cross_entropy_weight * cross_entropy
        terms = {"cross_entropy": cross_entropy}
        beta = self.next_beta()
        sizes: dict[str, Any] = {"width": self.width, "epsilon": self.epsilon}
        for name, t in outputs.items():
            kept = normalized_hsic(t, x, **sizes)
            label = normalized_hsic(t, one_hot, **sizes, kernel_y=self.label_kernel)
            total = total + self.weight * (kept - beta * label)
            terms |= {f"input_dependence/{name}": kept, f"label_dependence/{name}": label}
        self.record(terms)
        return total

    def predict(self, x: Tensor) -> Tensor:
        """Compute log probabilities (n, C).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        """
        logits: Tensor = self.network(x)
        return logits.log_softmax(dim=1)

    def _outputs(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        found: dict[str, Tensor] = {}
        handles = tap(self.network, list(self.layers), found, always=True)
        try:
            logits = self.network(x)
        finally:
            for handle in handles:
                handle.remove()
        missing = [name for name in self.layers if not isinstance(found.get(name), Tensor)]
        if missing:
            raise InvalidArgument("layers", "modules that output a tensor in the forward pass", missing)
        return logits, found


def _projection(values: Tensor, width: float, epsilon: float, kernel: str) -> Tensor:
    rows = values.flatten(1) if values.ndim > 1 else values[:, None]
    rows = rows.to(torch.promote_types(rows.dtype, torch.float32))
    rows = rows - rows.mean(dim=0)
    gram = rows @ rows.mT
    if kernel == "gaussian":
        norms = gram.diagonal()
        squares = (norms[:, None] + norms[None, :] - 2 * gram).clamp_min(0)
        gram = (-squares / (2 * width**2 * rows.shape[1])).exp()
    centered = gram - gram.mean(dim=0) - gram.mean(dim=1, keepdim=True) + gram.mean()
    n = len(rows)
    ridge = epsilon * n * torch.eye(n, dtype=gram.dtype, device=gram.device)
    # K̄ and K̄ + εnI commute, so it doesn't matter on which side the inverse is.
    solved: Tensor = torch.linalg.solve(centered + ridge, centered)
    return solved
