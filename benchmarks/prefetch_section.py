"""The section of RESULTS.md on prefetch."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import prefetch
from benchmarks.inputs import percent
from benchmarks.markdown import method

#: At most so much above the same cell without prefetch, and so many more requests to the origin.
LIMIT = 0.002
EXTRA = 0.10
#: Share of the cells that are to fall below Belady with the larger budget.
SHARE = 0.25


def prefetch_section(part: dict[str, Any] | None) -> str:
    """What it reached, and every cell."""
    text = f"## Prefetch\n\n{method(prefetch)}"
    if part is None:
        return f"{text}\n\nNot measured."
    rows = part["cells"]
    counted = [row for row in rows if row["counts"] and row["role"] == "benchmark"]
    judged = [row for row in rows if row["counts"] or row["trace"] == prefetch.SILENT]
    pieces = [text, targets(counted, judged), f"### By cell\n\n{cell_table(judged)}"]
    if by_session := [row for row in rows if row["sessions"]]:
        pieces.append(f"### With the sessions that a CSV names\n\n{cell_table(by_session)}")
    return "\n\n".join(pieces)


def targets(counted: Sequence[Mapping[str, Any]], judged: Sequence[Mapping[str, Any]]) -> str:
    """What was to be reached, and what was."""
    worst = max(judged, key=lambda row: row["variants"]["default"]["ratio"] - row["without"])
    most = max(judged, key=lambda row: row["variants"]["default"]["extra"])
    above = worst["variants"]["default"]["ratio"] - worst["without"]
    extra = most["variants"]["default"]["extra"]
    calm, cheap = ("met" if met else "**not met**" for met in (above <= LIMIT, extra <= EXTRA))
    lines = [
        f"- Default budget, largest excess over the same cell without prefetch: {above:+.4f} "
        f"({name(worst)}), at most {LIMIT} was asked: {calm}.",
        f"- Default budget, most extra origin requests: {extra:+.1%} ({name(most)}), at most "
        f"{EXTRA:.0%} was asked: {cheap}.",
    ]
    if counted:
        for variant, _, _ in prefetch.VARIANTS:
            below = sum(row["variants"][variant]["ratio"] < row["belady"] for row in counted)
            share = below / len(counted)
            word = ""
            if variant == "half":
                met = "met" if share >= SHARE else "**not met**"
                word = f", at least {SHARE:.0%} was asked: {met}"
            lines.append(f"- Below Belady, {variant}: {below} of {len(counted)} cells{word}.")
    return "\n".join(lines)


def name(row: Mapping[str, Any]) -> str:
    """Trace and capacity."""
    return f"{row['trace']} {percent(row['fraction'])}"


def cell_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A row per cell; for each variant the miss ratio, extra origin requests and accuracy."""
    head = ["cell", "Belady", "without"]
    for variant, _, _ in prefetch.VARIANTS:
        head += [variant, "extra", "accuracy"]
    head += ["coverage, half", "time, default"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for row in rows:
        line = [name(row), f"{row['belady']:.4f}", f"{row['without']:.4f}"]
        for variant, _, _ in prefetch.VARIANTS:
            got = row["variants"][variant]
            is_below = got["ratio"] < row["belady"]
            ratio = f"**{got['ratio']:.4f}**" if is_below else f"{got['ratio']:.4f}"
            line += [ratio, f"{got['extra']:+.1%}", f"{got['accuracy']:.2f}"]
        variants = row["variants"]
        line += [f"{variants['half']['coverage']:.2f}", f"{variants['default']['seconds']:.2f}"]
        lines.append(line)
    text = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return (
        "Demand miss ratios; bold is below Belady. Coverage is of the budget of 50%, time the "
        f"replay loop's against the same without prefetch.\n\n{text}"
    )
