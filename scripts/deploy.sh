#!/usr/bin/env bash
# Deploys to the Cloudflare account wrangler is signed in to: checks, builds, migrates the database, deploys. Safe to
# repeat. docs/deploy.md says what to do once before.
source "$(dirname "$0")/lib/common.sh"
source scripts/lib/native.sh

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

# Making the programs takes minutes: not if they are there, made of what there is now, and signed by the key that is named, or
# where none is, by the one they were. First, as it is said at once if there is no key, or it has another password.
sources=$({ native_sources && echo LICENSE scripts/dist.sh scripts/sign.mjs scripts/lib/native.sh | tr ' ' '\n'; } | hash_of_files)
stamp=$TOOLS/stamps/dist
mkdir -p "$(dirname "$stamp")"
there_is() { echo "$sources" && cat dist/vsay.pub 2>/dev/null; }
made() { [ -e dist/agent/download/vsay-agent-x86_64.tar.gz.minisig ] && [ -e dist/agent/download/vsay-agent-aarch64.tar.gz.minisig ]; }
signed() { [ -z "${VSAY_SIGNING_KEY:-}" ] || cmp -s "$stamp.pub" dist/vsay.pub; }
[ -z "${VSAY_SIGNING_KEY:-}" ] || node scripts/sign.mjs --key "$VSAY_SIGNING_KEY" --public "$stamp.pub"
if ! made || ! signed || [ "$(cat "$stamp" 2>/dev/null)" != "$(there_is)" ]; then
  say "making the programs that the edge hands out"
  scripts/dist.sh
  there_is >"$stamp"
fi
scripts/build.sh worker web
scripts/assets.sh
say "migrating the database"
wrangler d1 migrations apply DB --remote
say "deploying"
wrangler deploy
