"""The section of RESULTS.md on seasons."""

from statistics import median
from typing import Any

from benchmarks import seasonal
from benchmarks.markdown import method, table

__all__ = ["seasonal_section"]

#: To be gained where there is a rhythm, and lost at most where there is none.
GAIN = 0.02
NOISE = 0.001


def seasonal_section(part: dict[str, Any] | None) -> str:
    """What seasons gain, and what they cost elsewhere."""
    text = f"## Seasons\n\n{method(seasonal)}"
    if part is None:
        return f"{text}\n\nNot measured."
    rows = [
        [
            f"{row['workload']} {row['capacity']}",
            *(f"{row[policy]:.4f}" for policy in ("auto-unseasonal", "auto")),
            f"{row['gain']:+.4f}" if row["gain"] >= GAIN else f"**{row['gain']:+.4f}**",
            f"{row['gain_least']:+.4f}",
            "" if row["rate_oracle"] is None else f"{row['rate_oracle']:.4f}",
            f"{row['belady-bypass']:.4f}",
        ]
        for row in part["rhythmic"]
    ]
    head = [
        "workload", "without", "auto", "gain", "gain, worst seed", "rate oracle", "Belady",
    ]  # fmt: skip
    steady = [row["time"] for row in part["steady"] if row["trace"] != "daily"]
    at_work = [row["time"] for row in part["steady"] if row["trace"] == "daily"]
    tempting = part["tempting"]
    changed = [row for row in tempting if row["auto"] != row["auto-unseasonal"]]
    above = [row for row in changed if loss(row) > NOISE]
    lines = [
        [f"{row['trace']}, by {row['by']}, {row['capacity']}", f"{row['auto-unseasonal']:.4f}",
         f"{loss(row):+.4f}" if loss(row) <= NOISE else f"**{loss(row):+.4f}**"]
        for row in sorted(changed, key=loss, reverse=True)
    ]  # fmt: skip
    return (
        f"{text}\n\nAt least {GAIN} was to be gained; what falls short is bold.\n\n"
        f"{table(head, rows)}\n\n"
        f"Recorded traces with namespaces: {len(changed)} of {len(tempting)} cells differ, in "
        f"{len(above)} more than the {NOISE} that was allowed is lost.\n\n"
        f"{table(['cell that differs', 'without', 'lost'], lines)}\n\n"
        f"CPU time over that without seasons: {spread(steady)} where there is no rhythm, "
        f"{spread(at_work)} on the daily workload."
    )


def loss(row: dict[str, Any]) -> float:
    """By how much seasons raise the miss ratio."""
    return float(row["auto"] - row["auto-unseasonal"])


def spread(times: list[float]) -> str:
    """Median and extremes; nothing where nothing was timed."""
    if not times:
        return "not measured"
    return f"{median(times):.2f} ({min(times):.2f} to {max(times):.2f})"
