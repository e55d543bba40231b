# `make demo` and `make test` work on a machine that has only Python 3.10 to 3.13, pip and make.
# PYTHON=/path/to/python3.12 chooses the interpreter of the virtual environment.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
BASE := constraints/base.txt constraints/build.txt
PINS = $(foreach file,$(BASE) $(1),-c $(file))
EXTRAS := constraints/data.txt constraints/stores.txt
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
PARTS := .parts
AZURITE := 3.35.0
ACCEPTANCE ?=
ACCEPTANCE_REPOS ?=
ACCEPTANCE_CASES ?= V01 V02 V03 V04 V05 V09 V10 V12 V14 V17 V18 V22 V23 V24 V25 V26 V31 V33 V35 V36 V37
# Those among them that pin old Pythons: run once more, their steps on these.
ACCEPTANCE_PINNED ?= V24 V31 V35

.PHONY: help demo test parts check check-static format crash crash-short bench bench-data bench-runs bench-publishing api acceptance clean

help:
	@echo "make demo          run the example pipeline three times and show what was reused"
	@echo "make test          run the tests"
	@echo "make parts         install what tests of remote datastores run against: Azurite, from npm"
	@echo "make check         format, lint, strict types, import directions, tests"
	@echo "make check-static  the same without the tests"
	@echo "make format        put the code into its format"
	@echo "make crash         the long suites: kill the service again and again, and see that nothing is lost"
	@echo "make crash-short   a few rounds of them"
	@echo "make bench         measure, and print a table beside the budgets"
	@echo "make bench-data    only what concerns data: stores, tables, fingerprints"
	@echo "make bench-runs    only what concerns runs: metrics, lists, built environments"
	@echo "make bench-publishing  only what concerns published pipelines: calls over REST, ticks of schedules"
	@echo "make api           compare azureml with the recorded signatures of SDK v1, class by class"
	@echo "make acceptance ACCEPTANCE=folder ACCEPTANCE_REPOS=folder   public v1 scripts, unchanged"
	@echo "make clean         remove the virtual environments and what the tools left"

# An interpreter that is named and has another version than the environment makes it anew.
ifneq ($(filter command environment,$(origin PYTHON)),)
ask_version = $(shell $(1) -c 'import sys; print(*sys.version_info[:2])' 2>/dev/null)
ifneq ($(call ask_version,"$(PYTHON)"),$(call ask_version,$(BIN)/python))
.PHONY: $(BIN)/python
endif
endif

$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || { echo "There is no '$(PYTHON)'. Install Python 3.10 or later, or name one: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" tools/check_python.py
	@rm -rf $(VENV)
	@echo "Making the virtual environment $(VENV) ..."
	@"$(PYTHON)" -m venv $(VENV)

# Penstock and what the example needs.
$(READY): $(BIN)/python pyproject.toml $(BASE) constraints/data.txt constraints/demo.txt
	@echo "Installing Penstock into $(VENV) ..."
	@$(INSTALL) $(call PINS) setuptools wheel
	@$(INSTALL) $(call PINS,constraints/data.txt constraints/demo.txt) --no-build-isolation --editable ".[demo]"
	@touch $@

# What checks it.
$(READY_DEV): $(READY) $(EXTRAS) constraints/dev.txt
	@echo "Installing the tools of the tests into $(VENV) ..."
	@$(INSTALL) $(call PINS,$(EXTRAS) constraints/demo.txt constraints/dev.txt) --no-build-isolation --editable ".[demo,dev]"
	@touch $@

# Servers that tests start themselves. What can't be had here is skipped by the tests that need it, with the same reason.
parts:
	@if [ -x $(PARTS)/node_modules/.bin/azurite-blob ]; then \
		echo "Azurite is in $(PARTS)."; \
	elif ! command -v npm >/dev/null; then \
		echo "skipped: Azurite (there is no npm on this machine); tests of Azure's blob storage skip"; \
	elif npm install --prefix $(PARTS) --no-save --no-audit --no-fund --silent azurite@$(AZURITE); then \
		echo "Azurite $(AZURITE) is now in $(PARTS)."; \
	else \
		rm -rf $(PARTS); \
		echo "skipped: Azurite (npm could not install it); tests of Azure's blob storage skip"; \
	fi
	@command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || \
		echo "skipped: PostgreSQL (its programs initdb and postgres are not on this machine); tests of SQL datastores skip"

demo: $(READY)
	@$(BIN)/python examples/demo.py

test: $(READY_DEV)
	@$(BIN)/python -m pytest -m "not long"

check: check-static test

check-static: $(READY_DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tools/check_imports.py

format: $(READY_DEV)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

crash: $(READY_DEV)
	@$(BIN)/python -m pytest -m long --hypothesis-profile=roaming

crash-short: $(READY_DEV)
	@PENSTOCK_TEST_ROUNDS=3 $(BIN)/python -m pytest -m long

bench: $(READY_DEV)
	@$(BIN)/python -m benchmarks

bench-data: $(READY_DEV)
	@$(BIN)/python -m benchmarks --only data

bench-runs: $(READY_DEV)
	@$(BIN)/python -m benchmarks --only runs

bench-publishing: $(READY_DEV)
	@$(BIN)/python -m benchmarks --only publishing

api: $(READY_DEV)
	@$(BIN)/python tests/api/conformance.py

# The kit's cases run in an environment of their own: Penstock, and what the cases import. Python 3.10 and 3.11 still have
# what scripts of that time call; with a later one, a case that needs it is skipped, and says so.
ACCEPTANCE_PYTHON ?= $(firstword $(foreach name,python3.10 python3.11,$(shell $(name) -c pass 2>/dev/null && echo $(name))) $(PYTHON))
.venv-acceptance/.ready: pyproject.toml $(BASE) constraints/stores.txt constraints/acceptance.txt
	@test -n "$(ACCEPTANCE)" || { echo "Name the kit's folder: make acceptance ACCEPTANCE=folder ACCEPTANCE_REPOS=folder"; exit 1; }
	@rm -rf .venv-acceptance
	@"$(ACCEPTANCE_PYTHON)" -m venv .venv-acceptance
	@.venv-acceptance/bin/python -m pip install --quiet --disable-pip-version-check $(call PINS) setuptools wheel
	@.venv-acceptance/bin/python -m pip install --quiet --disable-pip-version-check $(call PINS,constraints/stores.txt constraints/acceptance.txt) \
		--no-build-isolation --editable ".[data,azure]" -r "$(ACCEPTANCE)/requirements.txt" python-dateutil python-dotenv pytest requests \
		adal jsonschema matplotlib msrest
	@touch $@

RUN_CASES = PYTHONDONTWRITEBYTECODE=1 .venv-acceptance/bin/python "$(ACCEPTANCE)/run_case.py" \
	--repos "$(ACCEPTANCE_REPOS)" --python .venv-acceptance/bin/python
OR_SKIPPED = || { code=$$?; test $$code -eq 2 && echo "skipped: what this machine lacks stands above"; }

acceptance: .venv-acceptance/.ready
	@$(RUN_CASES) $(ACCEPTANCE_CASES) $(OR_SKIPPED)
	@if problem=$$(.venv-acceptance/bin/python tools/check_pythons.py 3.7 3.8 2>&1); then \
		$(RUN_CASES) $(ACCEPTANCE_PINNED) --policy compatible $(OR_SKIPPED); \
	else \
		echo "skipped: $(ACCEPTANCE_PINNED) on the Pythons they pin ($$problem)"; \
	fi

clean:
	rm -rf $(VENV) .venv-acceptance $(PARTS) .demo build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
