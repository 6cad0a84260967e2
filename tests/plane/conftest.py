from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from infoflow.plane import Plane


@pytest.fixture(scope="session")
def make_plane() -> Callable[..., Plane]:
    """The builder of the synthetic plane (tests/plane/synthetic.py)."""
    path = Path(__file__).with_name("synthetic.py")
    spec = importlib.util.spec_from_file_location("synthetic", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    builder: Callable[..., Plane] = module.synthetic_plane
    return builder


@pytest.fixture
def plane(make_plane: Callable[..., Plane]) -> Plane:
    return make_plane()
