"""The section of RESULTS.md on the server."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.markdown import method, table
from benchmarks.serving import measuring

__all__ = ["server_section"]

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
            f"### CPU nanoseconds per command\n\n{cost_table(part['costs'])}",
            f"### Bytes per entry beyond key and value\n\n{entry_table(part['entries'])}",
        ]
    )


def cost_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each load; ours beside valkey in the last column."""
    servers = list(dict.fromkeys(row["server"] for row in rows))
    loads: dict[tuple[str, int, int], dict[str, float]] = {}
    for row in rows:
        load = (row["command"], row["pipeline"], row["bytes"])
        loads.setdefault(load, {})[row["server"]] = row["nanoseconds"]
    lines = [
        [
            f"{command}, batches of {pipeline}, {size} bytes",
            *(f"{by[name]:,.0f}" for name in servers),
            f"{by['augury'] / by['valkey']:.2f}",
        ]
        for (command, pipeline, size), by in loads.items()
    ]
    return table(["load", *servers, "augury / valkey"], lines)


def entry_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line for each server."""
    lines = [[row["server"], f"{row['entries']:,}", f"{row['bytes']:.1f}"] for row in rows]
    return table(["server", "entries", f"bytes (at most {ENTRY_BYTES} asked of augury)"], lines)
