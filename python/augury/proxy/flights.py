"""Flights: one request to the origin for all who want the same answer at once (RFC 9111, 4).

Who asks first makes the flight; a task of its own flies it, so that nobody depends on how fast, or
whether, the first client reads. How an answer reaches them depends on what its head says:

    storable, of known length     all read it while it comes
    storable, of unknown length   the first reads it while it comes, the others wait for its end
    not storable, too large       the first alone; the others make requests of their own

It knows neither the origin nor the cache: what is fetched and what is stored is the caller's.
"""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from augury.proxy.answers import Kept
from augury.proxy.fields import Fields
from augury.proxy.origin import Arrival, OriginFailed

__all__ = ["Alone", "Coming", "Flight", "Flights", "There"]


@dataclass(slots=True)
class There:
    """The whole answer is there, as it is stored now."""

    kept: Kept
    #: Status of what the origin has answered.
    forwarded: int


@dataclass(slots=True)
class Alone:
    """An answer for one client, whose body is still with the origin."""

    arrival: Arrival
    fields: Fields
    #: Why it is not stored.
    reason: str

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body."""
        return self.arrival.chunks()

    async def close(self) -> None:
        """Let go of it, read or not."""
        await self.arrival.close()


class Coming:
    """An answer to be stored, while its body comes.

    Args:
        kept: What is stored of it but for the body.
        fields: What is sent of its head.
        length: Bytes of the body, if that is known.
    """

    def __init__(self, kept: Kept, fields: Fields, length: int | None) -> None:
        self.kept, self.fields, self.length = kept, fields, length
        self.parts: list[bytes] = []
        self.error: OriginFailed | None = None
        self.is_complete = False
        #: The rest of a body that has become too large to be stored: for the first reader.
        self.rest: AsyncGenerator[bytes, None] | None = None
        self._readers = 0
        self._reader_came = asyncio.Event()
        self._news = asyncio.Event()

    def tell(self) -> None:
        """Something has changed."""
        self._news.set()
        self._news = asyncio.Event()

    @property
    def has_ended(self) -> bool:
        """Whether nothing more comes into `parts`."""
        return self.is_complete or self.error is not None or self.rest is not None

    async def is_read(self) -> bool:
        """Whether anybody reads it, or begins to within a second: the first may be on the way."""
        try:
            await asyncio.wait_for(self._reader_came.wait(), 1.0)
        except TimeoutError:
            return False
        return self._readers > 0

    async def ended(self) -> None:
        """Wait for that."""
        while not self.has_ended:
            await self._news.wait()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body.

        Raises:
            OriginFailed: It has broken off.
        """
        position = 0
        self._readers += 1
        self._reader_came.set()
        try:
            while True:
                while position < len(self.parts):
                    yield self.parts[position]
                    position += 1
                if position == len(self.parts) and self.has_ended:
                    break
                await self._news.wait()
            if self.error is not None:
                raise self.error
            if self.rest is not None:
                self.parts.clear()
                async with aclosing(self.rest) as rest:
                    async for chunk in rest:
                        yield chunk
        finally:
            self._readers -= 1


#: What a flight has brought by the time its head is known.
Landing = There | Coming | Alone


class Flight:
    """One request under way."""

    def __init__(self, name: str) -> None:
        self.name = name
        #: Whether a write has made what it brings old: it is not to be stored.
        self.is_superseded = False
        #: Whether who made it still waits for what it brings.
        self.is_awaited = False
        self._landing: asyncio.Future[Landing] = asyncio.get_running_loop().create_future()

    @property
    def has_landed(self) -> bool:
        """Whether it is known what it brings."""
        return self._landing.done()

    def land(self, landing: Landing) -> None:
        """It brings this."""
        if not self._landing.done():
            self._landing.set_result(landing)

    def fail(self, error: BaseException) -> None:
        """It brings nothing."""
        if not self._landing.done():
            self._landing.set_exception(error)
            # Nobody may be waiting.
            self._landing.exception()

    async def landed(self) -> Landing:
        """What it brings. A waiter that is cancelled does not take the others along.

        Raises:
            OriginFailed: Nothing.
        """
        return await asyncio.shield(self._landing)

    async def landed_for_its_maker(self) -> Landing:
        """The same for who made it, and alone may be given what is for one."""
        self.is_awaited = True
        try:
            return await self.landed()
        except asyncio.CancelledError:
            self.is_awaited = False
            if self._landing.done() and self._landing.exception() is None:
                found = self._landing.result()
                if isinstance(found, Alone):
                    await found.close()
            raise


class Flights:
    """Those under way, by the names of the answers that they are to bring."""

    def __init__(self) -> None:
        self._by_name: dict[str, Flight] = {}
        #: Those of which nobody else is told, while they last.
        self._alone: weakref.WeakSet[Flight] = weakref.WeakSet()
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._by_name)

    def under_way(self, name: str) -> Flight | None:
        """That which will bring this answer."""
        return self._by_name.get(name)

    def start(self, name: str, fly: Callable[[Flight], Coroutine[Any, Any, None]]) -> Flight:
        """Make one; ``fly`` runs as a task of its own and has to land it."""
        flight = self._by_name[name] = Flight(name)
        task = asyncio.get_running_loop().create_task(self._flown(flight, fly))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return flight

    def alone(self, name: str) -> Flight:
        """One that its maker flies: nobody else is told of it, and a write supersedes it."""
        flight = Flight(name)
        self._alone.add(flight)
        return flight

    async def _flown(
        self, flight: Flight, fly: Callable[[Flight], Coroutine[Any, Any, None]]
    ) -> None:
        try:
            await fly(flight)
        except asyncio.CancelledError:
            flight.fail(OriginFailed(503, "the proxy is shutting down"))
            raise
        except BaseException as error:
            flight.fail(error)
            if not isinstance(error, OriginFailed):
                raise
        finally:
            self.depart(flight)
            flight.fail(OriginFailed(502, "the request to the origin was given up"))

    def depart(self, flight: Flight) -> None:
        """Whoever asks from now on begins anew."""
        if self._by_name.get(flight.name) is flight:
            del self._by_name[flight.name]

    def supersede(self, target: str) -> None:
        """A write has changed what this target answers."""
        for flight in self._all():
            if flight.name == target or flight.name.startswith(target + "\n"):
                flight.is_superseded = True
                self.depart(flight)

    def supersede_all(self) -> None:
        """A write has changed what nobody can tell from the names."""
        for flight in self._all():
            flight.is_superseded = True
            self.depart(flight)

    def _all(self) -> list[Flight]:
        return [*self._by_name.values(), *self._alone]

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something else run for as long as the proxy does."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End all of them."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
