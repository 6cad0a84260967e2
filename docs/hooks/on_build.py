"""Hooks of mkdocs: pages that are generated from the library, the gallery's scripts and the committed results."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import benchmark_pages  # noqa: E402  # found beside this file
import gallery  # noqa: E402
import notebooks  # noqa: E402
import reference  # noqa: E402
import result_pages  # noqa: E402

ROOT = HERE.parents[1]
FOLDERS = {
    "gallery/": gallery.pages,
    "notebooks/": lambda root: notebooks.pages(root, repository()),
    "reference/": reference.pages,
    "results/": result_pages.pages_of,
    "benchmarks/": benchmark_pages.pages,
}

_made: list[File] = []


def repository() -> str:
    """The repository's address, which only pyproject.toml states."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"])


def on_config(config: Any) -> Any:
    """Make the generated pages, and replace each folder of the navigation by its pages."""
    # Not as repo_url: the theme would then load the repository's statistics from elsewhere.
    config.extra["repository"] = repository()
    config.extra["social"] = [{"icon": "fontawesome/brands/git-alt", "link": repository(), "name": "Repository"}]
    _made.clear()
    for entry in config.nav:
        (title, target), *_ = entry.items()
        if isinstance(target, str) and target in FOLDERS:
            section, files = FOLDERS[target](ROOT)
            entry[title] = section
            _made.extend(File.generated(config, uri, **source) for uri, source in files.items())
    _made.append(File.generated(config, "changelog.md", content=(ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages; scripts and notebooks have pages of their own."""
    for file in _made:
        files.append(file)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Replace `repo:PATH` in links by the address of a file of the repository."""

    def link(match: re.Match[str]) -> str:
        if not (ROOT / match[1].split("#")[0]).exists():
            raise PluginError(f"{page.file.src_uri} links to {match[1]}, which the repository does not have.")
        return f"]({config.extra['repository']}/blob/main/{match[1]})"

    return re.sub(r"\]\(repo:([^)]+)\)", link, markdown)
