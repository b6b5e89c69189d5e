"""Curves of caches at work, and caches that choose their own capacity."""

import gc
import threading
import weakref
from random import Random

import pytest

import augury
from augury import Autosize, Cache, CapacityError, ConfigError
from augury.sizing import Prices

#: Room is dear, or misses are.
DEAR_ROOM = Prices(per_gb_hour=1e3, per_miss=1e-9)
DEAR_MISSES = Prices(per_gb_hour=1e-3, per_miss=1e-3)


class Clock:
    """Seconds, as the test says."""

    now = 0.0

    def __call__(self) -> float:
        """Tell."""
        return self.now


def skewed(
    cache: "Cache[int, int]", requests: int, clock: Clock | None = None, seed: int = 1
) -> float:
    """Gets, a set where one missed, a thousand a second; the miss ratio."""
    draw, misses = Random(seed), 0
    for _ in range(requests):
        if clock is not None:
            clock.now += 1e-3
        key = int(20_000 ** draw.random())
        if cache.get(key) is None:
            misses += 1
            cache.set(key, key)
    return misses / requests


@pytest.mark.parametrize("policy", ["auto", "lru", "sieve"])
def test_the_curve_foretells_other_capacities(policy: str) -> None:
    """Within 0.04 of what caches of those capacities come to; nearer at its own."""
    cache: Cache[int, int] = Cache(1_000, policy=policy, curve=True)
    skewed(cache, 60_000)
    points = cache.miss_ratio_curve()
    assert [500, 1_000, 2_000, 4_000] == [point.capacity for point in points]
    for point, tolerance in zip(points, (0.04, 0.01, 0.04, 0.04), strict=True):
        other: Cache[int, int] = Cache(point.capacity, policy=policy)
        assert point.miss_ratio == pytest.approx(skewed(other, 60_000), abs=tolerance)


def test_the_curve_sees_sizes_that_come_with_the_objects() -> None:
    """A get does not know how large what it misses is: what is stored afterwards does."""

    def cache_of(capacity: int, curve: bool) -> "Cache[int, int]":
        return Cache(capacity, sizeof=lambda key, _: 1 + key % 50 * 20, policy="lru", curve=curve)

    cache = cache_of(500_000, True)
    skewed(cache, 60_000)
    for point in cache.miss_ratio_curve():
        expected = skewed(cache_of(point.capacity, False), 60_000)
        assert point.lru_miss_ratio == pytest.approx(expected, abs=0.03)


def test_what_is_deleted_is_in_no_cache() -> None:
    """Where everything is deleted before it is asked for again, no capacity helps."""
    cache: Cache[int, int] = Cache(1_000, curve=True)
    for request in range(30_000):
        if cache.get(request % 100) is None:
            cache[request % 100] = 1
        cache.delete(request % 100)
    assert [1.0] * 4 == [point.miss_ratio for point in cache.miss_ratio_curve()]


def test_a_curve_is_asked_for() -> None:
    """It is not measured by default, costs memory, and says nothing before the first read."""
    with pytest.raises(ConfigError, match="curve=True"):
        Cache(1_000).miss_ratio_curve()
    measured: Cache[int, int] = Cache(1_000, curve=True)
    assert [] == measured.miss_ratio_curve()
    assert 8_000 < measured.memory_bytes - Cache(1_000).memory_bytes < 17_000


def test_the_cheapest_capacity_is_chosen_on_demand() -> None:
    """By the curve, prices and the rate; nothing is resized."""
    clock = Clock()
    cache: Cache[int, int] = Cache(1_000, curve=True, timer=clock)
    bounds = {"lowest": 100, "highest": 100_000, "bytes_per_unit": 1_000.0}
    assert cache.choose_capacity(DEAR_ROOM, **bounds) is None
    skewed(cache, 40_000, clock)
    dear = cache.choose_capacity(DEAR_ROOM, **bounds)
    cheap = cache.choose_capacity(DEAR_MISSES, **bounds)
    assert dear is not None
    assert cheap is not None
    assert (dear.capacity, cheap.capacity, cache.capacity) == (500, 2_000, 1_000)
    with pytest.raises(ConfigError, match="bytes_per_unit"):
        cache.choose_capacity(DEAR_ROOM, lowest=1, highest=9)
    in_bytes: Cache[int, int] = Cache("1 MB", curve=True, timer=clock)
    skewed(in_bytes, 1_000, clock)
    found = in_bytes.choose_capacity(DEAR_MISSES, lowest="1 kB", highest="1 GB")
    assert found is not None


@pytest.mark.parametrize(("prices", "expected"), [(DEAR_ROOM, 250), (DEAR_MISSES, 4_000)])
def test_a_cache_sizes_itself_between_bounds(prices: Prices, expected: int) -> None:
    """Step by step, with the traffic, and never beyond them."""
    clock = Clock()
    asked = Autosize(prices, 250, 4_000, bytes_per_unit=1_000)
    cache: Cache[int, int] = Cache(1_000, timer=clock, autosize=asked)
    seen = {cache.capacity}
    for seed in range(60):
        skewed(cache, 20_000, clock, seed)
        seen.add(cache.capacity)
        if cache.capacity == expected:
            break
    assert expected == cache.capacity
    assert all(250 <= capacity <= 4_000 for capacity in seen)
    assert len(seen) > 2


def test_nothing_is_decided_before_its_time() -> None:
    """Neither before the seconds have passed nor on too few requests."""
    clock = Clock()
    asked = Autosize(DEAR_ROOM, 10, 1_000, bytes_per_unit=1_000, seconds=60)
    cache: Cache[int, int] = Cache(1_000, timer=clock, autosize=asked)
    skewed(cache, 30_000)
    assert cache.capacity == 1_000
    few: Cache[int, int] = Cache(1_000, timer=clock, autosize=asked)
    clock.now += 1_000
    skewed(few, 9_000, clock)
    assert few.capacity == 1_000


def test_bounds_are_obeyed_at_the_first_look() -> None:
    """A capacity outside them does not stay."""
    clock = Clock()
    asked = Autosize(DEAR_MISSES, 10, 400, bytes_per_unit=1_000)
    cache: Cache[int, int] = Cache(1_000, timer=clock, autosize=asked)
    skewed(cache, 65_000, clock)
    assert cache.capacity == 400
    assert len(cache) <= 400


def test_many_threads_and_one_decision_at_a_time() -> None:
    """Whoever comes first decides; the cache stays within its capacity."""
    asked = Autosize(DEAR_ROOM, 50, 1_000, bytes_per_unit=1_000, seconds=1, requests=1)
    clock = Clock()
    cache: Cache[int, int] = Cache(1_000, timer=clock, autosize=asked)

    def work(seed: int) -> None:
        draw = Random(seed)
        for _ in range(20_000):
            clock.now += 1e-3
            cache.set(int(5_000 ** draw.random()), 1)
            cache.get(int(5_000 ** draw.random()))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.capacity < 1_000
    assert len(cache) <= cache.capacity


def test_a_cache_that_sizes_itself_is_freed() -> None:
    """Its sizer does not hold it."""
    asked = Autosize(DEAR_ROOM, 10, 1_000, bytes_per_unit=1_000)
    cache: Cache[int, int] = Cache(1_000, autosize=asked)
    gone = weakref.ref(cache)
    del cache
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"lowest": 9, "highest": 8}, CapacityError),
        ({"lowest": "1%"}, CapacityError),
        ({"seconds": 0}, ConfigError),
        ({"requests": 0}, ConfigError),
        ({"hysteresis": 1.0}, ConfigError),
        ({"largest_step": 1.0}, ConfigError),
        ({"bytes_per_unit": -1.0}, ConfigError),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(change: dict[str, object], error: type[Exception]) -> None:
    """When it is asked for, not when it is first decided by."""
    arguments = {"lowest": 1, "highest": 10, **change}
    with pytest.raises(error):
        Autosize(DEAR_ROOM, **arguments)  # type: ignore[arg-type]


def test_a_cache_in_entries_needs_the_size_of_one() -> None:
    """Prices are for bytes."""
    with pytest.raises(ConfigError, match="bytes_per_unit"):
        augury.Cache(100, autosize=Autosize(DEAR_ROOM, 1, 10))
    with pytest.raises(ConfigError, match="Autosize"):
        augury.Cache(100, autosize=7)  # type: ignore[arg-type]
