"""Predicted TTLs: by how often values change, within the bounds, and never at another's cost."""

import random
import threading
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import augury
from augury import Cache, ConfigError, PredictedTTL


class Time:
    """Seconds that go on when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Source:
    """Values that change at random, each at its own pace, and how often they were loaded."""

    def __init__(self, time: Time, paces: dict[str, float]) -> None:
        self.time, self.paces, self.loads = time, paces, 0
        self.random = random.Random(5)
        self.versions = dict.fromkeys(paces, 0)
        self.changes = {key: self.random.expovariate(1 / pace) for key, pace in paces.items()}

    def current(self, key: str) -> dict[str, object]:
        """What there is now."""
        while self.changes[key] <= self.time.now:
            self.versions[key] += 1
            self.changes[key] += self.random.expovariate(1 / self.paces[key])
        return {"key": key, "version": self.versions[key]}

    def load(self, key: str) -> dict[str, object]:
        """Ask for it."""
        self.loads += 1
        return self.current(key)


def traffic(cache: Cache[str, Any], time: Time, source: Source, requests: int) -> float:
    """Ask at random; the share of stale ones among hits, in the second half."""
    asked, hits, stale = random.Random(7), 0, 0
    keys = list(source.paces)
    for request in range(requests):
        time.now += asked.expovariate(len(keys) / 2)
        key = asked.choice(keys)
        before = source.loads
        value = cache.get_or_load(key)
        if source.loads == before and request > requests // 2:
            hits += 1
            stale += value != source.current(key)
    return stale / hits


@pytest.mark.parametrize("staleness", [0.02, 0.05, 0.2])
def test_answers_are_stale_with_the_chance_allowed(staleness: float) -> None:
    """Whatever it is, and with fewer loads than by the lower bound."""
    loads = {}
    for ttl in (None, 10.0):
        time = Time()
        source = Source(time, {f"rate:{at}": 600.0 for at in range(40)})
        options: dict[str, Any] = {"ttl": ttl}
        if ttl is None:
            options = {"predicted_ttl": PredictedTTL(10, 3_600, staleness)}
        cache = Cache[str, Any](100, loader=source.load, timer=time, **options)
        found = traffic(cache, time, source, 60_000)
        loads[ttl] = source.loads
        if ttl is None:
            assert 0.6 * staleness < found < 1.3 * staleness
            stats = cache.lifetimes()
            assert (stats.stored, stats.keys, stats.unreadable) == (source.loads, 40, 0)
            assert stats.compared == stats.stored - 40
    assert loads[None] < loads[10.0] / (1 + 20 * staleness)


def test_what_never_changes_lives_longest_and_what_always_does_shortest() -> None:
    """And a namespace that has shown it passes it on to its new keys."""
    time, versions = Time(), iter(range(10**6))

    def load(key: str) -> object:
        return next(versions) if key.startswith("price:") else "constant"

    cache = Cache[str, Any](100, predicted_ttl=(10, 600), loader=load, timer=time)
    for _ in range(400):
        cache.get_or_load("price:1"), cache.get_or_load("name:1")
        time.now += 20
    ttls = {}
    for key in ("price:1", "name:1", "price:2", "name:2"):
        cache.delete(key)
        before = cache.lifetimes().seconds
        cache.get_or_load(key)
        ttls[key] = cache.lifetimes().seconds - before
    assert ttls == {"price:1": 10, "name:1": 600, "price:2": 10, "name:2": 600}


def test_it_ends_at_its_ttl() -> None:
    """The first of a key lives for the lower bound, to the millisecond."""
    time = Time()
    cache = Cache[str, int](100, predicted_ttl=(10, 600), timer=time)
    cache["a"] = 1
    time.now = 9.999
    assert cache.get("a") == 1
    time.now = 10.0
    assert cache.get("a") is None


def test_a_ttl_that_is_said_is_kept() -> None:
    """It is no prediction, and nothing is learned by it."""
    time = Time()
    cache = Cache[str, int](100, predicted_ttl=(10, 600), timer=time)
    cache.set("a", 1, ttl=100)
    time.now = 99.0
    assert (cache.get("a"), cache.lifetimes().stored) == (1, 0)


def test_what_is_not_stored_is_not_seen() -> None:
    """An addition that is declined, and a load whose key was written meanwhile."""
    time = Time()
    cache = Cache[str, int](100, predicted_ttl=(10, 600), timer=time)
    cache["a"] = 1
    time.now = 5.0
    assert not cache.add("a", 2)
    cache["a"] = 1
    assert (cache.lifetimes().compared, cache.lifetimes().changed) == (1, 0)

    def load(key: str) -> int:
        cache[key] = 7
        return 8

    assert cache.get_or_load("b", load) == 8
    assert (cache["b"], cache.lifetimes().stored) == (7, 3)


@dataclass
class Open:
    """Compared by value, without a hash."""

    revision: int


class Plain:
    """Compared by identity."""


@pytest.mark.parametrize(
    ("value", "same", "other"),
    [
        (1, 1, 2),
        ("text", "te" + "xt", "Text"),
        ([1, {"a": (None, True)}], [1, {"a": (None, True)}], [1, {"a": (None, False)}]),
        (float("nan"), float("nan"), 0.0),
        ([date(2026, 1, 2)], [date(2026, 1, 2)], [date(2026, 1, 3)]),
        ({"sum": Decimal("1.10")}, {"sum": Decimal("1.1")}, {"sum": Decimal(2)}),
        ({1, "a"}, {"a", 1}, {1}),
        (b"bytes", bytes(bytearray(b"bytes")), b""),
    ],
)
def test_equal_values_have_equal_fingerprints(value: object, same: object, other: object) -> None:
    """And others have others."""
    told = PredictedTTL(1, 2)
    assert told.fingerprint(value) == told.fingerprint(same) is not None
    assert told.fingerprint(value) != told.fingerprint(other)


def test_what_has_no_fingerprint_says_nothing_until_a_version_does() -> None:
    """It gets the lower bound and is counted."""
    loop: list[object] = []
    loop.append(loop)
    for value in (Open(1), Plain(), [Plain()], loop):
        assert PredictedTTL(1, 2).fingerprint(value) is None
    time = Time()
    for version, expected in ((None, (2, 0)), (lambda value: value.revision, (0, 1))):
        asked = PredictedTTL(10, 600, version=version)
        cache = Cache[str, Open](100, predicted_ttl=asked, timer=time)
        cache["a"], cache["a"] = Open(1), Open(1)
        stats = cache.lifetimes()
        assert (stats.unreadable, stats.compared, stats.changed) == (*expected, 0)


def test_a_version_that_raises_stores_nothing() -> None:
    """Who stores is told."""
    cache = Cache[str, int](100, predicted_ttl=PredictedTTL(1, 2, version=lambda value: 1 / value))
    with pytest.raises(ZeroDivisionError):
        cache["a"] = 0
    assert "a" not in cache
    with pytest.raises(ZeroDivisionError):
        cache.get_or_load("a", lambda key: 0)
    assert cache.get_or_load("a", lambda key: 1) == 1


def test_a_version_may_ask_the_cache() -> None:
    """It is called under no lock, by many threads at once."""
    cache: Cache[int, int]

    def version(value: int) -> int:
        cache.get(value)
        cache.lifetimes()
        return value

    cache = Cache(100, predicted_ttl=PredictedTTL(1, 2, version=version))

    def work() -> None:
        for number in range(500):
            cache[number % 10] = number

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    stats = cache.lifetimes()
    assert (stats.stored, stats.compared, stats.keys) == (2_000, stats.compared, 10)


def test_refresh_ahead_and_prefetch_go_by_predicted_ttls() -> None:
    """Neither needs a TTL of the cache's own then."""
    time = Time()
    cache = Cache[int, str](
        100, loader=str, predicted_ttl=(10, 600), refresh_ahead=0.5, prefetch=0.1, timer=time
    )
    for _ in range(300):
        for key in range(5):
            cache.get_or_load(key)
        time.now += 7
    cache.close()
    assert cache.lifetimes().changed == 0
    assert cache.lifetimes().mean_ttl > 100


def test_a_saved_cache_predicts_between_the_same_bounds(tmp_path: Path) -> None:
    """It begins to learn anew; another setting may be given."""
    cache = Cache[str, int](100, predicted_ttl=(10, 600, 0.1))
    cache["a"] = 1
    cache.save(tmp_path / "a")
    loaded: Cache[str, int] = augury.Cache.load(tmp_path / "a", elapsed=0)
    assert (loaded["a"], loaded.ttl, loaded.lifetimes().stored) == (1, 10, 0)
    loaded["b"] = 2
    assert loaded.lifetimes().stored == 1
    fixed: Cache[str, int] = augury.Cache.load(tmp_path / "a", predicted_ttl=None, ttl=5, elapsed=0)
    assert (fixed.ttl, fixed.lifetimes()) == (5, augury.LifetimeStats())


@pytest.mark.parametrize(
    "asked",
    [
        5,
        (1,),
        (0, 5),
        (5, 1),
        (1, 2, 0),
        (1, 2, 1),
        (1, 2, True),
        ("1", 2),
        (1, 2**33),
        (1, 2, 3, 4),
    ],
)
def test_what_is_no_setting_is_refused(asked: Any) -> None:
    """By name, with what is expected."""
    with pytest.raises(ConfigError, match="predicted_ttl"):
        Cache(100, predicted_ttl=asked)


def test_a_ttl_beside_it_is_refused() -> None:
    """One of them."""
    with pytest.raises(ConfigError, match="one of them"):
        Cache(100, ttl=5, predicted_ttl=(1, 10))
    with pytest.raises(ConfigError, match="version 3"):
        PredictedTTL(1, 2, version=3)  # type: ignore[arg-type]
