"""Requests from the statements in a log of PostgreSQL.

The server logs them with ``log_statement = all`` or ``log_min_duration_statement = 0``; both say
the parameters of prepared statements. A SELECT from tables is a read of a cache of answers: its key
is the statement without its literals, and a hash of literals, parameters and database
(:mod:`.statement`). Its size is not logged and counts as 1. Writes are left out and counted: the
answers that a write makes stale cannot be told by key, so a trace of a log shows what a cache would
have been asked, and hits a little more often than one that forgets by table.
"""

import os
import re
from collections.abc import Iterator

from augury.recording.lines import FAULTS, LogLines
from augury.recording.log_prefix import read_prefix
from augury.recording.request import KeyedRequest, LeftOut
from augury.recording.server_message import Broken, Message, Messages, messages_of
from augury.recording.statement import key_of, read_statement

__all__ = ["StatementLog"]

SAID = re.compile(
    r"(?:duration: [\d.]+ ms  )?(?P<what>statement|execute (?P<name>[^:]*)): (?P<sql>.*)", re.DOTALL
)
PARAMETERS = re.compile(r"parameters: (.*)", re.DOTALL | re.IGNORECASE)
OTHER = "messages that are no statements"


class StatementLog:
    """The SELECTs in a log, as requests.

    Args:
        path: A file, plain or compressed by gzip or zstd, or ``-`` for standard input: as the
            server writes it to standard error, as CSV or as JSON, which its first sound line tells.
        line_prefix: ``log_line_prefix`` of the server. If None, any time in front of a message is
            taken for its time.

    Raises:
        ConfigError: A prefix without a time.
        TraceError: When iterated over: no such file.
    """

    def __init__(self, path: str | os.PathLike[str], *, line_prefix: str | None = None) -> None:
        self.name = os.fspath(path)
        self.is_live = self.name == "-"
        self.notes: list[str] = []
        self._lines = LogLines(path)
        self._prefix = None if line_prefix is None else read_prefix(line_prefix)
        self._messages: Messages | None = None

    @property
    def ended(self) -> str:
        """Why it ended."""
        return self._lines.ended

    @property
    def complete(self) -> bool:
        """Whether that was its proper end."""
        return self._lines.complete

    def __iter__(self) -> Iterator[KeyedRequest | LeftOut | None]:
        """Begin reading."""
        number = 0
        for found in self._lines:
            if found is None:
                yield None
                continue
            number, line, fault = found
            if line is None:
                yield malformed(FAULTS.get(fault or "", str(fault)), number)
                continue
            if self._messages is None:
                self._messages = messages_of(line, self._prefix)
            if self._messages is None:
                yield malformed("not of a PostgreSQL log", number)
                continue
            for one in self._messages.add(line):
                yield request_of(one, number)
        if self._messages is not None:
            for one in self._messages.rest():
                yield request_of(one, number)


def malformed(why: str, number: int) -> LeftOut:
    """A line that cannot be read."""
    return LeftOut(f"malformed lines: {why}", f"line {number:,}", malformed=True)


def request_of(message: Message | Broken, number: int) -> KeyedRequest | LeftOut:
    """What a message is a request for."""
    if isinstance(message, Broken):
        return malformed(message.why, number)
    if message.time < 0:
        return malformed("a time before 1970", number)
    said = SAID.fullmatch(message.text)
    if said is None:
        return LeftOut(OTHER)
    if (said["name"] or "").startswith("fetch from "):
        return LeftOut("fetches from a cursor")
    statement = read_statement(said["sql"])
    if statement.reason is not None:
        return LeftOut(statement.reason, statement.kind)
    given = PARAMETERS.fullmatch(message.detail)
    key = key_of(statement, given[1] if given else "", message.database)
    return KeyedRequest(message.time, key, None, "get")
