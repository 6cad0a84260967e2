"""The gallery: every script of docs/gallery is run in the build, and its page begins with its picture.

Results are cached in build/gallery under a digest of the script and of the library's sources.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

RUNNER = Path(__file__).with_name("run_scripts.py")


def pages(root: Path) -> tuple[list[Any], dict[str, dict[str, str]]]:
    """Navigation and generated files of the gallery."""
    files: dict[str, dict[str, str]] = {}
    navigation: list[Any] = ["gallery/index.md"]
    thumbnails = []
    for script, done in run(scripts(root), root).items():
        title, text, code = parts(script)
        pictures = sorted(done.glob("figure-*.png"))
        if not pictures:
            raise PluginError(f"{script.name} drew no picture.")
        for picture in pictures:
            files[f"gallery/images/{script.stem}-{picture.name}"] = {"abs_src_path": str(picture)}
        images = [f"![{title}](images/{script.stem}-{picture.name})" for picture in pictures]
        printed = (done / "stdout.txt").read_text(encoding="utf-8")
        page = [f"# {title}", "", "<div class='picture' markdown>", *images, "</div>", "", text, ""]
        page += ["```python", code, "```", ""]
        if printed.strip():
            page += ["It prints:", "", "```text", printed.rstrip(), "```", ""]
        page += [f"Download as a [script]({script.name}) or as a [notebook]({script.stem}.ipynb).", ""]
        files[f"gallery/{script.stem}.md"] = {"content": "\n".join(page)}
        files[f"gallery/{script.stem}.ipynb"] = {"content": notebook(title, text, code)}
        navigation.append({title: f"gallery/{script.stem}.md"})
        thumbnails.append(
            f"<a href='{script.stem}.html'><img src='images/{script.stem}-{pictures[0].name}' alt=''>{title}</a>"
        )
    intro = (
        "Short scripts, from one number to the information plane of a ResNet. The build of this site runs each of them."
    )
    content = ["# Gallery", "", intro, "", f"<div class='thumbnails'>{''.join(thumbnails)}</div>", ""]
    files["gallery/index.md"] = {"content": "\n".join(content)}
    return navigation, files


def scripts(root: Path) -> list[Path]:
    """The scripts in the order of their names."""
    return sorted((root / "docs" / "gallery").glob("*.py"))


def parts(script: Path) -> tuple[str, str, str]:
    """Title, text and code of a script: the first line of its docstring, the rest of it, and what follows."""
    source = script.read_text(encoding="utf-8")
    tree = ast.parse(source)
    title, _, text = (ast.get_docstring(tree) or "").partition("\n\n")
    if not title or not text:
        raise PluginError(f"{script.name} must begin with a docstring of a title and a paragraph.")
    code = "\n".join(source.splitlines()[tree.body[0].end_lineno :]).strip()
    return title.rstrip("."), text, code


def notebook(title: str, text: str, code: str) -> str:
    """The script as a notebook of two cells."""
    cells = [
        {"cell_type": "markdown", "id": "text", "metadata": {}, "source": f"# {title}\n\n{text}"},
        {
            "cell_type": "code",
            "id": "code",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": f"{code}",
        },
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def run(chosen: list[Path], root: Path) -> dict[Path, Path]:
    """Run the scripts whose results are not in the cache, and return the folder of each."""
    folders = {script: root / "build" / "gallery" / digest(script, root) for script in chosen}
    new = {script: folder for script, folder in folders.items() if not (folder / "stdout.txt").exists()}
    if new:
        command = [sys.executable, str(RUNNER), *[str(path) for pair in new.items() for path in pair]]
        environment = {**os.environ, "MPLBACKEND": "Agg"}
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            raise PluginError(f"A script of the gallery failed:\n{done.stderr[-3000:]}")
    return folders


def digest(script: Path, root: Path) -> str:
    """Digest of a script, its runner and the library."""
    found = hashlib.sha256()
    for path in [script, RUNNER, *sorted((root / "src" / "infoflow").rglob("*.py"))]:
        found.update(path.relative_to(root).as_posix().encode())
        found.update(path.read_bytes())
    return f"{script.stem}-{found.hexdigest()[:16]}"
