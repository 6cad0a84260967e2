"""Atomic writing: a file holds its old content or its new one, whatever happens to the writer."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoflow.core.errors import BrokenStore
from infoflow.core.files import is_incomplete, read_sealed, write_atomically, write_json, write_sealed, write_text

SIZE = 200_000


class WriterFails(Exception):
    """Raised by a writer in the middle of its work."""


def _half(part: Path) -> None:
    part.write_text("half")
    raise WriterFails


def test_a_failing_writer_leaves_the_old_content_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    write_text(path, "old")
    with pytest.raises(WriterFails):
        write_atomically(path, _half)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failing_writer_creates_nothing(tmp_path: Path) -> None:
    with pytest.raises(WriterFails):
        write_atomically(tmp_path / "new" / "table.txt", _half)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_writer_that_writes_no_file_fails(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    write_text(path, "old")
    with pytest.raises(FileNotFoundError):
        write_atomically(path, lambda part: None)
    assert path.read_text() == "old"


def test_the_writer_sees_the_ending_of_the_file(tmp_path: Path) -> None:
    seen: list[Path] = []

    def write(part: Path) -> None:
        seen.append(part)
        part.write_bytes(b"png")

    write_atomically(tmp_path / "figure.png", write)
    assert seen[0].suffix == ".png"
    assert seen[0].parent == tmp_path
    assert not seen[0].exists()


def _write_repeatedly(path: Path, letter: str, times: int) -> None:
    for _ in range(times):
        write_text(path, letter * SIZE)


def test_two_processes_never_mix_their_content(tmp_path: Path) -> None:
    path = tmp_path / "shared.txt"
    write_text(path, "a" * SIZE)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_repeatedly, args=(path, letter, 40)) for letter in "ab"]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers) or not reads:
        content = path.read_text()
        assert len(content) == SIZE
        assert content == content[0] * SIZE
        reads += 1
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert list(tmp_path.iterdir()) == [path]


def _begin_and_wait(path: Path) -> None:
    def slow(part: Path) -> None:
        part.write_text("half")
        path.with_name("begun").touch()
        time.sleep(60)

    write_atomically(path, slow)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that cannot be handled")
def test_a_killed_writer_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    write_text(path, "old")
    writer = multiprocessing.get_context("spawn").Process(target=_begin_and_wait, args=(path,))
    writer.start()
    while writer.is_alive() and not path.with_name("begun").exists():
        time.sleep(0.01)
    assert writer.pid is not None
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    assert path.read_text() == "old"


@given(text=st.text(st.characters(codec="utf-8")))
def test_text_is_written_as_it_is(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("text") / "note.txt"
    write_text(path, text)
    assert path.read_bytes() == text.encode()


@given(content=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda s: st.lists(s, max_size=3)))
def test_json_is_read_back(tmp_path_factory: pytest.TempPathFactory, content: object) -> None:
    path = tmp_path_factory.mktemp("json") / "settings.json"
    write_json(path, content)
    assert json.loads(path.read_text(encoding="utf-8")) == content


def test_what_a_killed_process_left_is_deleted_by_the_next_write(tmp_path: Path) -> None:
    command = (
        "import os, signal, sys\n"
        "from infoflow.core.files import is_incomplete, write_atomically\n"
        "write_atomically(sys.argv[1], lambda part: (part.write_bytes(b'1'), os.kill(os.getpid(), signal.SIGKILL)))\n"
    )
    subprocess.run([sys.executable, "-c", command, str(tmp_path / "a.txt")], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    [left] = tmp_path.iterdir()
    assert is_incomplete(left)
    write_text(tmp_path / "b.txt", "other")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]
    write_text(tmp_path / "a.txt", "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "b.txt"]


def test_a_sealed_file_is_refused_once_a_bit_differs(tmp_path: Path) -> None:
    write_sealed(tmp_path / "file", b"test 1", b"content")
    good = (tmp_path / "file").read_bytes()
    for position in range(len(good)):
        (tmp_path / "file").write_bytes(good[:position] + bytes([good[position] ^ 4]) + good[position + 1 :])
        with pytest.raises(BrokenStore):
            read_sealed(tmp_path / "file", b"test 1")
