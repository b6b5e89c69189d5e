"""Several keys in one call: each is loaded once, whoever else loads it."""

import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from augury import Cache, ConfigError, LoadError, NotFound
from loading import STUCK, Gate, Threads, until


def lengths(keys: list[str]) -> dict[str, int]:
    """A bulk loader."""
    return {key: len(key) for key in keys}


def test_what_is_missing_is_loaded_by_one_call() -> None:
    """In the order asked for, each once, and then it is there."""
    cache: Cache[str, int] = Cache(100)
    cache["b"] = 0
    calls: list[list[str]] = []

    def load(keys: list[str]) -> dict[str, int]:
        calls.append(keys)
        return lengths(keys)

    assert ["a", "b", "cc"] == list(cache.get_or_load_many(["a", "b", "cc", "a"], load))
    assert {"a": 1, "b": 0, "cc": 2} == cache.get_or_load_many(iter(["a", "b", "cc"]), load)
    assert [["a", "cc"]] == calls
    assert {} == cache.get_or_load_many([], load)
    assert 1 == len(calls)


def test_keys_that_do_not_exist_are_left_out() -> None:
    """And remembered where absences are."""
    cache: Cache[str, int] = Cache(100, negative_ttl=60)
    assert {"a": 1} == cache.get_or_load_many(["a", "b"], lambda keys: {"a": 1})
    with pytest.raises(NotFound, match="b"):
        cache.get_or_load("b", len)
    by_one: Cache[str, int] = Cache(100, loader=lambda key: {"a": 1}[key])
    with pytest.raises(KeyError, match="b"):
        by_one.get_or_load_many(["b", "a"])
    assert 1 == by_one.peek("a")


def test_a_bulk_loader_that_raises_releases_everyone() -> None:
    """With its own exception; nothing is stored."""
    cache: Cache[str, int] = Cache(100)

    def fail(_: Any) -> Any:
        raise OSError("down")

    gate = Gate(fail)
    first = Threads(lambda: cache.get_or_load_many("ab", gate))
    assert gate.entered.wait(STUCK)
    others = Threads(
        *[lambda: cache.get_or_load("a", len)] * 3, lambda: cache.get_or_load_many("bc", lengths)
    )
    until(lambda: cache.loads().waits == 4)
    gate.opened.set()
    assert [OSError] * 5 == [type(error) for error in (*first.join(), *others.join())]
    assert {"c"} == set(cache)
    with pytest.raises(ConfigError, match="returned a list: expected a mapping"):
        cache.get_or_load_many("ab", lambda keys: [1])  # type: ignore[arg-type, return-value]
    with pytest.raises(ConfigError, match="no loader"):
        cache.get_or_load_many("ab")


@pytest.mark.parametrize("timeout", [None, STUCK])
def test_overlapping_calls_load_each_key_once(timeout: float | None) -> None:
    """Whatever they have in common, and whoever comes first: nobody waits in a circle."""
    cache: Cache[int, int] = Cache(10_000)
    loaded: list[int] = []
    meet = threading.Barrier(8)

    def load(keys: list[int]) -> dict[int, int]:
        loaded.extend(keys)
        return {key: -key for key in keys}

    def work(first: int) -> dict[int, int]:
        meet.wait(STUCK)
        keys = [key % 400 for key in range(first, first + 200)]
        return cache.get_or_load_many(keys[::-1] if first % 100 else keys, load, timeout=timeout)

    results = Threads(*[lambda at=at: work(at * 50) for at in range(8)]).join()
    for at, result in enumerate(results):
        assert {key % 400: -(key % 400) for key in range(at * 50, at * 50 + 200)} == result
    assert list(range(400)) == sorted(loaded)
    cache.close()


def test_a_bulk_loader_that_asks_for_its_own_keys_is_told_so() -> None:
    """By name; other keys are fine."""
    cache: Cache[str, Any] = Cache(100)
    with pytest.raises(LoadError, match="'a' and 1 others waits for itself"):
        cache.get_or_load_many("ab", lambda keys: {"a": cache.get_or_load("b", len)})
    other = cache.get_or_load_many(
        "ab", lambda keys: dict.fromkeys(keys, cache.get_or_load("c", len))
    )
    assert {"a": 1, "b": 1} == other
    assert not cache._reader.flights._table


def test_an_unhashable_key_leaves_no_flight_behind() -> None:
    """The keys before it can be loaded afterwards."""
    cache: Cache[Any, int] = Cache(100)

    class Bad:
        def __hash__(self) -> int:
            return hash("a")

        def __eq__(self, other: object) -> bool:
            raise ZeroDivisionError

    cache.get_or_load_many("a", lengths)
    cache.delete("a")
    gate = Gate(lengths)
    threads = Threads(lambda: cache.get_or_load_many("a", gate))
    assert gate.entered.wait(STUCK)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_load_many(["b", Bad()], lengths)
    gate.opened.set()
    assert [{"a": 1}] == threads.join()
    assert not cache._reader.flights._table
    assert {"b": 1} == cache.get_or_load_many("b", lengths)


@given(st.lists(st.tuples(st.sampled_from(["set", "delete"]), st.lists(st.integers(0, 9)))))
@settings(max_examples=50)
def test_several_at_once_are_as_many_one_by_one(steps: list[tuple[str, list[int]]]) -> None:
    """Against a dictionary."""
    cache: Cache[int, int] = Cache(100)
    plain: dict[int, int] = {}
    for number, (step, keys) in enumerate(steps):
        if step == "set":
            plain.update(dict.fromkeys(keys, number))
            assert [] == cache.set_many(dict.fromkeys(keys, number))
        else:
            there = sum(plain.pop(key, None) is not None for key in set(keys))
            assert there == cache.delete_many(keys)
        assert plain == cache.get_many(range(10))


def test_what_is_refused_is_told() -> None:
    """Too large for the cache; the rest is stored, with its tags and TTL."""
    cache: Cache[str, int] = Cache(10, sizeof=lambda key, value: value)
    assert ["b"] == cache.set_many({"a": 1, "b": 11, "c": 2}, ttl=60, tags=iter(["t"]))
    assert {"a": 1, "c": 2} == dict(cache.items())
    cache.invalidate_tag("t")
    assert {} == dict(cache.items())
