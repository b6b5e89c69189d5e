"""Sessions: what clients say of themselves, transactions, publish and subscribe, tracking, INFO."""

import asyncio
import contextlib
import random
import re
import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest
import redis
import redis.asyncio
from originals import programs, running_all
from process import Served, executable, serving
from redis.cache import CacheConfig
from spoken import Wire, hold

pytestmark = pytest.mark.skipif(executable() is None, reason="no augury-server was built")

#: Conversations, each `client: command` in order; what is sent to others is read by their next
#: command. Answers that name the moment, the process or a number of a connection are left out.
CONVERSATIONS = {
    "connection": """
        a: PING
        a: PING x
        a: PING x y
        a: ECHO
        a: SELECT 15
        a: SELECT 16
        a: SELECT -1
        a: SELECT x
        a: NOSUCH a b
        a: CLIENT
        a: CLIENT NOSUCH
        a: CLIENT SETNAME
        a: CLIENT SETNAME "a b"
        a: CLIENT SETNAME name
        a: CLIENT GETNAME
        a: CLIENT SETNAME ""
        a: CLIENT GETNAME
        a: CLIENT SETINFO LIB-NAME "a b"
        a: CLIENT SETINFO nope x
        a: CLIENT SETINFO lib-ver 1.0
        a: CLIENT KILL 1.2.3.4:5
        a: CLIENT KILL ID 0
        a: CLIENT KILL TYPE nope
        a: CLIENT KILL USER nope
        a: CLIENT KILL ADDR
        a: CLIENT KILL NOPE x
        a: CLIENT KILL ID 99999
        a: CLIENT KILL SKIPME x
        a: CLIENT LIST TYPE nope
        a: CLIENT LIST ID x
        a: CLIENT LIST ID
        a: CLIENT LIST TYPE pubsub
        a: CLIENT NO-EVICT x
        a: CLIENT NO-EVICT on
        a: CLIENT NO-TOUCH off
        a: CLIENT PAUSE x
        a: CLIENT PAUSE -1
        a: CLIENT PAUSE 1 nope
        a: CLIENT UNPAUSE
        a: CLIENT UNBLOCK x
        a: CLIENT UNBLOCK 999999
        a: CLIENT UNBLOCK 999999 nope
        a: CLIENT ID x
        a: CLIENT REPLY x
        a: HELLO 4
        a: HELLO x
        a: HELLO 3 NOPE
        a: HELLO 3 AUTH a
        a: HELLO 3 AUTH a b
        a: HELLO 2 SETNAME "a b"
        a: ROLE
        a: WAIT 0 0
        a: WAIT x 0
        a: WAIT 0 x
        a: WAIT 0 -1
        a: CLUSTER INFO
        a: READONLY
        a: RESET
        a: GET a b
    """,
    "transactions": """
        a: EXEC
        a: DISCARD
        a: WATCH
        a: MULTI; MULTI; SET a 1; GET a; EXEC
        a: MULTI; WATCH a; GET a; EXEC
        a: MULTI; NOSUCH; SET a 2; EXEC
        a: MULTI; SET a; SET a 2; EXEC
        a: MULTI; CLIENT NOSUCH; EXEC
        a: MULTI; SET a 3; DISCARD
        a: MULTI; EXEC
        a: MULTI; SELECT 99; ECHO x; EXEC
        a: GET a
        a: WATCH a
        b: SET a 9
        a: MULTI; GET a; EXEC
        a: WATCH a
        a: SET a 10
        a: MULTI; GET a; EXEC
        a: WATCH a
        a: UNWATCH
        b: SET a 11
        a: MULTI; PING; UNWATCH; EXEC
        a: WATCH a a b
        a: DISCARD
        b: SET b 1
        a: MULTI; PING; EXEC
        a: MULTI; SUBSCRIBE x; EXEC
        a: MULTI; QUIT
    """,
    "publish and subscribe": """
        a: SUBSCRIBE a
        a: SUBSCRIBE a b
        a: PSUBSCRIBE a*
        a: SSUBSCRIBE s
        b: PUBLISH a hello
        b: PUBLISH nobody hello
        b: SPUBLISH s hey
        b: SPUBLISH a hey
        a: PING x
        b: PUBSUB CHANNELS a
        b: PUBSUB CHANNELS x y
        b: PUBSUB NUMSUB
        b: PUBSUB NUMSUB a zz
        b: PUBSUB NUMPAT
        b: PUBSUB NUMPAT x
        b: PUBSUB SHARDCHANNELS
        b: PUBSUB SHARDNUMSUB s x
        b: PUBSUB
        b: PUBSUB NOPE
        a: GET x
        a: ECHO x
        a: NOSUCH
        a: UNSUBSCRIBE a
        a: UNSUBSCRIBE zz
        a: UNSUBSCRIBE
        a: PUNSUBSCRIBE
        a: SUNSUBSCRIBE
        a: SUNSUBSCRIBE
        a: UNSUBSCRIBE
        a: PUNSUBSCRIBE x y
        a: SUBSCRIBE
        a: PUBLISH x
        a: SUBSCRIBE c
        a: RESET
        b: PUBLISH c x
        a: PING
    """,
    "tracking": """
        a: CLIENT GETREDIR
        a: CLIENT TRACKINGINFO
        a: CLIENT CACHING yes
        a: CLIENT TRACKING
        a: CLIENT TRACKING nope
        a: CLIENT TRACKING ON NOPE
        a: CLIENT TRACKING ON REDIRECT 99999
        a: CLIENT TRACKING ON REDIRECT x
        a: CLIENT TRACKING ON PREFIX a
        a: CLIENT TRACKING ON OPTIN OPTOUT
        a: CLIENT TRACKING ON BCAST OPTIN
        a: CLIENT TRACKING ON BCAST PREFIX foo PREFIX foobar
        a: CLIENT TRACKING ON BCAST PREFIX a PREFIX a
        a: CLIENT TRACKING ON BCAST PREFIX foo
        a: CLIENT TRACKINGINFO
        a: CLIENT TRACKING ON BCAST PREFIX foo
        a: CLIENT TRACKING ON BCAST PREFIX f
        a: CLIENT TRACKING ON BCAST PREFIX foobar
        a: CLIENT TRACKING ON BCAST PREFIX bar
        a: CLIENT TRACKINGINFO
        b: SET bar 1
        b: SET other 1
        a: CLIENT TRACKING ON BCAST
        a: CLIENT TRACKING ON BCAST PREFIX zoo
        a: CLIENT TRACKING ON
        a: CLIENT TRACKING OFF
        a: CLIENT TRACKING ON OPTIN NOLOOP
        a: CLIENT TRACKING ON OPTOUT
        a: CLIENT CACHING no
        a: CLIENT CACHING nope
        a: GET k
        b: SET k 1
        a: CLIENT CACHING yes
        a: CLIENT TRACKINGINFO
        a: GET k
        a: CLIENT TRACKINGINFO
        b: SET k 2
        a: CLIENT GETREDIR
        a: CLIENT TRACKING OFF
        a: CLIENT TRACKING ON OPTOUT
        a: GET k
        b: SET k 3
        a: CLIENT CACHING no
        a: GET k
        b: SET k 4
        a: CLIENT TRACKING OFF
        a: CLIENT TRACKING ON
        a: GET k
        a: SET k 5
        a: CLIENT TRACKING OFF
        a: CLIENT TRACKING ON NOLOOP
        a: GET k
        a: SET k 6
        b: SET k 7
        a: GET k
        b: SET k 8
        b: SET k 9
        a: PING
    """,
    "introspection": """
        a: COMMAND COUNT x
        a: COMMAND GETKEYS
        a: COMMAND GETKEYS GET a
        a: COMMAND GETKEYS NOSUCH a
        a: COMMAND GETKEYS WATCH a b c
        a: COMMAND GETKEYS OBJECT ENCODING x
        a: COMMAND GETKEYS MEMORY USAGE x
        a: COMMAND GETKEYSANDFLAGS GET a
        a: COMMAND GETKEYSANDFLAGS WATCH a
        a: COMMAND GETKEYSANDFLAGS SET k v
        a: COMMAND GETKEYSANDFLAGS SET k v GET
        a: COMMAND GETKEYSANDFLAGS BITFIELD k GET u8 0
        a: COMMAND GETKEYSANDFLAGS BITFIELD k SET u8 0 1
        a: COMMAND INFO nosuch
        a: COMMAND INFO get
        a: COMMAND INFO subscribe
        a: COMMAND INFO publish
        a: COMMAND LIST FILTERBY MODULE x
        a: COMMAND LIST FILTERBY NOPE x
        a: COMMAND LIST x
        a: COMMAND NOPE
        a: COMMAND DOCS nosuch
        a: SLOWLOG GET x
        a: SLOWLOG GET -2
        a: SLOWLOG RESET
        a: SLOWLOG LEN
        a: SLOWLOG GET
        a: SLOWLOG NOPE
        a: LATENCY LATEST
        a: LATENCY HISTORY x
        a: LATENCY RESET
        a: LATENCY GRAPH x
        a: OBJECT
        a: OBJECT ENCODING
        a: OBJECT ENCODING none
        a: OBJECT FREQ none
        a: OBJECT REFCOUNT none
        a: SET k 123
        a: OBJECT ENCODING k
        a: SET k abc
        a: OBJECT ENCODING k
        a: OBJECT IDLETIME k
        a: MEMORY USAGE none
        a: MEMORY USAGE k SAMPLES
        a: MEMORY USAGE k SAMPLES x
        a: MEMORY USAGE k SAMPLES -1
        a: MEMORY
        a: MEMORY NOPE
        a: INFO nosuch
        a: INFO cluster
        a: TIME x
        a: QUIT
    """,
}

#: Fields of INFO that tools read.
FIELDS = """
    redis_version redis_mode os arch_bits process_id tcp_port uptime_in_seconds run_id
    connected_clients blocked_clients tracking_clients used_memory used_memory_human
    used_memory_rss used_memory_peak used_memory_dataset maxmemory maxmemory_policy
    mem_fragmentation_ratio mem_allocator loading rdb_changes_since_last_save aof_enabled
    total_connections_received total_commands_processed instantaneous_ops_per_sec keyspace_hits
    keyspace_misses expired_keys evicted_keys pubsub_channels role connected_slaves used_cpu_sys
    used_cpu_user cluster_enabled policy ruling hit_ratio
"""


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server for all tests of this file."""
    with serving("--memory", "67108864", "--threads", "2") as served:
        yield served


@pytest.fixture(params=[2, 3])
def client(served: Served, request: pytest.FixtureRequest) -> Iterator["redis.Redis"]:
    """A client of each version of the protocol."""
    with redis.Redis(port=served.port, protocol=request.param, decode_responses=True) as client:
        yield client


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """The ports of the servers that ours is compared with."""
    if not programs():
        pytest.skip("neither redis-server nor valkey-server is installed")
    with running_all(tmp_path_factory.mktemp("originals")) as ports:
        yield ports


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_every_answer_is_that_of_an_original(
    served: Served, originals: list[int], name: str, protocol: int
) -> None:
    """Byte by byte, what ours says is what Redis 7.0 or Valkey 9.1 says."""
    ours = hold(served.port, protocol, CONVERSATIONS[name])
    theirs = [hold(port, protocol, CONVERSATIONS[name]) for port in originals]
    for at, (line, answer) in enumerate(ours):
        assert answer in [answers[at][1] for answers in theirs], line


def test_hello_names_a_redis_that_clients_cache_for(served: Served) -> None:
    """redis-py caches for a server called redis of at least version 7.4 only."""
    with redis.Redis(port=served.port, protocol=3, decode_responses=True) as client:
        hello = client.execute_command("HELLO", 3)
        kept = {name: hello[name] for name in ("server", "proto", "mode", "role", "modules")}
        expected = {"server": "redis", "proto": 3, "mode": "standalone", "role": "master"}
        assert {**expected, "modules": []} == kept
        assert (7, 4, 0) <= tuple(int(part) for part in hello["version"].split("."))
        assert hello["id"] == client.client_id()


def test_a_cache_at_the_client_is_never_stale(served: Served) -> None:
    """What another has written is read, and what nobody has written is not asked for again."""
    cached = redis.Redis(
        port=served.port, protocol=3, cache_config=CacheConfig(), decode_responses=True
    )
    with cached, redis.Redis(port=served.port) as writer:
        for value in ("one", "two", "three"):
            writer.set("cached", value)
            assert [value, value] == [cached.get("cached"), cached.get("cached")]
        before = writer.info("stats")["keyspace_hits"]
        assert "three" == cached.get("cached")
        assert before == writer.info("stats")["keyspace_hits"]
        cached.set("cached", "own")
        assert "own" == cached.get("cached")


def test_a_transaction_runs_whole_or_not_at_all(client: "redis.Redis") -> None:
    """redis-py's pipelines: a watched key that has changed raises, else all answers come."""
    client.set("balance", "1")
    with client.pipeline() as pipe:
        pipe.watch("balance")
        pipe.multi()
        pipe.set("balance", "2").get("balance")
        assert [True, "2"] == pipe.execute()
        pipe.watch("balance")
        client.set("balance", "3")
        pipe.multi()
        pipe.set("balance", "4")
        with pytest.raises(redis.WatchError):
            pipe.execute()
    assert "3" == client.get("balance")


def test_transactions_are_not_interleaved(served: Served) -> None:
    """Two clients write the same two keys in transactions: the keys are never seen apart."""

    async def write(value: str) -> None:
        async with redis.asyncio.Redis(port=served.port) as client:
            for turn in range(50):
                async with client.pipeline(transaction=True) as pipe:
                    await pipe.set("left", value * turn).set("right", value * turn).execute()

    async def look(seen: list[list[bytes]]) -> None:
        async with redis.asyncio.Redis(port=served.port) as client:
            for _ in range(100):
                async with client.pipeline(transaction=True) as pipe:
                    seen.append(await pipe.get("left").get("right").execute())

    async def all_of_them() -> list[list[bytes]]:
        seen: list[list[bytes]] = []
        await asyncio.gather(write("a"), write("b"), look(seen))
        return seen

    seen = asyncio.run(all_of_them())
    assert [] == [pair for pair in seen if pair[0] != pair[1]]
    assert len({pair[0] for pair in seen}) > 1, "nobody wrote while another looked"


def test_messages_reach_subscribers_in_order(client: "redis.Redis") -> None:
    """Channels and patterns, by redis-py's reader."""
    with client.pubsub() as subscriber:
        subscriber.subscribe("news")
        subscriber.psubscribe("n?ws")
        confirmed = [subscriber.get_message(timeout=5)["type"] for _ in range(2)]
        assert ["subscribe", "psubscribe"] == confirmed
        assert (2, 2) == (client.publish("news", "first"), client.publish("news", "second"))
        heard = [subscriber.get_message(timeout=5) for _ in range(4)]
        told = {(one["type"], one["data"]) for one in heard}
        kinds = ("message", "pmessage")
        assert {(kind, data) for kind in kinds for data in ("first", "second")} == told
        messages = [one["data"] for one in heard if one["type"] == "message"]
        assert ["first", "second"] == messages


def test_messages_reach_asynchronous_subscribers(served: Served) -> None:
    """redis.asyncio hears what another connection sends."""

    async def listen() -> str:
        client = redis.asyncio.Redis(port=served.port, decode_responses=True)
        async with client, client.pubsub() as subscriber:
            await subscriber.subscribe("async")
            await subscriber.get_message(timeout=5)
            assert 1 == await client.publish("async", "heard")
            message = await subscriber.get_message(timeout=5)
            return str(message["data"])

    assert "heard" == asyncio.run(listen())


def test_a_killed_client_is_gone(served: Served) -> None:
    """By number, from another connection; and by itself, behind its answer."""
    with redis.Redis(port=served.port) as killer, Wire(served.port) as wire:
        number = int(wire.ask("CLIENT ID").strip()[1:])
        assert 1 == killer.client_kill_filter(_id=str(number))
        assert b"" == wire.read_all()
        assert str(number) not in {one["id"] for one in killer.client_list()}
    with Wire(served.port) as wire:
        number = int(wire.ask("CLIENT ID").strip()[1:])
        wire.send(b"CLIENT", b"KILL", b"ID", b"%d" % number, b"SKIPME", b"no")
        assert b":1\r\n" == wire.read_all()


def test_silence_is_kept_but_for_pushes(served: Served) -> None:
    """CLIENT REPLY OFF and SKIP: no answers, and confirmations of subscriptions all the same."""
    with Wire(served.port, 3) as wire:
        assert b"" == wire.ask("CLIENT REPLY SKIP", "ECHO hidden")
        wire.send(b"CLIENT", b"REPLY", b"OFF")
        wire.send(b"ECHO", b"hidden")
        wire.send(b"SUBSCRIBE", b"c")
        assert b">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n+OK\r\n" == wire.ask("CLIENT REPLY ON")


def test_a_pause_holds_commands_back(served: Served) -> None:
    """A write waits for the end of the pause, with what was sent behind it; a read does not."""
    with Wire(served.port) as wire, redis.Redis(port=served.port) as other:
        other.execute_command("CLIENT PAUSE", 60_000, "WRITE")
        wire.send(b"SET", b"paused", b"1")
        assert other.get("paused") is None
        wire.send(b"ECHO", b"behind")
        assert other.execute_command("CLIENT UNPAUSE")
        assert b"+OK\r\n$6\r\nbehind\r\n" == wire.ask()


def test_monitor_shows_commands_and_hides_passwords(served: Served) -> None:
    """In the order in which they ran, those of a transaction when it runs."""
    with redis.Redis(port=served.port) as watcher, Wire(served.port) as wire:
        with watcher.monitor() as monitor:
            wire.ask("HELLO 2 AUTH default secret", 'SET "a b" 1', "MULTI", "GET x", "EXEC")
            shown = [monitor.next_command()["command"] for _ in range(5)]
        expected = ["HELLO 2 AUTH (redacted) (redacted)", "SET a b 1", "MULTI", "GET x", "EXEC"]
        assert expected == shown


def test_info_shows_the_sections_that_are_asked_for(served: Served) -> None:
    """In their own order, whatever that of the question; unknown ones are nothing."""
    with Wire(served.port) as wire:
        heads = re.findall(rb"# (\w+)\r\n", wire.ask("INFO keyspace nope cpu CLUSTER"))
    assert [b"CPU", b"Cluster", b"Keyspace"] == heads


def test_info_has_the_fields_that_tools_read(client: "redis.Redis") -> None:
    """Names and sections are Redis's; one section is ours."""
    client.set("here", "1")
    client.get("here")
    info = client.info("everything")
    assert set() == set(FIELDS.split()) - set(info)
    assert (67108864, "auto") == (info["maxmemory"], info["maxmemory_policy"])
    assert info["db0"]["keys"] >= 1
    assert info["keyspace_hits"] >= 1
    with pytest.raises(redis.ResponseError):
        client.execute_command("NOSUCH")
    assert client.info("errorstats")["errorstat_ERR"]["count"] >= 1
    assert 0 < info["used_memory"] <= info["used_memory_peak"]


def test_commands_are_told_from_their_tables(client: "redis.Redis") -> None:
    """COMMAND, its COUNT, LIST and DOCS name the same commands."""
    commands = client.command()
    names = {name.split("|")[0] for name in client.command_list()}
    assert set(commands) == names
    assert client.command_count() == len(names)
    docs = client.execute_command("COMMAND DOCS")
    documented = set(docs) if isinstance(docs, dict) else set(docs[::2])
    assert names == documented
    assert commands["get"]["arity"] == 2
    assert "readonly" in commands["get"]["flags"]
    in_category = client.command_list(category="transaction")
    assert {"multi", "exec", "discard", "watch", "unwatch"} == set(in_category)


def test_a_key_tells_its_use_and_its_size(client: "redis.Redis") -> None:
    """OBJECT FREQ and IDLETIME from the policy's history, MEMORY USAGE by the allocator's sizes."""
    client.set("used", "x" * 100)
    before = client.object("freq", "used")
    for _ in range(10):
        client.get("used")
    assert before < client.object("freq", "used")
    assert 0 == client.object("idletime", "used")
    assert 100 < client.memory_usage("used") <= 256


@pytest.mark.skipif(shutil.which("redis-cli") is None, reason="no redis-cli is installed")
def test_redis_cli_speaks_to_it(served: Served) -> None:
    """In both protocols, with the help that it makes of COMMAND DOCS."""
    for protocol in ("-2", "-3"):
        command = ["redis-cli", protocol, "-p", str(served.port)]
        lines = ["MULTI", "SET cli 1", "GET cli", "EXEC", "CLIENT SETNAME cli", "CLIENT GETNAME"]
        script = "\n".join([*lines, "INFO cluster", ""])
        done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=20)
        lines = done.stdout.split("\n")
        assert ["OK", "QUEUED", "QUEUED", "OK", "1", "OK", "cli"] == lines[:7], done
        assert "cluster_enabled:0" in done.stdout


def test_hiredis_reads_it(served: Served) -> None:
    """The reader of the C library finds no fault with what is written in the newer protocol."""
    hiredis = pytest.importorskip("hiredis")
    reader = hiredis.Reader(encoding="utf-8")
    with Wire(served.port, 3) as wire:
        answer = wire.ask(
            "CLIENT TRACKING ON", "GET h", "SET h 1", "COMMAND INFO get", "MEMORY STATS"
        )
    reader.feed(answer)
    heard = []
    while (one := reader.gets()) is not False:
        heard.append(one)
    assert ["OK", None, "OK", ["invalidate", ["h"]]] == heard[:4]
    assert "get" == heard[4][0][0]
    assert heard[5]["keys.count"] > 0


def test_clients_that_vanish_leave_nothing_behind(served: Served) -> None:
    """Whatever they had begun: no subscription, watch, tracked key or transaction outlives them."""
    words = """
        GET a; SET a 1; MULTI; EXEC; DISCARD; WATCH a b; UNWATCH; SUBSCRIBE x y; PSUBSCRIBE x*;
        SSUBSCRIBE s; UNSUBSCRIBE; UNSUBSCRIBE x; PUBLISH x m; SPUBLISH s m; HELLO 3; HELLO 2;
        CLIENT TRACKING ON; CLIENT TRACKING ON BCAST PREFIX a; CLIENT TRACKING OFF; MONITOR; NOPE;
        CLIENT REPLY OFF; CLIENT REPLY ON; CLIENT PAUSE 1 WRITE; COMMAND DOCS; QUIT; RESET; INFO
    """
    commands = [word.strip() for word in words.split(";")]
    chance = random.Random(20)
    for _ in range(200):
        wire = Wire(served.port)
        for command in chance.choices(commands, k=10):
            # The server may have closed behind QUIT.
            with contextlib.suppress(ConnectionError):
                wire.send(*command.encode().split())
        wire.close()
    gone = {
        "connected_clients": 1,
        **dict.fromkeys(["pubsub_channels", "pubsub_patterns", "pubsubshard_channels"], 0),
        **dict.fromkeys(["tracking_clients", "tracking_total_keys", "total_watched_keys"], 0),
    }
    with redis.Redis(port=served.port) as client:
        until = time.monotonic() + 10
        while gone != (left := {name: client.info()[name] for name in gone}):
            assert time.monotonic() < until, left
