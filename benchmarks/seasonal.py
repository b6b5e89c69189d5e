"""Seasons: ``auto`` with and without them, where there is a daily rhythm and where there is none.

The workload ``synthetic:daily`` (each hour has favourites that return the next day) as it is, a
million requests or 4.6 days, and over two weeks, three seeds each (of workload and cache).
``auto-unseasonal`` is the same policy with seasons switched off. Beside them Belady, which knows
every request to come, and the *rate oracle* (``benchmarks/rate_oracle.py``), an estimate of what
is to be had by one who knows every object's true rate at every hour and not which request comes
next; it takes minutes, so one seed of the shorter workload.

Without a rhythm, one seed: recorded traces given namespaces and days
(``benchmarks/namespaced.py``), for harm; other synthetic workloads of 4.6 days, which have one
namespace so that seasons cannot begin, for the cost of looking: CPU time of a replay, the lower of
three rounds of each taken in turn. The same for the daily workload, where seasons are at work.
"""

import time
from collections.abc import Iterator
from statistics import fmean
from typing import Any

from augury import _core
from augury.capacity import Capacity
from benchmarks import namespaced, rate_oracle, results
from benchmarks.inputs import Shared
from benchmarks.policies import SEEDS

CAPACITIES = ("1%", "5%", "10%")
DAYS = 216_000
#: Requests by name; the first day and the second are learned from.
LENGTHS = {"daily": 1_000_000, "daily, two weeks": 14 * DAYS}
#: Four days and more, so that a rhythm could be found.
STEADY = ("zipf", "zipf-drift", "scan", "one-hit", "sessions", "sizes", "ttl", "web")
ROUNDS = 3
POLICIES = ("auto", "auto-unseasonal")


def measure(quick: bool) -> None:
    """Replay all cells, keep ratios and times."""
    seeds = SEEDS[:1] if quick else SEEDS
    rhythmic = [
        daily(name, requests, seeds, quick)
        for name, requests in list(LENGTHS.items())[: 1 if quick else None]
    ]
    rows = [row for cells in rhythmic for row in cells]
    for row in rows:
        print(f"seasonal: {row}", flush=True)
    steady = [
        {"trace": name, "capacity": capacity, **timed(_core.Trace(source), capacity)}
        for name, source in synthetic(quick).items()
        for capacity in CAPACITIES
    ]
    tempting = list(tempted(quick))
    results.write(
        "seasonal",
        quick,
        {"seeds": seeds, "rhythmic": rows, "steady": steady, "tempting": tempting},
    )


def synthetic(quick: bool) -> dict[str, str]:
    """Workloads whose CPU time is compared, by name."""
    names = ("daily", *STEADY)[: 2 if quick else None]
    return {name: f"synthetic:{name}?n=1000000&rate=2.5" for name in names}


def tempted(quick: bool) -> Iterator[dict[str, Any]]:
    """Ratios on recorded traces that were given namespaces."""
    shared = Shared.find()
    for name in shared.names(quick=quick):
        for by in namespaced.CUTS:
            with namespaced.cut(shared, name, by) as trace:
                if trace is None:
                    continue
                for capacity in CAPACITIES:
                    ratios = {policy: ratio(trace, policy, capacity, 1) for policy in POLICIES}
                    yield {"trace": name, "by": by, "capacity": capacity, **ratios}


def daily(name: str, requests: int, seeds: tuple[int, ...], quick: bool) -> list[dict[str, Any]]:
    """The rhythmic workload of one length, a row for each capacity."""
    traces = {seed: _core.Trace(f"synthetic:daily?n={requests}&seed={seed}") for seed in seeds}
    rows = []
    for capacity in CAPACITIES:
        ratios: dict[str, Any] = {
            policy: [ratio(trace, policy, capacity, seed) for seed, trace in traces.items()]
            for policy in (*POLICIES, "belady-bypass")
        }
        fraction = float(capacity.rstrip("%")) / 100
        is_short = not quick and requests == LENGTHS["daily"]
        bound = rate_oracle.miss_ratio(requests, fraction, SEEDS[0]) if is_short else None
        gains = [without - with_ for with_, without in zip(*map(ratios.get, POLICIES), strict=True)]
        means = {policy: fmean(found) for policy, found in ratios.items()}
        rows.append({"workload": name, "capacity": capacity, **means, "rate_oracle": bound,
                     "gain": fmean(gains), "gain_least": min(gains)})  # fmt: skip
    return rows


def ratio(trace: _core.Trace, policy: str, capacity: str, seed: int) -> float:
    """The object miss ratio of one replay."""
    asked = Capacity.parse(capacity).asked
    found = trace.replay(policy, asked, seed, _core.Ticker())
    return found["misses"] / max(found["requests"], 1)


def timed(trace: _core.Trace, capacity: str) -> dict[str, Any]:
    """Ratios with and without, and their CPU time, in turns."""
    found: dict[str, Any] = {}
    seconds: dict[str, list[float]] = {policy: [] for policy in POLICIES}
    for _ in range(ROUNDS):
        for policy in POLICIES:
            began = time.process_time()
            found[policy] = ratio(trace, policy, capacity, SEEDS[0])
            seconds[policy].append(time.process_time() - began)
    with_, without = (min(seconds[policy]) for policy in POLICIES)
    return {**found, "time": with_ / max(without, 1e-9)}
