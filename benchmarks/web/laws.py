"""Laws of RFC 9111 and its kin that one look at a cache shows, through the proxy and hishel alone.

Each: what the origin says of its answer, what the second client says, after how many seconds it
asks, and whether the origin may not be asked again (or, the other way round, has to be).
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

import httpcore
import time_machine
from hishel.asgi import ASGICacheMiddleware

from augury.adapters.hishel import AsyncAuguryStorage
from augury.proxy import Proxy, Settings
from augury.proxy.answers import Clock
from augury.proxy.fields import Fields
from augury.proxy.origin import Arrival, Origin, Timeouts

__all__ = ["LAWS", "Law", "kept_by"]

BEGIN = 1_800_000_000
Lines = list[tuple[str, str]]
App = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True)
class Law:
    """See the module."""

    section: str
    what: str
    said: Lines
    asked: Lines
    after: float
    is_reused: bool
    status: int = 200
    #: Seen by the status of the second answer, where that is not 200.
    answer: int = 200


def control(value: str, *others: tuple[str, str]) -> Lines:
    """Fields of an answer."""
    return [("cache-control", value), *others]


def at(seconds: float) -> str:
    """A date so many seconds after the beginning."""
    return formatdate(BEGIN + seconds, usegmt=True)


ETAG = ("etag", '"a"')
LAWS = [
    Law("4.2.1", "max-age", control("max-age=60"), [], 30, True),
    Law("4.2.1", "max-age has passed", control("max-age=60"), [], 61, False),
    Law("4.2.1", "s-maxage before max-age", control("max-age=60, s-maxage=1"), [], 30, False),
    Law("4.2.1", "quoted seconds", control('max-age="60"'), [], 30, True),
    Law("4.2.1", "words in quotes are none", control('x="max-age=60", max-age=1'), [], 30, False),
    Law("4.2.1", "what is no number", control("max-age=60a"), [], 0, False),
    Law("4.2.3", "Age counts", control("max-age=60", ("age", "90")), [], 0, False),
    Law("5.3", "Expires", [("expires", at(60))], [], 30, True),
    Law("5.3", "Expires of 0", [("expires", "0")], [], 0, False),
    Law("5.3", "Expires in another zone", [("expires", "Thu, 18 Aug 2050 02:01:18 AEST")], [], 0,
        False),
    Law("4.2.2", "a guess by Last-Modified", [("last-modified", at(-1000))], [], 50, True),
    Law("4.2.2", "no guess for 201", [("last-modified", at(-9000))], [], 0, False, 201, 201),
    Law("5.2.2", "no-store", control("no-store, max-age=60"), [], 0, False),
    Law("5.2.2", "private", control("private, max-age=60"), [], 0, False),
    Law("5.2.2", "no-cache", control("no-cache, max-age=60"), [], 0, False),
    Law("5.2.2", "must-understand", control("no-store, must-understand, max-age=60"), [], 30, True),
    Law("3.5", "Authorization and public", control("public, max-age=60"), [], 30, True),
    Law("4.1", "Vary: *", control("max-age=60", ("vary", "*")), [], 0, False),
    Law("4.1", "Vary on what is missing", control("max-age=60", ("vary", "foo")),
        [("foo", "1")], 0, False),
    Law("4.3.2", "If-None-Match", control("max-age=60", ETAG), [("if-none-match", '"a"')], 30,
        True, 200, 304),
    Law("4.3.2", "If-None-Match, weakly", control("max-age=60", ETAG),
        [("if-none-match", 'W/"a", "b"')], 30, True, 200, 304),
    Law("4.3.2", "If-Modified-Since", control("max-age=60", ("last-modified", at(-60))),
        [("if-modified-since", at(-60))], 30, True, 200, 304),
    Law("9110 14.2", "a range", control("max-age=60"), [("range", "bytes=0-1")], 30, True, 200,
        206),
    Law("5.2.1", "a client's max-age", control("max-age=60"), [("cache-control", "max-age=10")], 30,
        False),
    Law("5.2.1", "a client's min-fresh", control("max-age=60"), [("cache-control", "min-fresh=50")],
        30, False),
    Law("5.2.1", "a client's max-stale", control("max-age=60"), [("cache-control", "max-stale=50")],
        90, True),
    Law("5.2.1", "a client's no-cache", control("max-age=60"), [("cache-control", "no-cache")], 30,
        False),
    Law("9110 9.3.2", "HEAD by a stored GET", control("max-age=60"), [(":method", "HEAD")], 30,
        True),
    Law("5861 3", "stale-while-revalidate", control("max-age=1, stale-while-revalidate=60"), [], 30,
        True),
    Law("9213", "CDN-Cache-Control", [("cdn-cache-control", "max-age=60"),
        ("cache-control", "no-store")], [], 30, True),
    Law("9213", "CDN-Cache-Control: no-store", [("cdn-cache-control", "no-store"),
        ("cache-control", "max-age=60")], [], 30, False),
    Law("3986 6.2.2", "one target, two spellings", control("max-age=60"), [(":path", "/%61")], 30,
        True),
]  # fmt: skip


class Calendar(Clock):
    """The time of the calendar alone, which can be moved."""

    def steady(self) -> float:
        """Seconds."""
        return self.wall()


class Source(Origin):
    """An origin that always says the same, and counts."""

    def __init__(self, law: Law) -> None:
        super().__init__("http://origin.example", Timeouts(1, 1, 1), 1)
        self.law, self.count = law, 0

    async def ask(self, method: str, target: bytes, fields: Fields, body: Any = None) -> Arrival:
        """One answer."""
        self.count += 1
        sent = [(name.encode(), value.encode()) for name, value in lines_of(self.law)]
        content = b"" if method == "HEAD" else b"body"
        return Arrival(httpcore.Response(self.law.status, headers=sent, content=content))

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        """The same as an application."""
        self.count += 1
        sent = [(name.encode(), value.encode()) for name, value in lines_of(self.law)]
        await send({"type": "http.response.start", "status": self.law.status, "headers": sent})
        await send({"type": "http.response.body", "body": b"body"})


def lines_of(law: Law) -> Lines:
    """What the origin says, with date and length."""
    return [*law.said, ("date", formatdate(usegmt=True)), ("content-length", "4")]


async def asked(app: App, lines: Lines) -> int:
    """The status of one answer."""
    named = dict(lines)
    path = named.pop(":path", "/a")
    scope: MutableMapping[str, Any] = {
        "type": "http", "method": named.pop(":method", "GET"), "http_version": "1.1",
        "scheme": "http", "client": ("192.0.2.7", 1), "server": ("shop.example", 80),
        "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"shop.example"),
                    *((name.encode(), value.encode()) for name, value in named.items())],
    }  # fmt: skip
    inbox, status = [{"type": "http.request", "body": b"", "more_body": False}], [0]

    async def receive() -> Any:
        if not inbox:
            await asyncio.sleep(60)
        return inbox.pop()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status[0] = message["status"]

    await app(scope, receive, send)
    return status[0]


def kept_by(name: str, law: Law) -> bool:
    """Whether ``augury`` or ``hishel`` keeps a law."""

    async def run() -> bool:
        source = Source(law)
        proxy = Proxy(Settings(origin="http://origin.example"), Calendar(), source)
        storage = AsyncAuguryStorage("1 MB")
        app: App = proxy if name == "augury" else ASGICacheMiddleware(source.serve, storage)
        first: Lines = [("authorization", "x")] if law.section == "3.5" else []
        with time_machine.travel(BEGIN, tick=False) as time:
            await asked(app, first)
            time.shift(law.after)
            status = await asked(app, law.asked)
            is_reused = source.count == 1
        await proxy.close()
        return is_reused is law.is_reused and status == law.answer

    return asyncio.run(run())
