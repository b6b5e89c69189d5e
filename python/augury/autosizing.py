"""Miss ratio curves of caches at work, and caches that choose their own capacity.

A cache made with ``curve=True`` measures what other capacities would give. What follows from that
and from prices is decided by :mod:`augury.sizing`; here is when it is asked, and by what numbers.
"""

from dataclasses import dataclass
from typing import Protocol
from weakref import ref

from augury.capacity import Capacity
from augury.errors import CapacityError, ConfigError
from augury.sizing import Choice, Prices, choose_capacity

__all__ = ["Autosize", "CurvePoint", "Sizer"]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What one capacity would give."""

    #: Entries or bytes, as the cache's own.
    capacity: int
    #: The object miss ratio that the cache would have under its policy: an estimate.
    miss_ratio: float
    #: The object miss ratio that LRU would have.
    lru_miss_ratio: float


@dataclass(frozen=True, slots=True)
class Autosize:
    """How a cache is to choose its own capacity: at the least cost, between bounds.

    Every ``seconds`` of its clock, when something is stored, the cache looks at its miss ratio
    curve and at how often it was asked since the last look, and takes the capacity that
    :func:`augury.sizing.choose_capacity` names. There is no thread for it.

    Args:
        prices: Of room and of misses.
        lowest: The least capacity, in the cache's unit: entries, or bytes as a number or text.
        highest: The largest.
        bytes_per_unit: The mean size of an entry in bytes, where the capacity is in entries or
            ``sizeof`` counts in a unit of its own; 1 where it is in bytes.
        seconds: Between two looks, at least 1. After a change the curve begins anew: where fewer
            than ``requests`` have been counted since, it is looked at later.
        requests: Reads between two looks, at least.
        hysteresis: Share of the cost that a change has to save.
        largest_step: Factor of the largest change in one look.

    Raises:
        CapacityError: The bounds are none.
        ConfigError: Another argument is out of its range.

    >>> import augury
    >>> from augury.sizing import Prices
    >>> auto = augury.Autosize(Prices(per_gb_hour=0.02, per_miss=1e-6), "64 MB", "4 GB")
    >>> augury.Cache("256 MB", autosize=auto).capacity
    256000000
    """

    prices: Prices
    lowest: int | str
    highest: int | str
    bytes_per_unit: float | None = None
    seconds: float = 60.0
    requests: int = 10_000
    hysteresis: float = 0.05
    largest_step: float = 2.0

    def __post_init__(self) -> None:
        """Check the arguments; the decision checks them again with its numbers."""
        lowest, highest = self.bounds
        if lowest > highest:
            raise CapacityError(
                f"bounds {self.lowest!r} to {self.highest!r}: the lowest is above the highest"
            )
        if not 1 <= self.seconds <= 1e9:
            raise ConfigError(f"seconds {self.seconds!r}: expected at least 1 between two looks")
        if type(self.requests) is not int or self.requests < 1:
            raise ConfigError(f"requests {self.requests!r}: expected a whole number from 1 on")
        # With a curve of one point, nothing else is decided here than whether the rest may be.
        self.choose([CurvePoint(lowest, 1.0, 1.0)], lowest, 0.0, self.bytes_per_unit or 1.0)

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the largest capacity as numbers."""
        found = []
        for asked in (self.lowest, self.highest):
            number = Capacity.parse(asked).absolute
            if number is None:
                raise CapacityError(f"bound {asked!r}: expected entries or bytes, no share")
            found.append(number)
        return found[0], found[1]

    def choose(
        self,
        points: "list[CurvePoint]",
        capacity: int,
        requests_per_second: float,
        bytes_per_unit: float,
    ) -> Choice:
        """The capacity to have from now on."""
        lowest, highest = self.bounds
        return choose_capacity(
            [(point.capacity, point.miss_ratio) for point in points if point.capacity],
            self.prices,
            capacity=capacity,
            lowest=lowest,
            highest=highest,
            requests_per_second=requests_per_second,
            bytes_per_unit=bytes_per_unit,
            hysteresis=self.hysteresis,
            largest_step=self.largest_step,
        )


class Sized(Protocol):
    """What the sizer needs of a cache."""

    @property
    def capacity(self) -> int:
        """The present one."""

    def miss_ratio_curve(self) -> list[CurvePoint]:
        """Measure."""

    def resize(self, capacity: int) -> None:
        """Change it."""

    def seconds(self) -> float:
        """Tell the time on its clock."""

    def requests(self) -> int:
        """Count reads so far."""


class Sizer:
    """Looks at a cache now and then and resizes it. It does not hold the cache, which holds it."""

    def __init__(self, cache: Sized, asked: Autosize, bytes_per_unit: float) -> None:
        self._cache, self._asked, self._bytes_per_unit = ref(cache), asked, bytes_per_unit
        self._since, self._before = cache.seconds(), cache.requests()

    def look(self) -> None:
        """Decide, and resize. Called once a period, whatever the threads: see `sizing.rs`."""
        cache = self._cache()
        if cache is None:
            return
        now, requests = cache.seconds(), cache.requests()
        counted, passed = requests - self._before, now - self._since
        points = cache.miss_ratio_curve()
        if counted < self._asked.requests or passed <= 0 or not points:
            return
        self._since, self._before = now, requests
        rate = counted / passed
        choice = self._asked.choose(points, cache.capacity, rate, self._bytes_per_unit)
        if choice.capacity != cache.capacity:
            cache.resize(choice.capacity)
