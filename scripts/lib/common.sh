# shellcheck shell=bash
# Sourced by the shell scripts: strict mode, the project's root as working directory, and our own tools first on the path.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

ROOT=$PWD
TOOLS=$ROOT/.tools
SYSTEM_PATH=${SYSTEM_PATH:-$PATH}
# shellcheck disable=SC2034 # used by those who source this
TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
# Where scripts/build.sh puts the agent and the command line for this machine. Beside target/release/, where any other cargo
# command would put others of the same name.
# shellcheck disable=SC2034
PROGRAMS=$ROOT/build/bin
export SYSTEM_PATH
export PATH="$ROOT/node_modules/.bin:$TOOLS/bin:$SYSTEM_PATH"
export WRANGLER_SEND_METRICS=false NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false

if [ -t 2 ]; then BOLD=$(printf '\033[1m') RED=$(printf '\033[31m') PLAIN=$(printf '\033[0m'); else BOLD='' RED='' PLAIN=''; fi

say() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*" >&2; }

fail() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

# have <program>: whether there is one. Never a function of ours, whose names are those of what they install.
have() { type -P "$1" >/dev/null; }

# job [--bar] <name> <words> <command>...: runs what may take long, and says meanwhile how far it is (lib/progress.mjs). With
# the machine's Node.js, for ours may be what it waits for.
PROGRESS=("$(PATH=$SYSTEM_PATH command -v node || echo node)" "$ROOT/scripts/lib/progress.mjs")
job() { "${PROGRESS[@]}" run "$@"; }

# planned <name> <words>: where only a plan is asked for, prints the line and is true: there is nothing else to do.
planned() {
  [ -n "${PLAN:-}" ] && printf '%s\t%s\n' "$1" "$2"
}

# debian <package>...: installs some where this may; whether they are there then, the caller sees for itself.
debian() {
  if [ "$(id -u)" != 0 ] || ! have apt-get; then return; fi
  say "installing $* (apt-get install $*)"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >&2 || true
}

# A rustup that may install nothing by itself (RUSTUP_AUTO_INSTALL=0) may have the very Rust that rust-toolchain.toml names
# under another name only, such as `stable`, and then refuses every command here. Its default is taken if it is that version.
rust_by_another_name() {
  local named default
  have rustup || return 0
  if RUSTUP_AUTO_INSTALL=0 rustc --version >/dev/null 2>&1; then return; fi
  named=$(sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml)
  default=$(rustup default 2>/dev/null | cut -d' ' -f1) || return 0
  case $(RUSTUP_TOOLCHAIN=$default rustc --version 2>/dev/null) in
    "rustc $named "*) export RUSTUP_TOOLCHAIN=$default ;;
  esac
}
rust_by_another_name

# one_at_a_time <what>: waits while another script of this checkout is at the same thing, and says so, where the system has
# flock. Until this script ends, or is at the next thing.
one_at_a_time() {
  mkdir -p "$TOOLS/locks"
  if have flock; then
    exec 9>"$TOOLS/locks/$1"
    flock --nonblock 9 || {
      say "waiting: another script here is at the same thing ($1)"
      flock 9
    }
  fi
}

# One hash of the files that standard input names, a line for each, their names among it.
hash_of_files() {
  local files
  files=$(LC_ALL=C sort)
  { echo "$files" && git hash-object --no-filters --stdin-paths <<<"$files"; } | git hash-object --stdin
}

# Prints the path of a Chromium, or nothing. CHROMIUM says which one to take.
find_chromium() {
  local candidate
  for candidate in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "$TOOLS"/browsers/chromium-*/chrome-linux*/chrome "$TOOLS"/browsers/chromium-*/chrome-mac*/*.app/Contents/MacOS/*; do
    [ -n "$candidate" ] && type -P "$candidate" && return
  done
  return 0
}
