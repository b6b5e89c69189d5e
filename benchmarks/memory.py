"""Bytes per cache: fixed part and per resident, counted by the allocator.

``bench_memory`` replays independent Zipf requests (exponent 0.8, size 1) over eight times as many
objects as the capacity, thirty requests for each resident, so that ghosts and shadows fill. Once
the cache is ``auto``; once it is a policy without records that remembers nothing, which leaves the
store: index, slots, no keys or values. What ``auto`` holds beyond that store (*beyond*) is
histories, ghosts, shadows and tables.

- Per resident: the slope of *beyond* from half the largest capacity to the largest; both are full.
  Doubling tables are doubled between the two, so the slope does not depend on how full they are.
- The fixed part of a large cache is what remains of *beyond* without the slope; and the strictest
  reading is given too: all of *beyond* divided by the residents.
- The fixed part of caches of 10, 100 and 1,000 entries is *beyond* without the slope's share, of
  which no more than 48 bytes per resident are taken off.
- Peak: the highest sum at any time; a block that grows counts old and new while it grows.
"""

import sys
from typing import Any

from benchmarks import results
from benchmarks.processes import build, measured, program

SMALL = (10, 100, 1_000)
LARGE = (500_000, 1_000_000)
QUICK_LARGE = (50_000, 100_000)
#: Objects per resident, and requests per resident.
OBJECTS = 8
REQUESTS = 30
LEAST_REQUESTS = 300_000


def measure(quick: bool) -> None:
    """Count every capacity under both policies."""
    build()
    rows = [row_of(capacity) for capacity in (*SMALL, *(QUICK_LARGE if quick else LARGE))]
    content = {"workload": "zipf 0.8", "cells": rows, **slope(*rows[-2:])}
    results.write("memory", quick, content)
    for row in rows:
        print(f"memory: capacity {row['capacity']:,}: beyond the store {row['beyond']:,} bytes")
    print(
        f"memory: {content['per_resident']:.1f} bytes per resident and {content['fixed']:,} fixed;"
        f" all of it by residents {content['all_per_resident']:.1f}"
    )


def row_of(capacity: int) -> dict[str, Any]:
    """Both policies at one capacity."""
    auto, empty = (count(policy, capacity) for policy in ("auto", "empty"))
    return {
        "capacity": capacity,
        "resident": auto["resident"],
        "store": empty["live_bytes"],
        "auto": auto["live_bytes"],
        "beyond": auto["live_bytes"] - empty["live_bytes"],
        "new": auto["new_bytes"],
        "peak": auto["peak_bytes"],
        "store_peak": empty["peak_bytes"],
        "own_count": auto["own_count"],
        "requests": auto["requests"],
    }


def count(policy: str, capacity: int) -> dict[str, Any]:
    """One cache of one policy; it must be full in the end."""
    requests = max(REQUESTS * capacity, LEAST_REQUESTS)
    arguments = (capacity, OBJECTS * capacity, requests, 1)
    answer = measured([program("bench_memory"), policy, *map(str, arguments)]).answer
    if answer["resident"] != capacity:
        raise RuntimeError(f"{policy} holds {answer['resident']} of {capacity} entries")
    return answer


def slope(half: dict[str, Any], full: dict[str, Any]) -> dict[str, float]:
    """Per resident and fixed, from two large caches."""
    each = (full["beyond"] - half["beyond"]) / (full["resident"] - half["resident"])
    return {
        "per_resident": round(each, 3),
        "fixed": round(full["beyond"] - each * full["resident"]),
        "all_per_resident": round(full["beyond"] / full["resident"], 3),
        "peak_per_resident": round((full["peak"] - full["store_peak"]) / full["resident"], 3),
    }


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:])
