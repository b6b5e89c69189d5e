"""Connections to the origin, watched for what comes behind an answer's end.

An origin that sends more than its Content-Length says leaves bytes that the next answer on the
connection would begin with: somebody else would get them. httpcore does not look, so the bytes of
an answer are counted here, and a connection with too many is reported as readable while idle,
which httpcore takes for a reason to close it. It knows heads only as far as their
length, and passes those of interim answers on.
"""

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from augury.proxy.interim import told

__all__ = ["WatchedBackend", "WatchedStream"]

#: Bytes of a head that are looked through; in a longer one nothing is counted.
LONGEST_HEAD = 131_072


class WatchedStream(httpcore.AsyncNetworkStream):
    """A connection."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream
        self._is_answering = False
        self._has_excess = False
        self._begin()

    def _begin(self) -> None:
        self._head = b""
        #: Bytes since the end of the head; None before it.
        self._body: int | None = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read, and count."""
        data = await self._stream.read(max_bytes, timeout)
        self._is_answering = True
        if self._body is not None:
            self._body += len(data)
        elif len(self._head) <= LONGEST_HEAD:
            self._head += data
            self._look()
        return data

    def _look(self) -> None:
        """Find the end of the head; those of interim answers are passed by."""
        while (end := self._head.find(b"\r\n\r\n")) >= 0:
            rest = self._head[end + 4 :]
            if self._head[9:10] != b"1":
                self._body, self._head = len(rest), b""
                return
            told(self._head[:end])
            self._head = rest

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write; what is read from then on is another answer."""
        if self._is_answering:
            self._is_answering = False
            self._begin()
        await self._stream.write(buffer, timeout)

    def end_of_answer(self, length: int | None) -> None:
        """The answer has been read to its end; its body had this length, if it was said."""
        if length is not None and self._body is not None and self._body > length:
            self._has_excess = True

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """The same, encrypted."""
        return WatchedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        if info == "is_readable" and self._has_excess:
            return True
        return self._stream.get_extra_info(info)


class WatchedBackend(httpcore.AsyncNetworkBackend):
    """Connects."""

    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection that is watched."""
        return WatchedStream(
            await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        )

    async def sleep(self, seconds: float) -> None:
        """Wait between attempts."""
        await self._backend.sleep(seconds)
