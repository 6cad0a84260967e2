"""The deterministic information bottleneck: a code of few symbols, compressed by its entropy."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from infoflow.core.blocks import Module
from infoflow.core.checks import tensors
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, Probability, validated
from infoflow.objectives.bottleneck.objective import BottleneckObjective, features
from infoflow.objectives.bottleneck.schedules import Schedule


class DeterministicBottleneck(BottleneckObjective):
    """The (generalized) deterministic bottleneck of a code Z of few symbols: H(Z) − a H(Z|X) − β I(Z;Y).

    Parameters
    ----------
    encoder
        Network from x to (n, `symbols`), whose softmax is p(z|x).
    symbols
        Number of symbols of the code.
    classes
        Number of classes.
    beta
        Weight of the label information, or its schedule. It multiplies what is preserved, so a larger β preserves more.
    stochasticity
        Weight a: 0 for the deterministic bottleneck, whose optimal encoder is deterministic; 1 for the information
        bottleneck I(X;Z) − β I(Z;Y).
    decay
        Share of the past in the counts of p(y|z), which `predict` uses.

    Raises
    ------
    InvalidArgument
        If an argument is out of range; in a call if the encoder's output or the labels do not fit.

    Notes
    -----
    The terms, in nats, are `code_entropy` H(Z), `conditional_code_entropy` H(Z|X) and `label_information` I(Z;Y), those
    of the batch's own joint distribution of x, y and z, exactly. In a batch that is small relative to symbols × classes
    I(Z;Y) is too large.

    References
    ----------
    Strouse and Schwab (2017), The deterministic information bottleneck, Neural Computation 29(6), the generalized cost
    function of section 3.

    Examples
    --------
    >>> objective = DeterministicBottleneck(nn.Identity(), symbols=2, classes=2, beta=5.0)
    >>> codes = torch.tensor([[9.0, -9.0], [9.0, -9.0], [-9.0, 9.0], [-9.0, 9.0]])
    >>> loss = objective(codes, torch.tensor([0, 0, 1, 1]))
    >>> {name: round(value.item(), 3) for name, value in objective.terms.items()}  # H(Z) = I(Z;Y) = log 2
    {'code_entropy': 0.693, 'conditional_code_entropy': 0.0, 'label_information': 0.693}
    >>> objective.predict(codes).argmax(1).tolist()
    [0, 0, 1, 1]
    """

    counts: Tensor

    @validated
    def __init__(
        self,
        encoder: Module,
        symbols: Annotated[int, Integer(2)],
        classes: Annotated[int, Integer(2)],
        beta: float | Schedule = 10.0,
        *,
        stochasticity: Probability = 0.0,
        decay: Probability = 0.99,
    ) -> None:
        super().__init__(beta)
        self.encoder, self.symbols, self.classes = encoder, symbols, classes
        self.stochasticity, self.decay = stochasticity, decay
        self.register_buffer("counts", torch.zeros(symbols, classes))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """Compute the loss of inputs (n, ...) and integer labels (n,).

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.
        labels : Tensor of shape (n,)
            Classes.
        """
        tensors(x=x, labels=labels)
        log_p = features(self.encoder, x, self.symbols).log_softmax(dim=1)
        p = log_p.exp()
        joint = p.mT @ _one_hot(labels, len(x), self.classes).to(p) / len(x)
        if self.training:
            self.counts = self.decay * self.counts + joint.detach().to(self.counts)
        entropy: Tensor = torch.special.entr(joint.sum(dim=1)).sum()
        conditional = -(p * log_p).sum(dim=1).mean()
        information = entropy + torch.special.entr(joint.sum(dim=0)).sum() - torch.special.entr(joint).sum()
        self.record(
            {"code_entropy": entropy, "conditional_code_entropy": conditional, "label_information": information}
        )
        total: Tensor = entropy - self.stochasticity * conditional - self.next_beta() * information
        return total

    def predict(self, x: Tensor) -> Tensor:
        """Compute log probabilities (n, C): log Σ_z p(z|x) p(y|z), with p(y|z) counted in training.

        Parameters
        ----------
        x : Tensor of shape (n, ...)
            Inputs.

        Raises
        ------
        InvalidArgument
            If nothing was counted yet.
        """
        if not bool(self.counts.any()):
            raise InvalidArgument(
                "predict needs the classes of the symbols, which are counted in training; train first."
            )
        p = features(self.encoder, x, self.symbols).softmax(dim=1)
        counts = self.counts.to(p) + torch.finfo(torch.float32).tiny
        return (p @ (counts / counts.sum(dim=1, keepdim=True))).log()


def _one_hot(labels: Tensor, n: int, classes: int) -> Tensor:
    if labels.is_floating_point() or labels.shape != (n,):
        raise InvalidArgument("labels", f"integer classes of shape ({n},)", labels)
    if not torch.compiler.is_compiling():
        low, high = (int(bound) for bound in labels.aminmax())
        if low < 0 or high >= classes:
            raise InvalidArgument("labels", f"from 0 to {classes - 1}", low if low < 0 else high)
    return nn.functional.one_hot(labels.to(torch.int64), classes)
