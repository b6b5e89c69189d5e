"""A workload that is skewed and drifts: tenants of very different shares, each with its day.

All keys of a tenant are in one slot, by a hash tag, as they are where an application uses
transactions or MGET within a tenant. Tenant number r has a share as 1/r; it swells and falls once
in a season, each tenant at another time, and some grow while others shrink. The tenants' names are
drawn anew until even slots give the busiest node at least ``SKEW`` times the mean: that is the case
that placement is for, and not every drawing is one.
"""

import math
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import redis

from augury.placement.topology import SLOTS, slot_of
from examples.cluster.servers import Member

__all__ = ["Driven", "Tenant", "Workload", "driving", "fill", "requests_by_node"]

#: Tenants if nothing is said, keys of each, and bytes of their values.
TENANTS = 64
KEYS = 40
VALUE_BYTES = (100, 2_000)
#: The largest load of a node over the mean, with even slots.
SKEW = 1.5
#: Height of a tenant's day over its mean, and how much one grows or shrinks, in all, per season.
SWELL, GROWTH = 0.5, 0.04
#: Of the requests.
WRITES = 0.05
#: Requests that go out together.
BATCH = 50


@dataclass(frozen=True)
class Tenant:
    """Who asks: a hash tag, its share, when its day is, and how it grows per season."""

    name: str
    share: float
    phase: float
    growth: float

    @property
    def slot(self) -> int:
        """Where all of its keys are."""
        return slot_of(f"{{{self.name}}}".encode())

    def weight(self, seasons: float) -> float:
        """What it asks for at a time, in seasons since the beginning."""
        day = 1 + SWELL * math.sin(2 * math.pi * (seasons + self.phase))
        return self.share * day * math.exp(self.growth * seasons)


@dataclass(frozen=True)
class Workload:
    """The tenants, and how many seconds a season has."""

    tenants: tuple[Tenant, ...]
    season: float

    @classmethod
    def skewed(
        cls, season: float, nodes: int = 3, tenants: int = TENANTS, seed: int = 1
    ) -> "Workload":
        """One for which even slots are as uneven as said."""
        while True:
            draw = random.Random(seed)
            drawn = tuple(
                Tenant(
                    f"tenant-{draw.randrange(10**6)}",
                    1 / rank,
                    draw.random(),
                    draw.choice((-GROWTH, GROWTH)),
                )
                for rank in range(1, tenants + 1)
            )
            loads = [0.0] * nodes
            for tenant in drawn:
                loads[tenant.slot * nodes // SLOTS] += tenant.share
            heaviest = max(tenant.share for tenant in drawn)
            # A tenant that is more than a node cannot be placed by anybody.
            if max(loads) * nodes / sum(loads) >= SKEW and heaviest * nodes < sum(loads):
                return cls(drawn, season)
            seed += 1

    def keys(self, tenant: Tenant) -> list[str]:
        """All keys of a tenant."""
        return [f"{{{tenant.name}}}:{number}" for number in range(KEYS)]

    def value(self, key: str) -> bytes:
        """What stands there."""
        least, most = VALUE_BYTES
        return key.encode().ljust(least + slot_of(key[::-1].encode()) % (most - least), b".")

    def requests(self, draw: random.Random, seasons: float, count: int) -> list[tuple[str, bool]]:
        """Keys of so many requests at a time, and whether they are written."""
        weights = [tenant.weight(seasons) for tenant in self.tenants]
        names = [self.keys(tenant) for tenant in self.tenants]
        return [
            (draw.choice(keys), draw.random() < WRITES)
            for keys in draw.choices(names, weights, k=count)
        ]


@dataclass
class Driven:
    """What came of it so far."""

    batches: int = 0
    requests: int = 0
    #: Errors that reached the caller, after the client had followed redirections.
    failures: list[str] = field(default_factory=list)
    #: Answers that are not what was stored.
    wrong: int = 0


def fill(members: Sequence[Member], workload: Workload) -> int:
    """Store every value; the bytes of keys and values."""
    total = 0
    with redis.RedisCluster(host="127.0.0.1", port=members[0].port) as client:
        for tenant in workload.tenants:
            values = {key: workload.value(key) for key in workload.keys(tenant)}
            client.mset(values)
            total += sum(len(key) + len(value) for key, value in values.items())
    return total


@contextmanager
def driving(members: Sequence[Member], workload: Workload, rate: int = 2_000) -> Iterator[Driven]:
    """Ask so many times a second until the block ends, and compare every answer.

    Requests go out in batches, whose commands the client sends to their nodes, and again where
    they are redirected to. On a machine that is too slow for the rate there are fewer.
    """
    stop, driven = threading.Event(), Driven()

    def ask() -> None:
        draw = random.Random(1)
        begun = time.monotonic()
        with redis.RedisCluster(host="127.0.0.1", port=members[0].port) as client:
            while not stop.wait(max(begun + driven.batches * BATCH / rate - time.monotonic(), 0)):
                now = (time.monotonic() - begun) / workload.season
                driven.batches += 1
                answer(client, workload, workload.requests(draw, now, BATCH), driven)

    worker = threading.Thread(target=ask)
    worker.start()
    try:
        yield driven
    finally:
        stop.set()
        worker.join()


def answer(
    client: "redis.RedisCluster",
    workload: Workload,
    requests: list[tuple[str, bool]],
    driven: Driven,
) -> None:
    """Send one batch, and count."""
    pipe = client.pipeline()  # type: ignore[no-untyped-call]
    for key, is_write in requests:
        if is_write:
            pipe.set(key, workload.value(key))
        else:
            pipe.get(key)
    try:
        answers = pipe.execute(raise_on_error=False)
    except (redis.RedisError, OSError) as error:
        driven.failures.append(f"{len(requests)} requests: {type(error).__name__}: {error}")
        return
    for (key, is_write), found in zip(requests, answers, strict=True):
        driven.requests += 1
        if isinstance(found, Exception):
            driven.failures.append(f"{key}: {type(found).__name__}: {found}")
        elif not is_write and found != workload.value(key):
            driven.wrong += 1


def requests_by_node(members: Sequence[Member]) -> list[int]:
    """GET and SET that each node has executed."""
    found = []
    for member in members:
        with member.client() as client:
            stats = client.info("commandstats")
            names = ("cmdstat_get", "cmdstat_set")
            found.append(sum(int(stats[name]["calls"]) for name in names if name in stats))
    return found
