"""Train a small language model on text that ships with Python, with snapshots and a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from infoflow.core.denormals import denormals_as_zero
from infoflow.core.settings import PositiveFloat, PositiveInt, Seed, Settings
from infoflow.data.byte_pairs import BytePairs
from infoflow.data.english import Document, english, held_out
from infoflow.models.decoder import Decoder
from infoflow.profiles.texts import windows
from infoflow.training.checkpoint import Checkpoint

SEPARATOR = "\n\n"
_CLIP = 1.0
_WARMUP = 20


@dataclass(frozen=True)
class TextTraining(Settings):
    """A small decoder and its training.

    Examples
    --------
    >>> TextTraining(depth=6).width
    128
    """

    vocabulary: PositiveInt = 512
    """tokens: characters and byte pairs"""
    width: PositiveInt = 128
    """dimensions of the residual stream"""
    depth: PositiveInt = 4
    """number of blocks"""
    heads: PositiveInt = 4
    """heads of each block"""
    length: PositiveInt = 128
    """tokens of a sequence"""
    batch_size: PositiveInt = 16
    """sequences per step"""
    steps: PositiveInt = 500
    """optimizer steps"""
    learning_rate: PositiveFloat = 2e-3
    """largest step size of AdamW; it rises for 20 steps and falls to a tenth by a cosine"""
    held_out_windows: PositiveInt = 160
    """held-out sequences that are measured"""
    modules: tuple[str, ...] = ()
    """modules whose docstrings belong to the text; all if none is named"""


@dataclass(frozen=True)
class Corpus:
    """Text as tokens: one stream to train on, held-out windows, and a held-out passage that is in neither.

    Parameters
    ----------
    pairs
        The vocabulary.
    train : Tensor of shape (n,)
        Tokens of the documents to train on, joined by empty lines.
    batches
        Held-out documents in windows with masks, as `infoflow.profile` takes them.
    passage : Tensor of shape (L,)
        Tokens of the beginning of one held-out document.
    title
        Name of that document.
    """

    pairs: BytePairs
    train: Tensor
    batches: list[dict[str, Tensor]]
    passage: Tensor
    title: str

    @property
    def measured(self) -> int:
        """Number of held-out tokens."""
        return sum(int(batch["attention_mask"].sum()) for batch in self.batches)


def corpus(settings: TextTraining) -> Corpus:
    """Read the text that ships with Python, and learn its vocabulary from the documents to train on.

    Parameters
    ----------
    settings
        Sizes.

    Returns
    -------
    Corpus
        The same for the same version of Python.
    """
    train, test = held_out(english(modules=list(settings.modules) or None))
    pairs = BytePairs.learned((document.text for document in train), settings.vocabulary)
    shown = _shown(test, pairs, settings.length)
    rest = [document.text for document in test if document is not shown]
    batches = windows(rest, pairs.encode, length=settings.length, batch_size=settings.batch_size)
    stream = [code for document in train for code in pairs.encode(document.text + SEPARATOR)]
    passage = pairs.encode(shown.text)[: settings.length]
    return Corpus(
        pairs, torch.tensor(stream), _spread(batches, settings.held_out_windows), torch.tensor(passage), shown.name
    )


def train_decoder(
    settings: TextTraining,
    text: Corpus,
    *,
    seed: Seed = 0,
    snapshots: Iterable[int] = (),
    on_snapshot: Callable[[int, Decoder, dict[str, float]], object] = lambda step, model, metrics: None,
    checkpoint: Path | None = None,
    device: torch.device | str = "cpu",
    progress: str | None = None,
) -> Decoder:
    """Train a decoder, or continue from its checkpoint.

    Parameters
    ----------
    settings
        The model and its training.
    text
        The text.
    seed
        Seed of the initial weights and of the order of the text.
    snapshots
        Steps after which `on_snapshot` is called; 0 is before training.
    on_snapshot
        Function of the step, the model, and its losses in nats per token.
    checkpoint
        File to continue from, written at every snapshot and every half minute.
    device
        Device to train on.
    progress
        Name of a progress bar.

    Returns
    -------
    Decoder
        The trained model.
    """
    shape = {"width": settings.width, "depth": settings.depth, "heads": settings.heads, "length": settings.length}
    model = Decoder(len(text.pairs), **shape, seed=seed).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, settings.steps))
    saved = None if checkpoint is None else Checkpoint(checkpoint, _plain({**asdict(settings), "seed": seed}))
    start, wanted = 0, set(snapshots)
    if saved is not None and (found := saved.load(resume=True, device=torch.device(device))) is not None:
        start = int(found["step"])
        model.load_state_dict(found["model"])
        optimizer.load_state_dict(found["optimizer"])
        schedule.load_state_dict(found["schedule"])
    elif 0 in wanted:
        on_snapshot(0, model, {"held_out_loss": held_out_loss(model, text)})
    with tqdm(total=settings.steps, initial=start, desc=progress, disable=progress is None) as bar:
        for step in range(start + 1, settings.steps + 1):
            loss = _loss(model, _batch(text.train, settings, seed, step).to(device))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), _CLIP)
            with denormals_as_zero():
                optimizer.step()
            schedule.step()
            bar.update()
            if step in wanted:
                metrics = {"training_loss": loss.item(), "held_out_loss": held_out_loss(model, text)}
                on_snapshot(step, model, metrics)
            if saved is not None and (step in wanted or saved.due):
                state = {"step": step, "model": model.state_dict(), "optimizer": optimizer.state_dict()}
                saved.save({**state, "schedule": schedule.state_dict()})
    return model.eval()


@torch.no_grad()
def held_out_loss(model: Decoder, text: Corpus) -> float:
    """Return the cross-entropy on the held-out windows in nats per token.

    Parameters
    ----------
    model
        The model.
    text
        The text.
    """
    device, total, count = next(model.parameters()).device, 0.0, 0
    for batch in text.batches:
        ids, used = batch["input_ids"].to(device), batch["attention_mask"][:, 1:].bool().to(device)
        losses = torch.nn.functional.cross_entropy(model(ids[:, :-1]).transpose(1, 2), ids[:, 1:], reduction="none")
        total, count = total + float(losses[used].double().sum()), count + int(used.sum())
    return total / count


def _loss(model: Decoder, ids: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten())


def _batch(stream: Tensor, settings: TextTraining, seed: int, step: int) -> Tensor:
    """Windows (B, L + 1) at random places that depend on seed and step alone, so that a resumed run sees the same."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + step)
    starts = torch.randint(len(stream) - settings.length - 1, (settings.batch_size,), generator=generator)
    return stream[starts[:, None] + torch.arange(settings.length + 1)]


def _rate(step: int, steps: int) -> float:
    """Share of the largest step size."""
    warm = min(1.0, (step + 1) / _WARMUP)
    cosine = torch.cos(torch.tensor(torch.pi * min(step, steps) / steps)).item()
    return warm * (0.55 + 0.45 * cosine)


def _spread(batches: Sequence[dict[str, Tensor]], most: int) -> list[dict[str, Tensor]]:
    """Batches from all over the documents, as many as hold that number of windows."""
    size = len(batches[0]["input_ids"])
    count = min(len(batches), max(1, most // size))
    return [batches[(place * len(batches)) // count] for place in range(count)]


def _shown(documents: Sequence[Document], pairs: BytePairs, length: int) -> Document:
    """The held-out document that fills a window and begins with the largest share of letters and spaces."""
    long = [document for document in documents if len(pairs.encode(document.text)) >= length]
    if not long:
        return max(documents, key=lambda document: len(document.text))
    # Headings underlined by stars and examples of code say little about language.
    return max(long, key=lambda document: _prose(document.text[: 4 * length]))


def _prose(text: str) -> float:
    return sum(letter.isalpha() or letter == " " for letter in text) / len(text)


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}
