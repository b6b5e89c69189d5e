"""The measured run: contestants take turns with the same requests, and every answer is checked."""

import gc
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from typing import Any

import numpy as np
from examples.query_cache.postgres import postgres

from benchmarks import results
from benchmarks.application.contestants import (
    Bare,
    Contestant,
    Database,
    InProcess,
    Ping,
    Redis,
    fill,
)
from benchmarks.application.servers import RedisServer, redis_server
from benchmarks.application.sizing import POLICIES, Point, curves, feed, in_process, size_for
from benchmarks.application.workload import Workload, workloads
from benchmarks.inputs import Shared
from benchmarks.processes import spread

__all__ = ["HOPS", "WAYS", "compare", "measure", "take_turns"]

ROUNDS = 5
REQUESTS = 8_000
#: Requests after which the next contestant has its turn.
TURN = 500
#: What redis is given as much of as augury has, by the attribute of a point.
WAYS = {"equal memory": "grown", "equal hit ratio": "misses"}
HOPS = ("PING by redis-py", "PING by a socket")


def measure(quick: bool) -> None:
    """Every workload, and write it down."""
    rounds = 2 if quick else ROUNDS
    rows = []
    with postgres() as named:
        url = named.replace("+psycopg", "")
        for workload in workloads(Shared.find(), rounds * REQUESTS, quick=quick):
            rows.append(compare(url, workload, rounds))
            shown = ", ".join(
                f"{name} {one['queries_per_1000']:.1f}" for name, one in rows[-1]["runs"].items()
            )
            print(f"application: {workload.name}: queries per 1,000: {shown}", flush=True)
    results.write("application", quick, {"rounds": rounds, "workloads": rows})


def compare(url: str, workload: Workload, rounds: int) -> dict[str, Any]:
    """Size redis by augury, fill all, and measure them side by side."""
    fill(url, workload)
    own = in_process(workload)
    points = curves(workload, own.grown)
    limits = {
        f"redis {policy.removeprefix('allkeys-')}, {way}": (policy, limit)
        for way, what in WAYS.items()
        for policy in POLICIES
        if (limit := size_for(points[policy], what, getattr(own, what))) is not None
    }
    with ExitStack() as running:
        database = running.enter_context(closing(Database(url)))
        servers: dict[str, RedisServer] = {}
        for name, (policy, limit) in limits.items():
            servers[name] = running.enter_context(redis_server())
            servers[name].limit(policy, limit)
        idle = running.enter_context(redis_server())
        feed(list(servers.values()), workload, workload.first)
        contestants: dict[str, Contestant] = {
            "no cache": running.enter_context(closing(Database(url))),
            "augury": InProcess(workload).before(database),
            **{name: Redis(server, database) for name, server in servers.items()},
            HOPS[0]: Ping(idle),
            HOPS[1]: running.enter_context(closing(Bare(idle))),
        }
        times = take_turns(contestants, workload, rounds)
        memory = {"augury": vars(own)} | {
            name: vars(point_of(server, limits[name][1])) for name, server in servers.items()
        }
        return {
            "workload": workload.name,
            "requests": len(workload.keys),
            "measured": workload.measured,
            "objects": len(workload.objects),
            "footprint": int(workload.sizes.sum()),
            "capacity": workload.capacity,
            "server": idle.version,
            "load": round(os.getloadavg()[1], 1),
            "curves": {policy: [vars(point) for point in of] for policy, of in points.items()},
            "runs": {
                name: {
                    "latency_us": times[name],
                    "queries_per_1000": 1000 * one.queries / workload.measured,
                    "memory": memory.get(name),
                }
                for name, one in contestants.items()
            },
        }


def point_of(server: RedisServer, limit: int) -> Point:
    """What the server has come to, its misses apart."""
    entries: Any = server.client.dbsize()
    return Point(limit, entries, 0, server.grown, server.used)


def take_turns(
    contestants: Mapping[str, Contestant], workload: Workload, rounds: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Microseconds per request of each contestant: by round, then the median of the rounds.

    Raises RuntimeError where an answer is not the database's.
    """
    found: dict[str, dict[str, list[float]]] = {name: {} for name in contestants}
    names = list(contestants)
    gc.collect()
    gc.freeze()
    try:
        for keys in np.array_split(workload.last, rounds):
            times: dict[str, list[int]] = {name: [] for name in names}
            for at in range(0, len(keys), TURN):
                turn = keys[at : at + TURN].tolist()
                expected = [workload.answer(key) for key in turn]
                for name in names:
                    times[name] += timed(name, contestants[name], turn, expected)
                names.append(names.pop(0))
            for name, nanoseconds in times.items():
                for what, value in summary(nanoseconds).items():
                    found[name].setdefault(what, []).append(value)
    finally:
        gc.unfreeze()
    return {
        name: {what: spread(values) for what, values in of.items()} for name, of in found.items()
    }


def timed(
    name: str, contestant: Contestant, keys: Sequence[int], expected: Sequence[bytes]
) -> list[int]:
    """Nanoseconds of each request."""
    ask, clock = contestant.ask, time.perf_counter_ns
    times, answers = [], []
    for key in keys:
        began = clock()
        answer = ask(key)
        times.append(clock() - began)
        answers.append(answer)
    for key, answer, right in zip(keys, answers, expected, strict=True):
        if answer is not None and answer != right:
            raise RuntimeError(f"{name} answers {answer!r} for key {key}, the database {right!r}")
    return times


def summary(nanoseconds: Sequence[int]) -> dict[str, float]:
    """Microseconds: the mean and three percentiles."""
    micro = np.array(nanoseconds) / 1e3
    cuts = dict(zip(("p50", "p99", "p99.9"), np.percentile(micro, (50, 99, 99.9)), strict=True))
    return {"mean": float(micro.mean()), **{what: float(value) for what, value in cuts.items()}}
