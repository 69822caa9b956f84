# layerwatch: `make demo` runs the main job, `make test` runs the tests; each installs what it needs into .venv first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
# torch is a step of its own: its builds differ by hardware. A CPU build from the PyTorch site:
#   make TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0
SEED ?= 0
OUT ?= demo

BIN := .venv/bin
CODE := src tests benchmarks

.PHONY: .venv demo test test-all test-packages proofs soak lint format lock clean

.venv: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@sh .ci/system-packages "$(PYTHON)"
	"$(PYTHON)" -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

demo: .venv
	$(BIN)/layerwatch demo --out $(OUT) --seed $(SEED)

lint: .venv
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy

test-packages:
	@sh .ci/system-packages "$(PYTHON)" test

test: test-packages lint
	$(BIN)/python -m pytest -m "not slow"

test-all: test-packages lint
	$(BIN)/python -m pytest

proofs: test-packages .venv
	$(BIN)/python benchmarks/proofs.py --out results/proofs.json

soak: test-packages .venv
	$(BIN)/python benchmarks/crashes.py --kills 1000 --out results/proofs-crashes.json
	$(BIN)/python benchmarks/alarms.py --out results/proofs-alarms.json
	$(BIN)/python benchmarks/proofs.py --out results/proofs.json

format: .venv
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
	    --custom-compile-command "make lock" --extra test pyproject.toml requirements.in -o requirements.lock

clean:
	rm -rf .venv demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
