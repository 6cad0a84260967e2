"""`stream`: profiles of a model in training, snapshot by snapshot, without storing activations."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Self

import torch.distributed as dist
from torch import nn

from infoflow.core import distributed
from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import Integer, PositiveInt, Seed, check, validated
from infoflow.plane.placed_profiles import plane_of
from infoflow.plane.plane import Plane
from infoflow.plane.snapshot_folder import SnapshotFolder
from infoflow.profiles import Codes, Profile, Profiler, TrainingProfile
from infoflow.profiles.labels import Labels
from infoflow.profiles.quantities import Make, Unembedding

log = logging.getLogger(__name__)

LAST_STEP = 10**12 - 1


@validated
def stream(
    model: nn.Module,
    batches: Iterable[Any],
    labels: Labels = ("current", "next"),
    layers: str | Sequence[str] = "auto",
    quantities: str | Sequence[str] | Mapping[str, Make] = "default",
    *,
    store: str | Path | None = None,
    resume: bool = False,
    network: str = "network",
    codes: Codes | None = None,
    max_codes: PositiveInt = 512,
    seed: Seed = 0,
    unembedding: Unembedding | None = None,
    group: distributed.Group = None,
) -> Stream:
    """Begin to measure a model in training; `.snapshot(step)` of the result measures it as it is then.

    Parameters
    ----------
    model : torch.nn.Module
        The network; its mode, buffers and all random states are as before after every snapshot.
    batches
        Held-out batches that can be run through repeatedly, in the same order each time, as `infoflow.profile` takes
        them.
    labels
        Labels of tokens: "current", "next", or functions of token ids by name. Labels of the batches are "class".
    layers
        A group of points or names of modules, as `infoflow.profiles.points` takes them.
    quantities
        "default", "all", names of quantities, or functions that make an accumulator by name.
    store
        Folder to which each snapshot is written; None keeps them in memory.
    resume
        Continue the stream in that folder, whose settings must be the same; begin one where none exists.
    network
        Name of the network.
    codes
        Codes of the tokens from another profile; by default the most frequent tokens of the batches.
    max_codes
        Largest number of codes.
    seed
        Seed of the references of soft entropy, of samples and of shuffled labels.
    unembedding
        Function from activations (n, d) to logits, for the logit lens; that of a causal model of transformers is found.
    group : torch.distributed.ProcessGroup or None
        Processes that share the batches in turns, where each is passed the same batches and takes every snapshot; a
        store is that of the first alone.

    Returns
    -------
    Stream
        A context manager with `snapshot`, `profile` and `plane`.

    Raises
    ------
    InvalidArgument
        If the folder holds something, or settings differ on resume; `UnknownName` for a layer, label or quantity.
    BrokenStore
        If a file of the folder is damaged.

    Notes
    -----
    Codes of tokens and random references are fixed before the first snapshot and stored, so that snapshots compare. The
    center is the mean of the first batch at each snapshot: the offset of the mean grows and shrinks through training,
    and with a fixed center it would determine the numbers.

    Examples
    --------
    >>> import torch
    >>> model = nn.Sequential(nn.Embedding(50, 80), nn.Linear(80, 80), nn.ReLU(), nn.Linear(80, 50))
    >>> held_out = [torch.randint(50, (8, 32)) for _ in range(4)]
    >>> with stream(model, held_out) as streaming:
    ...     for step in (0, 1, 2):
    ...         _ = streaming.snapshot(step, loss=3.9)
    >>> streaming.profile.steps, streaming.plane().time
    ([0, 1, 2], 'step')
    """
    folder = None if store is None else SnapshotFolder(store)
    # Exchanged, so that the folder that the first process begins below is none that others find.
    continued = bool(distributed.exchange(folder is not None and folder.exists(), group)[0])
    if folder is not None and continued and not resume:
        remedy = "Continue it with resume=True, or name another folder."
        raise InvalidArgument("store", "a new or empty folder", got_text=f"a stream at {store}", remedy=remedy)
    if folder is not None and continued and codes is None:
        codes = folder.codes()
    profiler = Profiler(
        model,
        batches,
        labels,
        layers,
        quantities,
        codes=codes,
        max_codes=max_codes,
        seed=seed,
        unembedding=unembedding,
        group=group,
    )
    settings = {**profiler.settings, "network": network}
    if folder is not None and continued:
        folder.compare(settings)
    elif folder is not None and _writes(group):
        folder.begin(settings, profiler.codes)
    distributed.exchange(None, group)
    return Stream(profiler, folder, network, writes=_writes(group))


class Stream:
    """Profiles of a model in training; a context manager that `infoflow.plane.stream` returns.

    Parameters
    ----------
    profiler
        Measures the model.
    folder
        Where snapshots are written; None for none.
    network
        Name of the network.
    writes
        Whether this process writes to the folder.

    Examples
    --------
    >>> import torch
    >>> model = nn.Sequential(nn.Linear(4, 80), nn.ReLU(), nn.Linear(80, 3))
    >>> with stream(model, [(torch.randn(300, 4), torch.arange(300) % 3)]) as streaming:
    ...     _ = streaming.snapshot(0)
    >>> streaming.frame["quantity"].tolist()[:3]
    ['H(W)', 'I(T;W)', 'I(class;W)']
    """

    def __init__(
        self,
        profiler: Profiler,
        folder: SnapshotFolder | None = None,
        network: str = "network",
        *,
        writes: bool = True,
    ) -> None:
        self._profiler, self._network = profiler, network
        self._folder = folder if writes else None
        self._profiles: dict[int, Profile] = {}
        self._metrics: dict[int, dict[str, float]] = {}
        self._closed = False
        if folder is not None:
            self._profiles, self._metrics = folder.read()

    @property
    def layers(self) -> list[str]:
        """Names of the layers, in the order of their depth."""
        return [point.name for point in self._profiler.points]

    @property
    def steps(self) -> list[int]:
        """The steps that were measured, in their order."""
        return sorted(self._profiles)

    @property
    def profile(self) -> TrainingProfile:
        """All snapshots so far."""
        return TrainingProfile.of(self._profiles, self._metrics, self._profiler.codes)

    @property
    def frame(self) -> Any:
        """The table of all snapshots: step, layer, depth, quantity, label, value, null, ceiling, se, kind, n, ..."""
        return self.profile.frame

    @validated
    def snapshot(self, step: Annotated[int, Integer(0, LAST_STEP)], **metrics: Any) -> Profile:
        """Measure the model as it is now; a step that is measured again is replaced.

        Parameters
        ----------
        step
            Optimizer step, or any other count of the training.
        **metrics
            Numbers that are stored with the snapshot, such as the loss.

        Returns
        -------
        Profile
            The profile of this step.

        Raises
        ------
        InvalidArgument
            If the model cannot run on a batch, a metric is no number, or the stream is closed; nothing is stored then.
        """
        if self._closed:
            raise InvalidArgument("The stream is closed. Take snapshots inside its `with` block.")
        numbers = {name: _number(name, value) for name, value in metrics.items()}
        found = self._profiler.run()
        if self._folder is not None:
            self._folder.append(step, found, numbers)
        self._profiles[step], self._metrics[step] = found, numbers
        log.debug("measured step %d of %s", step, self._network)
        return found

    def truncate(self, step: int) -> list[int]:
        """Delete the snapshots later than a step, from which training continues for example.

        Parameters
        ----------
        step
            Last step that remains; -1 deletes all.

        Returns
        -------
        list of int
            The deleted steps.
        """
        last = check(step, "step", Integer(-1))
        later = [each for each in self.steps if each > last]
        if self._folder is not None:
            self._folder.truncate(last)
        for each in later:
            del self._profiles[each]
            self._metrics.pop(each, None)
        return later

    def plane(self) -> Plane:
        """Return the quantities that belong on an information plane, with its figure, page and audit.

        Raises
        ------
        InvalidArgument
            If none does, as without labels.
        """
        return plane_of({self._network: self.profile})

    def close(self) -> None:
        """End the stream; a later snapshot is an error."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _writes(group: distributed.Group) -> bool:
    return group is None or dist.get_rank(group) == 0


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidArgument(f"metric {name!r}", "a number", value) from None
