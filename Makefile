# `make setup` is all that any target needs; each of them runs it first when it is due.

PY := .venv/bin/python
BIN := .venv/bin
STAMP := .venv/.setup
SHELL_SCRIPTS = $(shell git ls-files -- '*.sh' scripts/setup scripts/shparse)
# For pytest: make test ARGS="tests/planner -x"
ARGS ?=
# Most tests with hosts wait for them: a few workers at once halve the time. JOBS=0 runs in one process.
JOBS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup check check-format check-lint check-types check-layers check-locks \
    check-shell check-docs docs format test demo demo-write bench bench-plan bench-ledger \
    bench-probe bench-apply bench-all golden lock dist lab-up lab-down clean

help: ## What can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

setup: $(STAMP) ## The virtual environment with everything in it

$(STAMP): requirements-dev.lock pyproject.toml scripts/setup
	@PYTHON="$(PYTHON)" scripts/setup
	@touch $@

check: check-format check-lint check-types check-layers check-locks check-shell check-docs ## All but the tests

check-format: $(STAMP)
	$(BIN)/ruff format --check .

check-lint: $(STAMP)
	$(BIN)/ruff check .

check-types: $(STAMP)
	$(BIN)/mypy
	$(BIN)/pyright

check-layers: $(STAMP)
	$(BIN)/lint-imports

check-locks: $(STAMP)
	$(PY) scripts/lock.py --check

check-shell:
	@for script in $(SHELL_SCRIPTS); do scripts/shparse $$script || exit 1; done
	bash -n .ci/run

check-docs docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@! grep -rnoE '(src|rel="[a-z-]+" href)="https?:[^"]*' site --include='*.html' # no foreign assets

docs: ## The pages as a site, in site/; needs no network

format: $(STAMP) ## Let ruff rewrite what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: $(STAMP) ## All tests, those with real hosts too where the machine can
	$(PY) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

demo: $(STAMP) ## The getting-started story, with its real output
	@$(PY) -m tests.demo

demo-write: $(STAMP) ## Type all that docs show anew, into them; PAGES=docs/x.md for some
	@$(PY) -m tests.demo --write $(PAGES)

bench: $(STAMP) ## Start-up time and memory
	$(PY) bench/startup.py

bench-plan: $(STAMP) ## What planning 50 and 100 jobs costs
	PYTHONPATH=. $(PY) bench/plan.py

bench-ledger: $(STAMP) ## What reading and changing ledgers costs
	PYTHONPATH=. $(PY) bench/ledger.py

bench-probe: $(STAMP) ## What looking at 50, 200, 1000 hosts costs, beside other tools (an hour; SIZES=50)
	$(PY) bench/probe.py

bench-apply: $(STAMP) ## What starting 30 tasks and containers costs (root; DRIVERS=raw_exec)
	$(PY) bench/apply.py

bench-all: bench bench-plan bench-ledger bench-probe bench-apply ## All of these (make -k bench-all goes on after a missed target)

golden: $(STAMP) ## Rewrite the golden files, help and docs/jobspec.md; review the diff
	ORCH_GOLDEN=write $(PY) -m pytest -q tests/golden tests/docs tests/cli/test_help.py

lock: $(STAMP) ## Resolve the two lock files anew
	$(PY) scripts/lock.py

dist: $(STAMP) ## Wheel and source archive in dist/
	$(PY) -m build --no-isolation

lab-up: $(STAMP) ## Three real hosts to play with (root)
	@$(PY) -m tests.lab up 3

lab-down: $(STAMP) ## Take them away
	@$(PY) -m tests.lab down

clean: ## Remove what was made
	rm -rf .venv build dist site htmlcov .coverage .hypothesis .import_linter_cache
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
