# Everything a person or CI runs. Needs only Python >= 3.11 and make; the rest lands in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/installed
EXTRAS := .venv-extras
SUPPORTED := $(PYTHON) -c 'import sys; sys.exit("infoflow needs Python >= 3.11, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'

.PHONY: demo test test-slow test-extras coverage bench-check lint format docs docs-check release-check clean

demo: $(VENV)/runs  ## train, record, analyse and draw the default information plane
	$(BIN)/infoflow plane --output runs/demo --overwrite

# One thread for each of the processes, which would otherwise compete for the processors.
test: $(STAMP)  ## the default suite, on all processors
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal --durations 40

test-slow: $(STAMP)  ## everything, the minutes-long reproductions included
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "" --numprocesses auto --dist worksteal --timeout 3600 --durations 40

coverage: $(STAMP)  ## the default suite, and the share of the library's lines and branches that it runs
	$(BIN)/python -m pip install --quiet pytest-cov
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist worksteal \
		--cov=infoflow --cov-branch --cov-report=term:skip-covered --cov-report=html:build/coverage

# The extras in an environment of their own: torchvision requires the torch that it was built with.
test-extras: $(EXTRAS)/installed  ## the tests that the default suite skips because an extra isn't there
	$(EXTRAS)/bin/python -m pytest tests/models tests/integrations reproductions/tests/test_information_plane.py \
		tests/plane/test_cluster.py tests/plane/test_memory.py

# Takes up to an hour and requires an idle machine, so it is no part of CI.
bench-check: $(STAMP)  ## the committed ratios of times again; fails where one fell by more than 20 %
	OMP_NUM_THREADS=1 $(BIN)/infoflow bench check

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/codespell $$(git ls-files ':!*tests/*')

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/docs-installed  ## the site in build/site; a broken link or a failing example is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build
	@echo "open build/site/index.html"

docs-check: docs  ## the site, every page of it opened in a browser
	$(BIN)/python -m pytest -m slow tests/test_site.py

# The wheel is installed in an environment of its own, where the Python of the README runs.
release-check: $(STAMP)
	rm -rf dist .venv-release
	$(BIN)/python -m pip install --quiet build twine
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m twine check --strict dist/*
	tag=$$(git describe --tags --exact-match 2>/dev/null || true); \
		version=v$$($(BIN)/python -c 'import tomllib; print(tomllib.load(open("pyproject.toml", "rb"))["project"]["version"])'); \
		test -z "$$tag" -o "$$tag" = "$$version" || { echo "the tag $$tag is not $$version of pyproject.toml"; exit 1; }
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/python -m pip install --quiet --constraint constraints.txt torch
	.venv-release/bin/python -m pip install --quiet --constraint constraints.txt dist/*.whl pytest
	.venv-release/bin/python -m pytest -c /dev/null -p no:cacheprovider tests/test_readme.py -k python_of_the_readme

# The library alone, which installs in a fraction of the time of the tools for development; Python compiles the modules
# that are used on their first import, not pip all of them.
$(VENV)/runs: pyproject.toml constraints.txt
	$(SUPPORTED)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt --editable .
	touch $@

$(VENV)/docs-installed: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,docs]'
	touch $@

# A stamp, so that a second run reuses the environment; torch goes first so that the small build is found.
$(STAMP): pyproject.toml reproductions/pyproject.toml benchmarks/pyproject.toml constraints.txt
	$(SUPPORTED)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]' --editable reproductions --editable benchmarks
	touch $(STAMP) $(VENV)/runs

$(EXTRAS)/installed: pyproject.toml reproductions/pyproject.toml benchmarks/pyproject.toml
	$(SUPPORTED)
	test -x $(EXTRAS)/bin/python || $(PYTHON) -m venv $(EXTRAS)
	$(EXTRAS)/bin/python -m pip install --quiet --no-compile --editable '.[all,dev]' --editable reproductions --editable benchmarks
	touch $@

clean:
	rm -rf $(VENV) $(EXTRAS) .venv-release build dist .pytest_cache .mypy_cache .ruff_cache
