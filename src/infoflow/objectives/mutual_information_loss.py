"""The loss of mutual-information-learned classifiers: cross-entropy, and the cross-entropy of the label marginal."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import torch
from torch import Tensor

from infoflow.core.checks import choice, integer, positive
from infoflow.core.distributed import Group, max_over, sum_over
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.classification import ClassificationLoss, LabeledBatch, nonzero

REGULARIZERS = ("cross-entropy", "divergence")


class _Marginals(NamedTuple):
    """Of the batch, of all processes, or averaged over batches."""

    log_q: Tensor  # mean prediction, (C,), in nats
    targets: Tensor  # mean target of the loss, (C,)
    labels: Tensor  # mean label, (C,)

    def mixed(self, older: _Marginals, share: Tensor) -> _Marginals:
        """(1 - share) of the older, share of these."""
        log_q = torch.logaddexp(self.log_q + share.log(), older.log_q + torch.log1p(-share))
        pairs = zip(self[1:], older[1:], strict=True)
        return _Marginals(log_q, *(share * new + (1 - share) * old for new, old in pairs))


class MutualInformationLoss(ClassificationLoss):
    """H(Y|X) + λ H(Y), both as cross-entropies under the classifier's own predictions; for `nn.CrossEntropyLoss`.

    With q_i = softmax(z_i), the batch's label frequencies p̂ and the mean prediction q̄ = mean_i q_i,

        loss = −mean_i log q_i[y_i] + λ (−Σ_c p̂_c log q̄_c),

    λ = `weight`. The second term is H(p̂) + KL(p̂‖q̄): it asks the mean prediction to equal the label frequencies. What
    is left between the terms estimates I(X;Y) = −Σ_c p̂_c log q̄_c + mean_i log q_i[y_i].

    - `regularizer`: "cross-entropy" as published, or "divergence" for KL(p̂‖q̄) alone, which is 0 at its best: the same
      gradient, and a curve that can be read.
    - `decay` (0 to 1) averages both marginals over batches and keeps that share of the past each time, so that batches
      may be small; it needs `classes`. The gradient is −Σ_c (p̂_c / q̄_c) ∇q̄_c with p̂ and q̄ the averages and ∇q̄ the
      batch's: none where the averages agree, where a small batch alone gives noise. The first batch is its own
      average; eval mode changes nothing.
    - `group`: a process group whose processes each hold a part of the batch. The value is that of the whole batch on
      every process, and gradients averaged over processes (as `DistributedDataParallel` does) are those of it.
    - `class_weights` make it the loss of the reweighted data. The terms leave label smoothing aside, the loss doesn't.
    - "sum" is the mean times what it divides by; "none" is −log q_i[y_i] − λ log q̄[y_i] for each sample.

    The rest is as in torch; see `ClassificationLoss`. For one sample, or one class, both terms ask the same: for one
    sample the loss is (1 + λ) times the cross-entropy. It warns of such a batch, unless `decay` averages.

    Raises InvalidArgument for settings out of range, logits that are not finite or of one class, and labels out of
    range, of another shape or type. (Yi et al. 2022, arXiv 2209.10058.)

    >>> loss = MutualInformationLoss(weight=50.0)
    >>> logits, labels = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 1, 0])
    >>> loss(logits, labels)  # 0.2512 + 50 · 0.6399
    tensor(32.2483)
    >>> {name: round(value.item(), 3) for name, value in loss.terms.items()}
    {'conditional_entropy': 0.251, 'label_entropy': 0.64, 'label_divergence': 0.003, 'mutual_information': 0.389}
    """

    # The averages over batches, where `decay` asks for them: of the log prediction (C,), of targets and labels (2, C),
    # and the share of them that batches (rather than the zeros they start from) have filled.
    log_prediction: Tensor
    label_average: Tensor
    filled: Tensor

    def __init__(
        self,
        weight: float = 50.0,
        *,
        regularizer: str = "cross-entropy",
        decay: float | None = None,
        classes: int | None = None,
        group: Group = None,
        class_weights: Any = None,
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
        reduction: str = "mean",
        check: bool = True,
    ) -> None:
        super().__init__(
            class_weights=class_weights,
            ignore_index=ignore_index,
            label_smoothing=label_smoothing,
            reduction=reduction,
            check=check,
        )
        self.weight = positive(weight, "weight", zero=True)
        self.regularizer = choice(regularizer, "regularizer", REGULARIZERS)
        self.group = group
        self.decay = decay
        if decay is None:
            return
        if not 0 < positive(decay, "decay") < 1:
            raise InvalidArgument(f"decay is {decay!r}; want a number between 0 and 1")
        if classes is None:
            raise InvalidArgument("decay needs to know how many classes there are: give classes=")
        if reduction == "none":
            raise InvalidArgument(
                "reduction 'none' has no loss per sample for averaged marginals; want 'mean' or 'sum'"
            )
        size = integer(classes, "classes", minimum=2)
        self.register_buffer("log_prediction", torch.zeros(size))
        self.register_buffer("label_average", torch.zeros(2, size))
        self.register_buffer("filled", torch.zeros(()))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The loss (`total`) and its terms, detached, in nats: `conditional_entropy` Ĥ(Y|X), `label_entropy`
        −Σ_c p̂_c log q̄_c, `label_divergence` KL(p̂‖q̄), and `mutual_information`, the first from the second.

        Raises what the class raises.

        >>> logits, labels = torch.zeros(4, 3), torch.tensor([0, 1, 2, 2])
        >>> loss = MutualInformationLoss()
        >>> _ = loss(logits, labels)
        >>> loss.terms["mutual_information"].item()
        0.0
        """
        batch, fault = self.examined(logits, labels)
        size = batch.log_q.shape[1]
        if self.decay is not None and size != len(self.log_prediction):
            raise InvalidArgument(f"logits have {size} classes; want {len(self.log_prediction)}, as classes= said")
        log_weights = batch.weights.detach().log()[:, None]
        top = self._shift(batch, log_weights, fault)
        sums = self._sums(batch, log_weights, top)
        predictions, targets, observed = (sums[k * size : (k + 1) * size] for k in range(3))
        conditional, observed_conditional, mass, norm = sums[3 * size :].unbind()
        labeled, observations = nonzero(norm), nonzero(mass)
        now = _Marginals(
            predictions.clamp_min(torch.finfo(top.dtype).tiny).log() + top - observations.log(),
            targets / labeled,
            observed / observations,
        )
        if self.check and (seen := int((now.labels > 0).sum())) < (2 if self.decay is None else 1):
            warnings.warn(_ONE_CLASS if seen else _NO_LABEL, stacklevel=4)
        marginals, surrogate = self._averaged(now, mass)
        label_entropy = _cross_entropy(marginals.labels, marginals.log_q)
        offset = torch.where(marginals.targets > 0, (marginals.targets / nonzero(marginals.targets.sum())).log(), 0.0)
        values = -marginals.log_q if self.regularizer == "cross-entropy" else offset - marginals.log_q
        conditional_entropy = observed_conditional / observations
        terms = {
            "conditional_entropy": conditional_entropy,
            "label_entropy": label_entropy,
            "label_divergence": (label_entropy - torch.special.entr(marginals.labels).sum()).clamp_min(0),
            "mutual_information": label_entropy - conditional_entropy,
        }
        if self.reduction == "none":
            total = batch.reduced(batch.cross_entropy() + self.weight * (batch.targets @ values), "none")
        else:
            total = conditional / labeled + self.weight * ((marginals.targets * values).sum() + surrogate)
            total = total * norm if self.reduction == "sum" else total
        self.record(terms)
        return total

    def _shift(self, batch: LabeledBatch, log_weights: Tensor, fault: str) -> Tensor:
        """The largest log weight of each class over all samples, (C,); raises for a fault on any process."""
        if fault and self.group is None:
            raise InvalidArgument(fault)
        floor = torch.finfo(batch.log_q.dtype).min / 4  # stands for no sample at all
        if len(log_weights):
            top = (batch.log_q.detach() + log_weights).amax(dim=0).clamp_min(floor)
        else:
            top = batch.log_q.new_full((batch.log_q.shape[1],), floor)
        # A process that raised alone would leave the others waiting, so a fault travels beside the maximum.
        top = max_over(torch.cat([top, top.new_tensor([float(bool(fault))])]), self.group)
        if self.group is not None and self.check and bool(top[-1] > 0):
            raise InvalidArgument(fault or "logits or labels of another process are faulty; its error says how")
        return top[:-1]

    def _sums(self, batch: LabeledBatch, log_weights: Tensor, top: Tensor) -> Tensor:
        """Over the samples of all processes, (3 C + 4,): predictions (shifted by `top`), targets and labels of each
        class; the cross-entropies to the targets and to the labels; the weight of the labels, and the norm."""
        predictions = (batch.log_q + log_weights - top).exp().sum(dim=0)
        targets = labels = batch.targets.sum(dim=0)
        cross_entropy = plain = -(batch.targets * batch.log_q).sum()
        if batch.labels is not batch.targets:
            labels, plain = batch.labels.sum(dim=0), -(batch.labels * batch.log_q).sum()
        scalars = torch.stack([cross_entropy, plain, labels.sum(), batch.norm])
        return sum_over(torch.cat([predictions, targets, labels, scalars]), self.group)

    def _averaged(self, now: _Marginals, mass: Tensor) -> tuple[_Marginals, Tensor]:
        """The marginals that the terms use, and what is 0 but carries their gradient where they are averages."""
        if self.decay is None:
            return now, now.log_q.new_zeros(())
        filled = self.filled.to(now.log_q)
        older = _Marginals(self.log_prediction.to(now.log_q), *self.label_average.to(now.log_q).unbind())
        # A batch without a label that counts leaves the averages as they are.
        rate = (1 - self.decay) * (mass > 0).to(mass)
        total = filled + rate * (1 - filled)
        share = torch.where(filled > 0, rate / nonzero(total), torch.ones_like(rate))
        mean = _Marginals(*(values.detach() for values in now)).mixed(older, share)
        if self.training:
            self.log_prediction, self.filled = mean.log_q, total
            self.label_average = torch.stack(mean[1:])
        # d(−Σ p log q̄) = −Σ (p / q̄) dq̄, with averages for p and q̄ and the batch's own dq̄.
        slope = -(mean.targets * (now.log_q - mean.log_q).exp()).sum()
        return mean, slope - slope.detach()

    def extra_repr(self) -> str:
        return f"weight={self.weight:g}, regularizer={self.regularizer!r}, {super().extra_repr()}"


_ONE_CLASS = (
    "the batch holds one class only (or one sample), so the label entropy asks the same as the cross-entropy; "
    "larger batches, or decay= to average the marginal over batches, give it something to say"
)


_NO_LABEL = "no label of the batch counts (all are ignored, or of weight 0), so the loss is 0"


def _cross_entropy(p: Tensor, log_q: Tensor) -> Tensor:
    return -(p * log_q).sum()
