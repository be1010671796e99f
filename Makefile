# Every command of this project. Each target works on a fresh clone of the repository: whatever it needs
# is installed first, into .venv, and only when the lock or the Python has changed since.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The first Python that really runs and can make environments. Override it: make test PYTHON=/path/to/python
CANDIDATES := python3.11 python3.12 python3.13 python3
PYTHON ?= $(shell for python in $(CANDIDATES); do $$python -c 'import ensurepip, sys, venv; \
  sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' > /dev/null 2>&1 && { echo $$python; break; }; done)

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed-from.txt
STATE = cat requirements.lock pyproject.toml | cksum; $(or $(PYTHON),$(BIN)/python) --version
UV := .cache/uv/bin/uv
# Fetched for the targets that need them: axe-core and reveal.js; what drives a browser. Neither is part of the environment.
JAVASCRIPT := .cache/javascript
DRIVER := .cache/browser

PORT ?= 8000
PROFILE ?= smoke
TESTS ?= tests causalmix_utils

# Notebooks run with the kernel of the project's own environment, whatever else is installed.
export JUPYTER_PREFER_ENV_PATH := 1
export JUPYTER_PLATFORM_DIRS := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1

.PHONY: help setup install book slides pdf browser test lint format serve benchmark pretrain compare tables retarget lock resolve links clean distclean

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: ## make .venv with exactly the packages of requirements.lock
	@test "$$(cat $(STAMP) 2> /dev/null)" = "$$($(STATE))" || $(MAKE) install

install:
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip was found." \
	  "Install one, or name it: make PYTHON=/path/to/python"; exit 1; }
	@# An environment of ours is emptied first, so that nothing stays that has left the lock.
	$(PYTHON) -m venv $(if $(wildcard $(STAMP)),--clear) $(VENV)
	@# torch comes first and alone, so that nothing else can pull in another build of it.
	$(BIN)/python -m pip install --quiet "$$(grep '^torch==' requirements.lock)"
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@{ $(STATE); } > $(STAMP)

book: setup ## execute every chapter and build _build/html/index.html
	@$(BIN)/python tools/clear_stale_outputs.py
	OMP_NUM_THREADS=1 $(BIN)/jupyter-book build . -W -n --keep-going
	@echo "The book: _build/html/index.html"

slides: $(JAVASCRIPT)/installed book ## build slides for reveal.js from the chapters: _build/slides/index.html (needs npm)
	$(BIN)/python tools/slides.py _build/jupyter_execute/notebooks _build/slides $(JAVASCRIPT)/node_modules/reveal.js

pdf: $(DRIVER)/installed ## print the whole book into _build/book.pdf (needs chromium)
	@PYTHONPATH=$(DRIVER) $(BIN)/python tools/check_browser.py programs
	@$(MAKE) book
	PYTHONPATH=$(DRIVER) $(BIN)/python tools/print_book.py _build/html _build/book.pdf

browser: $(JAVASCRIPT)/installed $(DRIVER)/installed ## look at every built page in a browser (needs chromium and npm)
	@PYTHONPATH=$(DRIVER) $(BIN)/python tools/check_browser.py programs
	@$(MAKE) book
	PYTHONPATH=$(DRIVER) $(BIN)/python tools/check_browser.py _build/html $(JAVASCRIPT)/node_modules

$(JAVASCRIPT)/installed: tools/browser_checks/package.json
	@command -v npm > /dev/null || { echo "npm was not found. On Debian: apt-get install npm"; exit 1; }
	mkdir -p $(JAVASCRIPT)
	cp $< $(JAVASCRIPT)/
	npm install --prefix $(JAVASCRIPT) --no-package-lock --no-audit --no-fund --ignore-scripts
	@touch $@

$(DRIVER)/installed: tools/browser_checks/requirements.txt | setup
	$(BIN)/python -m pip install --quiet --upgrade --target $(DRIVER) --requirement $<
	@touch $@

test: lint ## lint, then every test, notebooks in the smoke profile included
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(TESTS)

lint: setup ## check code style, notebooks and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/notebooks.py check
	$(BIN)/codespell *.md .github book notebooks causalmix_utils tests tools benchmarks

format: setup ## format the code and strip outputs from the notebooks
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python tools/notebooks.py strip

serve: book ## serve the built book on this machine: make serve PORT=8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

benchmark: setup ## run the benchmark: make benchmark PROFILE=smoke (chapter takes minutes, paper hours)
	$(BIN)/causalmix benchmark --profile $(PROFILE)

pretrain: setup ## train the embedded checkpoint from scratch
	$(BIN)/causalmix pretrain

compare: setup ## score the embedded checkpoint and ordinary models on all tables, for the book
	$(BIN)/python benchmarks/compare_models.py
	$(BIN)/python benchmarks/measure_prediction.py

tables: setup ## build the embedded tables and networks again from their sources (needs the network)
	$(BIN)/python tools/build_tables.py
	$(BIN)/python tools/build_networks.py

retarget: setup ## point badges and install cells to a fork: make retarget REPO=owner/name
	$(BIN)/python tools/retarget.py $(REPO)

lock: $(UV) ## write requirements.lock from pyproject.toml: make lock UPGRADE=1 takes the newest versions
	$(PYTHON) tools/lock.py $(UV) $(if $(UPGRADE),--upgrade)

resolve: $(UV) ## show that Python 3.11 to 3.13 and Colab resolve
	$(PYTHON) tools/resolve.py $(UV)

links: setup ## check every external link of the book (needs the network)
	$(BIN)/python tools/clear_stale_outputs.py
	OMP_NUM_THREADS=1 $(BIN)/jupyter-book build . --builder linkcheck

$(UV):
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 was found: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv .cache/uv
	.cache/uv/bin/python -m pip install --quiet uv

clean: ## remove everything that was built; .venv stays
	rm -rf _build build dist .cache .pytest_cache .ruff_cache .hypothesis .jupyter_cache
	find causalmix_utils tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove .venv, too
	rm -rf $(VENV)
