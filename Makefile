# The words of the project: `make` prints them.
#
#   ENGINE=native|docker   how the suite runs (default: docker where an engine with Compose answers)
#   PORT_BASE=9080         the first of the 20 ports of a native suite (default: 8080, or what is free)
#   FILE=talk.mp4          the video of the demo (default: the bundled clip)

engine_answers = timeout 10 docker version >/dev/null 2>&1 && docker compose version >/dev/null 2>&1
export ENGINE ?= $(shell $(engine_answers) && echo docker || echo native)
export PORT_BASE FILE

SERVICES := auth converter gateway notification
BIN := .venv/bin
# The environment of the words about the suite: the one with everything, or the small one.
PYTHON = $(if $(filter docker,$(ENGINE)),.tools/dev,.venv)/bin/python
# Whichever of them is there: what was started by either is seen, and ended, by both.
ANY_PYTHON = $(firstword $(wildcard .venv/bin/python .tools/dev/bin/python))

.DEFAULT_GOAL := help
.PHONY: help demo up status logs down clean setup test docs lint unit check chaos crashpoints soak bench fuzz
.PHONY: minikube cluster-demo cluster-status cluster-down lint-manifests
.PHONY: cluster-chaos cluster-check cluster-upgrade cluster-measure

help: ## print this
	@sed -n '3,5s/^# *//p' $(MAKEFILE_LIST)
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup-engine ## set everything up, convert FILE through the door, leave the suite running
	@$(PYTHON) -m dev demo

up: setup-engine ## set everything up and start the suite
	@$(PYTHON) -m dev up

status: ## what runs, and where
	@$(or $(ANY_PYTHON),$(error nothing is set up: make up)) -m dev status

logs: ## follow what every process says
	@$(or $(ANY_PYTHON),$(error nothing is set up: make up)) -m dev logs

down: ## end the suite; what it stored stays
	@$(if $(ANY_PYTHON),$(ANY_PYTHON) -m dev down)

clean: ## end the suite and remove every trace of it, of the tests and of the set-up
	@$(if $(ANY_PYTHON),$(ANY_PYTHON) -m dev clean)
	@rm -rf .stack .secrets .env .demo .venv .tools .coverage* .hypothesis .*_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: ## install what the native suite and the tests need
	@dev/setup.sh native
	@dev/setup.sh browser
	@dev/setup.sh manifests

setup-engine:
	@dev/setup.sh $(if $(filter docker,$(ENGINE)),python,native)

minikube: setup-python ## the demo on minikube, which is started if need be
	@.tools/dev/bin/python -m dev.cluster minikube

cluster-demo: setup-python ## the demo on kubectl's current cluster; LOAD_IMAGE="kind load docker-image" hands it an image
	@.tools/dev/bin/python -m dev.cluster demo

cluster-status: setup-python ## the pods of the suite
	@.tools/dev/bin/python -m dev.cluster status

cluster-down: setup-python ## remove the suite from kubectl's current cluster, with all that it stored
	@.tools/dev/bin/python -m dev.cluster down

cluster-chaos: ## disturb the suite on kubectl's current cluster under load; ROUNDS="delete evict" picks some
	@dev/setup.sh native
	@$(BIN)/python -m tests.chaos.cluster $(ROUNDS)

cluster-check: ## which pods it admits, and who of them reaches whom
	@dev/setup.sh native
	@dev/setup.sh manifests
	@$(BIN)/python -m tests.chaos.admit
	@$(BIN)/python -m tests.chaos.reach

cluster-upgrade: ## upgrade it and take the upgrade back, under load
	@dev/setup.sh native
	@$(BIN)/python -m tests.chaos.upgrade

cluster-measure: ## what each of its processes needs of CPU and memory
	@dev/setup.sh native
	@$(BIN)/python -m tests.chaos.measure

setup-python:
	@dev/setup.sh python

test: setup lint unit check chaos ## set everything up and run every check

lint: ## style, types, who may import whom, and what should be no part of a repository
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -c pyproject.toml -r $(SERVICES) chassis pipeline dev benchmarks
	$(BIN)/python -m tests.secret_scan

lint-manifests: ## what takes minutes to build: kubeconform, kube-score, promtool
	@dev/setup.sh native
	@dev/setup.sh lint
	$(BIN)/python -m tests.manifests.lint

unit: $(SERVICES:%=unit-%) ## each service's unit tests, with its own dependencies only

unit-%:
	UV_PROJECT_ENVIRONMENT=.tools/unit/$* .tools/bin/uv sync -q --frozen --only-group $* --only-group unit
	.tools/unit/$*/bin/pytest -q tests/unit/$*

docs: setup ## write the parts of docs/ that are made from the code
	$(BIN)/python -m dev.documents

bench: setup ## measure every figure of speed; leave the machine alone meanwhile
	@for program in $(filter-out __init__,$(basename $(notdir $(wildcard benchmarks/*.py)))); do \
		echo "benchmarks.$$program"; $(BIN)/python -m benchmarks.$$program || exit 1; \
	done

fuzz: ## ten minutes of schemathesis against a suite of its own; SECONDS=3600 SEED=7 sets both
	@dev/setup.sh native
	$(BIN)/python -m tests.fuzz.run $(SECONDS:%=--seconds %) $(SEED:%=--seed %)

check: ## all tests but those of chaos, with coverage
	$(BIN)/pytest --ignore tests/chaos -n 4 --dist loadgroup --cov --cov-fail-under 95 --durations 10

chaos: setup ## outages, restarts and a hundred kills under load: was anything lost?
	$(BIN)/pytest -n 2 --dist loadgroup --durations 10 tests/chaos
	$(BIN)/python -m tests.chaos.kills --minutes 8
	$(BIN)/python -m tests.chaos.caught

crashpoints: setup ## let every process die before and after each durable write and each send; its ledger goes to benchmarks/
	$(BIN)/python -m tests.chaos.crashpoints --ledger benchmarks/crashpoints.json

soak: setup ## the same with 1,000 uploads, 1,000 kills and every toxic; its ledger goes to benchmarks/
	$(BIN)/python -m tests.chaos.kills --uploads 1000 --kills 1000 --minutes 120 --toxics --ledger benchmarks/soak.json
	$(BIN)/python -m tests.chaos.outages 30
	$(BIN)/python -m tests.chaos.growth 500
