"""`infoflow reproduce`: the papers, one command each."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from infoflow.cli.main import Command
from infoflow.cli.options import parse_options, value_of
from infoflow.core.checks import choice, integer
from infoflow_reproductions import (
    PAPERS,
    SCALES,
    Experiment,
    Plan,
    RunOptions,
    experiments,
    finishing,
    reproduce_together,
)
from infoflow_reproductions.harness import summary

COMMAND = Command("infoflow_reproductions.cli", "run a paper's experiments beside the published figures")


@dataclass(frozen=True)
class Options:
    """Run the experiments of a paper and write what was found beside what was published."""

    scale: str = "cpu"
    """smoke (seconds), cpu (minutes on two processors) or full (as published)."""
    seeds: int | None = None
    """How many seeds (default: the recipe's)."""
    output: Path | None = None
    """Folder; of several experiments each gets one in it (default: runs/reproduce/PAPER-EXPERIMENT-SCALE)."""
    data_root: Path | None = None
    """Where the data sets lie (default: $INFOFLOW_DATA, then ~/.cache/infoflow)."""
    resume: bool = False
    """Go on with a run that was interrupted."""
    overwrite: bool = False
    """Replace a former run in the output folder."""
    device: str = "auto"
    """cpu, cuda, cuda:1, ... or auto."""
    jobs: int | None = None
    """Trials that run at once (default: one for each processor; one on a GPU)."""
    quiet: bool = False
    """No progress bars."""


_RUNS = Path("runs/reproduce")

USAGE = (
    "usage: infoflow reproduce PAPER [EXPERIMENT] [options]   (PAPER --help: its options)\n"
    "       infoflow reproduce --collect [FOLDER]             (FOLDER: reproductions/results)\n"
)


def command(argv: list[str]) -> None:
    """Runs `infoflow reproduce` with these arguments."""
    if not argv or argv[0] in ("-h", "--help"):
        print(USAGE)
        for paper, (_, title) in PAPERS.items():
            print(f"  {paper:<20} {title}\n  {'':<20}   {' | '.join(experiments(paper))}")
        return
    if argv[0] == "--collect":
        print(summary.collect(Path(argv[1]) if len(argv) > 1 else Path("reproductions/results")))
        return
    found = experiments(argv[0])
    rest = argv[1:]
    chosen = list(found.values())
    if rest and not rest[0].startswith("-"):
        chosen = [found[choice(rest.pop(0), f"experiment of {argv[0]}", found)]]
    scale = choice(value_of("--scale", rest) or Options.scale, "scale", SCALES)
    prog = " ".join(["infoflow reproduce", argv[0], *([chosen[0].name] if len(chosen) == 1 else ["[EXPERIMENT]"])])
    options, recipe = _parsed(rest, prog, chosen[0].recipe(scale) if len(chosen) == 1 else None)
    plans = [
        Plan(each, _recipe(each, options, recipe), _folder(each, options, alone=len(chosen) == 1)) for each in chosen
    ]
    _run(plans, options)
    folders = {plan.experiment.name: plan.folder for plan in plans}
    if len(chosen) > 1 and (finish := finishing(argv[0])) is not None:
        print(f"All of them: {finish(folders, options.output or _RUNS / f'{argv[0]}-{scale}')}")


def _parsed(argv: list[str], prog: str, recipe: Any) -> tuple[Options, Any]:
    """The options, and the recipe with its own options where just one experiment is asked for."""
    if recipe is None:
        return parse_options(Options, argv, prog=prog), None
    both = dataclasses.make_dataclass(
        "Both",
        [
            ("options", Annotated[Options, tyro.conf.arg(name="")]),
            ("recipe", Annotated[type(recipe), tyro.conf.arg(name="recipe")]),
        ],
    )
    both.__doc__ = Options.__doc__
    parsed: Any = parse_options(both, argv, prog=prog, default=both(Options(), recipe))
    return parsed.options, parsed.recipe


def _recipe(experiment: Experiment, options: Options, recipe: Any) -> Any:
    """The one given, or that of the scale; with as many seeds as asked for."""
    chosen = experiment.recipe(options.scale) if recipe is None else recipe
    if options.seeds is None:
        return chosen
    return dataclasses.replace(chosen, seeds=integer(options.seeds, "seeds"))


def _folder(experiment: Experiment, options: Options, *, alone: bool) -> Path:
    if options.output is None:
        return _RUNS / f"{experiment.paper}-{experiment.name}-{options.scale}"
    return options.output if alone else options.output / experiment.name


def _run(plans: Sequence[Plan], options: Options) -> None:
    """Runs them, and prints what each found when it is done."""
    print("\n".join(f"{plan.experiment.title} ({options.scale})" for plan in plans), flush=True)
    for done in reproduce_together(
        plans,
        options.scale,
        RunOptions(
            data_root=options.data_root,
            device=options.device,
            n_jobs=_jobs(options),
            resume=options.resume,
            overwrite=options.overwrite,
            progress=not options.quiet and sys.stderr.isatty(),
        ),
    ):
        print(f"\n{done.experiment.title if len(plans) > 1 else ''}\n{done}")
        print(f"\nWritten to {done.folder}: {', '.join(done.files)}\n", flush=True)


def _jobs(options: Options) -> int:
    if options.jobs is not None:
        if options.jobs != -1:
            integer(options.jobs, "jobs")
        return options.jobs
    import torch  # as late as possible: --help needs none of it

    on_gpu = options.device.startswith("cuda") or (options.device == "auto" and torch.cuda.is_available())
    return 1 if on_gpu else -1
