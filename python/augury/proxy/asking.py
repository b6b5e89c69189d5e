"""One request to the origin, and what becomes of its answer: stored, freshened or passed on.

It knows the origin, the rules and where answers lie; who asks, and who else waits, is for
:mod:`augury.proxy.fetching`.
"""

from collections.abc import AsyncIterable, Coroutine
from email.utils import formatdate
from typing import Any

from augury.proxy.answers import Answers, Kept
from augury.proxy.asked import Asked
from augury.proxy.counters import Counters
from augury.proxy.fields import Fields, first
from augury.proxy.flights import Alone, Coming, Flight, Landing, There
from augury.proxy.forwarding import answer_fields, request_fields
from augury.proxy.origin import Arrival, Origin, OriginFailed
from augury.proxy.reuse import may_stand_in
from augury.proxy.settings import Settings
from augury.proxy.storing import Rules, refreshed, united

__all__ = ["Asker", "Pump"]

#: What has to run for the rest of an answer to come.
Pump = Coroutine[Any, Any, None]
#: Errors of the origin in whose place a stale answer may be served (RFC 5861, 4).
ERRORS = frozenset({500, 502, 503, 504})
#: Answers that say something about one request and not about its target.
OF_THE_REQUEST = frozenset({206, 304, 412, 416})


class Asker:
    """See the module.

    Args:
        settings: How.
        answers: What is stored.
        origin: Whom to ask.
        rules: What may be stored.
        counters: Of what happens.
    """

    def __init__(
        self, settings: Settings, answers: Answers, origin: Origin, rules: Rules, counters: Counters
    ) -> None:
        self.settings, self.answers, self.origin = settings, answers, origin
        self.rules, self.clock, self.counters = rules, rules.clock, counters
        self._largest_body = min(answers.largest_body, settings.largest_object)
        self._via = f"1.1 {settings.name}".encode("ascii")

    async def ask(
        self,
        asked: Asked,
        method: str,
        added: Fields,
        is_conditional: bool,
        body: AsyncIterable[bytes] | None = None,
    ) -> Arrival:
        """One request.

        Args:
            asked: The client's.
            method: That of this one.
            added: Fields of the cache's own.
            is_conditional: Whether the client's conditions and range go along.
            body: That of the client.

        Raises:
            OriginFailed: There is no answer.
        """
        self.counters.origin_requests += 1
        host = asked.host if self.settings.preserve_host and asked.host else self.origin.host
        fields = request_fields(
            asked,
            host,
            self.settings.name,
            is_behind_proxy=self.settings.behind_proxy,
            is_conditional=is_conditional,
            added=added,
        )
        try:
            return await self.origin.ask(method, asked.target, fields, body)
        except OriginFailed:
            self.counters.origin_errors += 1
            raise

    def fields_of(self, arrival: Arrival) -> Fields:
        """What a client is sent of an answer's fields."""
        date = formatdate(self.clock.wall(), usegmt=True).encode("ascii")
        return answer_fields(arrival.fields, date, self._via)

    async def bring(
        self,
        asked: Asked,
        kept: Kept | None,
        flight: Flight,
        *,
        is_conditional: bool = False,
        stores: bool = True,
    ) -> tuple[Landing, Pump | None]:
        """Ask for an answer to GET: what comes, and what has to run for the rest of it.

        Args:
            asked: The request.
            kept: What is stored, to be validated.
            flight: The flight for it.
            is_conditional: Whether the client's conditions and range go along.
            stores: Whether what comes is stored, or only returned.

        Raises:
            OriginFailed: There is no answer.
        """
        began = self.clock.steady()
        arrival = await self.ask(asked, "GET", validators(kept), is_conditional)
        fields = self.fields_of(arrival)
        if arrival.status == 304 and kept is not None:
            await arrival.close()
            fresh = self.freshened(kept, asked, fields, began, flight, stores)
            if fresh is not None:
                return There(fresh, 304), None
            return await self.bring(asked, None, flight, stores=stores)
        if arrival.status in ERRORS and kept is not None:
            now = self.clock.steady()
            if may_stand_in(kept, asked.wishes, now, is_disconnected=False, default=0.0):
                await arrival.close()
                raise OriginFailed(arrival.status, "the origin has failed", False)
        draft, reason = self.rules.draft(asked, arrival.status, fields, began)
        length = arrival.length
        if draft is not None and length is not None and length > self._largest_body:
            draft, reason = None, "size"
        if (
            draft is not None
            and draft.span is not None
            and not (is_conditional and length in (None, draft.span.size))
        ):
            # A part that was not asked for is nobody's, and one of another length is none.
            draft, reason = None, "part"
        if draft is None:
            self._not_stored(flight, kept, arrival.status, reason)
            return Alone(arrival, fields, reason), None
        coming = Coming(draft, fields, length)
        return coming, self.pumped(asked, arrival, coming, flight, began, stores)

    def _not_stored(self, flight: Flight, kept: Kept | None, status: int, reason: str) -> None:
        """What is stored has been superseded, and who asks next need not wait for others."""
        if status in OF_THE_REQUEST or status >= 500 or reason == "request-no-store":
            return
        if kept is not None:
            self.answers.remove(flight.name)
        self.answers.note_unstorable(flight.name)

    async def pumped(
        self,
        asked: Asked,
        arrival: Arrival,
        coming: Coming,
        flight: Flight,
        began: float,
        stores: bool = True,
    ) -> None:
        """Read the body for those who read it, and store it when it is whole."""
        room, chunks = self._largest_body, arrival.chunks()
        try:
            async for chunk in chunks:
                room -= len(chunk)
                coming.parts.append(chunk)
                self.counters.origin_bytes += len(chunk)
                if room < 0:
                    if coming.kept.span is None:
                        self.answers.note_unstorable(flight.name)
                    if await coming.is_read():
                        coming.rest = chunks
                    else:
                        await chunks.aclose()
                        coming.error = OriginFailed(502, "nobody waits for this answer")
                    return
                coming.tell()
            coming.kept.body = b"".join(coming.parts)
            if stores and not flight.is_superseded:
                self._store(asked, coming.kept, flight.name, self.clock.steady() - began)
            coming.is_complete = True
        except OriginFailed as error:
            self.counters.origin_errors += 1
            coming.error = error
        finally:
            if not coming.has_ended:
                coming.error = OriginFailed(503, "the proxy is shutting down")
            coming.tell()

    def _store(self, asked: Asked, kept: Kept, name: str, seconds: float) -> None:
        """Store an answer; a part with that which is stored, if it is as long as it says."""
        if kept.span is not None:
            if len(kept.body) != kept.span.size:
                return
            kept = united(self.answers.part(name), kept, self._largest_body)
        self.answers.put(asked, kept, seconds)
        self.counters.stored += 1

    def freshened(
        self,
        kept: Kept,
        asked: Asked,
        fields: Fields,
        began: float,
        flight: Flight,
        stores: bool = True,
    ) -> Kept | None:
        """What is stored, with the fields of a 304; None if that was about another answer."""
        etag = first(fields, b"etag")
        is_strong = etag is not None and not etag.startswith(b"W/")
        if is_strong and etag is not None and etag.decode("latin-1") != kept.etag:
            return None
        renewed = refreshed(kept, fields)
        draft, _ = self.rules.draft(asked, kept.status, renewed, began)
        if draft is None:
            # It says now that it must not be stored, but it answers this request.
            self.answers.remove(flight.name)
            draft = self.rules.unstored(asked, kept.status, renewed, began)
            draft.body = kept.body
            return draft
        draft.body = kept.body
        if stores and not flight.is_superseded:
            self.answers.put(asked, draft, self.clock.steady() - began)
        return draft


def validators(kept: Kept | None) -> Fields:
    """The conditions by which the origin says whether a stored answer still holds (4.3.1)."""
    found: Fields = []
    if kept is not None and kept.etag is not None:
        found.append((b"if-none-match", kept.etag.encode("latin-1")))
    if kept is not None and kept.modified is not None:
        found.append((b"if-modified-since", kept.modified.encode("latin-1")))
    return found
