"""Run scripts of the gallery and save the figures that they leave open: `python run_scripts.py SCRIPT FOLDER ...`.

Each script runs in a process forked from this one, in an empty folder, so that the libraries are imported once.
"""

from __future__ import annotations

import os
import runpy
import sys
import tempfile
import traceback
from pathlib import Path

import matplotlib.pyplot as plt

import infoflow.plane  # noqa: F401  # imported before the fork


def run(script: str, folder: Path) -> None:
    """Run one script in this process."""
    plt.rcParams.update({"figure.figsize": (6.4, 3.6), "figure.dpi": 110, "savefig.bbox": "tight"})
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, (folder / "stdout.part").open("w", encoding="utf-8") as printed:
        os.chdir(scratch)
        sys.stdout = printed
        runpy.run_path(script, run_name="__main__")
        for number in plt.get_fignums():
            plt.figure(number).savefig(folder / f"figure-{number}.png")
    (folder / "stdout.part").rename(folder / "stdout.txt")  # the last step: the folder is complete


def main(arguments: list[str]) -> int:
    """Run the scripts one after the other, and return 1 if one failed."""
    for script, folder in zip(arguments[::2], arguments[1::2], strict=True):
        child = os.fork()
        if child == 0:
            try:
                run(script, Path(folder))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            sys.stderr.write(f"{script} failed\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
