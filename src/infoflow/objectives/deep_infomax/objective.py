"""Deep InfoMax: the information between an input's local features and its vector, as a loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from infoflow.bounds import Bound, Takes, by_name
from infoflow.core.agreement import agreeing
from infoflow.core.distributed import Group
from infoflow.core.errors import InvalidArgument, TooFewSamples
from infoflow.core.settings import NonNegativeFloat, PositiveInt, validated
from infoflow.critics import GlobalCritic, LocalCritic
from infoflow.objectives.deep_infomax.coordinates import CoordinateTask
from infoflow.objectives.deep_infomax.encoding import Encoding, encode
from infoflow.objectives.deep_infomax.occlusion import Occlusion
from infoflow.objectives.objective import ModelObjective
from infoflow.objectives.prior_matching import AdversarialMatching, PriorMatching


class DeepInfoMax(ModelObjective):
    """Learns a representation Y without labels: −α I(map; Y) − β mean_l I(map_l; Y) + γ (Y follows a prior).

    Parameters
    ----------
    encoder
        Network that returns (map (n, channels, ...), vector Y (n, features)), see `encode`.
    global_critic
        Critic of whole maps with vectors.
    local_critic
        Critic of the map's locations with vectors.
    alpha
        Weight α of the global information.
    beta
        Weight β of the local information.
    gamma
        Weight γ of the prior.
    bound
        A bound of `infoflow.bounds` that takes scores of negatives, or its name.
    matching
        Loss by which Y follows a prior. An `AdversarialMatching` has an opponent.
    coordinates
        Tasks that predict where local features come from, given the vector.
    coordinate_weight
        Weight δ of each of these tasks.
    occlusion
        Occlusion of the input of the vector, but not of the local features, which takes a second pass.
    n_negatives
        Number of negative scores of each sample, drawn at random; None takes all that the critics give.
    group
        Process group from all of whose processes negatives come. Total and gradient are those of the whole batch when
        gradients are averaged over the processes; prior and coordinate terms are means of each process's own part.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, a part with a positive weight is missing, or the bound takes something else; in
        a call if the encoder returns no map, or one of another size than the critics'. `TooFewSamples` for a batch
        of one.

    Notes
    -----
        total = −α·bound(global scores) − β·mean over locations of bound(local scores) + γ·matching(Y)
                + δ·Σ coordinate tasks

    A part whose weight is 0 is left out and may be None. The paper's DIM(G) has α, β, γ = 1, 0, 1; DIM(L) 0, 1, 0.1;
    DIM(L+G) has α, β = 0.5, 0.1. Both critics take the encoder's one map: in the paper the next to last convolution for
    the local term on small images, and the last one for the global term, which is insensitive to that choice (appendix
    A.1). `deep_infomax_for` creates parts that fit an encoder. The terms are `local` and
    `global` (values of the bound in nats, or in its own unit), `prior`, and `absolute_coordinates` and
    `relative_coordinates` (nats).

    References
    ----------
    Hjelm et al. (2019), Learning deep representations by mutual information estimation and maximization, eqs. 4 to 8.

    Examples
    --------
    >>> from infoflow.models import ConvolutionalEncoder
    >>> encoder = ConvolutionalEncoder((1, 8, 8), widths=(4, 8), local=0, units=16, features=6)
    >>> from infoflow.critics import EncodeAndDot
    >>> objective = DeepInfoMax(encoder, local_critic=EncodeAndDot(4, 6, units=16), beta=1.0)
    >>> loss = objective(torch.randn(5, 1, 8, 8))
    >>> sorted(objective.terms)
    ['local']
    """

    @validated
    def __init__(
        self,
        encoder: nn.Module,
        *,
        global_critic: GlobalCritic | nn.Module | None = None,
        local_critic: LocalCritic | nn.Module | None = None,
        alpha: NonNegativeFloat = 0.0,
        beta: NonNegativeFloat = 0.0,
        gamma: NonNegativeFloat = 0.0,
        bound: str | Bound = "jensen_shannon",
        matching: PriorMatching | None = None,
        coordinates: Sequence[CoordinateTask] = (),
        coordinate_weight: NonNegativeFloat = 1.0,
        occlusion: Occlusion | None = None,
        n_negatives: PositiveInt | None = None,
        group: Group = None,
    ) -> None:
        super().__init__()
        self.alpha, self.beta, self.gamma, self.coordinate_weight = alpha, beta, gamma, coordinate_weight
        for name, weight, part, wanted in (
            ("global_critic", alpha, global_critic, "alpha"),
            ("local_critic", beta, local_critic, "beta"),
            ("matching", gamma, matching, "gamma"),
        ):
            if weight and part is None:
                raise InvalidArgument(name, f"given where {wanted} > 0", part)
        if not (alpha or beta or gamma or (coordinates and coordinate_weight)):
            raise InvalidArgument("alpha, beta or gamma must be > 0, or there must be a coordinate task.")
        self.bound = by_name(bound) if isinstance(bound, str) else bound
        if self.bound.takes is not Takes.NEGATIVE:
            raise InvalidArgument("bound", "one that takes scores of negatives", self.bound.name)
        self.encoder = encoder
        self.global_critic = global_critic if alpha else None
        self.local_critic = local_critic if beta else None
        self.matching = matching if gamma else None
        self.coordinates = nn.ModuleList(coordinates if coordinate_weight else ())
        self.occlusion = occlusion
        self.n_negatives = n_negatives
        self.group = group

    @property
    def learner(self) -> nn.ModuleList:
        """The encoder, the critics and the coordinate tasks, but not the discriminator."""
        parts = [self.encoder, self.global_critic, self.local_critic, *self.coordinates]
        return nn.ModuleList(part for part in parts if part is not None)

    @property
    def opponent(self) -> nn.Module | None:
        """The discriminator, or None where the prior is matched without one."""
        return None if self.matching is None else self.matching.opponent

    def encode(self, inputs: Tensor) -> Encoding:
        """Compute the map of the whole input, and the vector of the possibly occluded input.

        Parameters
        ----------
        inputs : Tensor of shape (n, ...)
            Inputs.
        """
        if not isinstance(inputs, Tensor) or inputs.ndim < 2:
            raise InvalidArgument("inputs", "a tensor (n, ...)", inputs)
        if inputs.shape[0] < 2 and self.group is None:
            raise TooFewSamples("inputs", "at least two, which are each other's negatives", inputs.shape[0])
        if self.occlusion is None:
            return encode(self.encoder, inputs)
        vector = encode(self.encoder, self.occlusion(inputs)).vector
        if not (self.local_critic or self.global_critic or len(self.coordinates)):
            return Encoding(vector[..., None], vector)
        return Encoding(encode(self.encoder, inputs).map, vector)

    def forward(self, inputs: Tensor) -> Tensor:
        """Compute the loss of a batch of inputs (n, ...).

        Parameters
        ----------
        inputs : Tensor of shape (n, ...)
            Inputs.
        """
        return self.loss(self.encode(inputs))

    def loss(self, encoding: Encoding) -> Tensor:
        """Compute the loss of maps and vectors that were computed already.

        Parameters
        ----------
        encoding
            Map and vector of the encoder.
        """
        local, vector = encoding
        total = vector.new_zeros(())
        terms: dict[str, Tensor] = {}
        options = {} if self.group is None else {"group": self.group}
        parts: list[tuple[str, float, Any]] = [
            ("global", self.alpha, self.global_critic),
            ("local", self.beta, self.local_critic),
        ]
        weights = ("alpha", "beta", "gamma", "coordinate_weight", "n_negatives")
        shared = {"bound": self.bound.name, **{weight: getattr(self, weight) for weight in weights}}
        for name, weight, critic in parts:
            if critic is None:
                continue
            with agreeing(self.group, type(self).__name__, {**shared, "part": name}):
                own, others = critic.scores(local, vector, **options)
                others = self._drawn(others)
                value = self.bound.training_objective(own, others, **options).mean()
                total = total - weight * value
                if self.bound.objective is None:
                    terms[name] = value.detach()
                else:  # training and measurement take different functions
                    terms[name] = self.bound(own.detach(), others.detach(), **options).mean()
        if self.matching is not None:
            total = total + self.gamma * self.matching(vector)
            terms |= self.matching.terms
        for task in self.coordinates:
            assert isinstance(task, CoordinateTask)
            total = total + self.coordinate_weight * task(encoding)
            terms.update(task.terms)
        self.record(terms)
        return total

    def opponent_loss(self, inputs: Tensor) -> Tensor:
        """Compute the discriminator's loss of a batch of inputs; the encoder gets no gradient.

        Parameters
        ----------
        inputs : Tensor of shape (n, ...)
            Inputs.

        Raises
        ------
        InvalidArgument
            If the prior is matched without a discriminator.
        """
        if not isinstance(self.matching, AdversarialMatching):
            raise InvalidArgument("There is no discriminator. Use gamma > 0 and an AdversarialMatching.")
        with torch.no_grad():
            seen = inputs if self.occlusion is None else self.occlusion(inputs)
            vector = encode(self.encoder, seen).vector
        value = self.matching.opponent_loss(vector)
        self.record(self.matching.terms)
        return value

    def _drawn(self, others: Tensor) -> Tensor:
        """Draw `n_negatives` of the negatives (..., n, m) of each row, without repetition."""
        m = others.shape[-1]
        if self.n_negatives is None or self.n_negatives == m:
            return others
        if self.n_negatives > m:
            raise InvalidArgument("n_negatives", f"at most the critic's number of negatives ({m})", self.n_negatives)
        # One draw of columns, rotated by a random step in each row: uniform in every row, at the cost of one draw.
        columns = torch.randperm(m, device=others.device)[: self.n_negatives]
        turns = torch.randint(m, (others.shape[-2], 1), device=others.device)
        index = (columns + turns) % m
        return others.gather(-1, index.expand(*others.shape[:-1], self.n_negatives))

    def extra_repr(self) -> str:
        return (
            f"alpha={self.alpha}, beta={self.beta}, gamma={self.gamma}, bound={self.bound.name!r}, "
            f"coordinate_weight={self.coordinate_weight}, occlusion={self.occlusion}, n_negatives={self.n_negatives}"
        )
