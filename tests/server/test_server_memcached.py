"""The server as memcached: answers are those of the original, however they are asked for."""

import contextlib
import itertools
import socket
import time
from collections.abc import Callable, Iterator

import memcached_server
import pytest
import redis
from memcached_requests import WRONG, Requests
from memcached_server import Wire
from process import Served, executable, serving
from pymemcache.client.base import Client

pytestmark = pytest.mark.skipif(executable() is None, reason="needs a built augury-server")
original = pytest.mark.skipif(memcached_server.executable() is None, reason="needs memcached")

PROTOCOLS = ("redis", "memcached")


def serve() -> contextlib.AbstractContextManager[Served]:
    """A server for both protocols."""
    return serving("--memcached-port", "0", protocols=PROTOCOLS)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server that all tests of this module share."""
    with serve() as running:
        yield running


@pytest.fixture
def wire(served: Served) -> Iterator[Wire]:
    """A connection to an empty cache."""
    with Wire(served.ports["memcached"]) as connection:
        connection.raw(b"flush_all\r\n")
        yield connection


@original
def test_wrong_requests_are_refused_as_memcached_does(wire: Wire) -> None:
    """Law: what is wrong is answered with the original's text, and nothing is lost after it."""
    with memcached_server.running() as port, Wire(port) as theirs:
        for request in WRONG:
            shown = request[:80]
            assert theirs.ask(request) == wire.ask(request), shown


@original
@pytest.mark.parametrize("seed", range(3))
def test_random_requests_are_answered_as_memcached_does(wire: Wire, seed: int) -> None:
    """Law: thousands of random commands have the original's answers, byte for byte."""
    with memcached_server.running() as port, Wire(port) as theirs:
        history: list[bytes] = []
        for request, key in itertools.islice(Requests(seed), 1000):
            if b"<" in request:
                theirs.look(key)
                wire.look(key)
            history.append(request)
            expected, got = (it.ask(it.fill(request, key)) for it in (theirs, wire))
            assert expected == got, history[-12:]


def recorded(port: int, count: int) -> list[tuple[bytes, bytes]]:
    """Requests and their answers, one after the other; those that name uniques are left out."""
    with Wire(port) as wire:
        wire.raw(b"flush_all\r\n")
        requests = [request for request, _ in itertools.islice(Requests(9), count)]
        requests = [request for request in requests if b"<" not in request]
        return [(request, wire.ask(request)) for request in requests]


def test_pipelined_requests_are_answered_as_single_ones(served: Served) -> None:
    """Law: many requests at once have the answers that they have one by one."""
    port = served.ports["memcached"]
    pairs = recorded(port, 1500)
    with Wire(port) as wire:
        wire.raw(b"flush_all\r\n")
        answers = wire.ask(b"".join(request for request, _ in pairs))
    assert b"".join(answer for _, answer in pairs) == answers


def test_requests_may_be_cut_at_every_byte(served: Served) -> None:
    """Law: how the bytes of requests are spread over packets changes nothing."""
    port = served.ports["memcached"]
    pairs = recorded(port, 60)
    request = b"".join(request for request, _ in pairs)
    expected = b"".join(answer for _, answer in pairs)
    with Wire(port) as wire:
        wire.raw(b"flush_all\r\n")
        for at in range(len(request)):
            wire.socket.sendall(request[at : at + 1])
        assert expected == wire.ask(b"")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"quit\r\nmn\r\n", b""),
        (b"mn\r\nquit\r\nmn\r\n", b"MN\r\n"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nset k 0 0 1\r\n1\r\n", b""),
        (b"x" * 3000, b""),
        (b" " * 200 + b"get " + b"x" * 3000, b""),
        (b"\x80\x00\x00\x00", b"SERVER_ERROR the binary protocol is not spoken here: "),
    ],
)
def test_what_cannot_go_on_ends_the_connection(
    served: Served, request_: bytes, answer: bytes
) -> None:
    """Law: endless lines, browsers and the binary protocol get no further."""
    with Wire(served.ports["memcached"]) as wire:
        got = wire.rest(request_)
    assert got.startswith(answer)
    assert answer or not got


@pytest.mark.parametrize("name", PROTOCOLS)
def test_who_ends_its_side_is_answered_and_let_go(served: Served, name: str) -> None:
    """Law: requests that come with the peer's end are answered, and the connection ends."""
    request, answer = {
        "redis": (b"PING\r\n", b"+PONG\r\n"),
        "memcached": (b"mn\r\n", b"MN\r\n"),
    }[name]
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", served.ports[name]), 10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            got = b""
            while piece := connection.recv(100):
                got += piece
            assert answer == got


def test_a_list_of_keys_may_be_long(wire: Wire) -> None:
    """Law: only a list of keys may be longer than a line, and each key is answered."""
    wire.raw(b"set k 0 0 1\r\n1\r\n")
    assert b"VALUE k 0 1\r\n1\r\n" * 5000 + b"END\r\n" == wire.raw(b"get" + b" k" * 5000 + b"\r\n")


def test_what_is_declared_and_never_sent_takes_no_memory(served: Served) -> None:
    """Law: declared lengths allocate nothing, be they within the limit or beyond."""
    status = f"/proc/{served.process.pid}/status"

    def resident() -> int:
        with open(status, encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    before = resident()
    with contextlib.ExitStack() as stack:
        for length in [1_000_000, 2_000_000_000] * 50:
            wire = stack.enter_context(Wire(served.ports["memcached"]))
            wire.socket.sendall(b"mn\r\nset k 0 0 %d\r\nabc" % length)
            assert wire.socket.recv(100).startswith(b"MN\r\n")
        assert resident() - before < 20_000


def test_an_item_ends_when_its_time_has_come(wire: Wire) -> None:
    """Law: an item is there until its time, in seconds from now or of Unix time."""
    wire.raw(b"set a 0 1 1\r\n1\r\nset b 0 %d 1\r\n1\r\n" % (int(time.time()) + 2))
    assert b"VALUE a 0 1\r\n1\r\nVALUE b 0 1\r\n1\r\nEND\r\n" == wire.raw(b"get a b\r\n")
    assert wait_for(lambda: wire.raw(b"get a b\r\n") == b"END\r\n")


def test_a_flush_may_be_delayed(wire: Wire) -> None:
    """Law: a delayed flush takes what is there when its time has come, later items stay."""
    wire.raw(b"flush_all 1\r\nset a 0 0 1\r\n1\r\n")
    assert wire.raw(b"get a\r\n") == b"VALUE a 0 1\r\n1\r\nEND\r\n"
    assert wait_for(lambda: wire.raw(b"get a\r\n") == b"END\r\n")
    assert wire.raw(b"set a 0 0 1\r\n1\r\nget a\r\n") == b"STORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n"


def wait_for(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true before a deadline."""
    until = time.monotonic() + 10
    while not condition():
        if time.monotonic() > until:
            return False
    return True


def test_an_item_that_is_too_large_leaves_nothing_behind(wire: Wire) -> None:
    """Law: what could not be replaced is not served any longer, and its bytes are no commands."""
    wire.raw(b"set k 0 0 1\r\n1\r\n")
    block = (b"delete other\r\n" * 80_000)[: 1 << 20]
    answer = wire.raw(b"set k 0 0 1048576\r\n" + block + b"\r\nget k\r\n")
    assert answer == b"SERVER_ERROR object too large for cache\r\nEND\r\n"


def test_redis_and_memcached_clients_share_strings(served: Served, wire: Wire) -> None:
    """Law: a string of one protocol is one of the other; its unique changes when it does."""
    with redis.Redis(port=served.port, protocol=2) as client:
        client.set("text", b"of redis")
        first = wire.raw(b"gets text\r\n")
        assert first.startswith(b"VALUE text 0 8 ")
        assert first == wire.raw(b"gets text\r\n")
        unique = first.split()[4]
        client.set("text", b"of Redis")
        assert wire.raw(b"cas text 0 0 1 %s\r\nx\r\n" % unique) == b"EXISTS\r\n"
        unique = wire.raw(b"gets text\r\n").split()[4]
        assert wire.raw(b"cas text 5 0 5 %s\r\nfresh\r\n" % unique) == b"STORED\r\n"
        assert client.get("text") == b"fresh"
        client.set("text", b"again")
        assert wire.raw(b"mg text s f v h\r\n") == b"VA 5 s5 f0 h0\r\nagain\r\n"
        assert wire.raw(b"md text I\r\nmg text v\r\n") == b"HD\r\nVA 5 X W\r\nagain\r\n"


def test_newer_meta_flags_are_known(wire: Wire) -> None:
    """Law: a unique chosen by the client (E), an emptied item (x), a vivified append (N)."""
    assert wire.raw(b"ms k 2 c E99 F7\r\nab\r\nmg k c s f\r\n") == b"HD c99\r\nHD c99 s2 f7\r\n"
    assert wire.raw(b"md k x E100\r\nmg k c s f v\r\n") == b"HD\r\nVA 0 c100 s0 f0\r\n\r\n"
    assert wire.raw(b"ms n 1 MA N100\r\n5\r\nma n v t\r\n") == b"HD\r\nVA 1 t100\r\n6\r\n"


def test_statistics_count_what_was_asked(wire: Wire) -> None:
    """Law: the counters are memcached's, and start anew after a reset."""
    wire.raw(b"stats reset\r\n")
    wire.raw(b"set k 0 0 1\r\n1\r\nget k no\r\nincr k 1\r\ndelete k\r\ndelete k\r\ntouch k 0\r\n")
    lines = wire.raw(b"stats\r\n").decode().splitlines()
    stats = dict(line.split(" ", 2)[1:] for line in lines if line.startswith("STAT"))
    # The fences of the two requests before this one asked for a key that is not there.
    expected = {
        "cmd_set": "1", "cmd_get": "2", "get_hits": "1", "get_misses": "1", "incr_hits": "1",
        "delete_hits": "1", "delete_misses": "3", "touch_misses": "1", "total_items": "1",
        "curr_items": "0", "limit_maxbytes": str(64 << 20), "version": "1.6.18",
    }  # fmt: skip
    assert expected == {name: stats[name] for name in expected}
    assert lines[-1] == "END"
    for what in (b"settings", b"items", b"slabs"):
        assert wire.raw(b"stats %s\r\n" % what).endswith(b"END\r\n")


@pytest.fixture
def client(served: Served, wire: Wire) -> Iterator[Client]:
    """Pymemcache on an empty cache."""
    with contextlib.closing(Client(("127.0.0.1", served.ports["memcached"]), timeout=10)) as it:
        yield it


def test_pymemcache_finds_a_memcached(client: Client) -> None:
    """Law: every command of pymemcache works as its documentation says."""
    assert client.set("k", b"v", expire=100, noreply=False)
    assert client.get("k") == b"v"
    assert client.set_many({"a": b"1", "b": b"2"}, noreply=False) == []
    assert client.get_many(["a", "b", "c"]) == {"a": b"1", "b": b"2"}
    value, unique = client.gets("a")
    assert value == b"1"
    assert client.cas("a", b"3", unique, noreply=False)
    assert client.cas("a", b"4", unique, noreply=False) is False
    assert client.cas("none", b"4", unique, noreply=False) is None
    assert set(client.gets_many(["a", "b"])) == {"a", "b"}
    assert client.add("a", b"x", noreply=False) is False
    assert client.replace("a", b"10", flags=9, noreply=False)
    assert client.append("a", b"0", noreply=False)
    assert client.prepend("a", b"1", noreply=False)
    assert (client.incr("a", 5), client.decr("a", 2000)) == (1105, 0)
    assert client.get("a") == b"0   "
    assert client.incr("none", 1) is None
    assert client.touch("a", 100, noreply=False)
    assert not client.touch("none", noreply=False)
    assert client.delete("a", noreply=False)
    assert not client.delete("a", noreply=False)
    assert client.stats()[b"version"]
    assert client.version() == b"1.6.18"
    assert client.cache_memlimit(64)
    assert client.flush_all(noreply=False)
    assert client.get("k", default=b"gone") == b"gone"
    assert client.raw_command(b"mg none v") == b"EN"


def test_pymemcache_answers_nothing_where_nothing_was_asked(client: Client) -> None:
    """Law: commands without reply leave nothing behind that the next would read."""
    for number in range(100):
        client.set(f"k{number}", str(number), noreply=True)
        client.delete(f"k{number - 1}", noreply=True)
        client.touch(f"k{number}", 100, noreply=True)
    assert client.get("k99") == b"99"
    assert client.get("k98") is None


def test_many_clients_see_one_counter(served: Served, wire: Wire) -> None:
    """Law: an addition is whole, whoever else adds at the same time."""
    wire.raw(b"set n 0 0 1\r\n0\r\n")
    address = ("127.0.0.1", served.ports["memcached"])
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(address, 10)) for _ in range(20)]
        for each in sockets:
            each.sendall(b"incr n 1\r\n" * 100 + b"quit\r\n")
        for each in sockets:
            while each.recv(1 << 16):
                pass
    assert wire.raw(b"get n\r\n") == b"VALUE n 0 4\r\n2000\r\nEND\r\n"
