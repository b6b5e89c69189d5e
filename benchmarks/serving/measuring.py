"""The server beside its peers: CPU time per command, latency, throughput and bytes per entry.

- CPU time: ``redis-benchmark`` with 50 clients, one million keys, the cache full and evicting;
  user and system time of the server's process over the number of commands, which a busy machine
  disturbs less than throughput. Rounds go from server to server; medians.
- Latency, the longest in a thousand of a run, and commands per second are those that
  ``redis-benchmark`` saw in the same rounds; it takes one of the two cores itself.
- Watched: the same for GET in batches of 16, with somebody at ``--http-port`` who asks for the
  page every two seconds, as a browser does, and for the metrics each second, beside the same
  process while nobody does, in turns, the median of 21 pairs; and with ``--simulate yes``, which
  the page's curve and shadows need.
- Bytes per entry: anonymous resident memory, before and after so many keys of 16 bytes with
  values of 64, over the number of keys, less those 80 bytes; nothing evicted, no expiry.
"""

import re
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from statistics import median
from typing import Any, NamedTuple

import redis

from benchmarks import results
from benchmarks.inputs import ROOT
from benchmarks.serving.contestants import Contestant, contestants

#: Bounds of memory by size of the values, both in bytes: less than a million keys take.
MEMORY = {64: 64 << 20, 1024: 256 << 20}
#: Name, pipeline, value size in bytes.
LOADS = [
    (command, pipeline, size)
    for size, pipeline in ((64, 16), (64, 1), (1024, 16))
    for command in ("get", "set")
]
COSTS = ("augury", "augury lru", "augury 2 threads", "valkey", "redis")
WATCHED = ("augury watched", "augury simulate watched")
#: How often the browser's script asks for the page anew, in looks at the metrics.
PAGE_EVERY = 2
#: The share of commands that are answered sooner than the latency that is kept.
SHARE = 99.9


def measure(quick: bool) -> None:
    """Measure everything and keep it."""
    build()
    content = {
        "costs": costs(quick),
        "watched": watched(quick),
        "entries": entries(100_000 if quick else 10_000_000),
    }
    results.write("server", quick, content)


def build() -> None:
    """The server, in release."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "augury-server"]
    subprocess.run([*command, "--bin", "augury-server"], cwd=ROOT, check=True)


class Load(NamedTuple):
    """What ``redis-benchmark`` saw."""

    per_second: float
    #: The longest in a thousand, in milliseconds.
    latency: float


def load(port: int, command: str, pipeline: int, size: int, requests: int) -> Load:
    """So many commands by 50 clients."""
    ran = subprocess.run(
        ["redis-benchmark", "-p", str(port), "-t", command, "-P", str(pipeline), "-c", "50",
         "-n", str(requests), "-r", "1000000", "-d", str(size)],
        capture_output=True,
        check=True,
        text=True,
    )  # fmt: skip
    shares = re.findall(r"^([\d.]+)% <= ([\d.]+) milliseconds", ran.stdout, re.MULTILINE)
    per_second = re.findall(r"throughput summary: ([\d.]+) requests", ran.stdout)
    latency = next(float(spent) for share, spent in shares if float(share) >= SHARE)
    return Load(float(per_second[0]), latency)


def full(server: Contestant, size: int) -> None:
    """Fill it until it evicts."""
    load(server.port, "set", 16, size, 2_000_000)
    evicted = redis.Redis(port=server.port).info("stats")["evicted_keys"]
    assert evicted > 0, f"{server.name} is not full"


def costs(quick: bool) -> list[dict[str, Any]]:
    """CPU nanoseconds per command, by load and server: all rounds, and medians."""
    requests, rounds = (100_000, 3) if quick else (1_000_000, 5)
    rows: list[dict[str, Any]] = []
    for size in sorted({size for _, _, size in LOADS}):
        with contestants(dict.fromkeys(COSTS, MEMORY[size])) as running:
            for server in running.values():
                full(server, size)
            taken: dict[tuple[str, int, str], list[tuple[float, Load]]] = {}
            for _ in range(rounds):
                for command, pipeline, _ in (load for load in LOADS if load[2] == size):
                    for name, server in running.items():
                        count = requests if pipeline > 1 else requests // 5
                        before = server.cpu_seconds
                        seen = load(server.port, command, pipeline, size, count)
                        spent = (server.cpu_seconds - before) / count * 1e9
                        taken.setdefault((command, pipeline, name), []).append((spent, seen))
        for (command, pipeline, name), found in taken.items():
            middle = median(spent for spent, _ in found)
            rows.append(
                {"command": command, "pipeline": pipeline, "bytes": size, "server": name,
                 "rounds": [spent for spent, _ in found], "nanoseconds": middle,
                 "milliseconds": median(seen.latency for _, seen in found),
                 "per_second": median(seen.per_second for _, seen in found)}
            )  # fmt: skip
            print(f"server: {command} P{pipeline} {size} B {name}: {middle:,.0f} ns CPU")
    return rows


def watched(quick: bool) -> list[dict[str, Any]]:
    """CPU nanoseconds per GET in batches of 16, while a browser and Prometheus look on or not.

    The same process is looked at and is not, in turns: what differs between processes is not told
    apart from a few hundredths otherwise.
    """
    requests, rounds = (100_000, 3) if quick else (2_000_000, 21)
    taken: dict[str, list[float]] = {}
    with contestants(dict.fromkeys(WATCHED, MEMORY[64])) as running:
        for server in running.values():
            full(server, 64)
        for number in range(rounds):
            for name, server in running.items():
                for is_looked_at in (False, True) if number % 2 else (True, False):
                    with looking(server) if is_looked_at else nullcontext():
                        before = server.cpu_seconds
                        load(server.port, "get", 16, 64, requests)
                        spent = (server.cpu_seconds - before) / requests * 1e9
                    of = name if is_looked_at else name.removesuffix(" watched")
                    taken.setdefault(of, []).append(spent)
    rows = []
    for name, found in sorted(taken.items()):
        # Beside the same process when nobody looks.
        base = taken[name.removesuffix(" watched")]
        beside = median(mine / other for mine, other in zip(found, base, strict=True))
        print(f"server: {name}: {median(found):,.0f} ns CPU, {beside:.3f} of unwatched")
        rows.append(
            {"server": name, "rounds": found, "nanoseconds": median(found), "beside": beside}
        )
    return rows


@contextmanager
def looking(server: Contestant) -> Iterator[None]:
    """Somebody at the page and at the metrics, until the block's end."""
    port = redis.Redis(port=server.port).config_get("http-port")["http-port"]
    ended = threading.Event()

    def look() -> None:
        looks = 0
        while True:
            paths = ["/metrics"] if looks % PAGE_EVERY else ["/metrics", "/"]
            for path in paths:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                    answer.read()
            looks += 1
            if ended.wait(1):
                return

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def entries(count: int) -> list[dict[str, Any]]:
    """Bytes per entry beyond key and value."""
    rows = []
    for name in ("augury", "valkey", "redis"):
        with contestants({name: 64 << 30}) as running:
            server = running[name]
            before = server.resident
            client = redis.Redis(port=server.port)
            for start in range(0, count, 10_000):
                pipe = client.pipeline(transaction=False)
                for number in range(start, min(start + 10_000, count)):
                    pipe.set(f"{number:016d}", b"v" * 64)
                pipe.execute()
            assert client.dbsize() == count
            beyond = (server.resident - before) / count - 80
            rows.append({"server": name, "entries": count, "bytes": beyond})
            print(f"server: {name}: {beyond:.1f} bytes per entry beyond key and value")
    return rows
