"""The protocol of Redis as it is on the wire: commands out, answers in with their types."""

import socket
from collections.abc import Iterable, Sequence
from typing import TypeAlias

import pytest

__all__ = ["Answer", "Argument", "Wire"]

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
