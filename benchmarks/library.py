"""The library beside functools.lru_cache, cachetools, cachebox, lru-dict and theine.

CPU nanoseconds per operation, loop and call included, in one process on one thread; contenders
take turns, nine rounds, and a figure is their median. `augury` is a cache as `Cache(capacity)`
makes it: policy `auto`, which learns, with its journal.

- *hit*: the keys 0 to 9,999, all resident, in random order; *hit, text*: as many keys
  such as "user:17", which are equal to those resident and not the same objects;
- *miss*: keys that are not there;
- *insert*: keys that are new, in a full cache of 10,000 entries: each evicts one;
- *memoized*: a function of one integer, every call known; *coroutine*: a coroutine function;
- *two threads*: operations per second of wall time, two threads that take turns to get, over one
  thread that does (the interpreter runs one at a time);
- *bytes per entry*: growth of the resident set of a process of its own by one million entries
  of distinct integers or of 16 characters to 64 bytes, over the keys and values themselves,
  and after 200,000 further ones that evict;
- *Zipf*: exponent 0.99 over a million keys, 100,000 entries, ten million requests of which the
  first million are not counted, three seeds: get, and where it misses set. *Perfect LFU* holds the
  100,000 most probable keys. Seconds are CPU time of the whole loop.
"""

import asyncio
import functools
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable
from statistics import median
from typing import Any

import numpy as np

from benchmarks import results
from benchmarks.processes import measured, spread

ROUNDS = 9
ENTRIES = 10_000
CALLS = 100_000
MILLION = 1_000_000
ZIPF = {"exponent": 0.99, "keys": MILLION, "entries": 100_000, "requests": 10 * MILLION}
SEEDS = (1, 2, 3)
CACHES = ("augury", "augury lru", "cachebox", "lru-dict", "cachetools", "theine")
SHAPES = ("int to int", "text to bytes")

Getter = Callable[[Any], object]
Setter = Callable[[Any, Any], object]


def make(name: str, capacity: int) -> tuple[Getter, Setter]:
    """A cache of this many entries: how to get and how to set."""
    if name.startswith("augury"):
        import augury

        cache: Any = augury.Cache(capacity, policy="lru" if name.endswith("lru") else "auto")
    elif name == "cachebox":
        import cachebox

        cache = cachebox.LRUCache(capacity)
    elif name == "lru-dict":
        import lru

        cache = lru.LRU(capacity)
    elif name == "cachetools":
        import cachetools

        cache = cachetools.LRUCache(capacity)
    else:
        import theine

        theine_cache: Any = theine.Cache(capacity)
        return (lambda key: theine_cache.get(key)[0]), theine_cache.set
    return cache.get, cache.__setitem__


def memoizers(function: Callable[[int], Any]) -> dict[str, Callable[[int], Any]]:
    """The function behind each memoizing decorator."""
    import cachebox
    import cachetools
    import theine

    import augury

    # Its types do not know functions of a single argument.
    theines: Any = theine.Memoize(128, None)
    found: dict[str, Callable[[int], Any]] = {
        "augury": augury.memoize(capacity=128)(function),
        "cachebox": cachebox.cached(cachebox.LRUCache(128))(function),
        "theine": theines(function),
    }
    if not asyncio.iscoroutinefunction(function):
        found["functools"] = functools.lru_cache(128)(function)
        found["cachetools"] = cachetools.cached(cachetools.LRUCache(128))(function)
    return found


def timed(operation: Callable[[Any], object], keys: Iterable[Any], count: int) -> float:
    """CPU nanoseconds per call."""
    began = time.process_time()
    for key in keys:
        operation(key)
    return (time.process_time() - began) / count * 1e9


def operations(rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """CPU nanoseconds of every operation and contender."""
    draw = random.Random(1)
    order = [draw.randrange(ENTRIES) for _ in range(CALLS)]
    absent = [MILLION + key for key in order]
    text = [f"user:{key}" for key in order]
    found: dict[str, dict[str, list[float]]] = {}
    whole, named, full = ({name: make(name, ENTRIES) for name in CACHES} for _ in range(3))
    for name in CACHES:
        for key in range(ENTRIES):
            whole[name][1](key, key)
            named[name][1](f"user:{key}", key)
            full[name][1](key, key)
    next_key = ENTRIES
    for _ in range(rounds):
        newcomers = range(next_key, next_key + CALLS)
        next_key += CALLS
        for name in CACHES:
            note = functools.partial(add, found, name)
            note("hit", timed(whole[name][0], order, CALLS))
            note("hit, text", timed(named[name][0], text, CALLS))
            note("miss", timed(whole[name][0], absent, CALLS))
            setter = full[name][1]
            began = time.process_time()
            for key in newcomers:
                setter(key, key)
            note("insert", (time.process_time() - began) / CALLS * 1e9)
    return {
        operation: {name: spread(values) for name, values in of.items()}
        for operation, of in found.items()
    }


def add(found: dict[str, dict[str, list[float]]], name: str, operation: str, value: float) -> None:
    """Keep one figure."""
    found.setdefault(operation, {}).setdefault(name, []).append(value)


def memoized(rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """CPU nanoseconds of a call that is known."""

    def plain(number: int) -> int:
        return number

    async def coroutine(number: int) -> int:
        return number

    draw = random.Random(1)
    order = [draw.randrange(100) for _ in range(CALLS)]
    found: dict[str, dict[str, list[float]]] = {}
    of_plain, of_coroutine = memoizers(plain), memoizers(coroutine)
    for _ in range(rounds):
        for name, function in of_plain.items():
            timed(function, range(100), 100)
            add(found, name, "memoized", timed(function, order, CALLS))
        for name, function in of_coroutine.items():

            async def calls(function: Callable[[int], Any] = function) -> None:
                for number in order:
                    await function(number)

            began = time.process_time()
            asyncio.run(calls())
            add(found, name, "coroutine", (time.process_time() - began) / CALLS * 1e9)
    return {
        operation: {name: spread(values) for name, values in of.items()}
        for operation, of in found.items()
    }


def threads(rounds: int) -> dict[str, dict[str, float]]:
    """Millions of gets per second of wall time, of one thread and of two together."""
    draw = random.Random(1)
    order = [draw.randrange(ENTRIES) for _ in range(4 * CALLS)]
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(rounds):
        for name in ("augury", "cachebox"):
            get, put = make(name, ENTRIES)
            for key in range(ENTRIES):
                put(key, key)
            for count in (1, 2):
                gate = threading.Barrier(count + 1)

                def work(get: Getter = get, gate: threading.Barrier = gate) -> None:
                    gate.wait()
                    for key in order:
                        get(key)

                workers = [threading.Thread(target=work) for _ in range(count)]
                for worker in workers:
                    worker.start()
                gate.wait()
                began = time.perf_counter()
                for worker in workers:
                    worker.join()
                rate = count * len(order) / (time.perf_counter() - began) / 1e6
                add(found, name, f"{count}", rate)
    return {
        name: {count: median(found[count][name]) for count in found}
        for name in ("augury", "cachebox")
    }


def resident() -> int:
    """Bytes of this process that are in memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def bytes_per_entry(name: str, shape: str) -> dict[str, float]:
    """Of a million entries, in this process, which must be a fresh one."""
    if shape == SHAPES[0]:
        keys: list[Any] = list(range(MILLION + 200_000))
        values: list[Any] = keys
    else:
        keys = [f"{number:016d}" for number in range(MILLION + 200_000)]
        values = [number.to_bytes(64, "little") for number in range(MILLION + 200_000)]
    _, put = make(name, MILLION)
    before = resident()
    for key, value in zip(keys[:MILLION], values, strict=False):
        put(key, value)
    full = (resident() - before) / MILLION
    for key, value in zip(keys[MILLION:], values[MILLION:], strict=True):
        put(key, value)
    return {"full": full, "evicting": (resident() - before) / MILLION}


def zipf_hits(name: str, seed: int, requests: int) -> dict[str, float]:
    """Hit ratio after the first tenth, and CPU seconds."""
    weights = 1 / np.arange(1, ZIPF["keys"] + 1) ** ZIPF["exponent"]
    edges = np.cumsum(weights) / weights.sum()
    draws = np.random.default_rng(seed).random(requests)
    keys = np.searchsorted(edges, draws).tolist()
    get, put = make(name, int(ZIPF["entries"]))
    hits, cold = 0, requests // 10
    began = time.process_time()
    for number, key in enumerate(keys):
        if get(key) is None:
            put(key, key + 1)
        elif number >= cold:
            hits += 1
    return {"hit_ratio": hits / (requests - cold), "cpu_seconds": time.process_time() - began}


def perfect_lfu() -> float:
    """What holding the most probable keys would hit."""
    weights = 1 / np.arange(1, ZIPF["keys"] + 1) ** ZIPF["exponent"]
    return float(weights[: int(ZIPF["entries"])].sum() / weights.sum())


def measure(quick: bool) -> None:
    """Everything, and write it down."""
    rounds = 2 if quick else ROUNDS
    found = operations(rounds) | memoized(rounds)
    print(f"library: {', '.join(found)} timed", flush=True)
    memory = {
        shape: {name: alone("memory", name, shape) for name in CACHES if name != "theine"}
        for shape in (SHAPES[:1] if quick else SHAPES)
    }
    print("library: memory measured", flush=True)
    requests = 100_000 if quick else int(ZIPF["requests"])
    zipf = {
        name: [alone("zipf", name, str(seed), str(requests)) for seed in SEEDS[: 1 if quick else 3]]
        for name in ("augury", "cachebox", "theine")
    }
    content = {
        "rounds": rounds,
        "operations": found,
        "threads": threads(rounds),
        "bytes_per_entry": memory,
        "small": alone("small", "augury"),
        "zipf": zipf,
        "perfect_lfu": perfect_lfu(),
    }
    results.write("library", quick, content)


def small() -> dict[str, float]:
    """KiB of a small cache that is at work, and MiB of ten thousand memoized functions."""
    import augury

    cache: Any = augury.Cache(128)
    draw = random.Random(1)
    for _ in range(100_000):
        key = int(draw.paretovariate(0.5)) % 2_560
        if cache.get(key) is None:
            cache[key] = key
    augury.memoize(len)  # loads its modules
    before = resident()
    functions = [augury.memoize(lambda number, by=by: number + by) for by in range(10_000)]
    declared = resident() - before
    for function in functions:
        function(1)
    return {
        "cache_kib": cache.memory_bytes / 1024,
        "declared_mib": declared / 2**20,
        "called_mib": (resident() - before) / 2**20,
    }


def alone(*arguments: str) -> dict[str, float]:
    """One figure from a process of its own."""
    return measured([sys.executable, "-m", "benchmarks.library", *arguments], 3_600).answer


def main(arguments: list[str]) -> None:
    """What a process of its own was started for; prints JSON."""
    import json

    what, name, *rest = arguments
    if what == "memory":
        answer = bytes_per_entry(name, rest[0])
    elif what == "small":
        answer = small()
    else:
        answer = zipf_hits(name, int(rest[0]), int(rest[1]))
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1:])
