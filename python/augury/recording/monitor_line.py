r"""Lines of MONITOR, exactly.

``1700000000.123456 [0 127.0.0.1:50000] "SET" "a\"b" "\x00\xff"``: time in seconds, number of the
database, who asked, and the command's arguments, each quoted as by ``sdscatrepr`` of Redis and
Valkey: printable ASCII as it is, backslash and quotation mark behind a backslash, ``\n \r \t \a
\b`` by letters, every other byte as ``\xNN``. Commands that a script runs have ``lua`` for the
client. This module must not know what a command does.
"""

import re
from typing import NamedTuple

from augury.recording.quoting import unquoted

__all__ = ["MonitoredCommand", "read_line"]

HEAD = re.compile(rb"(\d{1,12}\.\d{1,9}) \[(\d{1,9}) ([^\]]*(?:\][^\] ]*)*)\](?= )")
#: What stands between two quotation marks: no mark, no lone backslash.
ARGUMENT = re.compile(rb' "([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)


class MonitoredCommand(NamedTuple):
    """One command as the server ran it."""

    time: float
    database: int
    client: bytes
    arguments: tuple[bytes, ...]


def read_line(line: bytes) -> MonitoredCommand | None:
    r"""The command of a line, or None where it is not one.

    >>> read_line(rb'1700000000.5 [3 127.0.0.1:50000] "GET" "a\"b\\\x00"')
    MonitoredCommand(time=1700000000.5, database=3, client=b'127.0.0.1:50000',
        arguments=(b'GET', b'a"b\\\x00'))
    >>> read_line(b'1700000000.5 [0 lua] "GET" "unfinished')
    """
    head = HEAD.match(line)
    if head is None:
        return None
    arguments = plain(line[head.end() :]) or quoted(line, head.end())
    if not arguments:
        return None
    return MonitoredCommand(float(head[1]), int(head[2]), head[3], tuple(arguments))


def plain(rest: bytes) -> list[bytes]:
    """The arguments where nothing is escaped, so that every mark is a border; else none."""
    if b"\\" in rest or not (rest.startswith(b' "') and rest.endswith(b'"')):
        return []
    arguments = rest[2:-1].split(b'" "')
    return arguments if rest.count(b'"') == 2 * len(arguments) else []


def quoted(line: bytes, place: int) -> list[bytes]:
    """The arguments from this place on; none where one does not end."""
    arguments = []
    while place < len(line):
        found = ARGUMENT.match(line, place)
        if found is None:
            return []
        arguments.append(unquoted(found[1]))
        place = found.end()
    return arguments
