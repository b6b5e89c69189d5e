"""Attacks: what a client sends, or does not, costs the server little and the others nothing."""

import contextlib
import os
import resource
import select
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from process import Served, executable, ready, serving
from raw import Raw, command, is_reached

pytestmark = pytest.mark.skipif(executable() is None, reason="augury-server is not built")

MIB = 1 << 20


def resident(server: Served) -> int:
    """Bytes of memory that the server has."""
    pages = Path(f"/proc/{server.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def processor(server: Served) -> float:
    """Seconds of processor time that the server has used."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(server: Served) -> int:
    """Files and sockets that the server has open."""
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


@pytest.fixture(scope="module")
def locked() -> Iterator[Served]:
    """A server that asks for a password."""
    with serving("--requirepass", "secret") as server:
        yield server


def flood(connection: Raw, data: bytes, most: int) -> int:
    """Sends the same again and again without reading; how many times before the server ends it."""
    connection.socket.settimeout(10)
    for count in range(most):
        try:
            connection.send(data)
        except (ConnectionError, TimeoutError):
            return count
    return most


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"*11\r\n", b"unauthenticated multibulk length"),
        (b"*2147483647\r\n", b"unauthenticated multibulk length"),
        (b"*1\r\n$16385\r\n", b"unauthenticated bulk length"),
        (b"*2147483648\r\n", b"invalid multibulk length"),
        (b"x" * 70_000, b"too big inline request"),
    ],
)
def test_strangers_may_say_little(locked: Served, sent: bytes, text: bytes) -> None:
    """Headers beyond the limits of strangers end the connection (CVE-2021-32675)."""
    with Raw(locked.port) as stranger:
        stranger.send(sent)
        assert text in stranger.answer()
        assert stranger.is_closed()


def test_limits_end_with_authentication(locked: Served) -> None:
    """In the packet that authenticates too."""
    value = b"v" * 100_000
    with Raw(locked.port) as one:
        one.send(command("AUTH", "secret") + command("SET", "k", value) + command("GET", "k"))
        assert b"+OK\r\n" == one.answer()
        assert b"+OK\r\n" == one.answer()
        assert value in one.answer()


def test_strangers_that_do_not_read_are_cut_off(locked: Served) -> None:
    """Refusals that wait are bounded before authentication (CVE-2025-21605)."""
    before = resident(locked)
    with Raw(locked.port) as stranger:
        refused = command("GET", "k") * 1_000
        assert flood(stranger, refused, 2_000) < 2_000
        assert stranger.is_closed()
    assert resident(locked) - before < 16 * MIB


def test_declared_lengths_cost_nothing() -> None:
    """Many connections that announce the longest arguments take no memory for them."""
    with serving() as server, contextlib.ExitStack() as stack:
        before = resident(server)
        connections = [stack.enter_context(Raw(server.port)) for _ in range(100)]
        for connection in connections:
            connection.send(b"*1000000\r\n$536870912\r\nabc")
        with Raw(server.port) as other:
            assert b"+PONG\r\n" == other.ask("PING")
        assert resident(server) - before < 16 * MIB


def test_answers_that_are_not_read_are_bounded() -> None:
    """One batch of commands may not answer more either; others are served."""
    with serving("--client-output-buffer-limit", "normal 1000000 0 0") as server:
        with Raw(server.port) as one:
            assert b"+OK\r\n" == one.ask("SET", "k", b"v" * MIB)
            before = resident(server)
            one.send(command("GET", "k") * 60)
            assert one.is_closed()
        with Raw(server.port) as other:
            assert b"+PONG\r\n" == other.ask("PING")
        assert resident(server) - before < 24 * MIB


def test_slow_commands_are_cut_off() -> None:
    """A byte now and then does not keep a connection; whole commands do."""
    with (
        serving("--command-timeout", "0.3") as server,
        Raw(server.port) as slow,
        Raw(server.port) as good,
    ):
        slow.send(b"*2\r\n$4\r\nECHO\r\n$1000000\r\n")

        def trickle() -> bool:
            assert b"+PONG\r\n" == good.ask("PING")
            with contextlib.suppress(ConnectionError):
                slow.send(b"x")
            readable, _, _ = select.select([slow.socket], [], [], 0)
            return bool(readable)

        assert is_reached(trickle)
        assert slow.is_closed()


def test_strangers_have_to_authenticate_in_time() -> None:
    """Who has done so stays."""
    with (
        serving("--requirepass", "secret", "--greeting-timeout", "0.3") as server,
        Raw(server.port) as stranger,
        Raw(server.port) as friend,
    ):
        assert b"+OK\r\n" == friend.ask("AUTH", "secret")
        assert stranger.is_closed()
        assert b"+PONG\r\n" == friend.ask("PING")


def test_the_idle_are_cut_off_where_that_is_wanted() -> None:
    """After the time that is set."""
    with serving("--timeout", "1") as server, Raw(server.port) as idle:
        begin = time.monotonic()
        assert idle.is_closed()
        assert time.monotonic() - begin > 0.9


def test_guessing_is_slow() -> None:
    """Attempts of an address that fails often wait, right or wrong, and few at a time."""
    with serving("--requirepass", "secret") as server, contextlib.ExitStack() as stack:
        guesser = stack.enter_context(Raw(server.port))
        begin = time.monotonic()
        guesser.send(command("AUTH", "wrong") * 20)
        answers = [guesser.answer() for _ in range(20)]
        assert time.monotonic() - begin > 0.7
        assert all(answer.startswith(b"-WRONGPASS") for answer in answers)
        many = [stack.enter_context(Raw(server.port)) for _ in range(30)]
        for one in many:
            one.send(command("AUTH", "wrong"))
        kinds = [one.answer() for one in many]
        assert 0 < sum(b"too many failed attempts" in kind for kind in kinds) < len(kinds)
        friend = stack.enter_context(Raw(server.port))
        assert is_reached(lambda: friend.ask("AUTH", "secret") == b"+OK\r\n")


def test_seats_are_bounded_and_used_again() -> None:
    """One too many is told so; when one goes another may come."""
    with serving("--maxclients", "2") as server, Raw(server.port) as first:
        with Raw(server.port) as second:
            assert b"+PONG\r\n" == first.ask("PING") == second.ask("PING")
            with Raw(server.port) as third:
                assert b"-ERR max number of clients reached\r\n" == third.answer()
                assert third.is_closed()

        def is_let_in() -> bool:
            with Raw(server.port) as again, contextlib.suppress(ConnectionError):
                return again.ask("PING") == b"+PONG\r\n"
            return False

        assert is_reached(is_let_in)


def test_a_flood_of_connections_leaves_nothing() -> None:
    """Connections that come and go give their descriptors back."""
    with serving() as server, Raw(server.port) as friend:
        assert b"+PONG\r\n" == friend.ask("PING")
        before = descriptors(server)
        for _ in range(10):
            with contextlib.ExitStack() as stack:
                for _ in range(100):
                    stack.enter_context(Raw(server.port))
        assert b"+PONG\r\n" == friend.ask("PING")
        assert is_reached(lambda: descriptors(server) == before)


@contextlib.contextmanager
def few_descriptors(count: int) -> Iterator[Served]:
    """A server that may open so many files."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))

    process = subprocess.Popen(
        [str(executable()), "--port", "0"], stdout=subprocess.PIPE, preexec_fn=limit
    )
    try:
        yield Served(process, ready(process, ("redis",)))
    finally:
        process.kill()
        process.communicate()


def test_descriptors_that_run_out_stop_nobody() -> None:
    """Who is connected is served, the rest waits without work, and comes in when others go."""
    with few_descriptors(40) as server, contextlib.ExitStack() as stack:
        connections = [stack.enter_context(Raw(server.port)) for _ in range(60)]
        first, last = connections[0], connections[-1]
        last.send(command("PING"))
        assert b"+PONG\r\n" == first.ask("PING")
        used = processor(server)
        readable, _, _ = select.select([last.socket], [], [], 1.0)
        assert [] == readable
        assert processor(server) - used < 0.5
        for connection in connections[1:40]:
            connection.close()
        assert b"+PONG\r\n" == last.answer()


def test_patterns_do_not_explode() -> None:
    """A rule with many stars is matched in bounded time."""
    with serving() as server, Raw(server.port) as one:
        pattern = "~" + "*a" * 50 + "*b"
        assert b"+OK\r\n" == one.ask("ACL", "SETUSER", "bob", "on", "nopass", "+@all", pattern)
        assert b"+OK\r\n" == one.ask("AUTH", "bob", "x")
        begin = time.monotonic()
        assert one.ask("GET", "a" * 10_000).startswith(b"-NOPERM")
        assert time.monotonic() - begin < 2


def own_address() -> str | None:
    """An address of this host that is not of its loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address


@pytest.mark.skipif(own_address() is None, reason="the host has no address but loopback")
def test_protected_mode_serves_this_host_only() -> None:
    """Until there is a password, or it is switched off."""
    address = str(own_address())
    with serving("--bind", "0.0.0.0") as server:
        with Raw(server.port) as near, Raw(server.port, address) as far:
            assert b"+PONG\r\n" == near.ask("PING")
            assert far.answer().startswith(b"-DENIED Redis is running in protected mode")
            assert far.is_closed()
            assert b"+OK\r\n" == near.ask("ACL", "SETUSER", "default", "resetpass", ">secret")
        with Raw(server.port, address) as far:
            assert b"+OK\r\n" == far.ask("AUTH", "secret")
    with (
        serving("--bind", "0.0.0.0", "--protected-mode", "no") as server,
        Raw(server.port, address) as far,
    ):
        assert b"+PONG\r\n" == far.ask("PING")
