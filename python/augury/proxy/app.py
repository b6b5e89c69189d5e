"""The proxy as an ASGI application: the life of a request from its head to its last byte.

refuse ── what is malformed, too large or of a kind that is not passed on
purge  ── PURGE, from who may
look   ── GET and HEAD: what is stored, or what the origin answers
pass   ── everything else: to the origin and back, and what it makes old is let go of
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from augury.proxy.access_log import AccessLog
from augury.proxy.ahead import fetch_ahead
from augury.proxy.answers import Answers, Clock, Kept
from augury.proxy.asked import Asked
from augury.proxy.asking import Asker
from augury.proxy.counters import Counters
from augury.proxy.fetching import Fetcher
from augury.proxy.forwarding import is_looping
from augury.proxy.interim import EXTENSION, INTERIM
from augury.proxy.origin import Origin, OriginFailed, Timeouts
from augury.proxy.purging import purge
from augury.proxy.replying import Gone, Receive, Reply, Send, send_text
from augury.proxy.settings import Settings, read_bytes
from augury.proxy.storing import Rules
from augury.proxy.targets import Refused
from augury.proxy.writes import Writes

__all__ = ["Proxy"]

PORT = re.compile(rb":\d*$")


class Proxy:
    """A caching reverse proxy for one origin.

    >>> from augury.proxy import Proxy, Settings
    >>> proxy = Proxy(Settings(origin="http://127.0.0.1:8000", memory="64 MB"))
    >>> proxy.settings.policy
    'auto'

    Args:
        settings: How.
        clock: The time; for tests.
        origin: Where answers come from, in place of the one that the settings name; for tests.

    Raises:
        ConfigError: A setting cannot be.
        CapacityError: The memory cannot be.
    """

    def __init__(
        self, settings: Settings, clock: Clock | None = None, origin: Origin | None = None
    ) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.counters = Counters()
        self.answers = Answers(
            settings.memory,
            settings.policy,
            self.clock,
            settings.keep_stale,
            settings.stale_if_error,
            self._load,
            settings.prefetch or None,
            settings.refresh_ahead or None,
        )
        rules = Rules(
            self.clock, settings.heuristic_max, settings.store_cookies, settings.stale_if_error
        )
        where = origin or origin_of(settings)
        asker = Asker(settings, self.answers, where, rules, self.counters)
        self.fetcher = Fetcher(asker)
        self._writes = Writes(asker, self.fetcher.flights)
        self._log = AccessLog(settings.access_log, settings.json) if settings.access_log else None
        self._hosts = settings.own_hosts
        self._largest_body = read_bytes("max_body", settings.max_body)

    async def _load(self, name: str) -> Kept:
        return await fetch_ahead(self.fetcher, name)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request; what is no HTTP is refused."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def _live(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def close(self) -> None:
        """End what is under way and let go of what is stored."""
        await self.fetcher.close()
        self.answers.close()
        if self._log is not None:
            self._log.close()

    async def _answer(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        self.counters.in_flight += 1
        reply, label = None, "refused"
        status, sent = 0, 0
        try:
            asked = self._asked(scope)
            INTERIM.set(scope.get("extensions", {}).get(EXTENSION))
            reply = Reply(receive, send, asked, self.clock, self.settings.name)
            label = await self._dispatch(asked, reply, receive, send)
            status, sent = reply.status, reply.sent
        except Refused as refusal:
            status, label = refusal.status, "refused"
            sent = await send_text(send, status, str(refusal), [(b"connection", b"close")])
        except OriginFailed as failure:
            label = "failed"
            if reply is not None and reply.status:
                # The client has the head already: all that is left is to break off.
                status, sent = reply.status, reply.sent
                raise
            status = failure.status
            note = (
                b"cache-status",
                f"{self.settings.name}; fwd=miss; detail=origin-failed".encode("ascii"),
            )
            sent = await send_text(send, status, str(failure), [note])
        except (Gone, asyncio.CancelledError) as gone:
            self.counters.disconnects += 1
            if reply is not None:
                status, sent = reply.status, reply.sent
            if isinstance(gone, asyncio.CancelledError):
                raise
        finally:
            self.counters.in_flight -= 1
            self.counters.answers[label] += 1
            self.counters.client_bytes += sent
            if self._log is not None:
                seconds = time.perf_counter() - began
                self._log.write(scope, status, sent, label, seconds, self.clock.wall())

    def _asked(self, scope: MutableMapping[str, Any]) -> Asked:
        asked = Asked.of(scope)
        if self._hosts and not self._hosts & {asked.host, PORT.sub(b"", asked.host)}:
            raise Refused(421, "this host is not answered for here")
        if asked.length is not None and asked.length > self._largest_body:
            raise Refused(413, f"a body of {asked.length:,} bytes is more than is passed on")
        if is_looping(asked, self.settings.name):
            raise Refused(508, "the request has come through here before, again and again")
        if not self.settings.client_control:
            asked.wishes = None
        return asked

    async def _dispatch(self, asked: Asked, reply: Reply, receive: Receive, send: Send) -> str:
        """Answer it; how the answer came about."""
        if asked.method == "PURGE":
            reply.status, text = purge(asked, self._writes, self.settings)
            reply.sent = await send_text(send, reply.status, text)
            return "purge"
        if asked.is_lookup:
            found = await self.fetcher.look(asked)
        else:
            body = self._body(receive) if asked.has_body else None
            found = await self._writes.passed(asked, body)
        await reply.outcome(found)
        return found.label

    async def _body(self, receive: Receive) -> AsyncIterator[bytes]:
        """The client's body as it comes.

        Raises:
            Refused: It is too large, or the client has fallen silent.
            Gone: The client has left.
        """
        room = self._largest_body
        while True:
            try:
                message = await asyncio.wait_for(receive(), self.settings.client_timeout)
            except TimeoutError:
                raise Refused(408, "the body of the request did not come in time") from None
            if message["type"] == "http.disconnect":
                raise Gone
            chunk = message.get("body", b"")
            room -= len(chunk)
            if room < 0:
                raise Refused(413, f"the body has more than {self._largest_body:,} bytes")
            if chunk:
                yield chunk
            if not message.get("more_body", False):
                return


def origin_of(settings: Settings) -> Origin:
    """The origin that the settings name."""
    silence = settings.origin_timeout
    timeouts = Timeouts(settings.connect_timeout, silence, silence)
    verify = settings.origin_ca or settings.verify
    return Origin(settings.origin, timeouts, settings.connections, verify)
