"""Information flow maximization: a bound on the information between features of neighboring layers by location."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from infoflow import bounds
from infoflow.bounds import Takes
from infoflow.core.blocks import Module
from infoflow.core.capture import unwrapped
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import NonNegativeFloat, Number, Seed, check, validated
from infoflow.objectives.information_flow.candidates import CandidateTable
from infoflow.objectives.information_flow.critic import FlowCritic
from infoflow.objectives.information_flow.features import (
    Aligned,
    Locations,
    align,
    features,
    layout_of,
    width_of,
)
from infoflow.objectives.information_flow.negatives import Candidates, Negatives
from infoflow.objectives.information_flow.taps import INPUT, known, tap, trial
from infoflow.objectives.objective import Objective

Pair = tuple[str, str]
Schedule = Callable[[int], float]


class InformationFlow(Objective):
    """−Σ_l w_l F_l, minimized along with a network's own loss, maximizes the information between its layers.

    Parameters
    ----------
    model
        The network. It stays as it is: no parameters or buffers are added, and nothing is left after `detach()` or the
        `with` block.
    pairs
        Pairs of names of layers, as in `model.named_modules()`; "input" and "output" are the network's own. Outputs
        are (n, C), (n, C, length), (n, tokens, C), (n, C, height, width) or of three dimensions. A vector is paired
        with every location.
    bound
        Name of a bound that takes scores of negatives, or such a function. The default is the published one.
    critic
        Function `critic(x_features, y_features, seed=...)` that creates each pair's critic V, such as
        `critics.Separable`; or one module for each pair with a method `pairs(x, y)`, scores (n,) of rows.
    negatives
        Kind of the negatives, "random", "same-location", "same-image" or "same-class", or `Negatives`.
    locations
        Number of locations of each image that a step takes, drawn with replacement; None takes all. `Locations` also
        has settings of alignment and layout.
    noise
        Scale ε > 0 makes it the information between h + ε·σ·n, with n standard normal and σ each channel's standard
        deviation in the batch, which is finite where layers are deterministic.
    weights
        Weight w of all pairs, or one for each.
    schedule
        Function of the step, counted by calls, that multiplies all weights.
    example
        A batch from which the widths of layers are computed, needed where the layers' arguments do not state them.
    seed
        Random seed of the critics' initial weights.

    Raises
    ------
    InvalidArgument
        If an argument is out of range, pairs cannot be aligned, or a critic has another width; `UnknownName` for an
        unknown layer or name.

    Notes
    -----
        F_l = bound(V(h_l(s), h_{l+1}(s)), V(h_l(s), h_{l+1}(s'))),

    with the features h_l(s) of layer l at location s of an image, the coarser map spread over the finer one's grid.
    Features at one location are a positive pair, features at s' of other locations or images are negatives. With the
    default bound, Jensen–Shannon, F_l is the published E_joint[−sp(−V)] − E_marginal[sp(V)] + 2 log 2, a lower bound of
    twice the Jensen–Shannon divergence between joint and product: at most 2 log 2, where its gradient vanishes. The
    critics are this module's parameters and minimize the same loss as the network, so one optimizer trains both.

    Forward hooks record the layers in training mode, after which a call gives the loss of the latest batch. Copies and
    pickles of the network have no effective hook. The terms are, for each pair "x-y", its bound in nats;
    "x-y/saturation", the share of the bound's ceiling that is reached (0 without a ceiling); and "x-y/separated", the
    share of negatives whose score is below that of their positive. Random draws come from torch's global generator.

    References
    ----------
    Shen, Li and Liu (2019), Information flow maximization, arXiv 1907.00348, eqs. 2 to 5 (as corrected).

    Examples
    --------
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3, padding=1))
    >>> with InformationFlow(model, pairs=[("0", "3")]) as flow:
    ...     _ = model(torch.randn(6, 3, 8, 8))
    ...     loss = flow()
    >>> sorted(flow.terms)
    ['0-3', '0-3/saturation', '0-3/separated']
    """

    step: Tensor

    @validated
    def __init__(
        self,
        model: Module,
        pairs: Sequence[Pair],
        *,
        bound: str | Callable[..., Tensor] = "jensen_shannon",
        critic: Callable[..., nn.Module] | Sequence[nn.Module] = FlowCritic,
        negatives: str | Negatives = "random",
        locations: int | Locations | None = 24,
        noise: NonNegativeFloat = 0.0,
        weights: float | Sequence[float] = 1.0,
        schedule: Schedule | None = None,
        example: Any = None,
        seed: Seed = 0,
    ) -> None:
        super().__init__()
        inner = unwrapped(model)
        self.pairs = _pairs(inner, pairs)
        self.bound = _bound(bound)
        self.negatives = negatives if isinstance(negatives, Negatives) else Negatives(negatives)  # type: ignore[arg-type]
        self.locations = locations if isinstance(locations, Locations) else Locations(locations)
        self.layout = layout_of(inner, self.locations.layout)
        self.noise = noise
        self.weights = _weights(weights, len(self.pairs))
        self.schedule = schedule
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self._kept: dict[str, Any] = {}
        # In a tuple, so that the network does not become a part of this module: its parameters are the caller's.
        self._model = (inner,)
        self._handles = tap(inner, list(dict.fromkeys(name for pair in self.pairs for name in pair)), self._kept)
        try:
            self.critics = self._critics(critic, example, seed)
        except BaseException:
            self.detach()
            raise

    def forward(self, labels: Tensor | None = None) -> Tensor:
        """Compute the loss of the model's latest batch in training mode, whose features are freed after it.

        Parameters
        ----------
        labels : Tensor of shape (n,), optional
            Classes, needed for same-class negatives only.

        Raises
        ------
        InvalidArgument
            If the model has not run in training mode since the last call, after `detach()`, or if layers cannot be
            aligned. `TooFewSamples` if there are no negatives.
        """
        if not self.attached:
            raise InvalidArgument("The objective is detached from its model. Create a new one.")
        missing = [name for pair in self.pairs for name in pair if name not in self._kept]
        if missing:
            raise InvalidArgument(
                f"Layer {missing[0]!r} has not run since the last call. Call the model in training mode first."
            )
        kept = {name: features(value, name, self.layout) for name, value in self._kept.items()}
        self._kept.clear()
        total: Tensor | None = None
        terms: dict[str, Tensor] = {}
        scale = 1.0 if self.schedule is None else float(self.schedule(int(self.step)))
        for (x, y), critic, weight in zip(self.pairs, self.critics, self.weights, strict=True):
            aligned = align(kept[x], kept[y], self.locations.upsampling)
            positive_scores, negative_scores, mask = self._scores(critic, aligned, labels, f"{x}-{y}")
            options = {} if mask is None else {"mask": mask}
            value = self.bound.training_objective(positive_scores, negative_scores, **options)
            total = -weight * scale * value if total is None else total - weight * scale * value
            terms |= self._report(f"{x}-{y}", value.detach(), positive_scores, negative_scores, mask)
        if self.training:
            self.step += 1
        assert total is not None  # there is at least one pair
        self.record(terms)
        return total

    def _report(self, name: str, value: Tensor, own: Tensor, others: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        most = others.shape[-1] if mask is None else int(mask.sum(-1).max())
        below = (others < own[:, None]).detach()
        separated = below.float().mean() if mask is None else below[mask].float().mean()
        ceiling = self.bound.ceiling(most)
        share = value / ceiling if math.isfinite(ceiling) else torch.zeros_like(value)
        return {name: value, f"{name}/saturation": share, f"{name}/separated": separated}

    def _scores(
        self, critic: nn.Module, pair: Aligned, labels: Tensor | None, name: str
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Scores of positives (R,) and their negatives (R, k) from one pass of the critic, and the negatives' mask."""
        n, size = pair.x.shape[0], pair.locations
        settings = self.negatives
        same_class = settings.kind == "same-class"
        places = Candidates(settings.kind, n, pair.y_index, labels if same_class else None)
        image, location = self._places(n, size)
        counts = places.counts(image, location)
        if same_class:
            image, location, counts = (part[counts > 0] for part in (image, location, counts))
        mask: Tensor | None = None
        if settings.n_negatives is None:
            most = int(counts.max())
            number = torch.arange(most).expand(len(image), most)
            if bool((counts < most).any()):
                mask = number < counts[:, None]
                number = torch.minimum(number, counts[:, None] - 1)
        else:
            # The product is below 2^53, so in float64 every number is equally likely within rounding.
            share = torch.rand(len(image), settings.n_negatives * settings.mining, dtype=torch.float64)
            number = torch.minimum((share * counts[:, None]).long(), counts[:, None] - 1)
        others, spots = places.choose(image, location, number)
        device, width = pair.x.device, pair.y.shape[1]
        image, location, others, spots = (t.to(device) for t in (image, location, others, spots))
        x = self._noisy(pair.x[image, pair.x_index[location]])
        partner = image * width + pair.y_index[location]
        index = torch.cat([partner[:, None], others * width + pair.y_index[spots]], 1)
        table = CandidateTable(critic, x, pair.y, index, self._noisy, name)
        scores = table.mined(cast(int, settings.n_negatives)) if settings.mining > 1 else table.scores()
        return scores[:, 0], scores[:, 1:], None if mask is None else mask.to(device)

    def _places(self, n: int, size: int) -> tuple[Tensor, Tensor]:
        """Image and location of every positive, image by image."""
        count = self.locations.count
        if count is None:
            return torch.arange(n).repeat_interleave(size), torch.arange(size).repeat(n)
        return torch.arange(n).repeat_interleave(count), torch.randint(size, (n * count,))

    def _noisy(self, rows: Tensor) -> Tensor:
        """h + ε σ n in units of σ; the gradient flows through σ, so that larger features do not reduce the noise."""
        if not self.noise:
            return rows
        scale = rows.std(0, keepdim=True, correction=0)
        return rows / (scale + torch.finfo(rows.dtype).eps) + self.noise * torch.randn_like(rows)

    def _critics(self, critic: Any, example: Any, seed: int) -> nn.ModuleList:
        widths = self._widths(example)
        if not callable(critic) or isinstance(critic, nn.Module):
            given = [critic] if isinstance(critic, nn.Module) else list(critic)
            if len(given) != len(self.pairs) or not all(isinstance(one, nn.Module) for one in given):
                raise InvalidArgument("critic", f"{len(self.pairs)} modules, one for each pair", given)
            made = given
        else:
            unknown = [name for pair in self.pairs for name in pair if widths[name] is None]
            if unknown:
                raise InvalidArgument(
                    f"The width of layer {unknown[0]!r} cannot be inferred. Pass example, a batch for the model."
                )
            generator = torch.Generator().manual_seed(seed)
            made = [critic(widths[x], widths[y], seed=generator) for x, y in self.pairs]
        for (x, y), one in zip(self.pairs, made, strict=True):
            if not hasattr(one, "pairs"):
                wanted = "modules with a method pairs(x, y) that scores pairs of rows"
                raise InvalidArgument("critic", wanted, one)
            for name, key in ((x, "x_features"), (y, "y_features")):
                width = getattr(one, key, None)
                if width is not None and widths[name] is not None and width != widths[name]:
                    raise InvalidArgument(
                        f"{key} of the critic of {x!r} and {y!r}",
                        f"the number of channels of layer {name!r} ({widths[name]})",
                        width,
                    )
        return nn.ModuleList(made)

    def _widths(self, example: Any) -> Mapping[str, int | None]:
        names = list(dict.fromkeys(name for pair in self.pairs for name in pair))
        model = self._model[0]
        if example is None:
            own = dict(model.named_modules())
            return {name: width_of(model, name) if name in own or name == INPUT else None for name in names}
        seen = trial(model, names, example)
        kept = {name: features(value, name, self.layout) for name, value in seen.items()}
        for name in names:
            if name not in kept:
                raise InvalidArgument("pairs", "layers that run in the model's forward pass on example", name)
        for x, y in self.pairs:
            align(kept[x], kept[y], self.locations.upsampling)
        return {name: kept[name].channels for name in names}

    @property
    def attached(self) -> bool:
        """Whether hooks are on the model."""
        return bool(self._handles)

    def detach(self) -> None:
        """Remove the hooks from the model.

        Raises
        ------
        InvalidArgument
            If they were removed before.
        """
        if not self.attached:
            raise InvalidArgument("The objective is detached already.")
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._kept.clear()

    def __enter__(self) -> InformationFlow:
        return self

    def __exit__(self, *_: object) -> None:
        if self.attached:
            self.detach()

    def extra_repr(self) -> str:
        return f"pairs={self.pairs}, bound={self.bound.name!r}, negatives={self.negatives}"


def _pairs(model: nn.Module, pairs: Any) -> list[Pair]:
    wanted = 'a list of different pairs of layers, such as [("conv1", "conv2")]'
    if isinstance(pairs, str) or not isinstance(pairs, Sequence) or not pairs:
        raise InvalidArgument("pairs", wanted, pairs)
    found = []
    for pair in pairs:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise InvalidArgument("pairs", wanted, pairs)
        found.append((known(model, pair[0]), known(model, pair[1])))
    if len(set(found)) < len(found):
        raise InvalidArgument("pairs", wanted, pairs)
    return found


def _bound(bound: str | Callable[..., Tensor]) -> bounds.Bound:
    if isinstance(bound, bounds.Bound):
        found = bound
    elif callable(bound):
        known_ones = [one for one in bounds.BOUNDS.values() if one.function is bound]
        found = (
            known_ones[0]
            if known_ones
            else bounds.Bound(getattr(bound, "__name__", "bound"), bound, bounds.Side.ESTIMATE)
        )
    else:
        found = bounds.by_name(bound)
    if found.takes is not Takes.NEGATIVE:
        raise InvalidArgument("bound", "one that takes scores of negatives alone", found.name)
    return found


def _weights(weights: Any, count: int) -> list[float]:
    listed = [weights] * count if isinstance(weights, int | float) else list(weights)
    if len(listed) != count:
        raise InvalidArgument("weights", f"a number, or {count} numbers, one for each pair", weights)
    return [check(weight, "weights", Number(0)) for weight in listed]
