# What people do here. The first run of any target fetches what it needs; later ones start at once.
PYTHON ?= python3
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup build run test lint format bench openapi clean

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: ## Make .venv from the lock file
	@$(PYTHON) scripts/prepare.py python

build: setup ## Build the browser code, when its sources changed
	@$(PY) scripts/prepare.py browser

run: build ## Start everything with the demo (PRIOSTACK_PORT=8000); Ctrl-C stops it
	@exec $(PY) manage.py up

test: build ## Run all tests, browser and services included (ARGS="-k name" for some)
	@exec $(PY) scripts/test.py $(ARGS)

lint: build ## Check style and types of everything
	@exec $(PY) scripts/lint.py

format: build ## Put Python and templates into shape
	@$(PY) -m ruff check --fix-only -q .
	@$(PY) -m ruff format .

bench: build ## Measure, and print the table of ratios (ARGS="--quick")
	@exec $(PY) manage.py bench $(ARGS)

openapi: build ## Write the description of the REST API that a test compares
	@$(PY) manage.py openapi tests/priostack/openapi.json

clean: ## Remove what the other targets made; data in var/ stays
	@rm -rf .venv node_modules static/dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
