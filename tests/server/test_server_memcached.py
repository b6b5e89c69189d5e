"""The server as memcached: answers are those of the original, however they are asked for."""

import contextlib
import itertools
import time
from collections.abc import Iterator

import memcached_server
import pytest
from memcached_requests import WRONG, Requests
from memcached_server import Wire
from process import Served, executable, serving

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
@pytest.mark.parametrize("seed", range(4))
def test_random_requests_are_answered_as_memcached_does(wire: Wire, seed: int) -> None:
    """Law: thousands of random commands have the original's answers, byte for byte."""
    with memcached_server.running() as port, Wire(port) as theirs:
        history: list[bytes] = []
        for request, key in itertools.islice(Requests(seed), 1500):
            if b"<" in request:
                theirs.look(key)
                wire.look(key)
            history.append(request)
            expected, got = (it.ask(it.fill(request, key)) for it in (theirs, wire))
            assert expected == got, history[-12:]
