"""What tests of several subpackages share, and the counts of attacks that the closing line reports."""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch

# No test is timed: a busy machine would fail it.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

Processes = Callable[[Path, Sequence[Sequence[Any]]], None]
Group = Callable[[Path, Sequence[int], Path], tuple[Any, list[Any]]]

_TALLY: Counter[str] = Counter()

# Importing torch._dynamo, which every optimizer does, takes as long as torch itself.
PRELOADED = ["torch", "torch._dynamo", "infoflow.objectives", "infoflow.profiles"]

# What a process runs: the script with its arguments and errors in a file, as `python SCRIPT ARGUMENTS 2> FILE` does.
COMMAND = """
import os, runpy, sys
os.dup2(os.open({errors!r}, os.O_WRONLY | os.O_CREAT), 2)
sys.argv = {arguments!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="session")
def run_processes(tmp_path_factory: pytest.TempPathFactory) -> Processes:
    """`run_processes(script, [arguments, ...])` runs a script in as many processes and fails where one fails.

    The processes are copies of one that has imported torch already, since importing it takes seconds in each.
    """
    context = multiprocessing.get_context("forkserver")
    folder = tmp_path_factory.mktemp("processes")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("OMP_NUM_THREADS", "1")
        environment.setenv("GLOO_SOCKET_IFNAME", "lo")
        context.set_forkserver_preload(PRELOADED)
        multiprocessing.forkserver.ensure_running()

    def run(script: Path, arguments: Sequence[Sequence[Any]]) -> None:
        processes = []
        for number, each in enumerate(arguments):
            errors = folder / f"errors{number}"
            errors.write_bytes(b"")
            command = COMMAND.format(errors=str(errors), arguments=[str(script), *map(str, each)])
            processes.append((context.Process(target=exec, args=(command,)), errors))
        try:
            for process, _ in processes:
                process.start()
            for process, errors in processes:
                process.join(300)
                assert process.exitcode == 0, errors.read_text(encoding="utf-8", errors="replace")
        finally:
            for process, _ in processes:
                if process.pid is not None:
                    process.kill()
                    process.join()

    return run


@pytest.fixture(scope="session")
def process_group(run_processes: Processes) -> Group:
    """`process_group(worker, sizes, folder)` starts `worker RANK SIZES FOLDER` as rank −1 and as each rank of a group.

    Returns what rank −1, the reference of one process, left in FOLDER/reference.pt, and what each rank left.
    """
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        pytest.skip("this build of torch has no gloo")

    def run(worker: Path, sizes: Sequence[int], folder: Path) -> tuple[Any, list[Any]]:
        listed = ",".join(map(str, sizes))
        run_processes(worker, [(rank, listed, folder) for rank in range(-1, len(sizes))])
        ranks = [torch.load(folder / f"rank{rank}.pt", weights_only=True) for rank in range(len(sizes))]
        return torch.load(folder / "reference.pt", weights_only=True), ranks

    return run


@pytest.fixture(scope="session")
def tally() -> Counter[str]:
    """Attacks by kind; a test adds what it tried."""
    return _TALLY


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the counts of a worker of pytest-xdist to the process that reports."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["attacks"] = dict(_TALLY)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the counts of a worker of pytest-xdist."""
    _TALLY.update(getattr(node, "workeroutput", {}).get("attacks", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report the counts in the closing lines."""
    if _TALLY:
        terminalreporter.write_line("robustness: " + ", ".join(f"{count} {kind}" for kind, count in _TALLY.items()))
