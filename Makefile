# Every target works on a bare machine with Python 3.11+, git and make; `install` makes .venv once.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo test slow chaos check up lock clean

help:  ## Say what can be done here
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

install: $(STAMP)  ## Make .venv with the pinned packages

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	@# The lock is complete. Left to itself, pip 23 asks for a newer release than the pinned one where an extra is wanted.
	$(BIN)/pip install --quiet --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --no-deps --editable .
	@touch $(STAMP)

demo: $(STAMP)  ## Watch a real speech recogniser improve, and the better model go live (about 4 minutes)
	$(BIN)/speechops demo

test: check  ## Everything that must hold and fits into ten minutes; CI runs exactly this
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not slow"

slow: $(STAMP)  ## What does not fit: the demo played twice, Prefect's UI in a browser, kills, 10,000 deliveries, 24 plans of chaos (about an hour)
	$(BIN)/pytest -m slow

chaos: $(STAMP)  ## Kill, cut off and cancel everything at 320 seeded points; writes the figures of docs/reliability.md (two hours)
	CHAOS_PLANS=all CHAOS_FIGURES=1 $(BIN)/pytest -m slow tests/chaos/test_chaos.py

check: $(STAMP)  ## Format, lint, types, layers, shape (the fast half of `make test`)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/project

up: $(STAMP)  ## Start emulator, Prefect server and worker; Ctrl-C stops them
	$(BIN)/speechops up

lock:  ## Pin the dependencies anew (needs uv); hashes, no download addresses
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock

clean:  ## Remove what this Makefile and the demo made
	rm -rf .venv .speechops .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
