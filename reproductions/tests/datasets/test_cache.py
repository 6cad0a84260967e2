"""Generated data: whole and checksummed, or made again."""

from __future__ import annotations

import logging
import multiprocessing
import os
from pathlib import Path

import numpy as np
import pytest
from infoflow_reproductions.datasets.cache import cache_folder, cached


def numbers() -> dict[str, np.ndarray]:
    return {"x": np.arange(1000), "y": np.linspace(0, 1, 7)}


def forbidden() -> dict[str, np.ndarray]:
    raise AssertionError("made although it was there")


def test_what_was_made_is_read_again(tmp_path: Path) -> None:
    made = cached("numbers", {"n": 1}, numbers, tmp_path)
    again = cached("numbers", {"n": 1}, forbidden, tmp_path)
    assert made.keys() == again.keys() == {"x", "y"}
    assert all((made[name] == again[name]).all() for name in made)


def test_other_settings_are_other_files(tmp_path: Path) -> None:
    cached("numbers", {"n": 1}, numbers, tmp_path)
    with pytest.raises(AssertionError, match="made although"):
        cached("numbers", {"n": 2}, forbidden, tmp_path)


def test_an_interrupted_generation_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> dict[str, np.ndarray]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached("numbers", {}, interrupted, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(KeyboardInterrupt):
        cached("numbers", {}, numbers, tmp_path)
    assert list(tmp_path.iterdir()) == []


def _die_while_writing(folder: str) -> None:
    os.fsync = lambda descriptor: os._exit(9)  # type: ignore[assignment]
    cached("numbers", {}, numbers, folder)


def test_what_a_killed_process_left_is_never_read_and_is_swept_by_the_next_write(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_die_while_writing, args=(str(tmp_path),))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".")
    assert len(cached("numbers", {}, numbers, tmp_path)["x"]) == 1000
    assert not left.exists()


@pytest.mark.parametrize("damage", ["cut", "flipped", "replaced"])
def test_a_damaged_file_is_made_anew_with_a_warning(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    cached("numbers", {}, numbers, tmp_path)
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        content[len(content) // 3] ^= 1
        path.write_bytes(content)
    else:  # a whole archive with other numbers: only the checksum can tell
        with np.load(path) as archive:
            arrays = dict(archive) | {"x": np.zeros(1000, int)}
        np.savez(path, **arrays)
    with caplog.at_level(logging.WARNING):
        assert cached("numbers", {}, numbers, tmp_path)["x"][-1] == 999
    assert "damaged" in caplog.text
    assert cached("numbers", {}, forbidden, tmp_path)["x"][-1] == 999


def test_a_folder_that_cannot_be_written_costs_the_keeping_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    assert len(cached("numbers", {}, numbers, tmp_path / "file")["x"]) == 1000
    assert "cannot be written" in caplog.text


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INFOFLOW_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("INFOFLOW_CACHE")
    assert cache_folder().parts[-3:] == (".cache", "infoflow", "generated")
