"""A plan: moves with everything that they rest on, as a file that people and `apply` read.

Where it stands: made by proposing from topology, forecast and survey; executed by applying. It is
JSON: what is read back is checked, since somebody may have edited it. A plan is stale when the
time is over that it was made for, or when the cluster is no longer as it says.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augury.errors import ConfigError
from augury.placement.surveying import HotKey
from augury.placement.topology import SLOTS, Topology

__all__ = ["Move", "Plan"]

VERSION = 1
#: Seconds that a plan is valid for at most.
LONGEST = 366 * 86_400.0
#: Bytes of a file at most: a move of every slot.
LARGEST = 16 << 20


@dataclass(frozen=True, slots=True)
class Move:
    """One slot to another node."""

    slot: int
    source: str
    target: str
    #: Of the slot, per second, and its size.
    load: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """See the head. Times are in seconds since 1970, loads per second, rooms and sizes in bytes."""

    made: float
    valid_until: float
    load: str
    topology: Topology
    moves: tuple[Move, ...]
    hot_keys: tuple[HotKey, ...]
    #: By node, with the moves and without.
    before: Mapping[str, float]
    after: Mapping[str, float]
    bytes: int
    fewest_bytes: int
    reason: str
    #: What it rests on: settings, forecast and its errors, rooms.
    basis: Mapping[str, Any]

    def imbalance(self, which: Mapping[str, float]) -> float:
        """The largest load of a node over the mean."""
        mean = sum(which.values()) / max(len(which), 1)
        return max(which.values(), default=0.0) / mean if mean else 1.0

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {
            "augury_plan": VERSION,
            "made": round(self.made, 3),
            "valid_until": round(self.valid_until, 3),
            "load": self.load,
            "reason": self.reason,
            "imbalance": {
                "before": round(self.imbalance(self.before), 4),
                "after": round(self.imbalance(self.after), 4),
            },
            "bytes": self.bytes,
            "fewest_bytes": self.fewest_bytes,
            "nodes_before": dict(self.before),
            "nodes_after": dict(self.after),
            "moves": [
                {"slot": one.slot, "source": one.source, "target": one.target,
                 "load": round(one.load, 3), "bytes": one.bytes}
                for one in self.moves
            ],
            "hot_keys": [one.to_dict() for one in self.hot_keys],
            "basis": dict(self.basis),
            "topology": self.topology.to_dict(),
            "fingerprint": self.topology.fingerprint(),
        }  # fmt: skip

    def save(self, path: Path) -> None:
        """Write it.

        Raises:
            OSError: the path cannot be written.
        """
        path.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load_from(cls, path: Path) -> "Plan":
        """Read a plan.

        Raises:
            ConfigError: the file is no plan, or one that contradicts itself.
            OSError: the file cannot be read.
        """
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        try:
            if len(data) > LARGEST:
                raise ValueError(f"more than {LARGEST:,} bytes")
            return read(json.loads(data))
        except (
            ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError
        ) as error:  # fmt: skip
            raise ConfigError(
                f"{path}: is no plan ({type(error).__name__}: {error}): make one with augury "
                "cluster plan"
            ) from error


def read(whole: Any) -> Plan:
    """A plan from JSON; any of ValueError, TypeError, KeyError where it is none."""
    if whole["augury_plan"] != VERSION:
        raise ValueError(f"version {whole['augury_plan']!r}, and this augury reads {VERSION}")
    topology = Topology.from_dict(whole["topology"])
    if topology.fingerprint() != whole["fingerprint"]:
        raise ValueError("the topology is not the one of its fingerprint")
    owners, known = topology.owners(), {node.id for node in topology.nodes}
    moves = tuple(
        Move(int(one["slot"]), str(one["source"]), str(one["target"]), float(one["load"]),
             int(one["bytes"]))
        for one in whole["moves"]
    )  # fmt: skip
    for one in moves:
        if not 0 <= one.slot < SLOTS or owners[one.slot] != one.source or one.target not in known:
            raise ValueError(f"slot {one.slot} is not at {one.source}, or {one.target} is no node")
        if one.bytes < 0:
            raise ValueError(f"slot {one.slot} cannot have {one.bytes} bytes")
    if len({one.slot for one in moves}) < len(moves):
        raise ValueError("a slot moves twice")
    made, valid_until = float(whole["made"]), float(whole["valid_until"])
    if not (math.isfinite(made) and made <= valid_until < made + LONGEST):
        raise ValueError(f"made at {made} and valid until {valid_until}: at most a year later")
    return Plan(
        made=made,
        valid_until=valid_until,
        load=str(whole["load"]),
        topology=topology,
        moves=moves,
        hot_keys=tuple(HotKey(**one) for one in whole["hot_keys"]),
        before={str(node): float(load) for node, load in whole["nodes_before"].items()},
        after={str(node): float(load) for node, load in whole["nodes_after"].items()},
        bytes=int(whole["bytes"]),
        fewest_bytes=int(whole["fewest_bytes"]),
        reason=str(whole["reason"]),
        basis=dict(whole["basis"]),
    )
