#!/usr/bin/env bash
# Builds what changed: build.sh [--plan] [--quick] [worker] [web] [native] [assets]; without a part, all of them. With --plan it
# only prints what it would build, as toolchain.sh does. With --quick, for `make dev`, it optimises next to nothing: Worker and
# programs are ready in a fraction of the time, several times as large, and stay until something wants them as they are handed
# out. What was built in full and has not changed stays for both.
#   worker  the Worker and its Durable Objects, as WebAssembly, into build/
#   web     the browser console, into web/dist/
#   native  the agent (vsay-agent), its helper for PAM (vsay-pam), and the command line (vsay), into build/bin/; for Linux all
#           three, elsewhere the last
#   assets  what is served without the Worker, into build/assets/: the console, and the programs for a machine like this one
source "$(dirname "$0")/lib/common.sh"
source scripts/lib/native.sh

worker_sources() { find Cargo.toml Cargo.lock package-lock.json build.rs migrations src durable-objects protocol/Cargo.toml protocol/src scripts/glue scripts/build.sh -type f; }
web_sources() { find web \( -name node_modules -o -path web/dist -o -path web/tests \) -prune -o -type f -print; }

# unchanged <part> <output>: whether the part was built from exactly the files it has now, in full or as it is to be built.
# `mark` remembers that it was.
unchanged() {
  local seen built
  STAMP=$TOOLS/stamps/$1
  seen=$("$1_sources" | hash_of_files)
  SEEN="$PROFILE $seen"
  [ -e "$2" ] || return 1
  built=$(cat "$STAMP" 2>/dev/null) || return 1
  [ "$built" = "$SEEN" ] || [ "$built" = "release $seen" ]
}

mark() {
  mkdir -p "$(dirname "$STAMP")"
  echo "$SEEN" >"$STAMP"
}

# Of what -O does, inlining makes the Worker a tenth larger after compression: rustc has inlined already what pays. The order of
# functions comes afterwards. The names, a tenth of the whole, are not written again. The features are those that Rust's code and its
# JavaScript use: with all that wasm-opt knows, it would write what workerd does not read yet.
OPTIMISE=(-O --skip-pass=inlining-optimizing --skip-pass=reorder-functions
  --enable-{mutable-globals,sign-ext,nontrapping-float-to-int,bulk-memory,multivalue,reference-types,exception-handling})

build_worker() {
  unchanged worker build/index.js && return
  planned "$(job_name worker)" "the Worker" && return
  one_at_a_time worker
  unchanged worker build/index.js && return
  say "building the Worker"
  local target=wasm32-unknown-unknown glue=dev made=$TOOLS/worker
  rm -rf "$made" && mkdir -p "$made"
  # What it is made with, of crates that the tests have compiled, or that this is going to.
  [ "$PROFILE" = release ] || glue=$PROFILE
  job --bar "$(job_name glue)" "building what writes the Worker's JavaScript" \
    cargo build --profile "$glue" --workspace --bin glue
  [ "$glue" != dev ] || glue=debug
  # As Cloudflare's own tool has it: Rust's futures become those of the crate js-sys.
  export WASM_BINDGEN_USE_JS_SYS=1
  # Small before fast: a cold start takes as long as the code is large, and requests wait for the database, not for the
  # processor. Cargo.toml excepts what computes.
  CARGO_PROFILE_RELEASE_OPT_LEVEL=z \
    job --bar "$(job_name worker)" "building the Worker" cargo build --profile "$PROFILE" --target "$target" -p vsay-edge --lib
  "$TARGET_DIR/$glue/glue" "$TARGET_DIR/$target/$PROFILE/vsay_edge.wasm" "$made"
  if [ "$PROFILE" = release ]; then
    job optimise "making the Worker small" wasm-opt "${OPTIMISE[@]}" "$made/index_bg.wasm" -o "$made/index_bg.wasm"
    # What is alike lies together then, and compresses.
    "$TARGET_DIR/$glue/glue" sort "$made/index_bg.wasm"
  fi
  cp src/entry.js "$made/"
  esbuild "$made/entry.js" --bundle --minify --format=esm --external:./index_bg.wasm --external:cloudflare:* \
    --log-level=warning --outfile="$made/worker.js"
  # The runtime hands out WebAssembly as a module by an import of the old form.
  sed 's/import source /import /' "$made/worker.js" >"$made/index.js"
  mkdir -p build
  mv -f "$made/index_bg.wasm" "$made/index.js" build/
  rm -rf "$made"
  mark
}

build_web() {
  # It is built in one way.
  local PROFILE=release
  unchanged web web/dist/index.html && return
  planned web "the browser console" && return
  one_at_a_time web
  unchanged web web/dist/index.html && return
  say "building the browser console"
  job web "building the browser console" npm --prefix web run --silent build -- --logLevel warn
  mark
}

# What changed, Cargo itself knows; but not what was built in another profile.
build_native() {
  local name target programs=(vsay) last=vsay
  if is_linux; then programs+=(vsay-agent vsay-pam) last=vsay-pam; fi
  if unchanged native "$PROGRAMS/$last" && [ "$PROFILE" != release ]; then return; fi
  if [ ! -e "$PROGRAMS/$last" ]; then planned "$(job_name native)" "the agent and the command line" && return; fi
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
  mark
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
while :; do
  case ${1:-} in
    --plan) PLAN=yes ;;
    --quick) PROFILE=quick ;;
    *) break ;;
  esac
  shift
done
[ $# -gt 0 ] || set -- native worker web assets
for part in "$@"; do
  case $part in
    worker | web | native | assets) "build_$part" ;;
    *) fail "build.sh: no part named $part" "Parts: worker web native assets" ;;
  esac
done
[ -n "$PLAN" ] || say "build: ok, $SECONDS s"
