import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from infoflow.plane import orphans
from infoflow.plane.orphans import ends_with

_PARENT = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid()), *sys.argv[2:]])
child.wait()
"""
_CHILD = """
import os, sys, time
from pathlib import Path
sys.path.append(sys.argv[3])
from orphans import ends_with  # alone, since its package imports torch

def work():
    Path(sys.argv[2]).write_text("begun")
    time.sleep(60)
    Path(sys.argv[2]).write_text("done")

Path(sys.argv[2] + ".pid").write_text(str(os.getpid()))
ends_with(int(sys.argv[1]), work)
"""


def test_work_ends_with_its_parent(tmp_path: Path) -> None:
    file = tmp_path / "state"
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, _CHILD, str(file), str(Path(orphans.__file__).parent)])
    _wait_until(file.exists, 60)
    child = int((tmp_path / "state.pid").read_text())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _wait_until(lambda: not _runs(child), 20)
    assert file.read_text() == "begun"


def test_work_in_the_same_process_is_not_watched() -> None:
    assert ends_with(os.getpid(), max, 1, 2) == 2


def test_work_of_a_living_parent_returns_its_result() -> None:
    assert ends_with(os.getppid(), max, 1, 2) == 2


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)
