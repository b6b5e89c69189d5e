"""Reading through: what the server does not have is loaded, once for all who ask."""

import random
import re
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis
from origins import Reply, Web, revivable, web
from process import Served, executable, serving
from wire import Answer, Argument, Wire, packed

from redis_server import client_of, free_port, running

pytestmark = pytest.mark.skipif(executable() is None, reason="needs cargo build -p augury-server")

DEADLINE = 20.0
QUIET = ("--log-level", "warning")


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for a condition, at most for the deadline."""
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.005)


def client(served: Served, db: int = 0) -> redis.Redis:
    """A client that does not decode."""
    return redis.Redis(port=served.port, db=db, protocol=2, socket_timeout=DEADLINE)


def number(served: Served, name: str) -> int:
    """A number that INFO shows of the upstream."""
    with closing(client(served)) as one:
        return int(one.info("augury")[f"upstream_{name}"])


def through(port: int, *arguments: str, scheme: str = "http") -> tuple[str, ...]:
    """Arguments of a server that reads through to a port of this host."""
    return ("--upstream", f"{scheme}://127.0.0.1:{port}", *QUIET, *arguments)


@pytest.fixture
def origin() -> Iterator[Web]:
    """A web origin."""
    with web() as found:
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[redis.Redis]:
    """A Redis server to read through to."""
    with running(tmp_path) as port, closing(client_of(port)) as found:
        yield found


def port_of(found: redis.Redis) -> int:
    """The port of a client's server."""
    port: int = found.connection_pool.connection_kwargs["port"]
    return port


def send(port: int, *commands: list[Argument]) -> Wire:
    """A connection on which these commands were sent, and not yet answered."""
    wire = Wire(port)
    wire.socket.sendall(b"".join(packed(command) for command in commands))
    return wire


def test_a_missing_key_is_loaded_with_its_time_to_live(store: redis.Redis) -> None:
    """GET loads once, ends when the origin's entry does, and asks no more until then."""
    store.set("k", b"\x00value\r\n", ex=100)
    store.set("endless", "1")
    with serving(*through(port_of(store), "--upstream-ttl", "50", scheme="redis")) as served:
        ours = client(served)
        assert b"\x00value\r\n" == ours.get("k") == ours.get("k")
        assert 80 <= ours.ttl("k") <= 100
        assert b"1" == ours.get("endless")
        assert 40 <= ours.ttl("endless") <= 50
        assert ours.get("no") is None
        assert 3 == number(served, "loads")
        # What is counted is what was asked of the cache: a key that had to be loaded was missed.
        stats = ours.info("stats")
        assert (1, 3) == (stats["keyspace_hits"], stats["keyspace_misses"])


def test_the_commands_that_load(store: redis.Redis) -> None:
    """Whole strings and parts, several keys, existence, hashes; a wrong type is said to be one."""
    store.mset({f"s:{at}": f"value {at}" for at in range(9)})
    store.hset("h", mapping={"a": "1", "b": "2"})
    store.rpush("l", "1")
    with serving(*through(port_of(store), scheme="valkey")) as served:
        ours = client(served)
        assert [b"value 0", None, b"value 1", b"value 0"] == ours.mget("s:0", "no", "s:1", "s:0")
        assert (7, b"val", 2) == (
            ours.strlen("s:2"), ours.getrange("s:3", 0, 2), ours.exists("s:4", "nothing", "s:4")
        )  # fmt: skip
        assert b"value 5" == ours.getex("s:5", ex=7)
        assert 1 <= ours.ttl("s:5") <= 7
        assert {b"a": b"1", b"b": b"2"} == ours.hgetall("h")
        assert (b"1", [b"2", None]) == (ours.hget("h", "a"), ours.hmget("h", "b", "c"))
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            ours.get("h")
        with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
            ours.hget("s:6", "a")
        with pytest.raises(redis.ResponseError, match=r"UPSTREAM redis|UPSTREAM valkey.*neither"):
            ours.get("l")


def test_only_database_0_is_read_through(store: redis.Redis) -> None:
    """The others are plain caches, and so is database 0 for what writes."""
    store.set("k", "5")
    with serving(*through(port_of(store), scheme="redis")) as served:
        assert client(served, db=1).get("k") is None
        assert 1 == client(served).incr("k")
        assert b"1" == client(served).get("k")
    assert b"5" == store.get("k")


def test_between_multi_and_exec_nothing_is_loaded(store: redis.Redis) -> None:
    """EXEC answers null for what is missing; WATCH does not take a load for a change."""
    store.set("k", "5")
    with serving(*through(port_of(store), scheme="redis")) as served:
        with client(served).pipeline(transaction=True) as pipe:
            assert [None] == pipe.get("k").execute()
        assert 0 == number(served, "loads")
        with client(served).pipeline() as pipe:
            pipe.watch("k")
            assert b"5" == pipe.get("k")
            pipe.multi()
            pipe.set("k", "6")
            assert [True] == pipe.execute()


def test_many_who_miss_a_key_make_one_load(origin: Web) -> None:
    """Fifty clients wait for the same load, and another client is served meanwhile."""
    origin.put("/k", "value")
    origin.gate.clear()
    with serving(*through(origin.port, "--upstream-timeout", "15")) as served:
        wires = [send(served.port, ["GET", "k"]) for _ in range(50)]
        until(lambda: number(served, "waits") == 50, "fifty wait")
        with closing(client(served)) as other:
            assert other.set("other", "1")
            assert b"1" == other.get("other")
        origin.gate.set()
        assert [("$", b"value")] * 50 == [wire.answer() for wire in wires]
        assert {"/k": 1} == dict(origin.asked)
        for wire in wires:
            wire.close()


def test_a_pipeline_keeps_its_order_and_loads_together(origin: Web) -> None:
    """Answers come in the order of the commands; the loads of reads in a row are made at once."""
    for at in range(40):
        origin.put(f"/k{at}", f"v{at}")
    commands: list[list[Argument]] = [["PING"], ["SET", "here", "h"]]
    expected: list[Answer] = [("+", b"PONG"), ("+", b"OK")]
    for at in range(40):
        commands += [["GET", f"k{at}"], ["GET", "here"], ["STRLEN", f"k{at}"]]
        expected += [("$", f"v{at}".encode()), ("$", b"h"), (":", b"%d" % len(f"v{at}"))]
    commands += [["SET", "k0", "new"], ["GET", "k0"], ["GET", "none"], ["ECHO", "end"]]
    expected += [("+", b"OK"), ("$", b"new"), ("$", None), ("$", b"end")]
    origin.gate.clear()
    with serving(*through(origin.port, "--upstream-timeout", "15")) as served:
        wire = send(served.port, *commands)
        until(lambda: origin.waiting > 4, "several loads are under way")
        origin.gate.set()
        assert expected == [wire.answer() for _ in commands]
        assert all(count == 1 for count in origin.asked.values())
        stats = client(served).info("stats")
        assert 41 == stats["keyspace_misses"]
        wire.close()


@pytest.mark.parametrize("command", [["SET", "k", "new"], ["DEL", "k"], ["FLUSHALL"]])
def test_no_load_undoes_a_write(origin: Web, command: list[Argument]) -> None:
    """A write during a load is read afterwards; after a removal the origin is asked again."""
    origin.put("/k", "old")
    origin.gate.clear()
    with serving(*through(origin.port, "--upstream-timeout", "15")) as served:
        wire = send(served.port, ["GET", "k"])
        until(lambda: origin.waiting == 1, "the load is under way")
        client(served).execute_command(*command)
        origin.put("/k", "new")
        late = send(served.port, ["GET", "k"])
        if command[0] == "SET":
            assert ("$", b"new") == late.answer()
        origin.gate.set()
        assert wire.answer() in [("$", b"old"), ("$", b"new")]
        if command[0] != "SET":
            assert ("$", b"new") == late.answer()
        assert b"new" == client(served).get("k")
        assert 1 == number(served, "revoked")
        wire.close()
        late.close()


def test_what_the_origin_does_not_have_is_remembered(origin: Web) -> None:
    """An absence spares loads for its time, until the key is written or removed."""
    with serving(*through(origin.port, "--upstream-negative-ttl", "1000")) as served:
        ours = client(served)
        assert [None] * 5 == [ours.get("k") for _ in range(5)]
        assert (1, 4) == (origin.asked["/k"], number(served, "absences_served"))
        origin.put("/k", "there")
        assert 0 == ours.delete("k")
        assert b"there" == ours.get("k")
        ours.config_set("upstream-negative-ttl", 0)
        assert [None] * 3 == [ours.get("other") for _ in range(3)]
        assert 3 == origin.asked["/other"]


def test_headers_say_how_long_a_value_stays(origin: Web) -> None:
    """max-age, no-store, and the rule where nothing is said; a body is bounded."""
    origin.put("/aged", "1", cache_control="max-age=100")
    origin.put("/unstored", "1", cache_control="no-store")
    origin.put("/unsaid", "1")
    origin.put("/long", b"x" * 2000)
    origin.put("/a%20b/%C3%BC?q=1", "1")
    arguments = ("--upstream-ttl", "10", "--upstream-value-max", "1kb", "--upstream-jitter", "0")
    with serving(*through(origin.port, *arguments)) as served:
        ours = client(served)
        assert [b"1"] * 3 == [ours.get(key) for key in ("aged", "unstored", "unsaid")]
        assert (100, -2, 10) == (ours.ttl("aged"), ours.ttl("unstored"), ours.ttl("unsaid"))
        assert b"1" == ours.get("unstored")
        assert 2 == origin.asked["/unstored"]
        assert b"1" == ours.get("a b/ü?q=1")
        for key, why in [("long", "upstream-value-max"), ("../x", "no path"), ("", "no path")]:
            with pytest.raises(redis.ResponseError, match=rf"UPSTREAM.*{why}"):
                ours.get(key)


def test_what_has_ended_is_served_while_the_origin_fails(origin: Web) -> None:
    """Stale on error, for its time and never after a write; without the setting it is an error."""
    origin.put("/k", "kept", cache_control="max-age=1")
    with serving(*through(origin.port, "--upstream-stale", "100")) as served:
        ours = client(served)
        assert b"kept" == ours.get("k")
        origin.replies["/k"] = Reply(b"broken", status=503)
        until(lambda: ours.ttl("k") == -2, "the entry has ended")
        assert b"kept" == ours.get("k")
        assert -2 == ours.ttl("k")
        assert 1 == ours.exists("k")
        assert 2 <= number(served, "stale_served")
        ours.delete("k")
        with pytest.raises(redis.ResponseError, match=r"UPSTREAM http://127.0.0.1.*503"):
            ours.get("k")
        origin.put("/k", "again")
        assert b"again" == ours.get("k")


def test_an_upstream_that_is_down_is_named_and_left_alone_until_it_is_back(
    tmp_path: Path,
) -> None:
    """Errors name it and the way out; after some in a row nobody waits for it; then it is back."""
    with revivable(tmp_path) as there, serving(*through(there.port, scheme="redis")) as served:
        ours = client(served)
        texts = []
        for _ in range(6):
            with pytest.raises(redis.ResponseError) as error:
                ours.get("k")
            texts.append(str(error.value))
        name = f"UPSTREAM redis://127.0.0.1:{there.port}"
        assert all(text.startswith(name) for text in texts), texts
        assert "cannot be reached" in texts[0]
        assert "left alone" in texts[-1]
        assert "down" == ours.info("augury")["upstream_state"]
        there.start().set("k", "back")

        def is_back() -> bool:
            try:
                return ours.get("k") == b"back"
            except redis.ResponseError:
                return False

        until(is_back, "it is asked again")
        assert "up" == ours.info("augury")["upstream_state"]
        # A connection that was closed while it was idle is no failure.
        there.kill()
        there.start().set("other", "1")
        assert b"1" == ours.get("other")


def test_a_slow_upstream_costs_its_askers_the_timeout_only(origin: Web) -> None:
    """Who waits is told after the timeout; others are served meanwhile, too many are refused."""
    origin.put("/k", "value")
    origin.gate.clear()
    arguments = ("--upstream-timeout", "0.5", "--upstream-loads", "2")
    with serving(*through(origin.port, *arguments)) as served:
        wires = [send(served.port, ["GET", key]) for key in ("k", "l")]
        until(lambda: number(served, "in_flight") == 2, "both are under way")
        with pytest.raises(redis.ResponseError, match=r"UPSTREAM.*raise upstream-loads"):
            client(served).get("m")
        for wire in wires:
            marker, text = wire.answer()
            assert "-" == marker
            assert isinstance(text, bytes)
            assert b"did not answer within 0.5 s: raise upstream-timeout" in text
            wire.close()
        assert (2, 0) == (number(served, "timeouts"), number(served, "in_flight"))
        origin.gate.set()
        assert b"value" == client(served).get("k")


def test_clients_that_leave_while_they_wait_harm_nobody(origin: Web) -> None:
    """Killed by the other end, or by CLIENT KILL: the load goes on for those who stay."""
    origin.put("/k", "value")
    origin.gate.clear()
    with serving(*through(origin.port, "--upstream-timeout", "15")) as served:
        wires = [send(served.port, ["GET", "k"], ["GET", "k"]) for _ in range(10)]
        until(lambda: number(served, "waits") == 10, "all wait")
        reset = socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
        for wire in wires[:5]:
            wire.socket.setsockopt(socket.SOL_SOCKET, *reset)
            wire.close()
        ours = client(served)
        for one in ours.client_list():
            if str(one["addr"]).endswith(f":{wires[5].socket.getsockname()[1]}"):
                ours.client_kill_filter(_id=one["id"])
        origin.gate.set()
        assert [[("$", b"value")] * 2] * 4 == [[wire.answer(), wire.answer()] for wire in wires[6:]]
        assert b"" == wires[5].file.read()
        for wire in wires[5:]:
            wire.close()
        until(lambda: ours.info("clients")["connected_clients"] <= 2, "all are gone")


def test_a_signal_ends_the_server_while_loads_are_under_way(origin: Web) -> None:
    """SIGTERM does not wait for the upstream."""
    origin.gate.clear()
    with serving(*through(origin.port, "--upstream-timeout", "600")) as served:
        wire = send(served.port, ["GET", "k"])
        until(lambda: origin.waiting == 1, "the load is under way")
        begin = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert 0 == served.process.wait(timeout=DEADLINE)
        assert time.monotonic() - begin < 5
        assert b"" == wire.file.read()
        wire.close()


def test_entries_asked_for_all_the_time_are_refreshed_before_they_end(origin: Web) -> None:
    """Once the pace of keys is known most loads are made before anybody waits for them."""
    keys = [f"k{at}" for at in range(10)]
    for key in keys:
        origin.put(f"/{key}", "0", cache_control="max-age=1")
    with serving(*through(origin.port, "--upstream-timeout", "10")) as served:
        ours = client(served)

        def share() -> float:
            """Of the next loads, those that were made ahead."""
            loads, refreshes = number(served, "loads"), number(served, "refreshes")
            while number(served, "loads") + number(served, "refreshes") < loads + refreshes + 30:
                assert all(map(ours.get, keys))
                # A pace that a planner can learn, whatever else the machine does.
                time.sleep(0.05)
            return (number(served, "refreshes") - refreshes) / 30

        assert any(share() > 0.8 for _ in range(25))
        origin.put("/k0", "1", cache_control="max-age=1")
        until(lambda: ours.get("k0") == b"1", "the new value is served")
        # What is written here is not refreshed.
        ours.set("k1", "mine")
        asked = origin.asked["/k1"]
        assert share() > 0
        assert (b"mine", asked) == (ours.get("k1"), origin.asked["/k1"])


def test_what_follows_is_prefetched_within_the_budget(store: redis.Redis) -> None:
    """Keys that follow each other are there when they are asked for; a twentieth more is loaded."""
    chains = 400
    with store.pipeline(transaction=False) as pipe:
        for chain in range(chains):
            for step in range(8):
                pipe.set(f"c:{chain}:{step}", f"{chain} {step}".ljust(1500, "."))
        pipe.execute()
    draw = random.Random(7)
    arguments = ("--memory", "1mb", "--policy", "lru")
    with serving(*through(port_of(store), *arguments, scheme="redis")) as served:
        ours = client(served)
        for _ in range(1200):
            chain = draw.randrange(chains)
            for step in range(8):
                got = ours.get(f"c:{chain}:{step}")
                assert got is not None
                assert got.startswith(f"{chain} {step}.".encode())
        loads, used = number(served, "loads"), number(served, "prefetches_used")
        issued = number(served, "prefetches")
        assert used > 500, (loads, issued, used)
        # What the origin would have been asked for without prefetch, and a twentieth of it.
        assert loads + issued <= 1.05 * (loads + used) + 128


def test_memcached_clients_read_through_too(origin: Web) -> None:
    """get, gets, gat and mg load; errors are SERVER_ERROR; writes and flushes revoke."""
    for key in "abc":
        origin.put(f"/{key}", key * 3)
    arguments = through(origin.port, "--memcached-port", "0", "--upstream-timeout", "15")
    with (
        serving(*arguments, protocols=("redis", "memcached")) as served,
        socket.create_connection(("127.0.0.1", served.ports["memcached"]), DEADLINE) as raw,
        raw.makefile("rb") as file,
    ):

        def ask(text: bytes, lines: int) -> bytes:
            raw.sendall(text)
            return b"".join(file.readline() for _ in range(lines))

        both = b"VALUE a 0 3\r\naaa\r\nVALUE b 0 3\r\nbbb\r\nEND\r\n"
        assert both == ask(b"get a no b\r\n", 5)
        assert re.fullmatch(rb"VA 3 f0 t[56]\d\r\nccc\r\n", ask(b"mg c v f t\r\n", 2))
        assert b"EN\r\nMN\r\n" == ask(b"mg none v\r\nmn\r\n", 2)
        for write in (b"set k 0 0 3\r\nnew\r\n", b"delete k\r\n", b"flush_all\r\n"):
            origin.put("/k", "old")
            origin.gate.clear()
            client(served).delete("k")
            wire = send(served.port, ["GET", "k"])
            until(lambda: origin.waiting == 1, "the load is under way")
            assert ask(write, 1) in (b"STORED\r\n", b"NOT_FOUND\r\n", b"OK\r\n")
            origin.put("/k", "new")
            origin.gate.set()
            wire.answer()
            wire.close()
            assert b"VALUE k 0 3\r\nnew\r\nEND\r\n" == ask(b"get k\r\n", 3)
        origin.replies["/bad"] = Reply(status=500)
        expected = b"SERVER_ERROR http://127.0.0.1:%d answered: 500" % origin.port
        assert ask(b"get a bad b\r\n", 1).startswith(expected)
        assert b"MN\r\n" == ask(b"mn\r\n", 1)
        origin.gate.clear()
        raw.sendall(b"get d\r\nset big 0 0 3000000\r\n" + b"x" * 3_000_000 + b"\r\nget a\r\n")
        until(lambda: origin.waiting == 1, "the load is under way")
        origin.gate.set()
        too_large = b"SERVER_ERROR object too large for cache\r\n"
        assert b"END\r\n" + too_large + b"VALUE a 0 3\r\n" == b"".join(
            file.readline() for _ in range(3)
        )


def test_caching_clients_are_told_when_a_loaded_entry_ends_or_changes(origin: Web) -> None:
    """An entry that came from the upstream is tracked as one that was written."""
    origin.put("/k", "1", cache_control="max-age=1")
    with serving(*through(origin.port, "--upstream-budget", "0")) as served:
        wire = Wire(served.port, version=3)
        assert ("+", b"OK") == wire.ask("CLIENT", "TRACKING", "ON")
        assert ("$", b"1") == wire.ask("GET", "k")
        assert (">", [("$", b"invalidate"), ("*", [("$", b"k")])]) == wire.answer()
        wire.close()


def test_a_password_of_the_upstream_is_shown_nowhere(tmp_path: Path) -> None:
    """It opens the upstream, and is in no answer, no log and no error."""
    log = tmp_path / "log"
    with running(tmp_path, "--requirepass", "sesame") as port:
        with closing(client_of(port, password="sesame")) as there:
            there.set("k", "1")
        url = f"redis://:sesame@127.0.0.1:{port}"
        arguments = ("--upstream", url, "--log-level", "debug", "--log-file", str(log))
        with serving(*arguments, "--http-port", "0", protocols=("redis", "http")) as served:
            ours = client(served)
            assert b"1" == ours.get("k")
            shown = ours.config_get("upstream*")["upstream"]
            assert f"redis://127.0.0.1:{port}" == shown
            assert "sesame" not in str(ours.info("everything"))
            page = f"http://127.0.0.1:{served.ports['http']}/metrics"
            metrics = urllib.request.urlopen(page, timeout=DEADLINE).read().decode()
            assert "augury_upstream_loads_total 1" in metrics
            assert "augury_upstream_up 1" in metrics
            assert "sesame" not in metrics
        wrong = url.replace("sesame", "simsim")
        with serving("--upstream", wrong, "--log-file", str(log)) as served:
            with pytest.raises(redis.ResponseError) as error:
                client(served).get("k")
            assert str(error.value).startswith("UPSTREAM")
            assert "simsim" not in str(error.value)
    assert "sesame" not in log.read_text()
    assert "simsim" not in log.read_text()


def test_nothing_is_lost_between_writers_and_readers(store: redis.Redis) -> None:
    """What was written to the origin and then removed here is read, whoever reads meanwhile."""
    store.set("k", 0)
    with serving(*through(port_of(store), "--threads", "2", scheme="redis")) as served:
        ended = threading.Event()
        faults: list[str] = []

        def read() -> None:
            ours, latest = client(served), 0
            while not ended.is_set():
                value = int(ours.get("k") or -1)
                if value < latest:
                    faults.append(f"{value} after {latest}")
                latest = value

        readers = [threading.Thread(target=read) for _ in range(4)]
        for reader in readers:
            reader.start()
        ours = client(served)
        for value in range(1, 400):
            store.set("k", value)
            ours.delete("k")
            assert value == int(ours.get("k") or -1)
        ended.set()
        for reader in readers:
            reader.join()
        assert [] == faults


@pytest.mark.parametrize(
    ("url", "why"),
    [("ftp://u:sesame@h", "ftp"), ("redis://u:sesame@h/x", "database"), ("sesame", "no URL")],
)
def test_what_is_no_upstream_is_refused_at_the_start(url: str, why: str) -> None:
    """The error says what is expected, and nothing that may be a password."""
    run = subprocess.run(
        [str(executable()), "--port", "0", "--upstream", url],
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert 2 == run.returncode
    assert why in run.stderr
    assert "sesame" not in run.stderr


def test_a_port_that_nobody_listens_on_is_no_obstacle_to_the_start() -> None:
    """The server starts, and is a cache for what is written to it."""
    with serving(*through(free_port(), scheme="redis")) as served:
        ours = client(served)
        assert ours.set("k", "1")
        assert b"1" == ours.get("k")
