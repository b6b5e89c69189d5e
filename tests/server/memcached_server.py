"""A real memcached for tests, and a connection that speaks raw bytes."""

import contextlib
import itertools
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator

__all__ = ["Wire", "executable", "running"]

ATTEMPTS = 5
DEADLINE = 20.0

UNIQUES = re.compile(rb"(?<= c)\d+|(?<= cas=)\d+|(?<=VALUE )([^ ]+ \d+ \d+ )(\d+)(?=\r)")
LIFETIMES = re.compile(rb"( t| exp=-)(\d+)")
ACCESSES = re.compile(rb"( l| la=)(\d+)")
SIZES = re.compile(rb"cls=\d+ size=\d+")


def executable() -> str | None:
    """The memcached that is installed."""
    return shutil.which("memcached")


@contextlib.contextmanager
def running() -> Iterator[int]:
    """A memcached on a port from the system; its port."""
    program = executable()
    assert program is not None
    for _ in range(ATTEMPTS):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        # Without its maintainer, which holds items back from being changed in place now and then.
        command = [program, "-p", str(port), "-U", "0", "-l", "127.0.0.1", "-o", "no_modern"]
        command += ["-u", "root"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            if answers(process, port):
                yield port
                return
        finally:
            process.kill()
            process.wait()
    raise RuntimeError(f"{program} does not start on any of {ATTEMPTS} ports")


def answers(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Whether it accepts connections before the deadline."""
    until = time.monotonic() + DEADLINE
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
    return False


class Wire:
    """A connection; answers are read up to that of a fence, and made comparable."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ordinals: dict[bytes, bytes] = {}
        self.uniques: dict[bytes, list[bytes]] = {}
        self.fences = itertools.count(1)

    def close(self) -> None:
        """Ends the connection."""
        self.socket.close()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def raw(self, request: bytes) -> bytes:
        """The answer to a request, which leaves the connection where a command may begin."""
        number = b"O%d" % next(self.fences)
        # Answered by its number, so no answer to the request, whole or in part, is taken for it.
        self.socket.sendall(request + b"md no-such-key " + number + b"\r\n")
        return self.fence(b"NF " + number + b"\r\n")

    def fence(self, end: bytes) -> bytes:
        """What comes before the answer to a fence."""
        answer = b""
        while not answer.endswith(end):
            piece = self.socket.recv(1 << 16)
            assert piece, f"the connection has ended after {answer!r}"
            answer += piece
        return answer.removesuffix(end)

    def rest(self, request: bytes) -> bytes:
        """All that comes until the server ends the connection."""
        self.socket.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self.socket.recv(1 << 16):
                answer += piece
        return answer

    def ask(self, request: bytes) -> bytes:
        """The answer with uniques as ordinals, lifetimes to 50 s, and no sizes."""
        answer = self.raw(request)
        answer = UNIQUES.sub(self.ordinal, answer)
        answer = LIFETIMES.sub(lambda it: it[1] + b"%d" % (round(int(it[2]) / 50) * 50), answer)
        answer = ACCESSES.sub(lambda it: it[1] + (b"0" if int(it[2]) < 30 else it[2]), answer)
        return SIZES.sub(b"", answer)

    def ordinal(self, found: "re.Match[bytes]") -> bytes:
        """The how-manieth unique this one is: equal uniques are equal, new ones are new."""
        before, unique = (found[1], found[2]) if found[2] else (b"", found[0])
        if unique == b"0":
            return before + b"none"
        return before + self.ordinals.setdefault(unique, b"#%d" % len(self.ordinals))

    def look(self, key: bytes) -> None:
        """Remembers the unique that a key has."""
        found = re.match(rb"VALUE \S+ \d+ \d+ (\d+)\r", self.raw(b"gets %s\r\n" % key))
        if found:
            self.uniques.setdefault(key, []).append(found[1])

    def fill(self, request: bytes, key: bytes) -> bytes:
        """The request with this connection's uniques of a key in it."""
        known = self.uniques.get(key, [b"7"])
        return request.replace(b"<latest>", known[-1]).replace(b"<first>", known[0])
