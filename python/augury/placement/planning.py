"""Which slots should move where: the fewest bytes for a balance of load.

Where it stands: from loads, sizes and owners to moves; it asks nobody, so the same input makes the
same plan. No node is to have more than ``target`` times the mean load, or, where one of its slots
alone has more, than that slot. What to give away, and to whom, is a mixed-integer program, solved
by HiGHS through scipy (`program`): minimise the bytes moved. Its items are slots; light ones are
bundled, so that it stays small with 16,384 of them.

Three things keep a plan from undoing the last one: nothing moves while the imbalance is under
``trigger``, every move costs as much as ``MOVE_BYTES`` beside its own, and slots that have just
come do not go on. Why so: docs/decisions/0030.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from augury.errors import ConfigError
from augury.placement.history import Floats
from augury.placement.program import Ints, Item, program_of

__all__ = ["MOVE_BYTES", "Balance", "Moves", "balance_of", "choose_moves"]

#: What a move costs beside its bytes, in bytes: a fork or a handshake, and redirected clients.
MOVE_BYTES = 64 << 10
#: Binary variables of the program, about.
VARIABLES = 12_000
#: Items of a node that gives: the fewest and the most, and how many slots alone for each bundle.
FEWEST, MOST, ALONE = 24, 240, 5
#: Room for load that is looked at, in excesses.
ROOM = 2.0
#: Above this times the mean, a rounding error is an excess.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Balance:
    """Loads of the nodes, in the order of the nodes."""

    loads: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Load of a node if all had the same."""
        return sum(self.loads) / len(self.loads)

    @property
    def imbalance(self) -> float:
        """The largest load over the mean; 1 where there is none."""
        return max(self.loads) / self.mean if self.mean else 1.0


@dataclass(frozen=True, slots=True)
class Moves:
    """What to move, and why no more."""

    #: Slot and number of the node that is to have it.
    moves: tuple[tuple[int, int], ...]
    before: Balance
    after: Balance
    bytes: int
    #: No plan that balances as well moves fewer bytes than this, of the items that were looked at.
    fewest_bytes: int
    #: In words.
    reason: str


def balance_of(owners: Ints, loads: Floats, nodes: int) -> Balance:
    """The nodes' loads; owners and loads have shape (16384,)."""
    return Balance(tuple(np.bincount(owners, loads, nodes).tolist()))


def choose_moves(
    owners: Ints,
    loads: Floats,
    sizes: Floats,
    room: Sequence[float | None],
    *,
    target: float = 1.05,
    trigger: float = 1.15,
    free: npt.NDArray[np.bool_] | None = None,
) -> Moves:
    """The moves of a plan.

    Args:
        owners: Number of each slot's node, of shape (16384,), as the other arrays.
        loads: To be expected of each slot.
        sizes: Bytes of each slot.
        room: Bytes that each node may take in; None where there is no limit.
        target: The largest load over the mean that is looked for.
        trigger: The least that anything is moved for.
        free: Whether each slot may move; all may if None.

    Raises:
        ConfigError: a limit cannot be.

    >>> owners, loads = np.zeros(16_384, np.int64), np.zeros(16_384)
    >>> loads[:4] = 1.0
    >>> found = choose_moves(owners, loads, np.ones(16_384), [None, None])
    >>> found.before.imbalance, found.after.imbalance, len(found.moves)
    (2.0, 1.0, 2)
    """
    if not 1 <= target <= trigger:
        raise ConfigError(
            f"target {target} and trigger {trigger} cannot be: from 1 up, and the trigger, from "
            "which anything is moved, not below the target"
        )
    nodes = len(room)
    before = balance_of(owners, loads, nodes)
    if before.imbalance <= trigger:
        why = f"an imbalance of {before.imbalance:.3f} is not above {trigger:g}, so nothing moves"
        return Moves((), before, before, 0, 0, why)
    limits = np.full(nodes, target * before.mean)
    np.maximum.at(limits, owners, loads)
    free = np.ones(len(owners), np.bool_) if free is None else free
    receivers = receivers_of(before, limits)
    items = items_of(owners, loads, sizes, free, before, limits, len(receivers))
    if not items or not receivers:
        why = "no slot of the nodes with too much load may move"
        return Moves((), before, before, 0, 0, why)
    apart = (limits - np.array(before.loads)) / before.mean
    chosen, least = program_of(items, receivers, apart, room).cheapest()
    pairs = [
        (items[place // len(receivers)], receivers[place % len(receivers)]) for place in chosen
    ]
    moves = tuple(sorted((int(slot), node) for item, node in pairs for slot in item.slots))
    ended = owners.copy()
    for slot, node in moves:
        ended[slot] = node
    after = balance_of(ended, loads, nodes)
    moved = int(sum(sizes[slot] for slot, _ in moves))
    bound = max(round(least) - MOVE_BYTES * len(moves), 0)
    return Moves(moves, before, after, moved, bound, reason_of(after, target, loads, room))


def reason_of(after: Balance, target: float, loads: Floats, room: Sequence[float | None]) -> str:
    """Whether the target is reached, and if not, what is in the way."""
    if after.imbalance <= target * (1 + ROUNDING):
        return f"an imbalance of {target:g} is reached"
    share = float(loads.max()) / after.mean
    if share > target and after.imbalance <= share * (1 + ROUNDING):
        return (
            f"slot {int(loads.argmax())} alone has {share:.2f} of a node's mean load: it cannot be "
            "divided by moving, only its hot keys be held near"
        )
    why = "memory" if any(one is not None for one in room) else "slots that may not move yet"
    return f"an imbalance of {target:g} is not reached, because of {why} or the size of slots"


def receivers_of(before: Balance, limits: Floats) -> list[int]:
    """The nodes with most room for load, as many as are needed."""
    room = limits - np.array(before.loads)
    wanted = ROOM * -room[room < 0].sum()
    order = [int(node) for node in np.argsort(-room, kind="stable") if room[node] > 0]
    enough = int(np.searchsorted(np.cumsum(room[order]), wanted)) + 1
    return order[: max(enough, 3)]


def items_of(
    owners: Ints,
    loads: Floats,
    sizes: Floats,
    free: npt.NDArray[np.bool_],
    before: Balance,
    limits: Floats,
    receivers: int,
) -> list[Item]:
    """What may be given away: slots that relieve most per byte alone, lighter ones in bundles."""
    givers = [node for node, load in enumerate(before.loads) if load > limits[node]]
    each = VARIABLES // max(len(givers) * receivers, 1)
    bundles = min(max(each, FEWEST), MOST) // (ALONE + 1)
    parts: list[tuple[int, Ints]] = []
    for node in givers:
        own = np.flatnonzero((owners == node) & (loads > 0) & free)
        density = loads[own] / (sizes[own] + MOVE_BYTES)
        own = own[np.argsort(-density, kind="stable")]
        alone = min(ALONE * bundles, len(own))
        parts += [(node, own[place : place + 1]) for place in range(alone)]
        lighter = own[alone:]
        if len(lighter):
            shares = np.cumsum(loads[lighter]) / loads[lighter].sum()
            bundle = np.minimum((shares * bundles).astype(int), bundles - 1)
            parts += [(node, lighter[bundle == number]) for number in np.unique(bundle)]
    return [
        Item(
            slots,
            node,
            float(loads[slots].sum() / before.mean),
            float(sizes[slots].sum()),
            float(sizes[slots].sum() + MOVE_BYTES * len(slots)),
        )
        for node, slots in parts
    ]
