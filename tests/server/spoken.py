"""Commands and answers as bytes: what a client's library would hide."""

import shlex
import socket

__all__ = ["Wire", "hold"]

DEADLINE = 10.0


class Wire:
    """A connection that tells what its server has sent, byte by byte.

    An answer has come when that of a PING behind it has: what others have pushed meanwhile stands
    where the server has written it.
    """

    def __init__(self, port: int, protocol: int = 2) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.marks = 0
        if protocol == 3:
            self.ask("HELLO 3")

    def send(self, *arguments: bytes) -> None:
        """Sends a command."""
        parts = [b"$%d\r\n%s\r\n" % (len(argument), argument) for argument in arguments]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(parts))

    def ask(self, *commands: str) -> bytes:
        """What the server sends for commands, their words as a shell parts them, sent at once."""
        for command in commands:
            self.send(*(word.encode() for word in shlex.split(command)))
        self.marks += 1
        mark = b"mark-%d" % self.marks
        self.send(b"PING", mark)
        # In the older protocol a subscriber's PING is answered by an array.
        ends = (b"*2\r\n$4\r\npong\r\n$%d\r\n%s\r\n", b"$%d\r\n%s\r\n")
        shown = [end % (len(mark), mark) for end in ends]
        answer = self.read_until(shown[-1])
        return next(answer.removesuffix(end) for end in shown if answer.endswith(end))

    def read_until(self, end: bytes) -> bytes:
        """Reads until what has come ends so."""
        seen = b""
        while not seen.endswith(end):
            piece = self.socket.recv(1 << 16)
            assert piece, f"the connection has ended: {seen!r}"
            seen += piece
        return seen

    def read_all(self) -> bytes:
        """Reads until the server closes."""
        return b"".join(iter(lambda: self.socket.recv(1 << 16), b""))

    def close(self) -> None:
        """Ends the connection."""
        self.socket.close()

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def hold(port: int, protocol: int, conversation: str) -> list[tuple[str, bytes]]:
    """What is said and answered in a conversation."""
    wires: dict[str, Wire] = {}
    heard = []
    for line in conversation.strip().splitlines():
        who, commands = line.strip().split(": ", 1)
        if who not in wires:
            wires[who] = Wire(port, protocol)
        wire = wires[who]
        if commands.endswith("QUIT"):
            for command in commands.split("; "):
                wire.send(*command.encode().split())
            answer = wire.read_all()
        else:
            answer = wire.ask(*commands.split("; "))
        heard.append((line.strip(), answer))
    for wire in wires.values():
        wire.close()
    return heard
