"""Miss ratio against capacity on two traces, for one picture.

One trace of a disk's blocks, in which keys follow each other, and one of a key-value cache, in
which they do not. LRU, `auto`, the lowest of Belady's forms, and `auto` with prefetch at the
default budget of 10% more requests to the origin (demand misses); one seed. The best peer is the
best of libCacheSim's policies with hindsight, where its results are published.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import augury
from benchmarks import curves_chart, results, scores
from benchmarks.inputs import Shared, percent

__all__ = ["measure"]

TRACES = ("cloudphysics_io", "twitter_cluster52")
#: Shares of the footprint; peers are published at some of them.
FRACTIONS = ("0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2")
BUDGET = 0.1
BOUNDS = ("belady", "beladysize", "belady-bypass")


def measure(quick: bool) -> None:
    """Replay, keep the points, draw the picture."""
    shared = Shared.find()
    peers = {cell.key: cell for cell in scores.read_cells(shared.manifest, shared.peers)}
    traces = TRACES[:1] if quick else TRACES
    rows = [row_of(name, shared.path(name), peers) for name in traces]
    results.write("curves", quick, {"rows": rows})
    curves_chart.draw(rows, results.folder(quick) / curves_chart.NAME)
    print(f"curves: {len(rows)} traces at {len(FRACTIONS)} capacities")


def row_of(trace: str, path: Path, peers: Mapping[str, scores.Cell]) -> dict[str, Any]:
    """The points of one trace: capacity as a share of the footprint, and miss ratio."""
    capacities = [percent(fraction) for fraction in FRACTIONS]
    plain = augury.replay(path, policies=("lru", "auto", *BOUNDS), capacity=capacities)
    ahead = augury.replay(path, policies="auto", capacity=capacities, prefetch=BUDGET)
    found = {
        "LRU": lowest(plain, ("lru",)),
        "augury": lowest(plain, ("auto",)),
        "Belady": lowest(plain, BOUNDS),
        "augury with prefetch": lowest(ahead, ("auto",)),
    }
    known = [(fraction, peers.get(f"{trace}|{fraction}")) for fraction in FRACTIONS]
    return {
        "trace": trace,
        "curves": {
            name: [[float(part), ratio] for part, ratio in zip(FRACTIONS, ratios, strict=True)]
            for name, ratios in found.items()
        },
        "peers": [[float(part), cell.best, cell.best_peer] for part, cell in known if cell],
    }


def lowest(found: augury.ReplayResult, policies: Sequence[str]) -> list[float]:
    """The lowest object miss ratio of these policies at each capacity."""
    return [
        min(
            cell.object_miss_ratio
            for cell in found
            if cell.capacity == percent(fraction) and cell.policy in policies
        )
        for fraction in FRACTIONS
    ]


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:])
