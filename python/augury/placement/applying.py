"""Executing a plan: checked, batch by batch, no faster than allowed, again after a kill.

Where it stands: last. The cluster itself remembers how far a plan is: a slot is either where the
plan found it, and has to move, or where it is to be, and is done. Any other owner of any slot,
another primary, a slot that somebody else has half moved, or a plan whose time is over make it
stale, and it is refused. So an apply that was killed is run once more, and goes on.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from augury.errors import ClusterError, ConfigError
from augury.placement.migrating import migrate, migrations_under_way, wait_until
from augury.placement.nodes import Nodes
from augury.placement.plan import Move, Plan
from augury.placement.surveying import rooms_of
from augury.placement.topology import Node, Topology

__all__ = ["Applied", "apply_plan", "remaining"]

#: Bytes per second, and seconds of that rate in one batch.
RATE = 32 << 20
BATCH_SECONDS = 1.0
#: Slots of a batch: a snapshot looks at all keys, but a long list of slots is paused for longer.
BATCH_SLOTS = 512
#: Seconds in which all nodes have to hear of what has moved.
GOSSIP = 30.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it."""

    moved: tuple[Move, ...]
    #: Moves that an earlier run had made.
    done_before: int
    #: Moves that are left, where it was stopped.
    left: int
    seconds: float

    @property
    def bytes(self) -> int:
        """Of the slots that were moved, as the plan has them."""
        return sum(one.bytes for one in self.moved)


def remaining(plan: Plan, topology: Topology, now: float | None = None) -> list[Move]:
    """The moves that are still to be made.

    Raises:
        ClusterError: the plan is stale.
    """
    now = time.time() if now is None else now
    if now > plan.valid_until:
        raise ClusterError(
            f"the plan's time ended {now - plan.valid_until:,.0f} s ago: load may be elsewhere by "
            "now; make a new one"
        )
    there, planned = ({one.id for one in known.nodes} for known in (topology, plan.topology))
    if there != planned:
        raise ClusterError(
            f"the cluster has {len(there)} primaries, {len(there - planned)} of them not in the "
            f"plan, which has {len(planned)}: make a new one"
        )
    moves = {one.slot: one for one in plan.moves}
    left = []
    for slot, (now_at, then_at) in enumerate(
        zip(topology.owners(), plan.topology.owners(), strict=True)
    ):
        move = moves.get(slot)
        if move is not None and now_at == move.source:
            left.append(move)
        elif now_at != (then_at if move is None else move.target):
            raise ClusterError(
                f"slot {slot} is at {str(now_at)[:12]} and not where the plan has it: the cluster "
                "has changed; make a new plan"
            )
    if strange := sorted(topology.open_slots - {one.slot for one in left}):
        raise ClusterError(f"slot {strange[0]} is half moved by somebody else: end that first")
    return left


def batches_of(moves: list[Move], rate: float) -> list[list[Move]]:
    """Moves of one way together, those that relieve most first, each of a second's bytes or so."""
    ways: dict[tuple[str, str], list[Move]] = {}
    for move in sorted(moves, key=lambda one: -one.load):
        ways.setdefault((move.source, move.target), []).append(move)
    found: list[list[Move]] = []
    for way in ways.values():
        size = 0
        for place, move in enumerate(way):
            size += move.bytes
            full = size > rate * BATCH_SECONDS or (found and len(found[-1]) >= BATCH_SLOTS)
            if place == 0 or full:
                found.append([])
                size = move.bytes
            found[-1].append(move)
    return sorted(found, key=lambda batch: -sum(one.load for one in batch))


def apply_plan(
    nodes: Nodes,
    plan: Plan,
    *,
    rate: float = RATE,
    stop: threading.Event | None = None,
    progress: Callable[[int, int], object] = lambda _done, _of: None,
) -> Applied:
    """Execute a plan, or what is left of it.

    Args:
        nodes: Of the cluster.
        plan: What to do.
        rate: Bytes per second, on average over batches of a second.
        stop: Set to end between two batches.
        progress: Told the moves that are made, and of how many, after each batch.

    Raises:
        ClusterError: the plan is stale, or the cluster refuses; a new run goes on.
        ConfigError: the rate cannot be.
    """
    if not rate > 0:
        raise ConfigError(f"a rate of {rate} bytes per second cannot be: above 0")
    stop = stop or threading.Event()
    begun = time.monotonic()
    settle_down(nodes, plan)
    left = remaining(plan, nodes.topology())
    done_before = len(plan.moves) - len(left)
    check_rooms(nodes, plan, left)
    moved: list[Move] = []
    started = time.monotonic()
    for batch in batches_of(left, rate):
        wait = started + sum(one.bytes for one in moved) / rate - time.monotonic()
        if stop.wait(max(wait, 0.0)):
            break
        # Somebody may have moved slots, or a node may have failed, since the last batch.
        topology = nodes.topology()
        remaining(plan, topology, plan.made)
        source, target = topology.node(batch[0].source), topology.node(batch[0].target)
        others = [one for one in topology.nodes if one not in (source, target)]
        migrate(nodes, source, target, [one.slot for one in batch], others)
        moved += batch
        wait_until(partial(all_know, nodes, batch), "nodes hear of what has moved", GOSSIP)
        progress(len(moved) + done_before, len(plan.moves))
    seconds = time.monotonic() - begun
    return Applied(tuple(moved), done_before, len(left) - len(moved), seconds)


def settle_down(nodes: Nodes, plan: Plan) -> None:
    """Wait for atomic migrations that an earlier run had begun before it was killed.

    Raises:
        ClusterError: one is under way that is not the plan's.
    """
    planned = {one.slot for one in plan.moves}
    for node in nodes.told_by(nodes.seed).nodes:
        for one in migrations_under_way(nodes, node):
            if not slots_of(one["slot_ranges"]) <= planned:
                raise ClusterError(
                    f"{node.address}: slots {one['slot_ranges']} are being moved by somebody else: "
                    "wait until they are, then make a new plan"
                )
        wait_until(partial(is_at_rest, nodes, node), f"{node.address} ends what it is moving")
    wait_until(lambda: agree(nodes), "nodes agree who has which slots", GOSSIP)


def is_at_rest(nodes: Nodes, node: Node) -> bool:
    """Whether a node hands nothing over."""
    return not migrations_under_way(nodes, node)


def slots_of(text: str) -> set[int]:
    """Slots from their ranges.

    >>> sorted(slots_of("0-2 7"))
    [0, 1, 2, 7]
    """
    found: set[int] = set()
    for part in text.split():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def agree(nodes: Nodes) -> bool:
    """Whether all primaries say the same."""
    try:
        nodes.topology()
    except ClusterError:
        return False
    return True


def all_know(nodes: Nodes, moved: list[Move]) -> bool:
    """Whether every primary says that these slots are where they were moved to."""
    try:
        owners = nodes.topology().owners()
    except ClusterError:
        return False
    return all(owners[one.slot] == one.target for one in moved)


def check_rooms(nodes: Nodes, plan: Plan, left: list[Move]) -> None:
    """Refuse what no longer fits.

    Raises:
        ClusterError: a node's memory has filled up since the plan was made.
    """
    share = float(plan.basis.get("memory_share", 1.0))
    for node, room in rooms_of(nodes, plan.topology, share).items():
        coming = sum(one.bytes for one in left if one.target == node)
        if room is not None and coming > room:
            raise ClusterError(
                f"{plan.topology.node(node).address} has room for {room:,.0f} bytes and is to take "
                f"{coming:,}: its memory has filled up; make a new plan"
            )
