#!/usr/bin/env bash
# EXPECTED: Parser::advance takes bytes in any pieces, and prints each character once.
# SEEN: with vte 0.15.0, a character that comes in two parts takes the one behind it along, if a third one begins right after:
#   "ü" cut in two, then "n", then "ï" prints "ü" and "ï". The bytes of all that was valid are skipped, one character is printed.
# HERE: agent/src/emulator/terminal.rs hands over whole characters.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "show"
version = "0.0.0"
edition = "2024"

[dependencies]
vte = "=0.15.0"
TOML
cat >src/main.rs <<'RUST'
struct Printer(String);

impl vte::Perform for Printer {
    fn print(&mut self, char: char) {
        self.0.push(char);
    }
}

fn main() {
    let (mut parser, mut printer) = (vte::Parser::new(), Printer(String::new()));
    parser.advance(&mut printer, b"\xc3");
    parser.advance(&mut printer, b"\xbcn\xc3\xaf");
    println!("{}", printer.0);
}
RUST
echo "vte 0.15.0"
seen=$(cargo run --quiet)
echo "c3 | bc 6e c3 af prints: $seen"
[ "$seen" = "üï" ] || { echo "it has changed"; exit 1; }
