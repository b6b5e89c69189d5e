"""From a cluster as it is now, and a forecast, to a plan.

Where it stands: it asks the survey, hands loads, sizes and rooms to planning, and writes down what
all rested on. It executes nothing.
"""

import time
from collections.abc import Mapping, Sequence

import numpy as np

from augury.errors import ConfigError
from augury.placement.forecasting import Accuracy, Forecast
from augury.placement.history import Floats, History
from augury.placement.nodes import Nodes
from augury.placement.plan import Move, Plan
from augury.placement.planning import choose_moves
from augury.placement.program import Ints
from augury.placement.surveying import Sample, rooms_of, sizes_of
from augury.placement.topology import SLOTS

__all__ = ["make_plan"]

#: Slots whose keys are looked at for their size.
LOOKED_AT = 512
#: Seconds that a plan may be executed for at least, however short its windows are.
VALID = 600.0


def make_plan(
    nodes: Nodes,
    history: History,
    told: Forecast,
    errors: Sequence[Accuracy] = (),
    *,
    target: float = 1.05,
    trigger: float = 1.15,
    settle: float = 3_600.0,
    memory: float = 0.9,
    sample: Sample | None = None,
    held_near: bool = False,
) -> Plan:
    """A plan for a cluster as it is now.

    Args:
        nodes: Of the cluster.
        history: What was watched; slots that have just moved are in it.
        told: The load to be expected.
        errors: Of that forecast, to be kept in the plan.
        target: The largest load over the mean that is looked for.
        trigger: The least imbalance that anything is moved for.
        settle: Seconds for which a slot stays where it came to.
        memory: Share of its maxmemory that a node may use after the moves.
        sample: Requests by key, to find hot keys.
        held_near: Whether near caches hold the hot keys by then: their reads are no load.

    Raises:
        ClusterError: the cluster cannot be asked, or a slot is half moved.
        ConfigError: an option cannot be, or the forecast is of the past.
    """
    if not 0 < memory <= 1:
        raise ConfigError(f"memory {memory} is not a share above 0 and at most 1")
    made, end = time.time(), told.since + len(told.loads) * told.every
    if end + VALID < made:
        raise ConfigError(
            f"the forecast ended {made - end:,.0f} s ago: watch the cluster until now, or look "
            "further ahead"
        )
    topology = nodes.topology()
    numbers = {node.id: place for place, node in enumerate(topology.nodes)}
    owners: Ints = np.array([numbers[str(owner)] for owner in topology.owners()])
    loads = spread(told.means())
    hot = sample.hot_keys(len(numbers)) if sample else []
    if held_near:
        for one in hot:
            loads[one.slot] *= max(1 - one.share_of_slot, 0.0)
    heaviest = np.argsort(-loads, kind="stable")[:LOOKED_AT].tolist()
    sizes = spread(sizes_of(nodes, topology, heaviest))
    rooms = rooms_of(nodes, topology, memory)
    free = np.ones(SLOTS, np.bool_)
    free[[slot for slot, when in history.moved.items() if when > history.end - settle]] = False
    free[list(topology.open_slots)] = False
    found = choose_moves(
        owners, loads, sizes, [rooms[node.id] for node in topology.nodes],
        target=target, trigger=trigger, free=free,
    )  # fmt: skip
    names = [node.id for node in topology.nodes]
    return Plan(
        made=made,
        valid_until=max(end, made + VALID),
        load=told.metric,
        topology=topology,
        moves=tuple(
            Move(slot, names[owners[slot]], names[node], float(loads[slot]), int(sizes[slot]))
            for slot, node in found.moves
        ),
        hot_keys=tuple(hot),
        before=dict(zip(names, found.before.loads, strict=True)),
        after=dict(zip(names, found.after.loads, strict=True)),
        bytes=found.bytes,
        fewest_bytes=found.fewest_bytes,
        reason=found.reason,
        basis={
            "target": target, "trigger": trigger, "settle_seconds": settle,
            "settling_slots": int(np.count_nonzero(~free)), "memory_share": memory, "rooms": rooms,
            "held_near": held_near, "sampled_seconds": sample.seconds if sample else None,
            "windows": len(history), "window_seconds": told.every, "horizon": len(told.loads),
            "season_windows": told.season, "method": told.method,
            "errors": [one.to_dict() for one in errors],
        },
    )  # fmt: skip


def spread(values: Mapping[int, float]) -> Floats:
    """Values by slot as an array of shape (16384,)."""
    found = np.zeros(SLOTS)
    if values:
        found[list(values)] = list(values.values())
    return found
