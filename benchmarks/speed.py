"""CPU time of a replay, from opening the file to the result, beside libCacheSim's LRU and LRB.

On every shared trace of a million requests or more, at each capacity of the peers' results, given
in absolute numbers. Each replay is a process of its own, on one thread, on the same uncompressed
oracleGeneral file, which is warm in the page cache; contenders take turns, five rounds. What
counts is user plus system time:

- ours: of the whole process ``bench_replay``, its start included, as the kernel reports it;
- the peer: within its process, from opening the reader to the result (getrusage); the start of
  the interpreter and the import are left out of the ratios and reported apart;
- the peer's LRU also runs with a hash table of 2^20 buckets in place of its default 2^24, whose
  pages take long to touch: a stricter comparison than the one with its defaults.

LRB runs where the peers' results say that it finishes; it takes most of the time of the whole
benchmark, and ``python -m benchmarks.speed --no-lrb`` leaves it out.
"""

import sys
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.inputs import Shared, percent
from benchmarks.processes import TooLongError, build, measured, program, ratio, spread

LEAST_REQUESTS = 1_000_000
ROUNDS = 5
LRB_LIMIT_SECONDS = 300
#: LRB takes a minute or two per run; how much slower it is does not hang on the spread.
LRB_ROUNDS = 1
#: A learned peer has to be at least this much slower than its own LRU to be compared with.
LRB_FACTOR = 40
CONTENDERS = ("lru", "auto", "peer LRU", "peer LRU 2^20")


def measure(quick: bool, *, learned: bool = True) -> None:
    """Time every cell, and the start of the interpreter; ``learned`` peers too."""
    build()
    shared = Shared.find()
    rounds = 2 if quick else ROUNDS
    names = shared.names(least=LEAST_REQUESTS)[-1 if quick else 0 :]
    rows: list[dict[str, Any]] = []
    for name in names:
        with shared.uncompressed(name) as path:
            for key, published in shared.peers.items():
                trace, fraction = key.split("|")
                if trace != name:
                    continue
                lrb = bool(published["policies"]["LRB"]) and learned and not quick
                row = time_cell(path, published["capacity"], rounds, lrb)
                rows.append({"trace": name, "capacity": percent(fraction), **row})
                print(f"speed: {name} {percent(fraction)}: {shown(rows[-1])}", flush=True)
    content = {"rounds": rounds, "start": time_start(shared, rounds), "cells": rows}
    results.write("speed", quick, content)


def shown(row: dict[str, Any]) -> str:
    """The ratios of a cell in one line."""
    return ", ".join(f"{name} {value['median']:.2f}" for name, value in row["ratios"].items())


def command(contender: str, path: Path, capacity: int) -> list[str | Path]:
    """How a contender is run."""
    if not contender.startswith("peer"):
        return [program("bench_replay"), contender, path, str(capacity), "1"]
    _, peer, *table = contender.split()
    hashpower = "20" if table else "0"
    module = [sys.executable, "-m", "benchmarks.peer_replay"]
    return [*module, peer, path, str(capacity), hashpower]


def time_cell(path: Path, capacity: int, rounds: int, lrb: bool) -> dict[str, Any]:
    """The CPU seconds of each contender in one cell, and the ratios."""
    contenders = [*CONTENDERS, *(["peer LRB"] if lrb else [])]
    seconds: dict[str, list[float]] = {}
    residents = 0
    for number in range(rounds):
        for contender in list(contenders):
            if contender == "peer LRB" and number >= LRB_ROUNDS:
                continue
            try:
                run = measured(command(contender, path, capacity), LRB_LIMIT_SECONDS)
            except TooLongError:
                contenders.remove(contender)
                seconds.pop(contender, None)
                continue
            spent = run.answer.get("cpu_seconds", run.cpu_seconds)
            seconds.setdefault(contender, []).append(spent)
            if contender == "lru":
                residents = run.answer["resident"]
    ratios = {
        "peer LRU / lru": ratio(seconds["peer LRU"], seconds["lru"]),
        "peer LRU 2^20 / lru": ratio(seconds["peer LRU 2^20"], seconds["lru"]),
        "lru / auto": ratio(seconds["lru"], seconds["auto"]),
    }
    if "peer LRB" in seconds:
        lrb_seconds = seconds["peer LRB"]
        for below in ("auto", "peer LRU"):
            same_rounds = seconds[below][: len(lrb_seconds)]
            ratios[f"peer LRB / {below}"] = ratio(lrb_seconds, same_rounds)
    cpu = {name: spread(values) for name, values in seconds.items()}
    return {"objects": residents, "cpu_seconds": cpu, "ratios": ratios}


def time_start(shared: Shared, rounds: int) -> dict[str, dict[str, float]]:
    """CPU seconds of whole processes on a trace of one request: what starting costs."""
    name = shared.names(least=LEAST_REQUESTS)[0]
    with shared.uncompressed(name, 1) as path:
        return {
            contender: spread(
                [
                    measured(command(contender, path, 1_000_000)).cpu_seconds
                    for _ in range(max(rounds, ROUNDS))
                ]
            )
            for contender in ("lru", "auto", "peer LRU", "peer LRU 2^20")
        }


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:], learned="--no-lrb" not in sys.argv[1:])
