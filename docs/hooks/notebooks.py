"""Badges that open a notebook of the repository in Colab, whose address follows from that of the repository."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MARK = re.compile(r"<!-- colab: (\S+) -->")


def badges(markdown: str, repository: str) -> str:
    """Replace each mark `<!-- colab: PATH -->` by a link to the notebook in Colab.

    The link is a text: a badge's image would be loaded from elsewhere.
    """
    name = urlsplit(repository).path
    address = f"https://colab.research.google.com/github{name}/blob/main"
    return MARK.sub(lambda match: f"[Open in Colab]({address}/{match[1]}){{ .md-button }}", markdown)
