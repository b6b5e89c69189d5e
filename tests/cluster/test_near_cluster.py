"""A near cache before a cluster: a tracking connection for each primary, wherever the slots go."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import redis.asyncio
import valkey
import valkey.asyncio
from benchmarks.nearcache.cluster import Cluster, Node
from benchmarks.nearcache.faults import holds

from augury import NearCache
from augury.near.slots import SLOTS, slot_of
from servers import until

KEYS = [f"key:{n}" for n in range(60)]


@pytest.fixture
def near(cluster: Cluster) -> Iterator[NearCache]:
    """One that is vouched for, over keys that are there."""
    cluster.wait()
    client = cluster.client()
    client.mset_nonatomic({key: key for key in KEYS})
    with NearCache(client, max_staleness=1.0) as found:
        assert found.wait(20), found.stats()
        yield found
    client.close()


def owner(cluster: Cluster, slot: int) -> Node:
    """Who has the slot."""
    return next(node for node in cluster.primaries if holds(node, slot))


def is_kept(near: NearCache) -> bool:
    """Whether every key is answered by memory, once it was asked for."""
    for key in KEYS:
        near.get(key)
    before = near.stats().memory.hits
    assert {key: key.encode() for key in KEYS} == near.get_many(KEYS)
    return near.stats().memory.hits - before == len(KEYS)


def test_all_nodes_are_read_and_heard(near: NearCache, cluster: Cluster) -> None:
    """Keys of all slots come from memory, and changes on any node are seen."""
    until(lambda: is_kept(near))
    assert 3 == len(near._source.driver.coherence.peers)
    assert 0 == near.stats().losses
    with cluster.client() as other:
        for key in KEYS:
            other.set(key, "new")
        until(lambda: set(near.get_many(KEYS).values()) == {b"new"})
        other.mset_nonatomic({key: key for key in KEYS})


def test_a_client_reads_its_own_writes(near: NearCache) -> None:
    """On every node."""
    for number in range(5):
        for key in KEYS[:30]:
            near.set(key, number)
            assert b"%d" % number == near.get(key)
    near.set_many({key: key for key in KEYS})
    assert {key: key.encode() for key in KEYS} == near.get_many(KEYS)
    assert 2 == near.delete(KEYS[0], KEYS[1])
    assert KEYS[2:] == list(near.get_many(KEYS))
    near.set_many({key: key for key in KEYS})


def test_slots_that_move_at_once_are_followed(near: NearCache, cluster: Cluster) -> None:
    """Their entries are forgotten, and read from where they are."""
    until(lambda: is_kept(near))
    slot = slot_of(KEYS[0].encode())
    source = owner(cluster, slot)
    target = next(node for node in cluster.primaries if node is not source)
    source.ask("CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", slot, slot, "NODE", target.identity)
    until(lambda: holds(target, slot))
    with cluster.client() as other:
        other.set(KEYS[0], "moved")
        until(lambda: near.get(KEYS[0]) == b"moved")
        other.set(KEYS[0], KEYS[0])
    until(lambda: near.get(KEYS[0]) == KEYS[0].encode())
    until(lambda: is_kept(near))
    assert near.stats().slots_forgotten > 0


def test_a_slot_that_moves_key_by_key_is_not_kept(near: NearCache, cluster: Cluster) -> None:
    """While it is on its way the client is asked, who is sent where the key is."""
    until(lambda: is_kept(near))
    slot = slot_of(KEYS[1].encode())
    source = owner(cluster, slot)
    target = next(node for node in cluster.primaries if node is not source)
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.identity)
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.identity)
    until(lambda: near.stats().slots == SLOTS - 1)
    plain = near.stats().plain_reads
    assert KEYS[1].encode() == near.get(KEYS[1])
    assert plain + 1 == near.stats().plain_reads
    keys = source.ask("CLUSTER", "GETKEYSINSLOT", slot, 10)
    source.ask("MIGRATE", "127.0.0.1", target.port, "", 0, 2_000, "KEYS", *keys)
    assert KEYS[1].encode() == near.get(KEYS[1])
    for node in (target, source, *cluster.primaries):
        node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.identity)
    until(lambda: is_kept(near))


def test_a_failover_is_followed(near: NearCache, cluster: Cluster) -> None:
    """A node that is promoted is tracked, and the one before it no more."""
    until(lambda: is_kept(near))
    primary = owner(cluster, slot_of(KEYS[0].encode()))
    replica = cluster.replica_of(primary)
    assert replica is not None
    replica.ask("CLUSTER", "FAILOVER")
    until(lambda: replica.is_primary)
    with cluster.client() as other:
        other.set(KEYS[0], "promoted")
        until(lambda: near.get(KEYS[0]) == b"promoted")
        other.set(KEYS[0], KEYS[0])
    until(lambda: near.get(KEYS[0]) == KEYS[0].encode())
    until(lambda: is_kept(near))
    assert replica.port in {address[1] for address in near._source.driver.coherence.peers}
    cluster.wait()


def test_a_dead_node_is_given_up(near: NearCache, cluster: Cluster) -> None:
    """Keys of others stay in memory; its own are read where they are, once they are."""
    until(lambda: is_kept(near))
    primary = owner(cluster, slot_of(KEYS[0].encode()))
    primary.kill()
    try:
        until(lambda: near.stats().losses > 0)
        assert 0 < near.stats().slots < SLOTS
        until(lambda: sum(node is not primary for node in cluster.primaries) == 3)
        until(lambda: near.wait(0.1))
        until(lambda: is_kept(near))
    finally:
        primary.start()
        cluster.wait()


def test_prefixes_are_told_of_on_all_nodes(cluster: Cluster, near: NearCache) -> None:
    """Broadcast mode."""
    with cluster.client() as client, NearCache(client, prefixes=["key:"]) as cast:
        assert cast.wait(20)
        until(lambda: is_kept(cast))
        near.set(KEYS[3], "told")
        until(lambda: cast.get(KEYS[3]) == b"told")
        near.set(KEYS[3], KEYS[3])


def test_valkey_py_is_a_client_too(cluster: Cluster, near: NearCache) -> None:
    """By its own connections."""
    client = valkey.ValkeyCluster(host="127.0.0.1", port=cluster.nodes[0].port)
    with NearCache(client) as other:
        assert other.wait(20)
        until(lambda: is_kept(other))
    client.close()


@pytest.mark.parametrize("library", [redis.asyncio, valkey.asyncio])
def test_tasks_have_a_cluster_too(cluster: Cluster, near: NearCache, library: Any) -> None:
    """By clients of asyncio."""

    async def whole() -> None:
        name = "RedisCluster" if library is redis.asyncio else "ValkeyCluster"
        client = getattr(library, name)(host="127.0.0.1", port=cluster.nodes[0].port)
        async with NearCache(client) as tasks:
            assert await asyncio.to_thread(tasks.wait, 20)
            expected = {key: key.encode() for key in KEYS}
            assert expected == await tasks.aget_many(KEYS)
            before = tasks.stats().memory.hits
            assert expected == await tasks.aget_many(KEYS)
            assert before + len(KEYS) == tasks.stats().memory.hits
            await tasks.aset(KEYS[0], "mine")
            assert b"mine" == await tasks.aget(KEYS[0])
            await tasks.aset(KEYS[0], KEYS[0])
        await client.aclose()

    asyncio.run(asyncio.wait_for(whole(), 60))
