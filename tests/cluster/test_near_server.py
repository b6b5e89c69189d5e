"""A near cache before one server: memory answers, and never by what is not so any more."""

import gc
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import valkey
from originals import valkey as valkey_program

import augury
from augury import ConfigError, NearCache
from loading import Threads
from redis_server import executable as installed
from redis_server import running
from servers import commands, lookups, until


@pytest.fixture
def client(port: int) -> Iterator[redis.Redis]:
    """An empty server."""
    with redis.Redis(port=port) as found:
        found.flushall()
        yield found


@pytest.fixture
def near(client: redis.Redis) -> Iterator[NearCache]:
    """A near cache that is vouched for."""
    with NearCache(client) as found:
        assert found.wait(), found.stats()
        yield found


def test_a_value_is_read_once(client: redis.Redis, near: NearCache) -> None:
    """And then comes from memory, by text and by bytes alike, each read once."""
    client.set("a", "1")
    before = lookups(client)
    assert [b"1"] * 5 == [near.get("a") for _ in range(5)]
    assert [b"1"] * 5 == [near.get(b"a") for _ in range(5)]
    assert 2 == lookups(client) - before
    assert 8 == near.stats().memory.hits


def test_a_change_by_somebody_else_is_seen(client: redis.Redis, near: NearCache) -> None:
    """As soon as the server has said so, in every form of the key."""
    client.set("a", "1")
    assert (b"1", b"1") == (near.get("a"), near.get(b"a"))
    client.set("a", "2")
    until(lambda: near.get("a") == b"2" and near.get(b"a") == b"2")
    assert near.stats().invalidations >= 1
    client.delete("a")
    until(lambda: near.get("a", "none") == "none")


def test_a_client_reads_its_own_writes(client: redis.Redis, near: NearCache) -> None:
    """At once, whichever verb wrote."""
    for number in range(200):
        near.set("n", number)
        assert b"%d" % number == near.get("n")
    assert 205 == near.call("incrby", "n", 6)
    assert b"205" == near.get("n")
    near.set_many({"n": "x", "m": "y"})
    assert {"m": b"y", "n": b"x"} == near.get_many(["m", "n"])
    assert 2 == near.delete("n", "m")
    assert {} == near.get_many(["m", "n"])
    assert near.get("n") is None
    client.set("n", "beside")
    near.changed("n")
    assert b"beside" == near.get("n")
    with near.writing("n", "m"):
        client.rename("n", "m")
    assert [None, b"beside"] == near.mget(["n", "m"])


def test_all_is_forgotten_when_all_is_removed(client: redis.Redis, near: NearCache) -> None:
    """FLUSHALL is one word for every key."""
    client.mset({"a": "1", "b": "2"})
    assert [b"1", b"2"] == near.mget(["a", "b"])
    client.flushall()
    until(lambda: near.mget(["a", "b"]) == [None, None])
    assert near.stats().flushes >= 1


def test_many_are_read_by_one_command(client: redis.Redis, near: NearCache) -> None:
    """MGET for those that are not in memory; absent ones are left out."""
    client.mset({f"k{n}": n for n in range(50)})
    near.get("k0")
    before = commands(client, "mget")
    found = near.get_many([f"k{n}" for n in range(60)])
    assert {f"k{n}": b"%d" % n for n in range(50)} == found
    assert 1 == commands(client, "mget") - before


def test_of_many_who_ask_one_reads(client: redis.Redis, near: NearCache) -> None:
    """Single flight."""
    client.set("a", "1")
    before = lookups(client)
    barrier = threading.Barrier(16)

    def ask() -> bytes | None:
        barrier.wait()
        value: bytes | None = near.get("a")
        return value

    assert [b"1"] * 16 == Threads(*[ask] * 16).join()
    assert 1 == lookups(client) - before


def test_a_lost_connection_forgets_all(client: redis.Redis, near: NearCache) -> None:
    """What was in memory is not served any more; a new connection begins anew."""
    client.set("a", "1")
    assert b"1" == near.get("a")
    client.client_kill_filter(_type="normal", skipme=True)
    until(lambda: near.stats().losses == 1 and len(near.cache) == 0)
    assert near.wait()
    before = near.stats().memory.hits
    assert (b"1", b"1") == (near.get("a"), near.get("a"))
    assert before + 1 == near.stats().memory.hits


def test_errors_are_the_clients_own(client: redis.Redis, near: NearCache) -> None:
    """Such as a value that is no string."""
    client.hset("h", "field", "1")
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        near.get("h")
    with pytest.raises(ConfigError, match="text and bytes"):
        near.get(7)


def test_values_are_as_the_client_decodes_them(port: int, client: redis.Redis) -> None:
    """Text where it makes text of them."""
    client.set("a", "ä")
    with redis.Redis(port=port, decode_responses=True) as texts, NearCache(texts) as near:
        assert near.wait()
        assert ["ä"] * 3 == [near.get("a") for _ in range(3)]
        assert {"a": "ä"} == near.get_many(["a"])
        assert near.stats().memory.hits == 3


def test_prefixes_have_the_server_tell_of_all(port: int, client: redis.Redis) -> None:
    """Keys with them are kept, others are read by the client alone."""
    client.mset({"user:1": "a", "page:1": "b"})
    with NearCache(client, prefixes=["user:"]) as near:
        assert near.wait()
        assert [(b"a", b"b")] * 3 == [(near.get("user:1"), near.get("page:1")) for _ in range(3)]
        assert (2, 3) == (near.stats().memory.hits, near.stats().plain_reads)
        client.set("user:1", "c")
        until(lambda: near.get("user:1") == b"c")
        near.set("user:1", "d")
        assert b"d" == near.get("user:1")


def test_valkey_py_is_a_client_too(port: int, client: redis.Redis) -> None:
    """By its own connections."""
    client.set("a", "1")
    with valkey.Valkey(port=port) as other, NearCache(other) as near:
        assert near.wait()
        assert [b"1"] * 3 == [near.get("a") for _ in range(3)]
        assert 2 == near.stats().memory.hits


@pytest.mark.skipif(installed() is None, reason="no redis-server")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate")
def test_connections_are_protected_as_the_clients_are(tmp_path: Path) -> None:
    """By TLS and a password, with values that come in many pieces."""
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    options = ["--tls-cert-file", str(key.with_name("certificate")), "--tls-key-file", str(key)]
    options += ["--tls-auth-clients", "no", "--requirepass", "secret"]
    with running(tmp_path, *options, tls=True, program=installed()) as port:
        settings = {"ssl": True, "ssl_ca_certs": str(certificate), "password": "secret"}
        client = redis.Redis(host="localhost", port=port, **settings)  # type: ignore[arg-type]
        big = bytes(3_000_000)
        client.mset({"a": big, "b": "1"})
        with NearCache(client) as near:
            assert near.wait()
            assert [big] * 3 == [near.get("a") for _ in range(3)]
            assert 2 == near.stats().memory.hits
            client.set("a", "2")
            until(lambda: near.get("a") == b"2")
        client.close()


def test_what_is_likely_to_follow_is_fetched(client: redis.Redis) -> None:
    """A scan of numbered keys, by MGET and before it is asked for."""
    keys = [f"{n}" for n in range(400)]
    client.mset({key: key for key in keys})
    with NearCache(client, "10 kB", prefetch=0.5) as near:
        assert near.wait()
        for _ in range(6):
            assert keys == [near.get(key).decode() for key in keys]
        assert near.cache.prefetches().used > 0
        client.mset(dict.fromkeys(keys, "new"))
        until(lambda: {near.get(key) for key in keys} == {b"new"})


def test_entries_are_read_anew_before_they_expire(client: redis.Redis) -> None:
    """With a TTL and a budget for it."""
    client.set("a", "1")
    with NearCache(client, ttl=0.3, refresh_ahead=1.0) as near:
        assert near.wait()

        def is_refreshed() -> bool:
            assert b"1" == near.get("a")
            time.sleep(0.02)
            return near.cache.refreshes().issued > 0

        until(is_refreshed)


def test_a_server_that_stands_still_is_waited_for_and_not_trusted(valkey_port: int) -> None:
    """Hits end with the lease; they are back when it answers, and nothing has been lost."""
    control = redis.Redis(port=valkey_port)
    control.set("a", "1")
    pid = int(control.info("server")["process_id"])  # type: ignore[index]
    client = redis.Redis(port=valkey_port, socket_timeout=0.2, retry=None)
    with NearCache(client, max_staleness=0.5) as near:
        assert near.wait()
        near.get("a")
        os.kill(pid, 19)
        try:
            until(lambda: not near.is_vouched)
            with pytest.raises(redis.TimeoutError):
                near.get("a")
        finally:
            os.kill(pid, 18)
        until(lambda: near.is_vouched)
        before = near.stats().memory.hits
        assert b"1" == near.get("a")
        assert before + 1 == near.stats().memory.hits
        assert near.stats().lapses >= 1
    client.close()
    control.close()


def test_a_full_output_buffer_forgets_all(valkey_port: int) -> None:
    """The server closes on who does not keep up: that is a lost connection."""
    with redis.Redis(port=valkey_port) as control, NearCache(control, prefixes=[""]) as near:
        assert near.wait()
        control.set("a", "1")
        until(lambda: near.get("a") == b"1" and len(near.cache) == 1)
        control.config_set("client-output-buffer-limit", "normal 1000 1000 0")
        try:
            big = {f"{'x' * 500}{n}": "1" for n in range(100)}
            for _ in range(20):
                pipe = control.pipeline()
                pipe.mset(big)
                pipe.execute()
                if near.stats().losses:
                    break
            assert 1 <= near.stats().losses
        finally:
            control.config_set("client-output-buffer-limit", "normal 0 0 0")


def test_a_replica_is_no_server_for_it(valkey_port: int, tmp_path: Path) -> None:
    """It may be behind by any time: reads go to the client, and it is said why."""
    options = ["--replicaof", f"127.0.0.1 {valkey_port}"]
    with (
        running(tmp_path, *options, program=valkey_program()) as port,
        redis.Redis(port=port) as client,
        NearCache(client) as near,
    ):
        until(lambda: "replica" in near.stats().trouble)
        assert not near.wait(0.2)
        near.get("a")
        assert 0 == len(near.cache)


def test_the_child_of_a_fork_begins_anew(port: int, client: redis.Redis, near: NearCache) -> None:
    """With connections of its own; the parent's are left alone."""
    client.set("a", "1")
    assert b"1" == near.get("a")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            is_empty = len(near.cache) == 0
            ours = redis.Redis(port=port)
            is_read = near.wait() and near.get("a") == b"1" and near.get("a") == b"1"
            ours.set("a", "2")
            until(lambda: near.get("a") == b"2")
            code = 0 if is_empty and is_read else 2
        finally:
            os._exit(code)
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    until(lambda: near.get("a") == b"2")
    assert 0 == near.stats().losses


def test_a_near_cache_that_nobody_has_ends(client: redis.Redis) -> None:
    """Its thread and its connection go with it."""
    near = NearCache(client)
    assert near.wait()
    name = near._source.driver._thread
    del near
    gc.collect()
    until(lambda: not name.is_alive())


def test_a_closed_near_cache_reads_by_the_client(client: redis.Redis) -> None:
    """It holds nothing and promises nothing, and works."""
    client.set("a", "1")
    near = NearCache(client)
    assert near.wait()
    near.get("a")
    near.close()
    assert [b"1"] * 2 == [near.get("a") for _ in range(2)]
    assert b"1" == near.get_many(["a"])["a"]
    assert 0 == len(near.cache)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_staleness": 0}, "expected seconds from"),
        ({"prefixes": "user:"}, "expected several"),
        ({"prefixes": ["a", "ab"]}, "leave out the longer one"),
        ({"prefixes": []}, "0 prefixes"),
        ({"refresh_ahead": 0.1}, "without a ttl"),
        ({"policy": "none"}, "expected one of"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], message: str) -> None:
    """With the value and the way out."""
    with pytest.raises(ConfigError, match=message):
        NearCache(redis.Redis(port=1), **options)  # type: ignore[arg-type]


def test_what_is_no_client_is_refused() -> None:
    """By its name."""
    with pytest.raises(ConfigError, match=r"builtins\.dict"):
        NearCache({})


def test_without_a_server_reads_fail_as_the_client_does() -> None:
    """And what is wrong is said."""
    with redis.Redis(port=1, retry=None) as client, NearCache(client) as near:
        assert not near.wait(0.1)
        with pytest.raises(redis.ConnectionError):
            near.get("a")
        until(
            lambda: "127.0.0.1:1" in near.stats().trouble or "localhost:1" in near.stats().trouble
        )
        assert isinstance(near.stats(), augury.NearStats)
