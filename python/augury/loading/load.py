"""A load: one call of a loader, for the flight of one key or for several.

It belongs to whoever begins it first: the thread that missed, a worker, a task, or a thread that
waits for it while it stands in a queue, so that nobody waits for what nobody runs. It always ends
with all of its flights landed, whatever the loader raises. This module must not know who waits.
"""

import inspect
import threading
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from augury import _core
from augury.errors import ConfigError, LoadError, NotFound
from augury.loading.flights import Flight

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

__all__ = ["CURRENT", "Load", "Order", "Owner", "is_asynchronous", "shown"]

#: The load on whose behalf this code runs: what a loader asks for is waited for by its load.
CURRENT: ContextVar["Load | None"] = ContextVar("augury_load", default=None)
#: Loop tasks are held weakly by their loop.
TASKS: "set[Task[None]]" = set()


@dataclass(slots=True, eq=False)
class Order:
    """What is asked of a load; nobody changes it."""

    loader: Callable[[Any], Any]
    #: Whether it takes a list of keys and returns a mapping.
    is_bulk: bool
    #: Of the entry, in seconds.
    ttl: float | None
    tags: tuple[Hashable, ...] | None
    namespace: str | None


class Owner(Protocol):
    """Who ordered a load, and does something with what it brings."""

    def clock(self) -> float:
        """Seconds."""

    def keep(self, load: "Load", flight: Flight, value: Any, seconds: float) -> None:
        """Store a value."""

    def absent(self, load: "Load", flight: Flight) -> None:
        """There is no such thing."""

    def ended(self, load: "Load", seconds: float, error: BaseException | None) -> None:
        """All flights have landed."""

    def depart(self, load: "Load", flight: Flight) -> None:
        """The flight is about to land."""


class Load:
    """See the module's head. With a ``loop`` it was asked for by a task of that loop."""

    def __init__(
        self,
        owner: Owner,
        cache: _core.Cache,
        order: Order,
        loop: "AbstractEventLoop | None",
        is_refresh: bool = False,
    ) -> None:
        self.owner = owner
        self.cache = cache
        self.order = order
        self.loop = loop
        #: Whether nobody waits for it: what there is, is served meanwhile.
        self.is_refresh = is_refresh
        self.flights: list[Flight] = []
        self.is_done = False
        #: Loads that it waits for: see `augury.loading.waiting`.
        self.awaited: list[Load] = []
        #: What ended it that is no error, such as Ctrl-C.
        self.interruption: BaseException | None = None
        self._claim = threading.Lock()
        self._claim.acquire()

    @property
    def is_stranded(self) -> bool:
        """Whether it was asked for by a task of a loop that has stopped: it may never end."""
        return self.loop is not None and not self.loop.is_running()

    def begin(self) -> bool:
        """Whether the caller is the one to run it."""
        return self._claim.acquire(blocking=False)

    def offer(self) -> None:
        """Let somebody begin: all flights are aboard."""
        self._claim.release()

    def run(self) -> None:
        """Call the loader in this thread; it was begun. Raises nothing."""
        token, start = CURRENT.set(self), None
        try:
            start = self.owner.clock()
            result = self._call()
            if hasattr(type(result), "__await__"):
                self._hand_over(result)
                return
            seconds = self.owner.clock() - start
        except BaseException as error:
            self.fail(error, self._since(start))
        else:
            self._land(result, seconds)
        finally:
            CURRENT.reset(token)

    def run_if_left(self) -> None:
        """Call the loader in this thread, if nobody has begun."""
        if self.begin():
            self.run()

    def start(self, loop: "AbstractEventLoop") -> None:
        """Run it beside the tasks of this thread's loop, if nobody has begun.

        A coroutine function runs as a task; any other in a thread of the loop, as it may block.
        """
        if is_asynchronous(self.order.loader):
            if self.begin():
                self._spawn(loop, None)
            return
        try:
            loop.run_in_executor(None, copy_context().run, self.run_if_left)
        except RuntimeError as error:
            if self.begin():
                self.fail(error, 0.0)

    def fail(self, error: BaseException, seconds: float) -> None:
        """Let everyone go with an error."""
        if isinstance(error, Exception):
            told = error
        else:
            self.interruption = error
            told = LoadError(f"the load of {self} was ended by {type(error).__name__}; ask again")
            told.__cause__ = error
        for flight in self.flights:
            self._arrive(flight, None, told, seconds)
        self._end(seconds, error)

    def _since(self, start: float | None) -> float:
        """Seconds, after an error: perhaps of the clock itself."""
        try:
            return 0.0 if start is None else self.owner.clock() - start
        except Exception:
            return 0.0

    def _call(self) -> Any:
        if self.order.is_bulk:
            return self.order.loader([flight.key for flight in self.flights])
        return self.order.loader(self.flights[0].key)

    def _hand_over(self, awaitable: Awaitable[Any]) -> None:
        """The loader was asynchronous after all: its loop goes on with it."""
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._spawn, self.loop, awaitable)
            return
        if inspect.iscoroutine(awaitable):
            awaitable.close()
        raise ConfigError(
            f"loader {self.order.loader!r} is asynchronous: await aget_or_load instead"
        )

    def _spawn(self, loop: "AbstractEventLoop", awaitable: Awaitable[Any] | None) -> None:
        task = loop.create_task(self._await(awaitable))
        TASKS.add(task)
        task.add_done_callback(self._leave)

    async def _await(self, awaitable: Awaitable[Any] | None) -> None:
        CURRENT.set(self)
        start = None
        try:
            start = self.owner.clock()
            result = await (self._call() if awaitable is None else awaitable)
            seconds = self.owner.clock() - start
        except BaseException as error:
            self.fail(error, self._since(start))
            if not isinstance(error, Exception):
                raise
        else:
            self._land(result, seconds)

    def _leave(self, task: "Task[None]") -> None:
        """The task has ended, perhaps before it began."""
        TASKS.discard(task)
        if not self.is_done:
            self.fail(LoadError(f"the load of {self} was cancelled; ask again"), 0.0)

    def _land(self, result: Any, seconds: float) -> None:
        if not self.order.is_bulk:
            self._arrive(self.flights[0], result, None, seconds)
        elif isinstance(result, Mapping):
            share = seconds / len(self.flights)
            for flight in self.flights:
                value, error = found_in(result, flight.key)
                self._arrive(flight, value, error, share)
        else:
            self.fail(
                ConfigError(
                    f"bulk loader {self.order.loader!r} returned a {type(result).__name__}: "
                    "expected a mapping of keys to values, without those that do not exist"
                ),
                seconds,
            )
            return
        self._end(seconds, None)

    def _arrive(self, flight: Flight, value: Any, error: Exception | None, seconds: float) -> None:
        """Store what there is to store, then let everyone go who waits for this flight."""
        if flight.has_landed:
            return
        try:
            if error is None:
                self.owner.keep(self, flight, value, seconds)
            elif isinstance(error, NotFound):
                self.owner.absent(self, flight)
        except Exception as other:
            # Such as a sizeof that raises.
            error = other
        finally:
            self.owner.depart(self, flight)
            flight.land(value, error)

    def _end(self, seconds: float, error: BaseException | None) -> None:
        if not self.is_done:
            self.is_done = True
            self.owner.ended(self, seconds, error)
            # Flights know their load: a cycle would keep cache and values until a collection.
            self.flights = []

    def __str__(self) -> str:
        """The first key, and how many others."""
        first = shown(self.flights[0].key) if self.flights else "no key"
        others = len(self.flights) - 1
        return f"{first} and {others:,} others" if others > 0 else first


def found_in(result: Mapping[Any, Any], key: Hashable) -> tuple[Any, Exception | None]:
    """What a bulk loader has brought for a key, or the error in its place."""
    try:
        return result[key], None
    except KeyError:
        return None, NotFound(key)
    except Exception as error:
        return None, error


def shown(key: object) -> str:
    """A key in a message."""
    try:
        text = repr(key)
    except Exception:
        text = f"<{type(key).__name__}>"
    return text if len(text) <= 60 else text[:57] + "..."


def is_asynchronous(loader: Callable[[Any], Any]) -> bool:
    """Whether calling it makes a coroutine and does nothing else yet."""
    return inspect.iscoroutinefunction(loader) or inspect.iscoroutinefunction(
        getattr(type(loader), "__call__", None)  # noqa: B004
    )
