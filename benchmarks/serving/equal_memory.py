"""Misses of the server and of its peers on recorded traffic, at equal memory.

- Each trace's key space is replicated under prefixes until the footprint is 2 GiB: values of 512
  bytes where the trace has no sizes, of its own sizes elsewhere. `examples/drive.rs` asks through
  a socket: GET, and SET of what was missing.
- Valkey with allkeys-lru is given `maxmemory` of 1% or 10% of the footprint; what it then has in
  memory at the end (RSS) is what all others get: their limits are corrected on a part of the
  trace, then on all of it, until their own RSS is within 2% of it.
- Misses over requests, from the first request to the last. They do not depend on how busy the
  machine is, but for samples that Valkey and Redis draw.
"""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import redis

from benchmarks import results
from benchmarks.inputs import ROOT, Shared
from benchmarks.processes import measured, program
from benchmarks.serving.contestants import Contestant, contestants
from benchmarks.serving.measuring import build

__all__ = ["measure"]

#: Those that take longest come last.
TRACES = ("adaptsize_cdn", "arc_oltp", "cache2k_web12", "twitter_cluster52")
FRACTIONS = (0.01, 0.1)
FOOTPRINT = 2 << 30
VALUE_BYTES = 512
#: The first sets what all of them get.
SERVERS = ("valkey", "valkey lfu", "redis", "redis lfu", "augury")
TOLERANCE = 0.02
ATTEMPTS = 4
#: Share of the trace on which the limits are corrected first.
PART = 0.15
LIMIT_SECONDS = 3_600.0


@dataclass(frozen=True)
class Load:
    """A trace as it is driven."""

    trace: str
    path: str
    #: Bytes of every value; 0 where the trace says.
    value_bytes: int
    replicas: int
    #: Of all replicas together, in bytes.
    footprint: int
    #: Records of the trace that are used.
    records: int


@dataclass(frozen=True)
class Outcome:
    """What a server did with a load."""

    limit: int
    resident: int
    requests: int
    misses: int
    #: Whether anything was evicted.
    is_full: bool


def measure(quick: bool) -> None:
    """Measure everything, and keep it after each cell."""
    build()
    command = ["cargo", "build", "--release", "--locked", "--quiet", "-p", "augury-server"]
    subprocess.run([*command, "--example", "drive"], cwd=ROOT, check=True)
    rows: list[dict[str, Any]] = []
    for load in loads(quick):
        for fraction in FRACTIONS[1:] if quick else FRACTIONS:
            rows.append(cell(load, fraction))
            results.write("equal_memory", quick, {"cells": rows})


def loads(quick: bool) -> Iterator[Load]:
    """The traces, replicated; of a quick look the smallest."""
    shared = Shared.find()
    for name in TRACES[2:3] if quick else TRACES:
        trace = shared.manifest[name]
        value_bytes = 0 if trace["has_size"] else VALUE_BYTES
        footprint = trace["footprint_bytes"] * (value_bytes or 1)
        replicas = 4 if quick else -(-FOOTPRINT // footprint)
        yield Load(
            name,
            str(shared.path(name)),
            value_bytes,
            replicas,
            footprint * replicas,
            20_000 if quick else trace["requests"],
        )


def cell(load: Load, fraction: float) -> dict[str, Any]:
    """All servers on one load, at the memory that the first of them takes."""
    limit = int(load.footprint * fraction)
    reached = {SERVERS[0]: run(SERVERS[0], load, limit)}
    aim = reached[SERVERS[0]].resident
    for name in SERVERS[1:]:
        reached[name] = at(name, load, limit, aim)
    for name, outcome in reached.items():
        print(
            f"equal_memory: {load.trace} {fraction:.0%} {name}: "
            f"{outcome.misses / outcome.requests:.4f} at {outcome.resident / 2**20:.1f} MiB"
        )
    return {
        "trace": load.trace,
        "fraction": fraction,
        "replicas": load.replicas,
        "footprint": load.footprint,
        "servers": {name: vars(outcome) for name, outcome in reached.items()},
    }


def at(name: str, load: Load, limit: int, aim: int) -> Outcome:
    """The server with the limit that makes its memory the one aimed at, as near as it was got."""
    part = replace(load, records=int(load.records * PART))
    for _ in range(ATTEMPTS):
        outcome = run(name, part, limit)
        if not outcome.is_full or abs(outcome.resident - aim) <= TOLERANCE / 2 * aim:
            break
        limit = corrected(limit, outcome, aim)
    tried = []
    for _ in range(ATTEMPTS):
        outcome = run(name, load, limit)
        tried.append(outcome)
        if abs(outcome.resident - aim) <= TOLERANCE * aim:
            break
        limit = corrected(limit, outcome, aim)
    return min(tried, key=lambda outcome: abs(outcome.resident - aim))


def corrected(limit: int, outcome: Outcome, aim: int) -> int:
    """The limit with which the memory would have been the one aimed at."""
    return max(limit + aim - outcome.resident, 1 << 20)


def run(name: str, load: Load, limit: int) -> Outcome:
    """One server, one load."""
    with contestants({name: limit}) as running:
        server: Contestant = running[name]
        answer = measured(
            [program("drive"), load.path, str(server.port), str(load.value_bytes),
             str(load.replicas), str(load.records)],
            LIMIT_SECONDS,
        ).answer  # fmt: skip
        evicted = redis.Redis(port=server.port).info("stats")["evicted_keys"]
        return Outcome(
            limit, server.resident_all, answer["requests"], answer["misses"], evicted > 0
        )
