#!/usr/bin/env bash
# How large the Worker is that is uploaded: prints its bytes as built, and after gzip, as the platform counts them.
# `bundle.sh check` fails past the limit in bench/bundle-limit.
source "$(dirname "$0")/lib/common.sh"

# The modules lie in build/ and nowhere deeper.
modules=(build/*.js build/*.wasm)
for module in "${modules[@]}"; do
  [ -e "$module" ] || fail "build/ is empty." "make build"
done

plain=$(cat "${modules[@]}" | wc -c)
gzip=$(for module in "${modules[@]}"; do gzip -9 --stdout --no-name "$module"; done | wc -c)
echo "$((plain)) bytes as built, $((gzip)) after gzip"

if [ "${1:-}" = check ]; then
  limit=$(sed -n 's/^\([0-9][0-9]*\)$/\1/p' bench/bundle-limit)
  [ "$gzip" -le "$limit" ] ||
    fail "The Worker is $((gzip - limit)) bytes too large after gzip; the limit is $limit." "bench/bundle-limit says what to do."
fi
