"""``docs/scale.md``, and the section of RESULTS.md, from the simulation's numbers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.inputs import ROOT
from benchmarks.markdown import method, table
from benchmarks.scale.limits import LIMITS, shares

__all__ = ["page_of", "scale_section", "write"]

TOLD = {"invalidations": "readers are told", "broadcast": "everybody is told"}


def write(part: Mapping[str, Any], quick: bool) -> None:
    """The page; of a quick run beside its results."""
    path = results.folder(quick) / "scale.md" if quick else ROOT / "docs" / "scale.md"
    Path(path).write_text(page_of(part), encoding="utf-8")


def scale_section(part: Mapping[str, Any] | None) -> str:
    """The section of RESULTS.md: the tables are on the page."""
    # Imported here: measuring writes this page.
    from benchmarks.scale import measuring

    text = f"## Scale, by simulation\n\n{method(measuring)}"
    if part is None:
        return f"{text}\n\nNot measured."
    return f"{text}\n\n{case_table(part)}\n\nWhat it means is in [docs/scale.md](../docs/scale.md)."


def page_of(part: Mapping[str, Any]) -> str:
    """The whole page."""
    setting = part["setting"]
    total = setting["caches"] * setting["rate"]
    first = {told: worst(part, told) for told in TOLD}
    return "\n\n".join(
        [
            "# Scale, on paper and by simulation",
            f"{setting['caches']:,} near caches before {setting['nodes']} nodes, {total:,} "
            "requests per second. Rendered by `benchmarks/scale/page.py` from "
            "`benchmarks/results/scale.json`; `python -m benchmarks.run scale` simulates anew. The "
            "method is at the head of `benchmarks/scale/measuring.py`.",
            "![What reaches the cluster](../benchmarks/results/scale.svg)",
            f"## Size of a near cache against load of the cluster\n\n{case_table(part)}",
            size_words(part),
            f"## Invalidations\n\n{invalidation_words(part)}",
            f"## Sharing histories\n\n{sharing_words(part)}",
            f"## What breaks first\n\n{limit_words(part)}\n\n{limit_table(part)}",
            "\n".join(
                f"- Where {TOLD[told]}, **{name}** is the first to break, at {share:.0%} with "
                f"{row['write_share']:.2%} writes: it bears {1 / share:,.1f} times this traffic, "
                "if all grows alike."
                for told, (name, share, row) in first.items()
            ),
        ]
    ) + "\n"  # fmt: skip


def largest(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The case with the largest cache and most writes."""
    found: Mapping[str, Any] = max(
        part["cells"], key=lambda row: (row["capacity"], row["write_share"])
    )
    return found


def worst(part: Mapping[str, Any], told: str) -> tuple[str, float, Mapping[str, Any]]:
    """The limit that is used most in the case with most writes, and the case."""
    row = largest(part)
    used = shares(row, part["costs"], part["setting"], told)
    name = max(used, key=lambda one: used[one])
    return name, used[name], row


def case_table(part: Mapping[str, Any]) -> str:
    """A line for each case."""
    rows = [
        [f"{row['capacity'] / 2**20:g} MiB, {row['write_share']:.2%}", f"{row['hit_ratio']:.3f}",
         f"{row['fetches'] / 1e6:.3f}", f"{row['invalidations'] / 1e6:.3f}",
         f"{row['broadcast'] / 1e6:.2f}", f"{row['needless']:.1%}", f"{row['stale']:.3%}",
         f"{row['tracked'] / part['setting']['nodes'] / 1e6:.2f}"]
        for row in part["cells"]
    ]  # fmt: skip
    head = ["capacity, writes", "hit ratio", "fetches, M/s", "invalidations, M/s", "broadcast, M/s",
            "needless", "overtaken reads", "readers remembered by a node, M"]  # fmt: skip
    return table(head, rows)


def cell(part: Mapping[str, Any], capacity: int, writes: float) -> Mapping[str, Any]:
    """The case of this capacity and share of writes, or the nearest."""
    found: Mapping[str, Any] = min(
        part["cells"],
        key=lambda row: (abs(row["write_share"] - writes), abs(row["capacity"] - capacity)),
    )
    return found


def size_words(part: Mapping[str, Any]) -> str:
    """What size does and does not do."""
    capacities = sorted({row["capacity"] for row in part["cells"]})
    shares_of_writes = sorted({row["write_share"] for row in part["cells"]})
    lines = []
    for writes in shares_of_writes:
        small, large = (cell(part, capacities[place], writes) for place in (0, -1))
        lines.append(
            f"- {writes:.2%} writes: {small['capacity'] / 2**20:g} MiB a cache leave "
            f"{small['fetches'] / small['requests']:.1%} of the requests to the cluster, "
            f"{large['capacity'] / 2**20:g} MiB {large['fetches'] / large['requests']:.1%}."
        )
    return "\n".join(lines)


def invalidation_words(part: Mapping[str, Any]) -> str:
    """How many messages a write makes, and what they cost in fetches."""
    lines = []
    for row in part["cells"]:
        if row["capacity"] == largest(part)["capacity"] and row["writes"]:
            lines.append(
                f"- {row['write_share']:.2%} writes: a write is told to "
                f"{row['invalidations'] / row['writes']:,.0f} caches on average "
                f"({row['broadcast'] / row['invalidations']:.1f} times as many if everybody is "
                "told), a near cache hears "
                f"{row['invalidations'] / part['setting']['caches']:,.0f} a second, "
                f"{row['needless']:.1%} of them of values that it no longer has. "
                f"{row['stale']:.3%} of the reads are answered while the word is on its way, "
                f"{row['crossed']:,.0f} fetches a second are overtaken by a write and not kept."
            )
    return "\n".join(lines)


def sharing_words(part: Mapping[str, Any]) -> str:
    """What histories cost."""
    row, setting = largest(part), part["setting"]
    each = row["shared_bytes"] / setting["caches"]
    return (
        f"One object in 64, by hash, at 24 bytes each minute: {each:,.0f} bytes a second from each "
        f"cache, {row['shared_bytes'] / 1e6:.2f} MB a second in all, "
        f"{row['shared_bytes'] / row['fetched_bytes']:.2%} of the bytes of fetched values. It all "
        "goes to one trainer, which reads it once; a model of 64 KiB every ten minutes to every "
        f"cache is {setting['caches'] * 65_536 / 600 / 1e6:.2f} MB a second more."
    )


def limit_words(part: Mapping[str, Any]) -> str:
    """What the shares are of, and what they rest on."""
    costs, capacity = part["costs"], largest(part)["capacity"]
    limits = ", ".join(f"{name}: {what}" for name, what in LIMITS.items())
    return (
        f"Shares of what there is ({limits}), at {capacity / 2**20:g} MiB a cache. A read takes "
        f"{costs['read'] / 1e3:.1f} us of a node's CPU, an invalidation "
        f"{costs['invalidation'] / 1e3:.2f} us, a remembered reader {costs['pair_bytes']:.0f} "
        "bytes, as measured; 20 us for a message in a Python process are assumed."
    )


def limit_table(part: Mapping[str, Any]) -> str:
    """Shares of the limits, by writes and by who is told."""
    capacity = largest(part)["capacity"]
    rows = []
    for told, words in TOLD.items():
        for row in part["cells"]:
            if row["capacity"] == capacity:
                used = shares(row, part["costs"], part["setting"], told)
                shown = [f"{share:.1%}" for share in used.values()]
                rows.append([f"{row['write_share']:.2%} writes, {words}", *shown])
    return table(["case", *LIMITS], rows)
