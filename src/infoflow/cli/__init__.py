"""`infoflow COMMAND ...`: a thin shell over the library; only this room prints."""

from __future__ import annotations

from infoflow.cli.main import main

__all__ = ["main"]
