"""`infoflow bench`: how accurate the estimators are where the truth is known, and how fast."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from infoflow.cli.main import Command
from infoflow.cli.options import parse_options
from infoflow.core.errors import InvalidArgument, UnknownName
from infoflow.tasks import BEYOND_NORMAL, CATALOG
from infoflow_benchmarks import accuracy, speed

GROUPS = {"beyond-normal": tuple(task.name for task in BEYOND_NORMAL), "all": tuple(CATALOG)}

USAGE = (
    "usage: infoflow bench {accuracy,speed} [options]\n\n"
    "  accuracy   estimators on tasks whose mutual information is known: a table and a heat map\n"
    "  speed      estimators beside the code that people run today: times, ratios, and whether the answers agree\n"
)

HEAD = ("reference", "infoflow", "ratio", "wanted", "difference", "beside")

COMMAND = Command("infoflow_benchmarks.cli", "measure the accuracy and speed of the estimators")


@dataclass(frozen=True)
class AccuracyOptions:
    """Run estimators on tasks whose mutual information is known; write a table and heat maps of the errors.

    Finished cells are kept in the output folder: the same command goes on where it was interrupted."""

    estimators: tuple[str, ...] = ("gaussian", "gaussian:copula=True", "ksg", "cca", "dependence-graph")
    """How to measure: name, or name:parameter=value,parameter=value."""
    tasks: tuple[str, ...] = ("beyond-normal",)
    """Names of tasks, beyond-normal (its forty) or all."""
    sizes: tuple[int, ...] = (10_000,)
    """Samples per estimate."""
    seeds: int = 1
    """How often to draw the samples anew."""
    output: Path = Path("results/accuracy")
    """Folder for the table and the heat maps."""
    jobs: int = 1
    """Processes at once; -1 means one for each processor."""
    quiet: bool = False
    """No progress bar."""


@dataclass(frozen=True)
class SpeedOptions:
    """Time estimators beside straightforward implementations on the same samples, in turns in one process."""

    names: tyro.conf.Positional[tuple[str, ...]] = tuple(speed.BENCHMARKS)
    """Which benchmarks; all if none is named."""
    quick: bool = False
    """Tiny samples, one call each: shows that the answers agree, but the times mean nothing."""
    output: Path = Path("results/speed")
    """Folder for a table (CSV) and its provenance (JSON) per benchmark."""


def command(argv: list[str]) -> None:
    """Runs `infoflow bench` with these arguments."""
    commands = {"accuracy": _accuracy, "speed": _speed}
    if not argv:
        raise InvalidArgument("no benchmark named; want accuracy or speed")
    if argv[0] in ("-h", "--help"):
        print(USAGE, end="")
        return
    if argv[0] not in commands:
        raise UnknownName("benchmark", argv[0], commands)
    commands[argv[0]](argv[1:])


def _accuracy(argv: list[str]) -> None:
    options = parse_options(AccuracyOptions, argv, prog="infoflow bench accuracy")
    names = dict.fromkeys(name for task in options.tasks for name in GROUPS.get(task, (task,)))
    table = accuracy.run(
        options.estimators,
        list(names),
        output=options.output,
        sizes=options.sizes,
        seeds=range(options.seeds),
        n_jobs=options.jobs,
        progress=not options.quiet and sys.stderr.isatty(),
    )
    print(accuracy.summary(table).to_string(index=False, float_format="{:.4g}".format))
    maps = ", ".join(f"accuracy-n{n}.png" for n in dict.fromkeys(options.sizes))
    print(f"\nWritten to {options.output}: accuracy.csv, {maps}")


def _speed(argv: list[str]) -> None:
    options = parse_options(SpeedOptions, argv, prog="infoflow bench speed")
    shown: list[str] = []

    def show(row: speed.Row) -> None:
        """Line by line, as they come; all of it takes many minutes."""
        if row.benchmark not in shown:
            shown.append(row.benchmark)
            print(f"\n{_line(row.benchmark, *HEAD)}")
        print(_line(*_cells(row)), flush=True)

    speed.run(options.names, output=options.output, quick=options.quick, on_row=show)
    print(f"\nWritten to {options.output}: {', '.join(f'{name}.csv, {name}.json' for name in shown)}")


def _line(*cells: str) -> str:
    return "{:<46} {:>10} {:>10} {:>7} {:>7} {:>10}  {}".format(*cells)


def _cells(row: speed.Row) -> tuple[str, ...]:
    wanted = "" if row.wanted_ratio is None else f"{row.wanted_ratio:g} {'✓' if row.reached else '✗'}"
    return (
        f"  {row.case}",
        f"{row.reference_seconds:.3g} s",
        f"{row.seconds:.3g} s",
        f"{row.ratio:.3g}",
        wanted,
        "" if row.difference is None else f"{row.difference:.0e}",
        "; ".join(filter(None, (row.reference, _memory(row), row.note))),
    )


def _memory(row: speed.Row) -> str:
    if row.mebibytes is None or row.reference_mebibytes is None:
        return ""
    return f"extra memory {row.reference_mebibytes:.0f} MiB, infoflow {row.mebibytes:.0f} MiB"
