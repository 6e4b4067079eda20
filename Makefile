# Blackstart: build, try and test it. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

LAB ?= target/lab
# `make demo KEEP=1` leaves the lab standing afterwards.
KEEP ?=

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps: ## Install what is missing on this machine to run the lab (Debian, root)
	@tests/lab/install lab

.PHONY: test-deps
test-deps: ## Install what is missing on this machine to run the tests (Debian, root)
	@tests/lab/install lab tests

.PHONY: build
build: ## Build the release binary: target/release/blackstart
	cargo build --release --locked

.PHONY: demo
demo: deps ## Raise a site, compromise it, isolate and restore it, show the proof (KEEP=1 leaves the site standing)
	@LAB='$(LAB)' KEEP='$(KEEP)' tests/lab/demo

.PHONY: test
test: test-deps ## Check format, lints, docs and licences, and pass every test
	@tests/all

.PHONY: soak
soak: test-deps ## Run what takes hours: long tests, 500 crashes, more seeds, fuzzing, every promise twenty times (SEEDS=n TIMES=n T=s)
	@SEEDS='$(SEEDS)' TIMES='$(TIMES)' T='$(T)' tests/soak

.PHONY: fuzz
fuzz: ## Fuzz every reader of foreign bytes, each for T seconds (60)
	@tests/fuzz '$(or $(T),60)'

.PHONY: lab-plans
lab-plans: test-deps ## A hundred random plans with packets: what the lock-out analysis accepts never locks out (SEED=n makes others)
	cargo nextest run --locked --run-ignored only --no-capture -E 'test(a_hundred_accepted_plans_never_lock_out)'

.PHONY: bars
bars: build ## Measure reports of 5,000 tasks and 10,000 trials of 200 tasks against what is promised of them
	@tests/bars

.PHONY: bench
bench: ## Measure Blackstart against its peers and a bare client, on loopback (W=W2,W3 some workloads, TOOLS=blackstart,asyncssh some tools)
	@tests/lab/install lab bench
	@benches/run '$(W)' '$(TOOLS)'

.PHONY: fmt
fmt: ## Format the sources
	cargo fmt

.PHONY: lab-up
lab-up: deps ## Raise the lab in target/lab
	@tests/lab/up '$(LAB)'
	@tests/lab/status '$(LAB)'

.PHONY: lab-down
lab-down: ## Take the lab down
	@tests/lab/down '$(LAB)'

.PHONY: clean-lab
clean-lab: lab-down ## Take the lab down and forget its keys, logs and backup
	rm -rf '$(LAB)'
