"""One entry of a saved cache: what is told of it, its key and its value, as three blocks.

The first block holds a flag for each thing that an entry may have (see ``FLAGS``), its size, and
those things in the order of their flags. Times are milliseconds from when the file was written.
"""

from dataclasses import dataclass, replace
from struct import Struct

from augury.persistence.container import Source, Target

__all__ = ["Head", "read_head", "write_head"]

FIXED = Struct("<BI")
MOMENT = Struct("<Q")
HISTORY = 13
EXTRA = Struct("<BQQQdH")
TAG = Struct("<I")
PINNED, LEFT, REMEMBERED, MORE = 1, 2, 4, 8
FLAGS = PINNED | LEFT | REMEMBERED | MORE
FRESH, SERVED, IDLE = 1, 2, 4
#: Bytes of the first block at most: an entry may have so many tags.
LONGEST = FIXED.size + MOMENT.size + HISTORY + EXTRA.size + TAG.size * 0xFFFF
#: 500 years: more than anything may live.
LATEST = 500 * 365 * 86_400_000


@dataclass(frozen=True, slots=True)
class More:
    """What only entries with stale times, tags, a TTI or a loader have."""

    fresh: int | None
    served: int | None
    idle: int | None
    load_seconds: float
    #: Places in the file's list of tags.
    tags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """What is told of an entry beside key and value."""

    size: int
    is_pinned: bool
    left: int | None
    history: bytes | None
    more: More | None

    def after(self, elapsed: int) -> "Head | None":
        """The same so many milliseconds later; None where it has expired meanwhile."""
        if not elapsed or (self.left is None and self.more is None):
            return self
        left, more = self.left, self.more
        if left is not None:
            left -= elapsed
            if left <= 0:
                return None
        if more is not None:
            later = (
                None if at is None else max(at - elapsed, 0) for at in (more.fresh, more.served)
            )
            fresh, served = later
            more = replace(more, fresh=fresh, served=served)
        return replace(self, left=left, more=more)


def write_head(target: Target, head: Head) -> None:
    """Write the first block of an entry."""
    flags = PINNED * head.is_pinned | LEFT * (head.left is not None)
    flags |= REMEMBERED * (head.history is not None) | MORE * (head.more is not None)
    data = FIXED.pack(flags, head.size)
    if head.left is not None:
        data += MOMENT.pack(min(head.left, LATEST))
    data += head.history or b""
    if (more := head.more) is not None:
        given = FRESH * (more.fresh is not None) | SERVED * (more.served is not None)
        times = (min(at or 0, LATEST) for at in (more.fresh, more.served, more.idle))
        given |= IDLE * (more.idle is not None)
        data += EXTRA.pack(given, *times, more.load_seconds, len(more.tags))
        data += b"".join(map(TAG.pack, more.tags))
    target.block(data)


def read_head(source: Source, tags: int) -> Head:
    """Read the first block of an entry, in a file of so many tags."""
    data = source.block(LONGEST)
    if len(data) < FIXED.size:
        raise source.damaged("an entry of which nothing is told")
    flags, size = FIXED.unpack_from(data)
    at = FIXED.size
    left = history = more = None
    expected = at + MOMENT.size * bool(flags & LEFT) + HISTORY * bool(flags & REMEMBERED)
    has_more = bool(flags & MORE)
    if flags & ~FLAGS or size < 1 or len(data) < expected + EXTRA.size * has_more:
        raise source.damaged(f"an entry of flags {flags} and size {size} in {len(data)} bytes")
    if flags & LEFT:
        (left,) = MOMENT.unpack_from(data, at)
        at += MOMENT.size
    if flags & REMEMBERED:
        history = data[at : at + HISTORY]
        at += HISTORY
    if has_more:
        given, fresh, served, idle, load_seconds, count = EXTRA.unpack_from(data, at)
        at += EXTRA.size
        expected += EXTRA.size + TAG.size * count
        places = tuple(place for (place,) in TAG.iter_unpack(data[at:])) if count else ()
        more = More(
            fresh if given & FRESH else None,
            served if given & SERVED else None,
            idle if given & IDLE else None,
            load_seconds if 0 <= load_seconds < float("inf") else 0.0,
            places,
        )
        if len(places) != count or any(place >= tags for place in places):
            raise source.damaged("an entry with tags that are not in its list")
        if max(fresh, served, idle) > LATEST:
            raise source.damaged("an entry that lives longer than 500 years")
    if len(data) != expected or (left or 0) > LATEST:
        raise source.damaged(f"an entry of flags {flags} in {len(data)} bytes")
    return Head(size, bool(flags & PINNED), left, history, more)
