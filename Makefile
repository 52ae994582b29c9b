# Everything here works on a machine that has Python 3.11 or newer and make; the rest is installed.

PYTHON ?= python3
BIN := .venv/bin
DEPENDENCIES := pyproject.toml tests/oldest.txt scripts/venv.sh

# Arguments for the programs below, as in: make test-fast ARGS="-x tests/stores"
ARGS ?=
# Processes for the tests: a number, or one for each core.
WORKERS ?= auto

.DEFAULT_GOAL := help
.NOTPARALLEL:

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# --- Environments -------------------------------------------------------------------------------

.venv/.runtime: $(DEPENDENCIES)
	scripts/venv.sh $(PYTHON) .venv --editable .
	@touch $@

.venv/.dev: $(DEPENDENCIES)
	scripts/venv.sh $(PYTHON) .venv --editable . --group dev
	@touch .venv/.runtime $@

.venvs/oldest/.test: $(DEPENDENCIES)
	scripts/venv.sh $(PYTHON) .venvs/oldest --editable . --group test --constraint tests/oldest.txt
	@touch $@

.PHONY: setup
setup: .venv/.dev ## Make .venv with everything a developer needs

.PHONY: servers
servers: ## Install the servers that the tests start themselves
	@scripts/servers.sh $(PYTHON)

# --- Use ----------------------------------------------------------------------------------------

.PHONY: demo
demo: .venv/.runtime ## See it work (URLS="https://… https://…" for your own)
	@$(BIN)/python examples/quickstart.py $(URLS)

# --- Checks -------------------------------------------------------------------------------------

.PHONY: test
test: lint typecheck test-oldest test-fast test-faults ## Check everything, as CI does

.PHONY: lint
lint: setup ## Style and format
	$(BIN)/ruff check
	$(BIN)/ruff format --check

.PHONY: format
format: setup ## Repair style and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: typecheck
typecheck: setup ## Types, of the sources and of tests/typing
	$(BIN)/mypy
	$(BIN)/pyright

.PHONY: test-fast
test-fast: setup servers ## The test suite alone
	$(BIN)/pytest --numprocesses=$(WORKERS) $(ARGS)

.PHONY: test-faults
test-faults: setup servers ## Servers that fail, after all else: it is about time (all of it: make soak)
	$(BIN)/pytest -m "faults and not soak" tests/faults $(ARGS)

.PHONY: test-oldest
test-oldest: .venvs/oldest/.test servers ## The core of the suite on the oldest dependencies
	.venvs/oldest/bin/pytest -m parity $(ARGS)

.PHONY: test-matrix
test-matrix: .venvs/oldest/.test servers ## The whole suite on every Python found, and the oldest dependencies
	scripts/matrix.sh $(ARGS)

.PHONY: soak
soak: setup servers ## Minutes of load and of failing servers (SOAK_SCALE=10 for more load)
	$(BIN)/pytest -m "soak or faults" -o timeout=3600 $(ARGS)

.PHONY: bench
bench: setup servers ## Measure
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: reasons
reasons: setup ## Write docs/reasons.md anew
	$(BIN)/python scripts/reasons.py

.PHONY: clean
clean: ## Remove everything that was made here
	rm -rf .venv .venvs .servers .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find src tests benchmarks examples -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
