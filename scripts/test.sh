#!/usr/bin/env bash
# Everything that proves the product, the quick checks first; stops at the first step that fails. The output of each step
# is kept in .tools/test-logs/. The last line counts the tests.
source "$(dirname "$0")/lib/common.sh"

LOGS=$TOOLS/test-logs
mkdir -p "$LOGS"
rm -f "$LOGS"/*.log
if [ -t 1 ]; then export CARGO_TERM_COLOR=always FORCE_COLOR=1; else export CARGO_TERM_COLOR=never NO_COLOR=1; fi

# How many tests the logs say passed (or failed): the summaries of nextest, cargo test, vitest and node --test.
count() {
  cat "$LOGS"/*.log | sed $'s/\x1b\\[[0-9;]*m//g' | awk -v word="$1" -v tap="$2" '
    /^ *Summary \[/ || /^test result:/ || /^ *Tests  / {
      for (i = 2; i <= NF; i++) { kind = $i; sub(/[,;:]$/, "", kind); if (kind == word) total += $(i - 1) }
    }
    $1 ~ /^(#|ℹ)$/ && $2 == tap { total += $3 }
    END { print total + 0 }'
}

summary() { printf '%s passed, %s failed%s\n' "$(count passed pass)" "$(count failed fail)" "${1:-}"; }

# step <name> <command>...
step() {
  local name=$1 log=$LOGS/$((++STEPS)).log begun=$SECONDS
  shift
  say "$name"
  if "$@" 2>&1 | tee "$log"; then
    say "$name: ok, $((SECONDS - begun)) s"
  else
    say "$name: FAILED after $((SECONDS - begun)) s; its output is in ${log#"$ROOT"/}"
    summary "; stopped at: $name"
    exit 1
  fi
}
STEPS=0

lint() {
  cargo clippy --quiet --workspace --all-targets -- -D warnings &&
    # What runs in the Worker, as it is compiled for it.
    cargo clippy --quiet --target wasm32-unknown-unknown -p vsay-edge -p durable-objects -p protocol -- -D warnings
}

step "tools" scripts/toolchain.sh test
CHROMIUM=$(find_chromium)
export CHROMIUM
step "format" cargo fmt --all --check
step "lints" lint
step "unit and property tests" cargo nextest run --workspace --no-fail-fast -E 'not binary(e2e)'
step "console: types" npm --prefix web run --silent check
step "console: unit tests" npm --prefix web run --silent test
step "build" scripts/build.sh
step "end to end" cargo test --quiet --test e2e
step "API: requests of every kind" node --test 'tests/api/*.test.mjs'
step "console: in a browser" npm --prefix web run --silent test:browser
step "make dev, in a browser" node --test 'web/tests/dev/*.test.mjs'
summary
