"""Information Flow Maximization: a bound on what neighboring layers tell of each other, location by location."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from infoflow import bounds
from infoflow.bounds import Takes
from infoflow.core.capture import unwrapped
from infoflow.core.checks import choice, integer, positive
from infoflow.core.errors import InvalidArgument
from infoflow.objectives.information_flow.candidates import CandidateTable
from infoflow.objectives.information_flow.critic import FlowCritic
from infoflow.objectives.information_flow.features import (
    LAYOUTS,
    UPSAMPLING,
    Aligned,
    align,
    features,
    layout_of,
    width_of,
)
from infoflow.objectives.information_flow.negatives import NEGATIVES, Candidates
from infoflow.objectives.information_flow.taps import INPUT, known, tap, trial
from infoflow.objectives.objective import Objective

Pair = tuple[str, str]
Schedule = Callable[[int], float]


class InformationFlow(Objective):
    """−Σ_l w_l F_l: minimized beside a network's own loss, it keeps up the information that flows between layers.

        F_l = bound(V(h_l(s), h_{l+1}(s)), V(h_l(s), h_{l+1}(s'))),

    h_l(s) the features of layer l at location s of an image (the coarser map spread over the finer one's grid), the
    pair at one location a positive, and pairs with strangers' features s' negatives. With the default bound,
    Jensen–Shannon, this is the published E_joint[−sp(−V)] − E_marginal[sp(V)] + 2 log 2, a lower bound of twice the
    Jensen–Shannon divergence between joint and product: at most 2 log 2, and its gradient goes where it gets there.
    The critics V are this module's parameters and minimize the same loss as the network, so one optimizer serves both.

    Layers are watched by forward hooks while the network is in training mode, after which `flow()` gives the loss of
    the latest batch. The network itself stays as it is: no parameters, no buffers, the same state dict, nothing left
    after `detach()` (or the `with` block); copies and pickles of it carry no hook that does anything.

    - `pairs`: names of layers, as in `model.named_modules()`; "input" and "output" are the network's own. Outputs are
      (n, C), (n, C, length), (n, tokens, C), (n, C, height, width) or of three dimensions; `layout` says whether three
      axes are "channels" (n, C, length) or "tokens" (n, tokens, C); "auto" takes tokens unless there are 1-D
      convolutions. A vector is set against every location.
    - `bound`: a name in `bounds.BOUNDS` that takes scores of negatives, or such a function.
    - `critic`: makes V from two widths, `critic(x_features, y_features, seed=...)`, such as `critics.Separable`; or a
      list of modules, one a pair, that have `pairs(x, y)`, scores (n,) of rows, as all critics of vectors do.
    - `negatives`: "random" locations of random images, "same-location" of other images, "same-image" (other
      locations), "same-class" (other images of the class; `flow(labels)`). `count` of them for each location (None: all
      there are). `mining` draws so many times more, and keeps those that the critic scores highest.
    - `locations`: how many of each image are looked at in a step, drawn anew with replacement; None means all.
    - `upsampling`: "nearest", "nearest-exact", "linear" (bilinear, trilinear).
    - `noise`: ε > 0 makes it the information between h + ε·σ·n, n standard normal and σ each channel's standard
      deviation in the batch, which is finite where layers are deterministic.
    - `weights`: one for all, or one a pair. `schedule(step)` multiplies all of them; step counts `flow()` calls.
    - `example`: a batch to find widths with, needed where layers don't say theirs; it leaves no trace.

    Draws come from torch's global random state, as dropout's do; `seed` is that of the critics' first weights.

    Raises UnknownName (layers with the nearest name, options), InvalidArgument (pairs that can't be aligned, critics
    of another width, numbers out of range), TooFewSamples. Shen, Li, Liu (2019), arXiv:1907.00348, eqs. 2 to 5 (as
    corrected).

    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 4, 3, padding=1))
    >>> with InformationFlow(model, pairs=[("0", "3")]) as flow:
    ...     _ = model(torch.randn(6, 3, 8, 8))
    ...     loss = flow()
    >>> sorted(flow.terms)
    ['0-3', '0-3/saturation', '0-3/separated']
    """

    step: Tensor

    def __init__(
        self,
        model: nn.Module,
        pairs: Sequence[Pair],
        *,
        bound: str | Callable[..., Tensor] = "jensen_shannon",
        critic: Callable[..., nn.Module] | Sequence[nn.Module] = FlowCritic,
        negatives: str = "random",
        count: int | None = 1,
        mining: int = 1,
        locations: int | None = 24,
        upsampling: str = "nearest",
        layout: str = "auto",
        noise: float = 0.0,
        weights: float | Sequence[float] = 1.0,
        schedule: Schedule | None = None,
        example: Any = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not isinstance(model, nn.Module):
            raise InvalidArgument(f"model is a {type(model).__name__}; want an nn.Module")
        inner = unwrapped(model)
        self.pairs = _pairs(inner, pairs)
        self.bound = _bound(bound)
        self.negatives = choice(negatives, "negatives", NEGATIVES)
        self.count = None if count is None else integer(count, "count")
        self.mining = integer(mining, "mining")
        if self.mining > 1 and self.count is None:
            raise InvalidArgument("count is None, all negatives: there is nothing to mine; want a count, or mining=1")
        self.locations = None if locations is None else integer(locations, "locations")
        self.upsampling = choice(upsampling, "upsampling", UPSAMPLING)
        self.layout = layout_of(inner, choice(layout, "layout", LAYOUTS))
        self.noise = positive(noise, "noise", zero=True)
        self.weights = _weights(weights, len(self.pairs))
        self.schedule = schedule
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))
        self._kept: dict[str, Any] = {}
        # In a tuple, so that the network doesn't become a part of this module: its parameters are the user's.
        self._model = (inner,)
        self._handles = tap(inner, list(dict.fromkeys(name for pair in self.pairs for name in pair)), self._kept)
        try:
            self.critics = self._critics(critic, example, integer(seed, "seed", minimum=0))
        except BaseException:
            self.detach()
            raise

    def forward(self, labels: Tensor | None = None) -> Tensor:
        """The loss of the model's latest batch in training mode, whose features are let go after it.

        The terms are, for each pair "x-y", its bound in nats; "x-y/saturation", the share of the bound's ceiling that
        it has reached (0 for a bound without one); and "x-y/separated", the share of negatives scored below their
        positive. `labels` (n,) are needed for same-class negatives only.

        Raises InvalidArgument where the model has not run in training mode since, after `detach()`, and what the
        class raises.
        """
        if not self.attached:
            raise InvalidArgument("the objective is detached from its model, so there is no flow; make a new one")
        missing = [name for pair in self.pairs for name in pair if name not in self._kept]
        if missing:
            raise InvalidArgument(
                f"layer {missing[0]!r} has put nothing out since the last call; "
                "want model(batch) in training mode first"
            )
        kept = {name: features(value, name, self.layout) for name, value in self._kept.items()}
        self._kept.clear()
        total: Tensor | None = None
        terms: dict[str, Tensor] = {}
        scale = 1.0 if self.schedule is None else float(self.schedule(int(self.step)))
        for (x, y), critic, weight in zip(self.pairs, self.critics, self.weights, strict=True):
            aligned = align(kept[x], kept[y], self.upsampling)
            positive_scores, negative_scores, mask = self._scores(critic, aligned, labels, f"{x}-{y}")
            options = {} if mask is None else {"mask": mask}
            value = self.bound.training_objective(positive_scores, negative_scores, **options)
            total = -weight * scale * value if total is None else total - weight * scale * value
            met = negative_scores.shape[-1] if mask is None else int(mask.sum(-1).max())
            terms |= self._report(f"{x}-{y}", value.detach(), positive_scores, negative_scores, mask, met)
        if self.training:
            self.step += 1
        self.record(terms)
        return total

    def _report(
        self, name: str, value: Tensor, own: Tensor, others: Tensor, mask: Tensor | None, met: int
    ) -> dict[str, Tensor]:
        below = (others < own[:, None]).detach()
        separated = below.float().mean() if mask is None else below[mask].float().mean()
        ceiling = self.bound.ceiling(met)
        share = value / ceiling if math.isfinite(ceiling) else torch.zeros_like(value)
        return {name: value, f"{name}/saturation": share, f"{name}/separated": separated}

    def _scores(
        self, critic: nn.Module, pair: Aligned, labels: Tensor | None, name: str
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Scores of positives (R,) and of their negatives (R, k), all from one pass of the critic, and their mask."""
        n, size = pair.x.shape[0], pair.locations
        places = Candidates(self.negatives, n, pair.y_index, labels if self.negatives == "same-class" else None)
        image, location = self._places(n, size)
        counts = places.counts(image, location)
        if self.negatives == "same-class":
            image, location, counts = (part[counts > 0] for part in (image, location, counts))
        mask: Tensor | None = None
        if self.count is None:
            most = int(counts.max())
            number = torch.arange(most).expand(len(image), most)
            if bool((counts < most).any()):
                mask = number < counts[:, None]
                number = torch.minimum(number, counts[:, None] - 1)
        else:
            # The product is below 2^53, so float64 draws every number with a chance equal to within rounding.
            share = torch.rand(len(image), self.count * self.mining, dtype=torch.float64)
            number = torch.minimum((share * counts[:, None]).long(), counts[:, None] - 1)
        others, spots = places.choose(image, location, number)
        device, width = pair.x.device, pair.y.shape[1]
        image, location, others, spots = (t.to(device) for t in (image, location, others, spots))
        x = self._noisy(pair.x[image, pair.x_index[location]])
        partner = image * width + pair.y_index[location]
        index = torch.cat([partner[:, None], others * width + pair.y_index[spots]], 1)
        table = CandidateTable(critic, x, pair.y, index, self._noisy, name)
        scores = table.mined(cast(int, self.count)) if self.mining > 1 else table.scores()
        return scores[:, 0], scores[:, 1:], None if mask is None else mask.to(device)

    def _places(self, n: int, size: int) -> tuple[Tensor, Tensor]:
        """Image and location of every positive, image by image."""
        if self.locations is None:
            return torch.arange(n).repeat_interleave(size), torch.arange(size).repeat(n)
        return torch.arange(n).repeat_interleave(self.locations), torch.randint(size, (n * self.locations,))

    def _noisy(self, rows: Tensor) -> Tensor:
        """h + ε σ n in units of σ. σ takes part in the gradient, so that growing features can't outgrow the noise."""
        if not self.noise:
            return rows
        scale = rows.std(0, keepdim=True, correction=0)
        return rows / (scale + torch.finfo(rows.dtype).eps) + self.noise * torch.randn_like(rows)

    def _critics(self, critic: Any, example: Any, seed: int) -> nn.ModuleList:
        widths = self._widths(example)
        if not callable(critic) or isinstance(critic, nn.Module):
            given = [critic] if isinstance(critic, nn.Module) else list(critic)
            if len(given) != len(self.pairs) or not all(isinstance(one, nn.Module) for one in given):
                raise InvalidArgument(f"critic holds {len(given)} for {len(self.pairs)} pairs; want one module a pair")
            made = given
        else:
            unknown = [name for pair in self.pairs for name in pair if widths[name] is None]
            if unknown:
                raise InvalidArgument(
                    f"layer {unknown[0]!r} doesn't say how many channels it puts out; "
                    "give example=, a batch for the model"
                )
            generator = torch.Generator().manual_seed(seed)
            made = [critic(widths[x], widths[y], seed=generator) for x, y in self.pairs]
        for (x, y), one in zip(self.pairs, made, strict=True):
            if not hasattr(one, "pairs"):
                raise InvalidArgument(f"critic {type(one).__name__} has no pairs(x, y) to score pairs of rows with")
            for name, key in ((x, "x_features"), (y, "y_features")):
                width = getattr(one, key, None)
                if width is not None and widths[name] is not None and width != widths[name]:
                    raise InvalidArgument(
                        f"the critic of {x!r} and {y!r} takes {width} {key}, "
                        f"but layer {name!r} has {widths[name]} channels"
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
                raise InvalidArgument(f"layer {name!r} doesn't run in the model's forward pass on example")
        for x, y in self.pairs:
            align(kept[x], kept[y], self.upsampling)
        return {name: kept[name].channels for name in names}

    @property
    def attached(self) -> bool:
        """Whether the model is being watched."""
        return bool(self._handles)

    def detach(self) -> None:
        """Takes the hooks off the model, which is then as it was. Raises InvalidArgument when that was done before."""
        if not self.attached:
            raise InvalidArgument("the objective is detached already; want detach() once")
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
        return f"pairs={self.pairs}, bound={self.bound.name!r}, negatives={self.negatives!r}, count={self.count}"


def _pairs(model: nn.Module, pairs: Any) -> list[Pair]:
    wanted = 'want a list of pairs of layers, such as [("conv1", "conv2")]'
    if isinstance(pairs, str) or not isinstance(pairs, Sequence) or not pairs:
        raise InvalidArgument(f"pairs is {pairs!r}; {wanted}")
    found = []
    for pair in pairs:
        if isinstance(pair, str) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise InvalidArgument(f"pairs holds {pair!r}; {wanted}")
        found.append((known(model, pair[0]), known(model, pair[1])))
    if len(set(found)) < len(found):
        raise InvalidArgument(f"pairs {found} name a pair twice; want each once")
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
        raise InvalidArgument(f"bound {found.name!r} takes {found.takes}; want one of scores of negatives alone")
    return found


def _weights(weights: Any, count: int) -> list[float]:
    listed = [weights] * count if isinstance(weights, int | float) else list(weights)
    if len(listed) != count:
        raise InvalidArgument(f"weights hold {len(listed)} numbers for {count} pairs; want one a pair")
    return [positive(weight, "weights", zero=True) for weight in listed]
