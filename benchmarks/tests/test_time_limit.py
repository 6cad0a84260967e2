"""A limit of processor time: what exceeds it is stopped and recorded as such, and what does not is unchanged."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from typing import Any

import pytest
from infoflow_benchmarks.accuracy import Cell, measure
from infoflow_benchmarks.time_limit import OutOfTime, at_most

from infoflow.core.errors import InvalidArgument
from infoflow.core.estimate import Estimate, Kind
from infoflow.tasks import bivariate


@dataclass(frozen=True)
class Busy:
    """An estimator that uses some CPU seconds, and catches every `Exception`."""

    cpu_seconds: float

    def estimate(self, x: Any, y: Any) -> Estimate:
        start = time.process_time()
        while time.process_time() - start < self.cpu_seconds:
            try:
                sum(range(1000))
            except Exception:
                continue
        return Estimate(0.4, "I(X;Y)", Kind.POINT, "busy", len(x), parameters={})


def test_an_estimate_beyond_the_limit_is_recorded_as_such() -> None:
    start = time.process_time()
    found = measure(Cell("busy", Busy(60), bivariate(0.75), 50, 0, limit=0.1))
    assert time.process_time() - start < 2
    assert found.nats is None
    assert found.failure == "No estimate: more than 0.1 CPU seconds."


def test_an_estimate_within_the_limit_is_unchanged() -> None:
    before = signal.getsignal(signal.SIGPROF)
    assert measure(Cell("busy", Busy(0), bivariate(0.75), 50, 0, limit=20)).nats == 0.4
    assert signal.getsignal(signal.SIGPROF) is before
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0)


def test_sleeping_does_not_count() -> None:
    with at_most(0.2):
        time.sleep(0.4)


def test_cells_with_another_limit_are_other_cells() -> None:
    cells = [Cell("busy", Busy(0), bivariate(0.75), 50, 0, limit) for limit in (None, 1.0, 2.0)]
    assert len({cell.key for cell in cells}) == 3


def test_a_system_without_timers_refuses_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "setitimer")
    with pytest.raises(InvalidArgument, match="^limit must be None"), at_most(1):
        raise OutOfTime
