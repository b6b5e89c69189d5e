"""Connections of clients with the limits that the untrusted need: uvicorn's protocol, bounded.

uvicorn reads heads of any length, waits for them for ever, and waits for ever for a client that
does not read. It knows bytes and seconds and nothing of caching.
"""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from augury.proxy.fields import Fields
from augury.proxy.interim import EXTENSION, Tell

__all__ = ["BoundedProtocol", "Limits"]

#: Fields of a request.
MOST_FIELDS = 200
NAMES = {102: b"Processing", 103: b"Early Hints"}


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
        self._head_bytes = 0
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
        if self._is_in_head and self._head_bytes:
            if self._head_bytes > self.limits.head_bytes:
                self.send_400_response("")
            else:
                self._wait()

    def on_headers_complete(self) -> None:
        """The head is complete. What came with it may have been more than the head."""
        if self._waiting is not None:
            self._wait_no_more()
        is_suspect = self._head_bytes > self.limits.head_bytes
        if len(self.headers) > MOST_FIELDS or (is_suspect and self._is_large()):
            self._is_too_large = True
            raise TooLarge
        self._is_in_head, self._head_bytes = False, 0
        super().on_headers_complete()
        if self.scope.get("http_version") == "1.1":
            # The application begins once this has returned.
            cast("dict[str, Any]", self.scope)["extensions"] = {EXTENSION: self._teller()}

    def _teller(self) -> Tell:
        """What writes interim answers to the request whose head has come."""
        cycle = self.cycle

        def tell(status: int, fields: Fields) -> None:
            if cycle.response_started or cycle.disconnected or self.transport.is_closing():
                return
            lines = b"".join(b"%b: %b\r\n" % line for line in fields)
            name = NAMES.get(status, b"")
            self.transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, name, lines))

        return tell

    def _is_large(self) -> bool:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        return size > self.limits.head_bytes

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
