"""The reader of a cache: what happens where a hit is not enough, for threads and tasks alike.

Decided in :meth:`KeyReader._seek`, in this order: is there a stale value that may be served while
somebody loads it anew; is it known that there is nothing; is a load under way already; else load.
Threads and tasks differ in how a load is started and waited for, and in nothing else. The cache is
an argument throughout: it holds its reader, and a cycle would keep both until a collection.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from augury import _core
from augury.errors import LoadError, NotFound
from augury.loading.absences import Absences
from augury.loading.costs import Loads, LoadStats, namespace_of
from augury.loading.flights import Flight, Flights
from augury.loading.load import CURRENT, Load, Order, shown
from augury.loading.prefetching import Prefetching
from augury.loading.renewing import Renewing
from augury.loading.settings import Settings, check_seconds
from augury.loading.waiting import wait_in_task, wait_in_thread
from augury.loading.workers import REFRESHES, Workers
from augury.tags import Tags

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["MISSING", "KeyReader"]

MISSING: Any = object()
LOGGER = logging.getLogger("augury.loading")
READERS: "WeakSet[KeyReader]" = WeakSet()


class KeyReader:
    """Loads for one cache, one key at a time.

    Args:
        settings: How.
        tags: Those of the cache, by name.
        timer: That of the cache, if it has one.
    """

    def __init__(
        self,
        settings: Settings,
        tags: Tags,
        timer: Callable[[], float] | None,
    ) -> None:
        self.settings = settings
        self.clock = timer or time.perf_counter
        self._absences: Absences | None = None
        if settings.negative_ttl is not None:
            self._absences = Absences(settings.negative_ttl, settings.negative_bytes, tags, timer)
        #: Fetch and refresh ahead, where anything does.
        self.ahead: Prefetching | None = None
        self.renewing: Renewing | None = None
        self.flights = Flights(is_watching=self._absences is not None)
        self._loads = Loads()
        self.begin()
        READERS.add(self)

    def begin(self) -> None:
        """With no flight under way: at first, and in the child of a fork, where nobody flies."""
        self.flights.begin()
        self._loads.begin()
        self.workers = Workers()
        self._room = threading.BoundedSemaphore(REFRESHES)
        for background in (self.ahead, self.renewing):
            if background is not None:
                background.begin()

    def attend(self, cache: _core.Cache) -> None:
        """Load for this cache what nobody has asked for, if the settings say so."""
        if self.settings.prefetch is not None:
            self.ahead = Prefetching(self, cache, self.settings.prefetch)
        if self.settings.refresh_ahead is not None:
            self.renewing = Renewing(self, cache, self.settings.refresh_ahead)

    def _go_ahead(self, loop: "AbstractEventLoop | None" = None) -> None:
        """Load what may be asked for next: the demand's own load has been handed out."""
        if self.renewing is not None:
            self.renewing.go(loop)
        if self.ahead is not None:
            self.ahead.go(loop)

    def _is_in_vain(self, flight: Flight) -> bool:
        """Whether a load of the background has failed, whose errors are nobody's."""
        is_failure = flight.error is not None and not isinstance(flight.error, NotFound)
        return is_failure and flight.load.owner is not self

    def load(
        self,
        cache: _core.Cache,
        key: Hashable,
        loader: Callable[[Any], Any] | None,
        ttl: float | None,
        tags: Iterable[Hashable] | None,
        timeout: float | None,
        namespace: str | None,
    ) -> Any:
        """The value of a key that is no hit, for a thread."""
        order = self.settings.order(loader, ttl, tags, namespace)
        timeout = self._timeout(timeout)
        flight, value = self._seek(cache, key, order, None)
        if flight is None:
            self._go_ahead()
            return value
        if timeout is not None and flight.load.order is order:
            self.workers.submit(flight.load)
        self._go_ahead()
        has_landed = wait_in_thread(flight, timeout)
        if self._is_in_vain(flight):
            return self.load(cache, key, loader, ttl, tags, timeout, namespace)
        return self._outcome(cache, flight, has_landed, timeout)

    async def load_in_task(
        self,
        cache: _core.Cache,
        key: Hashable,
        loader: Callable[[Any], Any] | None,
        ttl: float | None,
        tags: Iterable[Hashable] | None,
        timeout: float | None,
        namespace: str | None,
    ) -> Any:
        """The value of a key that is no hit, for a task."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        order = self.settings.order(loader, ttl, tags, namespace)
        timeout = self._timeout(timeout)
        flight, value = self._seek(cache, key, order, loop)
        if flight is None:
            self._go_ahead(loop)
            return value
        if flight.load.order is order:
            flight.load.start(loop)
        self._go_ahead(loop)
        has_landed = await wait_in_task(flight, timeout)
        if self._is_in_vain(flight):
            return await self.load_in_task(cache, key, loader, ttl, tags, timeout, namespace)
        return self._outcome(cache, flight, has_landed, timeout)

    def _seek(
        self,
        cache: _core.Cache,
        key: Hashable,
        order: Order,
        loop: "AbstractEventLoop | None",
        load: Load | None = None,
        refresh: Load | None = None,
    ) -> tuple[Flight | None, Any]:
        """The flight to wait for, or none and the value.

        The loads are those that the key is to share with others.
        """
        past = cache.past(key)
        if past is not None:
            entry, seconds = past
            if seconds < 0.0 and not entry.is_due:
                # Stored by somebody else since it was missed.
                return None, entry.value
            if seconds < self.settings.stale:
                self._refresh(cache, key, order, loop, entry, refresh)
                if seconds >= 0.0:
                    self._loads.count("stale_served")
                return None, entry.value
        self._refuse(key)
        own = load or Load(self, cache, order, loop)
        flight, is_made = self.flights.board(cache, key, lambda: Flight(key, own))
        if not is_made:
            self._loads.count("waits")
            return flight, None
        own.flights.append(flight)
        # The flight before this one may have landed since the key was missed.
        try:
            value = cache.peek(key, MISSING)
            self._refuse(key)
        except BaseException as error:
            self._withdraw(own, flight, None, error)
            raise
        if value is not MISSING:
            self._withdraw(own, flight, value, None)
            return None, value
        if load is None:
            own.offer()
        return flight, None

    def _withdraw(
        self, load: Load, flight: Flight, value: Any, error: BaseException | None
    ) -> None:
        """Land a flight that nobody has to fly."""
        load.flights.remove(flight)
        if error is not None and not isinstance(error, NotFound):
            # Such as a key's equality, which is this caller's alone.
            error = LoadError(f"the load of {shown(flight.key)} was given up; ask again")
        self.depart(load, flight)
        flight.land(value, error)

    def _refresh(
        self,
        cache: _core.Cache,
        key: Hashable,
        order: Order,
        loop: "AbstractEventLoop | None",
        entry: _core.Entry,
        shared: Load | None,
    ) -> None:
        """Have the entry loaded anew by somebody, if nobody does."""
        if not entry.claim():
            return
        load = shared or Load(self, cache, order, loop, is_refresh=True)
        if not load.flights and not self._room.acquire(blocking=False):
            entry.release()
            return
        is_made = False
        try:
            flight, is_made = self.flights.board(cache, key, lambda: Flight(key, load, entry))
        finally:
            if not is_made:
                entry.release()
                if not load.flights:
                    self._room.release()
        if is_made:
            load.flights.append(flight)
            if shared is None:
                self._dispatch(load, loop)

    def _dispatch(self, load: Load, loop: "AbstractEventLoop | None") -> None:
        load.offer()
        if loop is None:
            self.workers.submit(load)
        else:
            load.start(loop)

    def is_absent(self, key: Hashable) -> bool:
        """Whether it is known that there is nothing."""
        return self._absences is not None and key in self._absences

    def _refuse(self, key: Hashable) -> None:
        """Raise where it is known that there is nothing."""
        if self.is_absent(key):
            self._loads.count("absences_served")
            raise NotFound(key)

    def _timeout(self, timeout: float | None) -> float | None:
        if timeout is None:
            # What a loader asks for runs in its thread, within the time of who asked for it: a
            # thread for each step of a recursion would empty the pool.
            current = CURRENT.get()
            is_nested = current is not None and not current.is_done
            return None if is_nested else self.settings.load_timeout
        check_seconds("timeout", timeout)
        return timeout

    def _outcome(
        self, cache: _core.Cache, flight: Flight, has_landed: bool, timeout: float | None
    ) -> Any:
        """What the flight has brought, or a stale value in place of an error."""
        error: Exception | None = flight.error
        if not has_landed:
            self._loads.count("timeouts")
            error = LoadError(
                f"no value for {shown(flight.key)} within {timeout} s; its load goes on: ask "
                "again, or allow more by timeout or load_timeout"
            )
        elif error is None:
            return flight.value
        elif isinstance(error, LoadError | NotFound):
            raise error
        past = cache.past(flight.key) if self.settings.stale_if_error else None
        if past is not None and past[1] < self.settings.stale_if_error:
            self._loads.count("stale_served")
            return past[0].value
        raise error

    def keep(self, load: Load, flight: Flight, value: Any, seconds: float) -> None:
        """Store what a load has brought, unless the key was written meanwhile."""
        order, kept = load.order, self.settings.kept
        place = self._loads.place(name_of(load, flight))
        is_resident = load.cache.store(
            flight.permit, flight.key, value, order.ttl, order.tags, kept, seconds, place
        )
        if is_resident and self.renewing is not None:
            self.renewing.stored(load.cache, flight.key, order, seconds)

    def absent(self, load: Load, flight: Flight) -> None:
        """Remember that there is nothing, unless the key was written meanwhile."""
        load.cache.discard(flight.permit, flight.key)
        if self._absences is not None:
            self._absences.add(flight.permit, flight.key, load.order.tags)

    def depart(self, load: Load, flight: Flight) -> None:
        """From now on whoever misses begins anew."""
        self.flights.depart(load.cache, flight)

    def ended(self, load: Load, seconds: float, error: BaseException | None) -> None:
        """Count a load."""
        self.count(load, seconds, error)
        if load.is_refresh and load.flights:
            self._room.release()

    def count(self, load: Load, seconds: float, error: BaseException | None) -> None:
        """Count a load, and tell of the failure of one that nobody waited for."""
        is_failure = error is not None and not isinstance(error, NotFound)
        background = next((it for it in (self.ahead, self.renewing) if it is load.owner), None)
        if background is not None:
            self._loads.count("prefetches" if background is self.ahead else "refreshes_ahead")
        if is_failure and (load.is_refresh or background is not None):
            kind = "refresh" if background is None else background.name
            LOGGER.warning("%s of %s failed: %r", kind, load, error)
        names = [name_of(load, flight) for flight in load.flights]
        if not names:
            return
        costs = self._loads.add(seconds, is_failure, load.is_refresh, names)
        if costs is not None:
            load.cache.set_costs(costs)

    def written(self, key: Hashable) -> None:
        """The key is about to be written or removed."""
        self.flights.supersede(key)
        if self._absences is not None:
            self._absences.forget(key)

    def cleared(self) -> None:
        """Every key is about to be removed."""
        self.flights.supersede_all()
        if self._absences is not None:
            self._absences.clear()

    def stats(self) -> LoadStats:
        """What loading has done."""
        return self._loads.stats(self.flights.superseded)


def name_of(load: Load, flight: Flight) -> str:
    """The namespace of what is loaded."""
    asked = load.order.namespace
    return namespace_of(flight.key) if asked is None else asked


def begin_anew() -> None:
    """In the child of a fork."""
    for reader in READERS:
        reader.begin()


os.register_at_fork(after_in_child=begin_anew)
