#!/usr/bin/env bash
# EXPECTED: Terminal.write takes UTF-8 in any pieces: its decoder keeps the beginning of a character for the next call.
# SEEN: @xterm/xterm and @xterm/headless 6.0.0 drop a character of three or four bytes that is cut behind a continuation byte of
#   0x80, such as the ideographic comma (e3 80 81): the loop over the kept bytes takes (0x80 & 0x3f) for their end.
# HERE: web/src/terminal/terminal.ts decodes with TextDecoder and writes strings.
set -euo pipefail

FOLDER=$(mktemp -d)
trap 'rm -rf "$FOLDER"' EXIT
cd "$FOLDER"
npm install --silent --no-audit --no-fund @xterm/headless@6.0.0

cat > show.mjs <<'JS'
import headless from "@xterm/headless";

const terminal = new headless.Terminal({ allowProposedApi: true });
const write = (bytes) => new Promise((done) => terminal.write(Uint8Array.from(bytes), done));
const line = () => terminal.buffer.active.getLine(0).translateToString(true);

await write([0x61, 0xe3, 0x80]);
await write([0x81, 0x62]);
console.log("@xterm/headless 6.0.0: a, e3 80 | 81, b shows as", JSON.stringify(line()));
process.exit(line() === "ab" ? 0 : 1);
JS
if node show.mjs; then
  echo "As found: the character is lost."
else
  echo "CHANGED: the character is there now."
  exit 1
fi
