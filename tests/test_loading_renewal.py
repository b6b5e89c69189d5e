"""Refresh-ahead in a running cache: what is asked for again is loaded before it is missed."""

import asyncio
import gc
import threading
import weakref
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import augury
from augury import Cache
from loading import STUCK, Clock, Threads, until

TTL = 10
#: Steps of a second.
STEPS = 4
#: Keys that are asked for every seven seconds.
PERIODIC = [f"periodic:{at}" for at in range(20)]
PERIOD = 7


class Origin:
    """A loader that counts, and that can be closed or down."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.version = 1
        self.opened = threading.Event()
        self.opened.set()
        self.entered = threading.Event()
        self.is_down = False

    def __call__(self, key: Any) -> Any:
        """One value."""
        self.calls.append(key)
        self.entered.set()
        assert self.opened.wait(STUCK)
        if self.is_down:
            raise OSError("down")
        return key, self.version


@pytest.fixture
def origin() -> Iterator[Origin]:
    """Nobody is left waiting at it."""
    origin = Origin()
    yield origin
    origin.opened.set()


def at_rest(cache: Cache[Any, Any]) -> None:
    """No flight is under way."""
    until(lambda: not cache._reader.flights._table)


def run(cache: Cache[Any, Any], clock: Clock, seconds: int) -> int:
    """Traffic of so many seconds, half of it by strangers: misses of the keys that return."""
    missed = 0
    for _ in range(seconds * STEPS):
        clock.now += 1 / STEPS
        step = round(clock.now * STEPS)
        at = step % (PERIOD * STEPS)
        keys = PERIODIC[at : at + 1]
        if step % STEPS == 2:
            cache.get_or_load(f"stranger:{step}")
        for key in keys:
            before = cache.stats().misses
            assert key == cache.get_or_load(key)[0]
            missed += cache.stats().misses - before
        at_rest(cache)
    return missed


def test_periodic_keys_never_miss_once_learned(origin: Origin) -> None:
    """Though they are asked for less often than they expire; loads stay within the budget."""
    clock, other = Clock(), Origin()
    cache: Cache[str, Any] = Cache(1_000, loader=origin, ttl=TTL, timer=clock, refresh_ahead=0.1)
    plain: Cache[str, Any] = Cache(1_000, loader=other, ttl=TTL, timer=clock)
    run(cache, clock, 500)
    before = cache.refreshes()
    missed = run(cache, clock, 300)
    assert 0 == missed
    told = cache.refreshes()
    assert told.used - before.used > 300 / PERIOD / 2 * len(PERIODIC) * 0.9
    assert told.accuracy > 0.9
    assert told.issued == cache.loads().refreshes_ahead
    clock.now = Clock().now
    run(plain, clock, 500)
    assert run(plain, clock, 300) > 300 / PERIOD / 2 * len(PERIODIC) * 0.9
    assert len(origin.calls) <= 1.1 * len(other.calls)
    cache.close()


def test_what_is_never_asked_for_again_is_let_die(origin: Origin) -> None:
    """Each stranger is loaded once."""
    clock = Clock()
    cache: Cache[str, Any] = Cache(1_000, loader=origin, ttl=TTL, timer=clock, refresh_ahead=0.1)
    run(cache, clock, 300)
    for second in range(300):
        clock.now += 1
        cache.get_or_load(f"stranger:{clock.now}")
        at_rest(cache)
        if second == 150:
            # By now it is known that the periodic keys have ended.
            issued = cache.refreshes().issued
    assert issued == cache.refreshes().issued
    assert {1} == {count for key, count in Counter(origin.calls).items() if "stranger" in key}
    cache.close()


def test_no_budget_is_no_reload(origin: Origin) -> None:
    """0 buys nothing, not even what would be free."""
    clock = Clock()
    cache: Cache[str, Any] = Cache(1_000, loader=origin, ttl=TTL, timer=clock, refresh_ahead=0)
    run(cache, clock, 200)
    assert 0 == cache.refreshes().issued
    cache.close()


def taught(origin: Origin, clock: Clock, **options: Any) -> Cache[str, Any]:
    """A cache that reloads the periodic keys."""
    cache: Cache[str, Any] = Cache(
        1_000, loader=origin, ttl=TTL, timer=clock, refresh_ahead=0.1, **options
    )
    run(cache, clock, 300)
    assert cache.refreshes().used > 0
    return cache


def reloading(cache: Cache[str, Any], clock: Clock, origin: Origin) -> str:
    """Let time pass until a reload is under way; its key."""
    origin.entered.clear()
    origin.opened.clear()
    for _ in range(2 * TTL * STEPS):
        clock.now += 1 / STEPS
        cache.get("somebody passes")
        if cache._reader.flights._table:
            assert origin.entered.wait(STUCK)
            return str(origin.calls[-1])
    raise AssertionError("nothing is reloaded")


def test_a_demand_waits_for_the_reload_of_its_key(origin: Origin) -> None:
    """Nobody loads it twice."""
    clock = Clock()
    cache = taught(origin, clock)
    key = reloading(cache, clock, origin)
    calls = origin.calls.count(key)
    clock.now += TTL
    waits = cache.loads().waits
    threads = Threads(*[lambda: cache.get_or_load(key)] * 3)
    until(lambda: cache.loads().waits >= waits + 3)
    origin.opened.set()
    assert [(key, 1)] * 3 == threads.join()
    at_rest(cache)
    assert calls == origin.calls.count(key)
    cache.close()


@pytest.mark.parametrize("how", ["write", "delete", "clear"])
def test_a_write_supersedes_a_reload(origin: Origin, how: str) -> None:
    """What it brings is not stored, and the key is no longer reloaded."""
    clock = Clock()
    cache = taught(origin, clock)
    key = reloading(cache, clock, origin)
    if how == "write":
        cache[key] = key, "written"
    elif how == "delete":
        cache.delete(key)
    else:
        cache.clear()
    origin.opened.set()
    at_rest(cache)
    expected = (key, "written") if how == "write" else None
    assert expected == cache.peek(key)
    calls = origin.calls.count(key)
    for _ in range(3 * TTL):
        clock.now += 1
        cache.get("somebody passes")
        at_rest(cache)
    assert calls == origin.calls.count(key)
    cache.close()


def test_a_reload_that_fails_is_counted_and_nobodys(
    origin: Origin, caplog: pytest.LogCaptureFixture
) -> None:
    """The entry expires; whoever asks next loads."""
    clock = Clock()
    cache = taught(origin, clock)
    origin.is_down = True
    key = reloading(cache, clock, origin)
    origin.opened.set()
    at_rest(cache)
    until(lambda: cache.refreshes().failed > 0)
    assert "refresh ahead of " in caplog.text
    origin.is_down = False
    clock.now += TTL
    assert (key, 1) == cache.get_or_load(key)
    cache.close()


def test_other_loaders_ttls_and_writes_are_not_planned_for(origin: Origin) -> None:
    """They could not be repeated as they were."""
    clock = Clock()
    cache: Cache[str, Any] = Cache(100, loader=origin, ttl=TTL, timer=clock, refresh_ahead=0.5)
    for _ in range(100):
        for _ in range(TTL):
            clock.now += 1
            cache.get_or_load("by another", lambda key: key)
            cache.get_or_load("with a ttl", ttl=5)
            cache.get_or_load("with tags", tags=["a"])
            cache.get("written")
            at_rest(cache)
        cache["written"] = 1
    assert 0 == cache.refreshes().issued
    cache.close()


def test_tasks_reload_too() -> None:
    """A coroutine function reloads as a task of whoever passes."""
    clock, calls = Clock(), []

    async def load(key: str) -> str:
        calls.append(key)
        await asyncio.sleep(0)
        return key

    async def ask() -> int:
        missed = 0
        for second in range(600):
            clock.now += 1
            before = cache.stats().misses
            assert "a" == await cache.aget_or_load("a")
            missed += (cache.stats().misses - before) * (second > 300)
            while cache._reader.flights._table:
                await asyncio.sleep(0)
        return missed

    cache: Cache[str, str] = Cache(100, loader=load, ttl=TTL, timer=clock, refresh_ahead=0.5)
    assert 0 == asyncio.run(ask())
    assert cache.refreshes().used > 0
    cache.close()


def test_a_cache_that_refreshes_ahead_is_collected(origin: Origin) -> None:
    """With its keys."""
    clock = Clock()
    cache = taught(origin, clock)
    known = weakref.ref(cache)
    cache.close()
    del cache
    until(lambda: gc.collect() >= 0 and known() is None)


def test_both_ways_to_be_ahead_agree(origin: Origin) -> None:
    """What was fetched ahead is planned for when it is used."""
    clock = Clock()
    cache = taught(origin, clock, prefetch=0.1)
    assert 0 == run(cache, clock, 200)
    cache.close()


@pytest.mark.parametrize("budget", [-0.1, 11, "10%", True])
def test_what_is_no_budget_is_refused(budget: Any) -> None:
    """The value, the limits and the way out."""
    with pytest.raises(augury.ConfigError, match=r"refresh_ahead .*from 0 to 10.*write 0\.1"):
        Cache(10, loader=str, ttl=1, refresh_ahead=budget)


def test_it_takes_a_loader_and_a_ttl() -> None:
    """And without refresh-ahead there is nothing to tell of."""
    with pytest.raises(augury.ConfigError, match="loader="):
        Cache(10, ttl=1, refresh_ahead=0.1)
    with pytest.raises(augury.ConfigError, match="ttl=seconds"):
        Cache(10, loader=str, refresh_ahead=0.1)
    assert augury.RefreshStats() == Cache(10).refreshes()
