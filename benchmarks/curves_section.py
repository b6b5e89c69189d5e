"""The section of RESULTS.md with the curves of the README's picture."""

from typing import Any

from benchmarks import curves, curves_chart
from benchmarks.markdown import method, table

__all__ = ["curves_section"]


def curves_section(part: dict[str, Any] | None) -> str:
    """The picture, and its points."""
    text = f"## Curves\n\n{method(curves)}"
    if part is None:
        return f"{text}\n\nNot measured."
    folder = "" if part["quick"] else "results/"
    pieces = [text, f"![{curves_chart.ALT}]({folder}{curves_chart.NAME})"]
    for row in part["rows"]:
        peers = {share: f"{ratio:.4f} {name}" for share, ratio, name in row["peers"]}
        names = list(row["curves"])
        shares = [share for share, _ in row["curves"][names[0]]]
        lines = [
            [
                f"{share:.1%}",
                *(f"{dict(row['curves'][name])[share]:.4f}" for name in names),
                peers.get(share, ""),
            ]
            for share in shares
        ]
        pieces.append(f"### {row['trace']}, by capacity\n\n")
        pieces[-1] += table(["capacity", *names, "best peer"], lines)
    return "\n\n".join(pieces)
