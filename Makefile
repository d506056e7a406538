# make run   set up on a fresh machine, then open the app
# make test  set up, then everything that CI runs
# Others: check (format, lint, types, architecture), demo, faults, screens, bench-search, bench-hybrid

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PORT ?= 8501

.PHONY: run test check format unit e2e app-only demo faults screens bench-search bench-hybrid clean

run: $(READY)
	$(BIN)/python -m core setup
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

test: $(READY) check unit app-only e2e

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/architecture

unit: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not e2e and not faults" --ignore tests/architecture tests

e2e: $(READY)
	$(BIN)/python -m pytest -m e2e tests

# Kurabe without torch, in an environment of its own
app-only: .venv-app/.ready
	.venv-app/bin/python -m pytest tests/app_only

demo: $(READY)
	$(BIN)/python -m core demo --out demo-out

faults: $(READY)
	FAULT_TRIALS=200 $(BIN)/python -m pytest -m faults tests/faults

# 100,000 passages: building, recall and waiting times beside LanceDB called directly
bench-search: $(READY)
	$(BIN)/python -m tests.benchmarks.search

# Manuals of Debian in English and Japanese, unpacked from their packages without being installed
MANUALS := debian-reference-en debian-reference-ja developers-reference developers-reference-ja \
	maint-guide maint-guide-ja debian-faq debian-faq-ja
TEXTS := data/workspace/manuals

bench-hybrid: $(READY)
	mkdir -p $(TEXTS)/packages
	cd $(TEXTS)/packages && apt-get download $(MANUALS)
	for package in $(TEXTS)/packages/*.deb; do dpkg -x $$package $(TEXTS)/text; done
	$(BIN)/python -W ignore -m tests.benchmarks.hybrid $(TEXTS)/text

# Pictures of every page: both languages, light and dark, wide and narrow
screens: $(READY)
	$(BIN)/python -m tests.e2e.screens

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(READY): requirements.txt requirements-app.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Kurabe needs Python 3.11 or newer; set PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --upgrade pip
	$(BIN)/python -m pip install torch==2.13.0
	$(BIN)/python -m pip install -r requirements.txt
	touch $@

.venv-app/.ready: requirements-app.txt
	test -x .venv-app/bin/python || $(PYTHON) -m venv .venv-app
	.venv-app/bin/python -m pip install --upgrade pip
	.venv-app/bin/python -m pip install -r requirements-app.txt pytest==9.2.0
	touch $@

clean:
	rm -rf $(VENV) .venv-app .pytest_cache .mypy_cache .ruff_cache
