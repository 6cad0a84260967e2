"""English text that ships with Python: the help topics of `pydoc` and the docstrings of the standard library."""

from __future__ import annotations

import ast
import hashlib
import sysconfig
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from infoflow.core.errors import InvalidArgument
from infoflow.core.settings import PositiveInt, validated

_SKIPPED = frozenset(
    {"test", "tests", "idlelib", "lib2to3", "encodings", "site-packages", "dist-packages", "__pycache__"}
)


@dataclass(frozen=True)
class Document:
    """A text with the name of its origin.

    Parameters
    ----------
    name
        Topic or module.
    text
        Printable ASCII and line breaks; other characters are replaced by "?".

    Examples
    --------
    >>> Document("module this", "Beautiful is better than ugly.").name
    'module this'
    """

    name: str
    text: str


@validated
def english(shortest: PositiveInt = 200, modules: Sequence[str] | None = None) -> list[Document]:
    """Return the help topics of `pydoc` and the docstrings of each module of the standard library.

    Parameters
    ----------
    shortest
        Number of characters that a document has at least.
    modules
        Names of the modules and packages whose docstrings are read; None for all.

    Returns
    -------
    list of Document
        Topics, then modules, both in the order of their names.

    Notes
    -----
    Nothing is imported but the topics: docstrings are read from the source files. The text depends on the version of
    Python; where the standard library has no source files, the topics alone are returned.

    Examples
    --------
    >>> documents = english(modules=["random"])
    >>> documents[-1].name, sum(len(document.text) for document in documents) > 300_000
    ('module random', True)
    """
    from pydoc_data.topics import topics

    found = [Document(f"topic {name}", _plain(topics[name])) for name in sorted(topics)]
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.rglob("*.py")):
        place = path.relative_to(library)
        chosen = modules is None or place.parts[0].removesuffix(".py") in modules
        if chosen and not _SKIPPED.intersection(place.parts):
            text = "\n\n".join(_docstrings(path))
            found.append(Document(f"module {'.'.join(place.with_suffix('').parts)}", _plain(text)))
    return [document for document in found if len(document.text) >= shortest]


@validated
def held_out(documents: list[Document], one_in: PositiveInt = 8) -> tuple[list[Document], list[Document]]:
    """Split documents into those to train on and those held out, by a hash of their names.

    Parameters
    ----------
    documents
        All documents.
    one_in
        About one of so many documents is held out.

    Returns
    -------
    tuple of two lists
        Documents to train on, and those held out, in their order.

    Raises
    ------
    InvalidArgument
        If a part would be empty.

    Examples
    --------
    >>> train, test = held_out([Document(str(number), "text") for number in range(100)])
    >>> len(train) + len(test), 5 < len(test) < 25
    (100, True)
    """
    parts: tuple[list[Document], list[Document]] = ([], [])
    for document in documents:
        drawn = int.from_bytes(hashlib.sha256(document.name.encode()).digest()[:4], "big")
        parts[drawn % one_in == 0].append(document)
    if not parts[0] or not parts[1]:
        raise InvalidArgument("documents", "enough for two parts", got_text=str(len(documents)))
    return parts


def _docstrings(path: Path) -> Iterator[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in old sources
            tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text
            waiting.extend(each for each in node.body if isinstance(each, ast.stmt))


def _plain(text: str) -> str:
    lines = text.expandtabs(4).encode("ascii", "replace").decode("ascii").splitlines()
    return "\n".join("".join(letter for letter in line if letter.isprintable()).rstrip() for line in lines).strip()
