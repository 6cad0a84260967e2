"""Small language models, trained on text that ships with Python and measured layer by layer through training."""

from __future__ import annotations
