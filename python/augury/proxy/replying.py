"""How an answer is sent over ASGI: whole, in part, or while it comes from the origin.

It knows what is to be sent and nothing of why.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import aclosing
from typing import Any

from augury.proxy.answers import Clock, Kept
from augury.proxy.asked import Asked
from augury.proxy.conditions import client_has, part_for, whole
from augury.proxy.fields import Fields
from augury.proxy.flights import Alone, Coming
from augury.proxy.outcomes import Outcome

__all__ = ["Gone", "Receive", "Reply", "Send", "send_text"]

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
#: Statuses without a body, and without a length.
EMPTY = frozenset({204, 304})


class Gone(Exception):  # noqa: N818
    """The client has left."""


class Reply:
    """One answer on its way to a client; afterwards what went out."""

    def __init__(self, receive: Receive, send: Send, asked: Asked, clock: Clock, name: str) -> None:
        self._receive, self._send, self._asked, self._clock = receive, send, asked, clock
        self._name = name.encode("ascii")
        self.status = 0
        self.sent = 0

    async def outcome(self, found: Outcome) -> None:
        """Send it.

        Raises:
            OriginFailed: The origin has broken off in the middle of it.
            Gone: The client has left before its end.
        """
        source = found.source
        note = [(b"cache-status", b"%b; %b" % (self._name, found.note.encode("latin-1")))]
        if self._asked.wants_upgrade:
            # Its connection is in no state to take another request.
            note.append((b"connection", b"close"))
        if isinstance(source, Kept):
            await self._kept(source, note)
        elif isinstance(source, Alone):
            await self._stream(source.arrival.status, [*source.fields, *note], source)
        elif self._asked.has_conditions and client_has(
            source.kept, self._asked, self._clock.wall()
        ):
            await self._kept(source.kept, note)
        else:
            await self._coming(source, found.is_collapsed, note)

    async def _kept(self, kept: Kept, note: Fields) -> None:
        asked, status, body = self._asked, kept.status, kept.body
        if asked.has_conditions or asked.byte_range is not None:
            part = part_for(kept, asked, self._clock.wall())
            status, fields, body = part.status, part.fields, part.body
        else:
            fields = whole(kept)
        age = max(0, int(kept.age(self._clock.steady())))
        fields.append((b"age", b"%d" % age))
        await self._whole(status, fields + note, body)

    async def _whole(self, status: int, fields: Fields, body: bytes) -> None:
        self.status = status
        await self._send({"type": "http.response.start", "status": status, "headers": fields})
        if self._asked.method == "HEAD":
            body = b""
        await self._send({"type": "http.response.body", "body": body})
        self.sent = len(body)

    async def _coming(self, coming: Coming, is_anothers: bool, note: Fields) -> None:
        # A range of what is still coming would have to wait: the whole is an answer too. What the
        # origin sent for the first client alone is not for others.
        fields = without_age(coming.kept.fields if is_anothers else coming.fields)
        if is_anothers and coming.length is not None:
            fields.append((b"content-length", b"%d" % coming.length))
        age = int(coming.kept.age(self._clock.steady()))
        if age > 0:
            fields.append((b"age", b"%d" % age))
        await self._stream(coming.kept.status, [*fields, *note], coming)

    async def _stream(self, status: int, fields: Fields, source: Alone | Coming) -> None:
        """Send a body while it comes, until its end or until the client leaves."""
        sending = asyncio.ensure_future(self._pass_on(status, fields, source))
        leaving = asyncio.ensure_future(self._left())
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not sending.done():
                raise Gone
            await sending
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            if isinstance(source, Alone):
                await source.close()

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _pass_on(self, status: int, fields: Fields, source: Alone | Coming) -> None:
        self.status = status
        if status in EMPTY:
            fields = [line for line in fields if line[0] != b"content-length"]
        await self._send({"type": "http.response.start", "status": status, "headers": fields})
        if self._asked.method != "HEAD" and status not in EMPTY:
            async with aclosing(source.chunks()) as chunks:
                async for chunk in chunks:
                    await self._send(
                        {"type": "http.response.body", "body": chunk, "more_body": True}
                    )
                    self.sent += len(chunk)
        await self._send({"type": "http.response.body", "body": b""})


def without_age(fields: Fields) -> Fields:
    """All but Age, which is the cache's to say."""
    return [line for line in fields if line[0] != b"age"]


async def send_text(send: Send, status: int, text: str, added: Fields | None = None) -> int:
    """Send a sentence of the proxy's own; returns its bytes."""
    body = text.encode() + b"\n"
    fields = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *(added or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
    return len(body)
