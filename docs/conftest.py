"""Pages whose examples need an extra are collected where it is installed; its own warnings are no fault of the page."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterator

import pytest

EXTRAS = {"how-to/lightning.md": "lightning", "how-to/transformers.md": "transformers"}

collect_ignore = [page for page, module in EXTRAS.items() if importlib.util.find_spec(module) is None]


@pytest.fixture(autouse=True)
def _warnings_of_extras(request: pytest.FixtureRequest) -> Iterator[None]:
    with warnings.catch_warnings():
        if any(str(request.node.path).endswith(page) for page in EXTRAS):
            warnings.simplefilter("ignore")
        yield
