"""The proxy behind sockets: uvicorn, with the limits that untrusted clients need.

uvicorn reads heads of any length and waits for them for ever; :class:`BoundedProtocol` does not.
It knows connections and nothing of caching.
"""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import FrameType
from typing import Any

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from augury.errors import ConfigError, ServerError
from augury.proxy.admin import Admin
from augury.proxy.app import Proxy
from augury.proxy.settings import Settings, read_bytes

__all__ = ["BoundedProtocol", "Limits", "listening", "run", "serve"]

#: Objects more than before that make the interpreter look for garbage.
GARBAGE = 20_000
#: Fields of a request.
MOST_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one connection: bytes of a head, and seconds of silence."""

    head_bytes: int
    seconds: float


class TooLarge(Exception):  # noqa: N818
    """A head has more than it may."""


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose heads are of bounded size, and neither come nor go for ever."""

    limits: Limits

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a head."""
        super().connection_made(transport)
        self._head_bytes = self._fields = 0
        self._is_in_head = True
        self._is_too_large = False
        self._waiting: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing."""
        self._wait_no_more()
        if self._stuck is not None:
            self._stuck.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = self.loop.call_later(self.limits.seconds, self._too_slow)

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_slow(self) -> None:
        """The head has not come, or the answer not gone, in time."""
        if not self.transport.is_closing():
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read; a head that goes on and on is refused."""
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > self.limits.head_bytes:
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._fields = 0
        self._is_in_head = True
        self._wait()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its fields."""
        self._fields += 1
        if self._fields > MOST_FIELDS:
            self._is_too_large = True
            raise TooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """It is complete."""
        self._wait_no_more()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.limits.head_bytes:
            self._is_too_large = True
            raise TooLarge
        self._is_in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next head may begin."""
        super().on_message_complete()
        self._is_in_head, self._head_bytes = True, 0

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be read, or is too large."""
        if self.transport.is_closing():
            return
        if not (self._is_too_large or self._head_bytes > self.limits.head_bytes):
            super().send_400_response(msg)
            return
        text = b"the head of the request is too large\n"
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(text), text)
        )
        self.transport.close()

    def pause_writing(self) -> None:
        """The client does not read: for a while that is fine."""
        super().pause_writing()
        self._stuck = self.loop.call_later(self.limits.seconds, self._too_slow)

    def resume_writing(self) -> None:
        """It does."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        super().resume_writing()


def listening(address: str) -> socket.socket:
    """A socket that listens on HOST:PORT; the system chooses a port for 0.

    Raises:
        ConfigError: It is no such address.
        ServerError: Nobody can listen there.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise ConfigError(f"address {address!r}: expected HOST:PORT, as in 127.0.0.1:8080")
    host = host.strip("[]")
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, int(port)))
        made.listen(1_024)
    except OSError as error:
        made.close()
        raise ServerError(f"{address}: nobody can listen there ({error})") from error
    return made


def server(
    app: Any, settings: Settings, started: Callable[[], None] | None = None
) -> uvicorn.Server:
    """uvicorn, quiet and bounded."""
    limits = Limits(read_bytes("max_head", settings.max_head), settings.client_timeout)
    protocol = type("Protocol", (BoundedProtocol,), {"limits": limits})
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        limit_concurrency=settings.max_clients,
        timeout_keep_alive=max(1, int(settings.keep_alive)),
        timeout_graceful_shutdown=int(settings.grace),
    )
    return Quiet(config, started)


class Quiet(uvicorn.Server):
    """A server that tells when it has started, and for which a signal to end is no failure."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._tell_started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and tell."""
        await super().startup(sockets)
        if self._tell_started is not None:
            self._tell_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End in an orderly way; at once when told a second time."""
        self.force_exit = self.should_exit
        self.should_exit = True


async def serve(
    proxy: Proxy,
    front: socket.socket,
    back: socket.socket | None = None,
    started: Callable[[], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve clients on a socket, health and metrics on another, until a signal or event to end."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    main = server(proxy, proxy.settings, started)

    async def end() -> None:
        if stop is not None:
            await stop.wait()
            main.should_exit = True

    ending = asyncio.create_task(end())
    try:
        if back is None:
            await main.serve(sockets=[front])
            return
        admin = server(Admin(proxy), proxy.settings)
        # The signals are the main server's; its end is the other's.
        beside = asyncio.create_task(admin._serve(sockets=[back]))
        await main.serve(sockets=[front])
        admin.should_exit = True
        await beside
    finally:
        ending.cancel()
        await proxy.close()


def run(settings: Settings, started: Callable[[str, str], None]) -> None:
    """Serve until a signal to end; `started` is told the addresses.

    Raises:
        ConfigError: A setting cannot be.
        CapacityError: A size cannot be.
        ServerError: The addresses cannot be had.
    """
    proxy = Proxy(settings)
    with ExitStack() as opened:
        front = opened.enter_context(listening(settings.listen))
        back = opened.enter_context(listening(settings.admin)) if settings.admin else None

        def tell() -> None:
            started(shown(front), "" if back is None else shown(back))

        # What has been made so far stays; looking through it again and again would cost as much
        # as answering.
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE)
        uvloop.run(serve(proxy, front, back, tell))


def shown(made: socket.socket) -> str:
    """Where a socket listens."""
    host, port = made.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
