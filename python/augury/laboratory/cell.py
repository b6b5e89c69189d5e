"""One outcome: one trace, one policy, one capacity, one seed."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["FIELDS", "Cell", "Reign", "Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a replay, for the miss ratio over time."""

    requests: int
    misses: int

    @property
    def miss_ratio(self) -> float:
        """The share of this stretch's requests that missed."""
        return self.misses / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Reign:
    """From the request numbered ``start`` on, `auto` evicted by this ranking."""

    start: int
    ranking: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What one replay came to.

    Ratios are shares between 0 and 1. ``capacity`` is the capacity as asked for,
    ``capacity_bytes`` what it came to: bytes, or entries where every object has size 1.
    ``seconds`` is the replay loop alone (for peers also their reading of the decoded file).
    """

    trace: str
    policy: str
    capacity: str
    capacity_bytes: int
    requests: int
    misses: int
    object_miss_ratio: float
    byte_miss_ratio: float
    seconds: float
    requests_per_second: float
    seed: int
    version: str
    requested_bytes: int = 0
    missed_bytes: int = 0
    #: Records of the trace that were malformed and left out.
    skipped: int = 0
    windows: tuple[Window, ...] = field(default=(), repr=False)
    reigns: tuple[Reign, ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The cell as the JSON contract has it: scalars only, in the order of the fields."""
        return {name: getattr(self, name) for name in FIELDS}

    def ruled(self) -> dict[str, float]:
        """The share of the requests under each ranking, largest first; empty but for `auto`."""
        ends = [reign.start for reign in self.reigns[1:]] + [self.requests]
        shares: dict[str, float] = {}
        for reign, end in zip(self.reigns, ends, strict=False):
            share = (end - reign.start) / self.requests if self.requests else 0.0
            shares[reign.ranking] = shares.get(reign.ranking, 0.0) + share
        return dict(sorted(shares.items(), key=lambda item: -item[1]))


#: The names of the scalar fields, as JSON, CSV and data frames have them.
FIELDS = (
    "trace",
    "policy",
    "capacity",
    "capacity_bytes",
    "requests",
    "misses",
    "object_miss_ratio",
    "byte_miss_ratio",
    "seconds",
    "requests_per_second",
    "seed",
    "version",
    "requested_bytes",
    "missed_bytes",
    "skipped",
)
