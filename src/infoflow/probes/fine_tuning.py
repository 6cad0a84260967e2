"""Few labels: an encoder and a classifier on it, trained on a handful of labeled samples of each class."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from infoflow.core.checks import finite
from infoflow.core.errors import InvalidArgument, TooFewSamples, UnknownName
from infoflow.core.layer_choice import OUTPUT
from infoflow.core.settings import NonNegativeFloat, PositiveInt
from infoflow.probes.features import Encoder, as_module, features, last
from infoflow.probes.inputs import Prepare, as_inputs, coded, labels_of
from infoflow.probes.perceptron import head
from infoflow.probes.probe import TrainedProbe, accuracy, cross_entropy
from infoflow.probes.score import Score
from infoflow.training import Optimizer


class _Classifier(nn.Module):
    """Copy of an encoder with a head on one of its layers; without a gradient for the encoder if it is frozen."""

    def __init__(self, encoder: nn.Module, layer: str, top: nn.Module, *, freeze: bool) -> None:
        super().__init__()
        self.encoder, self.top, self._frozen = copy.deepcopy(encoder), top, freeze
        self.encoder.requires_grad_(not freeze)
        self._taken: Tensor | None = None
        if layer != OUTPUT:
            self.encoder.get_submodule(layer).register_forward_hook(self._take)

    def _take(self, module: nn.Module, inputs: Any, value: Tensor) -> None:
        self._taken = value

    def train(self, mode: bool = True) -> _Classifier:
        super().train(mode)
        if self._frozen:
            self.encoder.eval()
        return self

    def forward(self, x: Tensor) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self._frozen):
            result = self.encoder(x)
        logits: Tensor = self.top(last(result) if self._taken is None else self._taken)
        return logits


@dataclass(frozen=True, kw_only=True)
class FineTuning(TrainedProbe):
    """Semi-supervised accuracy: encoder and classifier trained on `per_class` labeled samples of each class.

    Parameters
    ----------
    epochs, batch_size, learning_rate
        Training by Adam.
    runs
        Number of runs; each draws its samples and its classifier from another seed and starts from the encoder as it
        is. Their spread gives Student's interval.
    seed
        Seed of the first run.
    device
        Device of the training; "auto" is a GPU if there is one.
    per_class
        Labeled samples of each class.
    weight_decay
        Weight decay of Adam.
    head
        Classifier on the encoder: "mlp" (200 units, dropout, batch norm) or "linear".
    freeze
        Whether only the classifier is trained, for comparison.
    layer
        Name of the module whose output the classifier takes; "output" is the last of what the encoder returns.

    Raises
    ------
    InvalidArgument
        If a setting is out of range.
    UnknownName
        If the kind of classifier does not exist.

    References
    ----------
    .. [1] R. D. Hjelm et al., "Learning deep representations by mutual information estimation and maximization",
       ICLR 2019, section 4.1.

    Examples
    --------
    >>> encoder = nn.Sequential(nn.Linear(2, 8), nn.ReLU())
    >>> x = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    >>> y = (x[:, 0] > 0).long()
    >>> probe = FineTuning(per_class=20, epochs=30, learning_rate=1e-2, head="linear", runs=2)
    >>> probe.score(encoder, x[:200], y[:200], x[200:], y[200:]).value > 0.8
    True
    """

    per_class: PositiveInt = 10
    weight_decay: NonNegativeFloat = 0.0
    head: Literal["mlp", "linear"] = "mlp"
    freeze: bool = False
    layer: str = OUTPUT

    name: ClassVar[str] = "fine-tuned"
    takes: ClassVar[str] = "encoder"

    def _optimizer(self) -> Optimizer:
        return Optimizer("adam", self.learning_rate, weight_decay=self.weight_decay)

    def score(
        self,
        encoder: Encoder,
        train_x: Any,
        train_y: Any,
        test_x: Any,
        test_y: Any,
        *,
        prepare: Prepare | None = None,
    ) -> Score:
        """Fine-tune copies of the encoder and return their mean accuracy on the test inputs.

        Parameters
        ----------
        encoder
            Module or function; it is not changed.
        train_x : array-like of shape (n, ...)
            Inputs of the encoder, for training.
        train_y : array-like of shape (n,)
            Integer classes of the training inputs.
        test_x : array-like of shape (m, ...)
            Inputs of the encoder, for testing.
        test_y : array-like of shape (m,)
            Integer classes of the test inputs.
        prepare
            Function applied to the inputs first.

        Returns
        -------
        Score
            The accuracy, as a fraction.

        Raises
        ------
        InvalidArgument
            If inputs and labels do not fit the encoder or each other, or an input is not finite.
        TooFewSamples
            If a class has fewer than `per_class` training samples.
        UnknownName
            If the encoder has no such layer.
        """
        model = as_module(encoder)
        if self.layer != OUTPUT and self.layer not in dict(model.named_modules()):
            raise UnknownName("layer", self.layer, [*dict(model.named_modules()), OUTPUT])
        x, report = _inputs(train_x, "train", prepare), _inputs(test_x, "test", prepare)
        y, report_y, counts = coded(
            labels_of(x, train_y, "train", "inputs"), labels_of(report, test_y, "test", "inputs")
        )
        fewest = int(counts[counts > 0].min())
        if fewest < self.per_class:
            raise TooFewSamples("per_class", f"at most the training samples of each class ({fewest})", self.per_class)
        width, tested = (features(model, part[:2], {"Y": self.layer})["Y"][0].numel() for part in (x, report))
        if width != tested:
            wanted = f"a module with as many test features as train features ({width})"
            raise InvalidArgument("encoder", wanted, tested)
        if not self.freeze and not any(p.requires_grad or p.is_floating_point() for p in model.parameters()):
            raise InvalidArgument("encoder", "a module with parameters", remedy="Otherwise set freeze=True.")

        def run(seed: int) -> float:
            chosen = _drawn(y, self.per_class, seed)
            top = head(width, len(counts), units=200 if self.head == "mlp" else None, seed=seed)
            network = _Classifier(model, self.layer, top, freeze=self.freeze)
            self._train(network, cross_entropy(network), [x[chosen], y[chosen]], seed)
            return accuracy(network, report, report_y)

        return self._of_runs(run, len(report))


def _inputs(value: Any, part: str, prepare: Prepare | None) -> Tensor:
    x = as_inputs(value, part, 2)
    x = prepare(x) if prepare is not None else x
    if x.is_floating_point():
        x = x.float()
        finite(x, f"{part} inputs")
    return x


def _drawn(y: Tensor, per_class: int, seed: int) -> Tensor:
    """Random indices of so many samples of each class."""
    rng = np.random.default_rng(seed)
    labels = y.numpy()
    return torch.from_numpy(
        np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:per_class] for c in np.unique(labels)])
    )
