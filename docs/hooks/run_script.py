"""Run a script of the gallery and save the figures that it leaves open: `python run_script.py SCRIPT FOLDER`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import matplotlib.pyplot as plt

script, folder = sys.argv[1:]
plt.rcParams.update({"figure.figsize": (6.4, 3.6), "figure.dpi": 110, "savefig.bbox": "tight"})
runpy.run_path(script, run_name="__main__")
for number in plt.get_fignums():
    plt.figure(number).savefig(Path(folder) / f"figure-{number}.png")
