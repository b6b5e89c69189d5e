"""Whether ports are free, and whether a server answers."""

import errno
import os
import socket
import ssl
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from augury.diagnosis.finding import Finding, State
from augury.errors import ConfigError

__all__ = ["port", "server"]

#: Seconds.
PATIENCE = 3.0
PORT = 6379
#: Where redis-cli and valkey-cli look for a password.
PASSWORD = "REDISCLI_AUTH"
LARGEST_ANSWER = 1 << 16


def port(number: int) -> Finding:
    """Whether a server could listen on a port of the loopback."""
    about = f"port {number}"
    if not 0 < number < 65_536:
        return Finding(about, State.PROBLEM, "is none", "ports are numbers from 1 to 65535")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return Finding(
                    about, State.NOTE, "is taken",
                    f"see who answers there: augury doctor --server redis://127.0.0.1:{number}; or "
                    "serve on another: augury serve --port N",
                )  # fmt: skip
            return Finding(about, State.PROBLEM, f"cannot be had: {error.strerror}",
                           "choose one above 1023: augury serve --port N")  # fmt: skip
    return Finding(about, State.OK, "is free")


def server(url: str, environment: Mapping[str, str] = os.environ) -> Finding:
    """Whether a server of Redis's protocol answers at a URL.

    Raises :class:`~augury.ConfigError` for what is no URL of a server.
    """
    try:
        parts = urlsplit(url)
        host, number = parts.hostname, parts.port or PORT
    except ValueError as error:
        raise ConfigError(f"server: is no URL: {error}") from error
    if parts.scheme not in ("redis", "rediss", "valkey", "valkeys") or not host:
        raise ConfigError(
            f"server {parts.scheme}://...: expected redis://HOST:PORT, or rediss:// for TLS"
        )
    about = f"server {host}:{number}"
    password = unquote(parts.password) if parts.password else environment.get(PASSWORD)
    user = unquote(parts.username or "")
    is_secret = parts.scheme in ("rediss", "valkeys")
    try:
        with connected(host, number, is_secret=is_secret) as connection:
            return asked(connection, about, user, password)
    except TimeoutError:
        found = f"does not answer within {PATIENCE:g} s"
        way_out = "is it a server of Redis's protocol, and is a firewall between?"
    except ssl.SSLError as error:
        found = f"no TLS with it: {error.reason}"
        way_out = "redis:// is without TLS; certificates have to be known to the system"
    except OSError as error:
        found = f"cannot be reached: {error.strerror or error}"
        way_out = f"start one: augury serve --port {number}"
    return Finding(about, State.PROBLEM, found, way_out)


def connected(host: str, number: int, *, is_secret: bool) -> socket.socket:
    """A connection, with TLS or without."""
    connection = socket.create_connection((host, number), timeout=PATIENCE)
    if not is_secret:
        return connection
    try:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    except BaseException:
        connection.close()
        raise


def asked(connection: socket.socket, about: str, user: str, password: str | None) -> Finding:
    """What a connected server answers."""
    if password is not None:
        answer = reply(connection, "AUTH", *((user, password) if user else (password,)))
        if not answer.startswith("+OK"):
            return Finding(about, State.PROBLEM, f"refuses the password: {answer[:80]}",
                           f"give another, in the URL or in {PASSWORD}")  # fmt: skip
    answer = reply(connection, "PING")
    if answer.startswith("-NOAUTH"):
        return Finding(about, State.NOTE, "answers, and wants a password",
                       f"give one, in the URL or in {PASSWORD}")  # fmt: skip
    if not answer.startswith("+PONG"):
        return Finding(about, State.PROBLEM, f"answers {answer[:80]!r} to PING",
                       "that is no server of Redis's protocol, or it refuses PING")  # fmt: skip
    told = reply(connection, "INFO", "server")
    fields = dict(line.partition(":")[::2] for line in told.splitlines())
    names = ("augury_version", "valkey_version", "redis_version")
    version = next((f"{name.partition('_')[0]} {fields[name]}" for name in names if name in fields),
                   "an unknown version")  # fmt: skip
    return Finding(about, State.OK, f"answers: {version}")


def reply(connection: socket.socket, *words: str) -> str:
    """The answer to a command, as far as it comes at once; a bulk string whole."""
    parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
    connection.sendall("".join(parts).encode())
    got = b""
    while not is_whole(got):
        more = connection.recv(4096)
        if not more:
            raise ConnectionResetError(errno.ECONNRESET, "it closed the connection")
        got += more
        if len(got) > LARGEST_ANSWER:
            break
    return got.decode("utf-8", "replace").rstrip("\r\n")


def is_whole(got: bytes) -> bool:
    r"""Whether an answer is there whole.

    >>> is_whole(b"+PONG\r\n"), is_whole(b"$5\r\nhel"), is_whole(b"$2\r\nhi\r\n")
    (True, False, True)
    """
    line, end, rest = got.partition(b"\r\n")
    if not end:
        return False
    if line[:1] not in (b"$", b"="):
        return True
    length = line[1:]
    return not length.isdigit() or len(rest) >= int(length) + 2
