"""What a cache says of itself: counters, its miss ratio curve, explanations, rows to learn from.

The part of :class:`augury.Cache` that only asks; whoever is asked is the extension.
"""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TypeVar

from augury import _core
from augury.autosizing import Autosize, CurvePoint
from augury.errors import ConfigError
from augury.explanation import Explanation
from augury.lifetimes import LifetimeStats
from augury.loading import ReadThrough
from augury.sizing import Choice, Prices

__all__ = ["Accounts", "CacheStats"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class CacheStats:
    """Counters since the cache was made."""

    #: Requests answered, and not.
    hits: int
    misses: int
    #: Entries added, and removed for room.
    insertions: int
    evictions: int
    #: Entries turned away: worth less than those that are there, or larger than the cache.
    rejections: int
    #: Entries removed because their TTL had passed.
    expired: int

    @property
    def hit_ratio(self) -> float:
        """Share of the requests answered; 0 where there was none."""
        requests = self.hits + self.misses
        return self.hits / requests if requests else 0.0


class Accounts(ReadThrough[K, V]):
    """See the module's head."""

    #: What sizes are counted in: entries, bytes as measured by default, or a unit of the user's.
    _unit: str
    #: Whether the curve is measured, and LRU's is the cache's own.
    _measures: bool
    _is_lru: bool
    #: When it was made, by its clock.
    _made: float

    def miss_ratio_curve(self) -> list[CurvePoint]:
        """What half, one, two and four times the capacity would give, by the traffic of late.

        An estimate from a sample of the objects, made for ``auto`` (mean error 0.01) and ``lru``;
        of other policies it tells what the best plain policy would gain or lose from here. Empty
        before anything was asked for; it begins anew when the capacity changes.

        Raises:
            ConfigError: It is not measured.

        >>> import augury
        >>> cache = augury.Cache(1000, curve=True)
        >>> for key in range(20_000):
        ...     if cache.get(key % 3_000) is None:
        ...         cache[key % 3_000] = key
        >>> [point.capacity for point in cache.miss_ratio_curve()]
        [500, 1000, 2000, 4000]
        >>> cache.miss_ratio_curve()[-1].miss_ratio < cache.miss_ratio_curve()[0].miss_ratio
        True
        """
        if not self._measures:
            raise ConfigError(
                "this cache does not measure other capacities (curve False): make it with "
                "Cache(..., curve=True)"
            )
        points = [CurvePoint(*point) for point in self.curve_points() or ()]
        if not self._is_lru:
            return points
        # No estimate of a policy's shape is needed where LRU's own is known.
        return [replace(point, miss_ratio=point.lru_miss_ratio) for point in points]

    def choose_capacity(
        self,
        prices: Prices,
        *,
        lowest: int | str,
        highest: int | str,
        requests_per_second: float | None = None,
        bytes_per_unit: float | None = None,
    ) -> Choice | None:
        """The capacity at the least cost between bounds, by the curve; None before the first read.

        Nothing is resized: see :meth:`resize`, or ``autosize`` for a cache that does it by itself.
        Arguments as for :class:`~augury.Autosize`; requests are by default those per second since
        the cache was made.

        Raises:
            CapacityError: The bounds are none.
            ConfigError: The curve is not measured, or another argument cannot be.
        """
        asked = Autosize(prices, lowest, highest, bytes_per_unit)
        points = self.miss_ratio_curve()
        if not points:
            return None
        if requests_per_second is None:
            requests_per_second = self.requests() / max(self.seconds() - self._made, 1e-3)
        unit = self._bytes_per_unit(bytes_per_unit)
        return asked.choose(points, self.capacity, requests_per_second, unit)

    def _bytes_per_unit(self, asked: float | None) -> float:
        if asked is None and self._unit != "bytes":
            raise ConfigError(
                "bytes_per_unit None: expected the mean size of an entry in bytes, since the "
                + "capacity "
                + ("is in entries" if self._unit == "entries" else "is in the unit of sizeof")
            )
        return 1.0 if asked is None else asked

    def requests(self) -> int:
        """Reads so far, hits and misses."""
        counts = self.counts()
        return counts["hits"] + counts["misses"]

    def stats(self) -> CacheStats:
        """The counters."""
        return CacheStats(**self.counts())

    def lifetimes(self) -> LifetimeStats:
        """What was seen of changes; all 0 in a cache without ``predicted_ttl``."""
        counts = self.lifetime_counts()
        return LifetimeStats() if counts is None else LifetimeStats(**counts)

    def explain(self, key: K) -> Explanation:
        """Why the key is, or is not, in the cache: what is known of it and was decided about it.

        Not a request. Times are in requests for any key.

        >>> import augury
        >>> cache = augury.Cache(2)
        >>> for key in "abcd":
        ...     if cache.get(key) is None:
        ...         _ = cache.set(key, key.upper())
        >>> gone = next(key for key in "abcd" if key not in cache)
        >>> cache.explain(gone).standing is None, len(cache.explain(gone).decisions)
        (True, 1)
        """
        return Explanation.of(self.explanation(key))

    def sampled(self) -> "_core._Dataset":
        """The feature rows that are kept, as columns of bytes.

        `augury.learn.dataset_of` makes a data set of them.

        Raises:
            ConfigError: None are kept.
        """
        found = self.rows()
        if found is None:
            raise ConfigError(
                "this cache keeps no feature rows (sample_rows 0): make it with "
                "Cache(..., sample_rows=100_000)"
            )
        return found
