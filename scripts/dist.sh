#!/usr/bin/env bash
# Packs the agent and the command line for others, with checksums and signatures, into dist/ (or $DIST), which holds nothing
# else afterwards: dist.sh [--here | --throwaway]. docs/releases.md says what is what.
#   (nothing)    for every kind of machine that can be built for here, signed by the key in the file VSAY_SIGNING_KEY
#   --throwaway  the same, signed by a key of this checkout that proves nothing
#   --here       only the archives for a machine like this one, of what scripts/build.sh native has built. In a second, and
#                signed by the key of this checkout where VSAY_SIGNING_KEY is not set
source "$(dirname "$0")/lib/common.sh"
source scripts/lib/native.sh

# The date of everything in archives, so that the same content makes the same archive: the oldest that a zip can say, which is
# SOURCE_DATE_EPOCH in the form of touch.
export SOURCE_DATE_EPOCH
FILE_DATE=198001010000

MODE=${1:-}
case $MODE in
  '' | --here | --throwaway) ;;
  *) fail "dist.sh: nothing is known as $MODE" "Options: --here --throwaway" ;;
esac

THROWAWAY=$TOOLS/signing/throwaway.key
case $MODE in
  --throwaway) KEY=$THROWAWAY ;;
  --here) KEY=${VSAY_SIGNING_KEY:-$THROWAWAY} ;;
  *) KEY=${VSAY_SIGNING_KEY:-} ;;
esac
[ -n "$KEY" ] || fail "A release is signed, and VSAY_SIGNING_KEY names no key." \
  "Make one, once, and keep it where nobody else can read it:" \
  "  minisign -G -p vsay.pub -s /safe/place/vsay.key" \
  "Then, with the password you gave it:" \
  "  VSAY_SIGNING_KEY=/safe/place/vsay.key VSAY_SIGNING_PASSWORD=... make dist" \
  "To try it with a key that proves nothing: scripts/dist.sh --throwaway"

mkdir -p "${DIST:=dist}"
DIST=$(cd "$DIST" && pwd)
one_at_a_time dist
STAGE=$(mktemp -d "$TOOLS/dist.XXXXXX")
trap 'rm -rf "$STAGE"' EXIT
AGENT=$STAGE/dist/agent/download
CLI=$STAGE/dist/cli/download
mkdir -p "$AGENT" "$CLI"

# folder_of <program>...: one with the programs and their license, and nothing of where and when they were made.
folder_of() {
  local folder
  folder=$(mktemp -d "$STAGE/folder.XXXXXX")
  install -m 755 "$@" "$folder/"
  install -m 644 LICENSE "$folder/"
  TZ=UTC touch -t "$FILE_DATE" "$folder"/*
  echo "$folder"
}

# pack_tar <archive> <program>...
pack_tar() {
  local archive=$1 folder nobody=(--owner=0 --group=0)
  shift
  folder=$(folder_of "$@")
  case $(tar --version) in *GNU*) ;; *) nobody=(--uid 0 --gid 0) ;; esac
  tar --format=ustar "${nobody[@]}" --numeric-owner -C "$folder" -cf - LICENSE "${@##*/}" | gzip -9n >"$archive"
}

# pack_zip <archive> <program>
pack_zip() {
  (cd "$(folder_of "$2")" && TZ=UTC "$TOOLS/python/bin/python" -m zipfile -c "$1" LICENSE "$(basename "$2")")
}

# pack_linux <processor> <folder with the programs>
pack_linux() {
  pack_tar "$AGENT/vsay-agent-$1.tar.gz" "$2/vsay-agent" "$2/vsay-pam" &
  pack_tar "$CLI/vsay-linux-$1.tar.gz" "$2/vsay"
  wait $!
}

# pack_macos <target> <program>
pack_macos() { pack_tar "$CLI/vsay-macos-${1%%-*}.tar.gz" "$2"; }

pack_here() {
  [ -x "$PROGRAMS/vsay" ] || fail "Nothing is built yet." "scripts/toolchain.sh && scripts/build.sh native"
  if is_linux; then
    pack_linux "$(uname -m)" "$PROGRAMS"
  else
    pack_macos "$(rustc --print host-tuple)" "$PROGRAMS/vsay"
  fi
}

# packages <target> <processor as Debian calls it>
packages() {
  cargo-deb deb --quiet -p vsay-agent --no-build --no-strip --target "$1" --output "$AGENT/vsay-agent-$2.deb"
  # gzip is what every rpm reads.
  cargo-generate-rpm generate-rpm -p agent --target "$1" --payload-compress gzip --output "$AGENT/vsay-agent-${1%%-*}.rpm"
} >&2

# The crates in each program. The tool writes beside every manifest of the workspace, and where on this machine that lies.
contents() {
  local folder
  cargo-cyclonedx cyclonedx --quiet --format json --describe binaries --target "$(linux_target x86_64)" --no-build-deps >&2
  for folder in agent:vsay-agent pam:vsay-pam cli:vsay; do
    sed "s,$ROOT/,,g" "${folder%:*}/${folder#*:}_bin.cdx.json" >"$STAGE/dist/${folder#*:}.cdx.json"
  done
  rm -f ./*.cdx.json ./*/*_bin.cdx.json ./scripts/glue/*_bin.cdx.json
}

pack_everything() {
  local processor target
  for processor in "${LINUX_PROCESSORS[@]}"; do
    target=$(linux_target "$processor")
    say "building for $target"
    programs_for_linux "$processor"
    pack_linux "$processor" "$(dirname "$(program_of "$target" vsay)")"
    case $processor in x86_64) packages "$target" amd64 ;; *) packages "$target" arm64 ;; esac
  done
  say "building for $WINDOWS_TARGET"
  programs_for "$WINDOWS_TARGET" vsay
  pack_zip "$CLI/vsay-windows-x86_64.zip" "$(program_of "$WINDOWS_TARGET" vsay)"
  if is_linux; then
    say "not for macOS: that takes a Mac, whose libraries nobody else has"
  else
    for target in "${MACOS_TARGETS[@]}"; do
      say "building for $target"
      programs_for "$target" vsay
      pack_macos "$target" "$(program_of "$target" vsay)"
    done
  fi
  contents
}

if [ "$MODE" = --here ]; then
  pack_here
else
  scripts/toolchain.sh dist
  pack_everything
fi

cd "$STAGE/dist"
find . -type f | LC_ALL=C sort | sed 's,^\./,,' >"$STAGE/files"
while read -r file; do
  bytes=$(wc -c <"$file")
  printf '%11d  %s\n' "$bytes" "$file"
  [ "$bytes" -le "$LARGEST_ASSET" ] || fail "$file has $bytes bytes; Cloudflare serves at most $LARGEST_ASSET."
done <"$STAGE/files"
sign=("$ROOT/scripts/sign.mjs" --key "$KEY" --public vsay.pub)
[ "$KEY" = "$THROWAWAY" ] && sign+=(--make)
tr '\n' '\0' <"$STAGE/files" | xargs -0 node "${sign[@]}"

# Each file by a rename, and what is not of this run at the end: an edge may be serving them.
find . -type f | LC_ALL=C sort >"$STAGE/new"
while read -r file; do
  mkdir -p "$(dirname "$DIST/$file")"
  mv -f "$file" "$DIST/$file"
done <"$STAGE/new"
cd "$DIST"
find . -type f | LC_ALL=C sort | LC_ALL=C comm -13 "$STAGE/new" - | tr '\n' '\0' | xargs -0 rm -f
say "dist: ok, $SECONDS s"
