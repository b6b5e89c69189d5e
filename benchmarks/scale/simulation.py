"""A simulation of many near caches before a cluster: reads, writes, fetches, invalidations.

Events are in the order of time. Reads and writes are known beforehand, from a trace; what follows
from them (a value that arrives, an invalidation that arrives) waits in a heap. The near caches are
real ones (`augury.Cache`, its default policy), their clock is the simulation's. It is made small
enough by two samples that leave ratios as they are: keys by hash, with that part of the capacity
(Waldspurger et al., SHARDS, FAST 2015), and a few caches out of the many, which are alike.
"""

import heapq
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import augury

__all__ = ["Found", "Setting", "Traffic", "simulate", "traffic_of"]

#: Seconds from a client to a node and back, and the mean of what comes on top of half of it until
#: an invalidation is acted upon (the writer's answer and other clients' invalidations go first).
ROUND_TRIP, PUSH = 0.5e-3, 1e-3
#: Seconds by which the caches are apart in the trace at most.
APART = 30.0
#: Of all objects, in the history that is shared, and seconds for which it is collected.
SHARED, PERIOD = 64, 60.0

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Traffic:
    """Requests of one cache, for a sample of the objects."""

    keys: Ints
    sizes: Ints
    #: Of the requests in the trace.
    places: Ints
    #: Objects in the trace for each one here.
    per_object: float


@dataclass(frozen=True)
class Setting:
    """One case: how many, how fast, how large."""

    caches: int
    nodes: int
    #: Requests per second of one cache, and what part of them writes.
    rate: int
    writes: float
    capacity: int
    #: Caches that are simulated.
    simulated: int = 4
    seed: int = 1


@dataclass(frozen=True)
class Found:
    """Per second and for all caches, but where it says otherwise; after half of the time."""

    requests: float
    hit_ratio: float
    fetches: float
    writes: float
    #: Messages that a value has changed: to caches that have read it, and if all were told.
    invalidations: float
    broadcast: float
    #: Of them, those for values that had left the near cache anyway.
    needless: float
    #: Reads answered with what was overwritten a moment ago, of all reads.
    stale: float
    #: Values that were overwritten on their way, and not kept.
    crossed: float
    #: Pairs of key and client that nodes remember, at the end.
    tracked: float
    #: Bytes of fetched values, and of shared histories at 24 bytes an object.
    fetched_bytes: float
    shared_bytes: float


def traffic_of(keys: Ints, sizes: Ints, of: int) -> Traffic:
    """Every ``of``-th object of a trace by hash, with all of its requests."""
    mixed = (keys.astype(np.uint64) * np.uint64(0x9E37_79B9_7F4A_7C15)) >> np.uint64(40)
    chosen = np.flatnonzero(mixed % np.uint64(of) == 0)
    objects = len(np.unique(keys)) / max(len(np.unique(keys[chosen])), 1)
    return Traffic(keys[chosen], sizes[chosen], chosen, objects)


class World:
    """The state between events; see the head."""

    def __init__(self, setting: Setting, capacity: int) -> None:
        self.near: list[augury.Cache[int, tuple[int, int]]] = [
            augury.Cache(capacity, sizeof=lambda _, value: value[1])
            for _ in range(setting.simulated)
        ]
        #: Caches that a node would tell of a change of a key.
        self.readers: dict[int, set[int]] = {}
        self.versions: dict[int, int] = {}
        #: Fetches on their way, by cache and key: whether they are still good.
        self.fetching: dict[tuple[int, int], bool] = {}
        self.counts = dict.fromkeys(
            (
                "reads",
                "hits",
                "fetches",
                "bytes",
                "writes",
                "messages",
                "needless",
                "stale",
                "crossed",
            ),
            0,
        )

    def read(self, cache: int, key: int, size: int) -> bool:
        """A read; whether the value has to be fetched."""
        counts = self.counts
        counts["reads"] += 1
        held = self.near[cache].get(key)
        if held is not None:
            counts["hits"] += 1
            counts["stale"] += held[0] != self.versions.get(key, 0)
            return False
        if (cache, key) in self.fetching:
            # Somebody of this cache waits for it already.
            return False
        self.fetching[cache, key] = True
        self.readers.setdefault(key, set()).add(cache)
        counts["fetches"] += 1
        counts["bytes"] += size
        return True

    def arrive(self, cache: int, key: int, size: int, version: int) -> None:
        """A fetched value is kept, unless it was overwritten meanwhile."""
        if self.fetching.pop((cache, key)):
            self.near[cache].set(key, (version, size))
        else:
            self.counts["crossed"] += 1

    def write(self, key: int) -> set[int]:
        """A write; the caches that are told, which are not told again until they have read anew."""
        self.versions[key] = self.versions.get(key, 0) + 1
        self.counts["writes"] += 1
        told = self.readers.pop(key, set())
        self.counts["messages"] += len(told)
        return told

    def invalidate(self, cache: int, key: int) -> None:
        """An invalidation is acted upon."""
        held = self.near[cache].delete(key)
        if (cache, key) in self.fetching:
            self.fetching[cache, key] = False
        elif not held:
            self.counts["needless"] += 1


def simulate(traffic: Traffic, setting: Setting) -> Found:
    """Run one case through the whole trace."""
    world = World(setting, max(int(setting.capacity / traffic.per_object), 1))
    times, kinds, rows = schedule(traffic, setting)
    draw = np.random.default_rng(setting.seed + 1)
    delays = iter(draw.exponential(PUSH, 1 << 16).tolist() * 4096)
    keys, sizes = traffic.keys.tolist(), traffic.sizes.tolist()
    half = times[len(times) // 2]
    heap: list[tuple[float, int, int, int, int, int]] = []
    warm: dict[str, int] = {}
    for time, kind, row in zip(times.tolist(), kinds.tolist(), rows.tolist(), strict=True):
        while heap and heap[0][0] <= time:
            _, is_value, cache, key, size, version = heapq.heappop(heap)
            if is_value:
                world.arrive(cache, key, size, version)
            else:
                world.invalidate(cache, key)
        if not warm and time >= half:
            warm = dict(world.counts)
        key = keys[row]
        if kind < 0:
            for cache in world.write(key):
                when = time + ROUND_TRIP / 2 + next(delays)
                heapq.heappush(heap, (when, 0, cache, key, 0, 0))
        elif world.read(kind, key, sizes[row]):
            version = world.versions.get(key, 0)
            heapq.heappush(heap, (time + ROUND_TRIP, 1, kind, key, sizes[row], version))
    counted = {name: count - warm[name] for name, count in world.counts.items()}
    return scaled(counted, world, traffic, setting)


def schedule(traffic: Traffic, setting: Setting) -> tuple[npt.NDArray[np.float64], Ints, Ints]:
    """Times of reads and writes in order; the cache that reads, or -1; the row of the traffic."""
    draw = np.random.default_rng(setting.seed)
    base = traffic.places / setting.rate
    offsets = draw.uniform(0, APART, setting.simulated)
    rows = np.arange(len(base))
    is_read = [draw.random(len(base)) >= setting.writes for _ in offsets]
    # What all caches write, each at its own place in the trace.
    written = np.repeat(rows, draw.binomial(setting.caches, setting.writes, len(base)))
    times = np.concatenate(
        [*(base[read] + offset for read, offset in zip(is_read, offsets, strict=True)),
         base[written] + draw.uniform(0, APART, len(written))]
    )  # fmt: skip
    kinds = np.concatenate(
        [*(np.full(read.sum(), cache) for cache, read in enumerate(is_read)),
         np.full(len(written), -1)]
    )  # fmt: skip
    places = np.concatenate([*(rows[read] for read in is_read), written])
    order = np.argsort(times, kind="stable")
    return times[order], kinds[order], places[order]


def scaled(counted: dict[str, int], world: World, traffic: Traffic, setting: Setting) -> Found:
    """From the samples to all caches and objects: by what a read and a write lead to."""
    everyone = setting.caches / setting.simulated
    requests = float(setting.caches * setting.rate)
    writes = requests * setting.writes
    count = max(counted["reads"], 1)
    each = (requests - writes) / count
    return Found(
        requests=requests,
        hit_ratio=counted["hits"] / count,
        fetches=counted["fetches"] * each,
        writes=writes,
        invalidations=counted["messages"] / max(counted["writes"], 1) * everyone * writes,
        broadcast=writes * setting.caches,
        needless=counted["needless"] / max(counted["messages"], 1),
        stale=counted["stale"] / count,
        crossed=counted["crossed"] * each,
        tracked=sum(map(len, world.readers.values())) * everyone * traffic.per_object,
        fetched_bytes=counted["bytes"] * each,
        shared_bytes=shared(traffic, setting),
    )


def shared(traffic: Traffic, setting: Setting) -> float:
    """Bytes per second that all caches publish: the objects seen in a period, one in SHARED."""
    span = int(setting.rate * PERIOD)
    period = traffic.places // span
    full = period < traffic.places[-1] // span
    seen = len(np.unique(period[full] * (1 << 40) + traffic.keys[full] % (1 << 40)))
    periods = max(int(traffic.places[-1] // span), 1)
    return seen / periods * traffic.per_object / SHARED * 24 / PERIOD * setting.caches
