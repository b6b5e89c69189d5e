"""Does ``auto`` beat LRU within 100,000 requests, wherever Belady leaves room?

Every shared trace is cut to its first 100,000 requests (shorter ones are whole); capacities are
shares of the footprint of that part. A cell counts where there is room for at least 50 objects of
mean size and the lower of Belady and BeladySize beats LRU by at least 0.005.
"""

import sys
from statistics import fmean
from typing import Any

import augury
from benchmarks import results
from benchmarks.inputs import FRACTIONS, Shared, footprint, percent
from benchmarks.policies import SEEDS
from benchmarks.scores import LEAST_OBJECTS, ROOM, SAME

REQUESTS = 100_000
BOUNDS = ("belady", "beladysize")


def measure(quick: bool) -> None:
    """Replay the beginnings and keep the cells that count."""
    shared = Shared.find()
    seeds = SEEDS[:1] if quick else SEEDS
    rows: list[dict[str, Any]] = []
    for name in shared.names(quick=quick):
        with shared.uncompressed(name, REQUESTS) as path:
            role = shared.manifest[name]["role"]
            rows += [{"trace": name, "role": role, **row} for row in cells_of(path, seeds)]
    content = {"requests": REQUESTS, "seeds": seeds, "cells": rows}
    results.write("learning", quick, content)
    behind = [row for row in rows if row["auto"] >= row["lru"] - SAME]
    print(f"learning: auto beats lru in {len(rows) - len(behind)} of {len(rows)} cells with room")
    for row in behind:
        print(f"  not: {row['trace']} {row['capacity']}: {row['auto']:.4f}, lru {row['lru']:.4f}")


def cells_of(path: Any, seeds: tuple[int, ...]) -> list[dict[str, Any]]:
    """The cells of one trace that count."""
    whole, objects = footprint(path)
    wanted = [
        percent(fraction)
        for fraction in FRACTIONS
        if int(whole * float(fraction)) * objects >= LEAST_OBJECTS * whole
    ]
    if not wanted:
        return []
    fixed = augury.replay(path, policies=["lru", *BOUNDS], capacity=wanted)
    learned = augury.replay(path, policies=["auto"], capacity=wanted, seed=seeds)
    rows = []
    for label in wanted:
        ratios = {c.policy: c.object_miss_ratio for c in fixed if c.capacity == label}
        autos = [c for c in learned if c.capacity == label]
        bound = min(ratios[name] for name in BOUNDS)
        if ratios["lru"] - bound >= ROOM:
            rows.append(
                {
                    "capacity": label,
                    "requests": autos[0].requests,
                    "objects": int(autos[0].capacity_bytes * objects / whole),
                    "lru": ratios["lru"],
                    "auto": fmean(c.object_miss_ratio for c in autos),
                    "auto_worst": max(c.object_miss_ratio for c in autos),
                    "bound": bound,
                }
            )
    return rows


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:])
