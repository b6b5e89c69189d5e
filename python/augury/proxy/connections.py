"""Connections to one origin: so many at a time, kept open, and the last one used is the next.

httpcore's own pool looks at every connection for every other one whenever a request begins or
ends: of a miss, with a hundred connections, that was most of the CPU time. Here each request looks
at a few. What a connection does is httpcore's; this module knows nothing of what is asked.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import httpcore

__all__ = ["Connection", "Connections", "Held"]


class Connection(Protocol):
    """What is needed of `httpcore.AsyncHTTPConnection`."""

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Ask on it."""
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...

    def is_idle(self) -> bool:
        """Whether it may be asked again."""
        ...

    def has_expired(self) -> bool:
        """Whether it has been idle for too long, or the other side has closed it."""
        ...


class Held:
    """A connection that one request has, until it lets go of it."""

    def __init__(self, pool: "Connections", connection: Connection, is_new: bool) -> None:
        self._pool, self._connection = pool, connection
        #: Whether nothing has been asked on it before.
        self.is_new = is_new
        self._is_held = True

    async def ask(self, request: httpcore.Request) -> httpcore.Response:
        """One request, once.

        Raises:
            httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException: It failed.
        """
        return await self._connection.handle_async_request(request)

    async def let_go(self) -> None:
        """It is another's turn; if its answer was not read to the end, it is closed."""
        if self._is_held:
            self._is_held = False
            await self._pool.take_back(self._connection)


class Connections:
    """See the module.

    Args:
        connect: Makes a connection, which connects when it is first asked.
        most: How many there are at a time.
    """

    def __init__(self, connect: Callable[[], Connection], most: int) -> None:
        self._connect = connect
        self._places = asyncio.Semaphore(most)
        #: Those that nobody has, the last one used at the end.
        self._idle: deque[Connection] = deque()
        self._is_closed = False

    async def hold(self, seconds: float) -> Held:
        """A connection, once there is one.

        Args:
            seconds: How long to wait for it.

        Raises:
            httpcore.PoolTimeout: There was none in that time.
        """
        if self._places.locked():
            try:
                async with asyncio.timeout(seconds):
                    await self._places.acquire()
            except TimeoutError:
                raise httpcore.PoolTimeout from None
        else:
            await self._places.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if not connection.has_expired():
                    return Held(self, connection, is_new=False)
                await connection.aclose()
            return Held(self, self._connect(), is_new=True)
        except BaseException:
            self._places.release()
            raise

    async def take_back(self, connection: Connection) -> None:
        """Keep it for the next one, or close it; those that are no longer of use are closed."""
        try:
            if connection.is_idle() and not connection.has_expired() and not self._is_closed:
                self._idle.append(connection)
            else:
                await connection.aclose()
            while self._idle and self._idle[0].has_expired():
                await self._idle.popleft().aclose()
        finally:
            self._places.release()

    async def close(self) -> None:
        """Close those that nobody has; the others are closed when they are let go of."""
        self._is_closed = True
        while self._idle:
            await self._idle.popleft().aclose()
