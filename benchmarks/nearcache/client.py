"""One client of the checker, in a process of its own: reads and writes by a near cache, and notes.

    python -m benchmarks.nearcache.client '{"ports": [7000], ...}'

It works until a line comes on its standard input, then writes every of its keys once more, so that
what the cluster has lost is found out, and prints its notes as one line of JSON.
"""

import asyncio
import json
import random
import sys
import threading
import time
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import redis
import redis.asyncio

from augury import NearCache
from augury.near.memory import Memory
from augury.near.source import Source

#: Sets the version unless a later one is there; returns the one before. Late writes do nothing.
WRITE = """
local before = tonumber(redis.call('GET', KEYS[1]) or '0')
if before < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end
return before
"""
#: Seconds that one command may take.
COMMAND_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What this client does."""

    #: Of nodes, and in place of which ports the client is to connect elsewhere.
    ports: list[int]
    detours: dict[str, int]
    seed: int
    keys: int
    #: Keys that it writes: those whose number leaves this rest.
    share: int
    shares: int
    readers: int
    reads_per_second: float
    writes_per_second: float
    max_staleness: float
    is_async: bool
    prefixes: list[str] | None
    #: Whether it does not act on what servers say of changes: to see that this is found out.
    is_deaf: bool = False


class Notes:
    """What has happened here, as columns."""

    def __init__(self) -> None:
        self.reads: list[tuple[int, int, float, bool]] = []
        self.writes: list[tuple[int, int, float | None, int]] = []
        self.drops: list[tuple[int, float]] = []
        self.failures = 0


class Plain(bytes):
    """A value that the client has read alone."""


class NotingSource(Source):
    """Marks what the client has read alone."""

    def read(self, key: Any) -> Any:
        return Plain(super().read(key))

    async def aread(self, key: Any) -> Any:
        return Plain(await super().aread(key))


class NotingMemory(Memory):
    """Notes what is removed, once it is."""

    notes: Notes
    is_deaf: bool

    def drop(self, key: bytes) -> None:
        is_word = threading.current_thread().name == "augury-near"
        if not (is_word and self.is_deaf):
            super().drop(key)
        if is_word:
            self.notes.drops.append((number_of(key), NearCache.clock()))


def name_of(number: int) -> str:
    return f"key:{number}"


def number_of(key: bytes) -> int:
    return int(key.partition(b":")[2])


class Client:
    """Reads at random, by a Zipf distribution, and writes its share of the keys."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.notes = plan, Notes()
        self.ended = threading.Event()
        weights = [1.0 / (rank + 1) for rank in range(plan.keys)]
        self.cumulative = list(accumulate(weights))
        self.versions = dict.fromkeys(range(plan.share, plan.keys, plan.shares), 0)
        detours = plan.detours
        kind: Any = redis.asyncio.RedisCluster if plan.is_async else redis.RedisCluster
        nodes: Any = redis.asyncio.cluster if plan.is_async else redis.cluster
        self.client = kind(
            startup_nodes=[nodes.ClusterNode("127.0.0.1", port) for port in plan.ports],
            address_remap=lambda at: (at[0], detours.get(str(at[1]), at[1])),
            socket_timeout=COMMAND_SECONDS,
            socket_connect_timeout=COMMAND_SECONDS,
        )
        self.near = NearCache(
            self.client, "1 MB", max_staleness=plan.max_staleness, prefixes=plan.prefixes
        )
        # In place of the memory that it has: its hands are the driver's from the next word on.
        source = self.near._source
        source.__class__ = NotingSource
        memory = source.memory
        memory.__class__ = NotingMemory
        memory.notes = self.notes  # type: ignore[attr-defined]
        memory.is_deaf = plan.is_deaf  # type: ignore[attr-defined]

    def pick(self, random_: random.Random) -> int:
        return random_.choices(range(self.plan.keys), cum_weights=self.cumulative)[0]

    def note_read(self, key: int, value: bytes | None, began: float) -> None:
        self.notes.reads.append((key, int(value or 0), began, isinstance(value, Plain)))

    def note_write(self, key: int, before: int | None) -> None:
        when = None if before is None else self.near.clock()
        self.notes.writes.append((key, self.versions[key], when, before or 0))

    def read(self, key: int) -> None:
        began = self.near.clock()
        try:
            self.note_read(key, self.near.get(name_of(key)), began)
        except Exception:
            # The client's own errors, among them some of an AttributeError while nodes change.
            self.notes.failures += 1

    def write(self, key: int) -> None:
        self.versions[key] += 1
        before: int | None = None
        try:
            with self.near.writing(name_of(key)):
                before = int(self.client.eval(WRITE, 1, name_of(key), self.versions[key]))
        except Exception:
            # The client's own errors, among them some of an AttributeError while nodes change.
            self.notes.failures += 1
        finally:
            self.note_write(key, before)

    async def aread(self, key: int) -> None:
        began = self.near.clock()
        try:
            self.note_read(key, await self.near.aget(name_of(key)), began)
        except Exception:
            # The client's own errors, among them some of an AttributeError while nodes change.
            self.notes.failures += 1

    async def awrite(self, key: int) -> None:
        self.versions[key] += 1
        before: int | None = None
        try:
            with self.near.writing(name_of(key)):
                answer = await self.client.eval(WRITE, 1, name_of(key), self.versions[key])
            before = int(answer)
        except Exception:
            # The client's own errors, among them some of an AttributeError while nodes change.
            self.notes.failures += 1
        finally:
            self.note_write(key, before)

    def run_reader(self, seed: int) -> None:
        """Reads, at a rate."""
        chance, pause = random.Random(seed), self.plan.readers / self.plan.reads_per_second
        due = time.monotonic()
        while not self.ended.is_set():
            self.read(self.pick(chance))
            due = max(due + pause, time.monotonic() - 0.1)
            time.sleep(max(0.0, due - time.monotonic()))

    def run_writer(self, seed: int) -> None:
        """Writes, at a rate, and now and then reads what it has just written."""
        chance, own = random.Random(seed), list(self.versions)
        while not self.ended.is_set():
            key = own[min(int(chance.expovariate(8.0 / len(own))), len(own) - 1)]
            self.write(key)
            if chance.random() < 0.5:
                self.read(key)
            time.sleep(1.0 / self.plan.writes_per_second)

    async def run_tasks(self) -> None:
        """The same as tasks."""
        plan = self.plan

        async def read() -> None:
            chance, pause = random.Random(plan.seed), plan.readers / plan.reads_per_second
            while not self.ended.is_set():
                await self.aread(self.pick(chance))
                await asyncio.sleep(pause)

        async def write() -> None:
            chance, own = random.Random(plan.seed + 1), list(self.versions)
            while not self.ended.is_set():
                key = own[min(int(chance.expovariate(8.0 / len(own))), len(own) - 1)]
                await self.awrite(key)
                await self.aread(key)
                await asyncio.sleep(1.0 / plan.writes_per_second)

        await asyncio.gather(*(read() for _ in range(plan.readers)), write())
        for key in self.versions:
            for _ in range(100):
                await self.awrite(key)
                if self.notes.writes[-1][2] is not None:
                    break
                await asyncio.sleep(0.1)
        await self.client.aclose()

    def run(self) -> None:
        """Until a line comes, and then once more."""
        threading.Thread(target=self.wait_for_end, daemon=True).start()
        if self.plan.is_async:
            asyncio.run(self.run_tasks())
        else:
            self.run_threads()
        print(json.dumps(self.report()), flush=True)
        self.near.close()

    def run_threads(self) -> None:
        seed = self.plan.seed * 1_000
        work = [(self.run_reader, seed + at) for at in range(self.plan.readers)]
        work.append((self.run_writer, seed + 999))
        threads = [threading.Thread(target=run, args=(seed,)) for run, seed in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for key in self.versions:
            for _ in range(100):
                self.write(key)
                if self.notes.writes[-1][2] is not None:
                    break
                time.sleep(0.1)

    def wait_for_end(self) -> None:
        print("ready", flush=True)
        sys.stdin.readline()
        self.ended.set()

    def report(self) -> dict[str, Any]:
        stats = self.near.stats()
        return {
            "reads": self.notes.reads,
            "writes": self.notes.writes,
            "drops": self.notes.drops,
            "failures": self.notes.failures,
            "hits": stats.memory.hits,
            "plain_reads": stats.plain_reads,
            "lapses": stats.lapses,
            "losses": stats.losses,
            "slots_forgotten": stats.slots_forgotten,
        }


def main() -> None:
    """The plan is the argument."""
    Client(Plan(**json.loads(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
