"""From a request to an answer: from what is stored, from the origin, or from both.

    look up ── fresh ─────────────────────────────────────> serve
       │   └── stale-while-revalidate ── serve, and fly behind it
       └── else ── a flight to the origin (or somebody's that is under way)
                       304 ── what is stored, with new fields
                       storable ── stored while it is passed on
                       else ── passed on
                       no answer ── what is stored, if it may stand in; else the error

It knows nothing of sockets and of how an answer is sent.
"""

from collections.abc import AsyncIterable, Coroutine, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import urljoin, urlsplit

from augury.proxy.answers import Answers, Kept
from augury.proxy.asked import Asked, Refused, normalised
from augury.proxy.counters import Counters
from augury.proxy.fields import Fields, first
from augury.proxy.flights import Alone, Coming, Flight, Flights, Landing, There
from augury.proxy.forwarding import answer_fields, request_fields
from augury.proxy.freshness import is_explicit
from augury.proxy.groups import invalidated_by
from augury.proxy.origin import Arrival, Origin, OriginFailed
from augury.proxy.reuse import Reuse, judged, may_stand_in
from augury.proxy.settings import Settings
from augury.proxy.storing import Rules, matches, refreshed

__all__ = ["Fetcher", "Outcome"]

#: What has to run for the rest of an answer to come.
Pump = Coroutine[Any, Any, None]
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
#: Errors of the origin in whose place a stale answer may be served (RFC 5861, 4).
ERRORS = frozenset({500, 502, 503, 504})
#: Answers that say something about this one request and not about its target.
OF_THE_REQUEST = frozenset({206, 304, 412, 416})


@dataclass(slots=True)
class Outcome:
    """An answer, and how it came about."""

    source: Kept | Coming | Alone
    #: For metrics and the log: hit, stale, revalidated, miss, collapsed, pass.
    label: str
    #: The parameters of Cache-Status (RFC 9211).
    note: str

    @property
    def is_collapsed(self) -> bool:
        """Whether it was fetched for somebody else."""
        return self.label == "collapsed"


class Fetcher:
    """See the module.

    Args:
        settings: How.
        answers: What is stored.
        origin: Where the rest comes from.
        rules: What may be stored.
        counters: Of what happens.
    """

    def __init__(
        self, settings: Settings, answers: Answers, origin: Origin, rules: Rules, counters: Counters
    ) -> None:
        self.settings, self.answers, self.origin = settings, answers, origin
        self.rules, self.clock, self.counters = rules, rules.clock, counters
        self.flights = Flights()
        self._via = f"1.1 {settings.name}".encode("ascii")

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
            now = self.clock.steady()
            verdict = judged(kept, asked.wishes, now)
            if verdict.serves:
                return self._served(asked, name, kept, verdict, now)
        why = "miss" if verdict is None else "request" if verdict is Reuse.ASKED_TO else "stale"
        if asked.wishes is not None and asked.wishes.only_if_cached:
            raise Refused(504, "nothing that is stored may be served, and only that is asked for")
        if asked.method == "HEAD":
            return await self._head(asked, name, kept, why)
        try:
            return await self._fetched(asked, name, kept, why)
        except OriginFailed as error:
            now, default = self.clock.steady(), self.settings.stale_if_error
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

    async def _fetched(self, asked: Asked, name: str, kept: Kept | None, why: str) -> Outcome:
        """From the origin, by a flight of one's own or of somebody else."""
        is_own_affair = kept is None and (asked.byte_range is not None or asked.has_conditions)
        no_store = asked.wishes is not None and asked.wishes.no_store
        if is_own_affair or no_store or (kept is None and self.answers.is_unstorable(name)):
            flight = Flight(name)
            landing, pump = await self._asked(asked, None, flight, is_conditional=is_own_affair)
            if pump is not None:
                self.flights.background(pump)
            return outcome(landing, why)
        under_way = self.flights.under_way(name)
        if under_way is None:
            return outcome(await self.fly(asked, name, kept).landed(), why)
        landing = await under_way.landed()
        if isinstance(landing, Coming) and landing.length is None:
            await landing.ended()
        if self._is_for(landing, asked):
            self.counters.collapsed += 1
            return outcome(landing, why, is_collapsed=True)
        landing, pump = await self._asked(asked, None, Flight(name))
        if pump is not None:
            self.flights.background(pump)
        return outcome(landing, why)

    def _is_for(self, landing: Landing, asked: Asked) -> bool:
        """Whether what somebody else's flight has brought answers this request too."""
        if isinstance(landing, Alone) or not matches(landing.kept, asked):
            return False
        return isinstance(landing, There) or landing.rest is None

    def fly(self, asked: Asked, name: str, kept: Kept | None, stores: bool = True) -> Flight:
        """Begin a flight."""

        async def fly(flight: Flight) -> None:
            landing, pump = await self._asked(asked, kept, flight, stores=stores)
            flight.land(landing)
            if pump is not None:
                await pump

        return self.flights.start(name, fly)

    async def _asked(
        self,
        asked: Asked,
        kept: Kept | None,
        flight: Flight,
        *,
        is_conditional: bool = False,
        stores: bool = True,
    ) -> tuple[Landing, Pump | None]:
        """Ask the origin: what it brings, and what has to run for the rest of it to come."""
        began = self.clock.steady()
        arrival = await self.ask(asked, "GET", validators(kept), is_conditional)
        fields = self._answer_fields(arrival)
        if arrival.status == 304 and kept is not None:
            await arrival.close()
            if (now := self._freshened(kept, asked, fields, began, flight, stores)) is not None:
                return There(now, 304), None
            return await self._asked(asked, None, flight, stores=stores)
        if arrival.status in ERRORS and kept is not None:
            now_ = self.clock.steady()
            if may_stand_in(kept, asked.wishes, now_, False, 0.0):
                await arrival.close()
                raise OriginFailed(arrival.status, "the origin has failed", False)
        draft, reason = self.rules.draft(asked, arrival.status, fields, began)
        length = arrival.length
        if draft is not None and length is not None and length > self.largest_body:
            draft, reason = None, "size"
        if draft is None:
            self._not_stored(asked, flight, kept, arrival.status, reason)
            return Alone(arrival, fields, reason), None
        coming = Coming(draft, fields, length)
        return coming, self._pumped(asked, arrival, coming, flight, began, stores)

    def _not_stored(
        self, asked: Asked, flight: Flight, kept: Kept | None, status: int, reason: str
    ) -> None:
        """What is stored has been superseded, and who asks next need not wait for others."""
        if status in OF_THE_REQUEST or status >= 500 or reason == "request-no-store":
            return
        if kept is not None:
            self.answers.remove(flight.name)
        self.answers.note_unstorable(flight.name)

    @property
    def largest_body(self) -> int:
        """Bytes of a body that is stored."""
        return min(self.answers.largest_body, self.settings.largest_object)

    async def _pumped(
        self,
        asked: Asked,
        arrival: Arrival,
        coming: Coming,
        flight: Flight,
        began: float,
        stores: bool,
    ) -> None:
        """Read the body for those who read it, and store it when it is whole."""
        room, chunks = self.largest_body, arrival.chunks()
        try:
            async for chunk in chunks:
                room -= len(chunk)
                coming.chunks.append(chunk)
                self.counters.origin_bytes += len(chunk)
                if room < 0:
                    self.answers.note_unstorable(flight.name)
                    if await coming.is_read():
                        coming.rest = chunks
                    else:
                        await chunks.aclose()
                        coming.error = OriginFailed(502, "nobody waits for this answer")
                    return
                coming.tell()
            coming.kept.body = b"".join(coming.chunks)
            if stores and not flight.is_superseded:
                self.answers.put(asked, coming.kept, self.clock.steady() - began)
                self.counters.stored += 1
            coming.is_complete = True
        except OriginFailed as error:
            self.counters.origin_errors += 1
            coming.error = error
        finally:
            if not coming.has_ended:
                coming.error = OriginFailed(503, "the proxy is shutting down")
            coming.tell()

    def _freshened(
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
            # It says now that it must not be stored, but answers this request.
            self.answers.remove(flight.name)
            draft = self.rules.unstored(asked, kept.status, renewed, began)
            draft.body = kept.body
            return draft
        draft.body = kept.body
        if stores and not flight.is_superseded:
            self.answers.put(asked, draft, self.clock.steady() - began)
        return draft

    async def _head(self, asked: Asked, name: str, kept: Kept | None, why: str) -> Outcome:
        """Ask for a head; what is stored is freshened by it or known to be old (4.3.5)."""
        began = self.clock.steady()
        arrival = await self.ask(asked, "HEAD", [], is_conditional=True)
        fields = self._answer_fields(arrival)
        if kept is not None and arrival.status == 200 and kept.status == 200:
            if agrees(kept, arrival, fields):
                self._freshened(kept, asked, fields, began, Flight(name))
            else:
                self.answers.remove(name)
        return outcome(Alone(arrival, fields, "method"), why)

    async def passed(self, asked: Asked, body: AsyncIterable[bytes] | None) -> Outcome:
        """The answer to a request that no stored answer may do for."""
        began = self.clock.steady()
        arrival = await self.ask(asked, asked.method, [], True, body)
        fields = self._answer_fields(arrival)
        if asked.method not in SAFE and arrival.status < 400:
            self.invalidate_after(asked, fields)
            coming = self._posted(asked, arrival, fields, began)
            if coming is not None:
                return Outcome(coming, "pass", f"fwd=method; fwd-status={arrival.status}; stored")
        why = "method" if asked.method not in ("GET", "HEAD") else "bypass"
        return outcome(Alone(arrival, fields, "method"), why)

    def _posted(
        self, asked: Asked, arrival: Arrival, fields: Fields, began: float
    ) -> Coming | None:
        """The answer to a POST that says it is what a GET would get (RFC 9110, 9.3.3)."""
        place = first(fields, b"content-location")
        if asked.method != "POST" or arrival.status != 200 or place is None:
            return None
        if self._own_target(asked, place) != asked.target:
            return None
        draft, _ = self.rules.draft(asked, arrival.status, fields, began)
        if draft is None or not is_explicit(draft.control, fields):
            return None
        coming = Coming(draft, fields, arrival.length)
        flight = Flight(asked.name)
        self.flights.background(self._pumped(asked, arrival, coming, flight, began, True))
        return coming

    def invalidate_after(self, asked: Asked, fields: Fields) -> None:
        """A write has succeeded: what it has made old goes (RFC 9111, 4.4; RFC 9875)."""
        self.invalidate(asked.name)
        for field in (b"location", b"content-location"):
            place = first(fields, field)
            target = None if place is None else self._own_target(asked, place)
            if target is not None:
                self.invalidate(name_of(target, asked.host))
        self.invalidate_groups(invalidated_by(fields))

    def invalidate(self, target: str) -> bool:
        """Let go of every answer of a target, of those on their way too."""
        self.flights.supersede(target)
        self.counters.invalidations += 1
        return self.answers.invalidate(target)

    def invalidate_groups(self, groups: Iterable[str]) -> None:
        """Let go of every answer in one of these groups; what is on its way may be in one too."""
        for group in groups:
            self.flights.supersede_all()
            self.answers.invalidate_group(group)
            self.counters.invalidations += 1

    def _own_target(self, asked: Asked, place: bytes) -> bytes | None:
        """The target that a field names, if it is of the host that was asked."""
        try:
            base = f"http://{asked.host.decode('latin-1')}{asked.target.decode('latin-1')}"
            parts = urlsplit(urljoin(base, place.decode("latin-1")))
            hosts = {asked.host, self.origin.host}
            if parts.scheme not in ("http", "https") or parts.netloc.lower().encode() not in hosts:
                return None
            return normalised(parts.path.encode("latin-1") or b"/", parts.query.encode("latin-1"))
        except (ValueError, Refused):
            return None

    async def ask(
        self,
        asked: Asked,
        method: str,
        added: Fields,
        is_conditional: bool,
        body: AsyncIterable[bytes] | None = None,
    ) -> Arrival:
        """One request to the origin."""
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

    def _answer_fields(self, arrival: Arrival) -> Fields:
        date = formatdate(self.clock.wall(), usegmt=True).encode("ascii")
        return answer_fields(arrival.fields, date, self._via)

    async def close(self) -> None:
        """End what is under way."""
        await self.flights.close()
        await self.origin.close()


def outcome(landing: Landing, why: str, is_collapsed: bool = False) -> Outcome:
    """How an answer of the origin came about."""
    forwarded = f"fwd={why}; fwd-status="
    end = "; collapsed" if is_collapsed else ""
    if isinstance(landing, There):
        return Outcome(landing.kept, "revalidated", f"{forwarded}{landing.forwarded}{end}")
    if isinstance(landing, Coming):
        label = "collapsed" if is_collapsed else "miss"
        return Outcome(landing, label, f"{forwarded}{landing.kept.status}; stored{end}")
    note = f"{forwarded}{landing.arrival.status}"
    return Outcome(landing, "pass", note + (f"; detail={landing.reason}" if landing.reason else ""))


def validators(kept: Kept | None) -> Fields:
    """The conditions by which the origin says whether a stored answer still holds (4.3.1)."""
    found: Fields = []
    if kept is not None and kept.etag is not None:
        found.append((b"if-none-match", kept.etag.encode("latin-1")))
    if kept is not None and kept.modified is not None:
        found.append((b"if-modified-since", kept.modified.encode("latin-1")))
    return found


def agrees(kept: Kept, arrival: Arrival, fields: Fields) -> bool:
    """Whether an answer to HEAD is about the answer that is stored."""
    etag, modified = first(fields, b"etag"), first(fields, b"last-modified")
    return (
        (etag is None or etag.decode("latin-1") == kept.etag)
        and (modified is None or modified.decode("latin-1") == kept.modified)
        and arrival.length in (None, len(kept.body))
    )


def name_of(target: bytes, host: bytes) -> str:
    """What names the answers of a target."""
    return f"{target[1:].decode('ascii')} {host.decode('ascii')}"
