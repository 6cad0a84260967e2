"""Pages of the notebooks: their cells are run in the build, with the output and the pictures of each below it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gallery

MARK = "@@cell"


def pages(root: Path, repository: str) -> tuple[list[Any], dict[str, dict[str, str]]]:
    """Navigation and generated files of the notebooks."""
    files: dict[str, dict[str, str]] = {}
    navigation: list[Any] = []
    colab = f"https://colab.research.google.com/github{urlsplit(repository).path}/blob/main/docs/notebooks"
    notebooks = sorted((root / "docs" / "notebooks").glob("*.ipynb"))
    scripts = {as_script(notebook, root): notebook for notebook in notebooks}
    for script, done in gallery.run(list(scripts), root).items():
        notebook = scripts[script]
        printed = re.split(rf"^{MARK} ?(.*)\n", (done / "stdout.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
        outputs = iter(zip(printed[::2], printed[1::2], strict=False))
        lines: list[str] = []
        shown: set[str] = set()
        for kind, source in cells(notebook):
            if kind == "markdown":
                lines += [source, ""]
                continue
            text, figures = next(outputs)
            lines += ["```python", source, "```", ""]
            lines += ["```text", text.rstrip(), "```", ""] if text.strip() else []
            new = [number for number in figures.split() if number not in shown]
            shown.update(new)
            lines += [f"![Figure {number} of this notebook](images/{notebook.stem}-{number}.png)\n" for number in new]
        badge = f"[![Open in Colab](colab.svg)]({colab}/{notebook.name}) [Download the notebook]({notebook.name})"
        first = f"In Colab, run `%pip install git+{repository}` in a new first cell."
        lines[1:1] = ["", badge, "", first, ""]
        files[f"notebooks/{notebook.stem}.md"] = {"content": "\n".join(lines)}
        for picture in sorted(done.glob("figure-*.png")):
            name = f"notebooks/images/{notebook.stem}-{picture.stem.removeprefix('figure-')}.png"
            files[name] = {"abs_src_path": str(picture)}
        navigation.append(f"notebooks/{notebook.stem}.md")
    return navigation, files


def cells(notebook: Path) -> list[tuple[str, str]]:
    """Kind and text of each cell."""
    found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [(cell["cell_type"], "".join(cell["source"])) for cell in found]


def as_script(notebook: Path, root: Path) -> Path:
    """Write the cells of code as a script that prints, after each, the numbers of the open figures."""
    mark = f"\n__import__('builtins').print({MARK!r}, *__import__('matplotlib.pyplot').pyplot.get_fignums())\n"
    script = root / "build" / "notebooks" / f"{notebook.stem}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    code = "".join(source + "\n" + mark for kind, source in cells(notebook) if kind == "code")
    script.write_text(code, encoding="utf-8")
    return script
