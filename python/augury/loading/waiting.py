"""Waiting for a flight, in a thread or in a task, and not for ever.

A loader may ask the cache, so loads wait for loads. Who is about to wait says so in a graph, and
where the new edge would close a cycle (a loader asks for its own key; two ask for each other's)
the wait is refused by a `LoadError` that names the keys. A thread that runs an event loop is in
the graph too: while it waits, the loop's own loads stand still.

Which load code runs for is told by a context variable, as tasks and `asyncio.to_thread` inherit it;
threads that a loader starts by itself do not, and have timeouts only.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from augury.errors import LoadError
from augury.loading.flights import Flight
from augury.loading.load import CURRENT, Load, shown

__all__ = ["wait_in_task", "wait_in_thread"]

GRAPH = threading.RLock()
#: What the threads of event loops wait for.
BLOCKED: dict[Any, list[Load]] = {}
os.register_at_fork(
    before=GRAPH.acquire, after_in_parent=GRAPH.release, after_in_child=GRAPH.release
)


def wait_in_thread(flight: Flight, timeout: float | None) -> bool:
    """Wait until the flight has landed, or run its load if nobody does; whether it has landed.

    Raises:
        LoadError: It would wait for itself.
    """
    if flight.has_landed:
        return True
    current, loop = CURRENT.get(), running_loop()
    if current is None and loop is None:
        return wait(flight, timeout)
    with dependence(flight, current, loop):
        return wait(flight, timeout)


def wait(flight: Flight, timeout: float | None) -> bool:
    """Block this thread."""
    load = flight.load
    if timeout is None and load.begin():
        load.run()
        if load.interruption is not None:
            # Ctrl-C was for this thread.
            raise load.interruption
    if not flight.has_landed:
        with suppress(TimeoutError):
            flight.landing().result(timeout)
    return flight.has_landed


async def wait_in_task(flight: Flight, timeout: float | None) -> bool:
    """As :func:`wait_in_thread`, for a task: whoever cancels it cancels the wait alone."""
    if flight.has_landed:
        return True
    # Loaded already by whoever runs a task, and not by `import augury`.
    import asyncio

    with dependence(flight, CURRENT.get(), None), suppress(TimeoutError):
        async with asyncio.timeout(timeout):
            await asyncio.wrap_future(flight.landing())
    return flight.has_landed


def running_loop() -> Any:
    """The event loop that this thread is running; without loading asyncio."""
    events: Any = sys.modules.get("asyncio.events")
    return None if events is None else events._get_running_loop()


@contextmanager
def dependence(flight: Flight, current: Load | None, loop: Any) -> Iterator[None]:
    """Within it the load, or the loop of this thread, waits for the flight."""
    load = flight.load
    waiting: list[list[Load]] = []
    with GRAPH:
        if current is not None and not current.is_done:
            if (way := path(load, lambda other: other is current)) is not None:
                keys = " -> ".join(str(one) for one in (current, *way))
                raise LoadError(
                    f"the loader of {current} waits for itself: {keys}; have it ask for other "
                    "keys, or for what it needs by `get`"
                )
            waiting.append(current.awaited)
        if loop is not None:
            if path(load, lambda other: other.loop is loop) is not None:
                raise LoadError(
                    f"a load of {shown(flight.key)} needs the event loop of this thread, which "
                    "would wait for it: await aget_or_load instead"
                )
            waiting.append(BLOCKED.setdefault(loop, []))
        for edges in waiting:
            edges.append(load)
    try:
        yield
    finally:
        with GRAPH:
            for edges in waiting:
                edges.remove(load)
            if loop is not None and not BLOCKED.get(loop, True):
                del BLOCKED[loop]


def path(start: Load, is_goal: Any) -> list[Load] | None:
    """The loads from this one to the first that is a goal, along what each waits for."""
    seen, ways = {id(start)}, [[start]]
    while ways:
        way = ways.pop()
        last = way[-1]
        if last.is_done:
            continue
        if is_goal(last):
            return way
        for other in (*last.awaited, *BLOCKED.get(last.loop, ())):
            if id(other) not in seen:
                seen.add(id(other))
                ways.append([*way, other])
    return None
