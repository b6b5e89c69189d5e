"""Requests from ``watch`` of a running memcached.

memcached tells a connection that asks for it of every fetch and every write, from 1.4.26 on, of
deletions too from 1.6.22 on; unlike Redis's MONITOR it leaves lines out rather than wait for who
reads too slowly, and says how many. Listening costs the server little. The connection is a plain
socket: ``watch`` is five words, and no client library has it.
"""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from urllib.parse import urlsplit

from augury.errors import ConfigError, TraceError
from augury.recording.request import KeyedRequest, LeftOut
from augury.recording.watch_line import Pairing, read_watch_line

__all__ = ["MemcachedWatch", "is_memcached"]

SCHEMES = ("memcached", "memcache")
PORT = 11211
#: Seconds between two looks at the clock where nothing comes in.
POLL = 0.25
#: Seconds that a server may take to answer.
PATIENCE = 10.0
#: The most that is asked for, and what older servers know.
WATCHES = (b"watch fetchers mutations deletions\r\n", b"watch fetchers mutations\r\n")
CHUNK = 1 << 16
#: Bytes; a key takes at most three times 250.
LONGEST_LINE = 1 << 16
SKIPPED = re.compile(rb"\[skipped: (\d{1,19})\]")


def is_memcached(url: str) -> bool:
    """Whether a URL names a memcached.

    >>> is_memcached("memcached://localhost:11211"), is_memcached("redis://localhost")
    (True, False)
    """
    return url.partition("://")[0] in SCHEMES


class MemcachedWatch:
    """What a memcached is asked for, as requests.

    Args:
        url: ``memcached://host[:port]``, or ``memcached:///path`` for a Unix socket.

    Raises:
        ConfigError: A URL that is none.
        TraceError: When iterated over: no server there, or it does not watch.
    """

    def __init__(self, url: str, *, connect: "Callable[[], socket.socket] | None" = None) -> None:
        self.name = url
        self.is_live = True
        self.ended = ""
        self.complete = True
        self.notes: list[str] = []
        self._connect = connect or connector(url)
        self._skipped = 0
        self._tells_deletions = True

    def __iter__(self) -> Iterator[KeyedRequest | LeftOut | None]:
        """Begin listening."""
        pairing, lines = Pairing(), 0
        with closing(self._listening()) as connection:
            try:
                for line in self._lines(connection):
                    if line is None:
                        yield from pairing.rest()
                        yield None
                        continue
                    lines += 1
                    if skipped := SKIPPED.search(line):
                        self._skipped += int(skipped[1])
                        continue
                    event = read_watch_line(line)
                    if event is None:
                        yield LeftOut("malformed lines of watch", f"line {lines:,}", malformed=True)
                    else:
                        yield from pairing.add(event)
                yield from pairing.rest()
            finally:
                self._note()

    def _note(self) -> None:
        if self._skipped:
            self.notes.append(
                f"memcached left out {self._skipped:,} lines, since they were not read fast enough"
            )
        if not self._tells_deletions:
            self.notes.append(
                "this memcached does not tell deletions (1.6.22 and later do): they look like reads"
            )
        self.notes.append("increments, decrements and touches look like reads in memcached's watch")

    def _listening(self) -> socket.socket:
        """A connection on which the server tells what it does."""
        answer = b""
        try:
            for asked in WATCHES:
                connection = self._connect()
                connection.settimeout(PATIENCE)
                connection.sendall(asked)
                answer = first_line(connection)
                if answer == b"OK":
                    self._tells_deletions = asked is WATCHES[0]
                    connection.settimeout(POLL)
                    return connection
                connection.close()
        except OSError as error:
            raise TraceError(
                f"{self.name}: no memcached can be reached: {error}; expected one at that address",
                "cannot_connect",
            ) from error
        said = answer[:80].decode("ascii", "backslashreplace")
        raise TraceError(
            f"{self.name}: watch cannot be had: the server said {said!r}; expected a memcached of "
            "1.4.26 or later without -W (--disable-watch)",
            "cannot_connect",
        )

    def _lines(self, connection: socket.socket) -> Iterator[bytes | None]:
        """The lines that come in, and None where none has."""
        held = b""
        while True:
            try:
                chunk = connection.recv(CHUNK)
            except TimeoutError:
                yield None
                continue
            except OSError as error:
                self.ended, self.complete = f"the connection was lost: {error}", False
                return
            if not chunk:
                self.ended, self.complete = "the server closed the connection", False
                return
            *whole, held = (held + chunk).split(b"\n")
            yield from (line.rstrip(b"\r") for line in whole)
            if len(held) > LONGEST_LINE:
                yield held
                held = b""


def first_line(connection: socket.socket) -> bytes:
    """The answer to ``watch``, read byte by byte: what follows belongs to the stream."""
    line = b""
    while not line.endswith(b"\n") and len(line) < 512:
        byte = connection.recv(1)
        if not byte:
            break
        line += byte
    return line.strip()


def connector(url: str) -> "Callable[[], socket.socket]":
    """How to connect to the server of a URL."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORT
    except ValueError as error:
        raise ConfigError(f"{url}: is no URL of a server: {error}") from error
    if parts.username or parts.password:
        raise ConfigError(f"{parts.scheme}://...: memcached's watch takes no user and password")
    if not host and len(parts.path) > 1:
        return lambda: unix_socket(parts.path)
    if not host or len(parts.path) > 1:
        raise ConfigError(f"{url}: expected memcached://HOST:PORT or memcached:///PATH of a socket")
    return lambda: socket.create_connection((host, port), timeout=PATIENCE)


def unix_socket(path: str) -> socket.socket:
    """A connection to a Unix socket."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(PATIENCE)
        connection.connect(path)
    except OSError:
        connection.close()
        raise
    return connection
