"""A connection that sends bytes as they are: what clients of a library cannot say."""

import socket
import time
from types import TracebackType

__all__ = ["Raw", "command", "is_reached"]

DEADLINE = 15.0


def command(*arguments: str | bytes) -> bytes:
    """A command as Redis's protocol has it."""
    words = [word.encode() if isinstance(word, str) else word for word in arguments]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


class Raw:
    """A socket with a reader of answers."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=DEADLINE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def __enter__(self) -> "Raw":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self.reader.close()
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self.socket.sendall(data)

    def answer(self) -> bytes:
        """The next answer, as it came."""
        line = self.reader.readline()
        kind, number = line[:1], line[1:].strip()
        if kind == b"$" and number != b"-1":
            return line + self.reader.read(int(number) + 2)
        if kind == b"*" and number != b"-1":
            return line + b"".join(self.answer() for _ in range(int(number)))
        return line

    def ask(self, *arguments: str | bytes) -> bytes:
        """The answer to a command."""
        self.send(command(*arguments))
        return self.answer()

    def is_closed(self, within: float = DEADLINE) -> bool:
        """Whether the server ends the connection in time; what comes before is read."""
        until = time.monotonic() + within
        try:
            while (left := until - time.monotonic()) > 0:
                self.socket.settimeout(left)
                if not self.socket.recv(1 << 16):
                    return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return False


def is_reached(condition: object, within: float = DEADLINE) -> bool:
    """Whether a condition comes true in time."""
    assert callable(condition)
    until = time.monotonic() + within
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
