"""Few labels: the encoder, and a head on it, trained on a handful of labeled samples a class."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.core.capture import OUTPUT
from infoflow.core.checks import choice, classes, finite, flag, integer, paired, positive
from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.probes.features import Encoder, as_module, features, last
from infoflow.probes.perceptron import accuracy, classification, head
from infoflow.probes.score import Score
from infoflow.training import Fit, Optimizer, Player, fit

HEADS = ("mlp", "linear")


class _Classifier(nn.Module):
    """A copy of an encoder with a head on one of its layers; without a gradient for the encoder when it is frozen."""

    def __init__(self, encoder: nn.Module, layer: str, top: nn.Module, *, freeze: bool) -> None:
        super().__init__()
        self.encoder, self.top, self._frozen = copy.deepcopy(encoder), top, freeze
        self.encoder.requires_grad_(not freeze)
        self._layer: nn.Module | None = None if layer == OUTPUT else self.encoder.get_submodule(layer)

    def train(self, mode: bool = True) -> _Classifier:
        super().train(mode)
        if self._frozen:
            self.encoder.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        taken: list[Tensor] = []
        handle = None
        if self._layer is not None:
            handle = self._layer.register_forward_hook(lambda module, inputs, value: taken.append(value))
        try:
            with torch.set_grad_enabled(torch.is_grad_enabled() and not self._frozen):
                result = self.encoder(x)
        finally:
            if handle is not None:
                handle.remove()
        logits: Tensor = self.top(taken[-1] if taken else last(result))
        return logits


@dataclass(frozen=True)
class FineTuning:
    """Semi-supervised: the encoder goes on training with a head, on `per_class` labeled samples of each class.

    Each run draws its samples and its head from another seed, and starts from the encoder as it is; the encoder that
    is handed over stays untouched. `head` is "mlp" (the probe's: 200 units, dropout, batch norm) or "linear"; `freeze`
    trains the head alone, for comparison. The interval is Student's over `runs`. Hjelm et al. (2019), section 4.2.

    >>> encoder = nn.Sequential(nn.Linear(2, 8), nn.ReLU())
    >>> x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    >>> y = (x[:, 0] > 0).long()
    >>> probe = FineTuning(per_class=20, epochs=30, learning_rate=1e-2, head="linear", runs=2)
    >>> probe.score(encoder, x[:200], y[:200], x[200:], y[200:]).value > 0.8
    True
    """

    per_class: int = 10
    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-4
    weight_decay: float = 0.0
    head: str = "mlp"
    freeze: bool = False
    layer: str = OUTPUT
    runs: int = 3
    seed: int = 0
    device: str = "cpu"

    name: ClassVar[str] = "fine-tuned"
    takes: ClassVar[str] = "encoder"

    def __post_init__(self) -> None:
        for what in ("per_class", "epochs", "runs"):
            integer(getattr(self, what), what)
        integer(self.batch_size, "batch_size", minimum=2)
        integer(self.seed, "seed", minimum=0)
        choice(self.head, "head", HEADS)
        flag(self.freeze, "freeze")
        positive(self.learning_rate, "learning_rate")

    def score(
        self,
        encoder: Encoder,
        train_x: Any,
        train_y: Any,
        test_x: Any,
        test_y: Any,
        *,
        prepare: Callable[[Tensor], Tensor] | None = None,
    ) -> Score:
        """The accuracy on the test inputs, as a fraction. Inputs (n, ...) are as the encoder takes them.

        Raises InvalidArgument (one class, inputs that don't fit, NaN), TooFewSamples (fewer than `per_class` of a
        class), UnknownName (layer).
        """
        model = as_module(encoder)
        if self.layer != OUTPUT and self.layer not in dict(model.named_modules()):
            raise UnknownName("layer", self.layer, [*dict(model.named_modules()), OUTPUT])
        x, report = (
            _inputs(value, name, prepare) for value, name in ((train_x, "train inputs"), (test_x, "test inputs"))
        )
        both = [torch.as_tensor(np.asarray(value)).reshape(-1) for value in (train_y, test_y)]
        for labels, inputs, name in zip(both, (x, report), ("train", "test"), strict=True):
            classes(labels, f"{name} labels")
            paired(inputs, labels, f"{name} inputs", f"{name} labels")
        known, codes = torch.unique(torch.cat(both), return_inverse=True)
        y, report_y = codes[: len(x)], codes[len(x) :]
        counts = torch.bincount(y, minlength=len(known))
        if int((counts > 0).sum()) < 2:
            raise InvalidArgument("train labels hold one class only; want at least two to tell apart")
        fewest = int(counts[counts > 0].min())
        if fewest < self.per_class:
            raise TooFewSamples(f"a class has {fewest} training samples; want at least per_class = {self.per_class}")
        width, tested = (features(model, part[:2], {"Y": self.layer})["Y"][0].numel() for part in (x, report))
        if width != tested:
            raise InvalidArgument(f"the encoder gives {width} train features but {tested} test features; want the same")
        if not self.freeze and not any(p.requires_grad or p.is_floating_point() for p in model.parameters()):
            raise InvalidArgument("the encoder has no parameters to fine-tune; want freeze=True, or another encoder")
        values = []
        for run in range(self.runs):
            seed = self.seed + run
            chosen = _drawn(y, self.per_class, seed)
            top = head(width, len(known), units=200 if self.head == "mlp" else None, seed=seed)
            network = _Classifier(model, self.layer, top, freeze=self.freeze)
            settings = Fit(
                epochs=self.epochs,
                batch_size=min(self.batch_size, len(chosen)),
                optimizer=Optimizer("adam", self.learning_rate, weight_decay=self.weight_decay),
            )
            player = Player(network, classification(network))
            fit(player, [x[chosen], y[chosen]], settings, seed=seed, device=self.device)
            values.append(accuracy(network, report, report_y))
        settings_told = {key: value for key, value in asdict(self).items() if key not in ("runs", "device")}
        return Score.of_runs(self.name, values, unit="fraction", n=len(report), settings=settings_told)


def _inputs(value: Any, name: str, prepare: Callable[[Tensor], Tensor] | None) -> Tensor:
    x = value.detach() if isinstance(value, Tensor) else torch.as_tensor(np.asarray(value))
    if x.ndim < 1 or len(x) < 2:
        raise TooFewSamples(f"{name} have shape {tuple(x.shape)}; want at least 2 samples, shape (n, ...)")
    x = prepare(x) if prepare is not None else x
    if x.is_floating_point():
        x = x.float()
        finite(x, name)
    return x


def _drawn(y: Tensor, per_class: int, seed: int) -> Tensor:
    """Indices of so many samples of each class, by chance."""
    rng = np.random.default_rng(seed)
    labels = y.numpy()
    return torch.from_numpy(
        np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:per_class] for c in np.unique(labels)])
    )
