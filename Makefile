# The targets of the project: `make` lists them.
#
#   ENGINE=native|docker   how the suite runs (default: docker where an engine with Compose answers)
#   PORT_BASE=9080         the first of the 20 ports of a native suite (default: 8080, or the next free ones)
#   FILE=talk.mp4          the video for the demo (default: the bundled clip)
#   ARGS="add me@a.com"    arguments for `make users` and `make doctor` (default: list, and none)

engine_runs = timeout 10 docker version >/dev/null 2>&1
engine_answers = $(engine_runs) && docker compose version >/dev/null 2>&1
# Asked once, and only by what needs to know: an engine that hangs takes ten seconds.
ENGINE = $(eval ENGINE := $$(shell $$(engine_answers) && echo docker || echo native))$(ENGINE)
# A name with a $ in it is a name, not a variable of make.
override FILE := $(value FILE)
export PORT_BASE FILE
# What the suite, its demo and its tests ask of this machine goes through no proxy.
comma := ,
export no_proxy := localhost,127.0.0.1$(if $(no_proxy),$(comma)$(no_proxy))
export NO_PROXY := $(no_proxy)

SERVICES := auth converter gateway notification
BIN := .venv/bin
# The environment of the words about the suite: the one with everything, or the small one.
PYTHON = $(if $(filter docker,$(ENGINE)),.tools/dev,.venv)/bin/python
# Whichever of them is there: what was started by either is seen, and ended, by both.
ANY_PYTHON = $(firstword $(wildcard .venv/bin/python .tools/dev/bin/python))
DEV = $(or $(ANY_PYTHON),$(error nothing is set up: make up)) -m dev

.DEFAULT_GOAL := help
.PHONY: help demo look up status logs users doctor down clean setup test test-here test-container docs lint unit check coverage chaos crashpoints soak bench fuzz joins fresh
.PHONY: minikube cluster-demo cluster-status cluster-down lint-manifests
.PHONY: cluster-chaos cluster-check cluster-upgrade cluster-measure

help: ## list the targets
	@sed -n '3,6s/^# *//p' $(MAKEFILE_LIST)
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: look setup-engine ## set everything up, convert FILE through the HTTP API, leave the suite running
	@ENGINE=$(ENGINE) $(PYTHON) -m dev demo

up: setup-engine ## set everything up and start the suite
	@ENGINE=$(ENGINE) $(PYTHON) -m dev up

status: ## show what runs, and where
	@$(DEV) status

logs: ## follow the logs of all processes
	@$(DEV) logs

users: ## list, add or change users: ARGS="add me@example.com" (ARGS=--help shows more)
	@$(DEV) users $(or $(ARGS),list)

doctor: ## check every server that the suite needs, and say how to fix what is wrong
	@$(DEV) doctor $(ARGS)

down: ## stop the suite; its data is kept
	@$(if $(ANY_PYTHON),$(ANY_PYTHON) -m dev down)

clean: ## stop the suite and remove its data, the test results and the set-up
	@$(if $(ANY_PYTHON),$(ANY_PYTHON) -m dev clean)
	@dev/setup.sh left
	@rm -rf .stack .secrets .env demo .venv .tools .coverage* .hypothesis .*_cache
	@rm -rf gateway/page/node_modules gateway/page/static/vendor
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: ## install what the native suite and the tests need
	@dev/setup.sh native
	@dev/setup.sh browser
	@dev/setup.sh clients
	@dev/setup.sh manifests

# Before minutes of set-up, not after them.
look:
	@case $$FILE in '~'/*) file=$$HOME$${FILE#'~'} ;; *) file=$$FILE ;; esac; \
	[ -z "$$file" ] || { [ -f "$$file" ] && [ -r "$$file" ]; } || \
		{ printf '%s\n' "FILE: there is no readable file $$file; choose a video with make demo FILE=talk.mp4" >&2; exit 1; }

setup-engine:
	@dev/setup.sh $(if $(filter docker,$(ENGINE)),python,native)

minikube: setup-python ## run the demo on minikube, starting minikube if necessary
	@.tools/dev/bin/python -m dev.cluster minikube

cluster-demo: setup-python ## run the demo on kubectl's current cluster; LOAD_IMAGE="kind load docker-image" loads the images
	@.tools/dev/bin/python -m dev.cluster demo

cluster-status: setup-python ## show the pods of the suite
	@.tools/dev/bin/python -m dev.cluster status

cluster-down: setup-python ## remove the suite and its data from kubectl's current cluster
	@.tools/dev/bin/python -m dev.cluster down

cluster-chaos: ## disrupt the suite on kubectl's current cluster under load; ROUNDS="delete evict" selects rounds
	@dev/setup.sh native
	@$(BIN)/python -m tests.chaos.cluster $(ROUNDS)

cluster-check: ## check which pods the cluster admits and which connections it allows
	@dev/setup.sh native
	@dev/setup.sh manifests
	@$(BIN)/python -m tests.chaos.admit
	@$(BIN)/python -m tests.chaos.reach

cluster-upgrade: ## upgrade the suite and roll the upgrade back, under load
	@dev/setup.sh native
	@$(BIN)/python -m tests.chaos.upgrade

cluster-measure: ## measure the CPU and memory that each process needs
	@dev/setup.sh native
	@$(BIN)/python -m tests.chaos.measure

setup-python:
	@dev/setup.sh python

test: test-$(if $(shell command -v apt-get),here,container) ## set everything up and run every check

test-here: setup lint unit check chaos

# The tests need Debian's packages.  Without apt, they run in a Debian that is thrown away after them.
test-container:
	@$(engine_runs) || { echo "make test needs Debian 12 or 13, or Docker: there is neither apt-get nor an engine that answers" >&2; exit 1; }
	git ls-files -z --cached --others --exclude-standard | tar -cf - --null -T - .git | \
		docker run --rm -i --init --shm-size 1g debian:13-slim sh -c '$(in_debian)'

in_debian = set -e; mkdir clone; cd clone; tar -xf - --no-same-owner; \
	apt-get update -q && apt-get install -qq --no-install-recommends ca-certificates curl git make >/dev/null; \
	make test

lint: setup ## check style, types and imports, and search for committed secrets
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -c pyproject.toml -r $(SERVICES) chassis pipeline dev benchmarks
	$(BIN)/python -m tests.secret_scan
	PYTHONPATH=$(CURDIR)/.tools/node PATH=$(CURDIR)/.tools/node/bin:$$PATH npm --prefix gateway/page run --silent lint

lint-manifests: ## check the manifests with kubeconform, kube-score and promtool (takes minutes to build)
	@dev/setup.sh native
	@dev/setup.sh lint
	$(BIN)/python -m tests.manifests.lint

unit: $(SERVICES:%=unit-%) ## run each service's unit tests with only its own dependencies

unit-%: setup
	UV_PROJECT_ENVIRONMENT=.tools/unit/$* .tools/bin/uv sync -q --frozen --only-group $* --only-group unit
	.tools/unit/$*/bin/pytest -q tests/unit/$*

docs: setup ## update the parts of docs/ that are generated from the code
	$(BIN)/python -m dev.documents

bench: setup unit-gateway ## measure all performance figures; leave the machine idle meanwhile
	@for program in $(filter-out __init__ gateways,$(basename $(notdir $(wildcard benchmarks/*.py)))); do \
		echo "benchmarks.$$program"; $(BIN)/python -m benchmarks.$$program || exit 1; \
	done

picture: ## take the README's screenshot of the page; needs the native suite running
	@$(BIN)/python -m dev.picture docs/page.png

fuzz: ## fuzz the API for ten minutes; SECONDS=3600 SEED=7 sets both
	@dev/setup.sh native
	$(BIN)/python -m tests.fuzz.run $(SECONDS:%=--seconds %) $(SEED:%=--seed %)

joins: setup ## compare MP3s from several encoders with those from one; CASES=1000 SEED=7 sets both
	$(BIN)/python -m tests.corpus.joined $(CASES:%=--cases %) $(SEED:%=--seed %)

fresh: ## test everything on minimal Debians (root, mmdebstrap, hours); ARGS="--release trixie --without-test" selects some
	@dev/setup.sh native
	@$(BIN)/python -m tests.fresh $(ARGS)

PYTEST = $(BIN)/pytest --dist loadgroup --maxfail 10 --durations 10
ALL_BUT_CHAOS = $(PYTEST) -n 4 --no-loadscope-reorder --ignore tests/chaos

check: setup ## run all tests except unit and chaos
	$(ALL_BUT_CHAOS) $(SERVICES:%=--ignore tests/unit/%)

coverage: setup ## run all tests except chaos and measure coverage: at least 95 % (Python 3.12 or later)
	$(ALL_BUT_CHAOS) --cov --cov-fail-under 95

chaos: setup ## test outages, restarts and a hundred kills under load; check that nothing is lost
	$(PYTEST) -n 2 tests/chaos
	$(BIN)/python -m tests.chaos.kills --minutes 8
	$(BIN)/python -m tests.chaos.caught

crashpoints: setup ## kill every process before and after each durable write and each message; writes benchmarks/crashpoints.json
	$(BIN)/python -m tests.chaos.crashpoints --ledger benchmarks/crashpoints.json

soak: setup ## test 1,000 uploads with 1,000 kills and network faults; writes benchmarks/soak.json
	$(BIN)/python -m tests.chaos.kills --uploads 1000 --kills 1000 --minutes 120 --toxics --ledger benchmarks/soak.json
	$(BIN)/python -m tests.chaos.outages 30
	$(BIN)/python -m tests.chaos.mails
	$(BIN)/python -m tests.chaos.growth 500
