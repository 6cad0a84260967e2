"""Where processes disagree or one does not arrive, an error on every process states who has what or who is absent."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from infoflow.core.agreement import agreeing, comparing_settings

WORKER = Path(__file__).with_name("agreement_worker.py")
EXPECTED = {
    "bound": ("tau of smile", "5.0", "6.0"),
    "critic": ("n_negatives of Concatenated", "2", "3"),
    "objective": ("entropy_weight of MutualInformationLoss", "10.0", "20.0"),
    "deep infomax": ("beta of DeepInfoMax", "1.0", "2.0"),
    "accumulator": ("seed of SoftEntropyAccumulator", "0", "1"),
}


@pytest.fixture(scope="module")
def processes(process_group: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return process_group(WORKER, [1, 1, 1], tmp_path_factory.mktemp("group"))[1]


@pytest.mark.parametrize("case", EXPECTED)
def test_settings_that_differ_are_named_on_every_process(processes: Any, case: str) -> None:
    name, first, second = EXPECTED[case]
    for found in processes:
        kind, message = found[case]
        assert kind == "InvalidArgument"
        assert message.startswith(f"{name} must be the same on all processes, got {first} on process 0, ")
        assert f"{second} on process 1" in message


def test_networks_that_differ_are_shown_where_they_differ(processes: Any) -> None:
    for found in processes:
        _, message = found["training"]
        assert "of training must be the same on all processes" in message
        assert "out_features=3" in message
        assert "out_features=2" in message
        assert len(message) < 600


def test_different_bounds_are_refused_on_every_process(processes: Any) -> None:
    assert all(kind == "InvalidArgument" for kind, _ in (found["registered bound"] for found in processes))


def test_after_a_refusal_the_processes_still_work_together(processes: Any) -> None:
    assert [found["total"] for found in processes] == [3.0, 3.0, 3.0]


def test_a_timeout_names_the_process_that_is_missing(processes: Any) -> None:
    worker = runpy.run_path(str(WORKER))
    for rank, found in enumerate(processes):
        if rank == worker["ABSENT"]:
            continue
        kind, message = found["missing"]
        assert kind == "MissingProcess"
        assert "(gather) was not called by process 1 (its last: collective" in message
        assert "process 0" not in message
        assert "process 2" not in message
        assert found["waited"] < worker["TIMEOUT"] + 10


def test_without_a_group_nothing_is_compared() -> None:
    @comparing_settings
    def doubled(value: float, *, group: Any = None) -> float:
        return 2 * value

    assert doubled(3.0) == 6.0
    with agreeing(None, "training", {"epochs": 1}):
        pass
