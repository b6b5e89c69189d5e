"""What is served while loading: stale values, absences, and values that are not stale yet."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

import augury
from augury import Cache, LoadError, NotFound
from augury.loading.workers import REFRESHES
from loading import STUCK, Clock, Gate, Threads, until


class Versions:
    """A loader that answers 1, 2, 3, ... or raises what it is told to."""

    def __init__(self) -> None:
        self.count = 0
        self.error: Exception | None = None
        self.done = threading.Semaphore(0)

    def __call__(self, key: Any) -> int:
        """The next."""
        try:
            if self.error is not None:
                raise self.error
            self.count += 1
            return self.count
        finally:
            self.done.release()


def at_rest(cache: "Cache[Any, Any]") -> None:
    """No flight is under way, and each has been counted."""
    reader = cache._reader
    until(lambda: not reader.flights._table and reader._room._value == REFRESHES)


def test_what_is_stale_is_served_while_one_loads_it_anew() -> None:
    """To those who load; a plain get misses. Past that time they wait for the load."""
    clock, load = Clock(), Versions()
    cache: Cache[str, int] = Cache(100, ttl=10, stale=5, timer=clock)
    assert 1 == cache.get_or_load("a", load)
    clock.now += 9.9
    assert 1 == cache.get_or_load("a", load) == cache.get("a")
    clock.now += 0.2
    assert (None, False, None) == (cache.get("a"), "a" in cache, cache.peek("a"))
    gate = Gate(load)
    assert [1] * 20 == [cache.get_or_load("a", gate) for _ in range(20)]
    assert gate.entered.wait(STUCK)
    gate.opened.set()
    at_rest(cache)
    assert (["a"], 2) == (gate.calls, cache.get("a"))
    clock.now += 15.1
    assert 3 == cache.get_or_load("a", load)
    told = cache.loads()
    assert (3, 1, 20) == (told.loads, told.refreshes, told.stale_served)
    cache.close()


def test_a_refresh_that_fails_is_tried_again_and_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """The stale value is served on, as long as it may be."""
    clock, load = Clock(), Versions()
    cache: Cache[str, int] = Cache(100, ttl=10, stale=5, timer=clock, loader=load)
    assert 1 == cache["a"]
    clock.now += 11
    load.error = OSError("down")
    with caplog.at_level(logging.WARNING, "augury.loading"):
        for _ in range(3):
            assert 1 == cache["a"]
            at_rest(cache)
    assert 3 == cache.loads().load_failures
    assert "refresh of 'a' failed: OSError('down')" in caplog.text
    clock.now += 5
    with pytest.raises(OSError, match="down"):
        cache["a"]
    cache.close()


def test_refreshes_in_flight_are_bounded() -> None:
    """Eight of them; the others are served what is stale and nothing is queued for them."""
    clock = Clock()
    cache: Cache[int, int] = Cache(100, ttl=10, stale=5, timer=clock)
    cache.get_or_load_many(range(20), lambda keys: dict.fromkeys(keys, 1))
    clock.now += 11
    gate = Gate(lambda key: 2)
    assert [1] * 20 == [cache.get_or_load(key, gate) for key in range(20)]
    until(lambda: len(gate.calls) == 8)
    gate.opened.set()
    at_rest(cache)
    assert list(range(8)) == sorted(gate.calls)
    assert 1 == cache.get_or_load(19, gate)
    at_rest(cache)
    assert 2 == cache.get(19)
    cache.close()


def test_closing_leaves_nobody_waiting_and_the_cache_in_use() -> None:
    """A refresh that runs goes on; later ones have threads again."""
    clock, load = Clock(), Versions()
    cache: Cache[str, int] = Cache(100, ttl=10, stale=5, timer=clock)
    cache.get_or_load("a", load)
    clock.now += 11
    gate = Gate(load)
    assert 1 == cache.get_or_load("a", gate)
    assert gate.entered.wait(STUCK)
    cache.close()
    gate.opened.set()
    at_rest(cache)
    assert 2 == cache.get("a")
    clock.now += 11
    assert 2 == cache.get_or_load("a", load)
    at_rest(cache)
    assert 3 == cache.get("a")
    cache.close()


def test_tasks_are_served_what_is_stale_too() -> None:
    """The new load is a task of its own."""
    clock = Clock()
    cache: Cache[str, int] = Cache(100, ttl=10, stale=5, timer=clock)
    cache.set("plain", 0)
    cache.get_or_load("a", lambda key: 1)
    clock.now += 11

    async def main() -> None:
        go = asyncio.Event()

        async def load(key: str) -> int:
            await go.wait()
            return 2

        assert [1] * 5 == [await cache.aget_or_load("a", load) for _ in range(5)]
        assert {"a": 1} == await cache.aget_or_load_many(["a"], load)  # type: ignore[arg-type]
        go.set()
        while cache._reader.flights._table:
            await asyncio.sleep(0)
        assert 2 == await cache.aget_or_load("a", load)

    asyncio.run(main())
    assert (2, 1) == (cache.loads().loads, cache.loads().refreshes)


def test_several_stale_keys_are_loaded_anew_by_one_call() -> None:
    """Beside what is missing, which has a call of its own."""
    clock = Clock()
    cache: Cache[str, int] = Cache(100, ttl=10, stale=5, timer=clock)
    calls: list[list[str]] = []

    def load(keys: list[str]) -> dict[str, int]:
        calls.append(keys)
        return dict.fromkeys(keys, len(calls))

    assert {"a": 1, "b": 1} == cache.get_or_load_many("ab", load)
    clock.now += 11
    found = cache.get_or_load_many("abc", load)
    at_rest(cache)
    assert (1, 1) == (found["a"], found["b"])
    assert [["a", "b"], ["a", "b"], ["c"]] == sorted(calls)
    assert "c" in cache
    cache.close()


@pytest.mark.parametrize("error", [OSError("down"), None])
def test_what_is_stale_stands_in_for_an_error(error: Exception | None) -> None:
    """And for a load that takes too long; not for the loader's word that it is gone."""
    clock, load = Clock(), Versions()
    cache: Cache[str, int] = Cache(100, ttl=10, stale_if_error=60, timer=clock)
    assert 1 == cache.get_or_load("a", load)
    clock.now += 30
    if error is None:
        gate = Gate(load)
        assert 1 == cache.get_or_load("a", gate, timeout=0.01)
        gate.opened.set()
        at_rest(cache)
        assert 2 == cache.get("a")
        clock.now += 30
        load.count = 1
    load.error = OSError("down")
    assert load.count + (error is None) == cache.get_or_load("a", load)
    assert {"a"} == set(cache.get_or_load_many(["a"], load))  # type: ignore[arg-type]
    clock.now += 41
    with pytest.raises(OSError, match="down"):
        cache.get_or_load("a", load)
    cache.close()


def test_what_was_removed_does_not_stand_in() -> None:
    """Nor what its tag has invalidated."""
    clock, load = Clock(), Versions()
    cache: Cache[str, int] = Cache(100, ttl=10, stale=20, stale_if_error=60, timer=clock)
    for key in "ab":
        cache.get_or_load(key, load, tags=["t"])
    clock.now += 11
    load.error = OSError("down")
    cache.delete("a")
    with pytest.raises(OSError, match="down"):
        cache.get_or_load("a", load)
    cache.invalidate_tag("t")
    with pytest.raises(OSError, match="down"):
        cache.get_or_load("b", load)


def test_a_stale_value_is_gone_when_the_loader_says_so() -> None:
    """NotFound is an answer, not an error."""
    clock, load = Clock(), Versions()
    cache: Cache[str, int] = Cache(100, ttl=10, stale_if_error=60, timer=clock)
    assert 1 == cache.get_or_load("a", load)
    clock.now += 11
    load.error = NotFound("a")
    with pytest.raises(NotFound, match="a"):
        cache.get_or_load("a", load)
    assert cache.past("a") is None


def absent(calls: list[Any]) -> Callable[[Any], int]:
    """A loader that finds nothing."""

    def load(key: Any) -> int:
        calls.append(key)
        raise NotFound(key)

    return load


def test_an_absence_is_remembered_for_its_time() -> None:
    """And raised anew without a load; everyone who waits hears of it."""
    clock = Clock()
    cache: Cache[str, int] = Cache(100, negative_ttl=5, timer=clock)
    calls: list[str] = []
    load = absent(calls)
    for _ in range(3):
        with pytest.raises(KeyError, match="a"):
            cache.get_or_load("a", load)
    assert (["a"], 2, 0) == (calls, cache.loads().absences_served, cache.loads().load_failures)
    assert {} == cache.get_or_load_many(["a"], lambda keys: {"a": 1})
    with pytest.raises(NotFound):
        asyncio.run(cache.aget_or_load("a", load))
    clock.now += 5.1
    with pytest.raises(NotFound):
        cache.get_or_load("a", load)
    assert ["a", "a"] == calls


def test_other_errors_are_not_remembered_and_absences_only_where_asked_for() -> None:
    """Each is loaded anew."""
    off: Cache[str, int] = Cache(100)
    on: Cache[str, int] = Cache(100, negative_ttl=5)
    calls: list[str] = []
    for _ in range(2):
        with pytest.raises(NotFound):
            off.get_or_load("a", absent(calls))
        with pytest.raises(ZeroDivisionError):
            on.get_or_load("a", lambda key: calls.append(key) or 1 // 0)
    assert 4 == len(calls)


@pytest.mark.parametrize("end", ["set", "delete", "clear", "tag", "many"])
def test_a_write_ends_an_absence(end: str) -> None:
    """A later removal of what was written too."""
    cache: Cache[str, int] = Cache(100, negative_ttl=5)
    with pytest.raises(NotFound):
        cache.get_or_load("a", absent([]), tags=["t"])
    {
        "set": lambda: cache.set("a", 7),
        "delete": lambda: cache.delete("a"),
        "clear": cache.clear,
        "tag": lambda: cache.invalidate_tag("t"),
        "many": lambda: cache.set_many({"a": 7}),
    }[end]()
    assert (7 if end in {"set", "many"} else 1) == cache.get_or_load("a", lambda key: 1)
    cache.delete("a")
    assert 1 == cache.get_or_load("a", lambda key: 1)


def test_an_absence_is_not_remembered_where_the_key_was_written_meanwhile() -> None:
    """The load may have looked before."""
    cache: Cache[str, int] = Cache(100, negative_ttl=5)
    gate = Gate(absent([]))
    threads = Threads(lambda: cache.get_or_load("a", gate))
    assert gate.entered.wait(STUCK)
    cache.set("a", 1)
    gate.opened.set()
    assert [NotFound] == list(map(type, threads.join()))
    assert 1 == cache.get_or_load("a", gate)
    cache.delete("a")
    assert 2 == cache.get_or_load("a", lambda key: 2)


def test_absences_are_bounded_in_bytes_and_displace_nothing() -> None:
    """Any number of keys that do not exist leaves the entries as they are."""
    cache: Cache[str, int] = Cache(10, negative_ttl=60, negative_capacity="10 kB")
    for number in range(10):
        cache.set(f"kept:{number}", number)
    for number in range(1_000):
        with pytest.raises(NotFound):
            cache.get_or_load(f"absent:{number}", absent([]))
    assert 10 == len(cache)
    absences = cache._reader._absences
    assert absences is not None
    assert 10 <= len(absences) <= 10_000 // 160


def test_entries_are_refreshed_early_the_more_so_the_longer_a_load_takes() -> None:
    """XFetch: who draws it is served what there is, and the load runs once; gets never draw."""
    clock = Clock()
    cache: Cache[str, int] = Cache(100, ttl=100, early_refresh=1.0, timer=clock)
    count = 0

    def load(key: str) -> int:
        nonlocal count
        clock.now += 1.0
        count += 1
        return count

    assert 1 == cache.get_or_load("a", load)
    stored = clock.now
    for _ in range(200):
        assert 1 == cache.get_or_load("a", load)
        at_rest(cache)
    assert 1 == count
    leads, late = [], 0
    for _ in range(100):
        before = count
        while before == count:
            clock.now += 0.25
            served = cache.get_or_load("a", load)
            at_rest(cache)
        late += served != before
        leads.append(stored + 100 - (clock.now - 1.0))
        stored = clock.now
        assert count == cache.get("a")
    # The lead is exponential, with the load's second as its mean; four draws a second add up.
    assert 0 <= late <= 10
    assert 1.0 < sum(leads) / len(leads) < 4.0
    told = cache.loads()
    assert (101, 100 - late) == (told.loads, told.refreshes)
    cache.close()


def test_no_early_refresh_without_a_beta_or_a_ttl() -> None:
    """Up to the end of its time the value is served without a load."""
    clock, load = Clock(), Versions()
    for options in ({"ttl": 100}, {"early_refresh": 1.0}):
        cache: Cache[str, int] = Cache(100, timer=clock, **options)
        first = cache.get_or_load("a", load)
        for _ in range(399):
            clock.now += 0.25
            assert first == cache.get_or_load("a", load)
        assert 1 == cache.loads().loads


def test_what_misses_cost_is_told_by_namespace() -> None:
    """By the part of the key before the first sign, or by the name given; a thousand of them."""
    clock = Clock()
    cache: Cache[Any, int] = Cache(10_000, timer=clock)

    def load(key: Any) -> int:
        clock.now += 2.0 if str(key).startswith("user") else 0.5
        if key == "user:2":
            raise OSError
        return 1

    cache.get_or_load("user:1", load)
    with pytest.raises(OSError):  # noqa: PT011
        cache.get_or_load("user:2", load)
    cache.get_or_load(("page", 1), load)
    cache.get_or_load("img/a.png", load, namespace="static")
    told = cache.loads()
    assert {"user", "page", "static"} == set(told.namespaces)
    user = told.namespaces["user"]
    assert (2, 1, 2.0) == (user.loads, user.failures, user.mean_seconds)
    assert 0.5 == told.namespaces["static"].mean_seconds
    assert (4, 1, 5.0) == (told.loads, told.load_failures, told.load_seconds)
    for number in range(2_000):
        cache.get_or_load(f"{number}:x", load)
    told = cache.loads()
    assert 1_025 == len(told.namespaces)
    assert 2_000 - (1_024 - 3) == told.namespaces["*"].loads


def test_a_stale_entry_may_be_asked_for_by_its_own_loader() -> None:
    """It is served; nothing waits for itself."""
    clock = Clock()
    cache: Cache[str, int] = Cache(100, ttl=10, stale=5, timer=clock)
    cache.get_or_load("a", lambda key: 1)
    clock.now += 11
    assert 1 == cache.get_or_load("a", lambda key: cache.get_or_load("a", lambda key: 0) + 1)
    at_rest(cache)
    assert 2 == cache.get("a")
    assert issubclass(NotFound, augury.AuguryError)
    assert not issubclass(NotFound, LoadError)
    cache.close()
