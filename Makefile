# `make demo` and `make test` need Python 3.10+ and make; they set up .venv by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/uv pip install --python $(BIN)/python --constraint constraints.txt
READY := $(VENV)/.ready
MODELS_READY := $(VENV)/.models-ready

# what needs neither FiftyOne nor torch
QUICK := tests/geometry tests/scores tests/selection tests/sources tests/files tests/cli tests/*.py

.PHONY: demo test quick check format setup models constraints clean

demo: $(READY)  ## score, prune and export a drawn dataset, or COCO=file IMAGES=folder; APP=0: no App
	$(BIN)/python -m demo $(if $(COCO),--coco "$(COCO)") $(if $(IMAGES),--images "$(IMAGES)") $(if $(filter 0,$(APP)),--no-app)

test: $(MODELS_READY)  ## all tests, models and the App in a browser included
	$(BIN)/python scripts/ensure_chromium.py
	$(BIN)/python -m pytest $(ARGS)

quick: $(READY)  ## what tests the library and the command line in under two minutes
	$(BIN)/python -m pytest --numprocesses 2 -m "not slow" $(QUICK) $(ARGS)

check: $(READY)  ## format, lint, types, and which package may import which
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: $(READY)

models: $(MODELS_READY)  ## torch and what goes with it, for the model-based scores (5 GB)

$(READY): pyproject.toml constraints.txt scripts/ensure_mongod.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "tfdp needs Python 3.10 or newer, but $(PYTHON) is " + sys.version.split()[0])'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade uv
	$(PIP) --quiet --editable ".[dev]"
	$(BIN)/python scripts/ensure_mongod.py
	touch $@

$(MODELS_READY): $(READY)
	$(PIP) --quiet --editable ".[dev,models]"
	touch $@

constraints:  ## the newest versions that fit, for every Python that is supported
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --all-extras --upgrade \
		--no-header --no-annotate --no-emit-index-url --output-file constraints.txt pyproject.toml

clean:
	rm -rf $(VENV) demo-output test-output
