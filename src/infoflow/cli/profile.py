"""`infoflow profile`: what every layer of a saved language model holds about the tokens of a text."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tyro
from tqdm import tqdm

from infoflow.cli.options import parse_options
from infoflow.core.errors import InvalidArgument
from infoflow.core.files import write_atomically
from infoflow.core.settings import PositiveInt, Seed, Settings
from infoflow.profiles import Profile, TrainingProfile, documents, profile, windows
from infoflow.profiles.points import GROUPS
from infoflow.profiles.pretrained import checkpoints, load
from infoflow.profiles.quantities import DEFAULT, NAMES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Options(Settings):
    """Measure what every layer of a language model in a local folder holds about the tokens of a text, and write a
    page, a table and a picture.

    examples:
      infoflow profile models/mine --text held-out.txt
      infoflow profile models/mine --text held-out.jsonl --layers attention --output attention
      infoflow profile models/mine --text held-out.txt --quantities default probe logit-lens
      infoflow profile runs/trainer --text held-out.txt --steps 100 1000 10000"""

    model: tyro.conf.Positional[Path]
    """folder that save_pretrained wrote, or folder with checkpoints (checkpoint-STEP); nothing is downloaded"""
    text: Path
    """plain text with blank lines between documents, or .jsonl with a field "text" per line"""
    steps: tuple[int, ...] = ()
    """steps of the checkpoints to measure; without, the model itself, or all checkpoints where there is none"""
    quantities: tuple[Literal[("default", "all", *NAMES)], ...] = ("default",)  # type: ignore[valid-type]
    """what is measured: default, all, or names of quantities"""
    labels: tuple[Literal["current", "next"], ...] = ("current", "next")
    """labels of tokens"""
    layers: tuple[str, ...] = ("auto",)
    """auto, blocks, attention, mlp, leaves, or names of modules"""
    length: PositiveInt = 256
    """tokens in a window"""
    batch_size: PositiveInt = 8
    """windows in a batch"""
    max_codes: PositiveInt = 512
    """codes of tokens, the frequent ones and one for all others"""
    pickled: bool = False
    """accept weights that are not in safetensors files; loading them can run code"""
    seed: Seed = 0
    """random seed of references and shuffled labels"""
    output: Path = Path("profile")
    """path of the results without ending"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.output.parent.is_dir():
            raise InvalidArgument("output", "a path in an existing folder", str(self.output))
        for path in self.paths:
            if path.exists():
                raise InvalidArgument("output", "a path whose .html, .csv and .png are new", str(path))

    @property
    def paths(self) -> tuple[Path, Path, Path]:
        """The page, the table and the picture."""
        name = self.output.name
        return tuple(self.output.with_name(name + end) for end in (".html", ".csv", ".png"))  # type: ignore[return-value]


@dataclass(frozen=True)
class _Chosen:
    """Folders to measure: of one model, or of checkpoints by step."""

    folders: dict[int | None, Path]

    @property
    def series(self) -> bool:
        return None not in self.folders


class _Shown:
    """Batches that can be run through repeatedly, with a bar."""

    def __init__(self, batches: list[Any]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[Any]:
        return iter(tqdm(self._batches, unit="batch", disable=not sys.stderr.isatty(), file=sys.stderr))


def command(argv: list[str]) -> None:
    """Run `infoflow profile` with these arguments."""
    options = parse_options(Options, argv, prog="infoflow profile")
    texts = documents(options.text)
    chosen = _chosen(options)
    profiles = _measured(options, texts, chosen)
    title = f"Information profile of {options.model.name} on {options.text.name}"
    page, table, picture = options.paths
    if chosen.series:
        series = TrainingProfile.of({step: found for step, found in profiles.items() if step is not None})
        series.report(page, title=title)
        series.to_csv(table)
        figure: Figure | None = series.plot()
        for quantity in series.quantities:
            shown = series.table(quantity).to_string(float_format="{:.4g}".format)
            print(f"{quantity} by layer and step\n{shown}\n")
    else:
        (found,) = profiles.values()
        found.report(page, title=title)
        found.to_csv(table)
        figure = found.plot().get_figure(root=True)
        print(found.frame.drop(columns=["depth", "warnings"]).to_string(index=False, float_format="{:.4g}".format))
    assert figure is not None
    drawn = figure
    write_atomically(picture, lambda part: drawn.savefig(part, dpi=150, bbox_inches="tight"))
    warnings = [text for found in profiles.values() for texts in found.frame["warnings"] for text in texts]
    for text in dict.fromkeys(warnings):
        print(f"  {text}")
    print(f"written: {page}, {table}, {picture}")


def _chosen(options: Options) -> _Chosen:
    if not options.steps and (options.model / "config.json").is_file():
        return _Chosen({None: options.model})
    found = checkpoints(options.model)
    missing = [step for step in options.steps if step not in found]
    if missing:
        known = ", ".join(map(str, found)) or "none"
        raise InvalidArgument("steps", f"those of checkpoints in {options.model} ({known})", missing[0])
    if not found:
        return _Chosen({None: options.model})  # which raises the error of a folder without a model
    return _Chosen({step: found[step] for step in (sorted(set(options.steps)) or found)})


def _measured(options: Options, texts: Sequence[str], chosen: _Chosen) -> dict[int | None, Profile]:
    """Profiles of all folders, on the same tokens with the same codes."""
    names: Any = options.quantities[0] if len(options.quantities) == 1 else _expanded(options.quantities)
    layers = options.layers[0] if len(options.layers) == 1 and options.layers[0] in GROUPS else options.layers
    head = bool({"logit-lens", "all"} & {*options.quantities})
    profiles: dict[int | None, Profile] = {}
    batches: list[Any] = []
    codes = None
    for step, folder in chosen.folders.items():
        model, tokenize = load(folder, pickled=options.pickled, head=head, tokenizer=options.model)
        if not batches:
            batches = windows(texts, tokenize, length=options.length, batch_size=options.batch_size)
        profiles[step] = profile(
            model, _Shown(batches), options.labels, layers, names,
            codes=codes, max_codes=options.max_codes, seed=options.seed,
        )  # fmt: skip
        codes = profiles[step].codes
    return profiles


def _expanded(names: Sequence[str]) -> list[str]:
    """Names of quantities, where "default" stands for several."""
    if "all" in names:
        raise InvalidArgument("quantities", "all, or names of quantities", " ".join(names))
    return list(dict.fromkeys(each for name in names for each in (DEFAULT if name == "default" else (name,))))
