"""Origins that misbehave, over real sockets."""

import re
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import httpx
import pytest

from sockets import free_port, head_of, running, scripted, talk

GET = b"GET %b HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nbody"


@pytest.mark.parametrize(
    ("sent", "status", "text"),
    [
        (b"", 502, b"the origin gave no answer"),
        (b"nonsense\r\n\r\n", 502, b"the origin gave no answer"),
        (b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", 502, b"status 999"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: odd\r\n\r\n", 502, b"the origin gave no answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 502, b"origin"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", 502, b"origin"),
    ],
)
def test_origins_that_do_not_speak_http(sent: bytes, status: int, text: bytes) -> None:
    """RFC 9110, 15.6.3: 502 and why; on a new connection they are not asked again."""
    asked = []

    def answer(connection: socket.socket, number: int) -> None:
        asked.append(head_of(connection))
        connection.sendall(sent)

    with scripted(answer) as origin, running(f"http://127.0.0.1:{origin}") as (port, _):
        found = talk(port, GET % b"/")
        assert found.startswith(b"HTTP/1.1 %d " % status)
        assert text in found
    assert 1 == len(asked)


def test_an_origin_that_is_not_there_or_silent() -> None:
    """502 where nobody listens, 504 where nobody answers; ready only where somebody does."""
    with running(f"http://127.0.0.1:{free_port()}") as (port, admin):
        assert b"HTTP/1.1 502 " == talk(port, GET % b"/")[:13]
        assert 503 == httpx.get(f"http://127.0.0.1:{admin}/readyz").status_code
        assert 200 == httpx.get(f"http://127.0.0.1:{admin}/healthz").status_code
    released = threading.Event()
    with (
        scripted(lambda connection, number: released.wait(20)) as origin,
        running(f"http://127.0.0.1:{origin}", origin_timeout=0.3) as (port, _),
    ):
        found = talk(port, GET % b"/")
        released.set()
        assert b"HTTP/1.1 504 " == found[:13]
        assert b"the origin did not answer in time\n" in found


def test_an_answer_that_breaks_off() -> None:
    """The client sees that it is not whole: by the length, and by the last chunk missing."""
    heads = [b"Content-Length: 10\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]

    def answer(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n" + heads[0])

    with scripted(answer) as origin, running(f"http://127.0.0.1:{origin}") as (port, _):
        for _ in range(2):
            for target in ("/a", "/b"):
                with pytest.raises(httpx.RemoteProtocolError):
                    httpx.get(f"http://127.0.0.1:{port}{target}")
            heads.reverse()


def test_bytes_behind_an_answer_are_nobodys() -> None:
    """An answer longer than it says does not become part of the next one."""
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"

    def answer(connection: socket.socket, number: int) -> None:
        while head := head_of(connection):
            is_first = b"GET /first" in head
            connection.sendall(OK + evil if is_first else OK)

    with scripted(answer) as origin, running(f"http://127.0.0.1:{origin}") as (port, _):
        for target in (b"/first", b"/second", b"/third"):
            assert talk(port, GET % target).endswith(b"body")


@pytest.mark.parametrize(
    ("interim", "passed"),
    [
        (b"HTTP/1.1 102 Processing\r\n\r\n", b"HTTP/1.1 102 Processing\r\n\r\n"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nContent-Length: 3\r\n\r\n",
         b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b""),
        (b"HTTP/1.1 103 x\r\n" + b"a: b\r\n" * 33 + b"\r\n", b""),
    ],
)  # fmt: skip
def test_interim_answers(interim: bytes, passed: bytes) -> None:
    """RFC 9110, 15.2: passed on to who waits; the final one counts, and is stored."""
    final = threading.Event()

    def answer(connection: socket.socket, number: int) -> None:
        while head_of(connection):
            connection.sendall(interim)
            assert not passed or final.wait(20)
            connection.sendall(OK)

    with (
        scripted(answer) as origin,
        running(f"http://127.0.0.1:{origin}") as (port, _),
        socket.create_connection(("127.0.0.1", port), 20) as connection,
    ):
        connection.sendall(GET % b"/")
        # It is there before the final answer is.
        found = connection.recv(1_000) if passed else b""
        assert passed == found
        final.set()
        while more := connection.recv(1_000):
            found += more
        assert found.startswith(passed + b"HTTP/1.1 200 OK\r\n")
        assert found.endswith(b"body")
        again = talk(port, GET % b"/")
        assert again.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"; hit" in again


def test_an_idle_connection_that_the_origin_has_closed() -> None:
    """The request is repeated on a new one, if it may be."""

    def answer(connection: socket.socket, number: int) -> None:
        head_of(connection)
        connection.sendall(OK)

    with scripted(answer) as origin, running(f"http://127.0.0.1:{origin}") as (port, _):
        for number in range(5):
            assert talk(port, GET % b"/%d" % number).endswith(b"body")


def test_a_body_goes_both_ways() -> None:
    """Of known length and in chunks, after `100 Continue`."""

    def echo(connection: socket.socket, number: int) -> None:
        head = head_of(connection)
        while not head.endswith((b"\r\n0\r\n\r\n", b"!")):
            head += connection.recv(65_536)
        body = head.partition(b"\r\n\r\n")[2]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with scripted(echo) as origin, running(f"http://127.0.0.1:{origin}") as (port, _):
        url = f"http://127.0.0.1:{port}/"
        assert b"x" * 300_000 + b"!" == httpx.post(url, content=b"x" * 300_000 + b"!").content
        chunks = httpx.post(url, content=iter([b"ab", b"cd"])).content
        assert b"abcd" == b"".join(re.findall(rb"[a-d]+(?=\r\n)", chunks)).replace(b"\r\n", b"")
        expecting = (
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port), 30) as connection:
            connection.sendall(expecting)
            assert b"HTTP/1.1 100 Continue\r\n\r\n" == connection.recv(1_000)
            connection.sendall(b"!")
            assert b"HTTP/1.1 200 OK" == connection.recv(1_000)[:15]


def test_an_https_origin(tmp_path: Path) -> None:
    """Only with a certificate that somebody vouches for, unless that is switched off."""
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
         certificate], check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def answer(connection: socket.socket, number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            head_of(encrypted)
            encrypted.sendall(OK)

    with scripted(answer) as origin:
        url = f"https://localhost:{origin}"
        with running(url, origin_ca=str(certificate)) as (port, _):
            assert talk(port, GET % b"/").endswith(b"body")
        with running(url) as (port, _):
            assert b"certificate" in talk(port, GET % b"/")
        with running(url, verify=False) as (port, _):
            assert talk(port, GET % b"/").endswith(b"body")
