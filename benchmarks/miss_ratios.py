"""Miss ratios of every policy on every shared trace at 0.1%, 1% and 10% of the footprint.

In process through ``augury.replay``, traces decoded in memory, on all cores; from the first
request to the last, without warm-up. Policies that draw at random run with three seeds.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import augury
from benchmarks import results
from benchmarks.inputs import FRACTIONS, Shared, percent
from benchmarks.policies import BOUNDS, FIXED, SEEDED, SEEDS, available

LABELS = {percent(fraction): fraction for fraction in FRACTIONS}


def measure(quick: bool) -> None:
    """Replay everything and keep what was missed."""
    shared = Shared.find()
    seeds = SEEDS[:1] if quick else SEEDS
    paths = [shared.path(name) for name in shared.names(quick=quick)]
    plan = ((available(SEEDED), seeds), (available((*FIXED, *BOUNDS)), SEEDS[:1]))
    cells: dict[str, dict[str, object]] = {}
    for policies, chosen in plan:
        for name, fraction, cell in replayed(paths, policies, chosen):
            at = {"capacity": cell.capacity_bytes, "requests": cell.requests, "policies": {}}
            held = cells.setdefault(f"{name}|{fraction}", at)["policies"]
            assert isinstance(held, dict)
            rows = held.setdefault(cell.policy, [])
            rows.append([round(cell.object_miss_ratio, 9), round(cell.byte_miss_ratio, 9)])
    wanted = (*SEEDED, *FIXED, *BOUNDS)
    absent = [name for name in wanted if name not in available(wanted)]
    results.write("miss_ratios", quick, {"seeds": seeds, "absent": absent, "cells": cells})
    print(f"miss ratios: {len(cells)} cells; not in this engine: {', '.join(absent) or 'none'}")


def replayed(
    paths: Sequence[Path], policies: Sequence[str], seeds: Sequence[int]
) -> list[tuple[str, str, augury.Cell]]:
    """Every outcome with the trace's name and the fraction."""
    found = augury.replay(paths, policies=policies, capacity=LABELS, seed=seeds)
    return [(cell.trace, LABELS[cell.capacity], cell) for cell in found]


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:])
