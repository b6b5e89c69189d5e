"""The section of RESULTS.md on the near cache."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.markdown import method, table
from benchmarks.nearcache import measuring

__all__ = ["APART", "GET_FACTOR", "HIT_FACTOR", "LATENCY_FACTOR", "nearcache_section"]

#: Times a `Cache.get`, and how much less than a GET.
HIT_FACTOR, GET_FACTOR = 1.3, 50
LATENCY_FACTOR = 20
#: Between the hit ratio and the replay's.
APART = 0.005


def nearcache_section(part: Mapping[str, Any] | None) -> str:
    """What a hit costs, what reaches a cluster, hit ratios, and the checker's counts."""
    text = f"## Near cache\n\n{method(measuring)}"
    if part is None:
        return f"{text}\n\nNot measured."
    ratios = part["ratios"]
    beside = (
        f"Hit ratio over {ratios['requests']:,} reads without writes: {ratios['near']:.4f}, in the "
        f"replay {ratios['replay']:.4f}."
    )
    return "\n\n".join(
        [
            text,
            f"### CPU time of a read\n\n{cost_table(part['costs'])}",
            f"### A read-heavy workload on a cluster\n\n{workload_table(part['workload'])}",
            beside,
            f"### Stale reads\n\n{checker_table(part['checker'])}",
        ]
    )


def cost_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Beside `Cache.get` of the same keys in the last column."""
    lines = []
    least = 1.0
    for row in rows:
        name, taken = row["contestant"], row["nanoseconds"]
        least = taken if name.startswith("`Cache.get`") else least
        lines.append([name, f"{taken:,.0f}", f"{taken / least:,.2f}"])
    return table(["read", "ns", "times `Cache.get`"], lines)


def workload_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each contestant."""
    lines = [
        [
            row["contestant"],
            f"{row['operations']:,}",
            f"{row['requests']:,}",
            f"{row['hit_ratio']:.4f}" if "hit_ratio" in row else "",
            f"{row['p50_us']:,.1f}",
            f"{row['p99_us']:,.0f}",
            f"{row['cpu_us']:,.1f}",
        ]
        for row in rows
    ]
    head = [
        "client", "operations", "reach the cluster", "hit ratio", "p50, us", "p99, us", "CPU, us",
    ]  # fmt: skip
    return table(head, lines)


def checker_table(found: Mapping[str, Any]) -> str:
    """What was done, what was done to it, and what came of it."""
    stale = found["stale"]
    rows = [
        ["operations (reads and writes)", f"{found['operations']:,}"],
        ["of which reads answered by memory", f"{found['hits']:,}"],
        ["seconds", f"{found['seconds']:,.0f}"],
        *([f"fault: {name}", f"{count:,}"] for name, count in found["faults"].items()),
        ["leases that ran out", f"{found['lapses']:,}"],
        ["connections lost", f"{found['losses']:,}"],
        ["stale: older than an own write (a)", f"{stale['a']:,}"],
        ["stale: older than an invalidation (b)", f"{stale['b']:,}"],
        ["stale: older than the bound (c)", f"{stale['c']:,}"],
        [
            "reads left to the client that were stale: the cluster's own",
            f"{found['stale_plain']:,}",
        ],
        ["acknowledged writes that the cluster lost", f"{found['lost_writes']:,}"],
        ["reads that such a write explains", f"{found['behind_lost']:,}"],
    ]
    return table(["", "count"], rows)
