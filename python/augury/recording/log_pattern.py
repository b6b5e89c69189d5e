r"""Lines of a log whose format somebody chose: nginx's ``log_format`` and Apache's ``LogFormat``.

A format is text with names in it: ``$request_uri`` for nginx, ``%U`` for Apache. It is taken apart
once, into texts and fields; a line is then read from left to right, each field ending where the
text behind it begins, so that time is in proportion to the line, whatever it holds. Between
quotation marks a field may hold escaped ones, and a time its own blanks. What no role needs is
passed over.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from augury.errors import ConfigError
from augury.recording.log_line import LoggedAnswer, NotALineError, read_request, time_of
from augury.recording.log_time import of_field
from augury.recording.quoting import unquoted

__all__ = ["PatternLine", "is_pattern"]

#: Roles of nginx's variables and of Apache's directives, the better ones of a role first.
NGINX: Mapping[str, tuple[str, ...]] = {
    "time": ("msec", "time_iso8601", "time_local"),
    "request": ("request",),
    "key": ("request_uri", "uri", "document_uri"),
    "query": ("args", "query_string"),
    "method": ("request_method",),
    "status": ("status",),
    "size": ("body_bytes_sent", "bytes_sent"),
}
APACHE: Mapping[str, tuple[str, ...]] = {
    "time": ("{msec}t", "{usec}t", "{sec}t", "t"),
    "request": ("r",),
    "key": ("U",),
    "query": ("q",),
    "method": ("m",),
    "status": ("s",),
    "size": ("B", "b", "O"),
}
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
DIRECTIVE = re.compile(r"%(?:[<>]|!?\d{3}(?:,\d{3})*)?(\{[^}]*\}?\w*|\w|%)")
QUOTED = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*')
#: 10/Oct/2000:13:55:36 -0700
COMMON_TIME = 26
#: A configuration's own line around the format.
NGINX_LINE = re.compile(r"\s*log_format\s+\S+\s+(?:escape=\w+\s+)?(.*?);?\s*", re.DOTALL)
APACHE_LINE = re.compile(r'\s*LogFormat\s+"((?:[^"\\]|\\.)*)"\s*\S*\s*', re.DOTALL)
PIECE = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")


class Step(NamedTuple):
    """A text that has to be there, and the field behind it up to the next one."""

    before: str
    #: Empty behind the last text.
    field: str
    #: A number of characters; otherwise the field ends where the next text begins.
    width: int | None
    is_quoted: bool


def is_pattern(text: str) -> bool:
    """Whether this is a format with names in it, and no name of a format.

    >>> is_pattern('$remote_addr "$request"'), is_pattern('%h "%r"'), is_pattern("combined")
    (True, True, False)
    """
    return VARIABLE.search(text) is not None or DIRECTIVE.search(text) is not None


class PatternLine:
    r"""Reads lines of a format.

    Args:
        pattern: As in the configuration; the whole line of it (``log_format main '...';``) will do.
        columns: Names of fields by role, in place of the usual ones; ``host`` is put in front of
            the path.

    Raises:
        ConfigError: A format without a time or a path, or in which a field has no end.

    >>> read = PatternLine('$host [$time_local] "$request" $status $body_bytes_sent', {})
    >>> read('a.org [10/Oct/2000:13:55:36 -0700] "GET /x?y HTTP/1.1" 200 12')
    LoggedAnswer(time=971211336.0, method='GET', target=b'/x?y', host=b'', status=200,
        bytes_sent=12)
    """

    def __init__(self, pattern: str, columns: Mapping[str, str]) -> None:
        text = out_of_configuration(pattern)
        is_nginx = VARIABLE.search(text) is not None
        self._usual = NGINX if is_nginx else APACHE
        self._steps = steps_of(text, VARIABLE if is_nginx else DIRECTIVE)
        given = {step.field for step in self._steps if step.field}
        self._columns = {role: bare(name) for role, name in columns.items()}
        for role, name in self._columns.items():
            if name not in given:
                raise ConfigError(f"columns: {role}={name} is not in the format {pattern!r}")
        self._names = {
            role: next((name for name in (self._columns.get(role), *usual) if name in given), None)
            for role, usual in {**self._usual, "host": ()}.items()
        }
        if self._names["time"] is None:
            example = "$time_local" if is_nginx else "%t"
            raise ConfigError(f"format {pattern!r} has no time: log one, such as {example}")
        if self._names["key"] is None and self._names["request"] is None:
            example = "$request" if is_nginx else "%r"
            raise ConfigError(f"format {pattern!r} has no path: log one, such as {example}")

    def __call__(self, line: str) -> LoggedAnswer:
        """The answer that a line is about."""
        fields = self._fields(line)
        method, target = self._request(fields)
        host = self._value(fields, "host") or ""
        return LoggedAnswer(
            self._time(fields),
            method,
            target,
            raw(host),
            self._number(fields, "status"),
            self._number(fields, "size"),
        )

    def _fields(self, line: str) -> dict[str, str]:
        """The fields by name; the text behind the last is not looked at."""
        fields: dict[str, str] = {}
        place = 0
        for step, after in zip(self._steps, (*self._steps[1:], None), strict=True):
            if not line.startswith(step.before, place):
                raise NotALineError("not of the format given")
            place += len(step.before)
            if not step.field:
                break
            end = end_of(line, place, step, after.before if after else "")
            fields[step.field] = line[place:end]
            place = end
        return fields

    def _value(self, fields: Mapping[str, str], role: str) -> str | None:
        name = self._names[role]
        value = fields.get(name) if name is not None else None
        return None if value in (None, "", "-") else value

    def _time(self, fields: Mapping[str, str]) -> float:
        value = self._value(fields, "time")
        if value is None:
            raise NotALineError("no time")
        # What Apache counts in microseconds.
        if self._names["time"] == "{usec}t" and value.isdecimal():
            return int(value) / 1e6
        return time_of(of_field, value)

    def _request(self, fields: Mapping[str, str]) -> tuple[str | None, bytes]:
        path = self._value(fields, "key")
        if path is None:
            return read_request(self._value(fields, "request") or "-")
        query = self._value(fields, "query")
        # Apache logs the question mark with the query, nginx does not.
        if query is not None and "?" not in path:
            path += query if query.startswith("?") else f"?{query}"
        if self._names["method"]:
            method = self._value(fields, "method")
            return (method.upper() if method else None), raw(path)
        if self._names["request"]:
            return read_request(self._value(fields, "request") or "-")[0], raw(path)
        return "GET", raw(path)

    def _number(self, fields: Mapping[str, str], role: str) -> int | None:
        value = self._value(fields, role)
        if value is None:
            return None
        if not (value.isascii() and value.isdecimal() and len(value) < 20):
            raise NotALineError(f"{role} is not a whole number")
        return int(value)


def raw(text: str) -> bytes:
    """The bytes that a field stands for."""
    return unquoted(text.encode("utf-8", "surrogatepass"))


def end_of(line: str, place: int, step: Step, following: str) -> int:
    """Where a field ends."""
    if step.width is not None:
        return place + step.width
    if step.is_quoted:
        found = QUOTED.match(line, place)
        end = found.end() if found else place
    elif not following:
        # The last one, which more fields may follow that the format does not name.
        end = line.find(" ", place)
        return len(line) if end < 0 else end
    else:
        end = line.find(following, place)
    if end < 0:
        raise NotALineError("not of the format given")
    return end


def steps_of(text: str, names: re.Pattern[str]) -> Sequence[Step]:
    """A format taken apart."""
    literals, fields, place = [""], list[str](), 0
    for found in names.finditer(text):
        name = next(group for group in found.groups() if group is not None)
        literals[-1] += text[place : found.start()]
        place = found.end()
        if name == "%":
            literals[-1] += "%"
        elif name == "q" and fields[-1:] == ["U"] and not literals[-1]:
            # Nothing stands between Apache's path and its query: they are one field.
            continue
        else:
            fields.append(name)
            literals.append("")
    literals[-1] += text[place:]
    return [step_of(literals, fields, number) for number in range(len(literals))]


def step_of(literals: list[str], fields: list[str], number: int) -> Step:
    """One text and its field."""
    before = literals[number]
    if number == len(fields):
        return Step(before, "", None, False)
    name, after = fields[number], literals[number + 1]
    if name == "t":
        # Apache sets the time in brackets.
        literals[number + 1] = f"]{after}"
        return Step(f"{before}[", name, COMMON_TIME, False)
    if name == "time_local":
        return Step(before, name, COMMON_TIME, False)
    if not after and number < len(fields) - 1:
        raise ConfigError(
            f"format: nothing stands between {name} and {fields[number + 1]}, so where the first "
            "one ends cannot be told"
        )
    return Step(before, name, None, before.endswith('"') and after.startswith('"'))


def bare(name: str) -> str:
    """A name without the marks of its kind.

    >>> bare("$status"), bare("%>s"), bare("%{msec}t")
    ('status', 's', '{msec}t')
    """
    return name.removeprefix("$").lstrip("%<>!")


def out_of_configuration(text: str) -> str:
    r"""The format itself, out of the line of a configuration that sets it.

    >>> out_of_configuration("log_format main '$host ' '\"$request\"';")
    '$host "$request"'
    >>> out_of_configuration(r'LogFormat "%h \"%r\"" own')
    '%h "%r"'
    """
    if found := NGINX_LINE.fullmatch(text):
        pieces = [one or other for one, other in PIECE.findall(found[1])] or [found[1]]
        return "".join(pieces).replace("\\'", "'").replace('\\"', '"')
    if found := APACHE_LINE.fullmatch(text):
        return found[1].replace('\\"', '"')
    return text.replace('\\"', '"')
