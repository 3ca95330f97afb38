# Few targets; .ci/run calls the same ones.
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 8080
ZOO_PORT ?= 8090
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help env run demo zoo test test-containers lint docs format lock dist bench contract audit sbom

help: ## print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

env: $(STAMP) ## make the environment in .venv from the hash-locked requirements

$(STAMP): requirements.lock pyproject.toml service/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { echo "inclinet needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@# uv first, from its own locked hashes: it installs the rest several times faster than pip
	awk '/^[a-zA-Z]/ { keep = /^uv==/ } keep' requirements.lock > $(VENV)/uv.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . -e ./service
	@touch $@

run: env ## start the models and the gateway (PORT=8080), Ctrl-C ends both
	@exec $(BIN)/inclinet up --port $(PORT)

demo: env ## start the models and the gateway with fakes of the sky's services, for use without a network
	@exec $(BIN)/python -m tests.support.demo --port $(PORT)

zoo: env ## start the page on which people measure galaxies (ZOO_PORT=8090), Ctrl-C ends it
	@exec $(BIN)/inclinet zoo up --port $(ZOO_PORT)

# One more than there are cores: many tests wait for a process or a browser of their own.
WORKERS = $(shell $(PYTHON) -c 'import os; print(1 + (os.cpu_count() or 1))')

test: env ## run the whole suite, a file at a time in each worker: no network, GPU or Docker needed
	@# bytecode is kept whatever the environment says: hundreds of processes would compile the same modules again
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder $(ARGS)

test-containers: env ## build the images and run the stack with podman, from docker-compose.yml and from k8s/
	$(BIN)/python -m pytest tests/containers -rs --timeout 1800 $(ARGS)

lint: env ## ruff (lint and format), import-linter (the arrows between rooms) and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/mypy

docs: env ## build the documentation's site in build/docs; needs no network, and a warning is an error
	$(BIN)/sphinx-build -q -W --keep-going -b html docs build/docs

bench: env ## compare the service with the machine's limit, as ratios within one run
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.flat

contract: env ## test that the server SERVING=host:port (default: the stand-in) keeps the contract of TensorFlow Serving
	$(BIN)/python -m pytest tests/contract $(ARGS)

audit: env ## list known vulnerabilities of the locked packages; needs a network
	$(BIN)/python -m tools.audit

sbom: env ## write the bill of materials (CycloneDX) and the licences of the gateway's image to build/
	$(BIN)/python -m tools.inventory build

format: env ## fix and format the code with ruff
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

LOCK = $(abspath $(BIN))/uv --directory service pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-package inclinet --custom-compile-command "make lock"
IMAGE = --python-platform x86_64-manylinux_2_28 --python-version 3.11 -c ../requirements.lock

lock: env ## rewrite the locks from the two pyproject.toml: everything, the gateway's image, the batch's without and with HATS
	$(LOCK) pyproject.toml ../pyproject.toml --all-extras --universal --python-version 3.11 -o ../requirements.lock
	$(LOCK) pyproject.toml --extra tracing $(IMAGE) -o ../requirements-gateway.lock
	$(LOCK) pyproject.toml --extra batch --extra imaging --extra s3 --extra tracing $(IMAGE) -o ../requirements-batch.lock
	$(LOCK) pyproject.toml --extra batch --extra hats --extra imaging --extra s3 --extra tracing $(IMAGE) -o ../requirements-hats.lock

dist: env ## build both distributions into dist/: inclinet, which astronomers install, and inclinet-service
	rm -rf dist *.egg-info service/*.egg-info # egg-info lists deleted files, which would stay in the distributions
	$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir dist .
	$(BIN)/uv build --quiet --no-build-isolation --python $(BIN)/python --out-dir dist service
