"""What profiling a language model costs: beside its forward pass, beside the update of soft-entropy, and in memory.

The model is a decoder of 12 blocks of width 768, the size of GPT-2 small without its unembedding, so that the forward
pass is the smallest that such a model has. Times are processor time of one thread.
"""

from __future__ import annotations

import importlib
import math
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

from infoflow.estimators import SoftEntropy
from infoflow.estimators.streaming.covariance import CovarianceSpectrum
from infoflow.models.decoder import Decoder
from infoflow.profiles import Codes, Profiler, read
from infoflow.profiles.meter import Meter
from infoflow_benchmarks.speed.comparison import Row
from infoflow_benchmarks.speed.timing import extra_memory, torch_threads

# The default quantities should take at most 10 % of the forward pass.
TARGET = 1 / 1.10
_ROUNDS = 7
_CODES, _REFERENCES = 512, 100


def cases(quick: bool = False) -> Iterator[Row]:
    """The default quantities beside the forward pass, one update beside soft-entropy's, and memory by rows."""
    with torch_threads(1):
        yield from _forward(quick)
        yield from _update(quick)
        yield _memory(quick)


def _forward(quick: bool) -> Iterator[Row]:
    """The forward pass, and what the accumulators of all points do with its activations, in turns."""
    width, depth, sequences, length = (64, 2, 2, 16) if quick else (768, 12, 8, 128)
    model = Decoder(_CODES, width=width, depth=depth, heads=max(1, width // 64), length=length, seed=0).eval()
    ids = torch.randint(_CODES, (sequences, length), generator=torch.Generator().manual_seed(0))
    profiler = Profiler(model, [ids], codes=Codes(torch.arange(_CODES - 1)))
    (batch,) = read([ids], model)
    labels = profiler.labeling.of(batch)
    meters = [Meter(point, profiler.quantities) for point in profiler.points]

    def plain() -> Tensor:
        with torch.no_grad():
            found: Tensor = model(ids)
        return found

    before = plain()
    handles = [meter.hook() for meter in meters]
    for meter in meters:
        meter.listen()
    hooked = plain()
    activations = [meter.hear() for meter in meters]
    for handle in handles:
        handle.remove()

    def update() -> None:
        for meter, values in zip(meters, activations, strict=True):
            meter.take(meter.prepare(values, batch, labels, 0), values, batch, 0)

    update()  # the first call is slower
    times = [(_seconds(plain), _seconds(update)) for _ in range(1 if quick else _ROUNDS)]
    # Other processes only ever make a call slower, so the fastest of each counts.
    forward, added = (min(column) for column in zip(*times, strict=True))
    table = _seconds(lambda: [list(meter.table()) for meter in meters])
    yield Row(
        case=f"default quantities at {len(meters)} points, {sequences * length} tokens",
        reference=f"the forward pass of {depth} blocks of width {width}",
        reference_seconds=forward,
        seconds=forward + added,
        ratio=forward / (forward + added),
        target_ratio=TARGET,
        difference=float((hooked - before).abs().max()),
        note=(
            f"processor time, one thread, the fastest of {len(times)}; {100 * added / forward:.1f} % of the forward "
            f"pass; the table takes {table:.2f} s once, however many tokens; {_CODES} codes of current and next token; "
            "the difference is that of the logits"
        ),
    )


def _update(quick: bool) -> Iterator[Row]:
    """One update with two label sets beside that of the package soft-entropy, with the same references."""
    try:
        peer = importlib.import_module("soft_entropy.accumulator").SoftEntropyAccumulator
    except ImportError:
        return
    n, width = (256, 64) if quick else (1024, 768)
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(n, width, generator=generator)
    labels = {name: torch.randint(_CODES, (n,), generator=generator) for name in ("current", "next")}

    def ours() -> Any:
        found = SoftEntropy(references=_REFERENCES).accumulator(dimensions=width)
        found.update(z, labels)
        return found

    def theirs() -> Any:
        found = peer(d=width, n_bins=_REFERENCES, backend="torch")
        found.update(z, labels)
        return found

    mine, other = ours(), theirs()
    times = [(_seconds(theirs), _seconds(ours)) for _ in range(1 if quick else 3 * _ROUNDS)]
    reference, seconds = (min(column) for column in zip(*times, strict=True))
    # Its entropies are shares of the logarithm of the number of references.
    shared = other.mutual_information()
    differences = [abs(mine.plug_in(name) - math.log(_REFERENCES) * float(shared[name])) for name in labels]
    yield Row(
        case=f"one update, {n} rows of {width} dimensions, two label sets",
        reference=f"soft-entropy {version('soft-entropy')}",
        reference_seconds=reference,
        seconds=seconds,
        ratio=reference / seconds,
        difference=max(differences),
        note="processor time, one thread; ours also has folds for the jackknife, the null and the ceiling",
    )


def _memory(quick: bool) -> Row:
    """Peak memory of the default quantities of one point for few rows and for many."""
    few, many, batch, width = (200, 2000, 100, 8) if quick else (10_000, 10_000_000, 10_000, 16)

    def accumulated(rows: int) -> list[Any]:
        generator = torch.Generator().manual_seed(0)
        soft = SoftEntropy(center=True).accumulator(dimensions=width, classes={"class": 64})
        covariance = CovarianceSpectrum().accumulator(dimensions=width)
        for start in range(0, rows, batch):
            z = torch.randn(batch, width, generator=generator)
            label = torch.randint(64, (batch,), generator=generator)
            documents = torch.arange(start, start + batch) // 100
            soft.update(z, {"class": label}, documents=documents)
            covariance.update(z, documents=documents)
        return [soft, covariance]

    accumulated(few)  # the first call loads code
    peaks, seconds, states = [], [], []
    for rows in (few, many):
        kept: list[Any] = []

        def call(rows: int = rows, kept: list[Any] = kept) -> None:
            kept += accumulated(rows)

        start = time.process_time()
        peaks.append(extra_memory(call))
        seconds.append(time.process_time() - start)
        tensors = [tensor for each in kept for tensor in each.state_dict().values()]
        states.append(sum(tensor.numel() * tensor.element_size() for tensor in tensors))
    return Row(
        case=f"memory for {many} rows of {width} dimensions",
        reference=f"{few} rows, in batches of {batch}",
        reference_seconds=seconds[0] / few,
        seconds=seconds[1] / many,
        ratio=seconds[0] / few / (seconds[1] / many),
        mebibytes=peaks[1],
        reference_mebibytes=peaks[0],
        note=(
            f"default quantities with 64 classes; seconds are per row; their state takes {states[0]} and {states[1]} "
            "bytes"
        ),
    )


def _seconds(call: Callable[[], Any]) -> float:
    """Processor time of a call."""
    start = time.process_time()
    call()
    return time.process_time() - start
