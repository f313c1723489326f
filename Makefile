PYTHON ?= python3
ARTICLE ?= corpus/written/c-001.txt
PUBLISHED ?= 2015-07-15
BIN := .venv/bin

.PHONY: extract test test-slow lint check gold statistics agreement dictionary

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

extract: .venv/.installed
	$(BIN)/treaty-clauses extract $(ARTICLE) --published $(PUBLISHED)

test: .venv/.installed
	$(BIN)/pytest

test-slow: .venv/.installed
	$(BIN)/pytest --slow

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: test lint

gold: .venv/.installed
	$(BIN)/treaty-clauses annotate build annotations/written --texts corpus/written --splits annotations/splits.toml \
		--annotations annotations --corpus corpus

statistics: .venv/.installed
	$(BIN)/treaty-clauses annotate statistics annotations corpus

agreement: .venv/.installed
	$(BIN)/treaty-clauses annotate agreement --first annotations --first annotations/real --second annotations/second \
		--output annotations/agreement.json

dictionary: .venv/.installed
	$(BIN)/python -m treaty_clauses.dictionary
