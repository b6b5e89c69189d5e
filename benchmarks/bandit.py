"""What the guard's choice costs on traffic that drifts: regret against the best expert alone.

Synthetic workloads of a million requests, three seeds each (of the workload and of the cache), in
two absolute capacities. Every expert of the guard is replayed alone, ``auto`` under every rule of
choice that the core has (``bench_guard``), and libCacheSim's LeCaR and Cacheus, which choose
between two experts each by regret minimisation, on the same file. *Regret* is the object miss
ratio above that of the best expert in hindsight, which is picked anew for each seed. Below 0: the
rule gained by changing experts. Every object takes the room of one.

The same rules on the recorded cells that count, scored as under "Miss ratios".
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

import augury
from benchmarks import results, scores
from benchmarks.inputs import RECORD, Shared
from benchmarks.policies import SEEDS
from benchmarks.processes import build, measured, program

REQUESTS = 1_000_000
QUICK_REQUESTS = 100_000
CAPACITIES = (500, 5_000)
#: By name: the workload and its parameters. The first two switch, the others drift or do not.
WORKLOADS = {
    "shift": "shift",
    "shift, fast": "shift?every=20000",
    "zipf-drift": "zipf-drift",
    "scan": "scan",
    "loop": "loop?objects=8000",
    # An hour of 9,000 requests: more than four days.
    "daily": "daily",
    "sessions": "sessions",
    "web": "web",
}
PEERS = ("LeCaR", "Cacheus")


def measure(quick: bool) -> None:
    """Replay every contender in every cell, and compare with the best expert."""
    build()
    names = contenders()
    seeds = SEEDS[:1] if quick else SEEDS
    rows: list[dict[str, Any]] = []
    for workload in list(WORKLOADS)[: 2 if quick else None]:
        by_seed = [replayed(workload, seed, names, quick) for seed in seeds]
        for capacity in CAPACITIES:
            rows.append(row(workload, capacity, [one[capacity] for one in by_seed], names))
            print(f"bandit: {workload} {capacity}: {shown(rows[-1])}", flush=True)
    recorded = on_recorded(names["rules"], seeds, quick)
    content = {"requests": QUICK_REQUESTS if quick else REQUESTS, "seeds": seeds, **names}
    results.write("bandit", quick, {**content, "cells": rows, "recorded": recorded})


def contenders() -> dict[str, list[str]]:
    """The experts and rules that the core has."""
    listed = subprocess.run([program("bench_guard"), "list"], capture_output=True, check=True)
    named: dict[str, list[str]] = json.loads(listed.stdout)
    return named


def replayed(
    workload: str, seed: int, names: dict[str, list[str]], quick: bool
) -> dict[int, dict[str, float]]:
    """Object miss ratios by capacity and contender, on one file of one seed."""
    name, _, parameters = WORKLOADS[workload].partition("?")
    requests = QUICK_REQUESTS if quick else REQUESTS
    source = f"synthetic:{name}?{parameters}&n={requests}&seed={seed}"
    found: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="augury-bench-") as folder:
        path = Path(folder) / "trace.oracleGeneral"
        augury.traces.convert(source, path)
        count_objects(path)
        for capacity in CAPACITIES:
            ratios = found.setdefault(capacity, {})
            for who in [*names["experts"], *names["rules"]]:
                ratios[who] = miss_ratio(who, path, capacity, seed)
            for peer in PEERS:
                module = [sys.executable, "-m", "benchmarks.peer_replay"]
                run = measured([*module, peer, path, str(capacity), "0"])
                ratios[peer] = run.answer["object_miss_ratio"]
    return found


def on_recorded(
    rules: list[str], seeds: tuple[int, ...], quick: bool
) -> dict[str, dict[str, list[float]]]:
    """Object miss ratios by rule and recorded cell, one for each seed."""
    shared = Shared.find()
    found: dict[str, dict[str, list[float]]] = {rule: {} for rule in rules}
    cells = scores.counted(scores.read_cells(shared.manifest, shared.peers))
    for name in shared.names(quick=quick):
        mine = [cell for cell in cells if cell.trace == name]
        if not mine:
            continue
        with shared.uncompressed(name) as path:
            for cell in mine:
                for rule in rules:
                    ratios = [miss_ratio(rule, path, cell.capacity, seed) for seed in seeds]
                    found[rule][cell.key] = ratios
        print(f"bandit: {name} is done", flush=True)
    return found


def miss_ratio(who: str, path: Path, capacity: int, seed: int) -> float:
    """The object miss ratio of a rule or an expert."""
    run = measured([program("bench_guard"), who, path, str(capacity), str(seed)])
    answer: dict[str, int] = run.answer
    return round(answer["misses"] / answer["requests"], 9)


def count_objects(path: Path) -> None:
    """Give every object the size 1: what LeCaR and Cacheus are made for."""
    records = np.fromfile(path, RECORD)
    records["sz"] = 1
    records.tofile(path)


def row(
    workload: str,
    capacity: int,
    by_seed: list[dict[str, float]],
    names: dict[str, list[str]],
) -> dict[str, Any]:
    """One cell: the best expert of the mean, and everybody's regret, mean and worst seed."""
    means = {who: fmean(one[who] for one in by_seed) for who in by_seed[0]}
    best = min(names["experts"], key=means.__getitem__)
    excess = {who: regrets(by_seed, who, names["experts"]) for who in [*names["rules"], *PEERS]}
    return {
        "workload": workload,
        "capacity": capacity,
        "best": best,
        "best_ratio": round(fmean(min(one[e] for e in names["experts"]) for one in by_seed), 6),
        "experts": {expert: round(means[expert], 6) for expert in names["experts"]},
        "regret": {who: round(fmean(values), 6) for who, values in excess.items()},
        "regret_worst_seed": {who: round(max(values), 6) for who, values in excess.items()},
    }


def regrets(by_seed: list[dict[str, float]], who: str, experts: list[str]) -> list[float]:
    """Excess over the best expert of that seed."""
    return [one[who] - min(one[expert] for expert in experts) for one in by_seed]


def shown(cell: dict[str, Any]) -> str:
    """A cell in one line."""
    parts = ", ".join(f"{who} {value:+.4f}" for who, value in cell["regret"].items())
    return f"{cell['best']} {cell['best_ratio']:.4f}; {parts}"


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:])
