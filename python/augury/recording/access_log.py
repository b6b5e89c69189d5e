"""Requests from an access log of nginx, Apache, Caddy or any server that writes like them.

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

from augury.errors import ConfigError
from augury.recording.lines import FAULTS, LogLines
from augury.recording.log_line import (
    LineReader,
    LoggedAnswer,
    NotALineError,
    NotAnAnswerError,
    read_columns,
    reader_of,
)
from augury.recording.log_pattern import PatternLine, is_pattern
from augury.recording.request import KeyedRequest, LeftOut

__all__ = ["CACHEABLE", "AccessLog"]

#: Cacheable without being told so (RFC 9110, section 15.1), and 304: asked for again, unchanged.
CACHEABLE = frozenset((200, 203, 204, 206, 300, 301, 304, 308, 404, 405, 410, 414, 501))
READING = frozenset(("GET", "HEAD"))
INVALIDATING = frozenset(("POST", "PUT", "PATCH", "DELETE"))
FORMATS = ("combined", "common", "json", "caddy")
QUERIES = ("keep", "drop")
#: Seconds that a log's clock may be ahead of ours.
FUTURE = 86_400


class AccessLog:
    """The lines of a log as requests.

    Args:
        path: A file, plain or compressed by gzip or zstd, or ``-`` for standard input.
        log_format: ``combined``, ``common``, ``json`` or ``caddy``, or a format of one's own as in
            nginx's ``log_format`` or Apache's ``LogFormat``; if None, each line tells.
        query: Whether to ``keep`` or ``drop`` the query in keys.
        statuses: Statuses of answers that count; None for those cacheable by default, ``"all"``.
        columns: Names of fields by role, for JSON and own formats: ``key``, ``size``, ``time``,
            ``method``, ``status``, ``host`` (put in front of the path), ``request``.
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
        if log_format is not None and log_format not in FORMATS and not is_pattern(log_format):
            raise ConfigError(
                f"format {log_format!r}: expected one of {', '.join(FORMATS)}, or a format of "
                "nginx or Apache such as '$time_local $request_uri $status' or '%t %U %s'"
            )
        if query not in QUERIES:
            raise ConfigError(f"query {query!r}: expected one of {', '.join(QUERIES)}")
        if columns is not None and log_format in ("combined", "common"):
            raise ConfigError(f"columns are for JSON and own formats, not for {log_format}")
        self.name = os.fspath(path)
        self.is_live = self.name == "-"
        self.notes: list[str] = []
        roles = read_columns(columns)
        self._lines = LogLines(path)
        self._read: LineReader = (
            PatternLine(log_format, roles)
            if log_format is not None and is_pattern(log_format)
            else reader_of(log_format, roles)
        )
        self._drop_query = query == "drop"
        self._statuses = read_statuses(statuses)
        self._latest = now() + FUTURE

    def __iter__(self) -> Iterator[KeyedRequest | LeftOut | None]:
        """Begin reading."""
        for found in self._lines:
            yield None if found is None else self._line(*found)

    @property
    def ended(self) -> str:
        """Why it ended."""
        return self._lines.ended

    @property
    def complete(self) -> bool:
        """Whether that was its proper end."""
        return self._lines.complete

    def _line(self, number: int, line: str | None, fault: str | None) -> KeyedRequest | LeftOut:
        try:
            if line is None:
                raise NotALineError(FAULTS.get(fault or "", str(fault)))
            answer = self._read(line)
            if not 0 <= answer.time <= self._latest:
                raise NotALineError("a time before 1970 or more than a day from now")
        except NotAnAnswerError as error:
            return LeftOut(str(error))
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
