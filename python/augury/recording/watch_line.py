"""Lines of memcached's ``watch``, and the requests that they are.

A line is ``ts=1700000000.5 gid=7 type=item_store key=a%20b status=stored cmd=set ttl=60 clsid=1
cfd=23 size=3``: keys are percent-encoded, and the part of the time behind the dot is a *number* of
microseconds, of which memcached leaves out the zeros in front. How memcached logs has consequences:

* Storing and deleting look the key up first, which is logged as a fetch like any other. That fetch
  is no read: it is taken back when the store of the same key on the same connection follows.
* A fetch that misses is a read as well as one that hits.
* ``incr``, ``decr`` and ``touch`` are logged as fetches alone, and so is ``delete`` before
  memcached 1.6.22: they count as reads.
* A write that stored nothing because of what was there (``add``, ``replace``, ``append``) is kept:
  whether it stores depends on the cache, which a replay knows. A ``cas`` that lost, and what
  memcached had no room for, is left out.
"""

import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from augury.recording.request import KeyedRequest, LeftOut

__all__ = ["Pairing", "read_watch_line"]

FIELD = re.compile(rb"(\w+)=(\S*)")
TIME = re.compile(rb"(\d{1,12})\.(\d{1,6})")
NUMBER = re.compile(rb"\d{1,19}")
KINDS = frozenset((b"item_get", b"item_store", b"deleted"))
#: memcached's words for writes are those of traces.
WRITES = frozenset((b"set", b"add", b"replace", b"append", b"prepend", b"cas"))
#: Writes that met what they expected, or whose outcome depends on what is cached.
HEEDED = frozenset((b"stored", b"not_stored"))
#: Values for which there was no room: what was there is fetched afterwards, and thrown away.
SPILT = frozenset((b"too_large", b"no_memory"))
#: An expiry time in the past wraps to this and above.
PAST = 2**31
#: Events that are looked back at for the fetch that belongs to a write.
WINDOW = 256


class WatchEvent(NamedTuple):
    """One line, understood."""

    found: KeyedRequest | LeftOut
    key: bytes
    #: Where memcached says which.
    connection: bytes | None
    #: Whether memcached fetched the key for it before.
    is_write: bool = False
    #: Whether memcached fetches the key for it afterwards.
    is_followed: bool = False


def read_watch_line(line: bytes) -> WatchEvent | None:
    """What a line is about; None for a line that is none.

    >>> read_watch_line(b"ts=5.30 gid=1 type=item_get key=a status=found cfd=9 size=3").found
    KeyedRequest(time=5.00003, key=b'a', size=3, op='get', ttl=0, part=0, origin=None)
    """
    fields = dict(FIELD.findall(line))
    moment, kind = TIME.fullmatch(fields.get(b"ts", b"")), fields.get(b"type")
    if moment is None or kind is None:
        return None
    time = int(moment[1]) + int(moment[2]) / 1e6
    if kind not in KINDS:
        return WatchEvent(LeftOut("events that are no requests", word(kind)), b"", None)
    key = unquote_to_bytes(fields.get(b"key", b""))
    if not key:
        return None
    connection, size = fields.get(b"cfd"), number(fields.get(b"size"))
    if kind == b"item_get":
        return WatchEvent(KeyedRequest(time, key, size or None, "get"), key, connection)
    if kind == b"deleted":
        return WatchEvent(KeyedRequest(time, key, None, "delete"), key, connection, True)
    command, status = fields.get(b"cmd", b""), fields.get(b"status", b"")
    left_out = left_out_of(command, status)
    if left_out is not None:
        return WatchEvent(left_out, key, connection, True, status in SPILT)
    ttl = number(fields.get(b"ttl")) or 0
    if ttl >= PAST:
        return WatchEvent(KeyedRequest(time, key, None, "delete"), key, connection, True)
    stored = KeyedRequest(time, key, size, command.decode("ascii"), ttl)
    return WatchEvent(stored, key, connection, True)


def left_out_of(command: bytes, status: bytes) -> LeftOut | None:
    """Why a write is no request, if it is none."""
    if command not in WRITES:
        return LeftOut("unknown writes", word(command))
    if status not in HEEDED:
        return LeftOut("writes that memcached did not carry out", word(status))
    return None


def word(text: bytes) -> str:
    """A name for people."""
    return text[:40].decode("ascii", "backslashreplace")


def number(text: bytes | None) -> int | None:
    """A number that a field holds."""
    return int(text) if text is not None and NUMBER.fullmatch(text) else None


class Pairing:
    """Holds events back for a moment, and takes back the fetch that belongs to a write.

    >>> pairing = Pairing()
    >>> get = WatchEvent(KeyedRequest(1.0, b"a", 3, "get"), b"a", b"9")
    >>> put = WatchEvent(KeyedRequest(1.0, b"a", 3, "set"), b"a", b"9", is_write=True)
    >>> [*pairing.add(get), *pairing.add(get), *pairing.add(put)]
    []
    >>> [one.op for one in pairing.rest()]
    ['get', 'set']
    """

    def __init__(self) -> None:
        self._waiting: deque[WatchEvent] = deque()
        self._followed: bytes | None = None

    def add(self, event: WatchEvent) -> Iterator[KeyedRequest | LeftOut]:
        """Take an event; what is old enough to be sure of comes out."""
        is_trailing = self._followed == event.key and not event.is_write
        self._followed = event.key if event.is_followed else None
        if is_trailing:
            return
        if event.is_write:
            self._take_back(event)
        self._waiting.append(event)
        while len(self._waiting) > WINDOW:
            yield self._waiting.popleft().found

    def rest(self) -> Iterator[KeyedRequest | LeftOut]:
        """What is held back, since nothing more comes in now."""
        while self._waiting:
            yield self._waiting.popleft().found

    def _take_back(self, event: WatchEvent) -> None:
        """Remove the fetch made for a write: the latest event of its connection, or of its key."""
        for place in range(len(self._waiting) - 1, -1, -1):
            earlier = self._waiting[place]
            if event.connection is None:
                is_near = earlier.key == event.key
            else:
                is_near = earlier.connection == event.connection
            if is_near:
                if earlier.key == event.key and not earlier.is_write:
                    del self._waiting[place]
                return
