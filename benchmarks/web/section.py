"""The section of RESULTS.md on the proxy."""

from collections.abc import Mapping
from typing import Any

from benchmarks.markdown import method, table
from benchmarks.web import measuring

__all__ = ["web_section"]


def web_section(part: Mapping[str, Any] | None) -> str:
    """Hits beside nginx's, laws beside hishel's."""
    text = f"## Proxy\n\n{method(measuring)}"
    if part is None:
        return f"{text}\n\nNot measured."
    hits = [
        [
            row["server"],
            f"{row['bytes']:,}",
            f"{row['microseconds']:.0f}",
            f"{row['per_second']:,.0f}",
        ]
        for row in part["hits"]
    ]
    kept = {name: sum(law[name] for law in part["laws"]) for name in ("augury", "hishel")}
    laws = [
        [law["section"], law["what"], *("yes" if law[name] else "**no**" for name in kept)]
        for law in part["laws"]
    ]
    totals = [f"{name} {count} of {len(laws)}" for name, count in kept.items()]
    return "\n\n".join(
        [
            text,
            "### Hits",
            table(["server", "bytes", "CPU microseconds", "requests per second"], hits),
            f"### Laws: {', '.join(totals)}",
            table(["section", "law", *kept], laws),
        ]
    )
