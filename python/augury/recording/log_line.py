r"""Lines of access logs: the common and combined formats, and one JSON object per line.

In JSON a field within a field is named with a dot: Caddy's path is ``request.uri``.

``host ident user [time] "request" status bytes``, and in the combined format ``"referer" "agent"``
behind it; both as nginx and Apache write them, with further fields behind the last, and with a
virtual host in front. Parsing takes time in proportion to the line, whatever it holds.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from augury.errors import ConfigError
from augury.recording.log_time import of_common_log, of_field
from augury.recording.quoting import unquoted

__all__ = [
    "LineReader",
    "LoggedAnswer",
    "NotALineError",
    "NotAnAnswerError",
    "read_columns",
    "read_request",
    "reader_of",
    "time_of",
]

QUOTED = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
COMMON = re.compile(r"[^\[\"]+ \[([^\]]{1,40})\] " + QUOTED + r" (\d{3}) (\d{1,19}|-)(?= |$)")
REST_OF_COMBINED = re.compile(rf" {QUOTED} {QUOTED}")
REQUEST = re.compile(rb"([A-Za-z]{1,20}) (\S.*?)(?: HTTP/[\d.]{1,5})?", re.DOTALL)
ROLES = ("time", "key", "size", "method", "status", "host", "request")
#: Names that nginx's variables, and other servers, have for each role, in order of preference.
USUAL: Mapping[str, tuple[str, ...]] = {
    "time": ("time_iso8601", "msec", "time_local", "time", "timestamp", "@timestamp", "ts"),
    "key": ("request_uri", "uri", "path", "url", "request.uri"),
    "size": ("body_bytes_sent", "bytes_sent", "bytes", "size"),
    "method": ("request_method", "method", "request.method"),
    "status": ("status", "code"),
    "host": (),
    "request": ("request",),
}


class NotALineError(ValueError):
    """A line is not of its format; says how."""


class NotAnAnswerError(ValueError):
    """A line is sound and about something else than an answer."""


class LoggedAnswer(NamedTuple):
    """One line of a log, understood. What a log does not say is None."""

    time: float
    #: None where the client sent no request that could be read.
    method: str | None
    #: As the client wrote it, with its query.
    target: bytes
    host: bytes
    status: int | None
    bytes_sent: int | None


LineReader = Callable[[str], LoggedAnswer]


class TextLine:
    """Reads lines of the common or combined format."""

    def __init__(self, must_be: str | None = None) -> None:
        self._must_be = must_be
        self._time_text = ""
        self._time = 0.0

    def __call__(self, line: str) -> LoggedAnswer:
        """The answer that a line is about."""
        found = COMMON.match(line)
        if found is None:
            raise NotALineError("not of the common or combined format")
        if self._must_be == "common" and found.end() != len(line):
            raise NotALineError("not of the common format: something follows the size")
        if self._must_be == "combined" and not REST_OF_COMBINED.match(line, found.end()):
            raise NotALineError("not of the combined format: no referer and agent")
        time_text, request, status, size = found.groups()
        # Lines come many to a second.
        if time_text != self._time_text:
            self._time, self._time_text = time_of(of_common_log, time_text), time_text
        method, target = read_request(request)
        sent = int(size) if size != "-" else None
        return LoggedAnswer(self._time, method, target, b"", int(status), sent)


class JsonLine:
    """Reads lines of JSON; ``columns`` says which field has which role."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._names = {role: (columns[role],) if role in columns else USUAL[role] for role in ROLES}

    def __call__(self, line: str) -> LoggedAnswer:
        """The answer that a line is about."""
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise NotALineError("not JSON") from error
        if not isinstance(fields, dict):
            raise NotALineError("no JSON object")
        time = self._field(fields, "time")
        if time is None:
            raise NotALineError("no time: name its field by --columns time=NAME")
        method, target = self._request(fields)
        host = self._field(fields, "host")
        status, size = self._number(fields, "status"), self._number(fields, "size")
        seconds = time_of(of_field, time)
        return LoggedAnswer(seconds, method, target, bytes_of(host), status, size)

    def _request(self, fields: Mapping[str, object]) -> tuple[str | None, bytes]:
        target = self._field(fields, "key")
        if target is None:
            request = self._field(fields, "request")
            if request is None and "logger" in fields:
                # Caddy's other messages, in the same file.
                raise NotAnAnswerError("messages of the server")
            if not isinstance(request, str):
                raise NotALineError("no path: name its field by --columns key=NAME")
            return read_request(request)
        method = self._field(fields, "method")
        if method is None:
            return "GET", bytes_of(target)
        # An empty method is nginx's for a request that could not be read.
        return (str(method).upper() or None), bytes_of(target)

    def _field(self, fields: Mapping[str, object], role: str) -> object:
        for name in self._names[role]:
            if name in fields:
                return fields[name]
            outer, dot, inner = name.partition(".")
            within = fields.get(outer) if dot else None
            if isinstance(within, dict) and inner in within:
                found: object = within[inner]
                return found
        return None

    def _number(self, fields: Mapping[str, object], role: str) -> int | None:
        value = self._field(fields, role)
        if value is None or value in ("", "-"):
            return None
        try:
            number = int(value)  # type: ignore[call-overload]
        except (TypeError, ValueError, OverflowError) as error:
            raise NotALineError(f"{role} is not a whole number") from error
        if number < 0:
            raise NotALineError(f"{role} is below 0")
        return int(number)


def reader_of(log_format: str | None, columns: Mapping[str, str]) -> LineReader:
    """The reader for a format; without one, each line tells: JSON begins with a brace."""
    text, as_json = TextLine(log_format), JsonLine(columns)
    if log_format in ("json", "caddy"):
        return as_json
    if log_format is not None:
        return text
    return lambda line: as_json(line) if line.lstrip().startswith("{") else text(line)


def read_columns(columns: str | Mapping[str, str] | None) -> dict[str, str]:
    """Field names by role, from ``key=uri,size=bytes``.

    >>> read_columns("key=uri,time=ts")
    {'key': 'uri', 'time': 'ts'}
    """
    if columns is None:
        return {}
    if isinstance(columns, str):
        pairs = [part.partition("=") for part in columns.split(",") if part.strip()]
        columns = {role.strip(): name.strip() for role, _, name in pairs}
    for role, name in columns.items():
        if role not in ROLES or not name:
            raise ConfigError(
                f"columns: found {role}={name}, expected ROLE=FIELD with a role of "
                f"{' '.join(ROLES)}, as in key=uri,size=bytes,time=ts"
            )
    return dict(columns)


def read_request(quoted: str) -> tuple[str | None, bytes]:
    r"""Method and target of a request line; no method where it is none.

    >>> read_request("GET /a\\x20b?c HTTP/1.1"), read_request("-")
    (('GET', b'/a b?c'), (None, b''))
    """
    found = REQUEST.fullmatch(unquoted(quoted.encode("utf-8", "surrogatepass")))
    if found is None:
        return None, b""
    return found[1].decode().upper(), found[2]


def bytes_of(value: object) -> bytes:
    """A JSON value as the bytes of a key."""
    if isinstance(value, dict | list):
        raise NotALineError("a path or host that is no text")
    return b"" if value is None else str(value).encode("utf-8", "surrogatepass")


def time_of(read: Callable[..., float], value: object) -> float:
    """The time, or the word that it is none."""
    try:
        return read(value)
    except (ValueError, OverflowError, OSError) as error:
        raise NotALineError("a time that cannot be read") from error
