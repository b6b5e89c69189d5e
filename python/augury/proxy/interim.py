"""Interim answers (102, 103) on their way from the origin to the client that waits.

Neither ASGI nor httpcore has a word for them: a connection to the origin sees their heads
(`watched.py`), and the client's connection can write one (`bounded.py`); between them is a variable
of the context in which the origin is asked. What stands in a head is read again here, so that
nothing but fields is written.
"""

import re
from collections.abc import Callable
from contextvars import ContextVar

from augury.proxy.fields import Fields

__all__ = ["EXTENSION", "INTERIM", "Tell", "told"]

#: Takes a status and fields to the client.
Tell = Callable[[int, Fields], None]
#: Who is told of interim answers to what is asked from here on; nobody if None.
INTERIM: ContextVar[Tell | None] = ContextVar("augury_proxy_interim", default=None)
#: Under which name a connection offers to write them, among ASGI's extensions.
EXTENSION = "augury.interim"
#: Fields of one, at most.
MOST_FIELDS = 32
HEAD = re.compile(rb"HTTP/1\.1 (10[2-9]|1[1-9]\d)(?: [\t -~\x80-\xff]*)?")
LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*)")
#: What frames a message or belongs to a connection.
DROPPED = frozenset(
    {b"connection", b"content-length", b"keep-alive", b"te", b"trailer", b"transfer-encoding",
     b"upgrade"}
)  # fmt: skip


def told(head: bytes) -> None:
    """Pass the head of an interim answer on to who waits, if it is in order and anybody does."""
    tell = INTERIM.get()
    if tell is None:
        return
    first, *lines = head.split(b"\r\n")
    begun = HEAD.fullmatch(first)
    found = [LINE.fullmatch(line) for line in lines if line]
    if begun is None or len(found) > MOST_FIELDS:
        return
    fields = [(line[1].lower(), line[2].rstrip()) for line in found if line is not None]
    if len(fields) == len(found):
        tell(int(begun[1]), [line for line in fields if line[0] not in DROPPED])
