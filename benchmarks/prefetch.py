"""Prefetch: ``auto`` in every cell that counts, without and with it, beside association mining.

Demand miss ratio (the loader is assumed to answer, a prefetched object occupies room), extra origin
requests ((demand misses + prefetches) / (misses of the same cell without prefetch) - 1 over the
whole trace), accuracy (used / issued) and coverage (used / (demand misses + used)). Variants: the
default budget of 10%, a budget of 50%, and MITHRIL-like association mining (Yang et al., SoCC 2017)
in place of successors and strides, under both budgets. Belady is the lower of ``belady`` and
``belady-bypass``, neither of which prefetches. Traces with a CSV beside the binary file are also
replayed from it, as it names sessions; the scores are over the binary files.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import augury
from benchmarks import results
from benchmarks.inputs import Shared, percent
from benchmarks.policies import SEEDS
from benchmarks.scores import Cell, read_cells

#: Name, budget and predictor.
VARIANTS = (
    ("default", 0.10, "successor"),
    ("half", 0.50, "successor"),
    ("mithril", 0.10, "mithril"),
    ("mithril half", 0.50, "mithril"),
)
#: Reported although its cells do not count: nothing in it follows anything, so that prefetch must
#: be silent.
SILENT = "corda_vault"


def measure(quick: bool) -> None:
    """Replay the cells and keep what came of them."""
    shared = Shared.find()
    seeds = SEEDS[:1] if quick else SEEDS
    names = shared.names(quick=quick)
    cells = [
        cell
        for cell in read_cells(shared.manifest, shared.peers)
        if cell.trace in names and (cell.omission is None or cell.trace == SILENT)
    ]
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys(cell.trace for cell in cells):
        of_trace = [cell for cell in cells if cell.trace == name]
        rows += measured(shared.path(name), of_trace, seeds, with_sessions=False)
        sessions = shared.folder / f"{name}.csv.zst"
        if sessions.is_file():
            rows += measured(sessions, of_trace, seeds, with_sessions=True)
    results.write("prefetch", quick, {"seeds": seeds, "cells": rows})
    print(f"prefetch: {len(rows)} cells measured")


def measured(
    path: Path, cells: Sequence[Cell], seeds: Sequence[int], *, with_sessions: bool
) -> list[dict[str, Any]]:
    """The cells of one trace."""
    capacities = {percent(cell.fraction): cell for cell in cells}
    plain = augury.replay(path, policies="auto", capacity=capacities, seed=seeds)
    oracles = augury.replay(path, policies="belady,belady-bypass", capacity=capacities)
    ahead = {
        name: augury.replay(
            path,
            policies="auto",
            capacity=capacities,
            seed=seeds,
            prefetch=budget,
            prefetcher=predictor,
        )
        for name, budget, predictor in VARIANTS
    }
    rows = []
    for label, cell in capacities.items():
        without = at(plain, label)
        rows.append(
            {
                "trace": cell.trace,
                "fraction": cell.fraction,
                "role": cell.role,
                "counts": cell.omission is None and not with_sessions,
                "sessions": with_sessions,
                "belady": min(one.object_miss_ratio for one in at(oracles, label)),
                "without": fmean(one.object_miss_ratio for one in without),
                "variants": {
                    name: compared(without, at(found, label)) for name, found in ahead.items()
                },
            }
        )
    return rows


def at(found: Sequence[augury.Cell], label: str) -> list[augury.Cell]:
    """The outcomes at one capacity."""
    return [cell for cell in found if cell.capacity == label]


def compared(without: Sequence[augury.Cell], ahead: Sequence[augury.Cell]) -> dict[str, float]:
    """One variant against the same cell without prefetch; means over the seeds."""
    issued = sum(cell.prefetches_issued or 0 for cell in ahead)
    used = sum(cell.prefetches_used or 0 for cell in ahead)
    origin = sum(cell.origin_requests or 0 for cell in ahead)
    misses = sum(cell.misses for cell in ahead)
    return {
        "ratio": fmean(cell.object_miss_ratio for cell in ahead),
        "extra": origin / max(sum(cell.misses for cell in without), 1) - 1,
        "accuracy": used / issued if issued else 0.0,
        "coverage": used / max(misses + used, 1),
        "issued": issued / sum(cell.requests for cell in ahead),
        "seconds": sum(cell.seconds for cell in ahead) / sum(cell.seconds for cell in without),
    }


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:])
