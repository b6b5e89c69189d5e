"""Write RESULTS.md from the JSON files: method, machine, tables, and where ``auto`` falls short.

The tables of it that stand in other documents are written anew by `excerpts.py`.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import (
    bandit,
    excerpts,
    learning,
    memory,
    miss_ratios,
    overhead,
    results,
    scores,
    speed,
)
from benchmarks.advice_section import advice_section
from benchmarks.application.section import application_section
from benchmarks.curves_section import curves_section
from benchmarks.finding import Finding
from benchmarks.findings import findings
from benchmarks.freshness_section import freshness_section
from benchmarks.inputs import ROOT, Shared, percent
from benchmarks.library_section import library_section
from benchmarks.markdown import method, table
from benchmarks.models_section import harm_section, models_section, training_section
from benchmarks.nearcache.section import nearcache_section
from benchmarks.placement.section import placement_section
from benchmarks.prefetch_section import prefetch_section
from benchmarks.prefix_blocks import prefix_blocks_section
from benchmarks.scale.page import scale_section
from benchmarks.scores import Cell, Score
from benchmarks.seasonal_section import seasonal_section
from benchmarks.sequence_section import sequence_section
from benchmarks.serving.section import (
    endurance_section,
    equal_memory_section,
    server_section,
)
from benchmarks.together.section import together_section
from benchmarks.web.section import web_section

PARTS = (
    "miss_ratios", "curves", "learning", "bandit", "seasonal", "prefetch", "sequence", "freshness",
    "models", "harm", "training", "speed", "memory", "overhead", "library", "application", "server",
    "equal_memory", "endurance", "web", "advice", "prefix_blocks", "placement", "scale",
    "nearcache", "together",
)  # fmt: skip
#: Ratios are kept to nine digits.
ROUNDED = 2e-9
Values = Mapping[str, Mapping[str, Sequence[float]]]


def render(parts: Mapping[str, dict[str, Any]], cells: Sequence[Cell]) -> str:
    """The whole document; parts that were not measured say so."""
    sections = [
        heading(parts),
        targets(findings(parts, cells)),
        miss_ratio_section(parts.get("miss_ratios"), cells),
        curves_section(parts.get("curves")),
        learning_section(parts.get("learning")),
        bandit_section(parts.get("bandit"), cells),
        seasonal_section(parts.get("seasonal")),
        prefetch_section(parts.get("prefetch")),
        sequence_section(parts.get("sequence")),
        freshness_section(parts.get("freshness")),
        advice_section(parts.get("advice")),
        prefix_blocks_section(parts.get("prefix_blocks")),
        models_section(parts.get("models")),
        harm_section(parts.get("harm")),
        training_section(parts.get("training")),
        speed_section(parts.get("speed")),
        memory_section(parts.get("memory")),
        overhead_section(parts.get("overhead")),
        library_section(parts.get("library")),
        application_section(parts.get("application")),
        server_section(parts.get("server")),
        equal_memory_section(parts.get("equal_memory")),
        endurance_section(parts.get("endurance")),
        web_section(parts.get("web")),
        placement_section(parts.get("placement")),
        scale_section(parts.get("scale")),
        nearcache_section(parts.get("nearcache")),
        together_section(parts.get("together")),
    ]
    return "\n\n".join(sections) + "\n"


def heading(parts: Mapping[str, dict[str, Any]]) -> str:
    """Title, and what was measured with."""
    lines = [
        "# Results",
        "",
        "Rendered by `benchmarks/render.py` from `benchmarks/results/`; `make bench` measures "
        "everything anew. Miss ratios are object miss ratios unless said otherwise. Times are "
        "ratios of CPU time on one machine.",
    ]
    if any(part["quick"] for part in parts.values()):
        lines += ["", "**A quick run**: some traces, one seed, few rounds. Not results."]
    machines: dict[str, list[str]] = {}
    for name, part in parts.items():
        machines.setdefault(machine(part["machine"]), []).append(name)
    for shown, names in machines.items():
        lines += ["", f"Measured ({', '.join(names)}) with {shown}."]
    return "\n".join(lines)


def machine(described: Mapping[str, Any]) -> str:
    """Versions and machine in words."""
    return (
        "augury {augury} (revision {revision}), libCacheSim {libcachesim}, rustc {rustc}, Python "
        "{python}, on {system}, {cores} cores of {cpu}, {memory_gib} GiB of memory"
    ).format_map(described)


def targets(found: Sequence[Finding]) -> str:
    """What was to be reached, and what was."""
    rows = [
        [item.what, item.limit, item.value, "yes" if item.met else "**no**", item.where or ""]
        for item in found
    ]
    head = ["target", "limit", "measured", "met", "worst"]
    return f"## What was to be reached\n\n{table(head, rows)}"


def miss_ratio_section(part: dict[str, Any] | None, cells: Sequence[Cell]) -> str:
    """All tables of miss ratios."""
    text = f"## Miss ratios\n\n{method(miss_ratios)}\n\n{method(scores)}"
    if part is None:
        return f"{text}\n\nNot measured."
    ours = values_of(part)
    shown = [cell for cell in cells if cell.key in ours.get("auto", {})]
    benchmark = [cell for cell in shown if cell.role == "benchmark"]
    others = [cell for cell in shown if cell.role != "benchmark"]
    if part["absent"]:
        text += f"\n\nNot in this engine: {', '.join(part['absent'])}."
    pieces = [
        text,
        f"### Scores\n\n{score_table(ours, scores.counted(shown))}",
        f"### auto beside LRU, the best peer and the bound\n\n{auto_table(ours, benchmark)}",
        f"### Where auto falls short\n\n{shortfall_list(ours, scores.counted(shown))}",
    ]
    if others:
        pieces.append(f"### Regression and small traces\n\n{auto_table(ours, others)}")
    pieces += [
        f"### All policies of augury\n\n{own_table(ours, shown)}",
        f"### All peers\n\n{peer_table(shown)}",
        f"### Byte miss ratios where sizes differ\n\n{byte_table(part, shown)}",
        f"### Exactness\n\n{exactness(ours, shown)}",
    ]
    return "\n\n".join(pieces)


def values_of(part: Mapping[str, Any]) -> dict[str, dict[str, list[float]]]:
    """Object miss ratios by policy and cell, one for each seed."""
    found: dict[str, dict[str, list[float]]] = {}
    for key, cell in part["cells"].items():
        for policy, rows in cell["policies"].items():
            found.setdefault(policy, {})[key] = [row[0] for row in rows]
    return found


def mean(ratios: Sequence[float]) -> float:
    """The mean over the seeds."""
    return sum(ratios) / len(ratios)


def score_table(ours: Values, counted: Sequence[Cell]) -> str:
    """Every policy and peer by mean gap closed."""
    if not counted:
        return "No cell counts."
    rows = [scores.score(policy, values, counted) for policy, values in ours.items()]
    names = scores.peer_names(counted)
    rows += [
        scores.score(f"peer {name}", scores.peer_values(counted, name), counted) for name in names
    ]
    rows.sort(key=lambda row: -row.gap_mean)
    head = ["policy", "gap closed, mean", "minimum", "wins", "regret, mean", "worst seed", "cells"]
    return table(head, map(score_row, rows))


def score_row(row: Score) -> list[str]:
    """A policy's scores; how many cells, where it did not run in all."""
    return [
        f"**{row.policy}**" if row.policy == "auto" else row.policy,
        f"{row.gap_mean:.3f}",
        f"{row.gap_min:.3f}",
        f"{row.wins:.0%}",
        f"{row.regret:.4f}",
        f"{row.regret_worst_seed:.4f}",
        f"{row.cells}" + (f" of {row.cells + row.missing}" if row.missing else ""),
    ]


def auto_table(ours: Values, cells: Sequence[Cell]) -> str:
    """One row a cell: the lower of the best peer and ``auto`` in bold."""
    rows = []
    for cell in cells:
        ratios = ours["auto"][cell.key]
        auto = mean(ratios)
        wins = auto <= cell.best + scores.SAME
        bypass = ours.get("belady-bypass", {}).get(cell.key)
        rows.append(
            [
                f"{cell.trace} {percent(cell.fraction)}",
                f"{cell.capacity:,}",
                f"{cell.objects:,.0f}",
                f"{cell.lru:.4f}",
                f"{cell.best:.4f} {cell.best_peer}"
                if wins
                else f"**{cell.best:.4f}** {cell.best_peer}",
                f"**{auto:.4f}**" if wins else f"{auto:.4f}",
                f"{max(ratios) - min(ratios):.4f}",
                f"{auto - cell.best:+.4f}",
                f"{cell.bound:.4f}",
                f"{mean(bypass):.4f}" if bypass else "",
                cell.omission or f"{cell.gap_closed(auto):.3f}",
            ]
        )
    head = [
        "cell", "capacity", "objects", "LRU", "best peer", "auto", "seeds apart", "auto - peer",
        "bound", "belady-bypass", "gap closed",
    ]  # fmt: skip
    return table(head, rows)


def shortfall_list(ours: Values, counted: Sequence[Cell]) -> str:
    """The cells where ``auto`` is above the best peer, named."""
    found = scores.shortfalls(ours["auto"], counted)
    if not found:
        return f"In none of the {len(counted)} cells that count is auto above the best peer."
    lines = [
        f"In {len(found)} of the {len(counted)} cells that count auto is above the best peer:",
        "",
        *(
            f"- {fall.cell.trace} at {percent(fall.cell.fraction)}: {fall.ratio:.4f}, "
            f"{fall.excess:.4f} above {fall.cell.best_peer} ({fall.cell.best:.4f}); "
            f"gap closed {fall.cell.gap_closed(fall.ratio):.3f}"
            for fall in found
        ),
    ]
    return "\n".join(lines)


def own_table(ours: Values, cells: Sequence[Cell]) -> str:
    """Every policy of ours in every cell."""
    rows = [
        [
            f"{cell.trace} {percent(cell.fraction)}",
            *(f"{mean(values[cell.key]):.4f}" for values in ours.values()),
        ]
        for cell in cells
    ]
    return table(["cell", *ours], rows)


def peer_table(cells: Sequence[Cell]) -> str:
    """Every peer in every cell; empty where it did not finish."""
    names = [*scores.PEER_ORACLES, *scores.peer_names(cells)]
    rows = [
        [
            f"{cell.trace} {percent(cell.fraction)}",
            *(f"{ratio:.4f}" if ratio is not None else "" for ratio in ratios),
        ]
        for cell in cells
        for ratios in [[{**cell.oracles, **cell.peers}.get(name) for name in names]]
    ]
    return table(["cell", *names], rows)


def byte_table(part: Mapping[str, Any], cells: Sequence[Cell]) -> str:
    """Byte miss ratios of a few policies on the traces with sizes."""
    names = [name for name in ("auto", "lru", "gdsf", "belady") if name not in part["absent"]]
    rows = []
    for cell in cells:
        policies = part["cells"][cell.key]["policies"]
        if all(row[0] == row[1] for name in names for row in policies[name]):
            continue
        ratios = [mean([row[1] for row in policies[name]]) for name in names]
        rows.append([f"{cell.trace} {percent(cell.fraction)}", *(f"{r:.4f}" for r in ratios)])
    return table(["cell", *names], rows) if rows else "No such trace was measured."


def exactness(ours: Values, cells: Sequence[Cell]) -> str:
    """Whether policies of one name miss as often as the peer's, in how many cells."""
    twins = {
        "lru": "LRU", "fifo": "FIFO", "sieve": "Sieve", "belady": "Belady", "lfu": "LFU",
        "s3fifo": "S3FIFO", "wtinylfu": "WTinyLFU", "gdsf": "GDSF", "hyperbolic": "Hyperbolic",
        "beladysize": "BeladySize",
    }  # fmt: skip
    rows = []
    for policy, peer in twins.items():
        apart: dict[bool, list[float]] = {True: [], False: []}
        for cell in cells:
            both = {**cell.oracles, **cell.peers}
            if peer in both and cell.key in ours.get(policy, {}):
                difference = abs(mean(ours[policy][cell.key]) - both[peer])
                apart[cell.is_sized].append(difference)
        same = sum(difference < ROUNDED for difference in apart[False])
        largest = [f"{max(values):.4f}" if values else "" for values in apart.values()]
        rows.append([policy, peer, f"{same} of {len(apart[False])}", *reversed(largest)])
    head = ["policy", "peer", "size 1: cells with equal misses", "largest difference",
        "sizes differ: largest difference"]  # fmt: skip
    return table(head, rows)


def learning_section(part: dict[str, Any] | None) -> str:
    """The first hundred thousand requests."""
    text = f"## Learning\n\n{method(learning)}"
    if part is None:
        return f"{text}\n\nNot measured."
    rows = [
        [
            f"{row['trace']} {row['capacity']}",
            row["role"],
            f"{row['requests']:,}",
            f"{row['objects']:,}",
            f"{row['lru']:.4f}",
            f"{row['auto']:.4f}" if row["auto"] < row["lru"] else f"**{row['auto']:.4f}**",
            f"{row['auto_worst']:.4f}",
            f"{row['bound']:.4f}",
            f"{(row['lru'] - row['auto']) / (row['lru'] - row['bound']):.3f}",
        ]
        for row in part["cells"]
    ]
    head = [
        "cell", "role", "requests", "objects", "LRU", "auto", "auto, worst seed", "Belady",
        "gap closed",
    ]  # fmt: skip
    return f"{text}\n\n{table(head, rows)}"


def bandit_section(part: dict[str, Any] | None, known: Sequence[Cell]) -> str:
    """Regret of the guard's rules and of the peers that choose as well."""
    text = f"## The guard's choice\n\n{method(bandit)}"
    if part is None:
        return f"{text}\n\nNot measured."
    cells, names = part["cells"], list(part["cells"][0]["regret"])
    rows = [
        [
            f"{row['workload']}, {row['capacity']:,}",
            f"{row['best_ratio']:.4f} {row['best']}",
            *(f"{row['regret'][name]:+.4f}" for name in names),
        ]
        for row in cells
    ]
    for label, column, taken in (
        ("mean", "regret", mean),
        ("largest", "regret", max),
        ("largest, worst seed", "regret_worst_seed", max),
    ):
        values = (taken([row[column][name] for row in cells]) for name in names)
        rows.append([f"**{label}**", "", *(f"{value:+.4f}" for value in values)])
    synthetic = table(["workload, entries", "best expert", *names], rows)
    measured = {key for values in part["recorded"].values() for key in values}
    counted = [cell for cell in scores.counted(known) if cell.key in measured]
    if not counted:
        return f"{text}\n\n{synthetic}"
    scored = [scores.score(rule, values, counted) for rule, values in part["recorded"].items()]
    head = ["rule", "gap closed, mean", "minimum", "wins", "regret, mean", "worst seed", "cells"]
    return f"{text}\n\n{synthetic}\n\n{table(head, map(score_row, scored))}"


def spread(value: Mapping[str, float] | None, digits: int = 2) -> str:
    """A median with its spread."""
    if value is None:
        return ""
    median, low, high = (f"{value[name]:.{digits}f}" for name in ("median", "min", "max"))
    return f"{median} ({low} to {high})"


def speed_section(part: dict[str, Any] | None) -> str:
    """Ratios of CPU time."""
    text = f"## Speed of a replay\n\n{method(speed)}"
    if part is None:
        return f"{text}\n\nNot measured."
    names = list(dict.fromkeys(name for row in part["cells"] for name in row["ratios"]))
    ratios = [
        [
            f"{row['trace']} {row['capacity']}",
            f"{row['objects']:,}",
            *(spread(row["ratios"].get(name)) for name in names),
        ]
        for row in part["cells"]
    ]
    contenders = list(dict.fromkeys(name for row in part["cells"] for name in row["cpu_seconds"]))
    seconds = [
        [
            f"{row['trace']} {row['capacity']}",
            *(spread(row["cpu_seconds"].get(name), 3) for name in contenders),
        ]
        for row in part["cells"]
    ]
    start = [[name, spread(value, 4)] for name, value in part["start"].items()]
    return "\n\n".join(
        [
            text,
            "Ratios of medians, in brackets the lowest and highest of one round; above 1 the one "
            f"named last is faster. {part['rounds']} rounds.",
            table(["cell", "objects", *names], ratios),
            "CPU seconds, as measured on this machine:",
            table(["cell", *contenders], seconds),
            "CPU seconds of whole processes on a trace of one request (start, imports, end):",
            table(["process", "CPU seconds"], start),
        ]
    )


def memory_section(part: dict[str, Any] | None) -> str:
    """Bytes fixed and per resident."""
    text = f"## Memory\n\n{method(memory)}"
    if part is None:
        return f"{text}\n\nNot measured."
    names = ("capacity", "resident", "requests", "new", "store", "auto", "beyond", "peak")
    rows = [[f"{row[name]:,}" for name in names] for row in part["cells"]]
    head = [
        "capacity", "residents", "requests", "auto, new", "store", "auto", "beyond", "auto, peak",
    ]  # fmt: skip
    largest = part["cells"][-1]
    summary = (
        f"At {largest['resident']:,} residents: **{part['per_resident']:.1f} bytes per resident** "
        f"beyond the store, {part['fixed'] / 1024:,.0f} KiB fixed; all of it by residents "
        f"{part['all_per_resident']:.1f} bytes; at the peak {part['peak_per_resident']:.1f}. The "
        f"store itself takes {largest['store'] / largest['resident']:.1f} bytes per resident. The "
        f"cache's own count (`memory_bytes`) says {largest['own_count']:,}."
    )
    return f"{text}\n\nBytes:\n\n{table(head, rows)}\n\n{summary}"


def overhead_section(part: dict[str, Any] | None) -> str:
    """Instructions of learning and shadows."""
    text = f"## Overhead of learning and shadows\n\n{method(overhead)}"
    if part is None:
        return f"{text}\n\nNot measured."
    if part["absent"]:
        text += f"\n\nNot in this engine: {', '.join(part['absent'])}."
    names = list(part["cells"][0]["instructions"])
    rows = []
    for row in part["cells"]:
        counts, seconds = row["instructions"], row["cpu_seconds"]
        fixed = counts.get("survival")
        shares = ("", "")
        if fixed is not None:
            shares = (
                f"{(counts['auto'] - fixed) / counts['auto']:.0%}",
                f"{(fixed - counts['lru']) / counts['auto']:.0%}",
            )
        rows.append(
            [
                f"{row['trace']} {row['capacity']}",
                f"{row['objects']:,}",
                *(f"{counts[name]:,.0f}" for name in names),
                *shares,
                f"{counts['auto'] / counts['lru']:.2f}",
                f"{seconds['auto']['median'] / seconds['lru']['median']:.2f}",
            ]
        )
    head = [
        "cell", "objects", *names, "guard and shadows", "history and table",
        "auto / lru, instructions", "auto / lru, CPU time",
    ]  # fmt: skip
    modules = list(dict.fromkeys(name for row in part["cells"] for name in row["modules"]))
    listed = [name for name in modules if any(least(row, name) for row in part["cells"])]
    by_module = [
        [
            f"{row['trace']} {row['capacity']}",
            *(f"{row['modules'].get(name, 0):,.0f}" for name in listed),
        ]
        for row in part["cells"]
    ]
    return "\n\n".join(
        [
            f"{text}\n\nInstructions per request:",
            table(head, rows),
            "Instructions per request of `auto` by module, those with at least 1%:",
            table(["cell", *listed], by_module),
        ]
    )


def least(row: Mapping[str, Any], module: str) -> bool:
    """Whether the module has at least one percent of the instructions."""
    return bool(row["modules"].get(module, 0) >= 0.01 * row["instructions"]["auto"])


def main(quick: bool) -> Path:
    """Render what has been measured."""
    shared = Shared.find()
    measured = {name: part for name in PARTS if (part := results.read(name, quick))}
    target = (results.QUICK if quick else ROOT / "benchmarks") / "RESULTS.md"
    cells = scores.read_cells(shared.manifest, shared.peers)
    target.write_text(render(measured, cells), encoding="utf-8")
    if not quick:
        excerpts.renew(excerpts.Results.of(measured, cells))
    return target


if __name__ == "__main__":
    print(f"wrote {main(quick='--quick' in sys.argv[1:]).relative_to(ROOT)}")
