"""One outcome: one trace, one policy, one capacity, one seed."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["FIELDS", "PREFETCH_FIELDS", "Cell", "Reign", "Window"]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a replay, for the miss ratio over time."""

    requests: int
    misses: int
    #: What `auto` evicted by at its end; None for policies that do not choose.
    ruling: str | None = None

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
    ``seconds`` is the replay loop alone; for peers and streamed traces also the reading.
    What libCacheSim does not tell about its policies is None.
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
    #: Records of the trace that were malformed and left out.
    skipped: int = 0
    #: Objects that came in, and newcomers that the policy turned away.
    insertions: int | None = None
    rejections: int | None = None
    #: Objects that left for room, and those whose TTL had passed.
    evictions: int | None = None
    expired: int | None = None
    #: Objects held at the end, and the engine's own bytes for them: index, records, history,
    #: ghosts and shadows, without keys and values.
    resident: int | None = None
    memory_bytes: int | None = None
    #: Objects of the trace's mean size that the capacity holds.
    capacity_objects: float | None = None
    #: With prefetch: requests that missed all the same, objects fetched before they were asked for,
    #: those of them that were then asked for, and all that the origin was asked for.
    demand_misses: int | None = None
    prefetches_issued: int | None = None
    prefetches_used: int | None = None
    origin_requests: int | None = None
    windows: tuple[Window, ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The cell as the JSON contract has it: scalars only, in the order of the fields."""
        names = FIELDS if self.prefetches_issued is None else (*FIELDS, *PREFETCH_FIELDS)
        return {name: getattr(self, name) for name in names}

    @property
    def prefetch_accuracy(self) -> float | None:
        """The share of the prefetched objects that were asked for in time; None if there are none.

        Prefetched objects still waiting at the end count as not asked for.
        """
        if not self.prefetches_issued or self.prefetches_used is None:
            return None
        return self.prefetches_used / self.prefetches_issued

    @property
    def prefetch_coverage(self) -> float | None:
        """The share of what would have missed that prefetch answered; None without prefetch."""
        if self.prefetches_used is None:
            return None
        return self.prefetches_used / max(self.misses + self.prefetches_used, 1)

    @property
    def reigns(self) -> tuple[Reign, ...]:
        """Which ranking `auto` evicted by, window by window; empty for other policies."""
        found: list[Reign] = []
        start = 0
        for window in self.windows:
            if window.ruling and not (found and found[-1].ranking == window.ruling):
                found.append(Reign(start, window.ruling))
            start += window.requests
        return tuple(found)

    def ruled(self) -> dict[str, float]:
        """The share of the requests under each ranking, largest first; empty but for `auto`."""
        shares: dict[str, float] = {}
        for window in self.windows:
            if window.ruling:
                share = window.requests / self.requests
                shares[window.ruling] = shares.get(window.ruling, 0.0) + share
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
    "skipped",
    "insertions",
    "rejections",
    "evictions",
    "expired",
    "resident",
    "memory_bytes",
    "capacity_objects",
)
#: Those of cells that were replayed with prefetch.
PREFETCH_FIELDS = (
    "demand_misses",
    "prefetches_issued",
    "prefetches_used",
    "origin_requests",
    "prefetch_accuracy",
    "prefetch_coverage",
)
