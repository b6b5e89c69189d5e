"""A thousand near caches before a hundred nodes, two million requests per second, on paper.

A discrete-event simulation (`benchmarks/scale/simulation.py`) driven by the requests of
twitter_cluster52, with sizes; each cache goes through the trace at 2,000 requests per second. The
trace says nothing of writes: they are drawn, of the keys that are asked for, in proportion. One
object in 32 and four caches are simulated; the first half of the time warms up. CPU time of a read
and of an invalidation, and memory of what a node remembers for it, are measured on a valkey-server.
What that comes to for a node is computed from it, with no queues: it says where the limits are, not
how long a request takes near them. The hottest objects are in the sample or not by chance, as in
every sample by hash.
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks import results
from benchmarks.inputs import RECORD, Shared
from benchmarks.scale import chart, page
from benchmarks.scale.costs import measured
from benchmarks.scale.simulation import Setting, Traffic, simulate, traffic_of

TRACE, SAMPLE = "twitter_cluster52", 32
CACHES, NODES, RATE = 1_000, 100, 2_000
CAPACITIES = (256 << 10, 1 << 20, 4 << 20, 16 << 20)
WRITES = (0.0, 0.0001, 0.001, 0.01)


def measure(quick: bool) -> None:
    """Simulate everything and keep it, with its picture and its page."""
    costs = measured(4 if quick else 40)
    traffic = traffic_of_trace(128 if quick else SAMPLE)
    rows = []
    for capacity in CAPACITIES[1:2] if quick else CAPACITIES:
        for writes in WRITES[1::2] if quick else WRITES:
            rows.append(case(traffic, capacity, writes))
    setting = {"caches": CACHES, "nodes": NODES, "rate": RATE, "trace": TRACE}
    content: dict[str, Any] = {"setting": setting, "costs": costs, "cells": rows}
    results.write("scale", quick, content)
    chart.draw(rows, results.folder(quick) / "scale.svg")
    page.write(content, quick)


def traffic_of_trace(sample: int) -> Traffic:
    """The sampled objects of the trace."""
    with Shared.find().uncompressed(TRACE) as path:
        records = np.fromfile(path, RECORD)
    return traffic_of(records["id"].astype(np.int64), records["sz"].astype(np.int64), sample)


def case(traffic: Traffic, capacity: int, writes: float) -> dict[str, Any]:
    """One cell."""
    found = simulate(traffic, Setting(CACHES, NODES, RATE, writes, capacity))
    print(
        f"scale: {capacity >> 10:,} KiB, {writes:.2%} writes: hit ratio {found.hit_ratio:.3f}, "
        f"{found.fetches:,.0f} fetches and {found.invalidations:,.0f} invalidations per second"
    )
    return {"capacity": capacity, "write_share": writes, **asdict(found)}
