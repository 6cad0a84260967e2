"""The loss of mutual-information-learned classifiers: cross-entropy, and the cross-entropy of the label marginal."""

from __future__ import annotations

import warnings
from typing import Annotated, Literal, NamedTuple, Unpack

import torch
from torch import Tensor

from infoflow.core.agreement import agreeing
from infoflow.core.distributed import Group, max_over, sum_over
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Fraction, Integer, NonNegativeFloat, validated
from infoflow.objectives.classification import ClassificationLoss, ClassificationOptions, LabeledBatch, nonzero

PUBLISHED_WEIGHT = 50.0


class _Marginals(NamedTuple):
    """Marginals of the batch, of all processes, or averaged over batches."""

    log_q: Tensor  # mean prediction, (C,), in nats
    targets: Tensor  # mean target of the loss, (C,)
    labels: Tensor  # mean label, (C,)

    def mixed(self, older: _Marginals, share: Tensor) -> _Marginals:
        """(1 - share) of the older, share of these."""
        log_q = torch.logaddexp(self.log_q + share.log(), older.log_q + torch.log1p(-share))
        pairs = zip(self[1:], older[1:], strict=True)
        return _Marginals(log_q, *(share * new + (1 - share) * old for new, old in pairs))


class MutualInformationLoss(ClassificationLoss):
    """H(Y|X) + λ H(Y), both as cross-entropies under the classifier's own predictions; replaces `nn.CrossEntropyLoss`.

    Parameters
    ----------
    entropy_weight
        Weight λ of the label entropy, or "published" for the paper's 50. The default, 0.5, changes no accuracy by more
        than the noise between seeds in the reproduction of the paper. There, 50 loses 5 to 19 points on CIFAR-10, and
        more at larger learning rates; no weight gains over cross-entropy at a learning rate of its own.
    regularizer
        "cross-entropy" for the published second term, "divergence" for KL(p̂‖q̄) alone, which has the same gradient
        and is 0 at its minimum.
    decay
        Share of the past in the averages of both marginals over batches, between 0 and 1, so that batches may be
        small; None takes each batch by itself.
    classes
        Number of classes, required by `decay`.
    group
        Process group whose processes each hold a part of the batch. The value is that of the whole batch on every
        process, and so are gradients averaged over processes, as `DistributedDataParallel` does.
    **options
        Keyword arguments `weight` (of the classes), `ignore_index`, `label_smoothing` and `reduction`, as in
        `nn.CrossEntropyLoss`, and `check`, whether the contents are checked, which costs a GPU one synchronization.
        Class weights give the loss of the reweighted data, terms are computed without label smoothing, "sum" is the
        mean times its divisor, and "none" is −log q_i[y_i] − λ log q̄[y_i] for each sample.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, or `decay` comes without `classes` or with `reduction="none"`; in a call for
        logits that are not finite or of one class, and labels out of range, of another shape or type.

    Notes
    -----
    With q_i = softmax(z_i), the batch's label frequencies p̂ and the mean prediction q̄ = mean_i q_i,

        loss = −mean_i log q_i[y_i] + λ (−Σ_c p̂_c log q̄_c).

    The second term is H(p̂) + KL(p̂‖q̄), minimized where the mean prediction equals the label frequencies. Their
    difference estimates I(X;Y). The terms, in nats, are `conditional_entropy` −mean_i log q_i[y_i], `label_entropy`
    −Σ_c p̂_c log q̄_c, `label_divergence` KL(p̂‖q̄) and `mutual_information`, label entropy less conditional entropy.

    With `decay` the gradient is −Σ_c (p̂_c / q̄_c) ∇q̄_c with p̂ and q̄ the averages and ∇q̄ that of the batch: it vanishes
    where the averages agree, while that of a small batch alone is noise. The first batch is its own average. In
    evaluation mode the averages are used but not updated.

    For one sample or one class both terms have the same minimum (for one sample the loss is 1 + λ times the
    cross-entropy), so such a batch causes a warning unless `decay` averages.

    References
    ----------
    Yi et al. (2022), Mutual information learned classifiers, arXiv 2209.10058.

    Examples
    --------
    >>> loss = MutualInformationLoss()
    >>> logits, labels = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), torch.tensor([0, 1, 0])
    >>> loss(logits, labels)  # 0.2512 + 0.5 · 0.6399
    tensor(0.5712)
    >>> {name: round(value.item(), 3) for name, value in loss.terms.items()}
    {'conditional_entropy': 0.251, 'label_entropy': 0.64, 'label_divergence': 0.003, 'mutual_information': 0.389}
    """

    # The averages over batches with `decay`: of the log prediction (C,), of targets and labels (2, C), and the share of
    # them that batches (rather than the zeros they start from) have filled.
    log_prediction: Tensor
    label_average: Tensor
    filled: Tensor

    @validated
    def __init__(
        self,
        entropy_weight: NonNegativeFloat | Literal["published"] = 0.5,
        *,
        regularizer: Literal["cross-entropy", "divergence"] = "cross-entropy",
        decay: Fraction | None = None,
        classes: Annotated[int, Integer(2)] | None = None,
        group: Group = None,
        **options: Unpack[ClassificationOptions],
    ) -> None:
        super().__init__(**options)
        self.entropy_weight = PUBLISHED_WEIGHT if entropy_weight == "published" else float(entropy_weight)
        self.regularizer = regularizer
        self.group = group
        self.decay = decay
        if decay is None:
            return
        if classes is None:
            raise InvalidArgument("classes", "given where decay is", classes)
        if self.reduction == "none":
            raise InvalidArgument(
                "reduction", "'mean' or 'sum' where decay averages the marginals over batches", self.reduction
            )
        self.register_buffer("log_prediction", torch.zeros(classes))
        self.register_buffer("label_average", torch.zeros(2, classes))
        self.register_buffer("filled", torch.zeros(()))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        batch, fault = self.examined(logits, labels)
        size = batch.log_q.shape[1]
        if self.decay is not None and size != len(self.log_prediction):
            raise InvalidArgument(
                "logits", f"of {len(self.log_prediction)} classes (classes={len(self.log_prediction)})", size
            )
        log_weights = batch.weights.detach().log()[:, None]
        with agreeing(self.group, type(self).__name__, self._settings()):
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
        self.record(
            {
                "conditional_entropy": conditional_entropy,
                "label_entropy": label_entropy,
                "label_divergence": (label_entropy - torch.special.entr(marginals.labels).sum()).clamp_min(0),
                "mutual_information": label_entropy - conditional_entropy,
            }
        )
        if self.reduction == "none":
            total = batch.reduced(batch.cross_entropy() + self.entropy_weight * (batch.targets @ values), "none")
        else:
            total = conditional / labeled + self.entropy_weight * ((marginals.targets * values).sum() + surrogate)
            total = total * norm if self.reduction == "sum" else total
        return total

    def _settings(self) -> dict[str, object]:
        names = ("entropy_weight", "regularizer", "decay", "reduction", "label_smoothing", "ignore_index", "check")
        weight = None if self.weight is None else self.weight.tolist()
        return {**{name: getattr(self, name) for name in names}, "weight": weight}

    def _shift(self, batch: LabeledBatch, log_weights: Tensor, fault: InvalidArgument | None) -> Tensor:
        """The largest log weight of each class over all samples, (C,); raises for a fault on any process."""
        if fault is not None and self.group is None:
            raise fault
        floor = torch.finfo(batch.log_q.dtype).min / 4  # stands for no sample at all
        if len(log_weights):
            top = (batch.log_q.detach() + log_weights).amax(dim=0).clamp_min(floor)
        else:
            top = batch.log_q.new_full((batch.log_q.shape[1],), floor)
        # A process that raised alone would leave the others waiting, so the maximum carries a flag for a fault.
        top = max_over(torch.cat([top, top.new_tensor([float(fault is not None)])]), self.group)
        if self.group is not None and self.check and bool(top[-1] > 0):
            raise fault or InvalidArgument(
                "logits or labels of another process are invalid; see the error of that process."
            )
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
        """The marginals that the terms use, and a 0 that carries their gradient where they are averages."""
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
        return f"entropy_weight={self.entropy_weight:g}, regularizer={self.regularizer!r}, {super().extra_repr()}"


_ONE_CLASS = (
    "the batch holds one class only (or one sample), so the label entropy has the same minimum as the cross-entropy; "
    "use larger batches, or decay= to average the marginals over batches"
)


_NO_LABEL = "no label of the batch counts (all are ignored or of weight 0), so the loss is 0; check ignore_index"


def _cross_entropy(p: Tensor, log_q: Tensor) -> Tensor:
    return -(p * log_q).sum()
