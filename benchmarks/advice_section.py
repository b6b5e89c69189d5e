"""RESULTS.md's section on advice."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import advice
from benchmarks.markdown import method, table


def advice_section(part: dict[str, Any] | None) -> str:
    """Promises beside what came."""
    text = f"## Advice\n\n{method(advice)}"
    if part is None:
        return f"{text}\n\nNot measured."
    return f"{text}\n\n{summary(part['cells'])}\n\n{cell_table(part['cells'])}"


def summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """How often a promise was kept."""
    promised = [row for row in rows if row["verdict"] == "gain"]
    saved = sum(row["came"] > 0 for row in promised)
    kept = sum(row["came"] >= row["promised"]["low"] for row in promised)
    within = sum(row["promised"]["low"] <= row["came"] <= row["promised"]["high"]
                 for row in promised)  # fmt: skip
    return (
        f"A saving was promised in {len(promised)} of {len(rows)} cells. There was one in {saved} "
        f"of them, at least as large as the lower end of the interval in {kept}, and within the "
        f"interval in {within}."
    )


def cell_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Every cell, in reads that no longer miss of a thousand."""
    lines = []
    for row in rows:
        told = row["promised"]
        shown = "" if told is None else (
            f"{1000 * told['mean']:.1f} ({1000 * told['low']:.1f} to {1000 * told['high']:.1f})"
        )  # fmt: skip
        cell = f"{row['trace']} {row['fraction']:.0%}"
        best = f"{1000 * row['best_came']:.1f} {row['best']}"
        came = f"{1000 * row['came']:.1f}"
        lines.append([cell, row["verdict"], row["policy"], shown, came, best])
    head = ["cell", "verdict", "policy", "promised of 1,000 reads", "came", "best that came"]
    return table(head, lines)
