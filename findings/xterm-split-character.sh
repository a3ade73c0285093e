#!/usr/bin/env bash
# EXPECTED: Terminal.write takes UTF-8 in any pieces: its decoder keeps the beginning of a character for the next call.
# SEEN: @xterm/xterm and @xterm/headless 6.0.0 drop a character of three or four bytes that is cut behind a continuation byte of
#   0x80, such as the ideographic comma (e3 80 81): the loop over the kept bytes takes (0x80 & 0x3f) for their end.
# HERE: web/src/terminal/terminal.ts decodes with TextDecoder and writes strings.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --no-audit --no-fund @xterm/headless@6.0.0
echo "@xterm/headless $(node -p 'require("@xterm/headless/package.json").version')"
cat >show.mjs <<'JS'
import headless from '@xterm/headless';

const terminal = new headless.Terminal({ allowProposedApi: true });
const write = (bytes) => new Promise((done) => terminal.write(Uint8Array.from(bytes), done));

await write([0x61, 0xe3, 0x80]);
await write([0x81, 0x62]);
console.log(JSON.stringify(terminal.buffer.active.getLine(0).translateToString(true)));
JS
seen=$(node show.mjs)
echo "a, e3 80 | 81, b shows as $seen"
[ "$seen" = '"ab"' ] || { echo "it has changed: the character is there"; exit 1; }
