"""Functions in front of which a cache stands."""

import asyncio
import gc
import inspect
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import augury
from augury import ConfigError, memoize


def test_a_known_call_is_not_made_again() -> None:
    """By arguments as functools.lru_cache tells them apart."""
    calls: list[object] = []

    @memoize
    def function(*arguments: object, **named: object) -> int:
        """Count."""
        calls.append((arguments, named))
        return len(calls)

    assert 1 == function(1) == function(1)
    assert 2 == function("a") == function("a")
    assert 3 == function() == function()
    assert 4 == function(1, 2) == function(1, 2)
    assert 5 == function((1, 2)) == function((1, 2))
    assert 6 == function(1, b=2) == function(1, b=2)
    assert 7 == function(1, ("b", 2)) == function(1, ("b", 2))
    assert 1 == function(1.0) or 8 == function(1.0)
    info = function.cache_info()
    assert (len(calls), 1_000, len(calls)) == (info.misses, info.maxsize, info.currsize)
    assert function.cache_key(1, b=2) in function.cache
    function.cache_clear()
    before = len(calls)
    assert before + 1 == function(1)
    assert "Count." == function.__doc__
    assert "function" == function.__name__  # type: ignore[attr-defined]
    assert before + 2 == function.__wrapped__(1)


def test_types_are_told_apart_when_asked_for() -> None:
    """1 and 1.0 are one argument, or two."""
    loose, strict = memoize(typed=False)(type), memoize(typed=True)(type)
    assert int is loose((1,)[0])
    assert [int, float] == [strict(1), strict(1.0)]
    assert {"capacity": 1_000, "ttl": None, "policy": "auto", "typed": True, "key": None} == (
        strict.cache_parameters()
    )


def test_methods_are_bound_and_told_apart_by_their_object() -> None:
    """As functions are, through the object and through the class."""

    class Shelf:
        def __init__(self, base: int) -> None:
            self.base = base
            self.calls = 0

        @memoize(capacity=10)
        def plus(self, number: int) -> int:
            """Add."""
            self.calls += 1
            return self.base + number

    one, two = Shelf(10), Shelf(20)
    method: Any = Shelf.plus
    assert [11, 11, 21, 12] == [one.plus(1), one.plus(1), two.plus(1), method(one, 2)]  # type: ignore[call-arg,arg-type]
    assert (2, 1) == (one.calls, two.calls)
    assert 1 == method.cache_info().hits


def test_what_raises_is_not_remembered() -> None:
    """And the error is the function's own."""
    calls = []

    @memoize
    def fails(number: int) -> int:
        calls.append(number)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            fails(1)
    assert [1, 1] == calls
    with pytest.raises(TypeError, match="unhashable"):
        fails([])  # type: ignore[arg-type]


def test_none_is_a_result() -> None:
    """And is remembered."""
    calls = []

    @memoize
    def nothing() -> None:
        calls.append(1)

    assert [None, None] == [nothing(), nothing()]  # type: ignore[func-returns-value]
    assert [1] == calls


def test_a_function_may_call_itself() -> None:
    """Every number once."""
    calls = []

    @memoize(capacity=500)
    def fibonacci(number: int) -> int:
        calls.append(number)
        return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)

    assert 354224848179261915075 == fibonacci(100)
    assert 101 == len(calls)


def test_coroutine_functions_remember_what_they_return() -> None:
    """And remain coroutine functions."""
    calls = []

    @memoize(capacity=10)
    async def double(number: int) -> int:
        calls.append(number)
        await asyncio.sleep(0)
        return 2 * number

    async def main() -> list[int]:
        return [await double(1), await double(1), await asyncio.create_task(double(2))]  # type: ignore[arg-type]

    assert [2, 2, 4] == asyncio.run(main())
    assert [1, 2] == calls
    assert inspect.iscoroutinefunction(double)
    assert (1, 2) == double.cache_info()[:2]


def test_of_many_threads_one_makes_the_call() -> None:
    """And all get what it returned, or what it raised."""
    calls, gate = [], threading.Event()

    @memoize
    def slow(number: int) -> int:
        calls.append(number)
        gate.wait(30)
        if number < 0:
            raise ValueError("negative")
        return number + 1

    for number, expected in ((1, 2), (-1, "negative")):
        gate.clear()
        calls.clear()
        with ThreadPoolExecutor(50) as pool:
            answers = [pool.submit(slow, number) for _ in range(50)]
            while not calls:
                time.sleep(0)
            gate.set()
            found = {str(answer.exception() or answer.result()) for answer in answers}
        assert {str(expected)} == found
    assert 1 == slow.cache_info().currsize


def test_threads_that_need_each_other_do_not_wait_for_ever() -> None:
    """Each makes the other's call itself."""
    both = threading.Barrier(2)

    @memoize
    def cross(number: int, depth: int) -> int:
        if depth == 0:
            both.wait(30)
            return number + cross(1 - number, 1)
        return number

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(cross, number, 0) for number in (0, 1)]
        assert [1, 1] == [answer.result(30) for answer in answers]


def test_of_many_tasks_one_makes_the_call() -> None:
    """Even if the one that came first is cancelled."""
    calls = []

    @memoize
    async def slow(number: int) -> int:
        calls.append(number)
        await asyncio.sleep(0.01)
        return number

    async def main() -> list[int]:
        tasks = [asyncio.ensure_future(slow(7)) for _ in range(50)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return await asyncio.gather(*tasks[1:])

    assert [7] * 49 == asyncio.run(main())
    assert [7] == calls


def test_the_user_may_make_the_keys() -> None:
    """From the arguments that count."""
    calls = []

    @memoize(key=lambda query, connection: query)
    def run(query: str, connection: object) -> str:
        calls.append(query)
        return query.upper()

    assert ["A", "A"] == [run("a", object()), run("a", object())]
    assert ["a"] == calls
    assert "a" in run.cache


def test_results_expire() -> None:
    """By the timer that the cache is given."""
    now = [0.0]
    calls = []

    @memoize(ttl=5, timer=lambda: now[0])
    def number() -> int:
        calls.append(1)
        return len(calls)

    assert 1 == number() == number()
    now[0] = 6.0
    assert 2 == number()


def test_a_forgotten_function_is_collected() -> None:
    """With its cache and all results."""

    class Result:
        pass

    @memoize
    def make() -> Result:
        return Result()

    result = weakref.ref(make())
    assert result() is not None
    del make
    gc.collect()
    assert result() is None


@pytest.mark.parametrize(
    ("word", "attempt"),
    [
        ("expected a function", lambda: memoize(7)),  # type: ignore[call-overload]
        ("key 3", lambda: memoize(key=3)),  # type: ignore[call-overload]
        ("typed is for keys", lambda: memoize(key=len, typed=True)),
        ("'mru'", lambda: memoize(policy="mru")(len)),
        ("ttl -1", lambda: memoize(ttl=-1)(len)),
    ],
)
def test_what_cannot_be_is_refused(word: str, attempt: Any) -> None:
    """With the value and the way out."""
    with pytest.raises(ConfigError, match=word):
        attempt()


def test_it_is_public() -> None:
    """Under the package's name."""
    assert augury.memoize is memoize
