#!/usr/bin/env bash
# Builds what changed: build.sh [--plan] [worker] [web] [native] [assets]; without a part, all of them. With --plan it only
# prints what it would build, as toolchain.sh does.
#   worker  the Worker and its Durable Objects, as WebAssembly, into build/
#   web     the browser console, into web/dist/
#   native  the agent (vsay-agent), its helper for PAM (vsay-pam), and the command line (vsay), into build/bin/; for Linux all
#           three, elsewhere the last
#   assets  what is served without the Worker, into build/assets/: the console, and the programs for a machine like this one
source "$(dirname "$0")/lib/common.sh"
source scripts/lib/native.sh

worker_sources() { find Cargo.toml Cargo.lock src durable-objects protocol/Cargo.toml protocol/src -type f; }
web_sources() { find web \( -name node_modules -o -path web/dist -o -path web/tests \) -prune -o -type f -print; }

# unchanged <part> <output>: whether the part was built from exactly the files it has now. `mark` remembers that it was.
unchanged() {
  local files
  files=$("$1_sources" | LC_ALL=C sort)
  STAMP=$TOOLS/stamps/$1
  SEEN=$({ echo "$files" && git hash-object --no-filters --stdin-paths <<<"$files"; } | git hash-object --stdin)
  [ -e "$2" ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$SEEN" ]
}

mark() {
  mkdir -p "$(dirname "$STAMP")"
  echo "$SEEN" >"$STAMP"
}

build_worker() {
  unchanged worker build/index.js && return
  planned worker "the Worker" && return
  one_at_a_time worker
  unchanged worker build/index.js && return
  say "building the Worker"
  # With all three named, it downloads nothing.
  export WASM_BINDGEN_BIN=$TOOLS/bin/wasm-bindgen
  export WASM_OPT_BIN=$ROOT/node_modules/.bin/wasm-opt
  export ESBUILD_BIN=$ROOT/node_modules/.bin/esbuild
  # Small before fast: a cold start takes as long as the code is large, and requests wait for the database, not for the
  # processor. Cargo.toml excepts what computes.
  CARGO_PROFILE_RELEASE_OPT_LEVEL=z job --bar worker "building the Worker" worker-build --release
  # The names of its functions, a tenth of the whole, which worker-build keeps.
  wasm-opt --strip-debug -o build/index_bg.wasm build/index_bg.wasm
  mark
}

build_web() {
  unchanged web web/dist/index.html && return
  planned web "the browser console" && return
  one_at_a_time web
  unchanged web web/dist/index.html && return
  say "building the browser console"
  job web "building the browser console" npm --prefix web run --silent build -- --logLevel warn
  mark
}

# Cargo itself knows what changed.
build_native() {
  local name target programs=(vsay)
  if is_linux; then programs+=(vsay-agent vsay-pam); fi
  for name in "${programs[@]}"; do
    if [ ! -e "$PROGRAMS/$name" ]; then planned native "the agent and the command line" && return; fi
  done
  [ -z "$PLAN" ] || return 0
  one_at_a_time native
  if is_linux; then
    target=$(linux_target "$(uname -m)")
    programs_for_linux "$(uname -m)"
  else
    target=$(rustc --print host-tuple)
    programs_for "$target" vsay
  fi
  mkdir -p "$PROGRAMS"
  for name in "${programs[@]}"; do put_program "$(program_of "$target" "$name")" "$name"; done
}

# put_program <file> <name>. One that runs is not written to, and one that is the same stays as old as it is.
put_program() {
  if cmp -s "$1" "$PROGRAMS/$2"; then return; fi
  cp "$1" "$PROGRAMS/.$2"
  mv -f "$PROGRAMS/.$2" "$PROGRAMS/$2"
}

# Of what the others have built, in a second.
build_assets() {
  [ -z "$PLAN" ] || return 0
  scripts/dist.sh --here
  scripts/assets.sh
}

PLAN=''
if [ "${1:-}" = --plan ]; then
  PLAN=yes
  shift
fi
[ $# -gt 0 ] || set -- native worker web assets
for part in "$@"; do
  case $part in
    worker | web | native | assets) "build_$part" ;;
    *) fail "build.sh: no part named $part" "Parts: worker web native assets" ;;
  esac
done
[ -n "$PLAN" ] || say "build: ok, $SECONDS s"
