"""What attacks on the library have found, kept from coming back."""

import asyncio
import copy
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from augury import Cache, CapacityError, ConfigError, memoize


@pytest.mark.parametrize("policy", ["auto", "survival"])
@pytest.mark.parametrize(("before", "after"), [(10, 5), (1_000, 100), (10_000, 100)])
def test_a_cache_that_was_only_written_to_can_shrink(policy: str, before: int, after: int) -> None:
    """Entries stay and are told of."""
    told: list[object] = []
    cache: Cache[int, int] = Cache(
        before, policy=policy, on_removal=lambda *removed: told.append(removed)
    )
    for key in range(2 * before):
        cache.set(key, key, force=True)
        cache.get(key)
    told.clear()
    cache.resize(after)
    assert after == len(cache) == cache.used
    assert before - after == len(told)
    for key in range(100):
        cache[key] = key


class Word:
    """A key whose comparisons may be interrupted once."""

    hook: Callable[[], object] | None = None

    def __init__(self, text: str) -> None:
        self.text = text

    def __hash__(self) -> int:
        """The same for all."""
        return 7

    def __eq__(self, other: object) -> bool:
        """By the text, after what is to come between."""
        hook, Word.hook = Word.hook, None
        if hook is not None:
            hook()
        return isinstance(other, Word) and self.text == other.text


@pytest.fixture
def crowded() -> Cache[object, object]:
    """With a pinned entry, so that there are two engines, and keys of one hash."""
    cache: Cache[object, object] = Cache(100)
    cache["pinned"] = 0
    cache.pin("pinned")
    cache[Word("other")] = 0
    cache[Word("key")] = "old"
    return cache


def test_a_write_beside_a_pin_is_the_last_word(crowded: Cache[object, object]) -> None:
    """Whichever engine the key is in when keys have been compared."""
    Word.hook = lambda: crowded.pin(Word("key"))
    crowded[Word("key")] = "new"
    assert "new" == crowded.get(Word("key"))
    assert 3 == len(crowded) == len(list(crowded.items()))


def test_a_removal_beside_a_pin_removes(crowded: Cache[object, object]) -> None:
    """And says so."""
    Word.hook = lambda: crowded.pin(Word("key"))
    assert crowded.delete(Word("key"))
    assert Word("key") not in crowded


def test_threads_that_name_a_tag_first_name_the_same_one() -> None:
    """So that its invalidation reaches the entries of all."""
    cache: Cache[object, int] = Cache(100_000)
    names = [f"tag {number}" for number in range(3_000)]

    def store(owner: int) -> None:
        for name in names:
            cache.set((name, owner), 1, tags=[name])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(store, range(4)))
    for name in names:
        cache.invalidate_tag(name)
    assert [] == list(cache)


def test_one_call_has_one_key() -> None:
    """However it is made, also of coroutine functions."""
    calls: list[object] = []

    @memoize
    def function(number: int) -> int:
        calls.append(number)
        return number

    named: dict[str, Any] = {}
    assert [4, 4] == [function(4), function(*(4,), **named)]
    assert [4] == calls == list(function.cache)

    @memoize
    async def coroutine(text: str) -> str:
        calls.append(text)
        return text

    async def main() -> None:
        assert "k" == await coroutine("k")
        assert coroutine.cache.delete(coroutine.cache_key("k"))
        assert "k" == await coroutine("k")

    asyncio.run(main())
    assert [4, "k", "k"] == calls


def test_a_load_of_a_loop_that_has_stopped_is_not_waited_for() -> None:
    """The next who asks loads."""
    cache: Cache[str, int] = Cache(10)
    loop = asyncio.new_event_loop()

    async def never(key: str) -> int:
        await asyncio.sleep(3_600)
        return 0

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(cache.aget_or_load("key", never), 0.01)

    loop.run_until_complete(main())
    assert 3 == cache.get_or_load("key", lambda key: 3)
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_the_child_of_a_fork_makes_calls_of_its_own() -> None:
    """Those under way belong to threads that it does not have."""
    began, gate = threading.Event(), threading.Event()

    @memoize
    def slow(text: str) -> str:
        if not began.is_set():
            began.set()
            gate.wait(30)
        return text

    caller = threading.Thread(target=slow, args=("a",))
    caller.start()
    assert began.wait(30)
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        os._exit(0 if slow("a") == "a" else 1)
    gate.set()
    caller.join()
    assert (child, 0) == os.waitpid(child, 0)


def test_a_call_does_not_overwrite_what_was_stored_meanwhile() -> None:
    """Neither a value nor a clearing."""

    @memoize
    def function(act: str) -> str:
        if act == "store":
            function.cache[function.cache_key(act)] = "newer"
        else:
            function.cache_clear()
        return "older"

    assert ["older", "newer"] == [function("store"), function("store")]
    assert "older" == function("clear")
    assert function.cache_key("clear") not in function.cache


def test_calls_inside_of_calls_are_shared_too() -> None:
    """One call of the inner function, whoever asks."""
    inner_calls, gate = [], threading.Event()

    @memoize
    def inner(name: str) -> str:
        inner_calls.append(name)
        gate.wait(30)
        return name

    @memoize
    def outer(number: int) -> str:
        return inner("same")

    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(outer, number) for number in range(20)]
        while not inner_calls:
            time.sleep(0)
        time.sleep(0.05)
        gate.set()
        assert {"same"} == {answer.result(30) for answer in answers}
    assert ["same"] == inner_calls


def test_a_pinned_entry_does_not_grow_beyond_the_capacity() -> None:
    """The value, the limit and the way out; it stays as it was."""
    cache: Cache[str, bytes] = Cache(1_000, sizeof=lambda key, value: len(value))
    cache["a"] = b"x"
    cache.pin("a")
    with pytest.raises(CapacityError, match=r"'a' is pinned.*5000.*of 1000; unpin"):
        cache["a"] = b"x" * 5_000
    assert b"x" == cache["a"]
    assert cache.used <= cache.capacity
    before = cache.stats().insertions
    for _ in range(10):
        assert cache.unpin("a")
        assert cache.pin("a")
    assert before == cache.stats().insertions


def test_a_key_error_names_the_key() -> None:
    """Tuples and None too."""
    cache: Cache[object, int] = Cache(10)
    for key in ((1, 2), None, (), "text"):
        with pytest.raises(KeyError) as caught:
            cache[key]
        assert (key,) == caught.value.args
        with pytest.raises(KeyError) as caught:
            del cache[key]
        assert (key,) == caught.value.args


def test_views_look_and_do_not_ask() -> None:
    """`in` of items and values is no request and loads nothing."""
    cache: Cache[str, int] = Cache(10, loader=lambda key: 1 / 0)  # type: ignore[arg-type,return-value]
    cache["a"] = 1
    assert ("a", 1) in cache.items()
    assert ("a", 2) not in cache.items()
    assert ("b", 1) not in cache.items()
    assert 1 in cache.values()
    assert 5 not in cache.values()
    assert (0, 0) == (cache.stats().hits, cache.stats().misses)


def test_draining_takes_time_in_proportion() -> None:
    """Each entry is passed by a few times, and nothing that is there is overlooked."""
    cache: Cache[int, int] = Cache(30_000)
    for key in range(20_000):
        cache[key] = key
    taken = {cache.popitem()[0] for _ in range(10_000)}
    for key in range(20_000, 21_000):
        cache[key] = key
    while cache:
        taken.add(cache.popitem()[0])
    assert taken == set(range(21_000))


def test_a_second_beginning_changes_nothing() -> None:
    """The tags of entries are those that were."""
    cache: Cache[str, int] = Cache(10)
    cache.set("a", 1, tags=["t"])
    with pytest.raises(ConfigError, match="begins once"):
        cache.__init__(20)  # type: ignore[misc]
    cache.invalidate_tag("t")
    assert "a" not in cache


@memoize
def found_by_name(number: int) -> int:
    """A function of this module."""
    return number


def test_memoized_functions_are_copied_by_name() -> None:
    """As functions are."""
    for twin in (
        copy.copy(found_by_name),
        copy.deepcopy(found_by_name),
        pickle.loads(pickle.dumps(found_by_name)),
    ):
        assert twin is found_by_name
    assert "found_by_name" in repr(found_by_name)


def test_what_can_be_gone_through_once_is_not_remembered() -> None:
    """Nor are options taken that would do nothing."""

    def numbers() -> Any:
        yield 1

    with pytest.raises(ConfigError, match="returns a list"):
        memoize(numbers)
    with pytest.raises(ConfigError, match="stale: not for memoize"):
        memoize(stale=3)(len)
