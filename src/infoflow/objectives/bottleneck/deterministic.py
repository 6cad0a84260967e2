"""The deterministic information bottleneck: a code of few symbols, whose entropy is the price."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from infoflow.core.checks import integer
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.bottleneck.objective import BottleneckObjective, features, module
from infoflow.objectives.bottleneck.schedules import Schedule
from infoflow.objectives.classification import fraction


class DeterministicBottleneck(BottleneckObjective):
    """The (generalized) deterministic bottleneck of a code Z of few symbols: H(Z) − a H(Z|X) − β I(Z;Y).

    p(z|x) = softmax(encoder(x)), and H(Z), H(Z|X) and I(Z;Y) are those of the batch's own joint distribution of x, y
    and z, exactly. a = `stochasticity` 0 is the deterministic bottleneck, whose best encoder is hard; a = 1 is the
    information bottleneck I(X;Z) − β I(Z;Y). Here β multiplies what is kept, so a *large* β keeps more.

    `encoder` maps x to (n, `symbols`). Probabilities p(y|z), for `predict`, are counted in training, forgetting by
    `decay` a batch. A batch that is small beside symbols × classes makes I(Z;Y) too large. Raises InvalidArgument.
    (Strouse and Schwab 2017, Neural Computation 29(6), the generalized cost function of section 3.)

    >>> objective = DeterministicBottleneck(nn.Identity(), symbols=2, classes=2, beta=5.0)
    >>> codes = torch.tensor([[9.0, -9.0], [9.0, -9.0], [-9.0, 9.0], [-9.0, 9.0]])
    >>> loss = objective(codes, torch.tensor([0, 0, 1, 1]))
    >>> {name: round(value.item(), 3) for name, value in objective.terms.items()}  # H(Z) = I(Z;Y) = log 2
    {'code_entropy': 0.693, 'conditional_code_entropy': 0.0, 'label_information': 0.693}
    >>> objective.predict(codes).argmax(1).tolist()
    [0, 0, 1, 1]
    """

    counts: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        symbols: int,
        classes: int,
        beta: float | Schedule = 10.0,
        *,
        stochasticity: float = 0.0,
        decay: float = 0.99,
    ) -> None:
        super().__init__(beta)
        self.encoder = module(encoder, "encoder")
        self.symbols = integer(symbols, "symbols", minimum=2)
        self.classes = integer(classes, "classes", minimum=2)
        self.stochasticity = fraction(stochasticity, "stochasticity")
        self.decay = fraction(decay, "decay")
        self.register_buffer("counts", torch.zeros(symbols, classes))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Inputs (n, ...) and integer labels (n,) to the loss; terms `code_entropy` H(Z), `conditional_code_entropy`
        H(Z|X) and `label_information` I(Z;Y), in nats."""
        log_p = features(self.encoder, x, self.symbols).log_softmax(dim=1)
        p = log_p.exp()
        joint = p.mT @ _one_hot(labels, len(x), self.classes).to(p) / len(x)
        if self.training:
            self.counts = self.decay * self.counts + joint.detach().to(self.counts)
        entropy = torch.special.entr(joint.sum(dim=1)).sum()
        conditional = -(p * log_p).sum(dim=1).mean()
        information = entropy + torch.special.entr(joint.sum(dim=0)).sum() - torch.special.entr(joint).sum()
        total = entropy - self.stochasticity * conditional - self.next_beta() * information
        terms = {
            "code_entropy": entropy,
            "conditional_code_entropy": conditional,
            "label_information": information,
        }
        self.record(terms)
        return total

    def predict(self, x: Tensor) -> Tensor:
        """Log probabilities (n, C): Σ_z p(z|x) p(y|z), with p(y|z) counted in training; InvalidArgument before it."""
        if not bool(self.counts.any()):
            raise InvalidArgument("nothing was counted yet, so no symbol means a class; train first")
        p = features(self.encoder, x, self.symbols).softmax(dim=1)
        counts = self.counts.to(p) + torch.finfo(torch.float32).tiny
        return (p @ (counts / counts.sum(dim=1, keepdim=True))).log()


def _one_hot(labels: Tensor, n: int, classes: int) -> Tensor:
    if labels.is_floating_point() or labels.shape != (n,):
        raise InvalidArgument(
            f"labels have dtype {labels.dtype} and shape {tuple(labels.shape)}; want integer classes of shape ({n},)"
        )
    if not torch.compiler.is_compiling():
        low, high = (int(bound) for bound in labels.aminmax())
        if low < 0 or high >= classes:
            raise InvalidArgument(f"labels hold {low if low < 0 else high}; want 0 to {classes - 1}")
    return nn.functional.one_hot(labels.to(torch.int64), classes)
