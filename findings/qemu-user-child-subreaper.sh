#!/usr/bin/env bash
# EXPECTED: prctl(PR_SET_CHILD_SUBREAPER), which Linux has since 3.4 and which takes nothing that an emulator would have to translate,
#   works for a program that qemu-user emulates, as fork, setsid and waitpid do.
# SEEN: EINVAL from Debian 12's qemu-user 7.2, which hands on only the options of prctl that it lists; on the host itself it works.
#   A supervisor that wants to be one before it starts anything starts nothing there.
# HERE: login/src/supervisor.rs goes on without; docs/shells.md says what that costs.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

command -v qemu-aarch64 >/dev/null || { echo "qemu-user is missing (apt-get install qemu-user)"; exit 2; }
qemu-aarch64 --version | head -n 1
target=aarch64-unknown-linux-musl
rustup target add "$target" 2>/dev/null
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "subreaper"
version = "0.0.0"
edition = "2021"

[dependencies]
nix = { version = "=0.31.3", features = ["process"] }

[workspace]
TOML
cat >src/main.rs <<'RUST'
fn main() {
    match nix::sys::prctl::set_child_subreaper(true) {
        Ok(()) => println!("is a subreaper"),
        Err(error) => println!("{error:?}"),
    }
}
RUST
CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld cargo build --quiet --target "$target"
cargo build --quiet
emulated=$(qemu-aarch64 "target/$target/debug/subreaper")
itself=$(target/debug/subreaper)
echo "emulated: $emulated; by itself: $itself"
[[ $emulated == EINVAL && $itself == "is a subreaper" ]] || {
  echo "it has changed"
  exit 1
}
