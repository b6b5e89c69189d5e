"""A proxy, an origin that is told what to answer, and a clock, without sockets or waiting."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import httpcore

from augury.proxy import Proxy, Settings
from augury.proxy.answers import Clock
from augury.proxy.fields import Fields
from augury.proxy.origin import Arrival, Origin, OriginFailed, Timeouts

#: When tests begin, in seconds since 1970.
BEGIN = 1_800_000_000.0


class Time(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.passed = 0.0

    def wall(self) -> float:
        """Seconds since 1970."""
        return BEGIN + self.passed

    def steady(self) -> float:
        """Seconds."""
        return 1_000.0 + self.passed


@dataclass
class Asked:
    """What the origin was asked."""

    method: str
    target: str
    fields: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """What the client got; `interrupted` where the answer broke off."""

    status: int = 0
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    interrupted: bool = False

    def __getitem__(self, name: str) -> str:
        return ", ".join(value for field, value in self.fields if field == name)

    def __contains__(self, name: str) -> bool:
        return any(field == name for field, _ in self.fields)

    @property
    def is_hit(self) -> bool:
        """Whether the cache says that it answered."""
        return "; hit" in self["cache-status"]


Script = Callable[[Asked], Any]


def answer(
    body: bytes | Iterable[bytes] = b"body", status: int = 200, **fields: str | list[str]
) -> tuple[int, list[tuple[str, str]], bytes | Iterable[bytes]]:
    """An answer of the origin; ``date=`` is now by default, ``None`` leaves a field out."""
    lines = []
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            lines.append((name.replace("_", "-"), one))
    return status, lines, body


class TrackedArrival(Arrival):
    """An answer of which it is known whether it was let go of."""

    open: set[int]

    async def close(self) -> None:
        """Let go of it."""
        self.open.discard(id(self))
        await super().close()


class ScriptedOrigin(Origin):
    """Answers as the script says, and notes what it was asked."""

    def __init__(self, time: Time) -> None:
        super().__init__("http://origin.example", Timeouts(1, 1, 1), 1)
        self.time = time
        self.script: Script = lambda asked: answer()
        self.log: list[Asked] = []
        self.has_date = True
        self.gate: asyncio.Event | None = None
        #: Answers that hold a connection.
        self.open: set[int] = set()

    async def ask(self, method: str, target: bytes, fields: Fields, body: Any = None) -> Arrival:
        """One answer of the script; an exception of it is raised."""
        sent = b"".join([chunk async for chunk in body]) if body is not None else b""
        named: dict[str, str] = {}
        for name, value in fields:
            text, key = value.decode("latin-1"), name.decode("latin-1")
            named[key] = f"{named[key]}, {text}" if key in named else text
        asked = Asked(method, target.decode("ascii"), named, sent)
        self.log.append(asked)
        if self.gate is not None:
            await self.gate.wait()
        found = self.script(asked)
        if isinstance(found, OriginFailed):
            raise found
        status, lines, content = found
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in lines]
        if self.has_date and not any(name.lower() == "date" for name, _ in lines):
            encoded.append((b"Date", formatdate(self.time.wall(), usegmt=True).encode()))
        has_length = any(name.lower() == "content-length" for name, _ in lines)
        if isinstance(content, bytes) and status not in (204, 304) and not has_length:
            encoded.append((b"Content-Length", b"%d" % len(content)))
        stream = content if isinstance(content, bytes) else streamed(content)
        if method == "HEAD" or status in (204, 304):
            stream = b""
        arrival = TrackedArrival(httpcore.Response(status, headers=encoded, content=stream))
        arrival.open = self.open
        self.open.add(id(arrival))
        return arrival


async def streamed(chunks: Any) -> Any:
    """A body in parts; one that is an event is waited for, one that is an error raised."""
    for chunk in chunks:
        if isinstance(chunk, asyncio.Event):
            await chunk.wait()
        elif isinstance(chunk, Exception):
            raise chunk
        else:
            yield chunk
        await asyncio.sleep(0)


class World:
    """A proxy in front of a scripted origin."""

    def __init__(self, **settings: Any) -> None:
        self.time = Time()
        self.origin = ScriptedOrigin(self.time)
        chosen = Settings(origin="http://origin.example", **{"memory": "1 MB", **settings})
        self.proxy = Proxy(chosen, self.time, self.origin)
        self.client = ("192.0.2.7", 4711)
        #: Clients leave when it is set.
        self.leaving = asyncio.Event()

    def __call__(self, *answers: Any) -> "World":
        """The origin gives these answers in turn, the last one again and again."""
        left = list(answers)
        self.origin.script = lambda asked: left.pop(0) if len(left) > 1 else left[0]
        return self

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.time.passed += seconds

    def date(self, offset: float = 0.0) -> str:
        """A date so many seconds from now."""
        return formatdate(self.time.wall() + offset, usegmt=True)

    @property
    def log(self) -> list[Asked]:
        """What the origin was asked."""
        return self.origin.log

    async def ask(
        self,
        target: str = "/",
        method: str = "GET",
        body: bytes | None = None,
        lines: Iterable[tuple[str, str]] = (),
        **fields: str,
    ) -> Reply:
        """One request of a client, and the answer to its end."""
        named = [(name.replace("_", "-"), value) for name, value in fields.items()]
        sent = [(b"host", b"shop.example")] if "host" not in fields else []
        sent += [(name.encode(), value.encode("latin-1")) for name, value in [*named, *lines]]
        if body is not None:
            sent.append((b"content-length", b"%d" % len(body)))
        path, _, query = target.partition("?")
        scope = {
            "type": "http", "method": method, "http_version": "1.1", "scheme": "http",
            "client": self.client, "path": path, "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"), "headers": sent,
        }  # fmt: skip
        reply, inbox = Reply(), [{"type": "http.request", "body": body or b""}]

        async def receive() -> Any:
            if inbox:
                return inbox.pop()
            await self.leaving.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                reply.status = message["status"]
                reply.fields = [
                    (name.decode("latin-1"), value.decode("latin-1"))
                    for name, value in message["headers"]
                ]
            else:
                reply.body += message.get("body", b"")

        try:
            await self.proxy(scope, receive, send)
        except OriginFailed:
            reply.interrupted = True
        return reply

    async def settle(self) -> None:
        """Let what runs in the background run to its end."""
        for _ in range(50):
            await asyncio.sleep(0)


def played(**settings: Any) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Make a test of an asynchronous function whose first argument is a world."""

    def decorate(test: Callable[..., Any]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(**others: Any) -> None:
            async def go() -> None:
                world = World(**settings)
                try:
                    await test(world, **others)
                    await world.settle()
                    assert set() == world.origin.open, "answers that nobody lets go of"
                finally:
                    await world.proxy.close()

            asyncio.run(go())

        given = inspect.signature(test)
        rest = list(given.parameters.values())[1:]
        run.__signature__ = given.replace(parameters=rest)  # type: ignore[attr-defined]
        return run

    return decorate
