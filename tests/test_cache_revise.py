"""What changes of an entry that stays: its deadline, or its value."""

import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from augury import Cache, ConfigError


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def after(clock: Clock, seconds: float, cache: Cache[str, object]) -> bool:
    """Whether `key` is there so many seconds later."""
    clock.now += seconds
    return "key" in cache


@pytest.mark.parametrize("tags", [None, ["tag"]])
def test_touch_counts_the_ttl_from_now_on(tags: list[str] | None) -> None:
    """A given TTL, else the cache's own; with or without more than a value."""
    clock = Clock()
    cache: Cache[str, object] = Cache(10, ttl=10, timer=clock)
    cache.set("key", 1, 5, tags=tags)
    assert after(clock, 4, cache)
    assert cache.touch("key", 20)
    assert after(clock, 19, cache)
    assert cache.touch("key")
    assert after(clock, 9, cache)
    assert not after(clock, 1, cache)
    assert not cache.touch("key")


@pytest.mark.parametrize("tags", [None, ["tag"]])
def test_touch_may_be_for_ever(tags: list[str] | None) -> None:
    """Infinity is a TTL."""
    clock = Clock()
    cache: Cache[str, object] = Cache(10, timer=clock)
    cache.set("key", 1, 5, tags=tags)
    assert cache.touch("key", float("inf"))
    assert after(clock, 1e6, cache)


def test_touch_keeps_tags_and_tells_no_listener() -> None:
    """An entry that is touched has not left, and is invalidated as before."""
    left: list[object] = []
    cache: Cache[str, object] = Cache(10, on_removal=lambda *what: left.append(what))
    cache.set("key", 1, 5, tags=["tag"], tti=3)
    assert cache.touch("key", 8)
    assert [] == left
    cache.invalidate_tag("tag")
    assert not cache.touch("key", 8)
    assert "key" not in cache


def test_touch_is_no_request_and_refuses_what_is_no_ttl() -> None:
    """It says so, and nothing has changed."""
    cache: Cache[str, object] = Cache(10)
    cache["key"] = 1
    assert cache.touch("key", 5)
    assert 0 == cache.stats().hits + cache.stats().misses
    with pytest.raises(ConfigError, match="-1"):
        cache.touch("key", -1)


@pytest.mark.parametrize("tags", [None, ["tag"]])
def test_replace_keeps_the_deadline(tags: list[str] | None) -> None:
    """Another value, and no longer than the one before."""
    clock = Clock()
    cache: Cache[str, object] = Cache(10, timer=clock)
    old, new = [1], [1]
    cache.set("key", old, 5, tags=tags)
    assert after(clock, 4, cache)
    assert cache.replace("key", old, new)
    assert cache["key"] is new
    assert not after(clock, 1, cache)


@pytest.mark.parametrize("tags", [None, ["tag"]])
def test_replace_takes_the_very_object_only(tags: list[str] | None) -> None:
    """An equal one is another one, and a key that is not there has none."""
    left: list[object] = []
    cache: Cache[str, object] = Cache(10, on_removal=lambda *what: left.append(what))
    cache.set("key", [1], tags=tags)
    assert not cache.replace("key", [1], [2])
    assert not cache.replace("other", None, [2])
    assert [1] == cache["key"]
    assert cache.replace("key", cache["key"], [2])
    assert [("key", [1], "replaced")] == left


def test_replace_takes_a_changed_size_into_account() -> None:
    """What no longer fits is not resident, and neither is the old value."""
    cache: Cache[str, str] = Cache(10, sizeof=lambda _, value: len(value))
    old = "a" * 5
    cache["key"] = old
    new = "b" * 8
    assert cache.replace("key", old, new)
    assert 8 == cache.used
    assert not cache.replace("key", new, "c" * 11)
    assert "key" not in cache


def test_threads_lose_no_increment() -> None:
    """Compare and set is enough for a counter."""
    cache: Cache[str, int] = Cache(10)
    cache["key"] = 0

    def count() -> None:
        for _ in range(500):
            while not cache.replace("key", seen := cache["key"], seen + 1):
                pass

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2_000 == cache["key"]


class Key:
    """Equal by Python code, which gives other threads their turn."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        """Many keys share one."""
        return self.number % 3

    def __eq__(self, other: object) -> bool:
        """By number, slowly."""
        os.sched_yield()
        return isinstance(other, Key) and self.number == other.number


def test_threads_may_change_and_remove_at_once() -> None:
    """Whatever is between look-up and change, a key has a value that was stored under it."""
    cache: Cache[Key, tuple[int, int]] = Cache(8, policy="lru")

    def use(seed: int) -> None:
        draw = random.Random(seed)
        for turn in range(300):
            number = draw.randrange(12)
            key = Key(number)
            match draw.randrange(4):
                case 0:
                    cache.set(key, (number, turn), 60, tags=draw.choice([None, ["tag"]]))
                case 1:
                    cache.touch(key, draw.choice([None, 30]))
                case 2 if (seen := cache.get(key)) is not None:
                    assert number == seen[0]
                    cache.replace(key, seen, (number, turn))
                case 3:
                    cache.delete(key)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(4)))
    assert all(key.number == value[0] for key, value in cache.items())
    assert 8 >= len(cache)
