from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from infoflow.core.provenance import machine, plain


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (True, True),
        (None, None),
        (math.nan, "nan"),
        (Path("a") / "b", "a/b"),
        (torch.float32, "torch.float32"),
        (torch.tensor([1.5, math.inf]), [1.5, "inf"]),
        (np.arange(3), [0, 1, 2]),
        ({1: {"a": (1, [2.5])}}, {"1": {"a": [1, [2.5]]}}),
    ],
)
def test_everything_becomes_json(value: Any, expected: Any) -> None:
    assert plain(value) == expected
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == expected


def test_the_machine_is_described() -> None:
    facts = machine()
    assert facts["torch"] == torch.__version__
    assert facts["time"].endswith("+00:00")
    assert plain(facts) == facts
