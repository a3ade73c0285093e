# Short names for the long commands. `make` alone lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help

# Of `make dev`: where it listens, where its data lives, and DEMO=0 for an empty product.
PORT ?= 8787
STATE ?= .state
DEMO ?= 1
export PORT STATE DEMO

NODE := node_modules/.bin/node

.PHONY: help setup build dev test bench fuzz deploy clean

help: ## List these commands
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## Find or install the tools (into .tools/ and node_modules/)
	@scripts/toolchain.sh test

build: ## Build the Worker, the browser console, the agent and the command line
	@scripts/toolchain.sh
	@scripts/build.sh

dev: build ## Run the whole product here; PORT=8787 STATE=.state DEMO=1
	@exec $(NODE) scripts/dev.mjs

test: ## Prove it: format, lints, unit tests, end to end, a real browser
	@scripts/test.sh

bench: ## Measure it: latency, throughput, requests per second
	@scripts/toolchain.sh
	@scripts/build.sh
	@bench/run.sh

fuzz: ## Feed the decoders hostile bytes; SECONDS_EACH=60
	@scripts/fuzz.sh

deploy: ## Deploy to your Cloudflare account (docs/deploy.md)
	@scripts/deploy.sh

clean: ## Remove what was built; tools and data stay
	rm -rf build target web/dist .tools/stamps .tools/edge-config.json
