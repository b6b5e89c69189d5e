"""What clients are tried with: the rows of docs/clients.md, one function each."""

import asyncio
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import glide
import glide_sync
import hiredis
import pymemcache
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from process import Served
from raw import is_reached
from redis.cache import CacheConfig

__all__ = ["TRIALS", "Trial", "page"]


@dataclass(frozen=True)
class Trial:
    """A client, what is tried with it, and how: ``run`` raises where it does not work."""

    client: str
    version: Callable[[], str]
    tried: str
    run: Callable[[Served], None]


def redis_py(served: Served) -> None:
    """Strings, hashes, pipelines, transactions with WATCH, scans, in both protocols."""
    for protocol in (2, 3):
        with redis.Redis(port=served.port, protocol=protocol, decode_responses=True) as client:
            client.flushdb()
            assert client.set("a", "1", ex=100, get=True) is None
            assert (client.get("a"), 0 < client.ttl("a") <= 100) == ("1", True)
            assert client.hset("h", mapping={"x": "1", "y": "2"}) == 2
            assert client.hgetall("h") == {"x": "1", "y": "2"}
            with client.pipeline() as pipe:
                pipe.watch("a")
                pipe.multi()
                pipe.incr("a").mset({"b": "2", "c": "3"})
                assert pipe.execute() == [2, True]
            assert sorted(client.scan_iter(count=2)) == ["a", "b", "c", "h"]
            assert client.info("server")["redis_mode"] == "standalone"
            lock = client.lock("lock", timeout=5, blocking_timeout=1)
            assert client.set("lock", "held", nx=True)
            assert not client.set("lock", "other", nx=True)
            assert lock.locked()


def redis_py_subscribes(served: Served) -> None:
    """Messages of channels and patterns, and a notification of a change."""
    with redis.Redis(port=served.port, decode_responses=True) as client, client.pubsub() as heard:
        client.config_set("notify-keyspace-events", "KEA")
        heard.subscribe("news")
        heard.psubscribe("__keyevent@0__:*")
        assert is_reached(lambda: heard.get_message() is None and client.pubsub_numpat() == 1)
        client.publish("news", "x")
        client.set("told", "x")
        found: list[tuple[str, str]] = []

        def has_come() -> bool:
            message = heard.get_message(ignore_subscribe_messages=True)
            if message is not None:
                found.append((message["channel"], message["data"]))
            return {("news", "x"), ("__keyevent@0__:set", "told")} <= set(found)

        assert is_reached(has_come)
        client.config_set("notify-keyspace-events", "")


def redis_py_asyncio(served: Served) -> None:
    """Many tasks on one client, each with a connection."""

    async def run() -> None:
        client = redis.asyncio.Redis(port=served.port, protocol=3, decode_responses=True)
        async with client:
            await client.flushdb()
            await asyncio.gather(*(client.set(f"k{n}", n) for n in range(50)))
            values = await client.mget([f"k{n}" for n in range(50)])
            assert values == [str(n) for n in range(50)]

    asyncio.run(run())


def redis_py_caches(served: Served) -> None:
    """Its client-side cache: a second read asks nobody, and a change by another is seen."""
    cached = redis.Redis(
        port=served.port, protocol=3, decode_responses=True, cache_config=CacheConfig()
    )
    with cached, redis.Redis(port=served.port) as other:
        other.set("cached", "1")
        assert cached.get("cached") == "1"
        calls = other.info("commandstats")["cmdstat_get"]["calls"]
        assert cached.get("cached") == "1"
        assert other.info("commandstats")["cmdstat_get"]["calls"] == calls
        other.set("cached", "2")
        assert is_reached(lambda: cached.get("cached") == "2")


def hiredis_reads(served: Served) -> None:
    """redis-py reads by hiredis where it is installed; its reader alone, in RESP3, too."""
    import socket

    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(hiredis.pack_command(("HELLO", "3")))
        connection.sendall(hiredis.pack_command(("HSET", "hi", "f", "v")))
        connection.sendall(hiredis.pack_command(("HGETALL", "hi")))
        reader, answers = hiredis.Reader(encoding="utf-8"), []
        while len(answers) < 3:
            answer = reader.gets()
            if answer is False:
                reader.feed(connection.recv(1 << 16))
            else:
                answers.append(answer)
        assert answers[0]["server"] == "redis"
        assert answers[2] == {"f": "v"}


def valkey_py(served: Served) -> None:
    """As redis-py, synchronous and asyncio."""
    with valkey.Valkey(port=served.port, decode_responses=True) as client:
        assert client.set("v", "1")
        assert client.incrby("v", 4) == 5
        assert client.hset("vh", mapping={"f": "v"}) in (0, 1)
        assert client.hgetall("vh") == {"f": "v"}

    async def run() -> None:
        async with valkey.asyncio.Valkey(port=served.port, decode_responses=True) as client:
            assert await client.get("v") == "5"

    asyncio.run(run())


def glide_asyncio(served: Served) -> None:
    """Strings, hashes, expiry, a batch, custom commands, on its multiplexed connection."""

    async def run() -> None:
        address = glide.NodeAddress("127.0.0.1", served.port)
        client = await glide.GlideClient.create(glide.GlideClientConfiguration([address]))
        try:
            expiry = glide.ExpirySet(glide.ExpiryType.SEC, 100)
            assert await client.set("g", "1", expiry=expiry) == "OK"
            assert await client.incr("g") == 2
            assert await client.hset("gh", {"f": "v"}) in (0, 1)
            assert await client.hgetall("gh") == {b"f": b"v"}
            assert 0 < await client.ttl("g") <= 100
            batch = glide.Batch(is_atomic=True).set("b", "1").incr("b").get("b")
            assert await client.exec(batch, raise_on_error=True) == ["OK", 2, b"2"]
            values = await asyncio.gather(*(client.get("g") for _ in range(100)))
            assert values == [b"2"] * 100
            told = await client.custom_command(["AUGURY.EXPLAIN", "g"])
            assert isinstance(told, dict)
        finally:
            await client.close()

    asyncio.run(run())


def glide_synchronous(served: Served) -> None:
    """The same client for programs without an event loop."""
    address = glide_sync.NodeAddress("127.0.0.1", served.port)
    client = glide_sync.GlideClient.create(glide_sync.GlideClientConfiguration([address]))
    try:
        assert client.set("gs", "1") == "OK"
        assert client.get("gs") == b"1"
        assert client.mget(["gs", "absent"]) == [b"1", None]
    finally:
        client.close()


def pymemcache_client(served: Served) -> None:
    """Set, get, gets and cas, counters, several keys, deletion, on memcached's port."""
    client = pymemcache.Client(("127.0.0.1", served.ports["memcached"]), timeout=10)
    try:
        assert client.set("pm", b"1", expire=100)
        assert client.incr("pm", 4) == 5
        value, unique = client.gets("pm")
        assert value == b"5"
        assert client.cas("pm", b"6", unique)
        assert client.cas("pm", b"7", unique) is False
        client.set_many({"a": b"1", "b": b"2"})
        assert client.get_many(["a", "b", "c"]) == {"a": b"1", "b": b"2"}
        assert client.delete("a", noreply=False)
        assert client.stats()[b"curr_items"] >= 2
    finally:
        client.close()


def backend_of_django(name: str, location: str) -> None:
    """What Django's caches promise: values of any type, versions, counters, absences, timeouts."""
    import django
    from django.conf import settings
    from django.core.cache.backends.memcached import PyMemcacheCache
    from django.core.cache.backends.redis import RedisCache

    if not settings.configured:
        settings.configure(CACHES={})
        django.setup()
    kind = RedisCache if name == "redis" else PyMemcacheCache
    cache = kind(location, {"KEY_PREFIX": f"dj-{name}"})
    cache.set("k", {"a": [1, 2]}, timeout=100)
    assert cache.get("k") == {"a": [1, 2]}
    assert cache.add("k", 1) is False
    assert cache.get("k", version=2) is None
    cache.set("n", 1)
    assert cache.incr("n", 4) == 5
    cache.set_many({"x": 1, "y": None})
    assert cache.get_many(["x", "y", "z"]) == {"x": 1, "y": None}
    assert cache.get_or_set("made", lambda: 7) == 7
    assert cache.touch("k", 200) is True
    assert cache.delete("k") is True
    assert cache.get("k") is None
    cache.set("short", 1, timeout=0.001 if name == "redis" else -1)
    assert is_reached(lambda: cache.get("short") is None)
    cache.close()


def django_redis(served: Served) -> None:
    """Django's own backend for Redis."""
    backend_of_django("redis", f"redis://127.0.0.1:{served.port}")


def django_memcached(served: Served) -> None:
    """Django's own backend for memcached, by pymemcache."""
    backend_of_django("memcached", f"127.0.0.1:{served.ports['memcached']}")


def program(name: str) -> str:
    """Where a program of Debian's redis-tools is."""
    found = shutil.which(name)
    assert found is not None, f"{name} is not installed: as root, apt-get install redis-tools"
    return found


def output(*command: str, given: str = "") -> str:
    """What a program says; it must end well, and soon."""
    ended = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def redis_benchmark(served: Served) -> None:
    """GET, SET, INCR, HSET, MSET, PING in pipelines of 16 and one at a time, by 20 clients."""
    for pipeline in ("1", "16"):
        told = output(
            program("redis-benchmark"), "-p", str(served.port), "-n", "4000", "-c", "20",
            "-P", pipeline, "-r", "1000", "-q", "-t", "ping,get,set,incr,hset,mset",
        )  # fmt: skip
        assert told.count("requests per second") == 7
        assert "rror" not in told.replace("ERROR: failed to fetch CONFIG from", "")


def redis_cli(served: Served) -> None:
    """Commands by arguments and by standard input, --scan, --bigkeys, --stat's INFO, help texts."""
    cli = (program("redis-cli"), "-p", str(served.port))
    assert output(*cli, "set", "cli", "x") == "OK\n"
    assert output(*cli, "-3", "hset", "clih", "f", "v").strip() in ("0", "1")
    assert output(*cli, given="get cli\nstrlen cli\n") == "x\n1\n"
    assert "cli" in output(*cli, "--scan", "--pattern", "cl*").split()
    assert "Biggest string found" in output(*cli, "--bigkeys")
    assert re.search(r"redis_version:\d", output(*cli, "info", "server"))
    assert "AUGURY.FORECAST <key>" in output(*cli, "augury.help")


def redis_cli_monitors(served: Served) -> None:
    """MONITOR shows what others ask."""
    command = [program("redis-cli"), "-p", str(served.port), "monitor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "OK\n"
        with redis.Redis(port=served.port) as client:
            client.get("seen by all")
        try:
            watchdog = threading.Timer(20, process.kill)
            watchdog.start()
            assert any('"seen by all"' in line for line in process.stdout)
        finally:
            watchdog.cancel()
            process.kill()


def of_package(name: str) -> Callable[[], str]:
    """The version of a Python package."""
    return lambda: version(name)


def of_tools() -> str:
    """The version of redis-tools."""
    return output(program("redis-cli"), "--version").split()[1]


TRIALS = [
    Trial("redis-py", of_package("redis"), "RESP2 and RESP3: data, transactions, scans", redis_py),
    Trial("redis-py", of_package("redis"), "publish and subscribe, notifications",
          redis_py_subscribes),
    Trial("redis-py, asyncio", of_package("redis"), "50 tasks on one client, RESP3",
          redis_py_asyncio),
    Trial("redis-py, client-side cache", of_package("redis"), "hits ask nobody, changes are seen",
          redis_py_caches),
    Trial("hiredis-py", of_package("hiredis"), "its packer and reader, RESP3", hiredis_reads),
    Trial("valkey-py", of_package("valkey"), "data, synchronous and asyncio", valkey_py),
    Trial("valkey-glide", of_package("valkey-glide"), "data, batches, 100 tasks, our own commands",
          glide_asyncio),
    Trial("valkey-glide-sync", of_package("valkey-glide-sync"), "data", glide_synchronous),
    Trial("pymemcache", of_package("pymemcache"), "memcached: data, cas, counters, stats",
          pymemcache_client),
    Trial("Django, RedisCache", of_package("django"), "all of the cache's methods", django_redis),
    Trial("Django, PyMemcacheCache", of_package("django"), "all of the cache's methods",
          django_memcached),
    Trial("redis-benchmark", of_tools, "six commands, pipelines of 1 and 16", redis_benchmark),
    Trial("redis-cli", of_tools, "arguments, standard input, --scan, --bigkeys, RESP3", redis_cli),
    Trial("redis-cli", of_tools, "MONITOR", redis_cli_monitors),
]  # fmt: skip

HEAD = """# Clients of the server

Each row is a test that runs in CI against the live server (`tests/server/test_server_clients.py`,
`tests/server/clients.py`); the versions are those that it was last written with, by

    python tests/server/clients.py > docs/clients.md

| client | version | what is tried | result |
|---|---|---|---|
"""


def page(shown: Callable[[Trial], str] = lambda trial: trial.version()) -> str:
    """The page of the documentation, for rows that work."""
    rows = [f"| {it.client} | {shown(it)} | {it.tried} | works |\n" for it in TRIALS]
    return HEAD + "".join(rows)


if __name__ == "__main__":
    print(page(), end="")
