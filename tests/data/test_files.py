"""Arrays out of files: the same numbers from every format, and a clear word on everything that isn't numbers."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infoflow.core.errors import BrokenStore, InfoflowError, InvalidArgument, MissingData, UnknownName
from infoflow.data.files import ArrayFile

RNG = np.random.default_rng(0)
A, B, C = RNG.normal(size=40), RNG.normal(size=40), RNG.integers(0, 3, 40)


def write(path: Path) -> Path:
    """Columns a, b, c in the format of the suffix (0, 1, 2 in .npy)."""
    match path.suffix.lower():
        case ".npz":
            np.savez(path, a=A, b=B, c=C, ab=np.stack([A, B], axis=1))
        case ".npy":
            np.save(path, np.stack([A, B, C], axis=1))
        case ".csv":
            pd.DataFrame({"a": A, "b": B, "c": C}).to_csv(path, index=False)
        case _:
            pd.DataFrame({"a": A, "b": B, "c": C}).to_parquet(path)
    return path


def test_every_format_gives_the_same_numbers(tmp_path: Path) -> None:
    names = {"npz": ("ab", "c"), "npy": ("0:2", "2"), "csv": ("a,b", "c"), "parquet": ("a, b", "c")}
    for suffix, (both, label) in names.items():
        file = ArrayFile(write(tmp_path / f"data.{suffix}"))
        np.testing.assert_allclose(file[both], np.stack([A, B], axis=1), rtol=1e-14)
        assert file[label].shape == (40,)
        assert file[label].tolist() == C.tolist()
        if suffix != "npy":  # which has one dtype for all
            assert file[label].dtype.kind == "i"


def test_names_are_what_can_be_asked_for(tmp_path: Path) -> None:
    assert ArrayFile(write(tmp_path / "d.npz")).names == ["a", "b", "c", "ab"]
    assert ArrayFile(write(tmp_path / "d.npy")).names == ["0", "1", "2"]
    assert ArrayFile(write(tmp_path / "d.csv")).names == ["a", "b", "c"]
    assert ArrayFile(write(tmp_path / "d.PARQUET")).names == ["a", "b", "c"]


def test_columns_of_an_npy(tmp_path: Path) -> None:
    whole = np.arange(24.0).reshape(4, 3, 2)
    np.save(tmp_path / "d.npy", whole)
    file = ArrayFile(tmp_path / "d.npy")
    np.testing.assert_array_equal(file[":"], whole.reshape(4, 6))
    np.testing.assert_array_equal(file["4:"], whole[:, 2])
    np.testing.assert_array_equal(file["5, :2"], whole.reshape(4, 6)[:, [5, 0, 1]])
    np.save(tmp_path / "line.npy", np.arange(3))
    assert ArrayFile(tmp_path / "line.npy")["0"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("selection", ["", "0,", "-1", "a", "1.0", "::", "0:2:1"])
def test_what_is_no_selection_of_columns(selection: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="must be numbers from 0 or slices"):
        ArrayFile(write(tmp_path / "d.npy"))[selection]


@pytest.mark.parametrize("selection", ["3", "0:4", "2:2", "2:1"])
def test_columns_outside(selection: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match=r"^columns of d\.npy must be within its 3 columns"):
        ArrayFile(write(tmp_path / "d.npy"))[selection]


@pytest.mark.parametrize("suffix", ["npz", "csv", "parquet"])
def test_an_unknown_name_brings_the_nearest(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"d.{suffix}"
    frame = {"weight": A, "label": C}
    if suffix == "npz":
        np.savez(path, **frame)
    else:
        getattr(pd.DataFrame(frame), f"to_{suffix}")(path)
    with pytest.raises(UnknownName, match=rf"of d\.{suffix} 'labels'. Did you mean 'label'\?.*weight"):
        ArrayFile(path)["labels"]


def test_a_column_whose_name_holds_a_comma(tmp_path: Path) -> None:
    pd.DataFrame({"a,b": A, "b": B}).to_csv(tmp_path / "d.csv", index=False)
    np.testing.assert_allclose(ArrayFile(tmp_path / "d.csv")["a,b"], A)


def test_nullable_and_boolean_columns_are_numbers(tmp_path: Path) -> None:
    frame = pd.DataFrame({"i": pd.array([3, 1, 2], dtype="Int64"), "flag": [True, False, True]})
    frame.to_parquet(tmp_path / "d.parquet")
    file = ArrayFile(tmp_path / "d.parquet")
    assert file["i"].dtype.kind == "i"
    assert file["i"].tolist() == [3, 1, 2]
    assert file["flag"].dtype.kind == "b"
    pd.DataFrame({7: [1.0, 2.0, 3.0]}).to_parquet(tmp_path / "numbered.parquet")
    assert ArrayFile(tmp_path / "numbered.parquet")["7"].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["u", "v", "u"]),
        pd.Series(["u", "v", "u"], dtype="category"),
        pd.Series(pd.date_range("2020-01-01", periods=3)),
        pd.Series([[1], [2], [3]]),
    ],
    ids=["text", "category", "date", "list"],
)
def test_columns_that_are_no_numbers_are_those_of_pandas(column: pd.Series, tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1.0, 2.0, 3.0], "odd": column})
    table.to_parquet(tmp_path / "d.parquet")
    file = ArrayFile(tmp_path / "d.parquet")
    assert file["a"].tolist() == [1.0, 2.0, 3.0]
    assert list(map(str, file["odd"])) == list(map(str, pd.read_parquet(tmp_path / "d.parquet")["odd"]))
    assert file["a,odd"].columns.tolist() == ["a", "odd"]


def test_text_columns_of_a_csv(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a,name\n1,anna\n2,bert\n")
    assert ArrayFile(tmp_path / "d.csv")["name"].tolist() == ["anna", "bert"]
    assert ArrayFile(tmp_path / "d.csv").table.columns.tolist() == ["a", "name"]


class Explodes:
    """Unpickled, it would make a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_pickles_are_refused_and_never_run(tmp_path: Path) -> None:
    objects = np.array([Explodes(tmp_path / "made"), None], dtype=object)
    np.savez(tmp_path / "d.npz", bad=objects, good=A)
    np.save(tmp_path / "d.npy", objects, allow_pickle=True)
    with pytest.raises(InvalidArgument, match="must be numbers, got objects"):
        ArrayFile(tmp_path / "d.npz")["bad"]
    with pytest.raises(InvalidArgument, match="must be numbers, got objects"):
        ArrayFile(tmp_path / "d.npy")
    for name in ("e.npz", "e.npy"):
        (tmp_path / name).write_bytes(pickle.dumps(Explodes(tmp_path / "made")))
        with pytest.raises(BrokenStore, match=name):
            ArrayFile(tmp_path / name)
    assert not (tmp_path / "made").exists()
    # The rest of the archive stays usable.
    np.testing.assert_array_equal(ArrayFile(tmp_path / "d.npz")["good"], A)


def test_files_that_are_not_there_or_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=r"no file .*none\.csv"):
        ArrayFile(tmp_path / "none.csv")
    with pytest.raises(MissingData, match="no file"):
        ArrayFile(tmp_path)
    (tmp_path / "d.txt").write_text("a\n1\n")
    with pytest.raises(InvalidArgument, match=r"^path must be a file that ends in \.npz, \.npy, \.csv, \.parquet"):
        ArrayFile(tmp_path / "d.txt")


@pytest.mark.parametrize("suffix", ["npz", "npy", "csv", "parquet"])
def test_empty_files(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"d.{suffix}").touch()
    with pytest.raises(BrokenStore, match=rf"d\.{suffix} cannot be read as \.{suffix}"):
        ArrayFile(tmp_path / f"d.{suffix}")


def test_arrays_without_samples(tmp_path: Path) -> None:
    for array in (np.array(3.0), np.zeros((0, 3)), np.zeros((3, 0))):
        np.save(tmp_path / "d.npy", array)
        with pytest.raises(BrokenStore, match="holds no samples"):
            ArrayFile(tmp_path / "d.npy")


def test_one_format_under_the_name_of_another(tmp_path: Path) -> None:
    content = {suffix: write(tmp_path / f"d.{suffix}").read_bytes() for suffix in ("npz", "npy", "parquet")}
    for suffix in content:
        for other in content:
            if suffix != other:
                path = tmp_path / f"other.{suffix}"
                path.write_bytes(content[other])
                with pytest.raises(BrokenStore, match="cannot be read"):
                    ArrayFile(path)


def test_members_that_are_no_arrays(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("notes.txt", "mine")
    with pytest.raises(BrokenStore, match="is not an array"):
        ArrayFile(tmp_path / "d.npz")["notes.txt"]


def compressed(path: Path) -> None:
    np.savez_compressed(path, a=A, b=B)


WHOLE: dict[str, bytes] = {}


@pytest.mark.parametrize("kind", ["npz", "compressed.npz", "npy", "csv", "parquet"])
@settings(max_examples=40)
@given(cut=st.floats(0, 1), position=st.floats(0, 0.999), noise=st.binary(min_size=1, max_size=20))
def test_damage_is_ours_to_tell(
    kind: str, cut: float, position: float, noise: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Cut off anywhere, or overwritten anywhere: an error of ours or an array, and never a crash."""
    folder = tmp_path_factory.getbasetemp()
    path = folder / f"damaged.{kind.split('.')[-1]}"
    if kind not in WHOLE:
        (compressed if kind.startswith("compressed") else write)(path)
        WHOLE[kind] = path.read_bytes()
    content = WHOLE[kind]
    start = int(position * len(content))
    for damaged in (content[: int(cut * len(content))], content[:start] + noise + content[start + len(noise) :]):
        path.write_bytes(damaged)
        try:
            file = ArrayFile(path)
            arrays = [file[name] for name in file.names]
        except InfoflowError:
            continue
        assert all(isinstance(array, np.ndarray | pd.Series) for array in arrays)


def test_the_file_is_closed(tmp_path: Path) -> None:
    """ResourceWarnings are errors here; the content outlives the file."""
    path = write(tmp_path / "d.npy")
    file = ArrayFile(path)
    path.unlink()
    np.testing.assert_array_equal(file["0"], A)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("a,b\n1,2,3\n4,5,6\n", "cannot be read"),
        ("a,b\n1,2\n4,5,6\n", "cannot be read"),
        ("a,a\n1,2\n", "repeats 'a'"),
        ("a,b,a\n1,2,3\n", "repeats 'a'"),
    ],
)
def test_a_csv_whose_rows_do_not_fit_its_header_is_refused(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BrokenStore, match=match):
        ArrayFile(path)


def test_names_in_a_csv_are_utf_8_with_or_without_a_byte_order_mark(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig"):
        (tmp_path / "table.csv").write_text("ψ,μ\n1,2\n", encoding=encoding)
        assert ArrayFile(tmp_path / "table.csv")["ψ"].tolist() == [1]
