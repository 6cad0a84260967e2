"""Deep InfoMax: the information between an input's local features and its vector, as a loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.bounds import Bound, Takes, by_name
from infoflow.core.checks import integer, positive
from infoflow.core.distributed import Group
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.critics import GlobalCritic, LocalCritic
from infoflow.objectives.deep_infomax.coordinates import CoordinateTask
from infoflow.objectives.deep_infomax.encoding import Encoding, encode
from infoflow.objectives.deep_infomax.occlusion import Occlusion
from infoflow.objectives.objective import ModelObjective
from infoflow.objectives.prior_matching import AdversarialMatching, PriorMatching


class DeepInfoMax(ModelObjective):
    """Learns a representation without labels: −α I(map; Y) − β mean_l I(map_l; Y) + γ (Y follows a prior).

        total = −α·bound(global scores) − β·mean over locations of bound(local scores) + γ·matching(Y)
                + δ·Σ coordinate tasks

    The parts are given: the `encoder` returns (map (n, channels, ...), vector Y (n, features)), see `encode`; the
    `global_critic` and `local_critic` score pairs (`deep_infomax_for(...)` makes them to fit); `bound` is any of
    `infoflow.bounds` that takes scores of negatives. A part whose weight is 0 is left out and may be None. The paper's
    DIM(G) is α, β, γ = 1, 0, 1; DIM(L) 0, 1, 0.1; both 0.5, 1, 0.1.

    - `matching` asks Y to follow a prior. An `AdversarialMatching` is a second player: train `learner` with `forward`,
      and `opponent` with `opponent_loss`, each by an optimizer of its own. Neither loss gives the other's parameters
      a gradient.
    - `coordinates` are tasks in which the vector tells where local features come from, each times δ =
      `coordinate_weight`.
    - `occlusion` hides a part of the input from the vector, never from the local features (a second pass).
    - `negatives` is how many negative scores each sample keeps, drawn at random; None keeps all that the critics give.
    - `group`: a process group. Negatives come from all its processes; total and gradient are those of the whole batch,
      when gradients are averaged over the processes. Prior and coordinate terms are means of each process's own part.

    `forward(inputs)` gives the loss; the terms are `local` and `global` (values of the bound in nats, or in its own
    unit), `prior`, and `absolute_coordinates` and `relative_coordinates` (nats).

    Raises InvalidArgument for weights, a bound that takes something else, or an encoder that returns no map, or one
    of another size than the critics'; TooFewSamples for a batch of one.
    Hjelm et al. (2019), Eqs. 4 to 8.

    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> from infoflow.critics import EncodeAndDot
    >>> objective = DeepInfoMax(encoder, local_critic=EncodeAndDot(4, 6, units=16), beta=1.0)
    >>> loss = objective(torch.randn(5, 1, 8, 8))
    >>> sorted(objective.terms)
    ['local']
    """

    def __init__(
        self,
        encoder: nn.Module,
        *,
        global_critic: GlobalCritic | nn.Module | None = None,
        local_critic: LocalCritic | nn.Module | None = None,
        alpha: float = 0.0,
        beta: float = 0.0,
        gamma: float = 0.0,
        bound: str | Bound = "jensen_shannon",
        matching: PriorMatching | None = None,
        coordinates: Sequence[CoordinateTask] = (),
        coordinate_weight: float = 1.0,
        occlusion: Occlusion | None = None,
        negatives: int | None = None,
        group: Group = None,
    ) -> None:
        super().__init__()
        self.alpha, self.beta, self.gamma, self.coordinate_weight = (
            positive(value, name, zero=True)
            for name, value in (
                ("alpha", alpha),
                ("beta", beta),
                ("gamma", gamma),
                ("coordinate_weight", coordinate_weight),
            )
        )
        for name, weight, part, needs in (
            ("alpha", alpha, global_critic, "a global_critic"),
            ("beta", beta, local_critic, "a local_critic"),
            ("gamma", gamma, matching, "a matching of the prior"),
        ):
            if weight and part is None:
                raise InvalidArgument(f"{name} is {weight} but there is nothing to weigh; want {needs}")
        if not (alpha or beta or gamma or (coordinates and coordinate_weight)):
            raise InvalidArgument(
                "alpha, beta and gamma are 0 and there is no coordinate task; want something to learn"
            )
        self.bound = by_name(bound) if isinstance(bound, str) else bound
        if self.bound.takes is not Takes.NEGATIVE:
            raise InvalidArgument(
                f"bound {self.bound.name} takes {self.bound.takes.value}; want one that takes scores of negatives"
            )
        self.encoder = encoder
        self.global_critic = global_critic if alpha else None
        self.local_critic = local_critic if beta else None
        self.matching = matching if gamma else None
        self.coordinates = nn.ModuleList(coordinates if coordinate_weight else ())
        self.occlusion = occlusion
        self.negatives = None if negatives is None else integer(negatives, "negatives")
        self.group = group

    @property
    def learner(self) -> nn.ModuleList:
        """Everything that `forward` trains: the encoder, the critics, the coordinate tasks. Not the discriminator."""
        parts = [self.encoder, self.global_critic, self.local_critic, *self.coordinates]
        return nn.ModuleList(part for part in parts if part is not None)

    @property
    def opponent(self) -> nn.Module | None:
        """The discriminator that `opponent_loss` trains; None where the prior is matched without."""
        return None if self.matching is None else self.matching.opponent

    def encode(self, inputs: Tensor) -> Encoding:
        """The whole input's map, and the vector of the input as the vector gets to see it."""
        if not isinstance(inputs, Tensor) or inputs.ndim < 2:
            got = tuple(inputs.shape) if isinstance(inputs, Tensor) else type(inputs).__name__
            raise InvalidArgument(f"inputs are {got}; want a tensor (n, ...)")
        if inputs.shape[0] < 2 and self.group is None:
            raise TooFewSamples(f"a batch of {inputs.shape[0]} has no negatives; want at least two inputs")
        if self.occlusion is None:
            return encode(self.encoder, inputs)
        vector = encode(self.encoder, self.occlusion(inputs)).vector
        if not (self.local_critic or self.global_critic or len(self.coordinates)):
            return Encoding(vector[..., None], vector)
        return Encoding(encode(self.encoder, inputs).map, vector)

    def forward(self, inputs: Tensor) -> Tensor:
        """The loss of a batch and its terms."""
        return self.loss(self.encode(inputs))

    def loss(self, encoding: Encoding) -> Tensor:
        """The loss of maps and vectors that are there already."""
        local, vector = encoding
        total = vector.new_zeros(())
        terms: dict[str, Tensor] = {}
        options = {} if self.group is None else {"group": self.group}
        parts: list[tuple[str, float, Any]] = [
            ("global", self.alpha, self.global_critic),
            ("local", self.beta, self.local_critic),
        ]
        for name, weight, critic in parts:
            if critic is None:
                continue
            own, others = critic.scores(local, vector, **options)
            others = self._drawn(others)
            value = self.bound.training_objective(own, others, **options).mean()
            total = total - weight * value
            if self.bound.objective is None:
                terms[name] = value.detach()
            else:  # the gradient is one function's, the number another's
                terms[name] = self.bound(own.detach(), others.detach(), **options).mean()
        if self.matching is not None:
            total = total + self.gamma * self.matching(vector)
            terms |= self.matching.terms
        for task in self.coordinates:
            total = total + self.coordinate_weight * task(encoding)
            terms |= task.terms
        self.record(terms)
        return total

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        """The discriminator's loss for a batch of inputs; the encoder gets no gradient.

        Raises InvalidArgument where the prior is matched without a discriminator.
        """
        if not isinstance(self.matching, AdversarialMatching):
            raise InvalidArgument("there is no discriminator: want gamma > 0 and an AdversarialMatching")
        with torch.no_grad():
            seen = inputs if self.occlusion is None else self.occlusion(inputs)
            vector = encode(self.encoder, seen).vector
        value = self.matching.opponent_loss(vector)
        self.record(self.matching.terms)
        return value

    def _drawn(self, others: Tensor) -> Tensor:
        """Each row's share of the negatives (..., n, m): `negatives` of them, without repetition."""
        m = others.shape[-1]
        if self.negatives is None or self.negatives == m:
            return others
        if self.negatives > m:
            raise InvalidArgument(f"negatives is {self.negatives}, but the critic gives {m} a sample")
        # One draw of columns, turned by a random step in each row: every row's draw is uniform, at the cost of one.
        columns = torch.randperm(m, device=others.device)[: self.negatives]
        turns = torch.randint(m, (others.shape[-2], 1), device=others.device)
        index = (columns + turns) % m
        return others.gather(-1, index.expand(*others.shape[:-1], self.negatives))

    def extra_repr(self) -> str:
        return (
            f"alpha={self.alpha}, beta={self.beta}, gamma={self.gamma}, bound={self.bound.name!r}, "
            f"coordinate_weight={self.coordinate_weight}, occlusion={self.occlusion}, negatives={self.negatives}"
        )
