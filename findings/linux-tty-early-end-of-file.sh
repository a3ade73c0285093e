#!/usr/bin/env bash
# EXPECTED: a Ctrl-D that is typed while a program runs is there when the shell reads its next line: as the end of the input for
# one that reads whole lines, as the byte 4 for one that edits lines and reads in raw mode (termios(3), VEOF).
# SEEN: Linux marks the end with a byte of its own while the terminal reads whole lines, and hands that out as the byte 0 once
# somebody switches to raw mode. A shell that edits lines gets Ctrl-@ and waits for ever; the end of the input is lost.
# HERE: `vsay connect` says the end of piped input again when output suggests that somebody waits (cli/src/terminal/end_of_input.rs).
set -euo pipefail

uname -sr
python3 - <<'PY'
import os, pty, sys, termios, tty

master, slave = pty.openpty()
os.write(master, b"a line\n\x04")
# As a shell does when it comes back to its prompt: what was typed ahead is kept.
tty.setraw(slave, termios.TCSANOW)
read = os.read(slave, 100)
print("typed in line mode: b'a line\\n\\x04'; read in raw mode:", read)
if read != b"a line\n\x00":
    sys.exit("this has changed")
PY
