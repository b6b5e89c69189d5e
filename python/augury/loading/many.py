"""Several keys in one call: what is missing is one load for those that nobody loads yet."""

import time
from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, Any

from augury import _core
from augury.errors import NotFound
from augury.loading.flights import Flight
from augury.loading.load import Load, Order
from augury.loading.reader import KeyReader
from augury.loading.waiting import wait_in_task, wait_in_thread

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["Reader"]


class Reader(KeyReader):
    """Loads for one cache, one key or several at a time."""

    def load_many(
        self,
        cache: _core.Cache,
        keys: Iterable[Hashable],
        order: Order,
        timeout: float | None,
        session: Hashable = None,
    ) -> dict[Any, Any]:
        """The values of several keys, for a thread; one call for those that nobody loads yet."""
        timeout, wanted = self._timeout(timeout), list(dict.fromkeys(keys))
        found, flights, loads = self._seek_many(cache, wanted, order, None, session)
        if timeout is not None:
            for load in loads:
                self.workers.submit(load)
        self._go_ahead()
        ends = None if timeout is None else time.monotonic() + timeout
        try:
            landed = {key: wait_in_thread(flight, left(ends)) for key, flight in flights.items()}
        except BaseException as error:
            for load in loads:
                if load.begin():
                    load.fail(error, 0.0)
            raise
        if again := self._take_in_vain(flights):
            found |= self.load_many(cache, again, order, timeout, session)
        return self._outcomes(cache, wanted, found, flights, landed, timeout)

    async def load_many_in_task(
        self,
        cache: _core.Cache,
        keys: Iterable[Hashable],
        order: Order,
        timeout: float | None,
        session: Hashable = None,
    ) -> dict[Any, Any]:
        """As :meth:`load_many`, for a task."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        timeout, wanted = self._timeout(timeout), list(dict.fromkeys(keys))
        found, flights, loads = self._seek_many(cache, wanted, order, loop, session)
        for load in loads:
            load.start(loop)
        self._go_ahead(loop)
        ends = None if timeout is None else time.monotonic() + timeout
        landed = {key: await wait_in_task(flight, left(ends)) for key, flight in flights.items()}
        if again := self._take_in_vain(flights):
            found |= await self.load_many_in_task(cache, again, order, timeout, session)
        return self._outcomes(cache, wanted, found, flights, landed, timeout)

    def _take_in_vain(self, flights: dict[Any, Flight]) -> list[Any]:
        """Take out those that were loads of the background and have failed; their keys."""
        again = [key for key, flight in flights.items() if self._is_in_vain(flight)]
        for key in again:
            del flights[key]
        return again

    def _seek_many(
        self,
        cache: _core.Cache,
        wanted: list[Hashable],
        order: Order,
        loop: "AbstractEventLoop | None",
        session: Hashable,
    ) -> tuple[dict[Any, Any], dict[Any, Flight], list[Load]]:
        """Values that are there, flights to wait for with our own first, and our loads."""
        found = cache.known_many(wanted, session)
        load = refresh = None
        loads: list[Load] = []
        if order.is_bulk:
            load = Load(self, cache, order, loop)
            refresh = Load(self, cache, order, loop, is_refresh=True)
            loads.append(load)
        own: dict[Any, Flight] = {}
        others: dict[Any, Flight] = {}
        try:
            for key in wanted:
                if key in found:
                    continue
                try:
                    flight, value = self._seek(cache, key, order, loop, load, refresh)
                except NotFound:
                    continue
                if flight is None:
                    found[key] = value
                elif flight.load.order is not order:
                    others[key] = flight
                else:
                    own[key] = flight
                    if load is None:
                        loads.append(flight.load)
        except BaseException as error:
            for one in (*loads, *([refresh] if refresh else [])):
                one.fail(error, 0.0)
            raise
        if refresh is not None and refresh.flights:
            self._dispatch(refresh, loop)
        if load is not None:
            load.offer()
            loads = [load] if load.flights else []
        return found, own | others, loads

    def _outcomes(
        self,
        cache: _core.Cache,
        wanted: list[Any],
        found: dict[Any, Any],
        flights: dict[Any, Flight],
        landed: dict[Any, bool],
        timeout: float | None,
    ) -> dict[Any, Any]:
        """The values in the order of the keys; the first error that nothing stands in for."""
        for key, flight in flights.items():
            try:
                found[key] = self._outcome(cache, flight, landed[key], timeout)
            except NotFound:
                continue
        return {key: found[key] for key in wanted if key in found}


def left(ends: float | None) -> float | None:
    """Seconds until then."""
    return None if ends is None else max(0.0, ends - time.monotonic())
