"""Flights: the loads of keys that are under way, one per key at a time.

Whoever misses boards the flight of its key; the first who does makes it. A write, removal or
invalidation of the key supersedes the flight: whoever waits still gets what it brings, nobody
boards it any more, and what it brings is not stored.

Flights are found by the hashes of their keys, so that the table's lock covers integers alone:
keys are compared outside it, and what was seen is checked again under it. It is re-entrant because
a collection may run a destructor anywhere, which may ask the cache. This module must not know
loaders.
"""

import os
import threading
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from augury import _core

if TYPE_CHECKING:
    from augury.loading.load import Load

__all__ = ["Flight", "Flights"]

#: Held for some assignments when a flight lands, or is first waited for.
LANDING = threading.RLock()
os.register_at_fork(
    before=LANDING.acquire, after_in_parent=LANDING.release, after_in_child=LANDING.release
)


class Flight:
    """The load of one key, as those who wait for it see it."""

    __slots__ = (
        "_future",
        "entry",
        "error",
        "has_landed",
        "key",
        "load",
        "number",
        "permit",
        "value",
    )

    def __init__(self, key: Hashable, load: "Load", entry: _core.Entry | None = None) -> None:
        self.key = key
        self.number = hash(key)
        #: The call of a loader that brings it.
        self.load = load
        #: The stale entry that it is to replace, claimed.
        self.entry = entry
        self.permit = _core.Permit()
        self.value: Any = None
        self.error: Exception | None = None
        self.has_landed = False
        self._future: Future[None] | None = None

    def landing(self) -> "Future[None]":
        """Done when value and error stand.

        It never fails and, as it counts as running, cannot be cancelled by someone who waits.
        Most flights have a single passenger, who flies them, and need none.
        """
        with LANDING:
            if self._future is None:
                self._future = Future()
                self._future.set_running_or_notify_cancel()
                if self.has_landed:
                    self._future.set_result(None)
            return self._future

    def land(self, value: object, error: Exception | None) -> None:
        """Let everyone go who waits."""
        self.value, self.error = value, error
        if self.entry is not None:
            self.entry.release()
        with LANDING:
            self.has_landed = True
            future = self._future
        if future is not None:
            future.set_result(None)


class Flights:
    """The flights of a cache.

    Args:
        is_watching: Whether the cache tells of its writes even while there are none.
    """

    def __init__(self, is_watching: bool) -> None:
        self.is_watching = is_watching
        #: Superseded so far.
        self.superseded = 0
        self.begin()

    def begin(self) -> None:
        """With none under way."""
        self._lock = threading.RLock()
        self._table: dict[int, tuple[Flight, ...]] = {}

    def board(
        self, cache: _core.Cache, key: Hashable, make: Callable[[], Flight]
    ) -> tuple[Flight, bool]:
        """The key's flight, made if there is none, and whether it was."""
        number = hash(key)
        made: Flight | None = None
        while True:
            seen = self._table.get(number, ())
            for flight in seen:
                if flight.key is key or flight.key == key:
                    break
            else:
                flight = None
            if flight is not None:
                if not flight.load.is_stranded:
                    return flight, False
                self._revoke(flight)
                continue
            made = made or make()
            grown = (*seen, made)
            with self._lock:
                if self._table.get(number, ()) is seen:
                    self._table[number] = grown
                    cache.watch(True)
                    return made, True

    def depart(self, cache: _core.Cache, flight: Flight) -> None:
        """It lands: nobody boards it any more, and where it is the last the cache is at rest."""
        with self._lock:
            self._remove(flight)
            if not self._table:
                cache.watch(self.is_watching)

    def supersede(self, key: Hashable) -> None:
        """The key is about to be written or removed."""
        for flight in self._table.get(hash(key), ()):
            if flight.key is key or flight.key == key:
                self._revoke(flight)

    def supersede_all(self) -> None:
        """Every key is about to be removed."""
        for flight in self._all():
            self._revoke(flight)

    def supersede_tag(self, tag: Hashable) -> None:
        """Whatever has the tag is about to be removed."""
        for flight in self._all():
            if tag in (flight.load.order.tags or ()):
                self._revoke(flight)

    def _all(self) -> Iterator[Flight]:
        with self._lock:
            seen = list(self._table.values())
        return (flight for flights in seen for flight in flights)

    def _revoke(self, flight: Flight) -> None:
        flight.permit.revoke()
        with self._lock:
            self.superseded += 1
            self._remove(flight)

    def _remove(self, flight: Flight) -> None:
        seen = self._table.get(flight.number, ())
        left = tuple(other for other in seen if other is not flight)
        if left:
            self._table[flight.number] = left
        else:
            self._table.pop(flight.number, None)
