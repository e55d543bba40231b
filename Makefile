# `make demo` and `make test` work on a machine that has only Python 3.10 to 3.13, pip and make.
# PYTHON=/path/to/python3.12 chooses the interpreter of the virtual environment.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PINS := -c constraints/base.txt -c constraints/build.txt
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
ACCEPTANCE ?=
ACCEPTANCE_REPOS ?=
ACCEPTANCE_CASES ?= V01 V02

.PHONY: help demo test check check-static format crash crash-short bench api acceptance clean

help:
	@echo "make demo          run the example pipeline three times and show what was reused"
	@echo "make test          run the tests"
	@echo "make check         format, lint, strict types, import directions, tests"
	@echo "make check-static  the same without the tests"
	@echo "make format        put the code into its format"
	@echo "make crash         the long suites: kill the service again and again, and see that nothing is lost"
	@echo "make crash-short   a few rounds of them"
	@echo "make bench         measure, and print a table beside the budgets"
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
$(READY): $(BIN)/python pyproject.toml constraints/base.txt constraints/build.txt constraints/demo.txt
	@echo "Installing Penstock into $(VENV) ..."
	@$(INSTALL) $(PINS) setuptools wheel
	@$(INSTALL) $(PINS) -c constraints/demo.txt --no-build-isolation --editable ".[demo]"
	@touch $@

# What checks it.
$(READY_DEV): $(READY) constraints/dev.txt
	@echo "Installing the tools of the tests into $(VENV) ..."
	@$(INSTALL) $(PINS) -c constraints/demo.txt -c constraints/dev.txt --no-build-isolation --editable ".[demo,dev]"
	@touch $@

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
	@$(BIN)/python -m pytest -m long

crash-short: $(READY_DEV)
	@PENSTOCK_TEST_ROUNDS=3 $(BIN)/python -m pytest -m long

bench: $(READY)
	@$(BIN)/python -m benchmarks

api: $(READY_DEV)
	@$(BIN)/python tests/api/conformance.py

# The kit's cases run in an environment of their own: Penstock, and what the cases import.
.venv-acceptance/.ready: $(READY) pyproject.toml constraints/base.txt
	@test -n "$(ACCEPTANCE)" || { echo "Name the kit's folder: make acceptance ACCEPTANCE=folder ACCEPTANCE_REPOS=folder"; exit 1; }
	@rm -rf .venv-acceptance
	@"$(PYTHON)" -m venv .venv-acceptance
	@.venv-acceptance/bin/python -m pip install --quiet --disable-pip-version-check $(PINS) setuptools wheel
	@.venv-acceptance/bin/python -m pip install --quiet --disable-pip-version-check $(PINS) --no-build-isolation --editable .
	@.venv-acceptance/bin/python -m pip install --quiet --disable-pip-version-check -r "$(ACCEPTANCE)/requirements.txt" requests
	@touch $@

acceptance: .venv-acceptance/.ready
	@PYTHONDONTWRITEBYTECODE=1 .venv-acceptance/bin/python "$(ACCEPTANCE)/run_case.py" $(ACCEPTANCE_CASES) \
		--repos "$(ACCEPTANCE_REPOS)" --python .venv-acceptance/bin/python \
		|| { code=$$?; test $$code -eq 2 && echo "skipped: what this machine lacks stands above"; }

clean:
	rm -rf $(VENV) .venv-acceptance .demo build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
