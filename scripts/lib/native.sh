# shellcheck shell=bash disable=SC2034 # used by those who source this
# Sourced after common.sh: for which machines there are programs, and how they are compiled.

# For Linux they are static, with musl as their C library, so that one file runs on every distribution of any age.
LINUX_TARGETS=(x86_64-unknown-linux-musl aarch64-unknown-linux-musl)
# The others are for the command line only.
WINDOWS_TARGET=x86_64-pc-windows-gnu
MACOS_TARGETS=(x86_64-apple-darwin aarch64-apple-darwin)

# The largest file that Cloudflare serves with a Worker, in bytes.
LARGEST_ASSET=$((25 * 1024 * 1024))

is_linux() { [ "$(uname -s)" = Linux ]; }

# The target of programs for this machine.
own_target() {
  if is_linux; then
    echo "$(uname -m)-unknown-linux-musl"
  else
    rustc --print host-tuple
  fi
}

# The processor of LINUX_TARGETS that this machine does not have.
other_processor() { if [ "$(uname -m)" = aarch64 ]; then echo x86_64; else echo aarch64; fi; }

# programs_for <target> <package>...: builds them in release mode.
programs_for() {
  local target=$1 name zig=("$TOOLS"/python/lib/python3*/site-packages/ziglang/zig)
  local arguments=(--release --target "$target")
  shift
  for name in "$@"; do arguments+=(-p "$name"); done
  (
    # More than Cargo.toml says of the Worker, which needs some of its symbols.
    export CARGO_PROFILE_RELEASE_STRIP=symbols
    case $target in
      *-apple-*) job --bar native "building $*" cargo build "${arguments[@]}" ;;
      *)
        # Zig compiles its C library once, and keeps it there.
        export CARGO_ZIGBUILD_ZIG_PATH=${zig[0]} ZIG_GLOBAL_CACHE_DIR=$TOOLS/zig-cache
        job --bar native "building $*" "$TOOLS/python/bin/cargo-zigbuild" zigbuild "${arguments[@]}"
        ;;
    esac
  )
}

# program_of <target> <name>: where the former put it.
program_of() {
  case $1 in
    *-windows-*) echo "$TARGET_DIR/$1/release/$2.exe" ;;
    *) echo "$TARGET_DIR/$1/release/$2" ;;
  esac
}
