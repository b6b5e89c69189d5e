"""The server beside its peers: CPU time per command and bytes per entry.

- CPU time: ``redis-benchmark`` with 50 clients, one million keys, the cache full and evicting;
  user and system time of the server's process over the number of commands, which a busy machine
  disturbs less than throughput. Rounds go from server to server; medians.
- Bytes per entry: anonymous resident memory, before and after so many keys of 16 bytes with
  values of 64, over the number of keys, less those 80 bytes; nothing evicted, no expiry.
"""

import subprocess
from statistics import median
from typing import Any

import redis

from benchmarks import results
from benchmarks.inputs import ROOT
from benchmarks.serving.contestants import contestants

#: Bounds of memory by size of the values, both in bytes: less than a million keys take.
MEMORY = {64: 64 << 20, 1024: 256 << 20}
#: Name, pipeline, value size in bytes.
LOADS = [("get", 16, 64), ("set", 16, 64), ("get", 1, 64), ("get", 16, 1024), ("set", 16, 1024)]
COSTS = ("augury", "augury lru", "valkey", "redis")


def measure(quick: bool) -> None:
    """Measure everything and keep it."""
    build()
    content = {
        "costs": costs(quick),
        "entries": entries(100_000 if quick else 2_000_000),
    }
    results.write("server", quick, content)


def build() -> None:
    """The server, in release."""
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "augury-server"]
    subprocess.run([*command, "--bin", "augury-server"], cwd=ROOT, check=True)


def load(port: int, command: str, pipeline: int, size: int, requests: int) -> None:
    """So many commands by 50 clients."""
    subprocess.run(
        ["redis-benchmark", "-p", str(port), "-t", command, "-P", str(pipeline), "-c", "50",
         "-n", str(requests), "-r", "1000000", "-d", str(size), "--csv"],
        capture_output=True,
        check=True,
    )  # fmt: skip


def costs(quick: bool) -> list[dict[str, Any]]:
    """CPU nanoseconds per command, by load and server: all rounds, and their median."""
    requests, rounds = (100_000, 3) if quick else (1_000_000, 5)
    rows: list[dict[str, Any]] = []
    for size in sorted({size for _, _, size in LOADS}):
        with contestants(dict.fromkeys(COSTS, MEMORY[size])) as running:
            for server in running.values():
                load(server.port, "set", 16, size, 2_000_000)
                evicted = redis.Redis(port=server.port).info("stats")["evicted_keys"]
                assert evicted > 0, f"{server.name} is not full"
            taken: dict[tuple[str, int, str], list[float]] = {}
            for _ in range(rounds):
                for command, pipeline, _ in (load for load in LOADS if load[2] == size):
                    for name, server in running.items():
                        count = requests if pipeline > 1 else requests // 5
                        before = server.cpu_seconds
                        load(server.port, command, pipeline, size, count)
                        spent = (server.cpu_seconds - before) / count * 1e9
                        taken.setdefault((command, pipeline, name), []).append(spent)
        for (command, pipeline, name), all_spent in taken.items():
            middle = median(all_spent)
            rows.append(
                {"command": command, "pipeline": pipeline, "bytes": size, "server": name,
                 "rounds": all_spent, "nanoseconds": middle}
            )  # fmt: skip
            print(f"server: {command} P{pipeline} {size} B {name}: {middle:,.0f} ns CPU")
    return rows


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
