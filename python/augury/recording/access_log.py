"""Requests from an access log of nginx, Apache or any server that writes like them.

What a cache in front of the server would have been asked (RFC 9111): GET and HEAD are reads;
POST, PUT, PATCH and DELETE that succeed invalidate their target (section 4.4) and are recorded as
``delete``; other methods are left out. Of the reads those count whose answer could have been
stored: by status, since a log has no headers. The key is the path, with its query unless told
otherwise and without its first slash, so that its first segment is the namespace; the size is the
number of bytes sent.
"""

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from queue import Empty, Queue
from threading import Event, Thread

from augury import _core
from augury.errors import ConfigError, TraceError
from augury.recording.log_line import LoggedAnswer, NotALineError, read_columns, reader_of
from augury.recording.request import KeyedRequest, LeftOut

__all__ = ["CACHEABLE", "AccessLog"]

#: Cacheable without being told so (RFC 9110, section 15.1), and 304: asked for again, unchanged.
CACHEABLE = frozenset((200, 203, 204, 206, 300, 301, 304, 308, 404, 405, 410, 414, 501))
READING = frozenset(("GET", "HEAD"))
INVALIDATING = frozenset(("POST", "PUT", "PATCH", "DELETE"))
FORMATS = ("combined", "common", "json")
QUERIES = ("keep", "drop")
#: Seconds between two looks at the clock where nothing comes in.
POLL = 0.25
#: Chunks of at most 1 MiB (or one line of that) read ahead.
AHEAD = 2
#: Seconds that a log's clock may be ahead of ours.
FUTURE = 86_400
FAULTS = {"line_too_long": "longer than 1 MiB", "binary_data": "binary data"}

Chunk = list[tuple[int, str | None, str | None]]


class AccessLog:
    """The lines of a log as requests.

    Args:
        path: A file, plain or compressed by gzip or zstd, or ``-`` for standard input.
        log_format: ``combined``, ``common`` or ``json``; if None, each line tells.
        query: Whether to ``keep`` or ``drop`` the query in keys.
        statuses: Statuses of answers that count; None for those cacheable by default, ``"all"``.
        columns: Names of fields by role, for JSON: ``key``, ``size``, ``time``, ``method``,
            ``status``, ``host`` (put in front of the path), ``request``.
        now: Seconds since 1970; a line from more than a day later is malformed.

    Raises:
        ConfigError: An option that cannot be.
        TraceError: When iterated over: no such file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        log_format: str | None = None,
        query: str = "keep",
        statuses: Collection[int] | str | None = None,
        columns: str | Mapping[str, str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        if log_format is not None and log_format not in FORMATS:
            raise ConfigError(f"format {log_format!r}: expected one of {', '.join(FORMATS)}")
        if query not in QUERIES:
            raise ConfigError(f"query {query!r}: expected one of {', '.join(QUERIES)}")
        if columns is not None and log_format not in (None, "json"):
            raise ConfigError(f"columns are for JSON, and the format is {log_format}")
        self.name = os.fspath(path)
        self.is_live = self.name == "-"
        self.ended = "end of input"
        self.complete = True
        self.notes: list[str] = []
        self._read = reader_of(log_format, read_columns(columns))
        self._drop_query = query == "drop"
        self._statuses = read_statuses(statuses)
        self._latest = now() + FUTURE

    def __iter__(self) -> Iterator[KeyedRequest | LeftOut | None]:
        """Begin reading."""
        chunks: Queue[Chunk | BaseException] = Queue(maxsize=AHEAD)
        stopped = Event()
        # A thread, so that whoever waits here can be interrupted; a daemon, since one that waits
        # for standard input cannot be.
        Thread(target=self._read_ahead, args=(chunks, stopped), daemon=True).start()
        try:
            read_any = False
            while True:
                try:
                    chunk = chunks.get(timeout=POLL)
                except Empty:
                    yield None
                    continue
                if isinstance(chunk, TraceError) and read_any:
                    # What came before the damage is worth keeping.
                    self.ended, self.complete = str(chunk), False
                    return
                if isinstance(chunk, BaseException):
                    raise chunk
                if not chunk:
                    return
                read_any = True
                for number, line, fault in chunk:
                    yield self._line(number, line, fault)
        finally:
            stopped.set()
            while not chunks.empty():
                chunks.get_nowait()

    def _read_ahead(self, chunks: "Queue[Chunk | BaseException]", stopped: Event) -> None:
        try:
            lines = _core.TextLines(self.name)
            chunk: Chunk | None = None
            while chunk != [] and not stopped.is_set():
                chunk = lines.next_chunk()
                chunks.put(chunk)
        except BaseException as error:
            chunks.put(error)

    def _line(self, number: int, line: str | None, fault: str | None) -> KeyedRequest | LeftOut:
        try:
            if line is None:
                raise NotALineError(FAULTS.get(fault or "", str(fault)))
            answer = self._read(line)
            if not 0 <= answer.time <= self._latest:
                raise NotALineError("a time before 1970 or more than a day from now")
        except NotALineError as error:
            return LeftOut(f"malformed lines: {error}", f"line {number:,}", malformed=True)
        return self._request(answer)

    def _request(self, answer: LoggedAnswer) -> KeyedRequest | LeftOut:
        method, status, sent = answer.method, answer.status, answer.bytes_sent
        if method is None:
            return LeftOut("lines without a request that could be read")
        if method in INVALIDATING:
            if status is not None and not 200 <= status < 400:
                return LeftOut(f"{method} requests that failed")
            return KeyedRequest(answer.time, self._key(answer), None, "delete")
        if method not in READING:
            return LeftOut("requests of methods that neither read nor invalidate", method)
        if status is not None and self._statuses is not None and status not in self._statuses:
            return LeftOut("answers of a status that does not count", str(status))
        key = self._key(answer)
        if method == "HEAD" or status == 304 or sent is None:
            return KeyedRequest(answer.time, key, None, "get")
        if status == 206:
            return KeyedRequest(answer.time, key, None, "get", part=max(sent, 1))
        return KeyedRequest(answer.time, key, max(sent, 1), "get")

    def _key(self, answer: LoggedAnswer) -> bytes:
        target = answer.target.partition(b"?")[0] if self._drop_query else answer.target
        if answer.host:
            return answer.host + target
        is_path = target.startswith(b"/") and target[1:2] not in (b"", b"/")
        return target[1:] if is_path else target


def read_statuses(statuses: Collection[int] | str | None) -> Collection[int] | None:
    """The statuses that count, None for all.

    >>> read_statuses("200,304") == {200, 304}, read_statuses("all")
    (True, None)
    """
    if statuses is None:
        return CACHEABLE
    if not isinstance(statuses, str):
        return frozenset(statuses)
    if statuses.strip().lower() == "all":
        return None
    try:
        return frozenset(int(part) for part in statuses.split(","))
    except ValueError:
        raise ConfigError(
            f"status {statuses!r}: expected numbers separated by commas, or all"
        ) from None
