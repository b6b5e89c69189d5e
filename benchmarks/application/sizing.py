"""How large the caches become, and how large redis has to be: without the database.

Run as a process of its own it fills augury's cache, whose memory is then all that the process has
come to take.
"""

import ctypes
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from redis.exceptions import OutOfMemoryError

import augury
from benchmarks.application.contestants import InProcess
from benchmarks.application.servers import RedisServer, redis_server, resident_of
from benchmarks.application.workload import Workload
from benchmarks.processes import measured

__all__ = ["POLICIES", "Point", "curves", "feed", "in_process", "size_for"]

POLICIES = ("allkeys-lru", "allkeys-lfu")
#: Sizes of redis that are tried, by augury's memory.
FACTORS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8)
#: Requests that are sent together; within them a key that is missed twice is missed once.
BATCH = 100
#: Redis tells times apart by the second: at this rate a tick is a small part of an entry's life.
REQUESTS_PER_SECOND = 5_000


@dataclass(frozen=True)
class Point:
    """A cache that has been fed: its size, its memory, and what it missed of what is measured."""

    #: Bytes above those of the start that `maxmemory` allows, or augury's capacity.
    limit: int
    entries: int
    misses: int
    #: Bytes by which the resident set has grown, and which the cache counts.
    grown: int
    counted: int


def in_process(workload: Workload) -> Point:
    """augury's cache in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="augury-bench-") as folder:
        path = Path(folder) / "workload.npz"
        workload.save(path)
        run = measured([sys.executable, "-m", "benchmarks.application.sizing", path])
    return Point(**run.answer)


def fill_alone(workload: Workload) -> Point:
    """Fill the cache here; the process is not to have done much before."""
    workload.answer(int(workload.objects[0]))
    # Its modules are loaded when it is first used, and are no part of what it holds.
    augury.Cache(1)
    gc.collect()
    # What is free goes back, else the cache would seem to take less than it does.
    ctypes.CDLL(None).malloc_trim(0)
    before = resident_of(os.getpid())
    filled = InProcess(workload)
    for key in workload.last:
        filled.ask(int(key))
    grown = resident_of(os.getpid()) - before
    cache = filled.cache
    held = sum(sys.getsizeof(key) + sys.getsizeof(value) for key, value in cache.items())
    return Point(workload.capacity, len(cache), filled.queries, grown, cache.memory_bytes + held)


def feed(servers: Sequence[RedisServer], workload: Workload, keys: Any) -> list[int]:
    """Ask all servers alike and store what they miss; how often each has missed."""
    connections: list[Any] = [server.client.connection_pool.get_connection() for server in servers]
    misses = [0] * len(servers)
    began, done = time.monotonic(), 0
    for at in range(0, len(keys), BATCH):
        batch = keys[at : at + BATCH].tolist()
        packed = connections[0].pack_commands([("GET", key) for key in batch])
        for connection in connections:
            connection.send_packed_command(packed)
        stored = []
        for number, connection in enumerate(connections):
            found = [connection.read_response() for _ in batch]
            missed = {key for key, value in zip(batch, found, strict=True) if value is None}
            misses[number] += len(missed)
            if missed:
                commands = [("SET", key, workload.answer(key)) for key in missed]
                connection.send_packed_command(connection.pack_commands(commands))
            stored.append(len(missed))
        for connection, count in zip(connections, stored, strict=True):
            for _ in range(count):
                # A server too small for what it has just read keeps none of it: a miss next time.
                with suppress(OutOfMemoryError):
                    connection.read_response()
        done += len(batch)
        time.sleep(max(done / REQUESTS_PER_SECOND - (time.monotonic() - began), 0))
    for server, connection in zip(servers, connections, strict=True):
        server.client.connection_pool.release(connection)
    return misses


def curves(workload: Workload, memory: int) -> dict[str, list[Point]]:
    """Redis of several sizes around this memory, under each policy."""
    sizes = [(policy, int(factor * memory)) for policy in POLICIES for factor in FACTORS]
    with ExitStack() as running:
        servers = []
        for policy, size in sizes:
            servers.append(running.enter_context(redis_server()))
            servers[-1].limit(policy, size)
        feed(servers, workload, workload.first)
        misses = feed(servers, workload, workload.last)
        found: dict[str, list[Point]] = {policy: [] for policy in POLICIES}
        for (policy, size), server, missed in zip(sizes, servers, misses, strict=True):
            entries: Any = server.client.dbsize()
            found[policy].append(Point(size, entries, missed, server.grown, server.used))
    return found


def size_for(points: Sequence[Point], what: str, wanted: int) -> int | None:
    """The limit at which the memory grown, or the misses, would be these; None beyond the ends."""
    known = sorted((getattr(point, what), point.limit) for point in points)
    values, limits = np.log(np.maximum(np.array(known, float), 1)).T
    value = np.log(max(wanted, 1))
    if not values[0] <= value <= values[-1]:
        return None
    return round(float(np.exp(np.interp(value, values, limits))))


if __name__ == "__main__":
    print(json.dumps(asdict(fill_alone(Workload.load(Path(sys.argv[1]))))))
