"""Caches that learn together through a real cluster: one merges, all take over, none needs it."""

import contextlib
import gc
import os
import random
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
from benchmarks.nearcache.cluster import Cluster

import augury
from augury import _core
from augury.errors import ArtifactError, ConfigError
from augury.near.origins import origin_of
from augury.together.channel import Channel, ChannelError
from augury.together.group import LARGEST, Group
from servers import until

CAPACITY, OBJECTS = 200, 5_000
WEIGHTS = [1 / (rank + 1) for rank in range(OBJECTS)]


@pytest.fixture
def client(cluster: Cluster) -> Iterator["redis.RedisCluster"]:
    """A client of the cluster."""
    with cluster.client() as found:
        yield found


@pytest.fixture
def name() -> str:
    """Of a group that nobody else is in."""
    return uuid.uuid4().hex


def joined(
    client: Any, name: str, **options: Any
) -> tuple[augury.Cache[Any, Any], augury.Together]:
    """A cache and what it learns by, which makes rounds when it is asked to."""
    cache: augury.Cache[Any, Any] = augury.Cache(CAPACITY)
    options = {"every": None, **options}
    return cache, augury.Together(client, cache, name=name, **options)


def drive(cache: "augury.Cache[Any, Any]", requests: int, seed: int) -> float:
    """Ask for keys by a Zipf law, and store what is missing; the hit ratio."""
    hits = 0
    for rank in random.Random(seed).choices(range(OBJECTS), WEIGHTS, k=requests):
        key = f"user:{rank}"
        if cache.get(key) is None:
            cache[key] = rank
        else:
            hits += 1
    return hits / requests


def group_of(client: Any, name: str, member: str = "m" * 16, lease: float = 30.0) -> Group:
    """What a member does on the server, by hand."""
    origin = origin_of(client)
    return Group(Channel(origin.dial, origin.start), name, member.encode(), lease, 60.0)


def test_who_comes_late_begins_with_what_the_others_know(client: Any, name: str) -> None:
    """It hits more from the first request on, and says that it began warm."""
    first, one = joined(client, name)
    drive(first, 20_000, 1)
    assert one.sync(), one.stats()
    assert one.sync(), one.stats()
    late, two = joined(client, name)
    assert two.sync(), two.stats()
    assert two.stats().warm
    assert two.stats().agreed > OBJECTS // 2
    cold: augury.Cache[Any, Any] = augury.Cache(CAPACITY)
    assert drive(late, 3_000, 2) > drive(cold, 3_000, 2) + 0.01
    one.close()
    two.close()


def test_one_is_elected_and_another_when_it_ends(client: Any, name: str) -> None:
    """The lock passes on, with a higher fencing token."""
    members = [joined(client, name) for _ in range(3)]
    for number, (cache, together) in enumerate(members):
        drive(cache, 500, number)
        assert together.sync(), together.stats()
    assert [True, False, False] == [together.stats().is_trainer for _, together in members]
    for _, together in members:
        assert together.sync()
    assert [3, 3] == [together.stats().members for _, together in members[1:]]
    assert {1} == {together.stats().token for _, together in members[1:]}
    members[0][1].close()
    assert members[1][1].sync()
    assert members[1][1].stats().is_trainer
    assert members[2][1].sync()
    assert 2 == members[2][1].stats().token
    for _, together in members[1:]:
        together.close()


def test_who_was_elected_before_cannot_publish(client: Any, name: str) -> None:
    """Not after its lease has run out, and not when another is elected between look and write."""
    old, new = group_of(client, name, "a" * 16), group_of(client, name, "b" * 16)
    assert old.lead()
    assert old.publish(b"first")
    client.delete(f"{{augury:{name}}}:trainer")
    assert new.lead()
    assert not old.publish(b"stale")
    assert new.token == 2
    assert new.publish(b"second")
    agreed = old.hear(b"")
    assert agreed is not None
    assert b"second" == agreed.data
    ask = new._channel.ask

    def overtaken(*commands: Any, room: int = 0) -> list[Any]:
        if commands[0] == (b"MULTI",):
            client.incr(f"{{augury:{name}}}:token")
        return ask(*commands, room=room)

    new._channel.ask = overtaken  # type: ignore[method-assign]
    assert not new.publish(b"stale")
    old.close()
    new.close()
    assert b"second" == client.get(f"{{augury:{name}}}:agreed")


TRAINER = """
    import sys, redis, augury
    client = redis.RedisCluster(host="127.0.0.1", port=int(sys.argv[1]))
    cache = augury.Cache(100)
    together = augury.Together(client, cache, name=sys.argv[2], every=0.1)
    number = 0
    while True:
        number += 1
        cache[number % 50] = cache.get(number % 50) or number
"""


def test_a_stopped_trainer_is_replaced_and_stays_so(
    client: Any, cluster: Cluster, name: str
) -> None:
    """SIGSTOP, another token, SIGCONT: what all take over never goes back to the older token."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(TRAINER), str(cluster.nodes[0].port), name],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    version = f"{{augury:{name}}}:version"

    def token() -> int:
        return int((client.get(version) or b"0:0").split(b":")[0])

    try:
        until(lambda: token() == 1)
        process.send_signal(signal.SIGSTOP)
        cache, together = joined(client, name, every=0.1)
        drive(cache, 100, 1)
        until(lambda: together.stats().is_trainer and token() == 2)
        process.send_signal(signal.SIGCONT)
        published = together.stats().published

        def went_on() -> bool:
            assert token() == 2
            drive(cache, 10, 2)
            return together.stats().published > published + 10

        until(went_on)
        assert together.stats().is_trainer
        together.close()
    finally:
        process.kill()
        process.wait()


def test_without_a_server_each_learns_alone(name: str) -> None:
    """Rounds fail and say why; the cache does what it does, and the thread ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = redis.Redis(host="127.0.0.1", port=probe.getsockname()[1])
        cache, together = joined(nobody, name, every=0.05)
        until(lambda: together.stats().failures > 2)
        assert together.stats().trouble
        assert drive(cache, 2_000, 1) > 0.2
        assert not together.sync()
        together.close()
    assert not [one for one in threading.enumerate() if one.name == "augury-together"]


def test_a_server_that_comes_back_is_found_again(client: Any, cluster: Cluster, name: str) -> None:
    """After its connections were cut."""
    cache, together = joined(client, name)
    drive(cache, 100, 1)
    assert together.sync()
    for node in cluster.nodes:
        node.ask("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    drive(cache, 100, 2)
    assert not together.sync()
    assert together.sync(), together.stats()
    together.close()


@pytest.mark.parametrize("kind", ["garbage", "large", "list", "damaged"])
def test_hostile_bytes_are_refused(client: Any, name: str, kind: str) -> None:
    """What is agreed may be anything: it is not taken over, and not read where it is too large."""
    cache, together = joined(client, name)
    drive(cache, 500, 1)
    assert together.sync()
    agreed, version = f"{{augury:{name}}}:agreed", f"{{augury:{name}}}:version"
    sound = client.get(agreed)
    client.delete(agreed)
    # Somebody else is elected and publishes what it likes.
    client.set(f"{{augury:{name}}}:trainer", "somebody")
    client.set(version, "9:9")
    if kind == "garbage":
        client.set(agreed, os.urandom(500))
    elif kind == "large":
        client.setrange(agreed, LARGEST + 10, b"x")
    elif kind == "list":
        client.lpush(agreed, "x")
    else:
        client.set(agreed, sound[:-1] + bytes([sound[-1] ^ 1]))
    held = sorted(cache)
    assert not together.sync()
    assert together.stats().trouble
    assert 0 == together.stats().heard
    assert held == sorted(cache)
    together.close()


def test_what_members_tell_is_bounded_and_refused_likewise(client: Any, name: str) -> None:
    """Garbage, too much, and names that are none: the others are merged all the same."""
    cache, together = joined(client, name)
    drive(cache, 500, 1)
    tag = f"{{augury:{name}}}:"
    client.set(f"{tag}told:garbage", b"x" * 100)
    client.setrange(f"{tag}told:large", LARGEST + 10, b"x")
    client.lpush(f"{tag}told:list", "x")
    client.sadd(f"{tag}members", "garbage", "large", "gone", b"n" * 1_000)
    assert together.sync(), together.stats()
    assert 1 == together.stats().refused
    assert 1 == together.stats().published
    members = client.smembers(f"{tag}members")
    assert {b"garbage", b"large"} < members
    assert not {b"gone", b"n" * 1_000} & members
    together.close()


def test_sizes_and_times_are_bounded(client: Any, name: str) -> None:
    """So many objects are told of at most, and everything but the token goes with time."""
    cache, together = joined(client, name, keys=300)
    for number in range(20_000):
        cache[f"key:{number}"] = cache.get(f"key:{number}") or 1
    assert together.sync()
    keys = list(client.scan_iter(f"{{augury:{name}}}:*", target_nodes="primaries"))
    kinds = {key.rsplit(b":")[2] for key in keys}
    assert {b"agreed", b"members", b"told", b"token", b"trainer", b"version"} == kinds
    for key in keys:
        assert key.endswith(b":token") or client.pttl(key) > 0
    told = next(key for key in keys if b":told:" in key)
    message = client.get(told)
    assert 300 == _core.read_told(message)[3]
    assert len(message) < 300 * 12 + len(cache.export()[0][0][1]) + 1_000
    together.close()


def test_keys_leave_the_process_as_hashes_under_a_secret(client: Any, name: str) -> None:
    """Nothing of them can be read; without the secret they mean nothing."""
    cache, together = joined(client, name, secret="s3cret")
    cache["card:4711"] = "a value of mine"
    for _ in range(50):
        cache.get("card:4711")
    assert together.sync()
    for key in client.scan_iter(f"{{augury:{name}}}:*", target_nodes="primaries"):
        if client.type(key) == b"string":
            assert b"4711" not in client.get(key)
            assert b"of mine" not in client.get(key)
    for secret, known in (("s3cret", 1), ("another", 0)):
        other, two = joined(client, name, secret=secret)
        other["card:4711"] = 1
        assert two.sync()
        assert known == two.stats().known
        two.close()
    together.close()


def test_text_and_bytes_are_one_key_and_odd_keys_are_left_out(client: Any, name: str) -> None:
    """As they are to the server; what is no text, bytes or number stays here."""
    cache, together = joined(client, name)
    for key in ("a", b"b", 3, 2.5, ("c", 1), None):
        cache[key] = 1
        cache.get(key)
    together.sync()
    other, two = joined(client, name)
    for key in (b"a", "b", 3, 2.5, ("c", 1), None):
        other[key] = 1
    two.sync()
    assert (3, 3) == (two.stats().agreed, two.stats().known)
    together.close()
    two.close()


# A cluster client of a library may leave sockets to the collector, which is run here.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("library", ["valkey", "asyncio", "near"])
def test_any_client_and_near_caches(cluster: Cluster, name: str, library: str) -> None:
    """The connection is made as the client makes its own."""
    port = cluster.nodes[0].port
    kind: Any = valkey.ValkeyCluster if library == "valkey" else redis.RedisCluster
    client: Any = kind(host="127.0.0.1", port=port)
    if library == "asyncio":
        client = redis.asyncio.RedisCluster(host="127.0.0.1", port=port)
    near = augury.NearCache(client, CAPACITY) if library == "near" else augury.Cache(CAPACITY)
    with augury.Together(client, near, name=name, every=None) as together:
        assert together.sync(), together.stats()
    if isinstance(near, augury.NearCache):
        near.close()
    if library != "asyncio":
        client.disconnect_connection_pools()
        client.close()
    del client, near, together
    gc.collect()


def test_a_child_of_a_fork_is_a_member_of_its_own(cluster: Cluster, name: str) -> None:
    """Both go on, by connections of their own."""
    script = """
        import os, sys, redis, augury
        client = redis.RedisCluster(host="127.0.0.1", port=int(sys.argv[1]))
        cache = augury.Cache(100)
        together = augury.Together(client, cache, name=sys.argv[2], every=0.1)
        cache["a"] = cache.get("a") or 1
        assert together.sync()
        child = os.fork()
        cache["b"] = cache.get("b") or 1
        well = together.sync() and together.sync()
        if child == 0:
            os._exit(0 if well else 1)
        assert well and os.waitpid(child, 0)[1] == 0
        names = client.scard("{augury:%s}:members" % sys.argv[2])
        assert names == 2, names
        together.close()
    """
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script),
         str(cluster.nodes[0].port), name],
        check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(augury.__file__).parents[1])},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"name": ""}, "name"),
        ({"name": "a}b"}, "brace"),
        ({"every": 0.0}, "every"),
        ({"every": True}, "every"),
        ({"keys": 0}, "keys"),
        ({"secret": 5}, "secret"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], word: str) -> None:
    """By name, before anything is sent."""
    with pytest.raises(ConfigError, match=word):
        augury.Together(redis.Redis(port=1), augury.Cache(10), **{"every": None, **options})


def test_a_cache_that_does_not_learn_is_refused() -> None:
    """And one that learns together already."""
    with pytest.raises(ConfigError, match="lru"):
        augury.Together(redis.Redis(port=1), augury.Cache(10, policy="lru"))
    cache: augury.Cache[Any, Any] = augury.Cache(10)
    augury.Together(redis.Redis(port=1), cache, every=None)
    with pytest.raises(ConfigError, match="already"):
        augury.Together(redis.Redis(port=1), cache, every=None)


def test_an_answer_larger_than_what_was_asked_for_ends_the_connection() -> None:
    """Whatever is at the other end: no more is read."""
    here, there = socket.socketpair()
    channel = Channel(lambda address: here, [("nowhere", 1)])

    def flood() -> None:
        there.recv(100)
        with contextlib.suppress(OSError):
            there.sendall(b"$100000000\r\n" + bytes(50_000_000))

    thread = threading.Thread(target=flood)
    thread.start()
    with pytest.raises(ChannelError, match="larger"):
        channel.ask((b"GET", b"x"))
    thread.join()
    here.close()
    there.close()


def test_messages_that_are_none_are_refused() -> None:
    """Before anything of the cache has changed."""
    cache: augury.Cache[Any, Any] = augury.Cache(10)
    cache.learn_together(bytes(32), 10)
    for data in (b"", b"x" * 100, cache.tell()[:-1]):
        with pytest.raises(ArtifactError):
            cache.hear(data)
    assert (0, 0) == cache.hear(cache.tell())
