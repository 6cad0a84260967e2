"""A training step of Deep InfoMax beside a supervised one of its encoder; InfoNCE beside the usual way to write it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.bounds import infonce
from infoflow.critics import split_pairs
from infoflow.models import ConvolutionalEncoder
from infoflow.objectives import DeepInfoMax, deep_infomax_for
from infoflow_benchmarks.speed.row import Row
from infoflow_benchmarks.speed.timing import compare, torch_threads

NAME = "deep-infomax"
BATCH = 64
# A supervised step may be so many times as quick as one of Deep InfoMax.
SLOWDOWN = 2.5


def encoder(width: int) -> ConvolutionalEncoder:
    """The paper's for 32×32 images at width 64."""
    return ConvolutionalEncoder(widths=(width, 2 * width, 4 * width), units=16 * width)


def supervised_step(width: int, images: Tensor, labels: Tensor) -> Callable[[], float]:
    """Forward, cross-entropy, backward, Adam."""
    network = encoder(width)
    head = nn.Linear(network.features, 10)
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], 1e-4)

    def step() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(head(network(images)[1]), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return loss.item()

    return step


def infomax_step(objective: DeepInfoMax, images: Tensor) -> Callable[[], float]:
    """Both players' steps: encoder with critic, and the discriminator of the prior where there is one."""
    players = [(torch.optim.Adam(module.parameters(), 1e-4), loss) for module, loss in objective.players().values()]

    def step() -> float:
        value = 0.0
        for optimizer, loss in players:
            optimizer.zero_grad()
            total = loss(images)
            total.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            value = total.item()
        return value

    return step


def with_gradient(value: Callable[[Tensor], Tensor], scores: Tensor) -> float:
    """A function of scores and its gradient."""
    leaf = scores.detach().requires_grad_()
    found = value(leaf)
    found.backward()  # type: ignore[no-untyped-call]
    return found.item()


def run(quick: bool = False) -> Iterator[Row]:
    """Images a second of both steps; then InfoNCE alone, value and gradient."""
    width, side = (4, 8) if quick else (64, 64)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(side, 3, 32, 32, generator=generator)
    labels = torch.randint(10, (side,), generator=generator)
    cases: list[tuple[str, dict[str, object], float | None]] = [
        ("DIM(L) InfoNCE, encode-and-dot 256, adversarial prior", {"units": 256, "bound": "infonce"}, 1 / SLOWDOWN),
        (
            "DIM(L) InfoNCE, encode-and-dot 256, kernel prior",
            {"units": 256, "bound": "infonce", "matching": "kernel"},
            1 / SLOWDOWN,
        ),
        (
            "DIM(L) JSD, concat-and-convolve 512, kernel prior",
            {"critic": "concat-and-convolve", "matching": "kernel"},
            1 / SLOWDOWN,
        ),
        ("DIM(G) JSD, kernel prior", {"alpha": 1.0, "beta": 0.0, "matching": "kernel"}, 1 / SLOWDOWN),
    ]
    with torch_threads(1):
        for case, settings, wanted in cases:
            if quick:
                settings = {**settings, "units": 16, "discriminator_units": (16,)}
            network = encoder(width)
            objective = deep_infomax_for(network, images, **settings)  # type: ignore[arg-type]
            pair = compare(infomax_step(objective, images), supervised_step(width, images, labels), quick=quick)
            rate = "" if quick else f"; {side / pair.seconds:.0f} images/s beside {side / pair.reference_seconds:.0f}"
            yield pair.row(
                NAME,
                f"{case}, {side} images",
                "a supervised step of the same encoder",
                same=False,
                wanted_ratio=wanted,
                note=f"one thread; at most {SLOWDOWN} times slower is wanted{rate}",
            )
        yield _loss_alone(8 if quick else BATCH, 4 if quick else 64, quick, generator)


def _loss_alone(n: int, locations: int, quick: bool, generator: torch.Generator) -> Row:
    scores = torch.randn(n, n, locations, generator=generator)

    def usual(leaf: Tensor) -> Tensor:
        positive = leaf.diagonal(dim1=0, dim2=1).T  # (n, L)
        negative = leaf.masked_fill(torch.eye(n, dtype=torch.bool)[..., None], -torch.inf).flatten(1)
        logits = torch.cat([positive[..., None], negative[:, None].expand(-1, locations, -1)], -1)
        chance = torch.tensor((n - 1) * locations + 1.0).log()
        return chance - F.cross_entropy(logits.flatten(0, 1), torch.zeros(n * locations, dtype=torch.int64))

    def ours(leaf: Tensor) -> Tensor:
        own, others = split_pairs(leaf.permute(2, 0, 1))
        return infonce(own, others.transpose(0, 1).flatten(1).unsqueeze(0)).mean()

    pair = compare(partial(with_gradient, ours, scores), partial(with_gradient, usual, scores), quick=quick)
    return pair.row(
        NAME,
        f"InfoNCE and gradient, {n} images of {locations} locations",
        "a row of logits for each location",
        note="one thread; the difference is that of the value in nats",
    )
