"""Counts of the attacks, which the closing lines of a run of the suite report."""

from __future__ import annotations

from collections import Counter

import pytest

_TALLY: Counter[str] = Counter()


@pytest.fixture(scope="session")
def tally() -> Counter[str]:
    """Attacks by kind; a test adds what it tried."""
    return _TALLY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _TALLY:
        terminalreporter.write_line("robustness: " + ", ".join(f"{count} {kind}" for kind, count in _TALLY.items()))
