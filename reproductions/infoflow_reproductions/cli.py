"""The command `infoflow reproduce`."""

from __future__ import annotations

import dataclasses
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from infoflow.cli.main import Command
from infoflow.cli.options import parse_options, value_of
from infoflow.core.checks import choice, integer
from infoflow_reproductions.harness import summary
from infoflow_reproductions.harness.allocator import keep_freed_memory
from infoflow_reproductions.harness.experiment import CPU_PUBLISHED, SCALES, Experiment, Plan, reproduce_together
from infoflow_reproductions.harness.registry import PAPERS, experiments, finishing
from infoflow_reproductions.harness.running import RunOptions

COMMAND = Command("infoflow_reproductions.cli", "reproduce the experiments of a paper")

_RUNS = Path("runs/reproduce")
_RESULTS = Path("reproductions/results")

USAGE = """\
usage: infoflow reproduce PAPER [EXPERIMENT] [options]
       infoflow reproduce --collect [FOLDER]

Run the experiments of a paper and compare the results with the published ones.

  infoflow reproduce PAPER --help    list the options
  infoflow reproduce --collect       write FOLDER/README.md from all results below FOLDER, and the overview in the
                                     README above it (default: reproductions/results)

examples:
  infoflow reproduce milc mnist --scale smoke
  infoflow reproduce milc mnist --seeds 5 --resume
  infoflow reproduce information-dropout --device cuda

papers and their experiments:
"""


@dataclass(frozen=True)
class Options:
    """Run the experiments of a paper and compare the results with the published ones.

    Parameters
    ----------
    scale
        Scale: smoke (seconds), cpu (minutes on two processors), cpu-published (hours on two processors, near the
        published sizes; some experiments have it) or full (as published).
    seeds
        Number of seeds; by default that of the recipe.
    output
        Output folder, with a subfolder per experiment if there are several; by default
        runs/reproduce/PAPER-EXPERIMENT-SCALE.
    data_root
        Folder of the data sets; by default $INFOFLOW_DATA, then ~/.cache/infoflow.
    resume
        Continue an interrupted run.
    overwrite
        Replace an earlier run in the output folder.
    device
        Device such as cpu, cuda or cuda:1, or auto.
    jobs
        Number of trials that run at once; by default one per processor, or one on a GPU.
    quiet
        Do not show progress bars.
    """

    scale: str = "cpu"
    seeds: int | None = None
    output: Path | None = None
    data_root: Path | None = None
    resume: bool = False
    overwrite: bool = False
    device: str = "auto"
    jobs: int | None = None
    quiet: bool = False


def command(argv: list[str]) -> None:
    """Run `infoflow reproduce`.

    Parameters
    ----------
    argv
        Arguments after `reproduce`.

    Raises
    ------
    InfoflowError
        If an argument is invalid, data are missing, or a folder holds other results.
    """
    if not argv or argv[0] in ("-h", "--help"):
        listed = [
            f"  {name:<20} {title}\n  {'':<20}   {' | '.join(experiments(name))}" for name, (_, title) in PAPERS.items()
        ]
        print(USAGE + "\n".join(listed))
        return
    if argv[0] == "--collect":
        print(summary.collect(Path(argv[1]) if len(argv) > 1 else _RESULTS))
        return
    paper, *rest = argv
    found = experiments(paper)
    scale = choice(value_of("--scale", rest) or Options.scale, "scale", SCALES)
    if rest and not rest[0].startswith("-"):
        name = choice(rest.pop(0), f"experiment of {paper}", found)
        found = {name: found[name]}
    elif scale == CPU_PUBLISHED:
        found = {name: experiment for name, experiment in found.items() if scale in experiment.recipes}
    plans, options = _planned(paper, list(found.values()), scale, rest)
    _run(plans, options)
    if len(plans) > 1 and (finish := finishing(paper)) is not None:
        folders = {plan.experiment.name: plan.folder for plan in plans}
        print(f"All experiments: {finish(folders, options.output or _RUNS / f'{paper}-{scale}')}")


def _planned(paper: str, chosen: list[Experiment], scale: str, argv: list[str]) -> tuple[list[Plan], Options]:
    """Return the experiments with recipes and folders; a single experiment adds options for its recipe."""
    recipes = [experiment.recipe(scale) for experiment in chosen]
    if len(chosen) == 1:
        prog = f"infoflow reproduce {paper} {chosen[0].name}"
        options, recipes[0] = _parsed(argv, prog, recipes[0])
    else:
        options = parse_options(Options, argv, prog=f"infoflow reproduce {paper} [EXPERIMENT]")
    if options.seeds is not None:
        seeds = integer(options.seeds, "seeds")
        recipes = [dataclasses.replace(recipe, seeds=seeds) for recipe in recipes]
    if options.output is None:
        folders = [_RUNS / f"{paper}-{experiment.name}-{scale}" for experiment in chosen]
    else:
        folders = [options.output / experiment.name if len(chosen) > 1 else options.output for experiment in chosen]
    return [Plan(*each) for each in zip(chosen, recipes, folders, strict=True)], options


def _parsed(argv: list[str], prog: str, recipe: Any) -> tuple[Options, Any]:
    """Return the options and the recipe, whose fields are options too."""
    parts = {"options": (Options, ""), "recipe": (type(recipe), "recipe")}
    both = dataclasses.make_dataclass(
        "Both", [(name, Annotated[kind, tyro.conf.arg(name=prefix)]) for name, (kind, prefix) in parts.items()]
    )
    both.__doc__ = (Options.__doc__ or "").partition("\n")[0]
    parsed: Any = parse_options(both, argv, prog=prog, default=both(Options(), recipe))
    return parsed.options, parsed.recipe


def _run(plans: list[Plan], options: Options) -> None:
    """Run the experiments, and print the findings of each when it is done."""
    settings = RunOptions(
        data_root=options.data_root,
        device=options.device,
        n_jobs=_jobs(options),
        resume=options.resume,
        overwrite=options.overwrite,
        progress=not options.quiet and sys.stderr.isatty(),
    )
    print("\n".join(f"{plan.experiment.title} ({options.scale})" for plan in plans), flush=True)
    keep_freed_memory()
    # joblib replaces a process whose memory has grown, which loses no trial, and suspects a leak.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)
    for done in reproduce_together(plans, options.scale, settings):
        print(f"\n{done.experiment.title if len(plans) > 1 else ''}\n{done}")
        print(f"\nWritten to {done.folder}: {', '.join(done.files)}\n", flush=True)


def _jobs(options: Options) -> int:
    """Return the number of processes."""
    if options.jobs is not None:
        return options.jobs if options.jobs == -1 else integer(options.jobs, "jobs")
    import torch  # imported late, since --help does not need it

    on_gpu = options.device.startswith("cuda") or (options.device == "auto" and torch.cuda.is_available())
    return 1 if on_gpu else -1
