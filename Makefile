# The two commands of the README: `make demo` and `make test`. Each sets itself up; needs Python >= 3.11, pip and
# a package index. Nothing is fetched at run time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test tests lint test-slow coverage bench study licences sbom audit clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints/base.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] < (3, 14) else f"Python 3.11 to 3.13 is needed, this is {v[0]}.{v[1]}: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints/base.txt
	@touch $(STAMP)

demo: setup
	@$(BIN)/psychosafe demo

# mypy fills one processor: beside the tests, not before them.
test: setup
	@$(MAKE) --no-print-directory -j 2 lint tests

# Compiled once, not by each of the many processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE

# One more than there are processors: some wait for browsers and servers.
WORKERS = $(shell $(BIN)/python -c 'import os; print(1 + len(os.sched_getaffinity(0)))' 2>/dev/null || echo auto)

tests: setup
	$(BIN)/python -m pytest -m 'not slow' -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Lines and branches that the quick tests reach, in whatever process: docs/untested.md. Takes about twice as long.
coverage: setup
	rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest -m 'not slow' -n $(WORKERS) --dist loadfile --no-loadscope-reorder
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage json --quiet -o .coverage.json
	$(BIN)/python -m scripts.untested .coverage.json
	rm -f .coverage .coverage.*

# Each of these is long and most stand alone: whoever is free takes the next one.
test-slow: setup
	$(BIN)/python -m pytest -m slow -n $(WORKERS) --dist load --maxschedchunk 1

bench: setup
	$(BIN)/python -m bench

# About an hour on two processors; writes docs/coverage.md, docs/coverage-comparisons.md (15 minutes of it) and
# judges/agreement/coverage.json.
study: setup
	nice $(BIN)/python -m bench.study
	nice $(BIN)/python -m bench.sweeps

licences: setup
	$(BIN)/python -m scripts.licences

# The bill of materials that goes with a release.
sbom: setup
	$(BIN)/python -m scripts.sbom sbom.json

# Offline: ADVISORIES is a folder of advisories in the OSV format (scripts/audit.py).
audit: setup
	$(BIN)/python -m scripts.audit $(ADVISORIES)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
