"""Prefetching: the loads of keys that nobody has asked for yet.

What to fetch is decided in the extension (`crates/augury-py/src/cache/ahead.rs`); here it is
fetched, behind the demand: after the load of whoever missed has been handed out, a few calls at a
time, in threads that no demand wants, or as tasks of the loop that asked. A demand that comes
while its key is being fetched waits for that flight. Nothing that goes wrong here is raised: it is
counted, and whoever waited for it loads by itself.
"""

import logging
import threading
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from augury import _core
from augury.loading.flights import Flight
from augury.loading.load import Load, is_asynchronous
from augury.loading.waiting import running_loop

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from augury.loading.reader import Reader

__all__ = ["PrefetchStats", "Prefetching"]

#: Calls of loaders under way at most, and keys in one call of a bulk loader.
CALLS = 4
KEYS = 64
LOGGER = logging.getLogger("augury.loading")


@dataclass(frozen=True, slots=True)
class PrefetchStats:
    """What prefetching has come to since the cache was made; all 0 where it is off.

    Every key issued is used, dropped, failed, in flight or staged.
    """

    #: Accesses that would have gone to the origin without prefetch.
    demands: int = 0
    #: Keys that were fetched before anybody asked for them.
    issued: int = 0
    #: Of which asked for when their values were there, and while they were on their way.
    used_in_time: int = 0
    used_late: int = 0
    #: Fetched in vain: not asked for soon enough, or written meanwhile (pollution).
    dropped: int = 0
    #: Whose loads raised.
    failed: int = 0
    #: On their way now, and waiting to be asked for.
    in_flight: int = 0
    staged: int = 0

    @property
    def used(self) -> int:
        """Asked for, in time or not."""
        return self.used_in_time + self.used_late

    @property
    def accuracy(self) -> float:
        """Share of what has come to an end that was used; 0 where nothing has."""
        return share(self.used, self.used + self.dropped + self.failed)

    @property
    def coverage(self) -> float:
        """Share of the demands that prefetch has answered."""
        return share(self.used, self.demands)

    @property
    def timeliness(self) -> float:
        """Share of what was used whose value was there when it was asked for."""
        return share(self.used_in_time, self.used)

    @property
    def extra_requests(self) -> float:
        """Additional keys asked of the origin, as a share of those without prefetch."""
        return share(self.issued - self.used, self.demands)


def share(part: int, whole: int) -> float:
    """0 of nothing."""
    return part / whole if whole else 0.0


class Prefetching:
    """Fetches for one cache.

    Args:
        reader: What loads for it.
        cache: Which.
        budget: Additional loads, as a share of those on demand.
    """

    def __init__(self, reader: "Reader", cache: _core.Cache, budget: float) -> None:
        self.reader = reader
        settings = reader.settings
        self.order = settings.bulk_order(None, None, None, None)
        # The cache holds its reader, which holds this.
        self._cache: ReferenceType[_core.Cache] = ref(cache)
        self.begin()
        self._is_anew = False
        cache.prefetch_with(self.go, budget)

    def begin(self) -> None:
        """With nothing under way: at first, and in the child of a fork."""
        self._room = threading.BoundedSemaphore(CALLS)
        self._is_anew = True

    def go(self, loop: "AbstractEventLoop | None" = None) -> None:
        """Fetch what is queued, if there is time for it; else it stays queued."""
        cache = self._cache()
        if cache is None:
            return
        if self._is_anew:
            self._is_anew = False
            cache.recall_all()
        if loop is not None and loop.is_closed():
            loop = None
        if is_asynchronous(self.order.loader):
            loop = loop or running_loop()
            if loop is None:
                for key in cache.launch(KEYS):
                    cache.recall(key)
                return
        limit = KEYS if self.order.is_bulk else 1
        while (loop is not None or self.reader.workers.has_room) and self._acquire():
            keys = cache.launch(limit)
            load = Load(self, cache, self.order, loop)
            try:
                for key in keys:
                    self._board(cache, key, load)
            finally:
                if not load.flights:
                    self._room.release()
            if not keys:
                return
            if load.flights:
                self._send(load, loop)

    def _acquire(self) -> bool:
        return self._room.acquire(blocking=False)

    def _board(self, cache: _core.Cache, key: Hashable, load: Load) -> None:
        """Make the key's flight, unless somebody loads it already or knows that it has nothing."""
        try:
            if not self.reader.is_absent(key):
                flight, is_made = self.reader.flights.board(cache, key, lambda: Flight(key, load))
                if is_made:
                    load.flights.append(flight)
                    return
        except Exception as error:
            # Such as a key's equality.
            LOGGER.warning("prefetch failed: %r", error)
        cache.recall(key)

    def _send(self, load: Load, loop: "AbstractEventLoop | None") -> None:
        load.offer()
        if loop is None:
            self.reader.workers.submit(load)
        else:
            load.start(loop)

    def clock(self) -> float:
        """Seconds."""
        return self.reader.clock()

    def keep(self, load: Load, flight: Flight, value: Any, seconds: float) -> None:
        """Put aside what a load has brought, or store it where somebody waits for it."""
        order, kept = load.order, self.reader.settings.kept
        load.cache.stage(flight.permit, flight.key, value, order.ttl, order.tags, kept, seconds)

    def absent(self, load: Load, flight: Flight) -> None:
        """There is no such thing."""
        load.cache.unfetched(flight.key, is_absent=True)
        self.reader.absent(load, flight)

    def depart(self, load: Load, flight: Flight) -> None:
        """The flight is about to land: with an error, if it has not brought anything by now."""
        load.cache.unfetched(flight.key, is_absent=False)
        self.reader.flights.depart(load.cache, flight)

    def ended(self, load: Load, seconds: float, error: BaseException | None) -> None:
        """Count the load, and go on with what is queued."""
        self._room.release()
        self.reader.count(load, seconds, error)
        if error is None:
            self.go(load.loop)

    def stats(self) -> PrefetchStats:
        """The counters."""
        cache = self._cache()
        found = None if cache is None else cache.foresights()
        if found is None:
            return PrefetchStats()
        return PrefetchStats(
            demands=found["demands"],
            issued=found["issued"],
            used_in_time=found["in_time"],
            used_late=found["late"],
            dropped=found["dropped"],
            failed=found["failed"],
            in_flight=found["in_flight"],
            staged=found["staged"],
        )
