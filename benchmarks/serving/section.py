"""The section of RESULTS.md on the server."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.markdown import method, table
from benchmarks.serving import endurance, equal_memory, measuring

__all__ = ["endurance_section", "equal_memory_section", "server_section"]

#: Bytes per entry that are asked for.
ENTRY_BYTES = 72


def server_section(part: Mapping[str, Any] | None) -> str:
    """CPU time per command and bytes per entry, beside the peers'."""
    text = f"## Server\n\n{method(measuring)}"
    if part is None:
        return f"{text}\n\nNot measured."
    return "\n\n".join(
        [
            text,
            f"### CPU nanoseconds per command\n\n{cost_table(part['costs'], 'nanoseconds')}",
            f"### Latency, p99.9 in milliseconds\n\n{cost_table(part['costs'], 'milliseconds')}",
            f"### Commands per second\n\n{cost_table(part['costs'], 'per_second')}",
            f"### While it is watched\n\n{watched_table(part['watched'])}",
            f"### Bytes per entry beyond key and value\n\n{entry_table(part['entries'])}",
        ]
    )


def by_load(
    rows: Sequence[Mapping[str, Any]], what: str
) -> dict[tuple[str, int, int], dict[str, float]]:
    """A number of each server, by command, pipeline and bytes of a value."""
    loads: dict[tuple[str, int, int], dict[str, float]] = {}
    for row in rows:
        load = (row["command"], row["pipeline"], row["bytes"])
        loads.setdefault(load, {})[row["server"]] = row[what]
    return loads


def cost_table(rows: Sequence[Mapping[str, Any]], what: str) -> str:
    """A line for each load; ours beside valkey in the last column."""
    servers = list(dict.fromkeys(row["server"] for row in rows))
    loads = by_load(rows, what)
    digits = 2 if what == "milliseconds" else 0
    lines = [
        [
            f"{command}, batches of {pipeline}, {size} bytes",
            *(f"{by[name]:,.{digits}f}" for name in servers),
            f"{by['augury'] / by['valkey']:.2f}",
        ]
        for (command, pipeline, size), by in loads.items()
    ]
    return table(["load", *servers, "augury / valkey"], lines)


def watched_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each server, beside the same when nobody watches it."""
    lines = [[row["server"], f"{row['nanoseconds']:,.0f}", f"{row['beside']:.3f}"] for row in rows]
    return table(["server", "CPU nanoseconds per GET", "beside unwatched"], lines)


def entry_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each server."""
    lines = [[row["server"], f"{row['entries']:,}", f"{row['bytes']:.1f}"] for row in rows]
    return table(["server", "entries", f"bytes (at most {ENTRY_BYTES} asked of augury)"], lines)


def equal_memory_section(part: Mapping[str, Any] | None) -> str:
    """Misses at equal memory: a line for each trace and capacity, the fewest in bold."""
    text = f"## Misses of the server at equal memory\n\n{method(equal_memory)}"
    if part is None:
        return f"{text}\n\nNot measured."
    names = list(part["cells"][0]["servers"])
    lines = []
    for cell in part["cells"]:
        ratios = {
            name: outcome["misses"] / outcome["requests"]
            for name, outcome in cell["servers"].items()
        }
        least = min(ratios.values())
        memory = [outcome["resident"] for outcome in cell["servers"].values()]
        lines.append(
            [
                f"{cell['trace']} {cell['fraction']:.0%}, {cell['replicas']} times",
                f"{memory[0] / 2**20:.1f}",
                f"{max(memory) / memory[0] - 1:+.1%}, {min(memory) / memory[0] - 1:+.1%}",
                *(f"**{it:.4f}**" if it == least else f"{it:.4f}" for it in ratios.values()),
            ]
        )
    return f"{text}\n\n{table(['load', 'MiB', 'others', *names], lines)}"


def endurance_section(part: Mapping[str, Any] | None) -> str:
    """Memory under churn, pauses and lags of expiry."""
    text = f"## The server over time\n\n{method(endurance)}"
    if part is None:
        return f"{text}\n\nNot measured."
    churn, pause, lag = part["churn"], part["pause"], part["lag"]
    lags = ", ".join(f"{name} {value:.1f} ms" for name, value in lag["milliseconds"].items())
    rows = [
        [
            f"resident memory over {churn['seconds']} s of churn, {churn['sets']:,} SETs",
            f"{churn['largest'] / 2**20:.0f} MiB",
            f"{churn['allowed'] / 2**20:.0f} MiB",
        ],
        [
            f"longest PING while {pause['keys']:,} keys end within one second",
            f"{pause['during'] * 1000:.1f} ms (before: {pause['before'] * 1000:.1f} ms)",
            "10 ms",
        ],
        [f"lag of expiry, {lag['keys']:,} keys over {lag['seconds']} s", lags, "p99 100 ms"],
    ]
    return f"{text}\n\n{table(['what', 'measured', 'at most'], rows)}"
