# What people do with Casebook. `make` alone lists it.

PROFILE ?= dev
CASEBOOK = cargo run --quiet --locked --package casebook --profile $(PROFILE) --
NEXTEST := $(shell cargo nextest --version >/dev/null 2>&1 && echo yes)

.DEFAULT_GOAL := help
.PHONY: help up down status demo rebuild import-real test bench lint format contracts contracts-check prerequisites

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: prerequisites ## Start everything on http://127.0.0.1:8080; Ctrl-C stops it. PROFILE=release builds for speed
	@echo "Building casebook with the profile $(PROFILE) (the first time takes some minutes)"
	@cargo build --locked --package casebook --profile $(PROFILE)
	@echo "Starting PostgreSQL, nats-server (unless DATABASE_URL and NATS_URL name existing ones) and all services"
	@echo "Data and keys are in $${CASEBOOK_DATA_DIR:-.casebook}. Ctrl-C stops all of it; \`make demo\` in another terminal fills two clinics"
	@$(CASEBOOK) up

down: ## Stop what `make up` started, from another terminal
	@$(CASEBOOK) down

status: ## What runs and how far the read models are
	@$(CASEBOOK) status

demo: ## Fill two clinics of what `make up` started, and say how to log in
	@$(CASEBOOK) demo

import-real: prerequisites ## Import the whole real book, kill it in the middle, and compare (docs/results/import.md)
	cargo test --locked --package casebook --profile $(PROFILE) --test import -- --ignored --nocapture real

rebuild: ## Make all read models again from the log; PROJECTION=patient for one, CLINIC=<slug> for one clinic's rows
	@$(CASEBOOK) rebuild $(or $(PROJECTION),--all) $(if $(CLINIC),--clinic $(CLINIC))

test: prerequisites ## Every test, on private servers of its own
ifeq ($(NEXTEST),yes)
	cargo nextest run --workspace --locked
else
	@echo "cargo-nextest is not installed: running the same tests with cargo test"
	cargo test --workspace --locked --no-fail-fast
endif

bench: prerequisites ## Each figure beside its ceiling, with the goals. ROWS=append-many,append-hot ROUNDS=3 SECONDS_EACH=5
	@echo "Building for speed (the first time takes some minutes)"
	@cargo run --quiet --locked --release --package tests --bin bench -- $(if $(ROWS),,--result docs/results/bench.md)

lint: ## Format and lints, as CI asks for them
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

format: ## Format the code
	cargo fmt --all

contracts: ## Write the generated files under docs/ again
	@$(CASEBOOK) contracts

contracts-check: ## Compare the generated files with what the code says
	@$(CASEBOOK) contracts --check

prerequisites: ## Install PostgreSQL, nats-server and a C compiler when they are missing
	@scripts/install-prerequisites.sh
