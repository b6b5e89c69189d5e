"""The near cache: what a hit costs, what reaches a cluster, and whether anything stale is read.

- CPU time of an operation: user and system time of the client's process over so many reads of keys
  that are there, one after another, background threads included; rounds go from contestant to
  contestant, medians. GET is a plain one by the same library. A key is an object of its own, equal
  to the one in memory, as programs make them; of the very object a look-up takes less, and the look
  at the clock as much.
- A read-heavy workload: Zipf with exponent 0.99 over 20,000 keys with values of 100 bytes on a
  cluster of three primaries, 1% of the requests are writes by the same client; room for 2,000
  entries near. Requests that reach the cluster are all commands that its nodes have counted,
  renewals and invalidated reads among them. Redis-py's own client-side cache accepts neither Valkey
  nor Redis before 7.4: its look at name and version is lifted here. It has room for as many keys.
- The hit ratio beside the replay's: the same reads, without writes, as a trace, at equal
  capacity.
- Stale reads: the checker (`benchmarks/nearcache/checker.py`) on three primaries with a replica
  each, while nodes are killed, stopped and moved; what is stale says
  `benchmarks/nearcache/judgement.py`.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from statistics import median
from typing import Any

import redis
import valkey
from redis.cache import CacheConfig
from redis.connection import CacheProxyConnection

import augury
from augury import Cache, NearCache
from benchmarks import results
from benchmarks.nearcache.checker import check
from benchmarks.nearcache.cluster import Cluster, running

VALUE = b"v" * 100
KEYS, ENTRIES, EXPONENT = 20_000, 2_000, 0.99
#: Every so manieth request writes.
WRITES = 100
#: What all entries count as, near and in the replay.
SIZE = 100
ENOUGH_VERSION = "7.0.0"


def measure(quick: bool) -> None:
    """Measure everything and keep it."""
    with running(3, 0, "--extended-redis-compatibility", "yes") as cluster:
        content: dict[str, Any] = {
            "costs": costs(cluster, 5_000 if quick else 100_000, 3 if quick else 7),
            "workload": workload(cluster, 5_000 if quick else 100_000),
            "ratios": ratios(cluster, 20_000 if quick else 300_000),
        }
    reads, seconds = (20_000, 15.0) if quick else (1_000_000, 300.0)
    content["checker"] = check(reads, seconds, seed=7)
    results.write("nearcache", quick, content)


@contextmanager
def cached(cluster: Cluster, entries: int) -> Iterator["redis.RedisCluster"]:
    """Redis-py's client-side cache, which is made to accept the server."""
    asked = CacheProxyConnection.MIN_ALLOWED_VERSION
    CacheProxyConnection.MIN_ALLOWED_VERSION = ENOUGH_VERSION
    try:
        with cluster.client(protocol=3, cache_config=CacheConfig(max_size=entries)) as client:
            yield client
    finally:
        CacheProxyConnection.MIN_ALLOWED_VERSION = asked


def costs(cluster: Cluster, count: int, rounds: int) -> list[dict[str, Any]]:
    """CPU nanoseconds per read, by contestant: all rounds, and their median."""
    names = [f"key:{number}" for number in range(1_000)]
    local: Cache[str, bytes] = Cache("64 MB")
    first = cluster.nodes[0].port
    with (
        cluster.client() as plain,
        valkey.ValkeyCluster(host="127.0.0.1", port=first) as other,
        NearCache(plain) as near,
        cached(cluster, 2_000) as theirs,
    ):
        for name in names:
            # A value of its own for each, as those from a socket are.
            local[name] = bytes(bytearray(VALUE))
            plain.set(name, VALUE)
        assert near.wait(20)
        getters: tuple[Callable[[str], Any], ...] = (near.get, theirs.get)
        for get in getters:
            for name in names * 2:
                get(name)
        assert near.stats().memory.hits >= len(names), near.stats()
        equal = [f"key:{number}" for number in range(1_000)]
        contestants: dict[str, tuple[Callable[[str], Any], list[str], int]] = {
            "`Cache.get`": (local.get, equal, count),
            "near cache, hit": (near.get, equal, count),
            "near cache, hit by `await aget`": (near.aget, equal, count),
            "redis-py, hit in its client-side cache": (theirs.get, equal, count // 50),
            "redis-py, GET": (plain.get, equal, count // 50),
            "valkey-py, GET": (other.get, equal, count // 50),
            "`Cache.get`, of the very key objects": (local.get, names, count),
            "near cache, hit, of the very key objects": (near.get, names, count),
        }
        taken: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(rounds):
            for contestant, (get, keys, some) in contestants.items():
                taken[contestant].append(cpu_of(get, keys, some))
    for contestant, values in taken.items():
        print(f"nearcache: {contestant}: {median(values):,.0f} ns CPU")
    return [
        {"contestant": name, "rounds": values, "nanoseconds": median(values)}
        for name, values in taken.items()
    ]


def cpu_of(get: Callable[[str], Any], names: list[str], count: int) -> float:
    """Nanoseconds of the process's CPU time per call."""
    asked = names * (count // len(names) or 1)
    if asyncio.iscoroutinefunction(get):
        return asyncio.run(cpu_in_task(get, asked))
    began = time.process_time_ns()
    for name in asked:
        get(name)
    return (time.process_time_ns() - began) / len(asked)


async def cpu_in_task(get: Callable[[str], Any], asked: list[str]) -> float:
    """As `cpu_of`, of coroutines."""
    began = time.process_time_ns()
    for name in asked:
        await get(name)
    return (time.process_time_ns() - began) / len(asked)


def drawn(count: int, seed: int) -> list[int]:
    """Numbers of keys, by Zipf."""
    weights = list(accumulate(1 / rank**EXPONENT for rank in range(1, KEYS + 1)))
    return random.Random(seed).choices(range(KEYS), cum_weights=weights, k=count)


def fixed_size(key: object, value: object) -> int:
    """Every entry is as large as every other."""
    return SIZE


def workload(cluster: Cluster, count: int) -> list[dict[str, Any]]:
    """Requests that reach the cluster, latency and CPU time, by contestant."""
    first = cluster.nodes[0].port
    rows = []
    with cluster.client() as client:
        fill(client)
        rows.append(drive(cluster, "redis-py", client, client, count))
        with valkey.ValkeyCluster(host="127.0.0.1", port=first) as other:
            rows.append(drive(cluster, "valkey-py", other, other, count))
        with cached(cluster, ENTRIES) as theirs:
            rows.append(drive(cluster, "redis-py, client-side cache", theirs, theirs, count))
        with NearCache(client, ENTRIES * SIZE, sizeof=fixed_size) as near:
            assert near.wait(20)
            row = drive(cluster, "near cache", near, near, count)
            rows.append({**row, "hit_ratio": near.stats().hit_ratio})
    for row in rows:
        print(f"nearcache: {row['contestant']}: {row['requests']:,} requests, {row['p50_us']} us")
    return rows


def fill(client: "redis.RedisCluster") -> None:
    """All keys."""
    for start in range(0, KEYS, 1_000):
        client.mset_nonatomic({f"key:{n}": VALUE for n in range(start, start + 1_000)})


def drive(cluster: Cluster, name: str, reader: Any, writer: Any, count: int) -> dict[str, Any]:
    """Do the requests one after another."""
    keys = [f"key:{number}" for number in drawn(count, seed=3)]
    latencies: list[int] = []
    before, began = processed(cluster), time.process_time()
    for at, key in enumerate(keys):
        if at % WRITES == WRITES - 1:
            writer.set(key, VALUE)
            continue
        start = time.perf_counter_ns()
        reader.get(key)
        latencies.append(time.perf_counter_ns() - start)
    spent = time.process_time() - began
    latencies.sort()
    return {
        "contestant": name,
        "operations": count,
        "requests": processed(cluster) - before,
        "p50_us": round(latencies[len(latencies) // 2] / 1e3, 2),
        "p99_us": round(latencies[len(latencies) * 99 // 100] / 1e3, 2),
        "cpu_us": round(spent / count * 1e6, 2),
    }


def processed(cluster: Cluster) -> int:
    """Commands that the nodes have counted, but for those that ask for this."""
    total = 0
    for node in cluster.nodes:
        stats: Any = node.client.info("commandstats")
        total += sum(
            one["calls"] for name, one in stats.items() if not name.startswith("cmdstat_info")
        )
    return total


def ratios(cluster: Cluster, count: int) -> dict[str, float]:
    """Hit ratio of the same reads, near and in a replay."""
    numbers = drawn(count, seed=5)
    with cluster.client() as client:
        fill(client)
        with NearCache(client, ENTRIES * SIZE, sizeof=fixed_size, max_staleness=60.0) as near:
            assert near.wait(60)
            for number in numbers:
                near.get(f"key:{number}")
            ours = near.stats().hit_ratio
            assert near.stats().plain_reads == 0, near.stats()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reads.csv"
        lines = (f"{at},key:{number}" for at, number in enumerate(numbers))
        path.write_text("\n".join(["time,key", *lines]) + "\n", encoding="utf-8")
        replayed = augury.replay(str(path), policies="auto", capacity=str(ENTRIES))
    theirs = 1 - next(iter(replayed)).object_miss_ratio
    print(f"nearcache: hit ratio {ours:.4f}, replay {theirs:.4f}")
    return {"requests": count, "near": ours, "replay": theirs}
