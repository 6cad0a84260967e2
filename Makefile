# Everything a person or CI runs. Needs only Python >= 3.11 and make; the rest lands in .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/installed

.PHONY: demo test test-slow lint format clean

demo: $(STAMP)  ## train, record, analyse and draw the default information plane
	$(BIN)/infoflow plane --output runs/demo --overwrite

test: $(STAMP)  ## the default suite
	$(BIN)/python -m pytest

test-slow: $(STAMP)  ## everything, the minutes-long reproductions included
	$(BIN)/python -m pytest -m ""

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# A stamp, so that a second run re-uses the environment; torch goes first so that the small build is found.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("infoflow needs Python >= 3.11, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(STAMP)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
