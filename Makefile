# Rapport's commands. `make help` lists them; each is a line that can be typed by hand as well.
#
# Every cargo line selects the whole workspace, as cargo does by default. With a smaller selection it would pick other
# features for shared dependencies and build those a second time.

export CARGO_TARGET_DIR ?= $(CURDIR)/target
RAPPORT := $(CARGO_TARGET_DIR)/debug/rapport

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run build demo test test-units test-sqlite test-postgres check fmt fmt-check lint openapi openapi-check \
        doc licences schemathesis bench bench-quick build-release clean-data

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: ## build and serve on http://127.0.0.1:8080, with the data in ./data
	cargo run --locked --bin rapport -- serve

demo: build ## load the Maven data set into a running server: that of make run, or RAPPORT_URL with RAPPORT_TOKEN
	RAPPORT_BIN=$(RAPPORT) scripts/demo

build:
	cargo build --locked

test: test-units test-sqlite test-postgres ## run every test, on both databases

test-units: ## run the tests that need no database
	cargo test --locked --lib --bins

test-sqlite: build ## run the tests that need a database on SQLite
	RAPPORT_TEST_DATABASE=sqlite cargo test --locked --test '*'

test-postgres: build ## run the same tests on PostgreSQL, in a cluster of their own
	RAPPORT_TEST_DATABASE=postgres scripts/postgres cargo test --locked --test '*'

check: fmt-check licences lint openapi-check doc test schemathesis ## everything that must pass before a merge

fmt: ## format the code
	cargo fmt --all

fmt-check:
	cargo fmt --all --check

lint: ## run clippy, warnings denied
	cargo clippy --locked --all-targets -- -D warnings

openapi: build ## write openapi/openapi.json anew from the code
	$(RAPPORT) openapi > $(CARGO_TARGET_DIR)/openapi.json && mv $(CARGO_TARGET_DIR)/openapi.json openapi/openapi.json

openapi-check: build
	$(RAPPORT) openapi | diff -u openapi/openapi.json - || { echo 'openapi/openapi.json is stale: run make openapi'; exit 1; }

doc: ## build the code's documentation, warnings denied
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps

licences: ## check that every dependency is under a permissive licence
	scripts/licences

schemathesis: build ## fuzz a fresh server by its own OpenAPI document (knobs: schemathesis.toml)
	scripts/schemathesis

build-release:
	cargo build --locked --release

bench: build-release ## measure, beside a bare server and pgbench, and write docs/bench (takes about an hour; ARGS=--help)
	scripts/bench --out docs/bench $(ARGS)

bench-quick: build-release ## the same with less data in one short round, for a look (under three minutes)
	scripts/bench --quick --out $(CARGO_TARGET_DIR)/bench/quick $(ARGS)

clean-data: ## delete the data of make run
	rm -rf data
