#!/usr/bin/env bash
# Fuzzes every decoder that meets the network, and the relay with what watchers send: fuzz.sh [SECONDS for each target, or
# SECONDS_EACH, or 60]. Stable Rust is enough: the marks of coverage are LLVM's, only the sanitizers want a nightly. New inputs stay
# under target/ beside the targets; one that fails is printed with its path, and belongs in corpus/ there once what it found is mended.
source "$(dirname "$0")/lib/common.sh"

SECONDS_EACH=${1:-${SECONDS_EACH:-60}}
# An input takes milliseconds. On a machine that does much else they were six seconds once, and a wrong alarm.
LONGEST=30
scripts/toolchain.sh fuzz
# Built apart from everything else, whose flags differ.
unset CARGO_TARGET_DIR

fuzz_here() {
  local target
  for target in fuzz_targets/*.rs; do
    target=$(basename "$target" .rs)
    say "$target"
    found=target/found/$target
    mkdir -p "$found"
    seeds=("corpus/$target")
    [ -d "../fixtures/$target" ] && seeds+=("../fixtures/$target")
    cargo-fuzz fuzz run --fuzz-dir . --sanitizer none "$target" "$found" "${seeds[@]}" -- \
      -max_total_time="$SECONDS_EACH" -timeout="$LONGEST" -max_len=70000 -verbosity=0 -print_final_stats=1
  done
}

for crate in durable-objects protocol; do
  (cd "$crate/fuzz" && fuzz_here)
done
