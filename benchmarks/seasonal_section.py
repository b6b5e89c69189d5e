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
    steady = part["steady"]
    losses = [row["auto"] - row["auto-unseasonal"] for row in steady]
    changed = sum(loss != 0 for loss in losses)
    times = [row["time"] for row in steady]
    return (
        f"{text}\n\nAt least {GAIN} was to be gained; what falls short is bold.\n\n"
        f"{table(head, rows)}\n\n"
        f"Without a rhythm, {len(steady)} cells: largest loss {max(losses):+.4f}, at most {NOISE} "
        f"was allowed; {changed} cells differ at all. CPU time over that without seasons: "
        f"median {median(times):.2f}, {min(times):.2f} to {max(times):.2f}."
    )
