"""Messages of a PostgreSQL log, out of its three formats: lines for people, CSV and JSON.

A message may take many lines: in the format for people those that go on begin with a tab, in CSV
they stand within quotation marks. A message that never ends is given up at 1 MiB. It knows nothing
of SQL.
"""

import csv
import json
import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from augury.recording.log_prefix import STAMP, TIME, seconds, seconds_of

__all__ = ["Broken", "Message", "Messages", "messages_of"]

LARGEST = 1 << 20
SEVERITY = re.compile(
    r"(?P<prefix>.{0,400}?)(?P<kind>LOG|DETAIL|HINT|QUERY|CONTEXT|LOCATION|BACKTRACE|STATEMENT|ERROR"
    r"|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG[1-5]?):  (?P<text>.*)",
    re.DOTALL,
)
CSV_START = re.compile(rf"{STAMP},")
#: Places in a CSV record.
OF_TIME, OF_DATABASE, OF_SEVERITY, OF_MESSAGE, OF_DETAIL = 0, 2, 11, 13, 14


class Message(NamedTuple):
    """One message of the server."""

    time: float
    text: str
    detail: str
    database: str


class Broken(NamedTuple):
    """A line that is no part of a message."""

    why: str


Found = Iterator[Message | Broken]


class Messages(Protocol):
    """Takes lines and gives messages, each when its last line is known."""

    def add(self, line: str) -> Found:
        """Take a line."""
        ...

    def rest(self) -> Found:
        """What is held back: no line follows."""
        ...


class PlainMessages:
    r"""The format for people, behind any ``log_line_prefix`` that has a time.

    >>> messages = PlainMessages(None)
    >>> lines = ["2026-01-02 03:04:05.678 UTC [9] LOG:  statement: select", "\t 1"]
    >>> [one for line in lines for one in messages.add(line)]
    []
    >>> next(messages.rest()).text
    'statement: select\n 1'
    """

    def __init__(self, prefix: re.Pattern[str] | None) -> None:
        self._prefix = prefix
        self._parts: list[list[str]] = []
        self._time = 0.0
        self._database = ""
        self._length = 0

    def add(self, line: str) -> Found:
        """Take a line."""
        if line.startswith("\t"):
            if not self._parts:
                yield Broken("a line that goes on, without a beginning")
            elif self._length <= LARGEST:
                self._parts[-1].append(line[1:])
                self._length += len(line)
            return
        found = SEVERITY.fullmatch(line)
        if found is None:
            yield from self.rest()
            yield Broken("not of a PostgreSQL log")
            return
        if found["kind"] not in ("LOG", "DETAIL"):
            # Others belong to errors, and what follows them does too.
            yield from self.rest()
            return
        if found["kind"] == "DETAIL":
            if self._parts:
                self._parts.append([found["text"]])
            return
        yield from self.rest()
        yield from self._begin(found)

    def _begin(self, found: "re.Match[str]") -> Found:
        prefix = found["prefix"]
        place = TIME.search(prefix)
        if self._prefix is not None:
            place = self._prefix.match(prefix)
            if place is None:
                yield Broken("not behind the prefix given")
                return
            self._database = place.groupdict().get("database") or ""
        if place is None:
            yield Broken("no time in its prefix: put %m into log_line_prefix")
            return
        moment = seconds(place)
        if moment is None:
            yield Broken("a time that cannot be read")
            return
        self._time, self._length = moment, len(found["text"])
        self._parts = [[found["text"]]]

    def rest(self) -> Found:
        """The message that is held back."""
        parts, self._parts = self._parts, []
        if not parts:
            return
        if self._length > LARGEST:
            yield Broken("longer than 1 MiB")
            return
        text, detail = "\n".join(parts[0]), "\n".join(parts[1]) if len(parts) > 1 else ""
        yield Message(self._time, text, detail, self._database)


class CsvMessages:
    """``csvlog``: records of 23 fields and more, some of which hold line ends."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._length = 0
        self._is_open = False

    def add(self, line: str) -> Found:
        """Take a line."""
        if not self._lines and not CSV_START.match(line):
            yield Broken("not the beginning of a record")
            return
        self._lines.append(line)
        self._length += len(line) + 1
        self._is_open ^= line.count('"') % 2 == 1
        if self._length > LARGEST:
            self._clear()
            yield Broken("longer than 1 MiB")
        elif not self._is_open:
            yield from self._record()

    def _record(self) -> Found:
        text = "\n".join(self._lines)
        self._clear()
        try:
            fields = next(csv.reader([text], strict=True), [])
        except csv.Error:
            yield Broken("not CSV, or a field above 128 KiB")
            return
        moment = seconds_of(fields[OF_TIME]) if len(fields) > OF_DETAIL else None
        if moment is None:
            yield Broken("too few fields, or a time that cannot be read")
        elif fields[OF_SEVERITY] == "LOG":
            yield Message(moment, fields[OF_MESSAGE], fields[OF_DETAIL], fields[OF_DATABASE])

    def _clear(self) -> None:
        self._lines, self._length, self._is_open = [], 0, False

    def rest(self) -> Found:
        """A record that has no end is none."""
        if self._lines:
            self._clear()
            yield Broken("a record without an end")


class JsonMessages:
    """``jsonlog``: an object per line."""

    def add(self, line: str) -> Found:
        """Take a line."""
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            yield Broken("not JSON")
            return
        if not isinstance(fields, dict):
            yield Broken("no JSON object")
            return
        moment = seconds_of(str(fields.get("timestamp", "")))
        if moment is None:
            yield Broken("no time")
        elif fields.get("error_severity") == "LOG":
            names = ("message", "detail", "dbname")
            text, detail, database = (str(fields.get(name) or "") for name in names)
            yield Message(moment, text, detail, database)

    def rest(self) -> Found:
        """Nothing is held back."""
        yield from ()


def messages_of(line: str, prefix: "re.Pattern[str] | None") -> Messages | None:
    """What reads a log that has this line; None where the line does not tell."""
    if line.startswith("{") and '"timestamp"' in line:
        return JsonMessages()
    if prefix is None and CSV_START.match(line):
        return CsvMessages()
    return PlainMessages(prefix) if SEVERITY.fullmatch(line) else None
