"""The mixed-integer program of a plan, handed to HiGHS by scipy.

    each node that has too much   load - given away        <= limit + excess
    each node that has room       load + taken in          <= limit,  bytes taken in <= its room
    each item                     goes to at most one node

The excess is 0 where that can be, else the least there is; then the cost is minimised. Called by
planning alone; it must not know slots, only items with a load, a cost and bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from augury.extras import require
from augury.placement.history import Floats

__all__ = ["Ints", "Item", "Program", "program_of"]

Ints = npt.NDArray[np.int64]
#: How far from the least cost an answer may be, as a share, and nodes of the search at most: by
#: these, not by a time, the same input has the same answer.
GAP = 0.01
SEARCHED = 20_000
#: By how much the least excess may be exceeded for a lower cost, in mean loads.
SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Item:
    """Slots of one node that move together or not at all."""

    slots: Ints
    node: int
    #: As a share of the mean load of a node.
    load: float
    bytes: float
    cost: float


def program_of(
    items: Sequence[Item],
    receivers: Sequence[int],
    apart: Floats,
    room: Sequence[float | None],
) -> "Program":
    """The program.

    Args:
        items: What may be given away.
        receivers: Numbers of the nodes that may take it.
        apart: Limit less load of every node, in mean loads; below 0 where it has too much.
        room: Bytes that each node may take in; None where there is no limit.
    """
    sparse = require("scipy.sparse", "placement")
    givers = sorted({item.node for item in items})
    count = len(items) * len(receivers)
    # Of variable (item i, receiver r) the place is i * receivers + r; the excesses stand behind.
    given = np.repeat(np.arange(len(items)), len(receivers))
    taken = np.tile(np.arange(len(receivers)), len(items))
    load = np.array([item.load for item in items])[given]
    octets = np.array([item.bytes for item in items])[given]
    source = np.array([givers.index(item.node) for item in items])[given]

    def rows(values: Floats, places: Ints, height: int) -> Any:
        table = (values, (places, np.arange(count)))
        return sparse.csr_matrix(table, (height, count + len(givers)))

    excess = sparse.eye_array(len(givers), count + len(givers), k=count, format="csr")
    spare = [np.inf if room[node] is None else float(room[node] or 0) for node in receivers]
    return Program(
        [
            (rows(-load, source, len(givers)) - excess, apart[givers]),
            (rows(load, taken, len(receivers)), apart[list(receivers)]),
            (rows(octets, taken, len(receivers)), np.array(spare)),
            (rows(np.ones(count), given, len(items)), np.ones(len(items))),
        ],
        np.array([item.cost for item in items])[given],
        len(givers),
    )


@dataclass(frozen=True, slots=True)
class Program:
    """The mixed-integer program: rows with their upper bounds, binaries, then excesses."""

    rows: list[tuple[Any, Floats]]
    #: Of each binary.
    cost: Floats
    excesses: int

    @property
    def binaries(self) -> int:
        """How many."""
        return len(self.cost)

    def cheapest(self) -> tuple[list[int], float]:
        """The binaries that are 1 at the least cost, and a bound below which no cost is."""
        unit = max(float(self.cost.sum()), 1.0)
        by_cost = np.concatenate([self.cost / unit, np.zeros(self.excesses)])
        found = self.solve(by_cost, 0.0)
        if found.x is None:
            by_excess = np.concatenate([np.zeros(self.binaries), np.ones(self.excesses)])
            worst = self.solve(by_excess, np.inf)
            if worst.x is None:
                return [], 0.0
            left = float(worst.x[self.binaries :].sum())
            found = self.solve(by_cost, np.inf, total=left + SLACK)
            if found.x is None:
                return self.ones(worst), 0.0
        return self.ones(found), float(found.mip_dual_bound or 0.0) * unit

    def ones(self, found: Any) -> list[int]:
        """The binaries that are 1 in an answer."""
        ones: list[int] = np.flatnonzero(found.x[: self.binaries] > 0.5).tolist()
        return ones

    def solve(self, objective: Floats, most: float, total: float = np.inf) -> Any:
        """HiGHS's answer, with each excess, and their sum, at most so large."""
        optimize = require("scipy.optimize", "placement")
        constraints = [optimize.LinearConstraint(rows, ub=above) for rows, above in self.rows]
        if np.isfinite(total):
            line = np.concatenate([np.zeros(self.binaries), np.ones(self.excesses)])
            constraints.append(optimize.LinearConstraint(line, ub=total))
        above = np.concatenate([np.ones(self.binaries), np.full(self.excesses, most)])
        kinds = np.concatenate([np.ones(self.binaries), np.zeros(self.excesses)])
        return optimize.milp(
            objective,
            constraints=constraints,
            integrality=kinds,
            bounds=optimize.Bounds(0, above),
            options={"mip_rel_gap": GAP, "node_limit": SEARCHED},
        )
