#!/bin/sh
# Makes this computer a machine of a VSAY edge: installs its agent, enrols it and starts it. `sh install.sh --help` says more.
#
# Everything is in functions and the last line runs them, so that a script that arrived in part does nothing.
set -u

# The edge that hands this out fills these in: where it is, the checksums of what it hands out, and the key that is signed with.
EDGE='@EDGE@'
CHECKSUMS='@CHECKSUMS@'
PUBLIC_KEY='@PUBLIC_KEY@'

# What the archive and the programs from it take, in KiB, with room to spare.
NEEDED_KIB=40960
# How long a server may take to answer, and how long it may then say nothing, in seconds.
PATIENCE=30

# Exit statuses, as --help lists them.
FAILED=1 MISUSED=2 UNSUITABLE=3 NO_DOWNLOAD=4 NOT_GENUINE=5 NOT_CONFIGURED=6 INTERRUPTED=130

usage() {
  cat <<EOF
Installs the agent of the VSAY edge at $EDGE on this computer.

  curl -fsSL $EDGE/install.sh | VSAY_TOKEN=... sh -s -- [options]

The token, a registration token or an API key, is taken from VSAY_TOKEN, or asked for on the terminal.
As root, or through sudo where there is sudo, the agent is installed for the whole computer; otherwise for your account.

  --linux-user NAME     the account that shells run as, made if missing; yours unless given
  --allow-sudo          let sessions use sudo if the edge says that their user may
  --name NAME           what the machine is called; its host name unless given
  --user                install for your account only, without root
  --require-signature   give up if the signature cannot be checked here, and not only the checksum
  --insecure-http       go on though the edge is reached in plain text
  --uninstall           stop the agent and remove it with all that was set up for it
  --dry-run             say what would be done, and do nothing
  --help                this

Exit status: 0 done; $FAILED something else went wrong; $MISUSED wrong options; $UNSUITABLE not for this computer; $NO_DOWNLOAD not downloaded; $NOT_GENUINE not what the
edge says it is; $NOT_CONFIGURED not enrolled or not started; $INTERRUPTED interrupted. Unless it is 0, everything is as it was before.
EOF
}

say() { printf '%s\n' "$*"; }

# fail <status> <what went wrong> [what to do]...
fail() {
  status=$1
  shift
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit "$status"
}

have() { command -v "$1" >/dev/null 2>&1; }

read_options() {
  LINUX_USER='' ALLOW_SUDO='' NAME='' FOR_USER='' REQUIRE_SIGNATURE='' INSECURE='' UNINSTALL='' DRY_RUN=''
  while [ $# -gt 0 ]; do
    case $1 in
      --linux-user | --name)
        [ $# -ge 2 ] || fail "$MISUSED" "$1 needs a value." "--help lists the options."
        if [ "$1" = --name ]; then NAME=$2; else LINUX_USER=$2; fi
        shift
        ;;
      --allow-sudo) ALLOW_SUDO=1 ;;
      --user) FOR_USER=1 ;;
      --require-signature) REQUIRE_SIGNATURE=1 ;;
      --insecure-http) INSECURE=1 ;;
      --uninstall) UNINSTALL=1 ;;
      --dry-run) DRY_RUN=1 ;;
      --help | -h) usage && exit 0 ;;
      *) fail "$MISUSED" "There is no option $1." "--help lists the options." ;;
    esac
    shift
  done
}

# Which of the programs is for this computer.
find_archive() {
  system=$(uname -s)
  [ "$system" = Linux ] || fail "$UNSUITABLE" "The agent is for Linux, and this is $system."
  machine=$(uname -m)
  case $machine in
    x86_64 | amd64) ARCHIVE=vsay-agent-x86_64.tar.gz ;;
    aarch64 | arm64) ARCHIVE=vsay-agent-aarch64.tar.gz ;;
    *) fail "$UNSUITABLE" "There is no agent for this kind of processor ($machine): it is made for x86_64 and aarch64." ;;
  esac
}

# For whom it is installed, and so where the program goes and how root's part is done.
find_place() {
  if [ -n "$FOR_USER" ] && [ "$(id -u)" = 0 ]; then
    fail "$MISUSED" "--user is for an account of its own, and this is root." "Leave --user out."
  fi
  AS_ROOT=''
  PROGRAM=/usr/local/bin/vsay-agent
  if [ "$(id -u)" = 0 ]; then
    LINUX_USER=${LINUX_USER:-${SUDO_USER:-}}
    return
  fi
  LINUX_USER=${LINUX_USER:-$(id -un)}
  if [ -z "$FOR_USER" ] && have sudo; then
    AS_ROOT=sudo
    return
  fi
  FOR_USER=1
  [ -n "${HOME:-}" ] || fail "$FAILED" "HOME is not set, so it is not known where your programs are."
  PROGRAM=$HOME/.local/bin/vsay-agent
  [ "$LINUX_USER" = "$(id -un)" ] || fail "$MISUSED" "Only root can have shells run as $LINUX_USER." \
    "Run this as root, or leave --linux-user out to have them run as $(id -un)."
  [ -z "$ALLOW_SUDO" ] || have sudo || fail "$MISUSED" "--allow-sudo needs sudo on this computer." "Leave it out, or run this as root."
}

# What is said in plain text can be read and changed by everybody on the way, the program included.
check_way() {
  PROTOCOLS='=https'
  case $EDGE in
    https://*) return ;;
    http://127.* | http://localhost | http://localhost:* | 'http://[::1]' | 'http://[::1]:'*) ;;
    *)
      [ -n "$INSECURE" ] || fail "$FAILED" "$EDGE is not https: everybody on the way could read the token and change the program." \
        "Give the edge a certificate. If you trust everybody on the way, add --insecure-http."
      ;;
  esac
  PROTOCOLS='=http,https'
}

find_tools() {
  have curl || have wget || fail "$FAILED" "There is no curl and no wget to download with." "Install one of them."
  for tool in tar gzip; do
    have "$tool" || fail "$FAILED" "There is no $tool to unpack with." "Install it."
  done
  have sha256sum || have shasum || have openssl ||
    fail "$FAILED" "There is no sha256sum, shasum or openssl to check the download with." "Install one of them."
}

# fetch <name> <file>: a file of the agent's from the edge.
fetch() {
  if have curl; then
    curl -fsSL --proto "$PROTOCOLS" --connect-timeout "$PATIENCE" --speed-limit 1 --speed-time "$PATIENCE" --retry 2 \
      -o "$2" "$EDGE/agent/download/$1"
  else
    # Not every BusyBox is built with it, and one that is not does not refuse it in words.
    case $(wget --help 2>&1) in
      *-T*) wget -q -T "$PATIENCE" -O "$2" "$EDGE/agent/download/$1" ;;
      *) wget -q -O "$2" "$EDGE/agent/download/$1" ;;
    esac
  fi
}

sha256_of() {
  if have sha256sum; then
    sha256sum <"$1"
  elif have shasum; then
    shasum -a 256 <"$1"
  else
    openssl dgst -sha256 -r <"$1"
  fi | cut -d ' ' -f 1
}

download() {
  # The same file system as the program's place, unless root puts it there.
  if [ -z "$AS_ROOT" ]; then
    folder=$(dirname "$PROGRAM")
    [ -d "$folder" ] || folder=$(existing_above "$folder")
  else
    folder=${TMPDIR:-/tmp}
  fi
  free=$(df -Pk "$folder" 2>/dev/null | awk 'NR == 2 { print $4 }')
  if [ -n "$free" ] && [ "$free" -lt "$NEEDED_KIB" ]; then
    fail "$FAILED" "There are $((free / 1024)) MiB free in $folder, and $((NEEDED_KIB / 1024)) are needed." "Make room and run this again."
  fi
  # What a run that was killed has left there an hour ago or longer.
  find "$folder" -maxdepth 1 -name '.vsay-install.*' -mmin +60 -exec rm -rf {} + 2>/dev/null
  WORK=$(mktemp -d "$folder/.vsay-install.XXXXXX") || fail "$FAILED" "Nothing can be written in $folder."
  say "Downloading $EDGE/agent/download/$ARCHIVE"
  fetch "$ARCHIVE" "$WORK/$ARCHIVE" || fail "$NO_DOWNLOAD" "The agent could not be downloaded." \
    "Check that this computer reaches $EDGE, and its HTTPS_PROXY if it needs one, and run this again."
}

existing_above() {
  above=$1
  while [ ! -d "$above" ]; do above=$(dirname "$above"); done
  printf '%s\n' "$above"
}

check_sum() {
  expected=$(printf '%s\n' "$CHECKSUMS" | awk -v name="$ARCHIVE" '$2 == name { print $1 }')
  [ -n "$expected" ] || fail "$UNSUITABLE" "This edge hands out no $ARCHIVE." \
    "Whoever runs the edge can add it: make dist, then make deploy."
  found=$(sha256_of "$WORK/$ARCHIVE")
  [ "$found" = "$expected" ] || fail "$NOT_GENUINE" "What was downloaded is not what the edge says it is." \
    "expected sha256 $expected" "received sha256 $found" \
    "If the edge was just updated, run this again. If it stays so, tell whoever runs the edge."
  say "Its checksum is right (sha256 $found)"
}

# The signature covers the archive by its BLAKE2b-512 hash, as minisign makes it. Only a newer openssl can check that.
check_signature() {
  if ! have minisign && ! openssl_can; then
    [ -z "$REQUIRE_SIGNATURE" ] || fail "$NOT_GENUINE" "The signature cannot be checked on this computer." \
      "Install minisign, or openssl 3 or later, or leave --require-signature out."
    say "Its signature cannot be checked here, which takes minisign or openssl 3; the checksum came with this script"
    return
  fi
  fetch "$ARCHIVE.minisig" "$WORK/$ARCHIVE.minisig" || fail "$NO_DOWNLOAD" "The signature could not be downloaded." "Run this again."
  if have minisign; then
    minisign -V -q -P "$PUBLIC_KEY" -m "$WORK/$ARCHIVE" -x "$WORK/$ARCHIVE.minisig" >/dev/null 2>&1
  else
    openssl_verifies
  fi || fail "$NOT_GENUINE" "The signature of what was downloaded is wrong." "Tell whoever runs the edge."
  say "Its signature is right (key $PUBLIC_KEY)"
}

openssl_can() {
  have openssl || return 1
  case $(openssl version 2>/dev/null) in
    'OpenSSL '[3-9]* | 'OpenSSL '[1-9][0-9]*) openssl dgst -blake2b512 </dev/null >/dev/null 2>&1 ;;
    *) return 1 ;;
  esac
}

# A key is "Ed", 8 bytes that name it, and 32 of the key; a signature "ED", the name, and 64 bytes over the hash.
openssl_verifies() {
  key=$WORK/key signature=$WORK/signature
  printf '%s\n' "$PUBLIC_KEY" | openssl base64 -d -A >"$key" || return 1
  sed -n 2p "$WORK/$ARCHIVE.minisig" | tr -d '\r' | openssl base64 -d -A >"$signature" || return 1
  [ "$(wc -c <"$key")" -eq 42 ] && [ "$(wc -c <"$signature")" -eq 74 ] || return 1
  [ "$(head -c 2 "$signature")" = ED ] || return 1
  [ "$(tail -c +3 "$key" | head -c 8 | openssl base64)" = "$(tail -c +3 "$signature" | head -c 8 | openssl base64)" ] || return 1
  # The public key as openssl reads it: what kind it is, then the 32 bytes.
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000' && tail -c 32 "$key"; } >"$key.der"
  tail -c 64 "$signature" >"$signature.raw"
  openssl dgst -blake2b512 -binary <"$WORK/$ARCHIVE" >"$WORK/hash" || return 1
  openssl pkeyutl -verify -pubin -inkey "$key.der" -keyform DER -rawin -in "$WORK/hash" -sigfile "$signature.raw" >/dev/null 2>&1
}

unpack() {
  gzip -dc "$WORK/$ARCHIVE" | (cd "$WORK" && tar -xf - vsay-agent vsay-pam) || fail "$FAILED" "The archive cannot be unpacked." \
    "Is there room in $WORK?"
  chmod 755 "$WORK/vsay-agent" "$WORK/vsay-pam"
  version=$("$WORK/vsay-agent" version) || fail "$UNSUITABLE" "The agent does not run on this computer, or not in $folder." \
    "If programs may not be run from there, run this as root, or say another folder: TMPDIR=..."
  say "Unpacked $version"
}

# The token: from the environment, else from whoever sits at the terminal. No child but the agent gets to see it.
read_token() {
  TOKEN=${VSAY_TOKEN:-}
  unset VSAY_TOKEN
  [ -z "$TOKEN" ] || return 0
  # In a shell of its own: one that cannot open what a word of its own is to read ends at once.
  if ! (: </dev/tty) 2>/dev/null; then
    fail "$MISUSED" "There is no token." "Copy the whole line that the edge shows for a new machine, or set VSAY_TOKEN."
  fi
  printf 'Registration token or API key: ' >/dev/tty
  terminal=$(stty -g </dev/tty)
  trap 'stty "$terminal" </dev/tty; exit "$INTERRUPTED"' HUP INT TERM
  stty -echo </dev/tty
  IFS= read -r TOKEN </dev/tty
  stty "$terminal" </dev/tty
  printf '\n' >/dev/tty
  [ -n "$TOKEN" ] || fail "$MISUSED" "There is no token."
}

# as_root <command>...: through sudo where that is the way, with the proxies of this environment.
as_root() {
  if [ -z "$AS_ROOT" ]; then
    "$@"
    return
  fi
  keep=''
  for name in HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy NO_PROXY no_proxy SSL_CERT_FILE SSL_CERT_DIR; do
    eval "[ -z \"\${$name:-}\" ]" || keep=$keep,$name
  done
  if [ -n "$keep" ]; then
    sudo --preserve-env="${keep#,}" "$@"
  else
    sudo "$@"
  fi
}

configure() {
  set -- configure --token - --host "$EDGE" --program "$PROGRAM"
  [ -z "$LINUX_USER" ] || set -- "$@" --linux-user "$LINUX_USER"
  [ -z "$NAME" ] || set -- "$@" --name "$NAME"
  [ -z "$ALLOW_SUDO" ] || set -- "$@" --allow-sudo
  # A word of the shell's own: no list of processes shows it.
  printf '%s\n' "$TOKEN" | as_root "$WORK/vsay-agent" "$@"
}

plan() {
  say "This would be done:"
  say "  download   $EDGE/agent/download/$ARCHIVE"
  say "  check      its checksum, and its signature where minisign or openssl 3 is"
  say "  put        the agent at $PROGRAM${AS_ROOT:+, through sudo}"
  [ -n "$FOR_USER" ] || say "  put        its helper vsay-pam beside it, if this computer has PAM"
  say "  enrol      this computer with $EDGE${NAME:+ as $NAME}"
  say "  run shells as ${LINUX_USER:-the account that --linux-user names}${ALLOW_SUDO:+, with sudo where the edge allows it}"
  say "  start      the agent, by systemd or OpenRC where one of them runs, else in the background"
}

uninstall() {
  HELPER=$(dirname "$PROGRAM")/vsay-pam
  if [ ! -x "$PROGRAM" ]; then
    fail "$FAILED" "There is no $PROGRAM." \
      "If a package brought the agent, remove that. If it is somebody's own, that account runs this with --user."
  fi
  if [ -n "$DRY_RUN" ]; then
    say "This would be done:"
    say "  stop and undo   $PROGRAM uninstall${AS_ROOT:+, through sudo}"
    say "  remove          $PROGRAM"
    [ ! -e "$HELPER" ] || say "  remove          $HELPER"
    return
  fi
  [ -z "$AS_ROOT" ] || say "Using sudo, since the agent is the whole computer's"
  as_root "$PROGRAM" uninstall || fail "$FAILED" "Not everything could be undone; the agent is still at $PROGRAM." \
    "The message above says why. Run this again when that is repaired."
  # The agent last: without it, nobody could begin this again.
  for file in "$HELPER" "$PROGRAM"; do
    [ -e "$file" ] || continue
    as_root rm -f "$file" || fail "$FAILED" "$file could not be removed."
    say "Removed $file"
  done
}

clean_up() { [ -z "${WORK:-}" ] || rm -rf "$WORK"; }

# A signal is looked at when what it came in the middle of has ended. The agent undoes what it did, unless it was done.
interrupted() {
  status=$?
  [ -n "${CONFIGURING:-}" ] && [ "$status" = 0 ] && done_it && exit 0
  printf '%s\n' "Interrupted: everything is as it was" >&2
  exit "$INTERRUPTED"
}

done_it() { say "Done: this computer is a machine of $EDGE"; }

main() {
  read_options "$@"
  find_place
  if [ -n "$UNINSTALL" ]; then
    uninstall
    return
  fi
  find_archive
  check_way
  find_tools
  if [ -n "$DRY_RUN" ]; then
    plan
    return
  fi
  read_token
  if [ -z "$LINUX_USER" ]; then
    fail "$MISUSED" "It is not said which account shells run as." "Add --linux-user NAME; it is made if it is missing."
  fi

  umask 022
  trap clean_up EXIT
  trap interrupted HUP INT TERM
  download
  check_sum
  check_signature
  unpack
  [ -z "$AS_ROOT" ] || say "Using sudo to install it for the whole computer; --user installs it for your account alone"
  CONFIGURING=1
  configure || fail "$NOT_CONFIGURED" "The agent was not installed, and everything is as it was." \
    "The message above says why. The edge shows a new line with a new token if this one is spent."
  done_it
}

# In braces: of a part of this line, a shell runs nothing either.
{ main "$@"; }
