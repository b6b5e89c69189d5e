"""The origin: one request to it, and its answer as a stream, over httpcore (the engine of httpx).

httpcore and not httpx itself, because a proxy passes targets and fields on as they are: it wants
no URLs put in order, no cookies kept, no redirects followed and no bodies decoded. What goes wrong
is one of two errors, each with its status and a sentence. It knows no cache.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpcore

from augury.errors import ConfigError
from augury.proxy.connections import Connections, Held
from augury.proxy.fields import Fields
from augury.proxy.watched import WatchedBackend, WatchedStream

__all__ = ["Arrival", "Origin", "OriginFailed", "Timeouts"]

#: Seconds that a connection stays open without a request.
IDLE = 55.0
#: Methods that may be sent once more where a connection has died before an answer came.
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})


class OriginFailed(Exception):  # noqa: N818
    """No answer, or no end of one: the status for the client, and why.

    ``is_disconnected`` where the origin could not be reached or did not answer as HTTP wants it.
    """

    def __init__(self, status: int, text: str, is_disconnected: bool = True) -> None:
        super().__init__(text)
        self.status, self.is_disconnected = status, is_disconnected


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, for silence while an answer is awaited or comes, for a connection."""

    connect: float
    read: float
    pool: float

    def extension(self) -> dict[str, float]:
        """As httpcore takes them."""
        return {
            "connect": self.connect,
            "read": self.read,
            "write": self.read,
            "pool": self.pool,
        }


class Arrival:
    """An answer whose head has come; its body is read by :meth:`chunks`, once.

    Args:
        response: The answer.
        held: The connection that it comes on.
    """

    def __init__(self, response: httpcore.Response, held: Held | None = None) -> None:
        self.status = response.status
        self.fields: Fields = response.headers
        self._response, self._held = response, held

    @property
    def length(self) -> int | None:
        """What Content-Length says."""
        for name, value in self.fields:
            if name.lower() == b"content-length":
                return int(value) if value.isdigit() else None
        return None

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes, undecoded.

        Raises:
            OriginFailed: It has broken off.
        """
        try:
            assert isinstance(self._response.stream, AsyncIterable)
            async for chunk in self._response.stream:
                yield chunk
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise OriginFailed(502, f"the origin broke off its answer: {said(error)}") from error
        except httpcore.TimeoutException as error:
            raise OriginFailed(504, "the origin stopped in the middle of its answer") from error
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of the connection, which is used again if the answer was read to its end."""
        stream = self._response.extensions.get("network_stream")
        if isinstance(stream, WatchedStream):
            stream.end_of_answer(self.length)
        try:
            await self._response.aclose()
        finally:
            if self._held is not None:
                await self._held.let_go()


class Origin:
    """Where answers come from.

    Args:
        url: Scheme, host and port, and a path under which all targets are.
        timeouts: How long to wait.
        connections: How many at a time.
        verify: Whether its certificate is checked, or the file of an authority that vouches for it.

    Raises:
        ConfigError: The URL is none of HTTP, or the file cannot be read.
    """

    def __init__(
        self, url: str, timeouts: Timeouts, connections: int, verify: bool | str = True
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ConfigError(f"origin {url!r}: expected http://HOST[:PORT] or https://HOST[:PORT]")
        if parts.query or parts.fragment:
            raise ConfigError(f"origin {url!r}: a query or fragment belongs to no origin")
        self.prefix = parts.path.rstrip("/").encode("ascii")
        self.scheme = parts.scheme.encode("ascii")
        self.address = parts.hostname.encode("idna")
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.host = parts.netloc.encode("idna").lower()
        self._extensions = {"timeout": timeouts.extension()}
        self._patience = timeouts.pool
        place = httpcore.Origin(self.scheme, self.address, self.port)
        context = tls(verify) if parts.scheme == "https" else None

        def connect() -> httpcore.AsyncHTTPConnection:
            return httpcore.AsyncHTTPConnection(
                place, context, keepalive_expiry=IDLE, network_backend=WatchedBackend()
            )

        self._connections = Connections(connect, connections)

    async def ask(
        self,
        method: str,
        target: bytes,
        fields: Fields,
        body: AsyncIterable[bytes] | None = None,
    ) -> Arrival:
        """Ask it.

        Raises:
            OriginFailed: It cannot be reached, or does not answer as HTTP wants it.
        """
        url = httpcore.URL(
            scheme=self.scheme, host=self.address, port=self.port, target=self.prefix + target
        )
        is_repeatable = body is None and method in REPEATABLE
        while True:
            request = httpcore.Request(
                method, url, headers=fields, content=body or b"", extensions=self._extensions
            )
            held = None
            try:
                held = await self._connections.hold(self._patience)
                arrival = Arrival(await held.ask(request), held)
                held = None
            except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError) as error:
                if is_repeatable and held is not None and not held.is_new:
                    # A connection that was kept open may have been closed meanwhile.
                    is_repeatable = False
                    continue
                raise OriginFailed(502, f"the origin gave no answer: {said(error)}") from error
            except httpcore.ConnectError as error:
                raise OriginFailed(502, f"the origin cannot be reached: {said(error)}") from error
            except httpcore.PoolTimeout as error:
                raise OriginFailed(503, "too many requests wait for the origin") from error
            except httpcore.ConnectTimeout as error:
                raise OriginFailed(504, "the origin did not take the connection") from error
            except httpcore.TimeoutException as error:
                raise OriginFailed(504, "the origin did not answer in time") from error
            except httpcore.LocalProtocolError as error:
                raise OriginFailed(
                    400, f"the request cannot be passed on: {said(error)}"
                ) from error
            finally:
                if held is not None:
                    await held.let_go()
            if not 200 <= arrival.status <= 599:
                await arrival.close()
                raise OriginFailed(502, f"the origin answered with status {arrival.status}")
            return arrival

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()


def tls(verify: bool | str) -> ssl.SSLContext:
    """How a certificate is checked."""
    try:
        context = ssl.create_default_context(cafile=verify if isinstance(verify, str) else None)
    except OSError as error:
        raise ConfigError(f"origin-ca {verify!r}: cannot be read ({error})") from error
    if verify is False:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def said(error: Exception) -> str:
    """What an error of the network says, without more of the machine than it takes."""
    return str(error) or type(error).__name__
