"""Stores of prefix blocks beside each other, on the prompts of mooncake_conversation.

12,031 prompts of one hour, in blocks of 512 tokens. A block is of use only where all blocks before
it are stored; told is the share of the tokens that are. `auto` and `lru` are the engine, which
knows of no tree and is asked from the last block of a prompt to the first; `leaf-lru` evicts the
leaf used longest ago, `prefix` the leaf worth least, `belady` the leaf asked for last.
"""

from typing import Any

from augury.laboratory.prefix import POLICIES, replay_prefixes
from benchmarks import prefix_blocks, results
from benchmarks.inputs import Shared
from benchmarks.markdown import method, table

TRACE = "mooncake_conversation.csv.zst"
CAPACITIES = ("1%", "2%", "5%", "10%", "20%")


def measure(quick: bool) -> None:
    """Replay everything."""
    capacities = CAPACITIES[:1] if quick else CAPACITIES
    found = replay_prefixes(Shared.find().folder / TRACE, capacity=capacities)
    rows = [
        {"capacity": label, **{name: found.of(name, label).token_hit_ratio for name in POLICIES}}
        for label in capacities
    ]
    results.write("prefix_blocks", quick, {"cells": rows, "most": found.most_hit_ratio})
    print(f"prefix_blocks: {len(rows)} capacities measured")


def prefix_blocks_section(part: dict[str, Any] | None) -> str:
    """RESULTS.md's section."""
    text = f"## Prefix blocks\n\n{method(prefix_blocks)}"
    if part is None:
        return f"{text}\n\nNot measured."
    rows = []
    for row in part["cells"]:
        best = max(row[name] for name in POLICIES if name != "belady")
        shown = [
            f"**{row[name]:.4f}**" if row[name] == best else f"{row[name]:.4f}" for name in POLICIES
        ]
        rows.append([row["capacity"], *shown])
    told = f"Token hit ratios; without bounds {part['most']:.4f}. Bold: the highest of a store."
    return f"{text}\n\n{told}\n\n{table(['capacity', *POLICIES], rows)}"
