"""`infoflow estimate`: the same number as in Python, from any file; bad input is one line, and nothing is written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import infoflow
from infoflow.cli import main
from infoflow.estimators import conditional_mutual_information

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 2))
Y = X[:, 0] + RNG.normal(size=300)
Z = RNG.normal(size=300)
LABEL = (Y > 0).astype(np.int64)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the same samples in every format, and odd ones."""
    monkeypatch.chdir(tmp_path)
    np.savez("d.npz", x=X, y=Y, z=Z, label=LABEL, short=Y[:7], waves=X + 1j)
    np.save("d.npy", np.column_stack([X, Y, Z]))
    frame = pd.DataFrame({"x1": X[:, 0], "x2": X[:, 1], "y": Y, "z": Z, "label": LABEL})
    frame["name"] = np.where(LABEL, "anna", "bert")
    frame["hole"] = np.where(np.arange(300) == 7, np.nan, Y)
    frame.to_csv("d.csv", index=False)
    frame.assign(when=pd.date_range("2020", periods=300)).to_parquet("d.parquet")
    np.savez("objects.npz", x=X, y=np.array([{}] * 300, dtype=object))
    Path("cut.npz").write_bytes(Path("d.npz").read_bytes()[:500])
    Path("notes.txt").write_text("mine")
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["estimate", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


@pytest.mark.parametrize(
    ("file", "x", "y"),
    [("d.npz", "x", "y"), ("d.npy", "0:2", "2"), ("d.csv", "x1,x2", "y"), ("d.parquet", "x1,x2", "y")],
)
def test_every_format_gives_the_number_of_the_library(
    file: str, x: str, y: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert printed(capsys, file, "--x", x, "--y", y) == f"{infoflow.mutual_information(X, Y)}\n"


@pytest.mark.parametrize("file", ["d.csv", "d.parquet"])
def test_text_is_symbols(file: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = infoflow.mutual_information(X[:, 0], np.where(LABEL, "anna", "bert"))
    assert printed(capsys, file, "--x", "x1", "--y", "name") == f"{expected}\n"
    assert printed(capsys, file, "--x", "x1,name", "--y", "y").startswith("I(X;Y) = ")


def test_missing_values_are_dropped_on_request(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "d.csv", "--x", "hole", "--y", "y", "--estimator", "ksg", "--missing", "drop")
    assert "n = 299" in found
    assert "1 of 300 rows" in found


def test_integers_are_classes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = infoflow.mutual_information(X, LABEL, "ksg", k=5)
    for arguments in (["d.npz", "--x", "x"], ["d.csv", "--x", "x1,x2"], ["d.parquet", "--x", "x1,x2"]):
        assert printed(capsys, *arguments, "--y", "label", "--estimator", "ksg:k=5") == f"{expected}\n"


def test_conditional(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, z in (("z", Z), ("label", LABEL)):
        expected = conditional_mutual_information(X, Y, z, "gaussian")
        found = printed(capsys, "d.npz", "--x", "x", "--y", "y", "--z", name, "--estimator", "gaussian")
        assert found == f"{expected}\n"
        assert found.startswith("I(X;Y|Z)")
    assert printed(capsys, "d.npz", "--x", "x", "--y", "y", "--z", "z").startswith("I(X;Y|Z)")  # auto


def test_interval_and_p_value(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = infoflow.mutual_information(X, Y, "gaussian", interval="bootstrap", permutations=19, seed=3)
    options = ["--estimator", "gaussian", "--interval", "bootstrap", "--permutations", "19", "--seed", "3"]
    found = printed(capsys, "d.npz", "--x", "x", "--y", "y", *options)
    assert found == f"{expected}\n"
    assert "95% interval" in found
    assert "p = 0.05" in found


def test_json_holds_the_whole_estimate(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(
        capsys, "d.npz", "--x", "x", "--y", "label", "--estimator", "ksg", "--permutations", "9", "--output", "o.json"
    )
    found = json.loads(Path("o.json").read_text())
    expected = infoflow.mutual_information(X, LABEL, "ksg", permutations=9)
    assert found["nats"] == expected.nats
    assert found["bits"] == expected.bits
    assert found["ceiling"] == expected.ceiling
    assert found["p_value"] == expected.p_value
    assert found["kind"] == "point estimate"
    assert found["warnings"] == list(expected.warnings)
    assert found["parameters"]["k"] == 3


def test_what_is_infinite_is_still_json(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "d.npz", "--x", "x", "--y", "x", "--estimator", "gaussian", "--output", "o.json")
    found = json.loads(Path("o.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    assert found["nats"] == "inf"
    assert found["ceiling"] is None


D = ["d.npz", "--x", "x", "--y", "y"]

BAD: dict[str, tuple[list[str], str]] = {
    "no such file": (["none.npz", "--x", "x", "--y", "y"], "no file none.npz"),
    "another suffix": (["notes.txt", "--x", "x", "--y", "y"], ".npz, .npy, .csv, .parquet"),
    "damaged": (["cut.npz", "--x", "x", "--y", "y"], "cut.npz cannot be read"),
    "array that isn't there": (["d.npz", "--x", "x", "--y", "labels"], "'labels'. Did you mean 'label'?"),
    "column that isn't there": (["d.csv", "--x", "x1,x3", "--y", "y"], "'x3'. Did you mean"),
    "column beyond the last": (["d.npy", "--x", "0:9", "--y", "2"], "columns of d.npy must be within its 4 columns"),
    "no number of a column": (["d.npy", "--x", "x", "--y", "2"], "0:3"),
    "dates": (["d.parquet", "--x", "when", "--y", "y"], "x must be numbers or symbols, got dates or times"),
    "complex": (["d.npz", "--x", "waves", "--y", "y"], "x must be an array of real numbers"),
    "objects": (["objects.npz", "--x", "x", "--y", "y"], "'y' of objects.npz must be numbers"),
    "mismatched": (
        ["d.npz", "--x", "x", "--y", "short"],
        "x and y must hold the same number of samples, got 300 and 7",
    ),
    "mismatched z": ([*D, "--z", "short"], "x and z must hold the same number of samples, got 300 and 7"),
    "NaN": (["d.csv", "--x", "hole", "--y", "y"], "x must be finite"),
    "NaN in z": (["d.csv", "--x", "x1", "--y", "y", "--z", "hole"], "z must be finite"),
    "unknown estimator": ([*D, "--estimator", "kgs"], "Did you mean 'ksg'?"),
    "unknown parameter": ([*D, "--estimator", "ksg:neighbors=3"], "unknown parameter of ksg 'neighbors'"),
    "parameter without value": ([*D, "--estimator", "ksg:k"], "'k' has no value"),
    "parameter out of range": ([*D, "--estimator", "matrix-renyi:alpha=-1"], "alpha must"),
    "too few samples": (
        ["d.npz", "--x", "short", "--y", "short", "--estimator", "ksg:k=20"],
        "x must be an array of at least 22 samples, got 7",
    ),
    "numbers where classes are needed": ([*D, "--estimator", "class-neighbors"], "y must be integer classes"),
    "unknown interval": ([*D, "--interval", "boot"], "Did you mean 'bootstrap'?"),
    "negative permutations": ([*D, "--permutations", "-1"], "permutations must"),
    "negative seed": ([*D, "--seed", "-1"], "infoflow: seed must"),
    "interval of a conditional": ([*D, "--z", "z", "--interval", "bootstrap"], "infoflow: z must"),
    "output exists": ([*D, "--output", "notes.txt"], "infoflow: output must"),
    "output in no folder": ([*D, "--output", "none/o.json"], "infoflow: output must"),
    "option missing": (["d.npz", "--x", "x"], "--y"),
    "option unknown": ([*D, "--estimators", "ksg"], "--estimator"),
    "option of a wrong type": ([*D, "--permutations", "many"], "--permutations"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_writes_nothing(case: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, words = BAD[case]
    if "--output" not in arguments:
        arguments = [*arguments, "--output", "o.json"]
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    assert main(["estimate", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err
    assert captured.err.startswith("infoflow: ")
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


def test_a_write_that_fails_leaves_nothing(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write: Callable[..., int] = Path.write_text

    def full(path: Path, text: str, **options: str) -> int:
        write(path, text[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    before = {path.name for path in place.iterdir()}
    assert main(["estimate", *D, "--output", "o.json"]) == 2
    assert "No space left" in capsys.readouterr().err
    assert {path.name for path in place.iterdir()} == before


def test_a_small_table_loads_nothing_that_it_does_not_use(tmp_path: Path) -> None:
    pd.DataFrame({"x": X[:, 0], "y": Y}).to_csv(tmp_path / "d.csv", index=False)
    code = (
        "import sys; from infoflow.cli import main\n"
        f"main(['estimate', {str(tmp_path / 'd.csv')!r}, '--x', 'x', '--y', 'y'])\n"
        "print(*sorted(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "nats" in out
    heavy = {
        "torch._dynamo",
        "sklearn",
        "matplotlib",
        "numba",
        "joblib",
        "zarr",
        "scipy.stats",
        "scipy.sparse",
        "scipy.spatial",
    }
    assert not heavy & set(out.splitlines()[-1].split())
