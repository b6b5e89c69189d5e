"""Keys, values and destructors that do what they should not: no deadlock, no corruption."""

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

import augury
from augury import Cache

#: Seconds after which a thread counts as stuck.
STUCK = 120


def together(*work: Callable[[], None]) -> None:
    """Run at the same time and pass on what is raised."""
    errors: list[BaseException] = []

    def run(one: Callable[[], None]) -> None:
        try:
            one()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(one,), daemon=True) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(STUCK)
    assert not any(thread.is_alive() for thread in threads), "a thread is stuck"
    if errors:
        raise errors[0]


class Key:
    """Eight hashes, equal by number, and something to do on every comparison."""

    act: Callable[[], object] = staticmethod(lambda: None)

    def __init__(self, number: int) -> None:
        self.number = number

    def __hash__(self) -> int:
        """One of eight."""
        return self.number % 8

    def __eq__(self, other: object) -> bool:
        """By number, once the act is done."""
        type(self).act()
        return isinstance(other, Key) and self.number == other.number


def sound(cache: "Cache[Any, Any]") -> None:
    """The counts agree, and the cache is of use."""
    stats = cache.stats()
    assert len(cache) == cache.used <= cache.capacity
    assert cache.set("after", 1, force=True)
    assert 1 == cache.get("after")
    assert stats.insertions >= stats.evictions + stats.expired


def test_what_hash_and_equality_raise_is_passed_on() -> None:
    """And nothing has changed."""
    cache: Cache[Any, int] = Cache(100)

    class Mute:
        def __hash__(self) -> int:
            raise OSError("no hash")

    class Sour(Key):
        act = staticmethod(lambda: 1 // 0)

    for verb in (cache.get, cache.delete, cache.explain, cache.__contains__):
        with pytest.raises(OSError, match="no hash"):
            verb(Mute())
    cache.set(Sour(1), 1)
    before = cache.stats()
    for attempt in (cache.get, cache.delete, lambda key: cache.set(key, 2)):
        with pytest.raises(ZeroDivisionError):
            attempt(Sour(9))
    assert before == cache.stats()
    assert 1 == len(cache)


def test_equality_that_answers_nonsense_is_heard() -> None:
    """Its answer is taken as true or false, or its failure passed on."""

    class Odd:
        def __hash__(self) -> int:
            return 1

        def __eq__(self, other: object) -> Any:
            return [0]

    cache: Cache[Any, int] = Cache(10)
    cache.set(Odd(), 1)
    assert 1 == cache.get(Odd())
    sound(cache)


@pytest.mark.parametrize("verb", ["get", "set", "delete", "clear", "explain", "stats", "len"])
def test_equality_may_use_the_cache(verb: str) -> None:
    """Comparing a key of the same hash reads, writes, deletes or clears beneath the look-up."""
    cache: Cache[Key, int] = Cache(16)
    draw = random.Random(3)
    depth = 0

    def act() -> None:
        nonlocal depth
        if depth >= 3:
            return
        depth += 1
        key = Key(draw.randrange(24))
        acts: dict[str, Callable[[], object]] = {
            "get": lambda: cache.get(key),
            "set": lambda: cache.set(key, key.number),
            "delete": lambda: cache.delete(key),
            "clear": cache.clear,
            "explain": lambda: cache.explain(key),
            "stats": cache.stats,
            "len": lambda: len(cache),
        }
        acts[verb]()
        depth -= 1

    Key.act = staticmethod(act)
    try:
        for _ in range(300):
            number = draw.randrange(24)
            assert cache.get(Key(number), number) == number
            cache.set(Key(number), number)
            cache.delete(Key(draw.randrange(24)))
    finally:
        Key.act = staticmethod(lambda: None)
    sound(cache)


def test_destructors_may_use_the_cache() -> None:
    """Of keys and values that are evicted, replaced, deleted, expired or cleared away."""
    cache: Cache[Any, Any] = Cache(20)
    buried = 0

    class Ghost:
        def __init__(self, number: int) -> None:
            self.number = number

        def __hash__(self) -> int:
            return self.number

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Ghost) and self.number == other.number

        def __del__(self) -> None:
            nonlocal buried
            buried += 1
            cache.get(self.number)
            cache.set(-1 - self.number % 5, None)
            cache.delete(self.number % 7)

    for number in range(400):
        cache.set(Ghost(number % 50), Ghost(1_000 + number))
        cache.get(Ghost(number % 30))
    cache.clear()
    assert buried > 800
    sound(cache)


def test_threads_with_hostile_keys_end_and_leave_a_sound_cache() -> None:
    """Comparisons that raise now and then, write and delete, while a model comes and goes."""
    cache: Cache[Any, Any] = Cache(64, sample_rows=1_000)
    local = threading.local()

    def act() -> None:
        draw = local.__dict__.setdefault("draw", random.Random(threading.get_ident()))
        local.depth = getattr(local, "depth", 0) + 1
        try:
            chance = draw.random()
            if chance < 0.02:
                raise OSError("now and then")
            if chance < 0.3 and local.depth < 3:
                cache.set(Key(draw.randrange(200)), Value(draw.randrange(200)))
            elif chance < 0.4 and local.depth < 3:
                cache.delete(Key(draw.randrange(200)))
        finally:
            local.depth -= 1

    class Value:
        def __init__(self, number: int) -> None:
            self.number = number

        def __del__(self) -> None:
            with suppress(OSError):
                cache.get(self.number)

    def work(seed: int) -> Callable[[], None]:
        def run() -> None:
            draw = random.Random(seed)
            for _ in range(1_500):
                number = draw.randrange(200)
                with suppress(OSError):
                    found = cache.get(Key(number))
                    assert found is None or isinstance(found, Value)
                    cache.set(Key(number), Value(number), ttl=draw.choice([None, 0.001, 60]))
                    if draw.random() < 0.05:
                        cache.delete(Key(number))

        return run

    def look() -> None:
        for number in range(200):
            cache.load_model(None)
            cache.stats()
            cache.sampled()
            len(cache)
            with suppress(OSError):
                cache.explain(number)
            if number % 50 == 49:
                cache.clear()

    Key.act = staticmethod(act)
    try:
        together(work(1), work(2), work(3), look)
    finally:
        Key.act = staticmethod(lambda: None)
    sound(cache)
    assert cache.memory_bytes < 2_000_000


def test_threads_see_only_values_of_the_key() -> None:
    """Plain keys, many threads, evictions all the time."""
    cache: Cache[str, int] = Cache(500)

    def work(seed: int) -> Callable[[], None]:
        def run() -> None:
            draw = random.Random(seed)
            for _ in range(15_000):
                number = draw.randrange(1_000)
                found = cache.get(f"key-{number}")
                assert found in (None, number)
                if found is None:
                    cache.set(f"key-{number}", number)

        return run

    together(*map(work, range(4)))
    stats = cache.stats()
    assert 60_000 == stats.hits + stats.misses
    assert stats.insertions - stats.evictions == len(cache) == 500
    assert isinstance(cache.explain("key-1"), augury.Explanation)
