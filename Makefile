# make serve | make test | make check: each sets itself up on a fresh machine with Python >= 3.11.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
# The tests start hundreds of processes, and each would compile the whole package for itself.
unexport PYTHONDONTWRITEBYTECODE
# Half of the tests wait for a process or a clock: three workers keep two cores busy (4 minutes; two
# workers: 5:40).
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist worksteal

.PHONY: setup serve test fast check format coverage gauntlet bench bench-full demo screens
.PHONY: generated clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "securechat needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python scripts/dev_dependencies.py > $(VENV)/dev-requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e . \
	  -r $(VENV)/dev-requirements.txt
	@touch $@

serve: setup            ## serve on 127.0.0.1:55555, with certificates made on first use
	$(BIN)/securechat serve

test: setup             ## the whole test suite
	@$(MAKE) --no-print-directory .venv-sslyze || echo "no sslyze: what it judges is left out"
	$(PYTEST)

fast: setup             ## the tests that take no time
	$(PYTEST) -m "not slow"

coverage: setup         ## both pure cores: every branch, by their own tests
	$(BIN)/python -m pytest -q tests/protocol --cov=securechat.protocol --cov-branch --cov-fail-under=100
	$(BIN)/python -m pytest -q tests/chat --cov=securechat.chat --cov-branch --cov-fail-under=100

gauntlet: setup         ## the proof of docs/guarantees.md and docs/security.md, an hour or two of it; SCALE=10 for all of it
	-$(MAKE) .venv-sslyze
	GAUNTLET=1 $(BIN)/python -m pytest tests/gauntlet tests/hostile -s --timeout=0 -o faulthandler_timeout=0

.venv-sslyze:           ## sslyze wants other versions than we do
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check --retries 1 'sslyze>=6.3,<7' || { rm -rf $@; exit 1; }

screens: setup          ## draw the pictures of the full screen anew (docs/screens); look at them
	SCREENS=write $(BIN)/python -m pytest -q tests/tui/test_screens.py

check: setup            ## style, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: setup           ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup            ## cost per delivery beside the floor and the peers installed, a few minutes
	$(BIN)/python -m benchmarks.compare

bench-full: setup       ## all works, three rounds, up to 10,000 clients; into docs/performance.md
	$(BIN)/python -m benchmarks.compare --full --write docs/performance.md --json benchmarks/results.json

demo: setup             ## two people and a restart of the server, played in one terminal
	$(BIN)/python scripts/demo.py

generated: setup        ## what is made from the command line: completion, man/securechat.1
	$(BIN)/python scripts/make_words.py
	$(BIN)/python scripts/make_man.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
