"""Prefetching: the loads of keys that nobody has asked for yet.

What to fetch is decided in the extension (`crates/augury-py/src/cache/ahead.rs`), which also has
the stage in which it waits to be asked for.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from augury import _core
from augury.loading.background import Background
from augury.loading.flights import Flight
from augury.loading.load import Load

if TYPE_CHECKING:
    from augury.loading.reader import KeyReader

__all__ = ["PrefetchStats", "Prefetching", "share"]


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


class Prefetching(Background):
    """Fetches for one cache.

    Args:
        reader: What else loads for it.
        cache: Which.
        budget: Additional loads, as a share of those on demand.
    """

    name = "prefetch"

    def __init__(self, reader: "KeyReader", cache: _core.Cache, budget: float) -> None:
        super().__init__(reader, cache)
        cache.prefetch_with(self.go, budget)

    def take(self, cache: _core.Cache, limit: int) -> list[Any]:
        """Keys off the queue."""
        return cache.launch(limit)

    def give_back(self, cache: _core.Cache, key: Hashable) -> None:
        """Nothing is learned from it."""
        cache.recall(key)

    def forget(self, cache: _core.Cache) -> None:
        """All flights, and what is queued."""
        cache.recall_all()

    def keep(self, load: Load, flight: Flight, value: Any, seconds: float) -> None:
        """Put aside what a load has brought, or store it where somebody waits for it."""
        order, kept = load.order, self.reader.settings.kept
        load.cache.stage(flight.permit, flight.key, value, order.ttl, order.tags, kept, seconds)

    def lose(self, load: Load, flight: Flight, is_absent: bool) -> None:
        """Fetched in vain."""
        load.cache.unfetched(flight.key, is_absent)

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
