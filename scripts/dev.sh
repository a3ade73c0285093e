#!/usr/bin/env bash
# `make dev`: says what is missing and how long it will take, makes it, and starts the whole product on this machine.
source "$(dirname "$0")/lib/common.sh"

# What a person has to install is said by the first of these, before anything is begun.
tools=$(scripts/toolchain.sh --plan)
parts=$(scripts/build.sh --plan --quick)
printf '%s\n%s\n' "$tools" "$parts" | "${PROGRESS[@]}" plan "Before the first start"

# The programs want no package of npm, and compile while those come.
scripts/toolchain.sh build scripts/build.sh --quick native
scripts/build.sh --quick
exec "$ROOT/node_modules/.bin/node" scripts/dev.mjs
