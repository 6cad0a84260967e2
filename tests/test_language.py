"""Phrases and spellings that must not come back into text that a person reads."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENDINGS = {".py", ".md", ".js", ".css", ".html", ".toml", ".csv", ".yml", ".yaml"}

# Each with what to write instead.
PHRASES = {
    r"can'?t tell": "inconclusive",
    r"strangers?": "negatives, marginal samples",
    r"the seeds (?:can|could|see|say|tell|don)\w*": "no significant difference",
    r"rulers?": "bin width, bandwidth, measurement scale",
    r"heirs?": "subclasses",
    r"told (?:from|by|apart)": "distinguished, discriminated",
    r"people run today": "existing implementations",
    r"(?:the|a|this|each|every) rooms?": "subpackage",
    r"goes? out bare": "always carries",
    r"anybody's loop": "your own training loop",
    r"\S*; want": "must be ..., got ...",
    r"belongs? into": "pass these to",
    r"(?:code|docs?|row|page|it|estimate|result|name|message) (?:tells|knows)": "states, shows, contains",
    r"refused by name": "raises an error that names the argument",
    r"\w*neighbour\w*": "neighbor",
    r"(?:un)?(?:normal|standard|regular|initial|optim|quant|general|minim|maxim)is(?:e[ds]?|ing|ations?)": "-ize",
    r"optimisers?|regularisers?|penalis(?:e[ds]?|ing)|summaris(?:e[ds]?|ing)": "-ize",
    r"behaviours?": "behavior",
    r"colour\w*": "color",
    r"cent(?:re[ds]?|ring)": "center",
    r"labelled|labelling": "labeled, labeling",
    r"grey\w*": "gray",
    r"catalogues?": "catalog",
}

# Text that quotes: this list, the titles of papers, licenses.
EXCEPTIONS = {"tests/test_language.py", "LICENSE", "CHANGELOG.md"}  # the last lists former names
TITLES = ("nearest neighbour distances", "Opening the black box")


def files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [ROOT / name for name in listed.stdout.splitlines() if name not in EXCEPTIONS]
    return [path for path in paths if path.suffix in ENDINGS and path.is_file()]


def test_phrases_of_the_list_do_not_occur() -> None:
    pattern = re.compile("|".join(rf"(?<![\w-])(?:{phrase})(?![\w])" for phrase in PHRASES), re.IGNORECASE)
    found = []
    for path in files():
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            hit = pattern.search(line)
            if hit and not any(title in line for title in TITLES):
                found.append(f"{path.relative_to(ROOT)}:{number}: {hit.group()!r} in {line.strip()[:100]!r}")
    assert found == []


@pytest.mark.parametrize(
    "text", ["the seeds can't tell them apart", "nearest neighbours", "n is 3; want 4", "normalised", "a room"]
)
def test_the_patterns_find_the_phrases(text: str) -> None:
    pattern = re.compile("|".join(rf"(?<![\w-])(?:{phrase})(?![\w])" for phrase in PHRASES), re.IGNORECASE)
    assert pattern.search(text)
