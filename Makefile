# make run    start the gateway here, on a fresh machine too
# make test   all checks and tests, as the continuous integration runs them

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
	--root-user-action=ignore
ROOMS := sip media rating config certs store manager gateway

# Debian packages of the test peers and what each is recognised by. baresip-core brings every module
# the tests load.
PEERS := sip-tester:sipp baresip-core:baresip iproute2:ip

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(VENV)/.run-stamp ## make .venv with what the gateway needs

run: setup ## start the gateway with a demonstration profile (ARGS="--config FILE")
	@exec $(BIN)/sipgw serve --demo $(ARGS)

# Any Python from 3.11 on; 3.11 is the one everything was measured with.
$(BIN)/python:
	@for name in python3.11 python3 python3.12 python3.13 python3.14; do \
	  if "$$name" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	      >/dev/null 2>&1; then python=$$name; break; fi; \
	done; \
	if [ -z "$${python:-}" ]; then \
	  echo "sipgw needs Python 3.11 or newer with its venv module." >&2; \
	  echo "On Debian or Ubuntu: apt-get install python3 python3-venv" >&2; \
	  exit 1; \
	fi; \
	echo "Creating $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear $(VENV)

$(VENV)/.run-stamp: requirements.txt pyproject.toml | $(BIN)/python
	@echo "Installing what the gateway needs (once)"
	@$(PIP) -r requirements.txt
	@$(PIP) --no-deps --config-settings editable_mode=compat -e .
	@touch $@

$(VENV)/.test-stamp: requirements-dev.txt $(VENV)/.run-stamp
	@echo "Installing what the tests need (once)"
	@$(PIP) -r requirements-dev.txt
	@touch $@

# Real SIP agents for the interop tests. Without root the tests that need one say so and are skipped.
peers:
	@missing=(); \
	for peer in $(PEERS); do \
	  command -v "$${peer#*:}" >/dev/null || missing+=("$${peer%%:*}"); \
	done; \
	if [ $${#missing[@]} -gt 0 ]; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing test peers: $${missing[*]}"; \
	    export DEBIAN_FRONTEND=noninteractive; \
	    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "$${missing[@]}"; } \
	      >/dev/null 2>&1 || echo "could not install $${missing[*]}; their tests are skipped" >&2; \
	  else \
	    echo "not installed: $${missing[*]}; their tests are skipped" >&2; \
	  fi; \
	fi

fmt: $(VENV)/.test-stamp ## format the code
	@$(BIN)/ruff check --quiet --select I --fix .
	@$(BIN)/ruff format --quiet .

check: $(VENV)/.test-stamp ## static checks: format, lint, types, imports, the layout
	@$(BIN)/ruff format --quiet --check . || { echo "run: make fmt" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/tidy

test: check peers ## all checks and tests
	@$(BIN)/python -m pytest -q --ignore=tests/tidy $(ARGS)

docs: $(VENV)/.run-stamp ## write docs/refusals.md from the table of refusals
	@$(BIN)/python -c 'from gateway.refusal_page import page; print(page(), end="")' > docs/refusals.md

bench: $(VENV)/.test-stamp peers ## CPU per registration and per call
	@$(BIN)/python -m tests.bench.run $(ARGS)

fuzz: $(VENV)/.test-stamp ## random input, for longer than `make test` does
	@$(BIN)/python -m pytest -q -m "fuzz or hypothesis" --hypothesis-profile=fuzz $(ARGS)

torture: $(VENV)/.test-stamp ## the messages of RFC 4475 and RFC 5118
	@$(BIN)/python -m pytest -q -m torture $(ARGS)

torture-crash: $(VENV)/.test-stamp ## kill -9 at twenty random instants of a busy gateway
	@SIPGW_CRASH_ROUNDS=20 $(BIN)/python -m pytest -q -s tests/durability/test_kill_nine.py \
	  -o faulthandler_timeout=600 $(ARGS)

clean: ## remove what was built; the gateway's own var/ stays
	@rm -rf $(VENV) build dist ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache .coverage
	@find $(ROOMS) tests -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup run peers fmt check test docs bench fuzz torture torture-crash clean
