"""Loading from threads: one load for all, errors for all, and no wait without an end."""

import gc
import os
import random
import sys
import threading
import warnings
import weakref
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import augury
from augury import Cache, ConfigError, LoadError
from loading import STUCK, Gate, Threads, until


def test_a_hit_needs_no_load_and_none_is_a_value() -> None:
    """What is there is served, whatever it is; hits and misses are counted once."""
    cache: Cache[str, Any] = Cache(100)
    calls: list[str] = []
    assert cache.get_or_load("a", calls.append) is None
    assert cache.get_or_load("a", calls.append) is None
    assert (["a"], 1, 1) == (calls, cache.stats().hits, cache.stats().misses)
    told = cache.loads()
    assert (1, 0, 0) == (told.loads, told.load_failures, told.waits)


def test_fifty_threads_make_one_load() -> None:
    """One calls the loader, 49 wait for it, and all have the same object."""
    cache: Cache[str, object] = Cache(100)
    gate = Gate(lambda key: object())
    threads = Threads(*[lambda: cache.get_or_load("a", gate)] * 50)
    until(lambda: cache.loads().waits == 49)
    gate.opened.set()
    results = threads.join()
    assert [results[0]] * 50 == results
    assert ["a"] == gate.calls
    assert results[0] is cache.peek("a")


def test_a_stampede_on_many_keys_loads_each_once() -> None:
    """Without gates: whatever the order of things, a key that stays is loaded once."""
    cache: Cache[int, int] = Cache(10_000, policy="lru")
    calls: list[int] = []
    meet = threading.Barrier(16)

    def load(key: int) -> int:
        calls.append(key)
        return -key

    def work() -> list[int]:
        meet.wait(STUCK)
        return [cache.get_or_load(key, load) for key in range(500)]

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        results = Threads(*[work] * 16).join()
    finally:
        sys.setswitchinterval(interval)
    assert [[-key for key in range(500)]] * 16 == results
    assert list(range(500)) == sorted(calls)


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(7), TimeoutError("own")])
def test_a_loader_that_raises_releases_everyone(error: Exception) -> None:
    """All have the loader's own exception; it is not cached, and the next asks anew."""
    cache: Cache[str, int] = Cache(100)

    def fail(_: Any) -> int:
        raise error

    gate = Gate(fail)
    threads = Threads(*[lambda: cache.get_or_load("a", gate)] * 50)
    until(lambda: cache.loads().waits == 49)
    gate.opened.set()
    assert [error] * 50 == threads.join()
    assert "a" not in cache
    assert 5 == cache.get_or_load("a", lambda key: 5)
    assert (2, 1) == (cache.loads().loads, cache.loads().load_failures)


def test_an_interrupted_loader_releases_the_others_with_a_load_error() -> None:
    """Ctrl-C belongs to its thread alone."""
    cache: Cache[str, int] = Cache(100)

    def interrupt(_: Any) -> int:
        raise KeyboardInterrupt

    gate = Gate(interrupt)
    first = Threads(lambda: cache.get_or_load("a", gate))
    assert gate.entered.wait(STUCK)
    others = Threads(*[lambda: cache.get_or_load("a", gate)] * 3)
    until(lambda: cache.loads().waits == 3)
    gate.opened.set()
    assert [KeyboardInterrupt] == list(map(type, first.join()))
    for error in others.join():
        assert isinstance(error, LoadError)
        assert "KeyboardInterrupt" in str(error)
        assert isinstance(error.__cause__, KeyboardInterrupt)


def test_a_wait_ends_by_its_timeout_and_the_load_goes_on() -> None:
    """For who would load, and for who waits; what comes late is stored all the same."""
    cache: Cache[str, str] = Cache(100, load_timeout=STUCK)
    gate = Gate()
    for _ in range(2):
        with pytest.raises(LoadError, match=r"'a' within 0\.01 s.*load_timeout"):
            cache.get_or_load("a", gate, timeout=0.01)
    with pytest.raises(LoadError, match="'a' within"):
        cache.get_or_load_many("a", lambda keys: {}, timeout=0.01)
    assert 3 == cache.loads().timeouts
    gate.opened.set()
    assert "value of a" == cache.get_or_load("a", gate)
    assert ["a"] == gate.calls
    cache.close()


@pytest.mark.parametrize("end", ["set", "delete", "clear", "tag", "pop", "many", "add"])
def test_a_load_does_not_overwrite_what_is_newer(end: str) -> None:
    """Nor bring back what was removed meanwhile; those who waited have what they asked for."""
    cache: Cache[str, str] = Cache(100)
    gate = Gate()
    threads = Threads(lambda: cache.get_or_load("a", gate, tags=["t"]))
    assert gate.entered.wait(STUCK)
    act = {
        "set": lambda: cache.set("a", "new"),
        "delete": lambda: cache.delete("a"),
        "clear": cache.clear,
        "tag": lambda: cache.invalidate_tag("t"),
        "pop": lambda: cache.pop("a", None),
        "many": lambda: cache.set_many({"a": "new"}),
        "add": lambda: cache.add("a", "new"),
    }[end]
    act()
    gate.opened.set()
    assert ["value of a"] == threads.join()
    assert ("new" if end in {"set", "many", "add"} else None) == cache.peek("a")
    assert 1 == cache.loads().superseded


def test_nobody_reads_what_is_older_than_an_acknowledged_write() -> None:
    """Loads race with sets, removals and invalidations of the same keys, all by many threads."""
    cache: Cache[int, int] = Cache(1_000, negative_ttl=60)
    origin, floor = [0] * 8, [0] * 8
    done: list[int] = []
    writes = [
        lambda key: cache.set(key, origin[key], tags=["t"]),
        cache.delete,
        lambda key: cache.invalidate_tag("t"),
        lambda key: cache.clear(),
        lambda key: cache.set_many({key: origin[key]}, tags=["t"]),
    ]

    def load(key: int) -> int:
        found = origin[key]
        # So long that threads take turns: what was found may be old by now.
        sum(range(3_000))
        if found % 7 == 6:
            raise augury.NotFound(key)
        return found

    def write(first: int) -> None:
        draw = random.Random(first)
        while len(done) < 4:
            key = draw.randrange(first, 8, 2)
            origin[key] += 1
            draw.choice(writes)(key)
            floor[key] = origin[key]

    def read(seed: int) -> int:
        try:
            return read_often(seed)
        finally:
            done.append(seed)

    def read_often(seed: int) -> int:
        draw = random.Random(seed)
        for _ in range(1_000):
            key = draw.randrange(8)
            least = floor[key]
            try:
                assert least <= cache.get_or_load(key, load, tags=["t"])
            except augury.NotFound:
                assert least <= origin[key]
                assert any(number % 7 == 6 for number in range(least, origin[key] + 1))
        return seed

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        work = [lambda at=at: write(at) for at in range(2)]
        readers = [lambda seed=seed: read(seed) for seed in range(2, 6)]
        results = Threads(*work, *readers).join()
    finally:
        sys.setswitchinterval(interval)
    assert [None, None, 2, 3, 4, 5] == results
    assert not cache._reader.flights._table


def test_who_comes_after_a_removal_begins_a_new_load() -> None:
    """The older one may have read what was there before."""
    cache: Cache[str, int] = Cache(100)
    old, new = Gate(lambda key: 1), Gate(lambda key: 2)
    first = Threads(lambda: cache.get_or_load("a", old))
    assert old.entered.wait(STUCK)
    cache.delete("a")
    second = Threads(lambda: cache.get_or_load("a", new))
    assert new.entered.wait(STUCK)
    new.opened.set()
    assert [2] == second.join()
    old.opened.set()
    assert [1] == first.join()
    assert 2 == cache.get("a")


def test_a_write_of_another_key_changes_nothing() -> None:
    """And what a loader itself stores under other keys stays."""
    cache: Cache[str, int] = Cache(100)

    def load(_: str) -> int:
        cache.set("b", 2)
        return 1

    assert 1 == cache.get_or_load("a", load)
    assert {"a": 1, "b": 2} == dict(cache.items())


def test_loaders_may_ask_for_other_keys_but_not_for_their_own() -> None:
    """The first is recursion with an end; the second is an error that names the key."""
    cache: Cache[int, int] = Cache(100)

    def fibonacci(number: int) -> int:
        if number < 2:
            return number
        before = (cache.get_or_load(number - back, fibonacci) for back in (1, 2))
        return sum(before)

    assert 6_765 == cache.get_or_load(20, fibonacci)
    assert 21 == cache.loads().loads

    def around(key: int) -> int:
        return cache.get_or_load(key % 3 + 100, lambda key: around(key + 1))

    with pytest.raises(LoadError, match=r"waits for itself: \S+ -> .*100"):
        cache.get_or_load(100, around)
    assert 1 == cache.get_or_load(100, lambda key: 1)


def test_two_loaders_that_ask_for_each_others_keys_end() -> None:
    """The one who would close the circle is told so; across caches too."""
    one: Cache[str, int] = Cache(100)
    other: Cache[str, int] = Cache(100)
    meet = threading.Barrier(2)

    def of_one(_: str) -> int:
        meet.wait(STUCK)
        return other.get_or_load("b", lambda key: 0)

    def of_other(_: str) -> int:
        meet.wait(STUCK)
        return one.get_or_load("a", lambda key: 0)

    threads = Threads(
        lambda: one.get_or_load("a", of_one), lambda: other.get_or_load("b", of_other)
    )
    results = threads.join()
    assert [LoadError, LoadError] == list(map(type, results))
    assert "waits for itself: " in str(results[0])


def test_a_queued_load_is_run_by_who_waits_for_it() -> None:
    """So that threads which all wait for what is queued behind them do not stand still."""
    cache: Cache[object, int] = Cache(1_000)
    gate = Gate(lambda key: cache.get_or_load("deep", lambda key: 1))
    for number in range(32):
        with pytest.raises(LoadError):
            cache.get_or_load(number, gate, timeout=0.001)
    with pytest.raises(LoadError):
        cache.get_or_load("deep", lambda key: 2, timeout=0.001)
    gate.opened.set()
    assert [2] * 32 == [cache.get_or_load(number, gate) for number in range(32)]
    cache.close()


def test_a_deep_recursion_under_a_timeout_needs_one_thread() -> None:
    """What a loader asks for is loaded in its own."""
    cache: Cache[int, int] = Cache(1_000, load_timeout=STUCK)
    threads: set[int] = set()

    def load(number: int) -> int:
        threads.add(threading.get_ident())
        return number and 1 + cache.get_or_load(number - 1, load)

    assert 60 == cache.get_or_load(60, load)
    assert 1 == len(threads - {threading.get_ident()}) == len(threads)
    cache.close()


def test_closing_releases_who_waits_for_a_thread() -> None:
    """With an error; the loads that run go on."""
    cache: Cache[int, str] = Cache(1_000)
    gate = Gate()
    threads = Threads(
        *[lambda key=key: cache.get_or_load(key, gate, timeout=STUCK) for key in range(33)]
    )
    until(lambda: len(gate.calls) == 32 and len(cache._reader.flights._table) == 33)
    pool = cache._reader.workers._pool
    assert pool is not None
    until(lambda: pool._work_queue.qsize() == 1)
    cache.close()
    gate.opened.set()
    results = threads.join()
    errors = [result for result in results if isinstance(result, LoadError)]
    assert 32 == sum(isinstance(result, str) for result in results)
    assert [True] == ["closed before" in str(error) for error in errors]


def test_a_cache_with_a_loader_loads_by_items() -> None:
    """`get`, `in` and `pop` never load; what does not exist is a KeyError."""

    def load(key: str) -> int:
        if key == "none":
            raise augury.NotFound(key)
        return len(key)

    cache: Cache[str, int] = Cache(100, loader=load)
    assert (None, False, 0) == (cache.get("abc"), "abc" in cache, cache.pop("abc", 0))
    assert 3 == cache["abc"] == cache.get("abc")
    assert 3 == cache.setdefault("abc", 7)
    with pytest.raises(KeyError, match="none"):
        cache["none"]
    assert 2 == cache.setdefault("none", 2)
    by_bulk: Cache[str, int] = Cache(100, bulk_loader=lambda keys: dict.fromkeys(keys, 1))
    assert 1 == by_bulk["a"] == by_bulk.get_or_load("b")
    plain: Cache[str, int] = Cache(100)
    with pytest.raises(KeyError, match="a"):
        plain["a"]


def test_bad_arguments_are_refused_before_anything_is_loaded() -> None:
    """Each error names what cannot be, and the way out."""
    cache: Cache[str, Any] = Cache(100)

    async def later(key: str) -> int:
        return 1

    with pytest.raises(ConfigError, match=r"no loader.*loader="):
        cache.get_or_load("a")
    with pytest.raises(ConfigError, match="loader 7: expected a function"):
        cache.get_or_load("a", 7)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="timeout 0: expected a number above 0"):
        cache.get_or_load("a", len, timeout=0)
    with pytest.raises(ConfigError, match="ttl -1"):
        cache.get_or_load("a", len, ttl=-1)
    with pytest.raises(ConfigError, match="tags 'one'"):
        cache.get_or_load("a", len, tags="one")
    with pytest.raises(TypeError, match="unhashable"):
        cache.get_or_load([], len)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="asynchronous: await aget_or_load"):
        cache.get_or_load("a", later)
    for name, value in (("stale", -1), ("negative_ttl", 0), ("load_timeout", "1"), ("loader", 1)):
        with pytest.raises(ConfigError, match=name):
            Cache(100, **{name: value})  # type: ignore[arg-type]
    with pytest.raises(augury.CapacityError, match="share"):
        Cache(100, negative_capacity="1%")


class Hostile:
    """A key whose hash all share and whose equality asks the cache."""

    cache: Cache[Any, Any]

    def __init__(self, name: int) -> None:
        self.name = name

    def __hash__(self) -> int:
        """The same for all."""
        return 7

    def __eq__(self, other: object) -> bool:
        """By name, after a load of something else."""
        Hostile.cache.get_or_load("inner", lambda key: 1)
        return isinstance(other, Hostile) and other.name == self.name


def test_equality_of_keys_may_load() -> None:
    """No lock is held while keys are compared."""
    Hostile.cache = cache = Cache(100)
    gate = Gate(lambda key: key.name)
    names = list(range(4)) * 4
    threads = Threads(*[lambda name=name: cache.get_or_load(Hostile(name), gate) for name in names])
    until(lambda: len(gate.calls) == 4 and cache.loads().waits >= 12)
    gate.opened.set()
    assert names == threads.join()
    assert [0, 1, 2, 3] == sorted(key.name for key in gate.calls)


def test_what_cannot_be_stored_is_an_error_for_everyone() -> None:
    """A sizeof that raises ends the load, it does not hang it."""

    def sizeof(key: str, value: int) -> int:
        raise ZeroDivisionError

    cache: Cache[str, int] = Cache(100, sizeof=sizeof)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_load("a", len)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_load("a", len)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["load", "raise", "set", "delete", "nested", "many", "clear"]),
        st.integers(0, 5),
    )
)


@given(STEPS)
@settings(max_examples=200)
def test_a_cache_that_loads_is_a_dictionary_that_does(steps: list[tuple[str, int]]) -> None:
    """Step by step against a plain model, and at rest no flight is left."""
    cache: Cache[int, int] = Cache(100)
    plain: dict[int, int] = {}
    for number, (step, key) in enumerate(steps):
        if step == "load":
            assert plain.setdefault(key, number) == cache.get_or_load(key, lambda _: number)  # noqa: B023
        elif step == "raise" and key not in plain:
            with pytest.raises(ZeroDivisionError):
                cache.get_or_load(key, lambda _: 1 // 0)
        elif step == "set":
            plain[key] = number
            cache.set(key, number)
        elif step == "delete":
            assert (plain.pop(key, None) is not None) == cache.delete(key)
        elif step == "nested" and key not in plain:
            # A loader that writes its own key: the later write stays.
            assert 7 == cache.get_or_load(key, lambda key: cache.set(key, -1) and 7)
            plain[key] = -1
        elif step == "many":
            wanted = {other: plain.setdefault(other, number) for other in range(key)}
            found = cache.get_or_load_many(range(key), lambda keys: dict.fromkeys(keys, number))  # noqa: B023
            assert wanted == found
        elif step == "clear":
            plain.clear()
            cache.clear()
    assert plain == dict(cache.items())
    assert not cache._reader.flights._table


def test_loads_keep_nothing_alive() -> None:
    """Neither values nor the cache wait for a collection."""

    class Value:
        pass

    gc.collect()
    gc.disable()
    try:
        cache: Cache[str, Value] = Cache(100)
        value = weakref.ref(cache.get_or_load("a", lambda key: Value()))
        many = cache.get_or_load_many("bc", lambda keys: {key: Value() for key in keys})
        others = weakref.ref(many.pop("b"))
        assert value() is cache.peek("a") is not None
        cache.delete_many("ab")
        assert value() is None is others()
        alive = weakref.ref(cache)
        del cache
        assert alive() is None
    finally:
        gc.enable()


def test_a_fork_forgets_the_loads_of_its_parent() -> None:
    """The child has none of the threads that would end them."""
    cache: Cache[str, int] = Cache(100)
    gate = Gate(lambda key: 1)
    threads = Threads(lambda: cache.get_or_load("a", gate))
    assert gate.entered.wait(STUCK)
    with warnings.catch_warnings():
        # That there are threads is the point.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        found = cache.get_or_load("a", lambda key: 2, timeout=STUCK)
        os._exit(found)
    assert 2 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    gate.opened.set()
    assert [1] == threads.join()


@pytest.mark.parametrize("is_dear", [False, True])
def test_what_is_dear_to_load_is_held_on_to(is_dear: bool) -> None:
    """Of two namespaces asked for alike, the one whose loads take longer has more hits."""
    now = [0.0]

    def load(key: str) -> str:
        now[0] += 0.1 if is_dear and key.startswith("dear") else 0.001
        return key

    cache: Cache[str, str] = Cache(400, loader=load, timer=lambda: now[0])
    draw = random.Random(5)
    for _ in range(40_000):
        name = draw.choice(("dear", "cheap"))
        cache[f"{name}:{int(2_000 * draw.random() ** 2)}"]
    residents = sum(key.startswith("dear") for key in cache) / len(cache)
    assert residents > 0.7 if is_dear else 0.4 < residents < 0.6
