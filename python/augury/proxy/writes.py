"""Requests that no stored answer may do for, and what they make old.

A write that has succeeded invalidates its target, the targets of the same host that its answer
names (RFC 9111, 4.4) and the groups that it names (RFC 9875); what is on its way to be stored at
that moment is not stored.
"""

from collections.abc import AsyncIterable, Iterable
from urllib.parse import urljoin, urlsplit

from augury.proxy.asked import Asked
from augury.proxy.asking import Asker
from augury.proxy.fields import Fields, first
from augury.proxy.flights import Alone, Coming, Flights
from augury.proxy.freshness import is_explicit
from augury.proxy.groups import invalidated_by
from augury.proxy.origin import Arrival
from augury.proxy.outcomes import Outcome, brought
from augury.proxy.targets import Refused, name_of, normalised

__all__ = ["Writes"]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Writes:
    """See the module.

    Args:
        asker: Who asks the origin.
        flights: What is on its way.
    """

    def __init__(self, asker: Asker, flights: Flights) -> None:
        self._asker, self._flights = asker, flights

    async def passed(self, asked: Asked, body: AsyncIterable[bytes] | None) -> Outcome:
        """The origin's answer.

        Raises:
            OriginFailed: There is none.
        """
        began = self._asker.clock.steady()
        arrival = await self._asker.ask(asked, asked.method, [], True, body)
        fields = self._asker.fields_of(arrival)
        if asked.method not in SAFE and arrival.status < 400:
            self._invalidate_after(asked, fields)
            coming = self._posted(asked, arrival, fields, began)
            if coming is not None:
                return Outcome(coming, "pass", f"fwd=method; fwd-status={arrival.status}; stored")
        why = "bypass" if asked.method in ("GET", "HEAD") else "method"
        return brought(Alone(arrival, fields, ""), why)

    def _posted(
        self, asked: Asked, arrival: Arrival, fields: Fields, began: float
    ) -> Coming | None:
        """The answer to a POST that says it is what a GET would get (RFC 9110, 9.3.3)."""
        place = first(fields, b"content-location")
        if asked.method != "POST" or arrival.status != 200 or place is None:
            return None
        if self._own_target(asked, place) != asked.target:
            return None
        draft, _ = self._asker.rules.draft(asked, arrival.status, fields, began)
        if draft is None or not is_explicit(draft.control, fields):
            return None
        coming = Coming(draft, fields, arrival.length)
        pump = self._asker.pumped(asked, arrival, coming, self._flights.alone(asked.name), began)
        self._flights.background(pump)
        return coming

    def _invalidate_after(self, asked: Asked, fields: Fields) -> None:
        self.invalidate(asked.name)
        for field in (b"location", b"content-location"):
            place = first(fields, field)
            target = None if place is None else self._own_target(asked, place)
            if target is not None:
                self.invalidate(name_of(target, asked.host))
        self.invalidate_groups(invalidated_by(fields))

    def invalidate(self, target: str) -> bool:
        """Let go of every answer of a target, of those on their way too; whether there was one."""
        self._flights.supersede(target)
        self._asker.counters.invalidations += 1
        return self._asker.answers.invalidate(target)

    def invalidate_groups(self, groups: Iterable[str]) -> None:
        """Let go of every answer in one of these groups; what is on its way may be in one too."""
        for group in groups:
            self._flights.supersede_all()
            self._asker.answers.invalidate_group(group)
            self._asker.counters.invalidations += 1

    def _own_target(self, asked: Asked, place: bytes) -> bytes | None:
        """The target that a field names, if it is of the host that was asked."""
        hosts = {asked.host, self._asker.origin.host}
        try:
            base = f"http://{asked.host.decode('latin-1')}{asked.target.decode('latin-1')}"
            parts = urlsplit(urljoin(base, place.decode("latin-1")))
            if parts.scheme not in ("http", "https") or parts.netloc.lower().encode() not in hosts:
                return None
            return normalised(parts.path.encode("latin-1") or b"/", parts.query.encode("latin-1"))
        except (ValueError, Refused):
            return None
