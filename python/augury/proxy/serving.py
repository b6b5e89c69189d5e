"""The proxy behind sockets: uvicorn, with the limits that untrusted clients need.

It opens addresses, starts and ends; what a connection may do is for :mod:`augury.proxy.bounded`.
"""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType
from typing import Any

import uvicorn
import uvloop

from augury.errors import ConfigError, ServerError
from augury.proxy.admin import Admin
from augury.proxy.app import Proxy
from augury.proxy.bounded import BoundedProtocol, Limits
from augury.proxy.settings import Settings, read_bytes

__all__ = ["listening", "run", "serve"]

#: Objects more than before that make the interpreter look for garbage.
GARBAGE = 20_000


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
