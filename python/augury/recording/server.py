"""Requests from MONITOR of a running Redis or Valkey server.

MONITOR shows every command that the server runs, in all databases. It costs the server part of its
throughput while somebody listens (Redis's documentation has a case of more than half), so record
for minutes, not for days. The connection is redis-py's: password, ACL user, TLS and Unix sockets
by URL. Its own ``monitor()`` is not used: it decodes to text and splits at quotation marks, which
loses bytes that are not UTF-8 and values that end in a backslash. A line is held whole: a value of
n bytes takes up to 4 n while it is read.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from augury.errors import ConfigError, TraceError
from augury.extras import require
from augury.recording.commands import requests_of
from augury.recording.monitor_line import read_line
from augury.recording.request import KeyedRequest, LeftOut

__all__ = ["RedisMonitor"]

#: Schemes, and redis-py's names for them.
SCHEMES = {
    "redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss", "unix": "unix",
}  # fmt: skip
#: Seconds between two looks at the clock where nothing comes in.
POLL = 0.25
#: Seconds that a server may take to answer, or to send the rest of a line.
PATIENCE = 10.0
#: Lines between two looks at how far behind the reading is.
STRIDE = 256
#: Seconds.
ORDINARY_LAG = 2.0


class RedisMonitor:
    """The commands of one database of a server, as requests.

    Args:
        url: ``redis://[[user]:password@]host[:port][/database]``; ``rediss`` for TLS (options such
            as ``?ssl_ca_certs=ca.pem`` are redis-py's), ``unix:///path`` for a Unix socket,
            ``valkey`` and ``valkeys`` for the same.
        password: For a URL without one, so that it need not stand in a command line.

    Raises:
        ConfigError: A URL that is none, or redis-py is not installed (``augury[record]``).
        TraceError: When iterated over: no server there, or it refuses MONITOR.
    """

    def __init__(
        self, url: str, password: str | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = without_password(url)
        self.is_live = True
        self.ended = ""
        self.complete = True
        self.notes: list[str] = []
        self._clock = clock
        scheme, _, rest = url.partition("://")
        self._redis = require("redis", "record")
        try:
            if scheme not in SCHEMES:
                raise ValueError(f"expected one of {', '.join(SCHEMES)} before ://")
            self._pool = self._redis.ConnectionPool.from_url(
                f"{SCHEMES[scheme]}://{rest}", protocol=2, maint_notifications_config=silent()
            )
        except ValueError as error:
            raise ConfigError(f"{self.name}: is no URL of a server: {error}") from error
        settings = self._pool.connection_kwargs
        settings.setdefault("socket_timeout", PATIENCE)
        settings.setdefault("socket_connect_timeout", PATIENCE)
        if password is not None and not settings.get("password"):
            settings["password"] = password
        #: The database whose commands are recorded.
        self.database = int(settings.get("db") or 0)

    def __iter__(self) -> Iterator[KeyedRequest | LeftOut | None]:
        """Begin listening."""
        connection = self._listening()
        elsewhere = LeftOut(f"commands in databases other than {self.database}")
        lines = 0
        lag = Lag(self._clock)
        try:
            while (line := self._next_line(connection)) is not None:
                if not line:
                    yield None
                    continue
                lines += 1
                command = read_line(line)
                if command is None:
                    yield LeftOut("malformed lines of MONITOR", f"line {lines}", malformed=True)
                    continue
                if lines % STRIDE == 1:
                    lag.look(command.time)
                if command.database != self.database:
                    yield elsewhere
                else:
                    yield from requests_of(command)
        finally:
            connection.disconnect()
            if lag.longest > ORDINARY_LAG:
                self.notes.append(
                    f"the recording fell {lag.longest:.0f} s behind the server, which holds what "
                    "is not read yet in memory: record while it has less to do"
                )

    def _listening(self) -> Any:
        """A connection on which MONITOR runs."""
        failures = self._redis.exceptions.RedisError
        try:
            connection = self._pool.get_connection()
            connection.send_command("MONITOR")
            connection.read_response()
        except failures as error:
            raise TraceError(
                f"{self.name}: MONITOR cannot be had: {error}; expected a server there, a password "
                "where it wants one (in the URL or in REDISCLI_AUTH) and a user who may MONITOR",
                "cannot_connect",
            ) from error
        return connection

    def _next_line(self, connection: Any) -> bytes | None:
        """The next line, nothing where none has come in, None after the last."""
        failures = self._redis.exceptions
        try:
            if not connection.can_read(timeout=POLL):
                return b""
            line: bytes = connection.read_response(disable_decoding=True)
        except (failures.RedisError, OSError) as error:
            self.ended = f"the connection was lost: {error}"
            self.complete = False
            return None
        return line


class Lag:
    """How far the reading of MONITOR is behind the server, whatever their clocks say.

    >>> lag = Lag(iter([100.0, 101.0, 105.0]).__next__)
    >>> for time in (7.0, 8.0, 9.0):
    ...     lag.look(time)
    >>> lag.longest
    3.0
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._offset: float | None = None
        self.longest = 0.0

    def look(self, time: float) -> None:
        """A command that the server ran at this time is being read now."""
        offset = self._clock() - time
        self._offset = offset if self._offset is None else min(offset, self._offset)
        self.longest = max(self.longest, offset - self._offset)


def silent() -> Any:
    """The word to redis-py not to ask for notifications, which need another protocol."""
    notifications = require("redis.maint_notifications", "record")
    return notifications.MaintNotificationsConfig(enabled=False)


def without_password(url: str) -> str:
    """The URL without user, password and options.

    >>> without_password("redis://user:secret@localhost:6379/1?password=secret")
    'redis://localhost:6379/1'
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.partition("://")[0] + "://..."
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
