"""`infoflow profile`: what every layer of a saved language model holds about the tokens of a text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro
from tqdm import tqdm

from infoflow.cli.options import parse_options
from infoflow.core.errors import InvalidArgument
from infoflow.core.files import write_atomically
from infoflow.core.settings import PositiveInt, Seed, Settings
from infoflow.profiles import profile
from infoflow.profiles.points import GROUPS
from infoflow.profiles.pretrained import load
from infoflow.profiles.texts import documents, windows


@dataclass(frozen=True)
class Options(Settings):
    """Measure what every layer of a language model in a local folder holds about the tokens of a text, and write a
    page, a table and a picture.

    examples:
      infoflow profile models/mine --text held-out.txt
      infoflow profile models/mine --text held-out.jsonl --layers attention --output attention"""

    model: tyro.conf.Positional[Path]
    """folder that save_pretrained wrote; nothing is downloaded"""
    text: Path
    """plain text with blank lines between documents, or .jsonl with a field "text" per line"""
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
    model, tokenize = load(options.model, pickled=options.pickled)
    batches = windows(texts, tokenize, length=options.length, batch_size=options.batch_size)
    found = profile(
        model,
        _Shown(batches),
        options.labels,
        options.layers[0] if len(options.layers) == 1 and options.layers[0] in GROUPS else options.layers,
        max_codes=options.max_codes,
        seed=options.seed,
    )
    page, table, picture = options.paths
    figure = found.plot().get_figure(root=True)
    assert figure is not None
    found.report(page, title=f"Information profile of {options.model.name} on {options.text.name}")
    found.to_csv(table)
    write_atomically(picture, lambda part: figure.savefig(part, dpi=150, bbox_inches="tight"))
    shown = found.frame.drop(columns=["depth", "warnings"])
    print(shown.to_string(index=False, float_format="{:.4g}".format))
    for text in dict.fromkeys(text for warnings in found.frame["warnings"] for text in warnings):
        print(f"  {text}")
    print(f"written: {page}, {table}, {picture}")
