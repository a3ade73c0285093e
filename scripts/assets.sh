#!/usr/bin/env bash
# Puts together what is served without the Worker, in build/assets/: the console of web/dist/, the programs of dist/ (or $DIST),
# and the installer, which is told their checksums and the key they are signed with. Nothing is copied that can be linked.
source "$(dirname "$0")/lib/common.sh"
source scripts/lib/native.sh

[ -e web/dist/index.html ] || fail "The browser console is not built." "scripts/build.sh web"
one_at_a_time assets
DIST=${DIST:-dist}
NEW=$(mktemp -d "$TOOLS/assets.XXXXXX")
trap 'rm -rf "$NEW"' EXIT
chmod 755 "$NEW"

# add <folder> <place>: its files, as links where both are on one file system.
add() {
  mkdir -p "$NEW/$2"
  cp -Rl "$1/." "$NEW/$2" 2>/dev/null || cp -R "$1/." "$NEW/$2"
}

add web/dist .
for part in agent/download cli/download; do
  [ ! -d "$DIST/$part" ] || add "$DIST/$part" "$part"
done
# The key is handed out beside what it signs, for whoever checks by hand.
for part in agent cli; do
  [ ! -d "$NEW/$part/download" ] || cp "$DIST/vsay.pub" "$NEW/$part/download/"
done

# Each line as sha256sum writes it. Nothing in them means anything within a shell's quotes.
checksums=''
public_key=''
if [ -e "$DIST/vsay.pub" ]; then
  checksums=$(cat "$NEW"/agent/download/*.tar.gz.sha256)
  public_key=$(sed -n 2p "$DIST/vsay.pub")
fi
[[ $checksums =~ ^[0-9a-zA-Z._\ $'\n'-]*$ ]] || fail "$DIST/agent/download/ has a checksum that is none."
[[ $public_key =~ ^[0-9a-zA-Z+/=]*$ ]] || fail "$DIST/vsay.pub is no public key of minisign."
script=$(<agent/install.sh)
script=${script/@CHECKSUMS@/"$checksums"}
printf '%s\n' "${script/@PUBLIC_KEY@/"$public_key"}" >"$NEW/install.sh"

large=$(find "$NEW" -type f -size +"$LARGEST_ASSET"c)
[ -z "$large" ] || fail "Cloudflare serves no file of more than $LARGEST_ASSET bytes." "${large//"$NEW"/build/assets}"

mkdir -p build
rm -rf build/assets
mv "$NEW" build/assets
