"""Clients of valkey-glide: it writes, the tracking connections beside it read."""

import asyncio

import pytest
from benchmarks.nearcache.cluster import Cluster

from augury import NearCache
from servers import until


def test_a_client_of_threads(valkey_port: int) -> None:
    """One server."""
    glide_sync = pytest.importorskip("glide_sync")
    config = glide_sync.GlideClientConfiguration([glide_sync.NodeAddress("127.0.0.1", valkey_port)])
    client = glide_sync.GlideClient.create(config)
    with NearCache(client) as near:
        assert near.wait()
        near.set("a", "1")
        assert [b"1"] * 3 == [near.get("a") for _ in range(3)]
        assert 2 == near.stats().memory.hits
        near.set_many({"a": "2", "b": "3"})
        assert {"a": b"2", "b": b"3"} == near.get_many(["a", "b", "c"])
        client.set("a", "4")
        until(lambda: near.get("a") == b"4")
        assert 2 == near.delete("a", "b")
        near.close()
        assert near.get("a") is None
        assert {} == near.get_many(["a", "b"])
    client.close()


def test_a_client_of_a_cluster_in_tasks(cluster: Cluster) -> None:
    """Values of all slots."""
    glide = pytest.importorskip("glide")
    keys = [f"g:{n}" for n in range(40)]

    async def whole() -> None:
        address = glide.NodeAddress("127.0.0.1", cluster.nodes[0].port)
        config = glide.GlideClusterClientConfiguration([address])
        client = await glide.GlideClusterClient.create(config)
        async with NearCache(client) as near:
            assert await asyncio.to_thread(near.wait, 20)
            await near.aset_many({key: key for key in keys})
            expected = {key: key.encode() for key in keys}
            assert expected == await near.aget_many(keys)
            await near.aset(keys[0], "mine")
            assert b"mine" == await near.aget(keys[0])
            assert 40 == await near.adelete(*keys)
            assert {} == await near.aget_many(keys)
        await client.close()

    asyncio.run(asyncio.wait_for(whole(), 60))
