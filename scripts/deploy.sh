#!/usr/bin/env bash
# Deploys to the Cloudflare account wrangler is signed in to: checks, builds, migrates the database, deploys. Safe to
# repeat. docs/deploy.md says what to do once before.
source "$(dirname "$0")/lib/common.sh"

scripts/toolchain.sh

wrangler whoami --json >/dev/null 2>&1 || fail "Wrangler is not signed in." "npx wrangler login, or set CLOUDFLARE_API_TOKEN"
grep -q '^database_id' wrangler.toml || fail "wrangler.toml names no database yet." \
  "npx wrangler d1 create vsay-edge, then put the database_id it prints into wrangler.toml"
secrets=$(wrangler secret list --format json 2>/dev/null || true)
for name in JWT_SECRET SECRETS_KEY; do
  case $secrets in
    *"\"$name\""*) ;;
    *) fail "The secret $name is not set." "openssl rand -hex 32 | npx wrangler secret put $name" ;;
  esac
done

scripts/build.sh worker web
say "migrating the database"
wrangler d1 migrations apply DB --remote
say "deploying"
wrangler deploy
