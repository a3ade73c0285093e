#!/usr/bin/env bash
# Proves the product: test.sh [check|unit|e2e|web|advisories|ansible|dist-test]; without an argument everything but the last three, the quick
# checks first. With T=machines, e2e runs only the tests with that in their names. Stops at the first step that fails. The output of each step is
# kept in .tools/test-logs/, and the last line counts the tests.
source "$(dirname "$0")/lib/common.sh"
source scripts/lib/native.sh

PART=${1:-}
case $PART in
  '' | check | unit | e2e | web | advisories | ansible | dist-test) ;;
  *) fail "test.sh: no part named $PART" "Parts: check unit e2e web advisories ansible dist-test" ;;
esac
LOGS=$TOOLS/test-logs${PART:+/$PART}
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
  local name=$1 log=$LOGS/$LANE$((++STEPS)).log begun=$SECONDS
  shift
  # What has failed beside stops it here.
  [ -z "$BESIDE" ] || kill -0 "$BESIDE" 2>/dev/null || together
  say "$name"
  if "$@" 2>&1 | tee "$log"; then
    say "$name: ok, $((SECONDS - begun)) s"
  else
    say "$name: FAILED after $((SECONDS - begun)) s"
    FAILED=$name FAILED_LOG=$log
    exit 1
  fi
}
STEPS=0
LANE=''
BESIDE=''
FAILED=''

# How much of a failed step's output is said once more at the end: the list of what failed, of all the tools used here.
SAID_AGAIN_LINES=25

# Said last of all, when what ran beside has had its say: whoever sees only the end of a long output learns what failed.
say_failure() {
  [ -n "$FAILED" ] || return 0
  say "the end of: $FAILED"
  tail -n "$SAID_AGAIN_LINES" "$FAILED_LOG"
  summary "; stopped at: $FAILED, whose output is in ${FAILED_LOG#"$ROOT"/}"
}

# beside <part>...: runs parts beside what follows, since compilers that link, and tests that wait, leave half a machine to
# others. `together` waits for them and shows what they said; where one failed, the whole stops.
beside() {
  local part
  set -m
  (
    set +m
    trap say_failure EXIT
    for part in "$@"; do
      LANE=$part-
      "$part"
    done
  ) >"$LOGS/beside" 2>&1 </dev/null &
  BESIDE=$!
  set +m
}

together() {
  local status=0
  [ -n "$BESIDE" ] || return 0
  wait "$BESIDE" || status=$?
  BESIDE=''
  cat "$LOGS/beside"
  [ "$status" = 0 ] || exit "$status"
}
# With all that it started. Where it had failed already, that is worth knowing.
ended() {
  [ -z "$BESIDE" ] || { kill -- "-$BESIDE" 2>/dev/null; cat "$LOGS/beside"; }
  say_failure
}
trap ended EXIT

shell_scripts() {
  find scripts bench findings agent tests .ci \( -name '*.sh' -o -path .ci/run \) -print0 | xargs -0 "$TOOLS/python/bin/shellcheck"
}

# What needs no program of ours to run.
check() {
  beside sources
  crates
  together
}

crates() {
  step "format" cargo fmt --all --check
  step "lints" cargo clippy --quiet --workspace --all-targets -- -D warnings
  step "lints, of the end to end tests" cargo clippy --quiet --workspace --test e2e -- -D warnings
  step "lints, of what runs in the Worker as it is compiled for it" \
    cargo clippy --quiet --target wasm32-unknown-unknown -p vsay-edge -p durable-objects -p protocol -- -D warnings
  step "crates: licences, sources, bans" cargo deny --workspace --log-level warn check bans licenses sources
}

sources() {
  step "TypeScript and JavaScript: format and lints" biome ci .
  step "console: types" npm --prefix web run --silent check
  step "shell scripts" shell_scripts
}

# Whether a crate has become known as broken: changes by itself, and so does not belong to the tests.
advisories() { step "crates: advisories" cargo deny --workspace --log-level warn check advisories; }

# Those of agent and vsay that run a program, which is one that Cargo builds for them, or the one that others install.
OF_PROGRAMS='binary_id(vsay-agent::agent) | binary_id(vsay::program)'

# unit [option of nextest]...
unit() {
  beside scripts console_unit
  step "unit and property tests" cargo nextest run --workspace --no-fail-fast "$@"
  together
  pictures
}

scripts() {
  step "scripts" node --test 'tests/scripts/*.test.mjs'
  step "scripts of packages" node --test 'tests/packages/*.test.mjs'
}

pictures() { step "pictures of terminals" node --test 'tests/pictures/*.test.mjs'; }

console_unit() { step "console: unit tests" npm --prefix web run --silent test; }

build() {
  step "build" scripts/build.sh
  step "size of the Worker" scripts/bundle.sh check
}

# The tests of agent and vsay, of the very programs that others install.
programs() {
  VSAY_AGENT_BIN=$PROGRAMS/vsay-agent VSAY_BIN=$PROGRAMS/vsay \
    step "agent and vsay, as they are handed out" \
    cargo nextest run --workspace --no-fail-fast -E "$OF_PROGRAMS"
}

# e2e [part of a test's name]. Not of the whole workspace: there reqwest would be built without a TLS provider, as the agent brings
# its own.
e2e() { step "end to end" cargo test --quiet --test e2e -- "$@"; }

requests() { step "API: requests of every kind" node --test 'tests/api/*.test.mjs'; }

# The one line for a new machine, on computers of the tests. By itself: it has ten seconds.
install() { step "installing the agent" node --test 'tests/install/*.test.mjs'; }

# console_browser [folder of tests]
console_browser() { step "console: in a browser" npm --prefix web run --silent test:browser -- "$@"; }

product() { step "make dev, in a browser" node --test 'web/tests/dev/*.test.mjs'; }

# Deployments by the real ansible-playbook.
ansible() {
  ANSIBLE_PLAYBOOK=$TOOLS/ansible/bin/ansible-playbook \
    step "deployments by Ansible" cargo test --quiet --test e2e -- --ignored ansible::
}

# What is tried with emulated programs: enrolment, shells, commands, cuts. An emulator's memory says nothing of the program's.
EMULATED=(terminals:: cli:: machines:: --skip memory_stays_bounded)

# The programs for the other kind of processor, emulated, with the real edge and real shells.
emulated() {
  local processor target name folder=$TOOLS/emulated
  processor=$(other_processor)
  target=$(linux_target "$processor")
  step "programs for $processor" programs_for_linux "$processor"
  mkdir -p "$folder"
  for name in vsay-agent vsay; do
    printf '#!/bin/sh\nexec qemu-%s "%s" "$@"\n' "$processor" "$(program_of "$target" "$name")" >"$folder/$name"
    chmod +x "$folder/$name"
    step "$name for $processor: what it says" "$folder/$name" --help
  done
  VSAY_AGENT_BIN=$folder/vsay-agent VSAY_BIN=$folder/vsay VSAY_PROCESSOR=$processor \
    step "end to end, with programs for $processor" cargo test --quiet --test e2e -- "${EMULATED[@]}"
}

# What others install: made with a key that proves nothing, looked at, and installed from an edge that hands it out.
packages() {
  export DIST=$TOOLS/dist-test
  step "make dist" scripts/dist.sh --throwaway
  step "what the edge hands out" scripts/assets.sh
  step "packages, signatures, the other processor" node --test 'tests/dist/*.test.mjs'
}

step "tools" scripts/toolchain.sh "${PART:-test}"
CHROMIUM=$(find_chromium)
export CHROMIUM
case $PART in
  check | advisories | unit) "$PART" ;;
  e2e)
    build
    # Somebody who names tests is in a hurry.
    if [ -n "${T:-}" ]; then
      e2e "$T"
    else
      beside requests
      programs
      e2e
      together
      install
    fi
    ;;
  web)
    console_unit
    # Those over the real product want it built.
    console_browser tests/browser
    ;;
  ansible)
    build
    ansible
    ;;
  dist-test)
    build
    emulated
    packages
    ;;
  '')
    beside sources scripts console_unit
    crates
    step "unit and property tests" cargo nextest run --workspace --no-fail-fast -E "not ($OF_PROGRAMS)"
    together
    beside pictures
    build
    together
    beside requests console_browser
    programs
    e2e
    together
    install
    product
    ;;
esac
say "${PART:-test}: ok, $SECONDS s"
case $PART in check | advisories) ;; *) summary ;; esac
