# shellcheck shell=bash
# Sourced by toolchain.sh: what must be on the machine before anything is built or installed. Everything that is missing is
# said at once, in the first second, each with what to do.

# Of Node.js that npm runs with; what we run has its own, from npm.
OLDEST_NODE=20
# Of Python, in its minor version: what the tools from PyPI want.
OLDEST_PYTHON_MINOR=10
# Disk that a first build takes, in megabytes: packages, tools, crates and what is built of them, with room to spare.
FIRST_BUILD_MB=6000

LACKING=()

# lack <what is missing> <what to do>
lack() { LACKING+=("$1" "$2"); }

# Ends the script, if something is missing.
complete() {
  [ ${#LACKING[@]} -gt 0 ] || return 0
  local at
  for ((at = 0; at < ${#LACKING[@]}; at += 2)); do
    printf '%serror:%s %s\n       %s\n' "$RED" "$PLAIN" "${LACKING[at]}" "${LACKING[at + 1]}" >&2
  done
  exit 1
}

# at_least <oldest> <found>: versions with dots.
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

require_rust() {
  local oldest found
  oldest=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
  if ! have cargo || ! have rustc; then
    lack "Rust is missing." "Install it from https://rustup.rs and run this again."
    return
  fi
  # With rustup this installs what rust-toolchain.toml names, unless rustup was told to install nothing by itself.
  if ! found=$(rustc --version | cut -d' ' -f2); then
    lack "The Rust that rust-toolchain.toml names is not installed." "rustup toolchain install"
  elif ! at_least "$oldest" "$found"; then
    lack "Rust $found is too old: $oldest or later is needed." "With rustup: rustup toolchain install"
  fi
}

# Rust links with it, and some crates have a part in C. That it is there is not enough: without the C library's headers and
# start files it compiles nothing, which would be noticed after minutes.
require_c_compiler() {
  local program
  if ! have cc; then
    lack "A C compiler is missing: Rust links with cc." \
      "On Debian: apt-get install build-essential. On a Mac: xcode-select --install"
    return
  fi
  program=$(mktemp)
  if ! echo '#include <stdlib.h>
int main(void) { return EXIT_SUCCESS; }' | cc -x c -o "$program" - >/dev/null 2>&1; then
    lack "The C compiler cc does not compile: $(cc --version 2>&1 | head -n 1)." \
      "It wants the C library's headers. On Debian: apt-get install build-essential"
  fi
  rm -f "$program"
}

require_node() {
  local node found remedy="Install Node.js $OLDEST_NODE or later, with npm, from https://nodejs.org."
  if ! node=$(PATH=$SYSTEM_PATH command -v node); then
    lack "Node.js is missing." "$remedy"
    return
  fi
  PATH=$SYSTEM_PATH command -v npm >/dev/null || lack "npm is missing; it comes with Node.js." "$remedy"
  found=$("$node" --version 2>/dev/null) || found=v0
  at_least "$OLDEST_NODE" "${found#v}" ||
    lack "Node.js ${found#v} is too old: $OLDEST_NODE or later is needed." "Install a newer one from https://nodejs.org."
}

require_git() {
  have git || lack "git is missing." "Install it from https://git-scm.com. On Debian: apt-get install git"
}

require_python() {
  if ! have python3; then
    lack "Python is missing." "Install Python 3.$OLDEST_PYTHON_MINOR or later. On Debian: apt-get install python3-venv"
  elif ! python3 -c "import sys; sys.exit(sys.version_info < (3, $OLDEST_PYTHON_MINOR))"; then
    lack "$(python3 --version) is too old: 3.$OLDEST_PYTHON_MINOR or later is needed." "Install a newer one."
  fi
}

# What was built before has its place already.
require_disk() {
  local free
  [ -e "$TARGET_DIR" ] && return
  free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1024) }')
  [ "${free:-$FIRST_BUILD_MB}" -ge "$FIRST_BUILD_MB" ] ||
    lack "$free MB are free on the disk of $ROOT: the first build takes up to $FIRST_BUILD_MB MB." \
      "Make room, or say where there is more for what is compiled: CARGO_TARGET_DIR=/elsewhere"
}
