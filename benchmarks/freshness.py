"""Refresh-ahead: expiry misses removed against loads added, for every way to refresh.

The cache has room for everything, so a read misses where its object was never loaded or has
expired. *Removed* is the share of the expiry misses without refresh that are gone; *extra* is
loads (misses and refreshes) over the loads without refresh, minus 1. A load answers at once; times
are whole seconds; XFetch is told that a load takes a hundredth of the TTL. Each way is swept over
its one parameter, and what it removes at +10% is interpolated between the points around it.

- *planned*: the engine's planner (`crates/augury-core/src/refresh`), by its budget.
- *xfetch*: probabilistic early refresh at a hit (Vattani et al., PVLDB 2015), by beta.
- *most-recent*: reload at the deadline what was asked for within so many TTLs before it.
- *rates*: reload at the deadline the keys whose mean pace over the whole trace is at least so many
  requests per TTL. For stationary Poisson processes nothing better can be had without the future.
- *clairvoyant*: reload at the deadline what will be asked for within so much of the next TTL.

Workloads: `synthetic:ttl-periodic`, `-poisson` and `-bursts`, 2,000 objects whose paces are
log-uniform from 0.1 to 30 requests per TTL, a million requests, three seeds, means. Recorded
traces that have times, with TTLs of 60, 300 or 3600 seconds by the hash of the object.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

from augury import _core
from benchmarks import freshness_chart, results
from benchmarks.inputs import Shared
from benchmarks.policies import SEEDS

SHAPES = ("ttl-periodic", "ttl-poisson", "ttl-bursts")
#: Loads that may be added, and the ways that a program has today.
EXTRA = 0.10
BASELINES = ("xfetch", "most-recent")
SWEEPS: dict[str, tuple[float, ...]] = {
    "planned": (0.01, 0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0),
    "xfetch": (0.5, 1, 2, 4, 6, 8, 11, 15, 20, 27, 36, 50, 70, 100, 150),
    "most-recent": (
        0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0,
        6.0, 8.0, 12.0,
    ),
    "rates": (
        0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.3, 1.6, 2.0, 2.3, 2.6, 3.0, 3.5, 4.0, 5.0, 7.0,
        10.0, 15.0, 20.0,
    ),
    "clairvoyant": (0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0),
}  # fmt: skip
Point = Sequence[float]


def measure(quick: bool) -> None:
    """Sweep all ways over all workloads, and draw the curves of the first seed."""
    seeds = SEEDS[:1] if quick else SEEDS
    requests = 100_000 if quick else 1_000_000
    rows = []
    for shape in SHAPES:
        sources = [f"synthetic:{shape}?n={requests}&seed={seed}" for seed in seeds]
        rows.append({"workload": shape, **combined([swept(source) for source in sources])})
        print(f"freshness: {shape} {rows[-1]['at']}", flush=True)
    shared = Shared.find()
    for name in shared.names(quick=quick):
        entry = shared.manifest[name]
        if entry["has_time"] and entry["role"] == "benchmark":
            rows.append({"workload": name, **combined([swept(str(shared.path(name)))])})
            print(f"freshness: {name} {rows[-1]['at']}", flush=True)
    freshness_chart.draw(rows, results.folder(quick) / freshness_chart.NAME)
    results.write("freshness", quick, {"seeds": seeds, "cells": rows})


def swept(source: str) -> dict[str, Any]:
    """Loads and expiry misses without refresh, and the points of each way."""
    trace, ticker = _core.Trace(source), _core.Ticker()
    [(reads, compulsory, expired, _)] = trace.freshness([("nothing", 0.0)], ticker)
    curves = {}
    for name, parameters in SWEEPS.items():
        found = trace.freshness([(name, parameter) for parameter in parameters], ticker)
        curves[name] = [
            [parameter, sum(counts[1:]) / (compulsory + expired) - 1, 1 - counts[2] / expired]
            for parameter, counts in zip(parameters, found, strict=True)
        ]
    return {"reads": reads, "loads": compulsory + expired, "expired": expired, "curves": curves}


def combined(by_seed: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The first seed's counts and curves, and the means of what is removed at the limit."""
    at = {name: fmean(removed_at(EXTRA, one["curves"][name]) for one in by_seed) for name in SWEEPS}
    budget = SWEEPS["planned"].index(EXTRA)
    points = [one["curves"]["planned"][budget] for one in by_seed]
    spent, removed = (fmean(point[of] for point in points) for of in (1, 2))
    return {**by_seed[0], "at": at, "budgeted": {"spent": spent, "removed": removed}}


def removed_at(extra: float, curve: Sequence[Point]) -> float:
    """The most that a mixture of two neighbouring parameters removes for so many extra loads."""
    points = sorted([(0.0, 0.0), *((point[1], point[2]) for point in curve)])
    best = max(removed for spent, removed in points if spent <= extra)
    for (low, less), (high, more) in pairwise(points):
        if low <= extra < high:
            best = max(best, less + (more - less) * (extra - low) / (high - low))
    return best


def ratio(row: Mapping[str, Any]) -> float:
    """What the planner removes over what the better baseline does."""
    return float(row["at"]["planned"] / max(row["at"][name] for name in BASELINES))
