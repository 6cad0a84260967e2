"""Finds the command, runs it, and turns every fault of the input into one clear line and exit status 2."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Sequence

from infoflow import __version__
from infoflow.errors import InfoflowError, UnknownName

# Command -> the module that holds its `command(argv)`, and what it does; loaded when called, so `--help` is quick.
COMMANDS = {
    "plane": (
        "infoflow.cli.plane",
        "train networks on real data, record them, and draw their information plane",
    ),
    "report": ("infoflow.cli.report", "analyse and draw recordings that exist already"),
    "reproduce": ("infoflow.cli.reproduce", "run a paper's experiments: ours beside the published figures"),
    "estimate": ("infoflow.cli.estimate", "the mutual information between arrays of a file"),
    "bench": ("infoflow.cli.bench", "how accurate the estimators are where the truth is known, and how fast"),
}

USAGE = (
    "usage: infoflow COMMAND [options]\n\n"
    "Measure, shape and see the information that flows through a neural network.\n\n"
    + "".join(f"  {name:<10} {what}\n" for name, (_, what) in COMMANDS.items())
    + "\n`infoflow COMMAND --help` lists a command's options.\n"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit status: 0 done, 2 bad input, 130 interrupted."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    if arguments[0] == "--version":
        print(f"infoflow {__version__}")
        return 0
    logging.basicConfig(level=logging.WARNING, format="infoflow: %(message)s")
    try:
        if arguments[0] not in COMMANDS:
            raise UnknownName("command", arguments[0], COMMANDS)
        command: Callable[[list[str]], None] = importlib.import_module(COMMANDS[arguments[0]][0]).command
        command(arguments[1:])
    except (InfoflowError, OSError) as error:
        print(f"infoflow: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("infoflow: interrupted; the same command with --resume goes on where it stopped", file=sys.stderr)
        return 130
    return 0
