"""Watching a cluster: what its slots do in each window of time.

Where it stands: from the nodes to the store. Servers count CPU time and bytes for each slot
(CLUSTER SLOT-STATS, of Valkey 8 and Redis 8.2 on, while ``cluster-slot-stats-enabled`` is yes) but
not requests: a node's commands in a window are split over its slots by their CPU time, and said to
be an estimate. Counters are differences between two looks; one that has fallen, or that belongs to
a slot which has just come, counts from 0. It must not know forecasts.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from augury.errors import ClusterError, ConfigError
from augury.placement.nodes import Nodes, as_map
from augury.placement.series import Window
from augury.placement.topology import SLOTS, Node, Topology

__all__ = ["Look", "look_at", "watch", "window_between"]

#: Shortest window, in seconds: a look at 16,384 slots takes some 50 ms.
SHORTEST = 0.1
ENABLE = "CONFIG SET cluster-slot-stats-enabled yes"


@dataclass(frozen=True, slots=True)
class Look:
    """Counters of a cluster at one moment."""

    time: float
    topology: Topology
    #: Commands that each node has processed.
    commands: Mapping[str, int]
    #: By node and slot: CPU time in microseconds, bytes in and out.
    counters: Mapping[str, Mapping[int, tuple[int, int]]]


def look_at(nodes: Nodes, clock: Callable[[], float] = time.time) -> Look:
    """All counters now.

    Raises:
        ClusterError: a node does not answer, or counts nothing by slot.
    """
    topology = nodes.topology()
    commands, counters = {}, {}
    for node in topology.nodes:
        counters[node.id] = slot_counters(nodes, node) if node.ranges else {}
        stats = nodes.information(node, "stats")
        commands[node.id] = int(stats.get("total_commands_processed", "0"))
    return Look(clock(), topology, commands, counters)


def slot_counters(nodes: Nodes, node: Node) -> dict[int, tuple[int, int]]:
    """CPU time and bytes by slot of one node.

    Raises:
        ClusterError: the node does not count them.
    """
    try:
        answer = nodes.ask(node, "CLUSTER", "SLOT-STATS", "SLOTSRANGE", 0, SLOTS - 1)
    except ClusterError as error:
        raise ClusterError(
            f"{error}: loads by slot need Valkey 8 or Redis 8.2 and newer; of older servers, "
            "record traffic with augury record"
        ) from error
    found = {}
    for slot, fields in answer:
        values = as_map(fields)
        if "cpu-usec" not in values:
            raise ClusterError(
                f"{node.address} counts only keys by slot: let every node run {ENABLE}, and set it "
                "in their files"
            )
        octets = int(values["network-bytes-in"]) + int(values["network-bytes-out"])
        found[int(slot)] = (int(values["cpu-usec"]), octets)
    return found


def window_between(before: Look, after: Look) -> Window:
    """What happened between two looks."""
    loads: dict[int, tuple[float, float, float]] = {}
    for node in after.topology.nodes:
        known = before.counters.get(node.id, {})
        spent = {
            slot: tuple(map(increase, known.get(slot, (0, 0)), now))
            for slot, now in after.counters[node.id].items()
        }
        commands = increase(before.commands.get(node.id, 0), after.commands[node.id])
        total = sum(cpu for cpu, _ in spent.values())
        for slot, (cpu, octets) in spent.items():
            if cpu or octets:
                loads[slot] = (cpu, octets, commands * cpu / total if total else 0.0)
    owners = {node.id: node.ranges for node in after.topology.nodes}
    return Window(after.time, max(after.time - before.time, 1e-3), owners, loads)


def increase(before: int, after: int) -> int:
    """By how much a counter has risen, which may have begun anew."""
    return after - before if after >= before else after


def watch(
    nodes: Nodes,
    keep: Callable[[Window], Any],
    *,
    every: float = 60.0,
    windows: int | None = None,
    stop: threading.Event | None = None,
    troubled: Callable[[ClusterError], Any] | None = None,
) -> int:
    """Watch until told to stop, and hand on each window.

    Args:
        nodes: Of the cluster.
        keep: Takes each window, as :meth:`augury.placement.Store.append` does.
        every: Seconds of a window.
        windows: End after so many; never if None.
        stop: Set to end between two looks.
        troubled: Told why a look has failed (a failover, for example); the window then has no
            data. If None, and at the first look always, the error is raised.

    Returns:
        The windows that were handed on.

    Raises:
        ConfigError: ``every`` or ``windows`` cannot be.
        ClusterError: the cluster cannot be looked at.
    """
    if not SHORTEST <= every <= 86_400:
        raise ConfigError(f"windows of {every} s cannot be: from {SHORTEST} s to a day")
    if windows is not None and windows < 1:
        raise ConfigError(f"{windows} windows cannot be: at least 1")
    stop = stop or threading.Event()
    before: Look | None = look_at(nodes)
    begun = time.monotonic()
    kept = looks = 0
    while windows is None or kept < windows:
        looks += 1
        if stop.wait(max(begun + looks * every - time.monotonic(), 0.0)):
            break
        try:
            after = look_at(nodes)
        except ClusterError as error:
            if troubled is None:
                raise
            troubled(error)
            before = None
            continue
        if before is not None:
            keep(window_between(before, after))
            kept += 1
        before = after
    return kept
