"""A sequence model trained on the first half of each trace, judged by prefetch in the second.

In every cell of the part `prefetch`, under `auto` and with one seed: the whole trace is replayed
and only the second half counted, all sides warm. The model (what follows the last three keys, and
the last three distances between keys: counts with back-off) is trained on what `auto` misses in the
first half, comes in at the midpoint and learns nothing more; successors and associations have
learned while they ran. All have the same budget, gate and room, with a budget of 10% and of 50%.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from augury import _core
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.learn.sequences.judging import Foreseen, foreseen_by
from augury.learn.sequences.training import model_of
from benchmarks import prefetch, results
from benchmarks.inputs import Shared, percent
from benchmarks.scores import Cell, read_cells

BUDGETS = (0.10, 0.50)


def measure(quick: bool) -> None:
    """Train and replay everything, and keep what came of it."""
    shared = Shared.find()
    names = shared.names(quick=quick)
    cells = [
        cell
        for cell in read_cells(shared.manifest, shared.peers)
        if cell.trace in names and (cell.omission is None or cell.trace == prefetch.SILENT)
    ]
    tasks: list[tuple[Path, list[Cell], bool]] = []
    for name in dict.fromkeys(cell.trace for cell in cells):
        own = [cell for cell in cells if cell.trace == name]
        tasks.append((shared.path(name), own, False))
        sessions = shared.folder / f"{name}.csv.zst"
        if sessions.is_file():
            tasks.append((sessions, own, True))
    with ProcessPoolExecutor() as pool:
        found = list(pool.map(of_trace, *zip(*tasks, strict=True)))
    rows = [row for part in found for row in part]
    results.write("sequence", quick, {"cells": rows})
    print(f"sequence: {len(rows)} cells measured")


def of_trace(path: Path, cells: Sequence[Cell], with_sessions: bool) -> list[dict[str, Any]]:
    """The cells of one trace."""
    trace, rows = _core.Trace(str(path)), []
    for cell in cells:
        row = {
            "trace": cell.trace,
            "fraction": cell.fraction,
            "role": cell.role,
            "counts": cell.omission is None and not with_sessions,
            "sessions": with_sessions,
        }
        try:
            rows.append(row | of_cell(trace, Capacity.parse(percent(cell.fraction))))
        except ConfigError as error:
            rows.append(row | {"omission": str(error)})
        print(f"sequence: {cell.key}", flush=True)
    return rows


def of_cell(trace: _core.Trace, capacity: Capacity) -> dict[str, Any]:
    """The second half, without prefetch and with each predictor under each budget."""
    half = trace.requests // 2
    model = model_of(trace, capacity, half)
    found = {
        f"{budget:.0%}": foreseen_by(trace, capacity, model.native, half, budget)
        for budget in BUDGETS
    }
    first = next(iter(found.values()))
    return {
        "without": first.of("none").demand_miss_ratio,
        "continuations": model.native.continuations,
        "bytes": model.size,
        "variants": {label: outcomes_of(one) for label, one in found.items()},
    }


def outcomes_of(found: Foreseen) -> dict[str, dict[str, float]]:
    """What each predictor came to."""
    return {
        one.predictor: {
            "ratio": one.demand_miss_ratio,
            "extra": found.extra(one),
            "accuracy": one.accuracy or 0.0,
            "coverage": one.coverage,
        }
        for one in found.outcomes
        if one.predictor != "none"
    }


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:])
