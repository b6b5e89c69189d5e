"""The section of RESULTS.md on refresh-ahead."""

from collections.abc import Mapping
from typing import Any

from benchmarks import freshness, freshness_chart
from benchmarks.markdown import method, table

__all__ = ["freshness_section"]

#: How much more than the better baseline was to be removed, and what of periodic keys' misses.
RATIO = 1.5
PERIODIC = 0.90


def freshness_section(part: dict[str, Any] | None) -> str:
    """What is removed at the limit, and the curves."""
    text = f"## Refresh-ahead\n\n{method(freshness)}"
    if part is None:
        return f"{text}\n\nNot measured."
    head = ["removed at +10% loads", *freshness.SWEEPS, "ratio", "most there is",
        "by a budget of 10%"]  # fmt: skip
    folder = "" if part["quick"] else "results/"
    return (
        f"{text}\n\n{table(head, map(line, part['cells']))}\n\n"
        f"The ratio is of *planned* to the better of {' and '.join(freshness.BASELINES)}; "
        f"{RATIO} was to be reached, what falls short is bold. *Most there is* is the ratio that "
        "would be reached if no expiry miss were left, and after it the clairvoyant's.\n\n"
        f"![Expiry misses removed against extra loads]({folder}{freshness_chart.NAME})"
    )


def line(row: Mapping[str, Any]) -> list[str]:
    """One workload."""
    reached = freshness.ratio(row)
    best = max(row["at"][name] for name in freshness.BASELINES)
    return [
        row["workload"],
        *(f"{row['at'][name]:.3f}" for name in freshness.SWEEPS),
        f"{reached:.2f}" if reached >= RATIO else f"**{reached:.2f}**",
        f"{1 / best:.2f}, {row['at']['clairvoyant'] / best:.2f}",
        f"{row['budgeted']['removed']:.3f} at {row['budgeted']['spent']:+.1%}",
    ]
