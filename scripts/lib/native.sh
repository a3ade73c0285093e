# shellcheck shell=bash disable=SC2034 # used by those who source this
# Sourced after common.sh: for which machines there are programs, and how they are compiled.

# For Linux there are the agent, its helper for PAM and the command line; elsewhere the last.
LINUX_PROCESSORS=(x86_64 aarch64)
WINDOWS_TARGET=x86_64-pc-windows-gnu
MACOS_TARGETS=(x86_64-apple-darwin aarch64-apple-darwin)

# The glibc that the helper is linked for, the oldest that Rust's own library runs with (RHEL 7 has it).
HELPER_GLIBC=2.17

# The date of what is made for others: 1980, the oldest that a zip can say. Crates with a part in C compile it anew for another.
SOURCE_DATE_EPOCH=315532800

# The largest file that Cloudflare serves with a Worker, in bytes.
LARGEST_ASSET=$((25 * 1024 * 1024))

# Cargo's profile that programs are built in. Only scripts/build.sh has another.
PROFILE=release

# job_name <name>: under which is remembered how long it took.
job_name() { if [ "$PROFILE" = release ]; then echo "$1"; else echo "$1-$PROFILE"; fi; }

is_linux() { [ "$(uname -s)" = Linux ]; }

# linux_target <processor>: of programs that are static, with musl as their C library, so that one file runs on every
# distribution of any age.
linux_target() { echo "$1-unknown-linux-musl"; }

# helper_target <processor>: of the helper, which loads the modules of the machine's PAM, and so has the C library that they have.
helper_target() { echo "$1-unknown-linux-gnu"; }

# The processor of LINUX_PROCESSORS that this machine does not have.
other_processor() { if [ "$(uname -m)" = aarch64 ]; then echo x86_64; else echo aarch64; fi; }

# What the programs are made of.
native_sources() { find Cargo.toml Cargo.lock agent cli login network pam protocol/Cargo.toml protocol/src -type f; }

# programs_for <target> <package>...: builds them, in the profile PROFILE.
programs_for() {
  local target=$1 job=native name zig=("$TOOLS"/python/lib/python3*/site-packages/ziglang/zig)
  local arguments=(--profile "$PROFILE" --target "$target")
  shift
  [ "$*" != vsay-pam ] || job=helper
  job=$(job_name "$job")
  for name in "$@"; do arguments+=(-p "$name"); done
  (
    # More than Cargo.toml says of the Worker, which needs some of its symbols.
    export CARGO_PROFILE_RELEASE_STRIP=symbols SOURCE_DATE_EPOCH
    # Panics name the source of crates, which lies in the home of whoever builds. What is in this folder is compiled by relative
    # paths. One value for all checkouts, since Cargo compiles everything anew for another.
    export CARGO_ENCODED_RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
    case $target in
      *-apple-*) job --bar "$job" "building $*" cargo build "${arguments[@]}" ;;
      *)
        # Zig compiles its C library once, and keeps it there.
        export CARGO_ZIGBUILD_ZIG_PATH=${zig[0]} ZIG_GLOBAL_CACHE_DIR=$TOOLS/zig-cache
        job --bar "$job" "building $*" "$TOOLS/python/bin/cargo-zigbuild" zigbuild "${arguments[@]}"
        ;;
    esac
  )
}

# program_of <target> <name>: where the former put it.
program_of() {
  case $1 in
    *-windows-*) echo "$TARGET_DIR/$1/$PROFILE/$2.exe" ;;
    *) echo "$TARGET_DIR/$1/$PROFILE/$2" ;;
  esac
}

# programs_for_linux <processor>: builds all three. program_of has them for linux_target: the helper is put beside the agent,
# where those look that make archives and packages, and the agent itself.
programs_for_linux() {
  local target helper
  target=$(linux_target "$1") helper=$(helper_target "$1")
  programs_for "$target" vsay-agent vsay
  programs_for "$helper.$HELPER_GLIBC" vsay-pam
  cp -p "$(program_of "$helper" vsay-pam)" "$(program_of "$target" vsay-pam)"
}
