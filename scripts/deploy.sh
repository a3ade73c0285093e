#!/usr/bin/env bash
# Deploys to the Cloudflare account wrangler is signed in to: checks, builds, migrates the database, deploys. Safe to
# repeat. docs/deploy.md says what to do once before.
source "$(dirname "$0")/lib/common.sh"

scripts/toolchain.sh

if ! who=$(wrangler whoami --json 2>&1); then
  case $who in
    *'"loggedIn":false'*) fail "Wrangler is not signed in." "npx wrangler login, or set CLOUDFLARE_API_TOKEN" ;;
    *) fail "Wrangler cannot tell who is signed in." "$who" ;;
  esac
fi
grep -q '^database_id' wrangler.toml || fail "wrangler.toml names no database yet." \
  "npx wrangler d1 create vsay-edge, then put the database_id it prints into wrangler.toml"
secrets=$(wrangler secret list --format json 2>/dev/null || true)
for name in JWT_SECRET SECRETS_KEY; do
  case $secrets in
    *"\"$name\""*) ;;
    *) fail "The secret $name is not set." "openssl rand -hex 32 | npx wrangler secret put $name" ;;
  esac
done

# Making the programs takes minutes: not if they are there, made of what there is now, and signed by the key they were. First, as
# it is said at once if there is no key.
sources=$(find Cargo.toml Cargo.lock LICENSE agent cli login network pam protocol/Cargo.toml protocol/src scripts/dist.sh \
  scripts/sign.mjs scripts/lib/native.sh -type f |
  LC_ALL=C sort | git hash-object --no-filters --stdin-paths | git hash-object --stdin)
stamp=$TOOLS/stamps/dist
there_is() { echo "$sources" && cat dist/vsay.pub 2>/dev/null; }
made() { [ -e dist/agent/download/vsay-agent-x86_64.tar.gz.minisig ] && [ -e dist/agent/download/vsay-agent-aarch64.tar.gz.minisig ]; }
if ! made || [ "$(cat "$stamp" 2>/dev/null)" != "$(there_is)" ]; then
  say "making the programs that the edge hands out"
  scripts/dist.sh
  mkdir -p "$(dirname "$stamp")"
  there_is >"$stamp"
fi
scripts/build.sh worker web
scripts/assets.sh
say "migrating the database"
wrangler d1 migrations apply DB --remote
say "deploying"
wrangler deploy
