"""The profile of a small language model through training, into a run folder.

RUN/run.json                    the settings, written first
RUN/streams/SEED/               profiles of every snapshot
RUN/checkpoints/SEED.pt         where training continues after an interruption
RUN/tokens/STEP.json            numbers of the single tokens of a held-out passage, of the first seed
RUN/table.csv, metrics.csv      one row per seed, step, layer and quantity; losses
RUN/profile.png, profile.html   picture and page
RUN/plane/                      the quantities that belong on an information plane, with its page
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch

from infoflow.core.errors import BrokenStore
from infoflow.core.files import read_file, write_atomically, write_json, write_text
from infoflow.core.schema import parse_json, sealed, unsealed
from infoflow.core.settings import Integer, PositiveInt
from infoflow.estimators.streaming.accumulator import RowAccumulator
from infoflow.estimators.streaming.probe_information import ProbeAccumulator, ProbeInformation
from infoflow.models.decoder import Decoder
from infoflow.plane.placed_profiles import plane_of
from infoflow.plane.plane import Plane
from infoflow.plane.run_folder import open_run_folder
from infoflow.plane.streaming import stream
from infoflow.plane.text_training import Corpus, TextTraining, corpus, train_decoder
from infoflow.profiles import Codes, TrainingProfile
from infoflow.profiles.batches import read
from infoflow.profiles.controls import CONTROLS, control
from infoflow.profiles.labels import TOKEN_LABELS, frequent
from infoflow.profiles.quantities import Make, available
from infoflow.profiles.token_readings import TokenReadings
from infoflow.training import snapshot_epochs, usable_device

FORMAT = "infoflow text run"

_PER_CODE = 100
SURPRISE = "surprise of the model"
_SHOWN = ("I(current;W), not centered", "I(current;W)", "V-information of current", "V-information of next")


@dataclass(frozen=True)
class TextExperiment(TextTraining):
    """A small language model whose layers are measured through training.

    Raises
    ------
    InvalidArgument
        If a setting is outside of its range.

    Examples
    --------
    >>> TextExperiment(steps=100).seeds
    1
    """

    seeds: PositiveInt = 1
    """number of models, from seeds 0, 1, ..."""
    snapshots: Annotated[int, Integer(2)] = 12
    """number of snapshots, spaced evenly in the logarithm, the first before training"""
    max_codes: PositiveInt = 128
    """codes of tokens; fewer where there are fewer than 100 tokens for each"""
    probe_rows: Annotated[int, Integer(100)] = 4096
    """activations that the linear probes are fitted and judged on"""

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def training(self) -> TextTraining:
        """The settings of the training alone."""
        names = TextTraining.__dataclass_fields__
        return TextTraining(**{name: getattr(self, name) for name in names})


QUICK = TextExperiment(
    vocabulary=128, width=64, depth=2, heads=2, length=32, steps=3, snapshots=2, held_out_windows=64,
    modules=("random",), probe_rows=400, max_codes=8,
)  # fmt: skip
"""A run of seconds that shows that everything works; its numbers mean nothing."""


@dataclass(frozen=True)
class TextRun:
    """A finished experiment: its folder, its profiles by seed, and its plane."""

    folder: Path
    profiles: list[TrainingProfile]
    plane: Plane

    @property
    def files(self) -> dict[str, Path]:
        """What the folder holds, by a description."""
        names = {
            "page": "profile.html",
            "figure": "profile.png",
            "table": "table.csv",
            "losses": "metrics.csv",
            "plane": "plane",
            "snapshots": "streams",
        }
        return {what: self.folder / name for what, name in names.items()}


def run_text(
    experiment: TextExperiment,
    folder: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    device: str = "auto",
    progress: bool = False,
) -> TextRun:
    """Train and measure, or continue an interrupted run, and write tables, picture and pages.

    Parameters
    ----------
    experiment
        Settings.
    folder
        Run folder. One that holds something is an error unless `resume` or `overwrite` is set.
    resume
        Continue an interrupted or finished run with the same settings, to the same table.
    overwrite
        Replace an earlier run; a folder of anything else is never touched.
    device
        Device to train on; "auto" for a GPU where there is one.
    progress
        Show progress bars.

    Returns
    -------
    TextRun
        The folder, the profiles and the plane.

    Raises
    ------
    InvalidArgument
        If the folder holds something else, or settings differ on resume; nothing has been written then.
    BrokenStore
        If a file of the folder is damaged.
    """
    folder, where = Path(folder), usable_device(device)
    open_run_folder(folder, FORMAT, experiment.as_dict(), resume=resume, overwrite=overwrite)
    text = corpus(experiment.training())
    codes = frequent(
        read(text.batches, Decoder(len(text.pairs), width=1, heads=1, depth=1)), experiment.max_codes, _PER_CODE
    )
    assert codes is not None
    profiles = [
        _measured(experiment, text, codes, folder, seed=seed, device=where, progress=progress)
        for seed in range(experiment.seeds)
    ]
    plane = plane_of({"decoder": profiles}, provenance={"settings": experiment.as_dict()})
    _write(folder, profiles, plane, _tokens(folder))
    return TextRun(folder, profiles, plane)


def _measured(
    experiment: TextExperiment,
    text: Corpus,
    codes: Codes,
    folder: Path,
    *,
    seed: int,
    device: torch.device,
    progress: bool,
) -> TrainingProfile:
    """Train the model of one seed and measure it at every snapshot."""
    settings = experiment.training()
    checkpoint = folder / "checkpoints" / f"{seed}.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    probes = _Probes(experiment.probe_rows, codes.count)
    shape = {"width": settings.width, "depth": settings.depth, "heads": settings.heads, "length": settings.length}
    watched = Decoder(len(text.pairs), **shape, seed=seed).to(device)
    steps = snapshot_epochs(settings.steps, experiment.snapshots)
    with stream(
        watched,
        text.batches,
        TOKEN_LABELS,
        "blocks",
        {**available(0), **{name: control(name) for name in CONTROLS}, **probes.quantities},
        store=folder / "streams" / str(seed),
        resume=True,
        network="decoder",
        codes=codes,
    ) as streaming:

        def snapshot(step: int, model: Decoder, metrics: dict[str, float]) -> None:
            watched.load_state_dict(model.state_dict())
            probes.made.clear()
            streaming.snapshot(step, **metrics)
            if seed == 0:
                write_json(
                    folder / "tokens" / f"{step:012d}.json", sealed(_passage(watched, text, codes, probes, step))
                )

        train_decoder(
            settings,
            text,
            seed=seed,
            snapshots=steps,
            on_snapshot=snapshot,
            checkpoint=checkpoint,
            device=device,
            progress=f"training seed {seed}" if progress else None,
        )
        return streaming.profile


class _Probes:
    """Quantities that keep the probes they make, so that these can judge single tokens."""

    def __init__(self, rows: int, classes: int) -> None:
        self._settings, self._classes = ProbeInformation(rows=rows), classes
        self.made: list[ProbeAccumulator] = []
        """Of the label "next", one for each layer in the order of the forward pass."""

    @property
    def quantities(self) -> Mapping[str, Make]:
        return {f"probe of {label}": self._make(label) for label in TOKEN_LABELS}

    def _make(self, label: str) -> Make:
        def make(dimensions: int) -> RowAccumulator:
            probe = self._settings.accumulator(dimensions, label, classes=self._classes)
            if label == "next":
                self.made.append(probe)
            return probe

        return make


@torch.no_grad()
def _passage(model: Decoder, text: Corpus, codes: Codes, probes: _Probes, step: int) -> dict[str, Any]:
    """Surprise of every token of the passage, and what each layer before it holds of it."""
    ids = text.passage.to(next(model.parameters()).device)
    hidden = model.eval().hidden(ids[None, :-1])
    following = ids[1:]
    surprise = torch.nn.functional.cross_entropy(model.logits(hidden[-1])[0], following, reduction="none")
    named = {SURPRISE: surprise.tolist()}
    labels = codes.encode(following.cpu())
    for layer, (probe, values) in enumerate(zip(probes.made, hidden, strict=True)):
        if probe.estimates():
            place = "the embedding" if layer == 0 else f"block {layer}"
            named[f"V-information of the next token, {place}"] = probe.pointwise(values[0], labels).tolist()
    unknown = [float("nan")]  # nothing precedes the first token
    tokens = [text.pairs.tokens[code] for code in ids.tolist()]
    return TokenReadings(
        tokens, {step: {name: unknown + values for name, values in named.items()}}, text.title
    ).to_dict()


def _reading(path: Path) -> TokenReadings:
    try:
        return TokenReadings.from_dict(unsealed(parse_json(read_file(path))))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise BrokenStore(f"{path} is damaged: {error}. Delete it to measure that step again.") from None


def _tokens(folder: Path) -> TokenReadings:
    parts = [_reading(path) for path in sorted((folder / "tokens").glob("[!.]*.json"))]
    if not parts:
        raise BrokenStore(f"{folder / 'tokens'} holds no numbers of tokens. Run the experiment again.")
    return TokenReadings(
        parts[0].tokens, {step: found for part in parts for step, found in part.steps.items()}, parts[0].title
    )


def _write(folder: Path, profiles: list[TrainingProfile], plane: Plane, tokens: TokenReadings) -> None:
    frames = [
        profile.frame.assign(seed=seed, warnings=profile.frame["warnings"].map("; ".join))
        for seed, profile in enumerate(profiles)
    ]
    write_text(folder / "table.csv", pd.concat(frames).to_csv(index=False))
    metrics = [profile.metrics.assign(seed=seed) for seed, profile in enumerate(profiles)]
    write_text(folder / "metrics.csv", pd.concat(metrics).to_csv(index=False))
    profiles[0].report(folder / "profile.html", title="A small language model through training", tokens=tokens)
    figure = profiles[0].plot(_SHOWN)
    write_atomically(folder / "profile.png", lambda part: figure.savefig(part, dpi=75))
    plane.save(folder / "plane")
    plane.report(folder / "plane" / "report.html")
