"""Small files of numbers against what was written, and everything else left to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from infoflow.data.files import ArrayFile
from infoflow.data.plain_csv import plain_columns


def written(folder: Path, text: str) -> Path:
    path = folder / "d.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_numbers_are_those_that_were_written_and_types_those_of_pandas(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"a": rng.normal(size=500) * 10.0 ** rng.integers(-30, 30, 500), "b": rng.integers(-9, 9, 500)}
    )
    table["c"] = table["a"].round(3)
    path = tmp_path / "d.csv"
    table.to_csv(path, index=False)
    found = plain_columns(path)
    assert found is not None
    for name in ("a", "b", "c"):
        assert found[name].dtype == pd.read_csv(path)[name].dtype
        np.testing.assert_array_equal(found[name], table[name])


@pytest.mark.parametrize(
    "text",
    [
        "a\nx\n",
        "a\n1\n\n2\n",
        "a\n\n",
        "a,b\n1,\n2,3\n",
        'a\n"1"\n',
        "a\nnan\n1\n",
        "a\ninf\n1\n",
        "a\n1e400\n",
        "a\n1_000\n",
        "a\n 1\n",
        "a\n0x10\n",
        "a\n٣\n",
        "a,b\n1,2,3\n",
        "a,a\n1,2\n",
        "a b\n1\n",
        "a;b\n1;2\n",
        "\ufeffa\n1\n",
        "a\n12345678901234567890\n2\n",
        "a\n",
        "",
    ],
)
def test_what_leaves_room_for_doubt_is_left_to_pandas(text: str, tmp_path: Path) -> None:
    assert plain_columns(written(tmp_path, text)) is None


def test_lines_may_end_as_on_any_system(tmp_path: Path) -> None:
    assert ArrayFile(written(tmp_path, "a,b\r\n1,2\r\n3,4"))["a,b"].tolist() == [[1, 2], [3, 4]]


def test_a_small_file_of_numbers_is_estimated_without_pandas(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "d.csv"
    pd.DataFrame(rng.normal(size=(50, 2)), columns=["x", "y"]).to_csv(path, index=False)
    program = (
        "import sys; from infoflow.cli import main; "
        f"main(['estimate', {str(path)!r}, '--x', 'x', '--y', 'y']); "
        "print([name for name in ('pandas', 'pyarrow', 'sklearn', 'matplotlib', 'zarr') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
