"""How slots go from one node to another, by the cluster's own commands.

Where it stands: under applying, which says which slots and how fast. Two ways:

* Atomic (Valkey 9): ``CLUSTER MIGRATESLOTS`` on the source. The server sends a snapshot and what
  changes meanwhile, pauses for a moment and hands over; clients see nothing but a redirection.
* Classic: ``SETSLOT IMPORTING`` and ``MIGRATING``, ``MIGRATE`` of the keys in batches, and
  ``SETSLOT NODE``. Clients are redirected key by key. Each step may be repeated, so one that was
  cut off by a kill goes on from where it stands. ``REPLACE``, because while the source has a key,
  the source's is the one that counts.

It must not know plans or loads.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from augury.errors import ClusterError
from augury.placement.nodes import Nodes, as_map
from augury.placement.topology import Node, ranges_of

__all__ = ["has_atomic", "migrate", "migrations_under_way", "wait_until"]

#: Seconds for one batch, and between two looks at it.
PATIENCE = 600.0
LOOK = 0.02
#: Keys of a MIGRATE, and milliseconds it may take.
KEYS = 100
MIGRATE_MS = 10_000
ENDED = {"success", "failed", "canceled", "cancelled"}


def has_atomic(nodes: Nodes, node: Node) -> bool:
    """Whether a node can hand over slots atomically."""
    try:
        nodes.ask(node, "CLUSTER", "GETSLOTMIGRATIONS")
    except ClusterError:
        return False
    return True


def migrations_under_way(nodes: Nodes, node: Node) -> list[dict[str, str]]:
    """The exports of a node that have not ended; none where it knows no such thing."""
    try:
        answer = nodes.ask(node, "CLUSTER", "GETSLOTMIGRATIONS")
    except ClusterError:
        return []
    return [one for one in map(fields, answer) if one["state"] not in ENDED and is_export(one)]


def fields(answer: Any) -> dict[str, str]:
    """What is told of a migration, as text."""
    return {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for name, value in as_map(answer).items()
    }


def is_export(one: dict[str, str]) -> bool:
    """Whether the node that tells of it is its source."""
    return one.get("operation") == "EXPORT"


def migrate(
    nodes: Nodes, source: Node, target: Node, slots: Sequence[int], others: Sequence[Node]
) -> None:
    """Move slots, and return when both nodes say so.

    Args:
        nodes: Of the cluster.
        source: Who has the slots.
        target: Who is to have them.
        slots: Which.
        others: The other primaries.

    Raises:
        ClusterError: a node refuses or does not answer; what was begun can be begun again.
    """
    if has_atomic(nodes, source):
        hand_over(nodes, source, target, slots)
    else:
        for slot in slots:
            carry(nodes, source, target, slot, others)


def hand_over(nodes: Nodes, source: Node, target: Node, slots: Sequence[int]) -> None:
    """Atomic migration of a batch."""
    ranges = ranges_of(slots)
    words = [word for first, last in ranges for word in (first, last)]
    known = {one["name"] for one in map(fields, nodes.ask(source, "CLUSTER", "GETSLOTMIGRATIONS"))}
    nodes.ask(source, "CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", *words, "NODE", target.id)

    def has_ended() -> bool:
        listed = map(fields, nodes.ask(source, "CLUSTER", "GETSLOTMIGRATIONS"))
        new = [one for one in listed if one["name"] not in known and is_export(one)]
        for one in new:
            if one["state"] in ENDED - {"success"}:
                raise ClusterError(
                    f"{source.address}: slots {one['slot_ranges']} stay: {one['state']}: "
                    f"{one['message']}"
                )
        return bool(new) and all(one["state"] == "success" for one in new)

    wait_until(has_ended, f"slots {words} leave {source.address}")


def carry(nodes: Nodes, source: Node, target: Node, slot: int, others: Sequence[Node]) -> None:
    """Classic migration of one slot."""
    nodes.ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
    nodes.ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
    credentials = nodes.credentials()
    while keys := nodes.ask(source, "CLUSTER", "GETKEYSINSLOT", slot, KEYS):
        nodes.ask(
            source, "MIGRATE", target.host, target.port, "", 0, MIGRATE_MS, "REPLACE",
            *credentials, "KEYS", *keys,
        )  # fmt: skip
    for node in (target, source, *others):
        nodes.ask(node, "CLUSTER", "SETSLOT", slot, "NODE", target.id)


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    """Ask again and again until it is so.

    Raises:
        ClusterError: it is not in time.
    """
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise ClusterError(
                f"{what}: not within {patience:g} s; it may go on: look at it, then apply again"
            )
        time.sleep(LOOK)
