"""Loading from tasks of asyncio, alone and together with threads."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import augury
from augury import Cache, LoadError
from loading import STUCK, Gate, Threads, until


class Awaited:
    """An asynchronous loader that says when it is called and answers when it may."""

    def __init__(self, answer: Callable[[Any], Any] = lambda key: f"value of {key}") -> None:
        self.answer = answer
        self.calls: list[Any] = []
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, key: Any) -> Any:
        """Wait, then answer or raise."""
        self.calls.append(key)
        self.entered.set()
        await self.opened.wait()
        return self.answer(key)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """In a loop of its own, within bounds."""
    return asyncio.run(asyncio.wait_for(main, STUCK))


async def met(cache: "Cache[Any, Any]", waits: int) -> None:
    """Until so many wait."""
    while cache.loads().waits < waits:
        await asyncio.sleep(0)


def test_fifty_tasks_make_one_load() -> None:
    """One task calls the loader, 49 wait for it, and all have the same object."""
    cache: Cache[str, object] = Cache(100)

    async def main() -> None:
        gate = Awaited(lambda key: object())
        tasks = [asyncio.create_task(cache.aget_or_load("a", gate)) for _ in range(50)]
        await met(cache, 49)
        gate.opened.set()
        results = await asyncio.gather(*tasks)
        assert [results[0]] * 50 == results
        assert ["a"] == gate.calls
        assert results[0] is cache.peek("a") is await cache.aget_or_load("a", gate)

    run(main())
    assert (1, 1) == (cache.loads().loads, cache.stats().hits)


def test_none_is_a_value() -> None:
    """It is loaded once."""
    cache: Cache[str, None] = Cache(100)
    calls: list[str] = []

    async def main() -> None:
        assert await cache.aget_or_load("a", calls.append) is None
        assert await cache.aget_or_load("a", calls.append) is None

    run(main())
    assert ["a"] == calls


@pytest.mark.parametrize("error", [ValueError("no"), TimeoutError("own")])
def test_a_loader_that_raises_releases_every_task(error: Exception) -> None:
    """All have its own exception, and nothing is cached."""
    cache: Cache[str, int] = Cache(100)

    def fail(_: Any) -> int:
        raise error

    async def main() -> list[Any]:
        gate = Awaited(fail)
        tasks = [asyncio.create_task(cache.aget_or_load("a", gate)) for _ in range(50)]
        await met(cache, 49)
        gate.opened.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [error] * 50 == run(main())
    assert "a" not in cache


def test_stop_iteration_releases_every_task() -> None:
    """A future cannot carry it; a coroutine turns it into a RuntimeError."""
    cache: Cache[str, int] = Cache(100)

    def fail(_: Any) -> int:
        raise StopIteration

    async def main() -> list[Any]:
        asked = (cache.aget_or_load("a", fail) for _ in range(5))
        return await asyncio.gather(*asked, return_exceptions=True)

    assert [RuntimeError] * 5 == list(map(type, run(main())))


def test_a_cancelled_waiter_cancels_nothing_else() -> None:
    """Be it the task that began the load or one that waits for it."""
    cache: Cache[str, str] = Cache(100)

    async def main() -> None:
        gate = Awaited()
        first = asyncio.create_task(cache.aget_or_load("a", gate))
        await gate.entered.wait()
        others = [asyncio.create_task(cache.aget_or_load("a", gate)) for _ in range(3)]
        await met(cache, 3)
        first.cancel()
        others[1].cancel()
        assert [True, True] == [
            isinstance(error, asyncio.CancelledError)
            for error in await asyncio.gather(first, others[1], return_exceptions=True)
        ]
        gate.opened.set()
        assert ["value of a"] * 2 == await asyncio.gather(others[0], others[2])
        assert ["a"] == gate.calls
        assert "value of a" == cache.peek("a")

    run(main())


def test_a_load_that_is_cancelled_itself_releases_everyone() -> None:
    """As at the end of `asyncio.run`, before it has begun or after: threads wait no longer."""
    cache: Cache[str, str] = Cache(100)
    for turns in range(4):

        async def main(turns: int = turns) -> Threads:
            gate = Awaited()
            asyncio.create_task(cache.aget_or_load("a", gate))  # noqa: RUF006
            for _ in range(turns):
                await asyncio.sleep(0)
            waits = cache.loads().waits
            if not turns:
                return Threads(lambda: None)
            thread = Threads(lambda: cache.get_or_load("a", lambda key: "from the thread"))
            while cache.loads().waits == waits:
                await asyncio.sleep(0)
            return thread

        (result,) = run(main()).join()
        assert result is None or isinstance(result, LoadError), result
        assert "b" == cache.get_or_load("a", lambda key: "b")
        del cache["a"]


def test_a_task_waits_as_long_as_it_says() -> None:
    """Then the load goes on without it."""
    cache: Cache[str, str] = Cache(100)

    async def main() -> None:
        gate = Awaited()
        for _ in range(2):
            with pytest.raises(LoadError, match="'a' within"):
                await cache.aget_or_load("a", gate, timeout=0.01)
        with pytest.raises(LoadError, match="'a' within"):
            await cache.aget_or_load_many("a", gate, timeout=0.01)
        gate.opened.set()
        assert "value of a" == await cache.aget_or_load("a", gate, timeout=STUCK)
        assert ["a"] == gate.calls

    run(main())


def test_a_plain_loader_does_not_block_the_loop() -> None:
    """It runs in a thread; context variables and other tasks go with it."""
    cache: Cache[str, str] = Cache(100)
    gate = Gate()

    async def main() -> None:
        asked = asyncio.create_task(cache.aget_or_load("a", gate))
        while not gate.entered.is_set():
            await asyncio.sleep(0)
        gate.opened.set()
        assert "value of a" == await asked

    run(main())


def test_a_loader_may_return_something_to_await() -> None:
    """As a lambda around a coroutine function does; it is awaited in the loop of who asked."""
    cache: Cache[str, int] = Cache(100)

    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def later(key: str) -> int:
            assert asyncio.get_running_loop() is loop
            return len(key)

        assert 3 == await cache.aget_or_load("abc", lambda key: later(key))

    run(main())


def test_threads_and_tasks_share_a_load() -> None:
    """Whichever kind began it."""
    cache: Cache[str, str] = Cache(100)

    async def main() -> None:
        gate = Awaited()
        task = asyncio.create_task(cache.aget_or_load("a", gate))
        await gate.entered.wait()
        threads = Threads(*[lambda: cache.get_or_load("a", len)] * 5)  # type: ignore[arg-type]
        await met(cache, 5)
        gate.opened.set()
        results = await asyncio.get_running_loop().run_in_executor(None, threads.join)
        assert ["value of a"] * 6 == [*results, await task]

        blocked = Gate()
        threads = Threads(lambda: cache.get_or_load("b", blocked))
        tasks = [asyncio.create_task(cache.aget_or_load("b", gate)) for _ in range(5)]
        await met(cache, 10)
        blocked.opened.set()
        assert ["value of b"] * 5 == await asyncio.gather(*tasks)
        assert ["value of b"] == threads.join()
        assert (["a"], ["b"]) == (gate.calls, blocked.calls)

    run(main())


def test_a_thread_does_not_wait_for_a_load_of_its_own_event_loop() -> None:
    """It would stop what it waits for: an error says to await instead, through threads too."""
    cache: Cache[str, Any] = Cache(100)

    async def main() -> None:
        gate = Awaited()
        task = asyncio.create_task(cache.aget_or_load("a", gate))
        await gate.entered.wait()
        with pytest.raises(LoadError, match=r"'a' needs the event loop.*await aget_or_load"):
            cache.get_or_load("a", len)
        threads = Threads(lambda: cache.get_or_load("b", lambda key: cache.get_or_load("a", len)))
        await met(cache, 2)
        with pytest.raises(LoadError, match=r"'b' needs the event loop"):
            cache.get_or_load("b", len)
        assert 1 == cache.get_or_load("c", len)
        gate.opened.set()
        assert "value of a" == await task
        assert ["value of a"] == await asyncio.to_thread(threads.join)

    run(main())


def test_the_loop_that_waits_is_not_waited_for() -> None:
    """A thread which then would wait for that loop is refused: nobody stands still."""
    cache: Cache[str, Any] = Cache(100)
    asked, go = threading.Event(), threading.Event()

    def load(_: str) -> Any:
        asked.set()
        assert go.wait(STUCK)
        until(lambda: cache.loads().waits >= 1)
        return cache.get_or_load("a", len)

    async def main() -> None:
        gate = Awaited()
        task = asyncio.create_task(cache.aget_or_load("a", gate))
        await gate.entered.wait()
        threads = Threads(lambda: cache.get_or_load("b", load))
        assert asked.wait(STUCK)
        go.set()
        with pytest.raises(LoadError, match=r"event loop|waits for itself"):
            cache.get_or_load("b", len)
        gate.opened.set()
        assert "value of a" == await task
        await asyncio.to_thread(threads.join)

    run(main())


def test_asynchronous_loaders_may_ask_for_other_keys_but_not_for_their_own() -> None:
    """Also where they ask for several at once."""
    cache: Cache[int, int] = Cache(100)

    async def fibonacci(number: int) -> int:
        if number < 2:
            return number
        parts = (cache.aget_or_load(number - back, fibonacci) for back in (1, 2))
        return sum(await asyncio.gather(*parts))

    assert 6_765 == run(cache.aget_or_load(20, fibonacci))
    assert 21 == cache.loads().loads

    async def around(key: int) -> int:
        return await cache.aget_or_load(100 + (key + 1) % 3, around)

    with pytest.raises(LoadError, match=r"100 -> .*101"):
        run(cache.aget_or_load(100, around))


def test_a_newer_value_stays() -> None:
    """What is set while a task loads is not written over."""
    cache: Cache[str, str] = Cache(100)

    async def main() -> None:
        gate = Awaited()
        task = asyncio.create_task(cache.aget_or_load("a", gate))
        await gate.entered.wait()
        cache["a"] = "new"
        gate.opened.set()
        assert "value of a" == await task
        assert "new" == await cache.aget_or_load("a", gate)

    run(main())


def test_several_keys_are_loaded_by_one_call_of_an_asynchronous_loader() -> None:
    """And by one call each where there is no bulk loader; what does not exist is left out."""

    async def bulk(keys: list[str]) -> dict[str, int]:
        return {key: ord(key) for key in keys if key != "x"}

    async def single(key: str) -> int:
        if key == "x":
            raise augury.NotFound(key)
        return ord(key)

    for options in ({"bulk_loader": bulk}, {"loader": single}):
        cache: Cache[str, int] = Cache(100, **options)
        cache["b"] = 0
        assert {"a": 97, "b": 0, "c": 99} == run(cache.aget_or_load_many("abxca"))
        assert {"a": 97, "b": 0, "c": 99} == cache.get_many("abcx")
        assert 100 == run(cache.aget_or_load("d"))
