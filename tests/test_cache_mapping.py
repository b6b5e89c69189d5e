"""The cache as a mapping, and what it has beyond one: times, tags, pins, listeners, policies."""

import gc
import random
import threading
from collections.abc import MutableMapping

import cachetools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from augury import Cache, ConfigError

POLICIES = [
    "auto", "lru", "fifo", "lfu", "sieve", "s3fifo", "wtinylfu", "gdsf", "hyperbolic", "survival",
]  # fmt: skip


class Watch:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


def test_it_is_a_mapping() -> None:
    """The abstract methods, and those that follow from them."""
    cache: Cache[str, int] = Cache(10)
    assert isinstance(cache, MutableMapping)
    cache.update(a=1, b=2)
    assert {"a": 1, "b": 2} == dict(cache)
    assert {"a", "b"} == set(cache) == set(cache.keys())
    assert [1, 2] == sorted(cache.values())
    assert [("a", 1), ("b", 2)] == sorted(cache.items())
    assert 1 == cache.pop("a")
    assert 7 == cache.pop("a", 7)
    with pytest.raises(KeyError, match="a"):
        cache.pop("a")
    assert 2 == cache.setdefault("b", 3)
    assert 4 == cache.setdefault("c", 4)
    assert cache == {"b": 2, "c": 4}
    key, value = cache.popitem()
    assert {key: value}.items() <= {"b": 2, "c": 4}.items()
    cache.clear()
    assert not cache
    with pytest.raises(KeyError, match="empty"):
        cache.popitem()


def test_looking_is_no_request() -> None:
    """Iteration, `in`, `peek`, `len` and views are not counted."""
    cache: Cache[str, int] = Cache(10)
    cache["a"] = 1
    assert 1 == cache.peek("a")
    assert "no" == cache.peek("b", "no")
    assert ["a"] == list(cache)
    assert [("a", 1)] == list(cache.items())
    assert [1] == list(cache.values())
    assert "a" in cache
    assert 1 == len(cache)
    stats = cache.stats()
    assert (0, 0) == (stats.hits, stats.misses)


def test_iteration_is_safe_while_the_cache_changes() -> None:
    """An entry that stays is seen exactly once, whatever comes and goes."""
    cache: Cache[int, int] = Cache(10_000)
    for key in range(1_000):
        cache[key] = key
    seen = []
    for key in cache:
        seen.append(key)
        cache.delete(key + 500 if key < 500 else -1)
        cache[10_000 + key] = 0
        if len(seen) == 300:
            gc.collect()
    kept = [key for key in seen if key < 500]
    assert sorted(kept) == list(range(500))


@given(st.lists(st.tuples(st.sampled_from("sdgpx"), st.integers(0, 8)), max_size=60))
def test_a_cache_with_room_and_times_is_a_dictionary_that_forgets(
    steps: list[tuple[str, int]],
) -> None:
    """Against a dictionary of values and deadlines, with pins."""
    watch = Watch()
    cache: Cache[int, int] = Cache(1_000, timer=watch)
    plain: dict[int, tuple[int, float]] = {}
    for number, (step, key) in enumerate(steps):
        plain = {known: entry for known, entry in plain.items() if entry[1] > watch.now}
        if step == "s":
            ttl = None if key % 3 == 0 else float(key)
            cache.set(key, number, ttl=ttl)
            plain[key] = (number, watch.now + (ttl or 1e9))
        elif step == "d":
            assert (plain.pop(key, None) is not None) == cache.delete(key)
        elif step == "g":
            assert plain.get(key, (None, 0))[0] == cache.get(key)
        elif step == "p":
            assert (key in plain) == cache.pin(key)
        else:
            watch.now += key / 2
        plain = {known: entry for known, entry in plain.items() if entry[1] > watch.now}
        assert {known: entry[0] for known, entry in plain.items()} == dict(cache.items())
        assert len(plain) == len(cache)


def test_a_ttl_ends_an_entry_and_an_infinite_one_does_not() -> None:
    """The cache's own TTL, one that differs, and none."""
    watch = Watch()
    cache: Cache[str, int] = Cache(10, ttl=10, timer=watch)
    cache["own"] = 1
    cache.set("short", 2, ttl=1)
    cache.set("never", 3, ttl=float("inf"))
    watch.now += 1
    assert "short" not in cache
    watch.now += 9
    assert {"never": 3} == dict(cache.items())
    assert 1 == len(cache)
    assert 2 == cache.stats().expired


def test_an_entry_that_is_asked_for_lives_on_until_its_ttl() -> None:
    """TTI from the latest get, TTL from the set."""
    watch = Watch()
    cache: Cache[str, int] = Cache(10, tti=5, ttl=12, timer=watch)
    cache["asked"] = 1
    cache["left"] = 2
    for _ in range(2):
        watch.now += 4
        assert 1 == cache.get("asked")
    assert "left" not in cache
    watch.now += 4
    assert "asked" not in cache


def test_jitter_spreads_what_was_stored_together() -> None:
    """By at most its share, and never beyond the TTL."""
    watch = Watch()
    cache: Cache[int, int] = Cache(1_000, ttl=100, jitter=0.2, timer=watch)
    for key in range(500):
        cache[key] = key
    watch.now += 79
    assert 500 == len(cache)
    watch.now += 11
    assert 180 < len(cache) < 320
    watch.now += 10
    assert 0 == len(cache)


def test_a_tag_removes_its_entries_at_once() -> None:
    """Those that were stored before, under any of their tags, and no others."""
    cache: Cache[str, int] = Cache(100)
    cache.set("a", 1, tags=["x", "y"])
    cache.set("b", 2, tags=["y"])
    cache.set("c", 3)
    cache.invalidate_tag("x")
    assert {"b": 2, "c": 3} == dict(cache.items())
    assert None is cache.get("a")
    assert "a" not in cache
    cache.set("a", 4, tags=["x"])
    assert 4 == cache["a"]
    cache.invalidate_tag("unknown")
    cache.invalidate_tag("y")
    assert {"a": 4, "c": 3} == dict(cache.items())
    assert cache.add("b", 5)
    with pytest.raises(ConfigError, match="expected several names"):
        cache.set("d", 1, tags="xy")
    stats = cache.stats()
    assert (1, 1) == (stats.hits, stats.misses)


def test_names_of_tags_are_forgotten_with_their_entries() -> None:
    """Memory is bounded by the entries."""
    cache: Cache[int, int] = Cache(10)
    for key in range(1_000):
        cache.set(key, key, tags=[key], force=True)
    gc.collect()
    assert len(cache._tags) <= 10


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_keeps_within_the_capacity(policy: str) -> None:
    """And answers what it was given."""
    cache: Cache[int, int] = Cache(50, policy=policy)
    draw = random.Random(3)
    for _ in range(5_000):
        key = int(300 * draw.random() ** 3)
        found = cache.get(key)
        assert found in (None, -key)
        if found is None:
            cache[key] = -key
        assert len(cache) <= 50
    assert cache.stats().hit_ratio > 0.2


def test_a_policy_that_does_not_explain_says_so() -> None:
    """And which do."""
    with pytest.raises(ConfigError, match="auto"):
        Cache(10, policy="lru").explain("a")
    with pytest.raises(ConfigError, match=r"'belady'.*auto.*sieve"):
        Cache(10, policy="belady")


def test_what_is_pinned_stays() -> None:
    """Whatever comes, within the capacity; and is let go of when unpinned."""
    cache: Cache[int, int] = Cache(20, policy="lru")
    for key in range(5):
        cache[key] = key
        assert cache.pin(key)
    assert cache.pin(3)
    assert not cache.pin(99)
    for key in range(100, 200):
        cache[key] = key
        assert len(cache) <= 20
    assert [0, 1, 2, 3, 4] == [cache.get(key) for key in range(5)]
    assert 20 == cache.used
    assert set(range(5)) <= set(cache)
    cache[2] = -2
    assert -2 == cache[2]
    assert cache.unpin(2)
    assert not cache.unpin(2)
    for key in range(200, 300):
        cache[key] = key
    assert 2 not in cache
    assert 20 == cache.used
    del cache[0]
    cache[300] = 300
    assert 20 == len(cache)
    cache.clear()
    assert (0, 0) == (len(cache), cache.used)


def test_where_all_is_pinned_nothing_comes_in() -> None:
    """Until something is unpinned; a smaller capacity does not unpin."""
    cache: Cache[int, int] = Cache(3, policy="lru")
    for key in range(3):
        cache[key] = key
        cache.pin(key)
    cache[7] = 7
    assert 7 not in cache
    cache.unpin(0)
    cache[7] = 7
    assert 7 in cache
    cache.resize(2)
    assert {1, 2} == set(cache)


def test_a_listener_is_told_of_what_leaves_and_why() -> None:
    """Once each, with the value that left; what it raises is reported and changes nothing."""
    told: list[tuple[object, object, str]] = []
    watch = Watch()
    cache: Cache[str, object] = Cache(
        2, policy="fifo", timer=watch, on_removal=lambda *removed: told.append(removed)
    )
    cache["a"] = 1
    cache["a"] = 2
    cache.set("b", 3, ttl=1, tags=["t"])
    watch.now += 2
    assert None is cache.get("b")
    cache["c"] = None
    cache["d"] = 5
    del cache["d"]
    cache.clear()
    assert told == [
        ("a", 1, "replaced"),
        ("b", 3, "expired"),
        ("a", 2, "evicted"),
        ("d", 5, "explicit"),
        ("c", None, "explicit"),
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_listener_may_raise_and_may_call_the_cache() -> None:
    """Under threads too, without a deadlock."""

    def listener(key: int, value: int, cause: str) -> None:
        cache.get(key)
        if cause == "evicted" and key % 7 == 0:
            raise RuntimeError("no")
        if key % 50 == 0:
            cache[key + 1] = value

    cache: Cache[int, int] = Cache(10, on_removal=listener)

    def work(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(300):
            cache[draw.randrange(100)] = 1

    workers = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert not any(worker.is_alive() for worker in workers)
    assert len(cache) <= 10


def test_forced_newcomers_are_not_turned_away() -> None:
    """However little they are worth."""
    cache: Cache[int, int] = Cache(10)
    draw = random.Random(1)
    for _ in range(3_000):
        key = draw.randrange(10)
        if cache.get(key) is None:
            cache[key] = key
    for key in range(100, 200):
        assert cache.set(key, key, force=True)
        assert key in cache


def test_it_is_what_cachetools_decorates_with() -> None:
    """With its own keys, lock and account."""
    cache: Cache[object, int] = Cache(10)
    calls = []

    @cachetools.cached(cache, lock=threading.Lock(), info=True)  # type: ignore[call-overload,untyped-decorator,unused-ignore]
    def square(number: int) -> int:
        calls.append(number)
        return number * number

    assert [4, 9, 4] == [square(2), square(3), square(2)]
    assert [2, 3] == calls
    assert (1, 2) == square.cache_info()[:2]
    assert (10, 2) == (cache.maxsize, cache.currsize)


class Bare(Cache[str, int]):
    """A subclass that forgets its parent."""

    def __init__(self) -> None:
        pass


def test_a_subclass_that_does_not_begin_says_what_is_missing() -> None:
    """And a cache begins once."""
    with pytest.raises(ConfigError, match=r"super\(\).__init__"):
        Bare().get("a")
    cache: Cache[str, int] = Cache(10)
    with pytest.raises(ConfigError, match="begins once"):
        cache.__init__(20)  # type: ignore[misc]
