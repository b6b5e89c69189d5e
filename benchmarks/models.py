"""Trained models under the guard: are they worth having?

In every cell that counts, each kind of model is trained on the first half of the trace and comes in
at the midpoint of a replay of the whole; only the second half is counted, both sides warm.
"""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean
from typing import Any

from augury import _core
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.learn import KINDS, DataSet
from augury.learn.dataset import sampled
from augury.learn.fitting import fit
from augury.learn.training import Model
from benchmarks import results
from benchmarks.inputs import Shared, percent
from benchmarks.scores import Cell, counted, read_cells

ROWS = 60_000
#: Share of the first half that a first model is tried on, as in training.
TRIED = 0.25


def measure(quick: bool) -> None:
    """Train and replay everything, keep the miss ratios."""
    shared = Shared.find()
    cells = counted(read_cells(shared.manifest, shared.peers))
    if quick:
        cells = cells[::9]
    kinds = sorted(KINDS)
    names = list(dict.fromkeys(cell.trace for cell in cells))
    with ProcessPoolExecutor() as pool:
        own = ([cell for cell in cells if cell.trace == name] for name in names)
        paths = [str(shared.path(name)) for name in names]
        found = list(pool.map(of_trace, paths, own, [kinds] * len(names)))
    worth = [row for rows in found for row in rows]
    means = {kind: fmean(row["auto"] - row["models"][kind] for row in worth) for kind in kinds}
    results.write("models", quick, {"rows": ROWS, "worth": worth, "means": means})
    best = max(means, key=lambda kind: means[kind])
    print(f"models: the best kind, {best}, lowers auto by {means[best]:.4f} on average")


def of_trace(path: str, cells: Sequence[Cell], kinds: Sequence[str]) -> list[dict[str, Any]]:
    """The cells of one trace."""
    trace, worth = _core.Trace(path), []
    for cell in cells:
        worth.append(worth_of(trace, cell, kinds))
        print(f"models: {cell.key} {gains(worth[-1])}", flush=True)
    return worth


def gains(row: dict[str, Any]) -> str:
    """What each kind gained, for the log."""
    return " ".join(f"{kind} {row['auto'] - ratio:+.4f}" for kind, ratio in row["models"].items())


def ratio(
    trace: _core.Trace,
    capacity: Capacity,
    model: _core.Artifact | None = None,
    warmup: int = 0,
    until: int | None = None,
) -> float:
    """The object miss ratio of ``auto`` with this model."""
    found = trace.replay("auto", capacity.asked, 1, _core.Ticker(), model, warmup, until)
    return found["misses"] / max(found["requests"], 1)


def worth_of(trace: _core.Trace, cell: Cell, kinds: Sequence[str]) -> dict[str, Any]:
    """The second half, without a model and with each kind."""
    capacity = Capacity.parse(percent(cell.fraction))
    half = trace.requests // 2
    data = sampled(trace, cell.trace, capacity, ROWS, 0.5, 1)
    split = int(data.requests * (1 - TRIED))
    plain = ratio(trace, capacity, None, half)
    tried = ratio(trace, capacity, None, split, data.requests)
    models: dict[str, float] = {}
    claims: dict[str, float] = {}
    for kind in kinds:
        try:
            first = model_of(kind, data.before(split), data.horizon(), 1.0)
            claims[kind] = tried - ratio(trace, capacity, first, split, data.requests)
            final = model_of(kind, data, data.horizon(), claims[kind])
            models[kind] = ratio(trace, capacity, final, half)
        except ConfigError as error:
            print(f"models: {cell.key} {kind}: {error}", flush=True)
            models[kind] = plain
    return {
        "trace": cell.trace,
        "fraction": cell.fraction,
        "auto": plain,
        "models": models,
        "claims": claims,
    }


def model_of(kind: str, data: DataSet, horizon: int, gain: float) -> _core.Artifact:
    """A model as training would save it, of this gain."""
    fitted = fit(KINDS[kind], data, horizon, parameters={}, seed=1, jobs=1)
    return Model.of(fitted, data).artifact(horizon, gain=gain).native


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:])
