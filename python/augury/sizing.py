"""Which capacity to choose, given a miss ratio curve and what room and misses cost.

A pure decision, for a cache that sizes itself between bounds and for whoever asks what is cheapest.
It knows no cache and no trace: :func:`choose_capacity` is called now and then with a curve, and
whoever calls it resizes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from augury.errors import CapacityError, ConfigError

__all__ = ["Choice", "Prices", "choose_capacity", "miss_ratio_at"]

GIGABYTE = 1e9
#: Capacities tried per doubling, between the points of the curve.
PER_DOUBLING = 8

#: A capacity and an object miss ratio.
Point = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Prices:
    """What a gigabyte (10^9 bytes) costs per hour, and what a miss costs; in one currency.

    Raises :class:`~augury.ConfigError` for negative prices, or both zero.
    """

    per_gb_hour: float
    per_miss: float

    def __post_init__(self) -> None:
        """Check the prices."""
        for name, price in (("GB and hour", self.per_gb_hour), ("miss", self.per_miss)):
            if not (math.isfinite(price) and price >= 0):
                raise ConfigError(f"price per {name} {price!r} is not a number of at least 0")
        if self.per_gb_hour == self.per_miss == 0:
            raise ConfigError("both prices are 0, so every capacity costs the same: give one")

    def hourly(self, stored_bytes: float, misses_per_second: float) -> float:
        """What a cache of this room and these misses costs per hour.

        >>> round(Prices(per_gb_hour=0.02, per_miss=1e-6).hourly(5e9, 100), 6)
        0.46
        """
        room = self.per_gb_hour * stored_bytes / GIGABYTE
        return room + self.per_miss * misses_per_second * 3600


@dataclass(frozen=True, slots=True)
class Choice:
    """The capacity to have from now on, and why."""

    capacity: int
    #: At that capacity, and at the present one; per hour.
    hourly_cost: float
    present_hourly_cost: float
    #: ``stay``, ``cheaper``, ``bounds`` or ``step`` (cheaper, as far as one step goes).
    reason: str


def choose_capacity(
    curve: Sequence[Point],
    prices: Prices,
    *,
    capacity: int,
    lowest: int,
    highest: int,
    requests_per_second: float,
    bytes_per_unit: float = 1.0,
    hysteresis: float = 0.05,
    largest_step: float = 2.0,
) -> Choice:
    """The capacity to choose between the bounds, at the least cost per hour.

    The present capacity stays unless another saves more than ``hysteresis`` of what it costs, and
    one call changes it by no more than a factor of ``largest_step``: curves are estimates, worst
    far from the present capacity. Two capacities whose costs differ by less than the hysteresis
    never alternate.

    Args:
        curve: Capacities and object miss ratios, at least one pair, such as
            ``Cache.miss_ratio_curve`` tells them. Between them the miss ratio is interpolated over
            the logarithm of the capacity; beyond them nothing is chosen but what the bounds force.
        prices: Of room and misses.
        capacity: The present one, in the curve's unit.
        lowest: The least capacity, at least 1.
        highest: The largest.
        requests_per_second: Reads, hits and misses.
        bytes_per_unit: 1 where the capacity is in bytes, the mean size of an entry where it is in
            entries.
        hysteresis: The share of the cost that a change has to save, from 0 to below 1.
        largest_step: Factor of the largest change in one call, above 1; bounds are obeyed at once.

    Raises:
        CapacityError: The bounds are none.
        ConfigError: Another argument is out of its range.

    >>> curve = [(50, 0.5), (100, 0.4), (200, 0.2), (400, 0.19)]
    >>> prices = Prices(per_gb_hour=1.0, per_miss=1e-5)
    >>> choose_capacity(curve, prices, capacity=100, lowest=50, highest=400,
    ...                 requests_per_second=100, bytes_per_unit=1e6).capacity
    200
    """
    check(curve, lowest, highest, requests_per_second, bytes_per_unit, hysteresis, largest_step)
    points = sorted(curve)

    def cost(candidate: int) -> float:
        misses = miss_ratio_at(points, candidate) * requests_per_second
        return prices.hourly(candidate * bytes_per_unit, misses)

    allowed = min(max(capacity, lowest), highest)
    present = cost(capacity)
    if allowed != capacity:
        return Choice(allowed, cost(allowed), present, "bounds")
    # At equal cost, the nearest.
    tried = candidates(points, lowest, highest)
    best = min(tried, key=lambda other: (cost(other), abs(other - capacity)), default=capacity)
    if cost(best) >= present * (1 - hysteresis):
        return Choice(capacity, present, present, "stay")
    reached = min(max(best, math.ceil(capacity / largest_step)), int(capacity * largest_step))
    if reached == best:
        return Choice(best, cost(best), present, "cheaper")
    # A step in the right direction may cost more than staying: the way is not always downhill.
    if cost(reached) >= present:
        return Choice(capacity, present, present, "stay")
    return Choice(reached, cost(reached), present, "step")


def miss_ratio_at(points: Sequence[Point], capacity: float) -> float:
    """The miss ratio at a capacity, from points in order; that of the nearest beyond the ends.

    >>> round(miss_ratio_at([(100, 0.4), (400, 0.2)], 200), 6)
    0.3
    """
    if capacity <= points[0][0]:
        return points[0][1]
    for (below, more), (above, fewer) in pairwise(points):
        if capacity <= above:
            share = math.log(capacity / below) / math.log(above / below)
            return more + (fewer - more) * share
    return points[-1][1]


def candidates(points: Sequence[Point], lowest: int, highest: int) -> list[int]:
    """The capacities to try: within the bounds and the curve, its points and some between them."""
    start, end = max(lowest, points[0][0]), min(highest, points[-1][0])
    if start > end:
        return []
    steps = math.ceil(math.log2(end / start) * PER_DOUBLING)
    between = {round(start * (end / start) ** (step / steps)) for step in range(1, steps)}
    return sorted({start, end, *between, *(at for at, _ in points if start <= at <= end)})


def check(
    curve: Sequence[Point],
    lowest: int,
    highest: int,
    requests_per_second: float,
    bytes_per_unit: float,
    hysteresis: float,
    largest_step: float,
) -> None:
    """Refuse what cannot be."""
    if not 1 <= lowest <= highest:
        raise CapacityError(
            f"bounds {lowest!r} to {highest!r}: the lowest is at least 1 and at most the highest"
        )
    if not curve or not all(at >= 1 and 0 <= ratio <= 1 for at, ratio in curve):
        raise ConfigError(
            f"curve {list(curve)!r}: expected pairs of a capacity of at least 1 and a miss ratio "
            "from 0 to 1"
        )
    if not (math.isfinite(requests_per_second) and requests_per_second >= 0):
        raise ConfigError(f"requests per second {requests_per_second!r}: expected at least 0")
    if not (math.isfinite(bytes_per_unit) and bytes_per_unit > 0):
        raise ConfigError(f"bytes per unit {bytes_per_unit!r}: expected more than 0")
    if not 0 <= hysteresis < 1:
        raise ConfigError(f"hysteresis {hysteresis!r}: expected a share from 0 to below 1")
    if not largest_step > 1:
        raise ConfigError(f"largest step {largest_step!r}: expected a factor above 1")
