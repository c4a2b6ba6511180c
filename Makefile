# Vigil. The two commands that matter: `make demo` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PORT ?= 8080
STORES ?= embedded
# `none` builds a program without adapters, which needs nothing but what every system has: libc, SQLite, zstd, RE2, zlib.
ADAPTERS ?= all
# The flags of `make test`, so that a machine builds once for both.
RELEASE := -c release -Xswiftc -enable-testing
BINARY := .build/release/vigil

.PHONY: help
help: ## Lists the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: build
build: ## Builds the one binary, .build/release/vigil (ADAPTERS=none: .build-none/release/vigil)
	@Scripts/prerequisites build
ifeq ($(ADAPTERS),none)
	@Scripts/quietly "Building vigil without adapters" swift build -c release --disable-default-traits \
		--scratch-path .build-none --product vigil
else
	@# The package manager sometimes compiles everything anew for another product: what is newer than its sources stays.
	@if [ ! -x $(BINARY) ] || [ -n "$$(find Package.swift Sources Plugins -newer $(BINARY) -print -quit)" ]; then \
		Scripts/quietly "Building vigil" swift build $(RELEASE) --product vigil; \
	fi
endif

.PHONY: demo
demo: build ## Starts Vigil with four simulated places on http://127.0.0.1:8080 (PORT= changes it)
	@Scripts/demo --port $(PORT) --stores $(STORES)

.PHONY: test
test: ## Passes every test: unit, contracts on every engine, architecture, acceptance
	@Scripts/test all

.PHONY: soak
soak: ## Passes the long forms of the fault tests: 500 kills of a writer
	@Scripts/prerequisites test
	@Scripts/soak

.PHONY: check
check: ## The inner loop: debug build, unit tests, lint
	@Scripts/test check

.PHONY: lint
lint: ## Holds the sources to the format and the documentation rules
	@Scripts/lint

.PHONY: conformance
conformance: ## Runs the public conformance corpora and prints what passes
	@Scripts/test conformance

.PHONY: bench
bench: build ## Measures the main job beside its peers, and prints the figures with their goals
	@Scripts/prerequisites test
	@Scripts/bench

.PHONY: docs
docs: ## Makes the reference pages and describes the libraries, in .build/documentation/site
	@Scripts/prerequisites build
	@Scripts/docs

.PHONY: engines
engines: ## Installs and starts the real engines on this machine, until Ctrl-C
	@Scripts/engines up

.PHONY: clean
clean: ## Removes what was built
	rm -rf .build .build-*
