"""The HSIC bottleneck: kernel dependence in the place of information, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.core.checks import choice, positive
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.objectives.bottleneck.objective import BottleneckObjective, batch, module
from infoflow.objectives.bottleneck.schedules import Schedule

KERNELS = ("gaussian", "linear")


def normalized_hsic(
    x: Tensor, y: Tensor, *, width: float = 5.0, epsilon: float = 1e-5, kernels: tuple[str, str] = ("gaussian",) * 2
) -> Tensor:
    """Normalized HSIC of samples x (n, ...) and y (n, ...): tr(K̃_x K̃_y), K̃ = K̄(K̄ + εnI)⁻¹, from 0 to n − 1; no nats.

    K̄ is the centered kernel matrix, of exp(−‖a − b‖²/2s²) with s² = `width`² times the number of features, or of a·b.
    0-d, with gradients; O(n³). Raises InvalidArgument (widths, sizes) and UnknownName (kernels).
    (Ma, Lewis and Kleijn 2020, arXiv 1908.01580, section 3.)

    >>> x = torch.tensor([[0.0], [0.0], [1.0], [1.0]])
    >>> independent = torch.tensor([[0.0], [1.0], [0.0], [1.0]])
    >>> round(normalized_hsic(x, x).item(), 2), round(abs(normalized_hsic(x, independent).item()), 4)
    (1.0, 0.0)
    """
    positive(width, "width")
    positive(epsilon, "epsilon")
    if len(x) != len(y) or len(x) < 2:
        raise InvalidArgument(f"x holds {len(x)} samples and y {len(y)}; want two or more pairs")
    one, other = (_projection(v, width, epsilon, kernel) for v, kernel in zip((x, y), kernels, strict=True))
    return (one * other.mT).sum()


class HSICBottleneck(BottleneckObjective):
    """The HSIC bottleneck: c · CE + w Σ_layers [nHSIC(T, X) − β nHSIC(T, Y)], with `normalized_hsic`, which is no nats.

    `network` maps x to logits (n, C); `layers` names the modules whose outputs are T. It asks each layer to depend
    on the label and on as little else as it can, c = `cross_entropy` times what a classifier is trained by (0: layers
    after the last that is named get no gradient), w = `weight`. Labels' kernel ("gaussian" of one-hot labels, or
    "linear") is `label_kernel`; `width` and `epsilon` are those of the kernels. The batch should be large; O(n³).

    Raises InvalidArgument and UnknownName: a layer that is not there, β < 0, data as in `nn.CrossEntropyLoss`.
    (Ma, Lewis and Kleijn 2020, arXiv 1908.01580, section 3; with cross-entropy: Wang et al. 2021, arXiv 2106.02734.)

    >>> _ = torch.manual_seed(0)
    >>> network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    >>> objective = HSICBottleneck(network, ["1"], classes=3)
    >>> loss = objective(torch.randn(16, 4), torch.arange(16) % 3)
    >>> sorted(objective.terms)
    ['cross_entropy', 'input_dependence/1', 'label_dependence/1']
    """

    def __init__(
        self,
        network: nn.Module,
        layers: Sequence[str],
        classes: int,
        beta: float | Schedule = 500.0,
        *,
        weight: float = 1e-3,
        cross_entropy: float = 1.0,
        width: float = 5.0,
        epsilon: float = 1e-5,
        label_kernel: str = "gaussian",
    ) -> None:
        super().__init__(beta)
        self.network = module(network, "network")
        known = dict(network.named_modules())
        if isinstance(layers, str) or not layers:
            raise InvalidArgument(f"layers is {layers!r}; want a list of one or more names of modules")
        for name in layers:
            if name not in known:
                raise UnknownName("layer", name, [key for key in known if key])
        self.layers = tuple(dict.fromkeys(layers))
        self.classes = classes
        self.weight = positive(weight, "weight", zero=True)
        self.cross_entropy_weight = positive(cross_entropy, "cross_entropy", zero=True)
        self.width = positive(width, "width")
        self.epsilon = positive(epsilon, "epsilon")
        self.label_kernel = choice(label_kernel, "label_kernel", KERNELS)

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Inputs (n, ...) and labels (n,) to the loss. Terms: `cross_entropy` in nats, and for every layer
        `input_dependence/NAME` and `label_dependence/NAME`, which are no nats but between 0 and n − 1."""
        logits, outputs = self._outputs(batch(x, "x"))
        cross_entropy = self.cross_entropy(logits, labels)
        one_hot = nn.functional.one_hot(labels.to(torch.int64).clamp_min(0), self.classes).to(logits.dtype)
        total = self.cross_entropy_weight * cross_entropy
        terms = {"cross_entropy": cross_entropy}
        beta = self.next_beta()
        sizes: dict[str, Any] = {"width": self.width, "epsilon": self.epsilon}
        for name, t in outputs.items():
            kept = normalized_hsic(t, x, **sizes)
            told = normalized_hsic(t, one_hot, **sizes, kernels=("gaussian", self.label_kernel))
            total = total + self.weight * (kept - beta * told)
            terms |= {f"input_dependence/{name}": kept, f"label_dependence/{name}": told}
        self.record(terms)
        return total

    def predict(self, x: Tensor) -> Tensor:
        """Log probabilities (n, C)."""
        return self.network(x).log_softmax(dim=1)  # type: ignore[no-any-return]

    def _outputs(self, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        found: dict[str, Tensor] = {}

        def keep(name: str) -> Any:
            def hook(_: nn.Module, __: Any, output: Tensor) -> None:
                found[name] = output

            return hook

        handles = [self.network.get_submodule(name).register_forward_hook(keep(name)) for name in self.layers]
        try:
            logits = self.network(x)
        finally:
            for handle in handles:
                handle.remove()
        missing = [name for name in self.layers if not isinstance(found.get(name), Tensor)]
        if missing:
            raise InvalidArgument(f"layers {missing} gave no tensor in this forward pass; want modules that run")
        return logits, found


def _projection(values: Tensor, width: float, epsilon: float, kernel: str) -> Tensor:
    choice(kernel, "kernel", KERNELS)
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
