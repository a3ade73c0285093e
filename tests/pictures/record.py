#!/usr/bin/env python3
"""Records the programs of programs.json anew, or those that are named: record.py HOME [name…]. HOME is a folder with what the
programs look at. Run it where nothing personal is to be seen, such as in namespaces of its own:
unshare --uts --mount --pid --fork --mount-proc sh -c 'hostname box; tests/pictures/record.py /tmp/home'"""
import fcntl
import gzip
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = [(80, 24), (120, 40), (50, 16)]
# Of a program that writes without end.
LIMIT = 60_000
# What a terminal answers, so that programs go on.
ANSWERS = {
    b"\x1b[c": b"\x1b[?1;2c",
    b"\x1b[>c": b"\x1b[>0;276;0c",
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[5n": b"\x1b[0n",
}


def record(home, program, size):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home)
        environment = {"HOME": home, "USER": "ann", "LOGNAME": "ann", "TERM": "xterm-256color", "LC_ALL": "C.UTF-8",
                       "PATH": os.environ["PATH"], "COLORTERM": "truecolor", "PS1": "ann@box:\\w$ ", "GIT_PAGER": "cat"}
        os.execvpe(program["command"][0], program["command"], environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    output, limit = b"", program.get("limit", LIMIT)

    def read(seconds):
        nonlocal output
        until = time.time() + seconds
        while time.time() < until and len(output) < limit:
            if select.select([terminal], [], [], 0.03)[0]:
                try:
                    new = os.read(terminal, 65536)
                except OSError:
                    return False
                for question, answer in ANSWERS.items():
                    os.write(terminal, answer * new.count(question))
                output += new
        return len(output) < limit

    alive = read(0.5)
    for key in program["keys"]:
        if not alive:
            break
        if isinstance(key, str):
            os.write(terminal, key.encode())
        # A number is a time to look on.
        alive = read(0.12 if isinstance(key, str) else key)
    read(0.3)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return output[:limit]


home, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
with open(os.path.join(HERE, "programs.json")) as file:
    programs = json.load(file)
for name in names or programs:
    for cols, rows in SIZES:
        output = record(home, programs[name], (cols, rows))
        with open(os.path.join(HERE, "recordings", f"{name}.{cols}x{rows}.gz"), "wb") as file:
            file.write(gzip.compress(output, 9, mtime=0))
        print(name, cols, rows, len(output), flush=True)
