"""Clients that misbehave, over real sockets: RFC 9112."""

import re
import socket
from pathlib import Path

import httpx
import pytest

from sockets import Program, head_of, running, scripted, talk

GET = b"GET %b HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 4\r\n\r\nbody"


def test_a_slow_reader_does_not_fill_memory(front: Program, site: tuple[Path, int]) -> None:
    """What the client does not read stays with the origin."""
    status = Path(f"/proc/{front.process.pid}/status")
    with socket.create_connection(("127.0.0.1", front.port), 30) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.sendall(GET % b"/large.txt")
        connection.recv(1_000)
        httpx.get(f"http://127.0.0.1:{front.port}/page.txt")
        memory = int(re.search(r"VmRSS:\s+(\d+)", status.read_text())[1])  # type: ignore[index]
        assert memory < 250_000


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"
         b"\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 201 + b"\r\n", 431),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
        (b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 501),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 400),
        (b"TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ],
)  # fmt: skip
def test_requests_that_could_mean_two_things(front: Program, data: bytes, status: int) -> None:
    """RFC 9112, 3.2, 5 and 6.3: they are refused and the connection ends."""
    assert talk(front.port, data).startswith(b"HTTP/1.1 %d " % status)


def test_a_head_without_end(front: Program) -> None:
    """It is not read for ever: the connection ends, and others go on."""
    assert talk(front.port, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 2_000_000)[9:12] in (
        b"",
        b"431",
    )
    assert talk(front.port, GET % b"/page.txt").startswith(b"HTTP/1.1 200")


def test_a_refusal_ends_the_connection(front: Program) -> None:
    """What stands behind a refused request is not read as one."""
    behind = b"GET /page.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    asked = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000000\r\n\r\n"
    assert 1 == talk(front.port, asked + behind).count(b"HTTP/1.1 ")


def test_pipelined_requests(front: Program) -> None:
    """RFC 9112, 9.3.2: answered in their order."""
    two = b"GET /page.txt HTTP/1.1\r\nHost: a\r\n\r\n" + GET % b"/style.css"
    found = talk(front.port, two)
    assert 2 == found.count(b"HTTP/1.1 200")
    assert found.index(b"a page") < found.index(b"color")


def test_another_protocol_is_not_spoken(front: Program) -> None:
    """RFC 9110, 7.8: Upgrade is ignored, and the connection ends with the answer."""
    lines = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"
    asked = b"GET /page.txt HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n"
    found = talk(front.port, asked)
    assert found.startswith(b"HTTP/1.1 200")
    assert b"\r\nconnection: close\r\n" in found


def test_an_old_client(front: Program) -> None:
    """HTTP/1.0 without a Host, whose connection ends with the answer."""
    found = talk(front.port, b"GET /page.txt HTTP/1.0\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 200")
    assert found.endswith(b"a page\n")


def test_a_head_that_does_not_come() -> None:
    """A client that says nothing, or too little, is let go of."""
    with (
        scripted(lambda connection, number: head_of(connection)) as origin,
        running(f"http://127.0.0.1:{origin}", client_timeout=0.3) as (port, _),
    ):
        for begun in (b"", b"GET / HTTP/1.1\r\nHost: a\r\nX: "):
            assert b"" == talk(port, begun)
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"
        assert b" 408 " in talk(port, head)[:20]
