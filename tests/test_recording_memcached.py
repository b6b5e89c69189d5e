"""memcached's `watch`: which lines are requests, and a real server listened to."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import augury
from augury.errors import ConfigError, TraceError
from augury.recording import KeyedRequest, LeftOut, MemcachedWatch
from augury.recording.watch_line import Pairing, read_watch_line
from server import memcached_server


def line(kind: str, **fields: object) -> bytes:
    """A line as memcached writes it."""
    rest = " ".join(f"{name}={value}" for name, value in fields.items())
    return f"ts=1700000000.7 gid=1 type={kind} {rest}".encode()


def store(command: str, status: str = "stored", **fields: object) -> bytes:
    """The line of a write."""
    given = {"key": "a", "status": status, "cmd": command, "ttl": 0, "clsid": 1, "cfd": 9}
    return line("item_store", **{**given, "size": 3, **fields})


def paired(*lines: bytes) -> list[KeyedRequest | LeftOut]:
    """What lines come to, all within one moment."""
    pairing = Pairing()
    found: list[KeyedRequest | LeftOut] = []
    for one in lines:
        event = read_watch_line(one)
        assert event is not None
        found += pairing.add(event)
    return [*found, *pairing.rest()]


FETCH = line("item_get", key="a", status="found", clsid=1, cfd=9, size=3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FETCH, ("get", 3, 0)),
        (line("item_get", key="a", status="not_found", cfd=9, size=0), ("get", None, 0)),
        (store("set", ttl=60), ("set", 3, 60)),
        (store("add", "not_stored"), ("add", 3, 0)),
        (store("append", size=9), ("append", 9, 0)),
        (store("cas"), ("cas", 3, 0)),
        (store("set", ttl=2**32 - 64), ("delete", None, 0)),
        (line("deleted", key="a", cmd="delete", clsid=1, size=3), ("delete", None, 0)),
    ],
)
def test_fetches_writes_and_deletions_are_requests(
    text: bytes, expected: tuple[str, int | None, int]
) -> None:
    """With the size of the value and the seconds it lives; microseconds are a number."""
    event = read_watch_line(text)
    assert event is not None
    found = event.found
    assert isinstance(found, KeyedRequest)
    assert (b"a", *expected) == (found.key, found.op, found.size, found.ttl)
    assert 1_700_000_000.000007 == found.time


def test_keys_are_percent_encoded() -> None:
    """Bytes of any kind."""
    event = read_watch_line(line("item_get", key="gr%C3%BCn%25x%3Dy", status="found", size=1))
    assert event is not None
    assert "grün%x=y".encode() == event.key


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([FETCH, store("set")], ["set"]),
        ([FETCH, FETCH, store("set")], ["get", "set"]),
        ([FETCH, store("cas", "exists")], ["left out"]),
        ([FETCH, FETCH.replace(b"cfd=9", b"cfd=8"), store("set")], ["get", "set"]),
        ([FETCH.replace(b"key=a", b"key=b"), store("set")], ["get", "set"]),
        ([FETCH, FETCH.replace(b"key=a", b"key=b"), store("set")], ["get", "get", "set"]),
        ([FETCH, line("deleted", key="a", cmd="delete", size=3)], ["delete"]),
        ([store("set", "too_large", cfd=0), FETCH, FETCH], ["left out", "get"]),
    ],
)
def test_the_fetch_made_for_a_write_is_no_read(lines: list[bytes], expected: list[str]) -> None:
    """Of the same connection, for the same key, right before; or behind what did not fit."""
    found = paired(*lines)
    kinds = ["left out" if isinstance(one, LeftOut) else one.op for one in found]
    assert expected == kinds


@given(st.binary(max_size=200))
def test_no_line_does_harm(noise: bytes) -> None:
    """Whatever comes is a request, left out, or no line."""
    for text in (noise, b"ts=1.1 gid=1 type=item_store key=" + noise, FETCH + noise):
        event = read_watch_line(text)
        assert event is None or isinstance(event.found, KeyedRequest | LeftOut)


@given(
    st.lists(
        st.sampled_from(
            [
                FETCH,
                store("set"),
                store("set", "too_large"),
                line("deleted", key="b", cmd="md", size=1),
            ]
        ),
        max_size=700,
    )
)
def test_pairing_loses_nothing_but_fetches(lines: list[bytes]) -> None:
    """As many writes come out as went in, in order, and no more fetches."""
    found = paired(*lines)
    writes = [one for one in lines if b"item_get" not in one]
    out = [one for one in found if isinstance(one, LeftOut) or one.op != "get"]
    assert len(writes) == len(out)
    assert len(found) <= len(lines)


def pipe(answer: bytes, stream: bytes) -> Callable[[], socket.socket]:
    """A server that answers every watch so, then says what it has and closes."""

    def connect() -> socket.socket:
        ours, theirs = socket.socketpair()

        def serve() -> None:
            with closing(theirs):
                theirs.recv(100)
                theirs.sendall(answer + stream)

        threading.Thread(target=serve, daemon=True).start()
        return ours

    return connect


def test_what_the_server_left_out_is_told_and_noise_is_counted() -> None:
    """Lines that are none are malformed; a connection that ends keeps what came."""
    other = FETCH.replace(b"key=a", b"key=b")
    stream = other + b"\nnoise\n[skipped: 12] \n" + b"\xff" * 70_000 + b"\n" + store("set") + b"\n"
    watch = MemcachedWatch("memcached://x", connect=pipe(b"OK\r\n", stream))
    found = [one for one in watch if one is not None]
    assert ["get", "set"] == [one.op for one in found if isinstance(one, KeyedRequest)]
    assert sum(isinstance(one, LeftOut) and one.malformed for one in found) >= 2
    assert any("left out 12 lines" in note for note in watch.notes)
    assert (False, "the server closed the connection") == (watch.complete, watch.ended)


def test_a_server_that_does_not_watch_is_an_error() -> None:
    """With what it said, and what is needed."""
    watch = MemcachedWatch("memcached://x", connect=pipe(b"CLIENT_ERROR watch is off\r\n", b""))
    with pytest.raises(TraceError, match=r"watch is off.*1\.4\.26"):
        list(watch)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("memcached://", "memcached://HOST:PORT"),
        ("memcached://host/1", "memcached://HOST:PORT"),
        ("memcached://user:secret@host", "takes no user"),
        ("memcached://host:port", "is no URL"),
    ],
)
def test_urls_that_name_no_memcached(url: str, word: str) -> None:
    """Are refused without saying a password."""
    with pytest.raises(ConfigError, match=word) as raised:
        MemcachedWatch(url)
    assert "secret" not in str(raised.value)


@pytest.mark.skipif(shutil.which("memcached") is None, reason="memcached is not installed")
class TestARealServer:
    """Debian's memcached, listened to while a client works."""

    @pytest.fixture
    def port(self) -> Iterator[int]:
        """Where it listens."""
        with memcached_server.running() as port:
            yield port

    def test_what_a_client_does_is_what_is_recorded(self, port: int, tmp_path: Path) -> None:
        """Reads once each, hits and misses; writes without their look-ups; sizes, TTLs, keys."""
        target = tmp_path / "out.csv"
        listening = threading.Event()
        outcome: list[augury.Recording] = []

        def listen() -> None:
            outcome.append(
                augury.record(
                    f"memcached://127.0.0.1:{port}", target, requests=6,
                    duration=60, progress=lambda _recorder: listening.set(),
                )
            )  # fmt: skip

        thread = threading.Thread(target=listen)
        thread.start()
        assert listening.wait(60)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
            for sent, answer in (
                (b"get user:1\r\n", b"END\r\n"),
                (b"set user:1 0 100 3\r\nabc\r\n", b"STORED\r\n"),
                (b"get user:1\r\n", b"END\r\n"),
                (b"get user:1 user:2\r\n", b"END\r\n"),
                ("add gr\u00fcn 0 0 1\r\nx\r\n".encode(), b"STORED\r\n"),
            ):
                client.sendall(sent)
                got = b""
                while not got.endswith(answer):
                    got += client.recv(4096)
        thread.join(60)
        assert not thread.is_alive()
        lines = [line.split(",")[1:5] for line in target.read_text().splitlines()[1:]]
        assert [
            ["user:1", "1", "get", "0"],
            ["user:1", "3", "set", "100"],
            ["user:1", "3", "get", "0"],
            ["user:1", "3", "get", "0"],
            ["user:2", "1", "get", "0"],
            ["grün", "1", "add", "0"],
        ] == lines
        assert "as many requests as asked for" == outcome[0].ended

    def test_no_server_is_an_error(self, tmp_path: Path) -> None:
        """With the address; nothing is written."""
        with pytest.raises(TraceError, match=r"memcached://127\.0\.0\.1:1"):
            augury.record("memcached://127.0.0.1:1", tmp_path / "out.csv")
        assert [] == list(tmp_path.iterdir())
