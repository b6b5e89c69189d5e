"""Refresh-ahead: entries loaded anew before they expire, by the times at which they are asked for.

What to reload and when is decided in the extension (`crates/augury-py/src/cache/renewal.rs`).
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from augury import _core
from augury.loading.background import Background
from augury.loading.flights import Flight
from augury.loading.load import Load, Order

if TYPE_CHECKING:
    from augury.loading.reader import KeyReader

__all__ = ["RefreshStats", "Renewing"]


@dataclass(frozen=True, slots=True)
class RefreshStats:
    """What refresh-ahead has come to since the cache was made; all 0 where it is off."""

    #: Keys that were loaded anew before anybody missed them.
    issued: int = 0
    #: Of which asked for before they expired again.
    used: int = 0
    #: Whose loads raised or found nothing.
    failed: int = 0

    @property
    def accuracy(self) -> float:
        """Share of the reloads that was used, those of late among the others; 0 of none."""
        return self.used / self.issued if self.issued else 0.0

    @property
    def unused(self) -> int:
        """Reloads that were not asked for, or not yet."""
        return self.issued - self.used


class Renewing(Background):
    """Reloads for one cache.

    Args:
        reader: What else loads for it.
        cache: Which.
        budget: Additional loads, as a share of those on demand.
    """

    name = "refresh ahead"

    def __init__(self, reader: "KeyReader", cache: _core.Cache, budget: float) -> None:
        super().__init__(reader, cache)
        cache.refresh_with(self.go, budget)

    def take(self, cache: _core.Cache, limit: int) -> list[Any]:
        """Those that are due."""
        return cache.take_due(limit)

    def give_back(self, cache: _core.Cache, key: Hashable) -> None:
        """Somebody loads it already."""
        cache.unplanned(key, False)

    def forget(self, cache: _core.Cache) -> None:
        """Whoever misses them next loads them."""

    def keep(self, load: Load, flight: Flight, value: Any, seconds: float) -> None:
        """Store what a load has brought in place of what is there, unless the key was written."""
        self.reader.keep(load, flight, value, seconds)

    def lose(self, load: Load, flight: Flight, is_absent: bool) -> None:
        """Let it expire."""
        load.cache.unplanned(flight.key, True)

    def stored(self, cache: _core.Cache, key: Hashable, order: Order, seconds: float) -> None:
        """A load has stored the key: plan for it, if it can be repeated as it was."""
        settings = self.reader.settings
        is_own = order.loader is settings.loader or order.loader is settings.bulk_loader
        is_plain = order.ttl is None and order.tags is None
        cache.planned(key, seconds if is_own and is_plain else None)

    def stats(self) -> RefreshStats:
        """The counters."""
        cache = self._cache()
        found = None if cache is None else cache.renewals()
        if found is None:
            return RefreshStats()
        return RefreshStats(found["issued"], found["used"], found["failed"])
