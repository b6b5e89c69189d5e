"""From a request to an answer: from what is stored, from the origin, or from both.

    look up ── fresh, or a fresh part with the range ─────> serve
       │   └── stale-while-revalidate ── serve, and fly behind it
       └── else ── a flight to the origin (or somebody's that is under way)
                       304 ── what is stored, with new fields
                       storable ── stored while it is passed on
                       else ── passed on
                       no answer ── what is stored, if it may stand in; else the error

It knows nothing of sockets and of how an answer is sent.
"""

from augury.proxy.answers import Kept
from augury.proxy.asked import Asked
from augury.proxy.asking import Asker
from augury.proxy.conditions import has_range
from augury.proxy.fields import Fields, first
from augury.proxy.flights import Alone, Coming, Flight, Flights, Landing, There
from augury.proxy.origin import Arrival, OriginFailed
from augury.proxy.outcomes import Outcome, brought
from augury.proxy.reuse import Reuse, judged, may_stand_in
from augury.proxy.storing import matches
from augury.proxy.targets import Refused

__all__ = ["Fetcher"]


class Fetcher:
    """See the module.

    Args:
        asker: Who asks the origin.
    """

    def __init__(self, asker: Asker) -> None:
        self.asker, self.answers, self.counters = asker, asker.answers, asker.counters
        self.flights = Flights()

    async def look(self, asked: Asked) -> Outcome:
        """The answer to a GET or HEAD.

        Raises:
            Refused: The client wants what is stored, and there is nothing.
            OriginFailed: There is no answer.
        """
        name = self.answers.name(asked)
        kept = self.answers.find(name, asked.client)
        verdict = None
        if kept is not None:
            now = self.asker.clock.steady()
            verdict = judged(kept, asked.wishes, now)
            if verdict.serves:
                return self._served(asked, name, kept, verdict, now)
        elif asked.byte_range is not None:
            now = self.asker.clock.steady()
            part = self.answers.part(name)
            if part is not None and self._serves(part, asked, now):
                return self._served(asked, name, part, Reuse.FRESH, now)
        why = "miss" if verdict is None else "request" if verdict is Reuse.ASKED_TO else "stale"
        if asked.wishes is not None and asked.wishes.only_if_cached:
            raise Refused(504, "nothing that is stored may be served, and only that is asked for")
        if asked.method == "HEAD":
            return await self._head(asked, name, kept, why)
        try:
            return await self._fetched(asked, name, kept, why)
        except OriginFailed as error:
            now, default = self.asker.clock.steady(), self.asker.settings.stale_if_error
            if kept is None or not may_stand_in(
                kept, asked.wishes, now, error.is_disconnected, default
            ):
                raise
            self.counters.stood_in += 1
            return Outcome(kept, "stale", f"hit; ttl={int(-kept.staleness(now))}; detail=error")

    def _served(self, asked: Asked, name: str, kept: Kept, verdict: Reuse, now: float) -> Outcome:
        note = f"hit; ttl={int(-kept.staleness(now))}"
        if verdict is Reuse.FRESH:
            return Outcome(kept, "hit", note)
        if verdict is Reuse.WHILE_REVALIDATING and self.flights.under_way(name) is None:
            self.counters.revalidations += 1
            self.fly(asked, name, kept)
        return Outcome(kept, "stale", note)

    def _serves(self, part: Kept, asked: Asked, now: float) -> bool:
        """Whether a stored part is fresh and has all that is asked for."""
        is_fresh = judged(part, asked.wishes, now) is Reuse.FRESH
        return is_fresh and has_range(part, asked, self.asker.clock.wall())

    async def _fetched(self, asked: Asked, name: str, kept: Kept | None, why: str) -> Outcome:
        """From the origin, by a flight of one's own or of somebody else."""
        is_own_affair = kept is None and (asked.byte_range is not None or asked.has_conditions)
        no_store = asked.wishes is not None and asked.wishes.no_store
        if is_own_affair or no_store or (kept is None and self.answers.is_unstorable(name)):
            flight = self.flights.alone(name)
            return brought(await self._brought_alone(asked, flight, is_own_affair), why)
        under_way = self.flights.under_way(name)
        if under_way is None:
            return brought(await self.fly(asked, name, kept).landed_for_its_maker(), why)
        landing = await under_way.landed()
        if isinstance(landing, Coming) and landing.length is None:
            await landing.ended()
        if self._is_for(landing, asked):
            self.counters.collapsed += 1
            return brought(landing, why, is_collapsed=True)
        return brought(await self._brought_alone(asked, self.flights.alone(name)), why)

    async def _brought_alone(
        self, asked: Asked, flight: Flight, is_conditional: bool = False
    ) -> Landing:
        """What the origin answers to this request, which nobody else is to wait for."""
        landing, pump = await self.asker.bring(asked, None, flight, is_conditional=is_conditional)
        if pump is not None:
            self.flights.background(pump)
        return landing

    def _is_for(self, landing: Landing, asked: Asked) -> bool:
        """Whether what somebody else's flight has brought answers this request too."""
        if isinstance(landing, Alone) or not matches(landing.kept, asked):
            return False
        return isinstance(landing, There) or landing.rest is None

    def fly(self, asked: Asked, name: str, kept: Kept | None, stores: bool = True) -> Flight:
        """Begin a flight."""

        async def fly(flight: Flight) -> None:
            landing, pump = await self.asker.bring(asked, kept, flight, stores=stores)
            flight.land(landing)
            if pump is not None:
                await pump
            elif isinstance(landing, Alone) and not flight.is_awaited:
                await landing.close()

        return self.flights.start(name, fly)

    async def _head(self, asked: Asked, name: str, kept: Kept | None, why: str) -> Outcome:
        """Ask for a head; what is stored is freshened by it or known to be old (4.3.5)."""
        began, flight = self.asker.clock.steady(), self.flights.alone(name)
        arrival = await self.asker.ask(asked, "HEAD", [], is_conditional=True)
        fields = self.asker.fields_of(arrival)
        if kept is not None and arrival.status == 200 and kept.status == 200:
            if agrees(kept, arrival, fields):
                fresh = self.asker.freshened(kept, asked, fields, began, flight)
                if fresh is not None:
                    # An answer to HEAD may leave out what a GET would be told (RFC 9110, 9.3.2).
                    await arrival.close()
                    return brought(There(fresh, arrival.status), why)
            self.answers.remove(name)
        return brought(Alone(arrival, fields, "method"), why)

    async def close(self) -> None:
        """End what is under way."""
        await self.flights.close()
        await self.asker.origin.close()


def agrees(kept: Kept, arrival: Arrival, fields: Fields) -> bool:
    """Whether an answer to HEAD is about the answer that is stored."""
    etag, modified = first(fields, b"etag"), first(fields, b"last-modified")
    return (
        (etag is None or etag.decode("latin-1") == kept.etag)
        and (modified is None or modified.decode("latin-1") == kept.modified)
        and arrival.length in (None, len(kept.body))
    )
