"""Connections to the origin: how many there are, which is the next, and which are closed."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import httpcore
import httpx
import pytest

from augury.proxy.connections import Connections
from sockets import head_of, running, scripted

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"


class Fake:
    """A connection that is what it is told to be."""

    looks = 0

    def __init__(self) -> None:
        self.is_closed, self.is_read, self.is_old = False, True, False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """One answer."""
        return httpcore.Response(200)

    async def aclose(self) -> None:
        """Close it."""
        self.is_closed = True

    def is_idle(self) -> bool:
        """Whether its answer has been read."""
        return self.is_read

    def has_expired(self) -> bool:
        """Whether it is too old; how often that is asked is counted."""
        Fake.looks += 1
        return self.is_old


class Pool:
    """A pool of them, and all that it has made."""

    def __init__(self, most: int) -> None:
        self.made: list[Fake] = []
        self.connections = Connections(self._make, most)

    def _make(self) -> Fake:
        self.made.append(Fake())
        return self.made[-1]


def pooled(most: int) -> Callable[[Callable[[Pool], Coroutine[Any, Any, None]]], Any]:
    """Make a test of an asynchronous function of a pool."""

    def decorate(test: Callable[[Pool], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        def run() -> None:
            async def go() -> None:
                await test(Pool(most))

            asyncio.run(go())

        run.__doc__ = test.__doc__
        return run

    return decorate


@pooled(2)
async def test_who_comes_when_all_are_held_waits(pool: Pool) -> None:
    """In the order of coming, and is given what another has let go of."""
    first, _ = await pool.connections.hold(1), await pool.connections.hold(1)
    waiting = [asyncio.create_task(pool.connections.hold(10)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not waiting[0].done()
    await first.let_go()
    await first.let_go()
    third = await waiting[0]
    await asyncio.sleep(0)
    assert (False, False, 2) == (third.is_new, waiting[1].done(), len(pool.made))
    waiting[1].cancel()
    await third.let_go()
    assert not (await pool.connections.hold(1)).is_new


@pooled(1)
async def test_nobody_waits_for_ever(pool: Pool) -> None:
    """An error after the time, and the place is still there afterwards."""
    held = await pool.connections.hold(1)
    with pytest.raises(httpcore.PoolTimeout):
        await pool.connections.hold(0.01)
    await held.let_go()
    assert not (await pool.connections.hold(1)).is_new


@pooled(3)
async def test_the_last_one_used_is_the_next(pool: Pool) -> None:
    """So those that are not needed grow old, and are closed."""
    held = [await pool.connections.hold(1) for _ in range(3)]
    for one in held:
        await one.let_go()
    pool.made[0].is_old = pool.made[1].is_old = True
    again = await pool.connections.hold(1)
    await again.let_go()
    assert [True, True, False] == [made.is_closed for made in pool.made]
    pool.made[2].is_old = True
    assert (await pool.connections.hold(1)).is_new
    assert pool.made[2].is_closed


@pooled(1)
async def test_an_answer_that_was_not_read_ends_its_connection(pool: Pool) -> None:
    """What is left of it is nobody's; so does one that has more bytes than it says."""
    for spoil in ("is_read", "is_old"):
        held = await pool.connections.hold(1)
        setattr(pool.made[-1], spoil, spoil == "is_old")
        await held.let_go()
        assert pool.made[-1].is_closed
    assert (await pool.connections.hold(1)).is_new


@pooled(2)
async def test_the_end(pool: Pool) -> None:
    """Those that nobody has are closed, the others when they are let go of."""
    held, idle = await pool.connections.hold(1), await pool.connections.hold(1)
    await idle.let_go()
    await pool.connections.close()
    assert [False, True] == [made.is_closed for made in pool.made]
    await held.let_go()
    assert pool.made[0].is_closed


@pooled(200)
async def test_a_request_does_not_look_at_all_connections(pool: Pool) -> None:
    """With 200 of them open, each request looks at a few."""
    for held in [await pool.connections.hold(1) for _ in range(200)]:
        await held.let_go()
    before = Fake.looks
    for _ in range(100):
        await (await pool.connections.hold(1)).let_go()
    assert Fake.looks - before <= 300
    assert 200 == len(pool.made)


def test_many_clients_and_few_connections() -> None:
    """All are answered, over as many connections as are allowed."""
    opened: set[int] = set()
    reached, all_there = threading.Semaphore(0), threading.Event()

    def answer(connection: socket.socket, number: int) -> None:
        opened.add(number)
        while head_of(connection):
            reached.release()
            assert all_there.wait(30)
            connection.sendall(OK)

    async def ask(port: int) -> list[int]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=30, limits=limits) as client:
            asking = [
                asyncio.create_task(client.get(f"http://127.0.0.1:{port}/{number}"))
                for number in range(60)
            ]
            for _ in range(5):
                assert await asyncio.to_thread(reached.acquire, True, 30)
            all_there.set()
            return [answer.status_code for answer in await asyncio.gather(*asking)]

    with (
        scripted(answer) as origin,
        running(f"http://127.0.0.1:{origin}", connections=5) as (port, _),
    ):
        assert [200] * 60 == asyncio.run(ask(port))
    assert {1, 2, 3, 4, 5} == opened
