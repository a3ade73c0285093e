#!/usr/bin/env bash
# EXPECTED: a static program for aarch64 that uses crossterm 0.29 puts a terminal into raw mode under qemu-user as it does on an
#   aarch64 machine. rustix 1.1, which crossterm calls, says that it falls back from TCGETS2 to TCGETS where the former is missing.
# SEEN: "Function not implemented" (ENOSYS). Debian 12's qemu-user 7.2 knows no TCGETS2, and answers requests that it does not know
#   with ENOSYS, while Linux answers ENOTTY; rustix falls back after ENOTTY and EACCES only. With crossterm's feature `libc` the
#   C library is asked, which uses TCGETS, and it works.
# HERE: cli/Cargo.toml takes crossterm with `libc`: containers for another processor run `vsay` that way.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

command -v qemu-aarch64 >/dev/null || { echo "qemu-user is missing (apt-get install qemu-user)"; exit 2; }
qemu=$(qemu-aarch64 --version | head -n 1)
echo "$qemu; crossterm 0.29.0, rustix 1.1.6"
target=aarch64-unknown-linux-musl
rustup target add "$target" 2>/dev/null
mkdir src
cat >src/main.rs <<'RUST'
fn main() {
    match crossterm::terminal::enable_raw_mode() {
        Ok(()) => {
            let _ = crossterm::terminal::disable_raw_mode();
            println!("raw mode works");
        }
        Err(error) => println!("raw mode fails: {error}"),
    }
}
RUST

# In a terminal: what crossterm with some features says.
seen() {
  cat >Cargo.toml <<TOML
[package]
name = "raw"
version = "0.0.0"
edition = "2021"

[dependencies]
crossterm = { version = "=0.29.0", default-features = false, features = [$1] }
rustix = "=1.1.6"

[workspace]
TOML
  CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld cargo build --quiet --target "$target"
  script --quiet --command "qemu-aarch64 target/$target/debug/raw" /dev/null </dev/null | tr -d '\r'
}
by_rustix=$(seen '')
by_libc=$(seen '"libc"')
echo "through rustix: $by_rustix"
echo "through the C library: $by_libc"
[[ $by_rustix == "raw mode fails: Function not implemented"* && $by_libc == "raw mode works" ]] || {
  echo "it has changed"
  exit 1
}
