"""Every warning and error in the log states a cause, its consequence and a remedy; found by searching the source."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import infoflow
from infoflow.integrations.snapshots import Survived

SOURCE = Path(infoflow.__file__).parent
ROOT = SOURCE.parents[1]
PACKAGES = (SOURCE, ROOT / "reproductions" / "infoflow_reproductions", ROOT / "benchmarks" / "infoflow_benchmarks")

# Words by which a sentence connects a cause with its consequence, and those that begin a remedy.
CONSEQUENCE = re.compile(r"\bso\b|\bsince\b|\bbecause\b|left out|no value|again|instead|continues")
REMEDY = re.compile(r"\b([Pp]ass|Set|Restore|Use|Install|install)\b|\bagain\b")

# Messages that end with the error of the library, which holds the remedy.
ENDS_WITH_AN_ERROR = re.compile(r"%s$")


def messages() -> Iterator[tuple[str, str]]:
    """Where a warning or error is logged, and its text."""
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("warning", "error", "exception", "critical")
                    and getattr(node.func.value, "id", "").strip("_").lower() in ("log", "logger")
                ):
                    [text] = [ast.literal_eval(node.args[0])]
                    yield f"{path.name}:{node.lineno}", text


FOUND = dict(messages())


def test_there_are_messages() -> None:
    assert len(FOUND) >= 8


@pytest.mark.parametrize("where", FOUND)
def test_a_message_states_cause_consequence_and_remedy(where: str) -> None:
    text = FOUND[where]
    assert CONSEQUENCE.search(text), text
    assert REMEDY.search(text) or ENDS_WITH_AN_ERROR.search(text), text
    assert ENDS_WITH_AN_ERROR.search(text) or text.endswith("."), text


def test_what_a_training_survives_is_kept_with_its_consequence(caplog: pytest.LogCaptureFixture) -> None:
    failures: list[str] = []
    with caplog.at_level(logging.ERROR), Survived("no snapshot of epoch 2", False, failures):
        raise ValueError("the disk is full.")
    assert failures == ["the disk is full, so no snapshot of epoch 2"]
    assert "the disk is full, so no snapshot of epoch 2. The training continues; pass on_error" in caplog.text
    with pytest.raises(ValueError, match="full"), Survived("no snapshot", True, failures):
        raise ValueError("the disk is full.")
