"""Paths that cannot be encoded raise an error of the library, wherever they are passed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infoflow.core.errors import InvalidArgument
from infoflow.core.paths import usable_path

SCRIPT = """
import sys
import torch
import infoflow
from infoflow.core.errors import InvalidArgument
from infoflow.core.files import read_file, write_text
assert sys.getfilesystemencoding() == "ascii", sys.getfilesystemencoding()
path = sys.argv[1] + "/gr\\u00fcn"
model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh())
calls = (
    lambda: infoflow.plane.record(model, torch.randn(8, 3), torch.arange(8) % 2, store=path),
    lambda: infoflow.plane.analyse(path, ["binning"]),
    lambda: write_text(path, "text"),
    lambda: read_file(path),
)
for call in calls:
    try:
        call()
    except InvalidArgument as error:
        assert "encoding (ascii) can hold, got '" in str(error) and "PYTHONUTF8=1" in str(error), ascii(str(error))
    else:
        raise AssertionError("no error")
"""


def test_a_name_that_an_ascii_file_system_lacks_is_refused(tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]
    assert not list(tmp_path.iterdir())


def test_null_characters_are_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"store must be a path without null characters, got 'a\\x00b'"):
        usable_path("a\0b", "store")
