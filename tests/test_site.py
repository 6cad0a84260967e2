"""The documentation: no public name is missing from the reference, and every page of the built site works in a browser.

`make docs-check` builds the site and runs the slow tests.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

import infoflow

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SITE = ROOT / "build" / "site"
SCRIPTS = sorted((DOCS / "gallery").glob("*.py"))
NOTEBOOKS = sorted((DOCS / "notebooks").glob("*.ipynb"))
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


def _hook(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{name}_of_the_site", DOCS / "hooks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    return _hook("reference")


def test_every_public_name_is_in_the_reference(reference: ModuleType) -> None:
    _, files = reference.pages(ROOT)
    text = "\n".join(source["content"] for source in files.values())
    expected = set()
    for name in infoflow.__all__:
        thing = getattr(infoflow, name)
        if inspect.ismodule(thing):
            expected |= {f"infoflow.{name}.{inner}" for inner in getattr(thing, "__all__", [])}
        elif name != "__version__":
            expected.add(f"infoflow.{name}")
    assert len(expected) > 250
    documented = set()
    for line in text.splitlines():
        if line.startswith("::: "):
            documented.add(line.removeprefix("::: "))
    for name in expected - documented:  # a name of two modules is documented once
        module, attribute = name.rsplit(".", 1)
        thing = getattr(importlib.import_module(module), attribute)
        places = [other for other in documented if other.rsplit(".", 1)[1] == attribute]
        assert any(getattr(importlib.import_module(p.rsplit(".", 1)[0]), attribute) is thing for p in places), name


def test_the_reference_documents_each_object_once(reference: ModuleType) -> None:
    _, files = reference.pages(ROOT)
    lines = [line for source in files.values() for line in source["content"].splitlines() if line.startswith("::: ")]
    assert len(lines) == len(set(lines))


def test_pages_of_benchmarks_are_filled_and_link_to_files_of_the_site() -> None:
    navigation, files = _hook("benchmark_pages").pages(ROOT)
    titles = [page if isinstance(page, str) else next(iter(page.values())) for page in navigation]
    assert set(titles) <= set(files)
    assert all(Path(file["abs_src_path"]).is_file() for file in files.values() if "abs_src_path" in file)
    for name, file in files.items():
        text = file.get("content", "")
        assert "<!--" not in text, name
        for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            assert (Path(name).parent / link).as_posix() in files, (name, link)


def test_scripts_of_the_gallery_are_short_and_explained() -> None:
    assert len(SCRIPTS) >= 15
    for script in SCRIPTS:
        source = script.read_text(encoding="utf-8")
        title, _, text = (ast.get_docstring(ast.parse(source)) or "").partition("\n\n")
        assert title.endswith((".", "?")), script.name
        assert text, script.name
        assert len(source.splitlines()) <= 45, script.name


def test_notebooks_hold_no_output() -> None:
    assert len(NOTEBOOKS) == 3
    for notebook in NOTEBOOKS:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        assert content["nbformat"] == 4
        assert [cell.get("outputs", []) for cell in content["cells"]] == [[]] * len(content["cells"])


def test_the_navigation_names_pages_that_exist() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")

    def leaves(node: Any) -> Iterator[str]:
        if isinstance(node, str):
            yield node
        else:
            for child in node.values() if isinstance(node, dict) else node:
                yield from leaves(child)

    generated = {"changelog.md"}
    named = [page for page in leaves(yaml.safe_load(text)["nav"]) if not page.endswith("/") and page not in generated]
    assert [page for page in named if not (DOCS / page).exists()] == []
    present = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")} - {"hooks/benchmarks.md"}
    assert present == set(named)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright isn't installed")
    if BROWSER is None:
        pytest.skip("no Chromium on this machine")
    if not (SITE / "index.html").exists():
        pytest.skip("the site is not built; `make docs` builds it")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=BROWSER, args=["--headless", "--no-sandbox"])
        yield started
        started.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("default::DeprecationWarning", "default::ResourceWarning")
def test_every_page_opens_without_an_error_and_with_its_pictures(browser: Any) -> None:
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.on("console", lambda m: complaints.append(f"{page.url}: {m.text}") if m.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "about:")) else complaints.append(r.url))
    pages = sorted(path for path in SITE.rglob("*.html") if path.name != "404.html")  # which only a server shows
    assert len(pages) > 80
    for path in pages:
        page.goto(path.as_uri())
        broken = page.evaluate("() => [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src)")
        complaints += [f"{path}: {source}" for source in broken]
        assert page.locator("h1").count() >= 1, path
    assert complaints == []
    page.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("default::DeprecationWarning", "default::ResourceWarning")
def test_the_search_finds_transfer_entropy_without_a_server(browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.goto((SITE / "index.html").as_uri())
    page.fill("input.md-search__input", "transfer entropy")
    page.wait_for_selector(".md-search-result__item", timeout=20_000)
    titles = page.locator(".md-search-result__item").all_text_contents()
    assert any("transfer_entropy" in title or "Time series" in title for title in titles[:5]), titles
    page.close()
