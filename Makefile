# Short names for the long commands. `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Of `make dev`: where it listens, where its data lives, and DEMO=0 for an empty product.
PORT ?= 8787
STATE ?= .state
DEMO ?= 1
export PORT STATE DEMO
# Of `make e2e`: which tests.
export T

.PHONY: help setup build dev check unit e2e web test dist-test advisories bench fuzz dist deploy clean

help: ## List these commands
	@sed -n 's/^\([a-z0-9-]*\): .*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: ## Find or install the tools (into .tools/ and node_modules/)
	@scripts/toolchain.sh test

build: ## Build the Worker, the browser console, the agent and the command line
	@scripts/toolchain.sh
	@scripts/build.sh

dev: ## Run the whole product here; PORT=8787 STATE=.state DEMO=1
	@exec scripts/dev.sh

check: ## Format, lints, types, shell scripts, licences: in seconds
	@scripts/test.sh check

unit: ## Unit and property tests of Rust and of the console
	@scripts/test.sh unit

e2e: ## End to end, with the real Worker and agent; T=machines for those with that in their names
	@scripts/test.sh e2e

web: ## The console: unit tests, and in a real browser
	@scripts/test.sh web

test: ## Prove it: all of these, and the whole product in a real browser
	@scripts/test.sh

dist-test: ## What make dist makes: packages, signatures, programs for the other kind of processor
	@scripts/test.sh dist-test

advisories: ## Whether a crate has become known as broken; needs the network
	@scripts/test.sh advisories

bench: ## Measure it: latency, throughput, requests per second
	@scripts/toolchain.sh
	@scripts/build.sh
	@bench/run.sh

fuzz: ## Feed decoders and relay hostile bytes; SECONDS_EACH=60
	@scripts/fuzz.sh

dist: ## Agent and command line for every kind of machine, signed, into dist/ (docs/releases.md)
	@scripts/dist.sh

deploy: ## Deploy to your Cloudflare account (docs/deploy.md)
	@scripts/deploy.sh

clean: ## Remove what was built; tools and data stay
	rm -rf build dist target web/dist .tools/stamps .tools/edge-config.json
