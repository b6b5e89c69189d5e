"""The near cache of tasks: the same values, the same promise, and hits that wait for nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey.asyncio

from augury import ConfigError, NearCache
from servers import lookups

Work = Callable[[NearCache, Any], Awaitable[None]]


def run(port: int, work: Work, library: Any = redis.asyncio, **options: Any) -> None:
    """Do it in a loop, with a near cache that is vouched for."""

    async def whole() -> None:
        name = "Redis" if library is redis.asyncio else "Valkey"
        async with getattr(library, name)(port=port) as client:
            await client.flushall()
            async with NearCache(client, **options) as near:
                assert await asyncio.to_thread(near.wait)
                await work(near, client)

    asyncio.run(asyncio.wait_for(whole(), 60))


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for it; `run` waits no longer than a minute."""
    while not await holds():
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("library", [redis.asyncio, valkey.asyncio])
def test_tasks_read_and_write(port: int, library: Any) -> None:
    """What was written is read, by one key and by several; hits also without awaiting."""

    async def work(near: NearCache, client: Any) -> None:
        for number in range(50):
            await near.aset("n", number)
            assert b"%d" % number == await near.aget("n")

        async def is_held() -> bool:
            await near.aget("n")
            return bool(near.held("n", None) == b"49")

        await until(is_held)
        assert b"49" == near.get("n")
        await near.aset_many({"a": "1", "b": "2"})
        assert {"a": b"1", "b": b"2"} == await near.aget_many(["a", "b", "c"])
        assert 4 == await near.acall("incrby", "a", 3)
        assert (b"4", "none") == (await near.aget("a"), await near.aget("c", "none"))
        assert 2 == await near.adelete("a", "b")
        assert await near.aget("a") is None
        with pytest.raises(ConfigError, match="await aget"):
            near.get("a")
        with pytest.raises(ConfigError, match="await acall"):
            near.set("a", 1)

    run(port, work, library)


def test_a_change_by_somebody_else_is_seen(port: int) -> None:
    """Without anything that the loop has to do for it."""

    async def work(near: NearCache, client: Any) -> None:
        await client.set("a", "1")
        assert b"1" == await near.aget("a")
        await client.set("a", "2")

        async def is_new() -> bool:
            return bool(await near.aget("a") == b"2")

        await until(is_new)

    run(port, work)


def test_of_many_tasks_one_reads(port: int) -> None:
    """Single flight, and everybody gets it; whoever is cancelled cancels nobody else."""

    async def work(near: NearCache, client: Any) -> None:
        await client.set("a", "1")
        with redis.Redis(port=port) as control:
            before = lookups(control)
            tasks = [asyncio.create_task(near.aget("a")) for _ in range(50)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            assert [b"1"] * 49 == found[1:]
            assert 1 == lookups(control) - before

    run(port, work)


def test_what_is_likely_to_follow_is_fetched(port: int) -> None:
    """In tasks of the loop."""

    async def work(near: NearCache, client: Any) -> None:
        keys = [f"{n}" for n in range(400)]
        await client.mset({key: key for key in keys})
        for _ in range(6):
            for key in keys:
                assert key.encode() == await near.aget(key)
        assert near.cache.prefetches().used > 0

    run(port, work, capacity="10 kB", prefetch=0.5)


def test_a_task_may_use_a_client_of_threads(port: int) -> None:
    """It is called in a thread."""

    async def whole() -> None:
        with redis.Redis(port=port) as client:
            async with NearCache(client) as near:
                assert await asyncio.to_thread(near.wait)
                await near.aset("a", "1")
                assert [b"1"] * 3 == [await near.aget("a") for _ in range(3)]

    asyncio.run(asyncio.wait_for(whole(), 60))
