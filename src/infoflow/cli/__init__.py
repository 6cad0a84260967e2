"""The command line, `infoflow COMMAND ...`; the only subpackage that prints."""

from __future__ import annotations

from infoflow.cli.main import main

__all__ = ["main"]
