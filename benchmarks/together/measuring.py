"""Eight caches that serve the same keys, each an eighth of the requests: what sharing is worth.

- Caches are `augury.Cache` under `auto`, in one process, each of the capacity named. A request
  goes to one of them at random, as a load balancer sends it; a miss is stored.
- *Alone*: they know nothing of each other. *Together*: each makes a round (`Together.sync`) every
  1/200 of its requests, in turn, through a real cluster of three valkey-server. *Given*: each is
  given before its first request what a run together has agreed on in the end, future popularity of
  every key included, and shares nothing. *Given the tables*: likewise, what one cache of that
  capacity has learned from all requests of objects in general (survival table, guard): what a
  model trained on all traffic knows. *LRU*: eight of those.
- Gain is the hit ratio less LRU's, in 40 windows. The final gain is the mean of the last ten; it is
  reached where the mean of three windows is at 95% of it for the first time, told as a share of the
  trace. Hit ratios at the end are those of the last ten windows. One seed.
- *Bound*: caches that know from the start which keys are asked for most in the whole run, let in
  these alone and still have to miss each once. Where popularity does not change, no knowledge
  without values is there sooner.
- *Late*: a ninth cache that begins when half of the requests are over, and gets one of 16 that
  follow: its hit ratio in its first 2,000 requests, beside that of one that begins alone.
- Bytes: of what one tells and what is agreed, at the end of a run; milliseconds of CPU time: of a
  round of the elected one and of another.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import augury
from augury import _core
from benchmarks import results
from benchmarks.inputs import Shared
from benchmarks.nearcache.cluster import running
from benchmarks.together import chart

__all__ = ["measure", "reached"]

CACHES, WINDOWS, LAST, ROUNDS = 8, 40, 10, 200
SEEDS = (1,)
#: Workload, requests at most, and entries of each cache.
CELLS = (
    ("synthetic:zipf?objects=10000&n=400000", 400_000, 250),
    ("synthetic:zipf?objects=100000&alpha=0.8&n=400000", 400_000, 250),
    ("synthetic:web?objects=20000&n=400000", 400_000, 250),
    ("twitter_cluster52", 400_000, 500),
    ("cache2k_web12", 400_000, 500),
)
QUICK = (("synthetic:zipf?objects=1000&n=40000", 40_000, 50),)
LATE = 2_000
SHARE = 0.95


def measure(quick: bool) -> None:
    """Measure everything, draw it and keep it."""
    seeds = SEEDS[:1] if quick else SEEDS
    with running(3, 0) as cluster, cluster.client() as client:
        rows = [row(client, *cell, seeds) for cell in (QUICK if quick else CELLS)]
    chart.draw(rows, results.folder(quick) / chart.NAME)
    results.write("together", quick, {"caches": CACHES, "rows": rows})


def row(client: Any, name: str, most: int, capacity: int, seeds: Sequence[int]) -> dict[str, Any]:
    """One workload at one capacity."""
    keys = keys_of(name, most)
    curves: dict[str, list[list[float]]] = {}
    late: dict[str, list[float]] = {"together": [], "alone": []}
    costs: dict[str, float] = {}
    for seed in seeds:
        fleet = Fleet(client, keys, capacity, seed, f"{name}:{capacity}:{seed}")
        found = fleet.all()
        for way, curve in found.items():
            curves.setdefault(way, []).append(curve)
        for way, ratio in fleet.late.items():
            late[way].append(ratio)
        costs = fleet.costs
    means = {way: [mean(at) for at in zip(*some, strict=True)] for way, some in curves.items()}
    ways = [way for way in means if way != "lru"]
    gains = {
        way: [one - lru for one, lru in zip(means[way], means["lru"], strict=True)] for way in ways
    }
    final = {way: mean(gains[way][-LAST:]) for way in ways}
    return {
        "workload": name,
        "requests": len(keys),
        "objects": len(set(keys)),
        "capacity": capacity,
        "gains": gains,
        "final": {way: mean(curve[-LAST:]) for way, curve in means.items()},
        "all": {way: mean(curve) for way, curve in means.items()},
        "reached": {way: reached(gains[way], SHARE * final[way]) for way in ways},
        "reached_alone": {way: reached(gains[way], SHARE * final["alone"]) for way in ways},
        "late": {way: mean(ratios) for way, ratios in late.items()},
        **costs,
    }


def reached(gains: Sequence[float], level: float) -> float | None:
    """The share of the requests after which three windows are at a level on average, or None."""
    for at in range(2, len(gains)):
        if mean(gains[at - 2 : at + 1]) >= level:
            return (at + 1) / len(gains)
    return None


def mean(numbers: Sequence[float]) -> float:
    """Of at least one."""
    return sum(numbers) / len(numbers)


def keys_of(name: str, most: int) -> list[int]:
    """The keys that a workload asks for, in order."""
    is_made = name.startswith("synthetic:")
    trace = augury.traces.open(name if is_made else Shared.find().path(name))
    return [request.key for request, _ in zip(trace, range(most), strict=False)]


class Fleet:
    """Eight caches before one stream of requests, in one way after the other."""

    def __init__(self, client: Any, keys: list[int], capacity: int, seed: int, name: str) -> None:
        self.client, self.keys, self.capacity = client, keys, capacity
        self.seed, self.name = seed, name
        #: Requests to all between two rounds.
        self.step = max(1, len(keys) // (ROUNDS * CACHES))
        self.late: dict[str, float] = {}
        self.costs: dict[str, float] = {}

    def all(self) -> dict[str, list[float]]:
        """The hit ratio in each window, by way."""
        found = {"lru": self.run(self.made("lru")), "alone": self.run(self.made("auto"))}
        found["together"], agreed = self.shared()
        given = self.made("auto")
        for cache in given:
            cache.learn_together(bytes(32), 32_768)
            cache.hear(agreed)
        step = self.step

        def look(number: int) -> None:
            if number % step == step - 1:
                given[number // step % CACHES].look_back()

        found["given"] = list(self.windows(given, look))
        tables = self.made("auto")
        learned = self.learned()
        for cache in tables:
            cache.restore_memory(learned)
        found["given the tables"] = self.run(tables)
        often = Counter(self.keys).most_common(self.capacity)
        found["bound"] = self.run([Bound({key for key, _ in often}) for _ in range(CACHES)])
        return found

    def made(self, policy: str) -> list["augury.Cache[int, int]"]:
        """Caches of this policy."""
        return [
            augury.Cache(self.capacity, policy=policy, seed=self.seed * 100 + at)
            for at in range(CACHES)
        ]

    def learned(self) -> list[tuple[int, bytes | None]]:
        """What one cache learns from all requests."""
        one: augury.Cache[int, int] = augury.Cache(self.capacity, seed=self.seed)
        for key in self.keys:
            ask(one, key)
        return [(0, learned) for _, learned in one.export()[0]]

    def run(self, caches: Sequence[Any]) -> list[float]:
        """Requests to caches at random."""
        return list(self.windows(caches))

    def windows(self, caches: Sequence[Any], turn: Any = None) -> Iterator[float]:
        """The hit ratio of each window; ``turn`` is called with the number of each request."""
        draw, width = random.Random(self.seed), len(self.keys) // WINDOWS
        count, hits = len(caches), 0
        for number, key in enumerate(self.keys[: width * WINDOWS]):
            hits += ask(caches[int(draw.random() * count)], key)
            if turn is not None:
                turn(number)
            if number % width == width - 1:
                yield hits / width
                hits = 0

    def shared(self) -> tuple[list[float], bytes]:
        """Together, and what they agreed on."""
        caches = self.made("auto")
        with self.members(caches) as members:
            step = self.step
            late: dict[str, Late] = {}

            def turn(number: int) -> None:
                if number % step == step - 1:
                    member = members[number // step % CACHES]
                    before = time.process_time()
                    assert member.sync(), member.stats()
                    spent = 1e3 * (time.process_time() - before)
                    kind = "trainer_ms" if member.stats().is_trainer else "member_ms"
                    self.costs[kind] = spent
                if number == len(self.keys) // 2:
                    late.update(self.begun_late())
                if late and number % 16 == 0:
                    for one in late.values():
                        one.ask(self.keys[number])

            curve = list(self.windows(caches, turn))
            self.late = {name: one.hits / max(1, one.asked) for name, one in late.items()}
            agreed = self.client.get(f"{{augury:{self.name}}}:agreed")
            self.costs["told_bytes"] = float(len(caches[0].tell()))
            self.costs["agreed_bytes"] = float(len(agreed))
            self.costs["agreed_objects"] = float(_core.read_told(agreed)[3])
        return curve, agreed

    def begun_late(self) -> dict[str, "Late"]:
        """A cache that begins with what the others know, and one that begins alone."""
        both = {
            name: Late(augury.Cache(self.capacity, seed=self.seed))
            for name in ("together", "alone")
        }
        cache = both["together"].cache
        with augury.Together(self.client, cache, name=self.name, every=None) as member:
            assert member.sync(), member.stats()
            assert member.stats().warm
        return both

    @contextmanager
    def members(self, caches: Sequence[Any]) -> Iterator[list[augury.Together]]:
        """Each cache in the group, by rounds that are asked for."""
        found = [
            augury.Together(self.client, cache, name=self.name, every=None) for cache in caches
        ]
        try:
            yield found
        finally:
            for member in found:
                member.close()


class Bound:
    """A cache that knows which keys are asked for most, and lets in no other."""

    def __init__(self, often: set[int]) -> None:
        self._often, self._held = often, set[int]()

    def get(self, key: int) -> int | None:
        """1 where it is in, else None."""
        return 1 if key in self._held else None

    def __setitem__(self, key: int, value: int) -> None:
        """Lets it in, or not."""
        if key in self._often:
            self._held.add(key)


class Late:
    """A cache that comes late, in its first requests."""

    def __init__(self, cache: "augury.Cache[int, int]") -> None:
        self.cache, self.asked, self.hits = cache, 0, 0

    def ask(self, key: int) -> None:
        """One request, as long as it counts."""
        if self.asked < LATE:
            self.asked += 1
            self.hits += ask(self.cache, key)


def ask(cache: Any, key: int) -> bool:
    """A request; whether it was a hit."""
    if cache.get(key) is not None:
        return True
    cache[key] = 1
    return False
