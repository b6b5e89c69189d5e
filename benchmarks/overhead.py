"""What learning and shadows cost: instructions, which do not depend on the machine's load.

The first 200,000 requests of four traces, at 1% and 10% of the footprint of that part, replayed
under valgrind's cachegrind: reading alone, ``lru``, ``survival`` (history and table, one ranking,
no shadows) and ``auto``. The difference of auto and survival is what the guard and its shadows
cost, as far as both evict as often; that of survival and lru is histories, ghosts, table and
sampling. Instructions of ``auto`` are also listed by the module whose lines they belong to, which
inlining does not blur; what is not ours (hash tables, sorting, decoding) is "elsewhere".
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.inputs import Shared, footprint
from benchmarks.policies import available
from benchmarks.processes import build, measured, program, spread

REQUESTS = 200_000
SHARES = (0.01, 0.1)
TRACES = ("twitter_cluster52", "arc_oltp", "arc_p3", "sessions_diginetica")
POLICIES = ("none", "lru", "survival", "auto")
ROUNDS = 5
MODULE = re.compile(r"crates/augury-(?P<crate>\w+)/src/(?P<module>\w+)(?P<deep>/\w+)?")


def measure(quick: bool) -> None:
    """Count the instructions of every policy in every cell."""
    if not shutil.which("valgrind"):
        print("overhead: left out, valgrind is not installed (apt-get install valgrind)")
        return
    build()
    shared = Shared.find()
    policies = ["none", *available(POLICIES[1:])]
    rows: list[dict[str, Any]] = []
    for name in TRACES[: 1 if quick else None]:
        with shared.uncompressed(name, REQUESTS) as path:
            whole, objects = footprint(path)
            for share in SHARES[: 1 if quick else None]:
                capacity = int(whole * share)
                row: dict[str, Any] = {"trace": name, "capacity": f"{100 * share:g}%"}
                row |= {"objects": int(objects * share), **cell(path, capacity, policies)}
                rows.append(row)
                counts = row["instructions"].items()
                per = ", ".join(f"{policy} {each:.0f}" for policy, each in counts)
                print(f"overhead: {name} {row['capacity']}: per request {per}", flush=True)
    absent = [policy for policy in POLICIES if policy not in policies]
    results.write("overhead", quick, {"requests": REQUESTS, "absent": absent, "cells": rows})


def cell(path: Path, capacity: int, policies: list[str]) -> dict[str, Any]:
    """Instructions and CPU seconds per policy, and the modules of ``auto``."""
    instructions: dict[str, float] = {}
    modules: dict[str, float] = {}
    for policy in policies:
        total, by_module = instructions_of(policy, path, capacity)
        instructions[policy] = round(total / REQUESTS, 1)
        if policy == "auto":
            largest = Counter(by_module).most_common()
            modules = {name: round(count / REQUESTS, 1) for name, count in largest}
    seconds: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for policy in policies:
            run = measured([program("bench_replay"), policy, path, str(capacity), "1"])
            seconds.setdefault(policy, []).append(run.cpu_seconds)
    cpu = {policy: spread(values) for policy, values in seconds.items()}
    return {"instructions": instructions, "modules": modules, "cpu_seconds": cpu}


def instructions_of(policy: str, path: Path, capacity: int) -> tuple[int, dict[str, int]]:
    """Instructions of one replay: in all, and by module."""
    with tempfile.TemporaryDirectory(prefix="augury-bench-") as folder:
        out = Path(folder) / "out"
        tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", f"--cachegrind-out-file={out}"]
        replay = [str(program("bench_replay")), policy, str(path), str(capacity), "1"]
        subprocess.run([*tool, *replay], capture_output=True, check=True)
        return by_module(out.read_text(encoding="utf-8", errors="replace"))


def by_module(profile: str) -> tuple[int, dict[str, int]]:
    """The total and the instructions by module, from what cachegrind wrote.

    ``fl=`` names the source file of the lines that follow, each a line number and a count.
    """
    total = 0
    counts: Counter[str] = Counter()
    module = "elsewhere"
    for line in profile.splitlines():
        if line.startswith("fl="):
            module = module_of(line[3:])
        elif line.startswith("summary:"):
            total = int(line.split()[1])
        elif line[:1].isdigit():
            counts[module] += int(line.split()[1])
    return total, dict(counts)


def module_of(path: str) -> str:
    """The module that a source file belongs to; two levels where there are two."""
    found = MODULE.search(path)
    if not found:
        return "elsewhere"
    deep = found["deep"] or ""
    name = f"{found['module']}{deep}" if found["crate"] == "core" else f"replay: {found['module']}"
    return name.removesuffix("/mod")


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv[1:])
