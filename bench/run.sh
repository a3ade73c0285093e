#!/usr/bin/env bash
# Measures the product beside its floor: run.sh [--runs N] [part]... (all of them, if none is named), or compares versions:
# run.sh [--runs N] compare FOLDER[:AGENT]... bench/README.md says how.
# Wants the Worker and the agent built (scripts/build.sh worker native). Prints a report and keeps it in bench/results.md.
source "$(dirname "$0")/../scripts/lib/common.sh"

cargo build --release --quiet -p vsay-bench
exec "$TARGET_DIR/release/vsay-bench" "$@"
