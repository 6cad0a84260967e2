"""A kill at any access to a file loses nothing that was stored, and leaves nothing that the next run cannot use."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kill_at_every_access.py")

# Operations of few accesses, and those of a recording, which take minutes.
QUICK = ["sealed file", "run", "first run", "table", "stream"]
LONG = ["estimates on snapshots", "recording", "recording that continues"]


def kill(names: list[str], folder: Path, tally: Counter[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), "1", *names], capture_output=True, text=True, timeout=3000
    )
    assert done.returncode == 0, done.stderr[-2000:]
    kills = [int(line) for line in done.stdout.split()]
    assert len(kills) == len(names)
    assert min(kills) >= 4
    tally["kills"] += sum(kills)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_kill_at_every_access_to_a_file(tmp_path: Path, tally: Counter[str]) -> None:
    kill(QUICK, tmp_path, tally)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_kill_at_every_access_of_a_recording(tmp_path: Path, tally: Counter[str]) -> None:
    kill(LONG, tmp_path, tally)


def test_every_operation_is_killed() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    [operations] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "OPERATIONS"
    ]
    assert isinstance(operations, ast.Dict)
    assert [ast.literal_eval(key) for key in operations.keys if key] == [*QUICK, *LONG]
