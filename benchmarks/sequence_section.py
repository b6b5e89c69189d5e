"""The part of RESULTS.md's section on prefetch that is about sequence models."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from benchmarks import sequence
from benchmarks.inputs import percent
from benchmarks.markdown import method, table

#: In the order of presentation; the model is the last.
PREDICTORS = ("successor", "mithril", "sequence")


def sequence_section(part: dict[str, Any] | None) -> str:
    """How a model trained before does beside predictors that learn, and every cell."""
    text = f"### A sequence model trained before\n\n{method(sequence)}"
    if part is None:
        return f"{text}\n\nNot measured."
    rows = [row for row in part["cells"] if "omission" not in row]
    own = [row for row in rows if not row["sessions"]]
    counted = [row for row in own if row["counts"] and row["role"] == "benchmark"]
    pieces = [text]
    if counted:
        pieces.append(summary(counted))
    pieces.append(
        "Demand miss ratios of the second half; bold is the lowest of the three. Extra and "
        "accuracy are the model's; continuations are what it knows, by objects and by distances."
    )
    pieces.append(cell_table(own))
    if by_session := [row for row in rows if row["sessions"]]:
        pieces.append(f"With the sessions that a CSV names:\n\n{cell_table(by_session)}")
    if left_out := [f"{at(row)}: {row['omission']}" for row in part["cells"] if "omission" in row]:
        pieces.append("Left out: " + "; ".join(left_out) + ".")
    return "\n\n".join(pieces)


def summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """Means over the cells that count, and who is the lowest."""
    lines = []
    for budget in rows[0]["variants"]:
        means = ", ".join(
            f"{name} {fmean(row['variants'][budget][name]['ratio'] for row in rows):.4f}"
            for name in PREDICTORS
        )
        plain = fmean(row["without"] for row in rows)
        best = [lowest(row, budget) for row in rows]
        wins = sum(name == "sequence" for name in best)
        worst = max(rows, key=lambda row: excess(row, budget))
        most = max(rows, key=lambda row: row["variants"][budget]["sequence"]["extra"])
        lines.append(
            f"- Budget of {budget}: mean demand miss ratio without prefetch {plain:.4f}, {means}; "
            f"the model is the lowest in {wins} of {len(rows)} cells. Its largest excess over no "
            f"prefetch is {excess(worst, budget):+.4f} ({at(worst)}), its most extra requests "
            f"{most['variants'][budget]['sequence']['extra']:+.1%} ({at(most)})."
        )
    return "\n".join(lines)


def excess(row: Mapping[str, Any], budget: str) -> float:
    """How far the model is above no prefetch."""
    return float(row["variants"][budget]["sequence"]["ratio"] - row["without"])


def lowest(row: Mapping[str, Any], budget: str) -> str | None:
    """Who has the lowest ratio; nobody where two have, or where it is that without prefetch."""
    ratios = {name: row["variants"][budget][name]["ratio"] for name in PREDICTORS}
    best = min(ratios.values())
    names = [name for name, ratio in ratios.items() if ratio == best]
    return names[0] if len(names) == 1 and best < row["without"] else None


def at(row: Mapping[str, Any]) -> str:
    """Trace and capacity."""
    return f"{row['trace']} {percent(row['fraction'])}"


def cell_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A row per cell: each predictor under each budget."""
    head = ["cell", "without"]
    for budget in sequence.BUDGETS:
        head += [f"{name}, {budget:.0%}" for name in PREDICTORS]
        head += ["extra", "accuracy"]
    head.append("continuations")
    lines = []
    for row in rows:
        line = [at(row), f"{row['without']:.4f}"]
        for budget in row["variants"]:
            best = lowest(row, budget)
            for name in PREDICTORS:
                shown = f"{row['variants'][budget][name]['ratio']:.4f}"
                line.append(f"**{shown}**" if name == best else shown)
            model = row["variants"][budget]["sequence"]
            line += [f"{model['extra']:+.1%}", f"{model['accuracy']:.2f}"]
        objects, steps = row["continuations"]
        lines.append([*line, f"{objects:,} + {steps:,}"])
    return table(head, lines)
