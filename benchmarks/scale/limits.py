"""What a case comes to for one node and for one near cache, as shares of what there is."""

from collections.abc import Mapping
from typing import Any

__all__ = ["LIMITS", "shares"]

#: Bytes of a message around its key, and of a key.
AROUND = 60
#: CPU seconds that a Python process spends on a message, assumed.
MESSAGE = 20e-6
#: What counts as all there is: a core of a node, 1 GiB for what it remembers of readers, a link of
#: 10 Gbit/s, and a twentieth of a core of a process that has something else to do.
LIMITS = {
    "node CPU": "one core",
    "node memory for readers": "1 GiB",
    "node network": "10 Gbit/s",
    "cache CPU for messages": "5% of a core",
}


def shares(
    row: Mapping[str, Any], costs: Mapping[str, float], setting: Mapping[str, Any], told: str
) -> dict[str, float]:
    """The share of each limit that is used.

    Args:
        row: A case.
        costs: Nanoseconds and bytes, as measured.
        setting: How many caches and nodes.
        told: ``invalidations`` where readers are told, ``broadcast`` where everybody is.
    """
    nodes, caches = setting["nodes"], setting["caches"]
    messages = row[told]
    work = (row["fetches"] + row["writes"]) * costs["read"] + messages * costs["invalidation"]
    pairs = row["tracked"] if told == "invalidations" else 0.0
    octets = row["fetched_bytes"] + (row["fetches"] + messages) * AROUND + row["shared_bytes"]
    used = (
        work / 1e9 / nodes,
        pairs * costs["pair_bytes"] / nodes / 2**30,
        octets * 8 / nodes / 10e9,
        messages / caches * MESSAGE / 0.05,
    )
    return dict(zip(LIMITS, used, strict=True))
