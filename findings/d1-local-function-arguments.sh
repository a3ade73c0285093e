#!/usr/bin/env bash
# EXPECTED: the local D1 refuses what D1 refuses. The limits of D1 say at most 32 arguments for one SQL function and at most 100
#   bound parameters (developers.cloudflare.com/d1/platform/limits), and the local one is made by the same people.
# SEEN: with miniflare 4.20260730.0, json_object() with 120 arguments is prepared and run, and answers; 101 bound parameters are
#   refused. So a statement that makes JSON of more than 16 fields passes every local test.
# HERE: the test database (src/testing/) has the limit of D1, so that a statement over it fails where statements are prepared.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-save --no-audit --no-fund miniflare@4.20260730.0
echo "miniflare $(node -p 'require("miniflare/package.json").version')"
cat >ask.mjs <<'JS'
import { Miniflare } from 'miniflare';

const mf = new Miniflare({
  modules: true,
  script: 'export default { fetch: () => new Response("ok") }',
  d1Databases: ['DB'],
});
const db = await mf.getD1Database('DB');
const ask = async (name, statement) => {
  try {
    const row = await statement.first();
    console.log(`${name}: ${Object.keys(JSON.parse(row.body)).length} fields`);
  } catch (error) {
    console.log(`${name}: refused, ${error.message.split('\n')[0]}`);
  }
};
const pairs = Array.from({ length: 60 }, (_, n) => `'f${n}', ${n}`).join(', ');
await ask('120 arguments', db.prepare(`SELECT json_object(${pairs}) AS body`));
const marks = Array.from({ length: 101 }, (_, n) => `?${n + 1}`).join(', ');
await ask('101 parameters', db.prepare(`SELECT json_object('n', 0) AS body WHERE 1 IN (${marks})`).bind(...Array(101).fill(1)));
await mf.dispose();
JS
seen=$(node ask.mjs)
echo "$seen"
grep -q '^120 arguments: 60 fields$' <<<"$seen" || { echo "it has changed: arguments"; exit 1; }
grep -q '^101 parameters: refused' <<<"$seen" || { echo "it has changed: parameters"; exit 1; }
