#!/usr/bin/env python3
"""Compiles a C file as a build system would that speaks `reviver 1.0` itself: python3 protocol.py a.c a.o

The daemon says whether the compilation is known. If it is, the object is put in place by it; if not, the compiler runs
here and the daemon records what it did. Without a daemon it only compiles. docs/protocol.md shows every message in its bytes.
"""
import os
import socket
import subprocess
import sys
import time


def encode(value):
    """A canonical s-expression: lists of what has bytes."""
    if isinstance(value, (list, tuple)):
        return b"(" + b"".join(map(encode, value)) + b")"
    value = value if isinstance(value, bytes) else os.fsencode(str(value))
    return b"%d:%s" % (len(value), value)


class Refused(Exception):
    """The daemon's words, after a code for programs."""


class Daemon:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.file, self.last = self.socket.makefile("rb"), 0
        self.socket.sendall(encode(["lang", "reviver", [1, 0]]))
        word, name, *versions = self.read()
        if (word, name) != (b"lang", b"reviver") or not any(major == b"1" for major, _ in versions):
            raise OSError("this is no daemon of Reviver's, or one of another time")

    def read(self):
        """The next value; None where a list ends."""
        begin = self.file.read(1)
        if begin in (b"(", b")"):
            return list(iter(self.read, None)) if begin == b"(" else None
        while begin.isdigit():
            begin += self.file.read(1) or b"end"
        value = self.file.read(int(begin[:-1])) if begin.endswith(b":") else None
        if value is None or len(value) < int(begin[:-1]):
            raise OSError("the daemon closed the connection")
        return value

    def ask(self, command, **fields):
        """Asks, and waits for the answer: the values of each field by its name."""
        self.last += 1
        lists = [[name, *(value if isinstance(value, (list, tuple)) else [value])] for name, value in fields.items()]
        self.socket.sendall(encode([self.last, command, *lists]))
        _, status, *said = self.read()
        if status != b"ok":
            raise Refused(": ".join(word.decode() for word in said))
        return {name.decode(): values for name, *values in said}


def run(arguments):
    """Runs a command as it was derived, with nothing to read; its exit status, and what it said."""
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True)
    return done.returncode, [(name, said) for name, said in (("stdout", done.stdout), ("stderr", done.stderr)) if said]


def build(daemon, argv):
    known = daemon.ask("derive", argv=argv, directory=os.getcwd(), environment=list(os.environ.items()), umask=UMASK)
    operation = known["operation"][0]
    answer = daemon.ask("revive", operation=operation) if known["found"] == [b"yes"] else {"revived": [b"no"], **known}
    if answer["revived"] == [b"yes"]:
        return "revived", int(answer.get("exit", [1])[0]), answer["output"]
    started = time.time_ns()
    status, output = run(answer["arguments"])
    how = {"exit": status} if status >= 0 else {"signal": -status}
    told = daemon.ask("record", operation=operation, started=started, ended=time.time_ns(), output=output, **how)
    if told.get("again") == [b"yes"]:
        run(argv)
        daemon.ask("forget", operation=operation)
    return "recorded" if told["recorded"] == [b"yes"] else "ran: " + told["reason"][0].decode(), status, output


UMASK = "%o" % os.umask(0o022)
os.umask(int(UMASK, 8))
if len(sys.argv) != 3:
    sys.exit("usage: protocol.py SOURCE.c OBJECT.o")
source, target = sys.argv[1:]
argv = ["gcc", "-O2", "-c", source, "-o", target]
cache = os.environ.get("REVIVER_CACHE_DIR", os.path.expanduser("~/.cache/reviver"))
runtime = os.environ.get("XDG_RUNTIME_DIR")
try:
    daemon = Daemon(os.path.join(runtime, "reviver/socket") if runtime else os.path.join(cache, "daemon/socket"))
    daemon.ask("repository", path=os.getcwd())
    how, status, output = build(daemon, argv)
except (OSError, Refused) as problem:
    how, (status, output) = f"uncached: {problem}", run(argv)
for name, said in output:
    getattr(sys, "stdout" if name in ("stdout", b"stdout") else "stderr").buffer.write(said)
print(how, target, file=sys.stderr)
sys.exit(status)
