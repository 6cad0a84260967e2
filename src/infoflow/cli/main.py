"""Find the command, run it, and turn invalid input into one line on standard error and exit status 2."""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from infoflow import __version__
from infoflow.core.errors import InfoflowError, UnknownName


@dataclass(frozen=True)
class Command:
    """A subcommand: `module` has a function `command(argv)`, which is imported when it is called."""

    module: str
    summary: str

    def __call__(self, argv: list[str]) -> None:
        run: Callable[[list[str]], None] = importlib.import_module(self.module).command
        run(argv)


COMMANDS = {
    "plane": Command("infoflow.cli.plane", "train networks on real data and write their information plane"),
    "report": Command("infoflow.cli.report", "analyze existing recordings and write their information plane"),
    "rank": Command("infoflow.cli.rank", "rank the columns of a file by their information about one of them"),
    "profile": Command("infoflow.cli.profile", "measure what the layers of a language model hold about tokens"),
    "estimate": Command("infoflow.cli.estimate", "estimate the mutual information between columns of a file"),
    "completion": Command("infoflow.cli.completion", "print a script for completion by the shell"),
}

GROUP = "infoflow.commands"
"""Entry-point group in which an installed package adds commands: `name = "package.module:COMMAND"`, a `Command`."""

# Commands of the other packages of this repository.
_ELSEWHERE = {"reproduce": "infoflow-reproductions", "bench": "infoflow-benchmarks"}


def commands() -> dict[str, EntryPoint | Command]:
    """All commands by name: those of infoflow, then those that installed packages add."""
    return {**COMMANDS, **{point.name: point for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}}


def usage() -> str:
    """The help text of `infoflow`."""
    listed = {name: loaded(command).summary for name, command in commands().items()}
    lines = "".join(f"  {name:<10} {summary}\n" for name, summary in listed.items())
    return (
        "usage: infoflow COMMAND [options]\n\n"
        "Measure, shape and see the information that flows through a neural network.\n\n"
        f"commands:\n{lines}\n"
        "examples:\n"
        "  infoflow estimate pairs.csv --x age,weight --y label\n"
        "  infoflow rank table.csv --y price --permutations 200\n"
        "  infoflow report runs/mine --output report\n\n"
        "See 'infoflow help COMMAND' for the options of a command, 'infoflow --version' for the version.\n"
        "Completion with the Tab key: 'infoflow completion bash >> ~/.bashrc' (or zsh, fish).\n"
    )


def loaded(command: EntryPoint | Command) -> Command:
    """The command itself, or the one at an entry point."""
    if isinstance(command, Command):
        return command
    loaded: Command = command.load()
    return loaded


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit status: 0 done, 2 invalid input, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may be unable to show µ or ψ
    if len(arguments) > 1 and arguments[0] == "help":
        arguments = [arguments[1], "--help"]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage(), end="")
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version"):
        print(f"infoflow {__version__}")
        return 0
    logging.basicConfig(level=logging.WARNING, format="infoflow: %(message)s")
    try:
        name, known = arguments[0], commands()
        if name not in known and name in _ELSEWHERE:
            raise InfoflowError(
                f"'{name}' is a command of {_ELSEWHERE[name]}. Install it from the folder of that name."
            )
        if name not in known:
            raise UnknownName("command", name, known)
        loaded(known[name])(arguments[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of the output has ended, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush at exit
        return 141
    except (InfoflowError, OSError) as error:
        print(f"infoflow: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except MemoryError as error:
        print(f"infoflow: out of memory. {' '.join(str(error).split())}".rstrip(), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("infoflow: interrupted. Run the same command with --resume to continue.", file=sys.stderr)
        return 130
    return 0
