from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infoflow.core.errors import BrokenStore, InvalidArgument
from infoflow.plane.run_folder import open_run_folder

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from infoflow.plane.run_folder import open_run_folder
def killed(*arguments, **options):
    next(path for path in Path(arguments[0]).rglob("*") if path.is_file()).unlink()
    os.kill(os.getpid(), signal.SIGKILL)
shutil.rmtree = killed
open_run_folder(Path(sys.argv[1]), "test", {"epochs": 1}, overwrite=True)
"""


@pytest.mark.slow
def test_a_kill_while_a_run_is_replaced_leaves_a_folder_that_can_be_used(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    open_run_folder(folder, "test", {"epochs": 1})
    (folder / "table.csv").write_text("old", encoding="utf-8")
    assert subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False).returncode == -9
    open_run_folder(folder, "test", {"epochs": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert [path.name for path in folder.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"format": "test", "version": 1}', b"\xff", b"[" * 10**5, b"1" * 10**5, b'{"a": NaN}'],
)
def test_a_damaged_marker_is_reported_and_the_folder_stays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(BrokenStore, match="left unchanged"):
        open_run_folder(tmp_path, "test", {}, resume=True)
    assert (tmp_path / "run.json").read_bytes() == content


def test_a_run_of_other_settings_is_not_continued(tmp_path: Path) -> None:
    open_run_folder(tmp_path / "run", "test", {"epochs": 1})
    with pytest.raises(InvalidArgument, match="epochs must be 1"):
        open_run_folder(tmp_path / "run", "test", {"epochs": 2}, resume=True)
