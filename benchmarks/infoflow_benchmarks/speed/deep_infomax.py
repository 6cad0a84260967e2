"""A training step of Deep InfoMax, compared with a supervised one of its encoder; and InfoNCE with its usual code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from infoflow.bounds import infonce
from infoflow.critics import split_pairs
from infoflow.models import ConvolutionalEncoder
from infoflow.objectives import DeepInfoMax, Matching, deep_infomax_for
from infoflow_benchmarks.speed.comparison import Comparison, Timing, training_step
from infoflow_benchmarks.speed.timing import torch_threads

BATCH = 64
# A step of Deep InfoMax should take at most so many times as long as a supervised one.
SLOWDOWN = 2.5

CASES: dict[str, dict[str, object]] = {
    "DIM(L) InfoNCE, encode-and-dot 256, adversarial prior": {"units": 256, "bound": "infonce"},
    "DIM(L) InfoNCE, encode-and-dot 256, kernel prior": {"units": 256, "bound": "infonce", "matching": "kernel"},
    "DIM(L) JSD, concat-and-convolve 512, kernel prior": {"critic": "concat-and-convolve", "matching": "kernel"},
    "DIM(G) JSD, kernel prior": {"alpha": 1.0, "beta": 0.0, "matching": "kernel"},
}


def encoder(width: int) -> ConvolutionalEncoder:
    """The paper's encoder for 32×32 images if the width is 64."""
    return ConvolutionalEncoder(widths=(width, 2 * width, 4 * width), units=16 * width)


def supervised_step(width: int, images: Tensor, labels: Tensor) -> Callable[[], float]:
    """Forward, cross-entropy, backward, Adam."""
    network = encoder(width)
    head = nn.Linear(network.features, 10)
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], 1e-4)
    return training_step(optimizer, lambda: F.cross_entropy(head(network(images)[1]), labels))


def infomax_step(objective: DeepInfoMax, images: Tensor) -> Callable[[], list[float]]:
    """A step of the encoder with its critic, and one of the prior's discriminator where there is one."""
    steps = [
        training_step(torch.optim.Adam(module.parameters(), 1e-4), partial(loss, images))
        for module, loss in objective.players().values()
    ]
    return lambda: [step() for step in steps]


def with_gradient(value: Callable[[Tensor], Tensor], scores: Tensor) -> float:
    """The value of a function of scores, with its gradient computed too."""
    leaf = scores.detach().requires_grad_()
    found = value(leaf)
    found.backward()  # type: ignore[no-untyped-call]
    return found.item()


def usual_infonce(leaf: Tensor) -> Tensor:
    """InfoNCE of scores (n, n, L) with a row of logits for each location."""
    n, locations = leaf.shape[1:]
    positive = leaf.diagonal(dim1=0, dim2=1).T  # (n, L)
    negative = leaf.masked_fill(torch.eye(n, dtype=torch.bool)[..., None], -torch.inf).flatten(1)
    logits = torch.cat([positive[..., None], negative[:, None].expand(-1, locations, -1)], -1)
    chance = torch.tensor((n - 1) * locations + 1.0).log()
    return chance - F.cross_entropy(logits.flatten(0, 1), torch.zeros(n * locations, dtype=torch.int64))


def our_infonce(leaf: Tensor) -> Tensor:
    own, others = split_pairs(leaf.permute(2, 0, 1))
    return infonce(own, others.transpose(0, 1).flatten(1).unsqueeze(0)).mean()


def cases(quick: bool = False) -> Iterator[Comparison]:
    """Training steps on a batch of images; then InfoNCE alone, value and gradient."""
    width, batch = (4, 8) if quick else (64, 64)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(batch, 3, 32, 32, generator=generator)
    labels = torch.randint(10, (batch,), generator=generator)

    def rates(timing: Timing) -> str:
        images_per_second = (
            ""
            if quick
            else f"; {batch / timing.seconds:.0f} images/s, supervised {batch / timing.reference_seconds:.0f}"
        )
        return f"one thread; target: at most {SLOWDOWN} times slower{images_per_second}"

    with torch_threads(1):
        for case, settings in CASES.items():
            small = {"units": 16, "matching": settings.get("matching", Matching(units=(16,)))} if quick else {}
            objective = deep_infomax_for(encoder(width), images, **settings | small)  # type: ignore[arg-type]
            yield Comparison(
                f"{case}, {batch} images",
                "a supervised step of the same encoder",
                infomax_step(objective, images),
                supervised_step(width, images, labels),
                target_ratio=1 / SLOWDOWN,
                difference=None,
                note=rates,
            )
        n, locations = (8, 4) if quick else (BATCH, 64)
        scores = torch.randn(n, n, locations, generator=generator)
        yield Comparison(
            f"InfoNCE and gradient, {n} images of {locations} locations",
            "a row of logits for each location",
            partial(with_gradient, our_infonce, scores),
            partial(with_gradient, usual_infonce, scores),
            note="one thread; the difference is that of the value in nats",
        )
