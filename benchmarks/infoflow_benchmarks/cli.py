"""usage: infoflow bench {accuracy,distributions,speed,check} [options]

Measure the accuracy and the speed of estimators.

commands:
  accuracy   run estimators on tasks with known mutual information; write a table and a heat map
  distributions
             run estimators on families of distributions; write errors, silently wrong cells and coverage
  speed      time infoflow and existing implementations on the same samples, and compare their results
  check      measure the committed ratios of times again; exit code 1 where one fell by more than 20 %

examples:
  infoflow bench accuracy --estimators ksg:k=5 gaussian --tasks 1v1-normal-0.75 --sizes 1000 10000
  infoflow bench distributions --families shapes latents --sizes 200 5000
  infoflow bench distributions --estimators auto torch-mist --distributions one-per-family --limit 60 --output neural
  infoflow bench speed binning nearest-neighbors
  infoflow bench speed --quick --output quick
  infoflow bench check binning --repeats 2

See 'infoflow bench COMMAND --help' for the options of a command.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from infoflow.cli.main import Command
from infoflow.cli.options import parse_options
from infoflow.core.errors import InvalidArgument, MissingData, MissingExtra, UnknownName
from infoflow.tasks import BEYOND_NORMAL, CATALOG
from infoflow_benchmarks import accuracy, reliability, speed
from infoflow_benchmarks.distributions import FAMILIES

GROUPS = {"beyond-normal": tuple(task.name for task in BEYOND_NORMAL), "all": tuple(CATALOG)}

HEAD = ("reference", "infoflow", "ratio", "target", "difference", "compared with")

COMMAND = Command("infoflow_benchmarks.cli", "measure the accuracy and speed of the estimators")


@dataclass(frozen=True)
class AccuracyOptions:
    """Run estimators on tasks with known mutual information; write a table and heat maps of the errors.

    Completed estimates are stored in the output folder, so the same command continues an interrupted run.
    """

    estimators: tuple[str, ...] = ("gaussian", "gaussian:copula=True", "ksg", "cca", "dependence-graph")
    """Estimators: name, or name:parameter=value,parameter=value."""
    tasks: tuple[str, ...] = ("beyond-normal",)
    """Names of tasks; "beyond-normal" selects the forty of that benchmark, "all" every task."""
    sizes: tuple[int, ...] = (10_000,)
    """Numbers of samples."""
    seeds: int = 1
    """Number of times that the samples are drawn, with seeds 0, 1, ..."""
    output: Path = Path("benchmarks/results/accuracy")
    """Folder for the table and the heat maps."""
    jobs: int = 1
    """Number of processes; -1 means one for each processor."""
    quiet: bool = False
    """Do not show a progress bar."""


@dataclass(frozen=True)
class DistributionsOptions:
    """Run estimators on families of distributions with known mutual information; write tables, heat maps and a page.

    Completed estimates are stored in the output folder, so the same command continues an interrupted run.
    """

    estimators: tuple[str, ...] = ("auto", "ksg", "mixed", "scikit-learn")
    """Estimators: name, or name:parameter=value,parameter=value; also ennemi, infomeasure,
    torch-mist, neural-mi and benchmark-mi where installed."""
    families: tuple[str, ...] = FAMILIES
    """Names of families of distributions."""
    distributions: tuple[str, ...] = ("all",)
    """Names of distributions of these families; "one-per-family" selects fourteen without regard to results."""
    sizes: tuple[int, ...] = (50, 200, 1000)
    """Numbers of samples."""
    seeds: tuple[int, ...] = (5,)
    """Number of times that the samples are drawn, with seeds 0, 1, ...: one number, or one for each size."""
    limit: float | None = None
    """CPU seconds after which an estimate is given up and listed as such."""
    merge: bool = False
    """Keep the cells of the table in the output folder that this run does not measure."""
    output: Path = Path("benchmarks/results/distributions")
    """Folder for the tables, the heat maps and the page."""
    jobs: int = 1
    """Number of processes; -1 means one for each processor."""
    quiet: bool = False
    """Do not show a progress bar."""


@dataclass(frozen=True)
class SpeedOptions:
    """Time infoflow and existing implementations on the same samples, in turns in one process."""

    names: tyro.conf.Positional[tuple[str, ...]] = speed.BENCHMARKS
    """Names of benchmarks; all by default."""
    quick: bool = False
    """Use tiny samples and call each side once: the results can be compared, but the times mean nothing."""
    output: Path = Path("benchmarks/results/speed")
    """Folder for a table (CSV) and its provenance (JSON) of each benchmark."""


@dataclass(frozen=True)
class CheckOptions:
    """Measure the ratios of the committed speed tables again; a ratio that fell by more than 20 % is a regression."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Names of benchmarks; by default all that have a table in the folder."""
    committed: Path = Path("benchmarks/results/speed")
    """Folder of the committed tables."""
    repeats: int = 3
    """A benchmark is measured up to this often while one of its ratios is too low; the best ratio counts."""


def command(argv: list[str]) -> None:
    """Run `infoflow bench` with these arguments."""
    commands = {"accuracy": _accuracy, "distributions": _distributions, "speed": _speed, "check": _check}
    if not argv:
        raise InvalidArgument("The command line must name a command: accuracy, distributions, speed or check.")
    if argv[0] in ("-h", "--help"):
        print(__doc__, end="")
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


def _distributions(argv: list[str]) -> None:
    options = parse_options(DistributionsOptions, argv, prog="infoflow bench distributions")
    table = reliability.run(
        options.estimators,
        options.families,
        output=options.output,
        distributions=options.distributions,
        sizes=options.sizes,
        limit=options.limit,
        merge=options.merge,
        draws=options.seeds * len(options.sizes) if len(options.seeds) == 1 else options.seeds,
        n_jobs=options.jobs,
        progress=not options.quiet and sys.stderr.isatty(),
    )
    print(table[table["family"] == "all"].to_string(index=False, float_format="{:.4g}".format))
    maps = ", ".join(f"distributions-n{n}.png" for n in dict.fromkeys(options.sizes))
    print(f"\nWritten to {options.output}: cells.csv, families.csv, README.md, {maps}")


def _speed(argv: list[str]) -> None:
    options = parse_options(SpeedOptions, argv, prog="infoflow bench speed")
    shown: list[str] = []

    def show(row: speed.Row) -> None:
        """Print each row as soon as it is measured, since all of them take many minutes."""
        if row.benchmark not in shown:
            shown.append(row.benchmark)
            print(f"\n{_line(row.benchmark, *HEAD)}")
        print(_line(*_cells(row)), flush=True)

    speed.run(options.names, output=options.output, quick=options.quick, on_row=show)
    print(f"\nWritten to {options.output}: {', '.join(f'{name}.csv, {name}.json' for name in shown)}")


def _check(argv: list[str]) -> None:
    options = parse_options(CheckOptions, argv, prog="infoflow bench check")
    names = options.names or tuple(n for n in speed.BENCHMARKS if (options.committed / f"{n}.csv").is_file())
    if not names:
        raise MissingData(f"No committed table in {str(options.committed)!r}. Run: infoflow bench speed")
    failed = 0
    print(f"{'':<2}{'benchmark':<20} {'committed':>10} {'measured':>10}  case")
    for name in names:
        try:
            for found in speed.regressions([name], committed=options.committed, repeats=options.repeats):
                failed += not found.holds
                sign = "✓" if found.holds else "✗"
                numbers = f"{found.committed:>10.3g} {found.measured:>10.3g}"
                print(f"{sign} {found.benchmark:<20} {numbers}  {found.case}; {found.reference}", flush=True)
        except MissingExtra as error:
            print(f"– {name:<20} not measured: {error}", flush=True)
    if failed:
        raise SystemExit(1)


def _line(*cells: str) -> str:
    return "{:<46} {:>10} {:>10} {:>7} {:>7} {:>10}  {}".format(*cells)


def _cells(row: speed.Row) -> tuple[str, ...]:
    target = "" if row.target_ratio is None else f"{row.target_ratio:g} {'✓' if row.reached else '✗'}"
    return (
        f"  {row.case}",
        f"{row.reference_seconds:.3g} s",
        f"{row.seconds:.3g} s",
        f"{row.ratio:.3g}",
        target,
        "" if row.difference is None else f"{row.difference:.0e}",
        "; ".join(filter(None, (row.reference, _memory(row), row.note))),
    )


def _memory(row: speed.Row) -> str:
    if row.mebibytes is None or row.reference_mebibytes is None:
        return ""
    return f"extra memory {row.reference_mebibytes:.0f} MiB, infoflow {row.mebibytes:.0f} MiB"
