"""Stored answers: where they lie, under which names, and how they leave.

An answer's name is its target and host, and what it varies by. `augury.Cache` decides what stays.
An answer whose freshness has passed stays for a while, to be validated or to stand in for an
error: to the cache it is a miss, and :meth:`Answers.find` finds it nevertheless. This module knows
no rule about when an answer may be stored or served.
"""

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from augury.cache import Cache
from augury.proxy.asked import Asked, varying
from augury.proxy.control import Control
from augury.proxy.fields import LONGEST, Fields
from augury.proxy.ranges import Span

__all__ = ["PART", "Answers", "Clock", "Kept"]

#: Bytes of the objects around an answer, by `sys.getsizeof`, roughly.
OVERHEAD = 1_200
#: Bytes of a line of fields beside its text.
LINE = 150
#: Bytes of an answer, at most: what a size can be.
LARGEST = 2**32 - 1
#: Targets whose answers vary, remembered with what they vary by.
VARYING = 65_536
#: Names whose answers could not be stored, remembered so that nobody waits for them.
UNSTORABLE = 16_384
#: Seconds.
SHORTEST = 1e-3
#: At the end of the name of a part.
PART = "\n*part"


class Clock:
    """The time: by the calendar, for dates, and on a clock that never goes back, for ages."""

    def wall(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def steady(self) -> float:
        """Seconds."""
        return time.monotonic()


@dataclass(slots=True)
class Kept:
    """A stored answer; nothing of it is changed once it is stored but ``is_ahead``."""

    status: int
    #: As they are sent, without Age and what describes this hop.
    fields: Fields
    body: bytes
    control: Control
    #: When it was made, on the steady clock, and for how many seconds it is fresh from then on.
    born: float
    lifetime: float
    #: When it was made, in seconds since 1970.
    date: float
    etag: str | None
    modified: str | None
    #: Fields of the request that it varies by, and what they said, in one form.
    vary: tuple[bytes, ...]
    selected: str
    groups: tuple[str, ...] = ()
    #: Fetched before it was asked for, and not asked for yet.
    is_ahead: bool = False
    #: Which bytes of the whole the body has, if it is a part.
    span: Span | None = None

    def age(self, now: float) -> float:
        """Seconds."""
        return now - self.born

    def staleness(self, now: float) -> float:
        """Seconds since it has ceased to be fresh; negative while it is fresh."""
        return now - self.born - self.lifetime


class Answers:
    """See the module.

    Args:
        capacity: Bytes, as for :class:`augury.Cache`.
        policy: Who decides what stays.
        clock: The time.
        keep: Seconds that an answer stays after its freshness, if it can be validated.
        stale_if_error: Seconds that it stays otherwise.
        load: Fetches an answer that is likely to be asked for, by its name, or raises.
        prefetch: Such fetches, as a share of those on demand; none if None.
        refresh_ahead: Fetches of answers about to become stale, likewise.
    """

    def __init__(
        self,
        capacity: int | str,
        policy: str,
        clock: Clock,
        keep: float,
        stale_if_error: float,
        load: Callable[[str], Awaitable[Kept]],
        prefetch: float | None,
        refresh_ahead: float | None,
    ) -> None:
        self._clock = clock
        self._keep, self._stale_if_error = keep, stale_if_error
        self._refreshes = refresh_ahead is not None
        self.cache: Cache[str, Kept] = Cache(
            capacity,
            policy=policy,
            sizeof=size,
            # Of answers fetched ahead, which are stored anew when they are asked for.
            ttl=max(keep, SHORTEST),
            timer=clock.steady,
            loader=load,
            prefetch=prefetch,
            refresh_ahead=refresh_ahead,
        )
        self.largest_body = min(self.cache.capacity, LARGEST)
        # What the fields of the request are that a target's answers vary by.
        self._varying: Cache[str, tuple[bytes, ...]] = Cache(VARYING, policy="lru")
        self._unstorable: Cache[str, bool] = Cache(
            UNSTORABLE, policy="lru", ttl=120.0, timer=clock.steady
        )

    def name(self, asked: Asked) -> str:
        """Under which name an answer to this request is, if there is one."""
        named = self._varying.get(asked.name)
        return asked.name if named is None else asked.name + varying(asked.fields, named)

    def find(self, name: str, session: str | None = None) -> Kept | None:
        """The answer of that name, fresh or stale; a request to the cache."""
        kept = self.cache.get(name, session=session)
        if kept is None:
            past = self.cache.past(name)
            kept = None if past is None else past[0].value
        elif kept.is_ahead:
            # Its TTL is that of the stage in which it was.
            kept.is_ahead = False
            self._set(name, kept)
        return kept

    def resident(self, name: str) -> Kept | None:
        """The same without a request."""
        kept = self.cache.peek(name)
        if kept is None and (past := self.cache.past(name)) is not None:
            kept = past[0].value
        return kept

    def part(self, name: str) -> Kept | None:
        """The part of the answer of that name, while it is fresh."""
        return self.cache.get(name + PART)

    def put(self, asked: Asked, kept: Kept, seconds: float) -> str:
        """Store the answer to a request, which took so many seconds to fetch; its name now."""
        known = self._varying.peek(asked.name) or ()
        named = tuple(sorted({*known, *kept.vary}))
        if named != known:
            self._varying[asked.name] = named
        name = asked.name + varying(asked.fields, named) if named else asked.name
        if kept.span is not None:
            self._set(name + PART, kept, asked.name)
            return name
        self.cache.delete(name + PART)
        self._unstorable.delete(name)
        self._set(name, kept, asked.name if named else None)
        if self._refreshes and kept.staleness(self._clock.steady()) < -1:
            self.cache.planned(name, seconds)
        return name

    def _set(self, name: str, kept: Kept, target: str | None = None) -> None:
        fresh = min(max(SHORTEST, -kept.staleness(self._clock.steady())), LONGEST)
        can_be_validated = kept.etag is not None or kept.modified is not None
        after = max(
            self._keep if can_be_validated else 0.0,
            0.0 if kept.control.forbids_stale else self._stale_if_error,
            kept.control.stale_while_revalidate,
            kept.control.stale_if_error or 0.0,
        )
        if kept.span is not None:
            # Parts are not validated.
            after = 0.0
        tags = kept.groups if target is None else (*kept.groups, target_tag(target))
        self.cache.set(name, kept, fresh, stale=min(after, LONGEST), tags=tags or None)

    def remove(self, name: str) -> None:
        """Remove the answer of that name."""
        self.cache.delete(name)

    def invalidate(self, target: str) -> bool:
        """Remove every answer of a target, whatever it varies by; whether there may have been."""
        was_there = self.cache.delete(target) or self.cache.delete(target + PART)
        self.cache.invalidate_tag(target_tag(target))
        return self._varying.delete(target) or was_there

    def invalidate_group(self, group: str) -> None:
        """Remove the answers that the origin has put into this group (RFC 9875)."""
        self.cache.invalidate_tag(group_tag(group))

    def is_unstorable(self, name: str) -> bool:
        """Whether the latest answer of that name could not be stored, within two minutes."""
        return name in self._unstorable

    def note_unstorable(self, name: str) -> None:
        """Remember that it could not be."""
        self._unstorable[name] = True

    def close(self) -> None:
        """Let go of everything."""
        self.cache.clear()
        self.cache.close()


def target_tag(target: str) -> str:
    """The tag of what varies, by its target."""
    return "target " + target


def group_tag(group: str) -> str:
    """The tag of a group."""
    return "group " + group


def size(name: str, kept: Kept) -> int:
    """Bytes of an answer, at most what a size can be."""
    return min(LARGEST, OVERHEAD + len(name) + weight(kept.fields) + len(kept.body))


def weight(fields: Iterable[tuple[bytes, bytes]]) -> int:
    """Bytes of lines of fields."""
    total = 0
    for name, value in fields:
        total += len(name) + len(value) + LINE
    return total
