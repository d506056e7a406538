# make run   set up on a fresh machine, then open the app
# make test  set up, then everything that CI runs
# Others: check (format, lint, types, architecture), demo, faults, fuzz, kit-check, screens, bench-training,
#   bench-answers, bench-padding, bench-statistics, bench-rows, bench-search, bench-hybrid, bench-throughput

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PORT ?= 8501

.PHONY: run test check style types architecture format unit e2e app-only demo faults fuzz kit-check screens clean
.PHONY: bench-training bench-padding bench-answers bench-statistics bench-rows bench-search bench-hybrid bench-throughput

run: $(READY)
	$(BIN)/python -m core setup
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

# What uses one processor runs side by side; unit and e2e use both by themselves
test:
	$(MAKE) -j 2 $(READY) .venv-app/.ready
	$(MAKE) -j 2 types architecture app-only style
	$(MAKE) unit
	$(MAKE) e2e

check: style types architecture

style: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

architecture: $(READY)
	$(BIN)/python -m pytest tests/architecture

# What has targets of its own is left out: architecture, app-only, e2e
unit: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=20 -m "not e2e and not faults and not kit" --ignore tests/architecture --ignore tests/app_only tests

# Only files that have such a test are read: the others would be imported, torch with them, by both processes
e2e: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=12 -m "e2e and not full" $$(grep -rl --include='test_*.py' 'mark\.e2e' tests | sort)

# Every approach trained and every question of the sample asked from the page, against its time limit
e2e-full: $(READY)
	$(BIN)/python -m pytest -m full tests/e2e

# Kurabe without torch, in an environment of its own
app-only: .venv-app/.ready
	.venv-app/bin/python -m pytest tests/app_only

demo: $(READY)
	$(BIN)/python -m core demo --out demo-out

faults: $(READY)
	FAULT_TRIALS=200 $(BIN)/python -m pytest -n 2 -m faults tests/faults

# The take-away kit trains in an environment that holds its own requirements and nothing else
kit-check: $(READY)
	$(BIN)/python -m pytest -m kit tests/training

# Coverage of every interval and false alarms, by simulation over a stated grid
bench-statistics: $(READY)
	$(BIN)/python -m tests.benchmarks.statistics

# Random files for every reader, as many as a few minutes allow
fuzz: $(READY)
	FUZZ_EXAMPLES=2000 $(BIN)/python -m pytest -n 2 tests/datasets/test_fuzz.py

# A million rows: how long the import takes, its memory, and how soon any page of them shows
bench-rows: $(READY)
	$(BIN)/python -m tests.benchmarks.million_rows

# 100,000 passages: building, recall and waiting times beside LanceDB called directly
bench-search: $(READY)
	$(BIN)/python -m tests.benchmarks.search

# Manuals of Debian in English and Japanese, unpacked from their packages without being installed
MANUALS := debian-handbook debian-policy installation-guide-amd64 debian-reference-en debian-reference-ja developers-reference developers-reference-ja \
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

# Training against a plain TRL script, and the memory estimate against what trainings take: minutes, on Linux
bench-training: $(READY)
	$(BIN)/python -m tests.benchmarks.training_speed
	$(BIN)/python -m tests.benchmarks.memory_estimate

# Padding of the samples' batches, and the time of the same tokens packed: a minute or two
bench-padding: $(READY)
	$(BIN)/python -W ignore -m tests.benchmarks.padding

# A million stored answers: how long pages, filters and page turns take, and the app's memory
bench-answers: $(READY)
	$(BIN)/python -m tests.benchmarks.answers

# A test run's answers a second beside generate of transformers, and its first tokens beside a bare client's
bench-throughput: $(READY)
	$(BIN)/python -W ignore -m tests.benchmarks.throughput

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
