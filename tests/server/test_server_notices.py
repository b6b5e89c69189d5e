"""Notifications of changes, databases exchanged, what commands are counted and timed."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from originals import programs, running_all
from process import Served, executable, serving
from raw import Raw, is_reached
from spoken import hold

pytestmark = pytest.mark.skipif(executable() is None, reason="no augury-server was built")

#: Conversations as in test_server_session.py: `a` is told of what `b` does.
CONVERSATIONS = {
    "classes": """
        b: CONFIG GET notify-keyspace-events
        b: CONFIG SET notify-keyspace-events KEA
        b: CONFIG GET notify-keyspace-events
        b: CONFIG SET notify-keyspace-events g$lshzxetdnKEm
        b: CONFIG GET notify-keyspace-events
        b: CONFIG SET notify-keyspace-events nE
        b: CONFIG GET notify-keyspace-events
        b: CONFIG SET notify-keyspace-events KEy
        b: CONFIG GET notify-keyspace-events
        b: CONFIG SET notify-keyspace-events ""
        b: CONFIG GET notify-keyspace-events
    """,
    "strings": """
        b: CONFIG SET notify-keyspace-events KEA
        a: PSUBSCRIBE __key*__:*
        b: SET k 1
        a: PING
        b: SET k 1 EX 100
        b: SET k 1 XX KEEPTTL
        b: SET k 1 NX
        b: SETEX k 100 1
        b: PSETEX k 100000 1
        b: SETNX k 1
        b: GETSET k 2
        b: MSET k 1 l 2
        b: MSETNX m 1 n 2
        b: MSETNX m 1 o 2
        b: INCR k
        b: DECR k
        b: INCRBY k 5
        b: DECRBY k 5
        b: INCRBYFLOAT k 1.5
        b: APPEND k x
        b: SETRANGE k 1 y
        b: SETRANGE k 1 ""
        b: SETBIT k 7 1
        b: BITFIELD k SET u8 0 5
        b: BITFIELD k GET u8 0
        b: BITOP NOT n k
        b: BITOP AND n nosuch
        b: GETEX l EX 100
        b: GETEX l PERSIST
        b: GETEX l
        b: GETDEL l
        b: GETDEL l
        a: PING
        b: SET k abc XX GET
        b: GET k
        b: STRLEN k
        a: PING
        b: SELECT 3
        b: SET other 1
        a: PING
        b: CONFIG SET notify-keyspace-events ""
        b: SET k 1
        a: PING
    """,
    "keys": """
        b: CONFIG SET notify-keyspace-events KEA
        a: PSUBSCRIBE __key*__:*
        b: MSET k 1 l 2 m 3
        b: DEL k l nosuch
        b: UNLINK m
        a: PING
        b: SET k 1
        b: EXPIRE k 100
        b: EXPIRE k 200 NX
        b: PEXPIRE k 200000 XX
        b: PERSIST k
        b: PERSIST k
        b: EXPIRE k -1
        b: SET k 1
        b: RENAME k l
        b: RENAMENX l m
        b: COPY m n
        b: COPY m n
        b: COPY m n REPLACE
        b: MOVE m 2
        b: TOUCH n
        b: TYPE n
        a: PING
        b: FLUSHALL
        a: PING
        b: MULTI; SET a 1; INCR a; DEL a; EXEC
        a: PING
        b: CONFIG SET notify-keyspace-events ""
    """,
    "hashes": """
        b: CONFIG SET notify-keyspace-events KEA
        a: PSUBSCRIBE __key*__:*
        b: HSET h f 1 g 2
        b: HMSET h f 1
        b: HSETNX h f 1
        b: HSETNX h i 1
        b: HINCRBY h f 1
        b: HINCRBYFLOAT h f 1.5
        b: HDEL h nosuch
        b: HDEL h f g
        b: HDEL h i
        a: PING
        b: CONFIG SET notify-keyspace-events ""
    """,
    "masks": """
        b: CONFIG SET notify-keyspace-events K$
        a: PSUBSCRIBE __key*__:*
        b: SET k 1
        b: DEL k
        b: HSET h f 1
        a: PING
        b: CONFIG SET notify-keyspace-events Eg
        b: SET k 1
        b: DEL k
        a: PING
        b: CONFIG SET notify-keyspace-events Enm
        b: SET new 1
        b: SET new 1
        b: HSET h2 f 1
        b: HSET h2 f 1
        b: RENAME new newer
        b: COPY newer newest
        a: PING
        b: GET nosuch
        b: GET newer
        b: MGET nosuch newer
        b: HGET nosuch f
        b: STRLEN nosuch
        b: GETDEL nosuch
        b: GETEX nosuch
        b: TTL nosuch
        a: PING
        b: CONFIG SET notify-keyspace-events g
        b: DEL newer
        a: PING
        b: CONFIG SET notify-keyspace-events ""
        b: FLUSHALL
    """,
    "databases exchanged": """
        a: FLUSHALL
        a: SET k zero
        a: SELECT 1
        a: SET k one
        a: SET l one
        a: SWAPDB 0 1
        a: GET k
        a: DBSIZE
        a: SELECT 0
        a: MGET k l
        a: DBSIZE
        a: SET m 1
        a: SCAN 0 MATCH m
        a: KEYS m
        a: SWAPDB 0 0
        a: SWAPDB 44 55
        a: SWAPDB a 1
        a: SWAPDB 0 b
        a: SWAPDB 0 16
        a: SWAPDB 0
        b: WATCH k
        a: SWAPDB 0 1
        b: MULTI; PING; EXEC
        b: WATCH nosuch
        a: SWAPDB 0 1
        b: MULTI; PING; EXEC
        b: WATCH m
        a: SELECT 9
        a: SWAPDB 1 9
        b: MULTI; PING; EXEC
        a: SWAPDB 1 9
        a: SELECT 1
        a: FLUSHDB
        a: SELECT 0
        a: DBSIZE
        a: MOVE l 1
        a: SELECT 1
        a: GET l
        a: SWAPDB 0 1
        a: FLUSHALL
    """,
}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A server for all tests of this file."""
    with serving("--memory", "64mb") as served:
        yield served


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
    """Byte by byte, what ours says and pushes is what Redis 7.0 or Valkey 9.1 does."""
    ours = hold(served.port, protocol, CONVERSATIONS[name])
    theirs = [hold(port, protocol, CONVERSATIONS[name]) for port in originals]
    for at, (line, answer) in enumerate(ours):
        assert answer in [other[at][1] for other in theirs], line


def test_what_expires_or_is_evicted_is_published() -> None:
    """Keys that nobody touches are published when their deadline passes, and those that leave."""
    with (
        serving("--memory", "1mb", "--notify-keyspace-events", "Exe") as served,
        redis.Redis(port=served.port, decode_responses=True) as client,
        client.pubsub(ignore_subscribe_messages=True) as heard,
    ):
        heard.psubscribe("__keyevent@*__:*")
        assert is_reached(lambda: heard.get_message() is None and client.pubsub_numpat() == 1)
        client.set("short", "x", px=20)
        seen: dict[str, str] = {}

        def told(event: str) -> bool:
            message = heard.get_message()
            if message is not None:
                seen[message["channel"].split(":")[1]] = message["data"]
            return event in seen

        assert is_reached(lambda: told("expired"))
        assert seen["expired"] == "short"
        pipe = client.pipeline(transaction=False)
        for n in range(20_000):
            pipe.set(f"k{n}", "x" * 50)
        pipe.execute()
        assert is_reached(lambda: told("evicted"))
        assert seen["evicted"].startswith("k")


def test_an_exchange_outlives_a_restart(tmp_path: Path) -> None:
    """A snapshot has the databases as clients see them."""
    arguments = ("--memory", "64mb", "--dir", str(tmp_path))
    with serving(*arguments) as served, redis.Redis(port=served.port) as client:
        client.set("k", "zero")
        client.swapdb(0, 5)
    with serving(*arguments) as served, redis.Redis(port=served.port, db=5) as client:
        assert client.get("k") == b"zero"
        client.swapdb(0, 5)
        assert client.get("k") is None


def test_commands_are_counted_and_timed() -> None:
    """INFO commandstats and latencystats, LATENCY HISTOGRAM: every call is in them."""
    with serving() as served, redis.Redis(port=served.port, decode_responses=True) as client:
        client.config_resetstat()
        for n in range(500):
            client.set(f"k{n}", n)
        client.hset("h", "f", "x")
        for wrong in (["GET", "h"], ["GET"]):
            with pytest.raises(redis.ResponseError):
                client.execute_command(*wrong)
        stats = client.info("commandstats")
        counted = {name: stats[f"cmdstat_{name}"] for name in ("set", "get", "hset")}
        assert counted["set"]["calls"] == 500
        assert counted["set"]["usec"] > 0
        get = counted["get"]
        assert (get["calls"], get["failed_calls"], get["rejected_calls"]) == (1, 1, 1)
        latency = client.info("latencystats")["latency_percentiles_usec_set"]
        assert 0 < latency["p50"] <= latency["p99"] <= latency["p99.9"]
        with redis.Redis(port=served.port, protocol=3, decode_responses=True) as newer:
            told = newer.execute_command("LATENCY", "HISTOGRAM", "set", "nosuch", "config")
        assert sorted(told) == ["config|resetstat", "set"]
        assert told["set"]["calls"] == 500
        assert max(told["set"]["histogram_usec"].values()) == 500
        client.config_resetstat()
        # What happens per second is of counters that were reset: the server goes on.
        time.sleep(0.3)
        assert "cmdstat_set" not in client.info("commandstats")
        assert "errorstat_WRONGTYPE" not in client.info("errorstats")
        assert client.info("stats")["instantaneous_ops_per_sec"] < 10_000


def test_silence_is_what_subscribers_are_there_for() -> None:
    """An idle client is disconnected, one that has subscribed is not."""
    with serving("--timeout", "1") as served, Raw(served.port) as idle, Raw(served.port) as other:
        other.ask("SUBSCRIBE", "news")
        assert idle.ask("PING") == b"+PONG\r\n"
        assert idle.is_closed(within=10)
        with redis.Redis(port=served.port) as client:
            assert client.publish("news", "x") == 1
        assert b"news" in other.answer()
