"""Loads that nobody has asked for: what prefetching and refresh-ahead share.

The extension decides what to load; here it is loaded, behind the demand: after the load of whoever
missed has been handed out, a few calls at a time, in threads that no demand wants, or as tasks of
the loop that asked. A demand that comes while its key is being loaded waits for that flight.
Nothing that goes wrong here is raised: it is counted, and whoever waited for it loads by itself.
"""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, ref

from augury import _core
from augury.loading.flights import Flight
from augury.loading.load import Load, is_asynchronous
from augury.loading.waiting import running_loop

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from augury.loading.reader import KeyReader

__all__ = ["Background"]

#: Calls of loaders under way at most, and keys in one call of a bulk loader.
CALLS = 4
KEYS = 64
LOGGER = logging.getLogger("augury.loading")


class Background(ABC):
    """Loads for one cache, by its own loader: the bulk loader if it has one.

    Args:
        reader: What else loads for it.
        cache: Which.
    """

    #: In messages.
    name: str

    def __init__(self, reader: "KeyReader", cache: _core.Cache) -> None:
        self.reader = reader
        self.order = reader.settings.bulk_order(None, None, None, None)
        # The cache holds its reader, which holds this.
        self._cache: ReferenceType[_core.Cache] = ref(cache)
        self._room = threading.BoundedSemaphore(CALLS)
        self._is_anew = False

    def begin(self) -> None:
        """With nothing under way: in the child of a fork."""
        self._room = threading.BoundedSemaphore(CALLS)
        self._is_anew = True

    @abstractmethod
    def take(self, cache: _core.Cache, limit: int) -> list[Any]:
        """Up to so many keys that are to be loaded now."""

    @abstractmethod
    def give_back(self, cache: _core.Cache, key: Hashable) -> None:
        """The key was taken, and no load is begun for it."""

    @abstractmethod
    def forget(self, cache: _core.Cache) -> None:
        """What was taken will never land."""

    @abstractmethod
    def keep(self, load: Load, flight: Flight, value: Any, seconds: float) -> None:
        """Do something with what a load has brought."""

    @abstractmethod
    def lose(self, load: Load, flight: Flight, is_absent: bool) -> None:
        """The load has brought nothing; said of all, but of no account after `keep`."""

    def go(self, loop: "AbstractEventLoop | None" = None) -> None:
        """Load what is to be loaded, if there is time for it; else it waits for the next call."""
        cache = self._cache()
        if cache is None:
            return
        if self._is_anew:
            self._is_anew = False
            self.forget(cache)
        if loop is not None and loop.is_closed():
            loop = None
        if is_asynchronous(self.order.loader):
            loop = loop or running_loop()
            if loop is None:
                for key in self.take(cache, KEYS):
                    self.give_back(cache, key)
                return
        limit = KEYS if self.order.is_bulk else 1
        while (loop is not None or self.reader.workers.has_room) and self._acquire():
            load = Load(self, cache, self.order, loop)
            try:
                keys = self.take(cache, limit)
                for key in keys:
                    self._board(cache, key, load)
            finally:
                if not load.flights:
                    self._room.release()
            if not keys:
                return
            if load.flights:
                self._send(load, loop)

    def _acquire(self) -> bool:
        return self._room.acquire(blocking=False)

    def _board(self, cache: _core.Cache, key: Hashable, load: Load) -> None:
        """Make the key's flight, unless somebody loads it already or knows that it has nothing."""
        try:
            if not self.reader.is_absent(key):
                flight, is_made = self.reader.flights.board(cache, key, lambda: Flight(key, load))
                if is_made:
                    load.flights.append(flight)
                    return
        except Exception as error:
            # Such as a key's equality.
            LOGGER.warning("%s failed: %r", self.name, error)
        self.give_back(cache, key)

    def _send(self, load: Load, loop: "AbstractEventLoop | None") -> None:
        load.offer()
        if loop is None:
            self.reader.workers.submit(load)
        else:
            load.start(loop)

    def clock(self) -> float:
        """Seconds."""
        return self.reader.clock()

    def absent(self, load: Load, flight: Flight) -> None:
        """There is no such thing."""
        self.lose(load, flight, is_absent=True)
        self.reader.absent(load, flight)

    def depart(self, load: Load, flight: Flight) -> None:
        """The flight is about to land: with an error, if it has not brought anything by now."""
        self.lose(load, flight, is_absent=False)
        self.reader.flights.depart(load.cache, flight)

    def ended(self, load: Load, seconds: float, error: BaseException | None) -> None:
        """Count the load, and go on with what waits."""
        self._room.release()
        self.reader.count(load, seconds, error)
        if error is None:
            self.go(load.loop)
