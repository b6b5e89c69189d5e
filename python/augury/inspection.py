"""What a trace is like, as plain data."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["HorizonSkill", "Inspection", "Octave", "Popularity", "Predictability"]

#: What each verdict on predictability means for a cache.
MEANINGS = {
    "nothing to learn": "age and reuse time tell nothing that frequency does not: what `auto` "
    "gains comes from frequency and sizes, or from choosing between policies",
    "little": "age and reuse time tell a little: expect a small gain",
    "some": "age and reuse time tell enough to gain from",
    "much": "age and reuse time tell much of what there is to know",
}


@dataclass(frozen=True, slots=True)
class Octave:
    """How many values lie between two powers of two, both ends included."""

    start: int
    end: int
    count: int


@dataclass(frozen=True, slots=True)
class Popularity:
    """How unequally requests fall on objects."""

    #: Minus the slope of log requests over log rank, among the objects requested more than once.
    zipf_alpha: float
    #: Shares of the requests.
    top_object_share: float
    top_1pct_share: float
    top_10pct_share: float


@dataclass(frozen=True, slots=True)
class HorizonSkill:
    """How well it is foretold whether an object is requested again within so many requests."""

    horizon: int
    decisions: int
    #: The share of the decisions where it was.
    again_ratio: float
    #: Mean log loss in bits per decision: of an estimate without memory, and of survival.
    memoryless_bits: float
    survival_bits: float
    #: 1 - survival / memoryless.
    skill: float


@dataclass(frozen=True, slots=True)
class Predictability:
    """Whether there is anything to learn beyond how often objects are requested."""

    #: ``nothing to learn``, ``little``, ``some`` or ``much``.
    verdict: str
    skill: float
    memoryless_bits: float
    survival_bits: float
    horizons: tuple[HorizonSkill, ...] = field(repr=False)

    @property
    def meaning(self) -> str:
        """What the verdict means for a cache."""
        return MEANINGS[self.verdict]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Predictability":
        """From the findings of the core."""
        horizons = tuple(HorizonSkill(**horizon) for horizon in found["horizons"])
        return cls(**{**found, "horizons": horizons})


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a trace is like. Sizes are in bytes, times in seconds, shares between 0 and 1."""

    trace: str
    requests: int
    reads: int
    writes: int
    deletes: int
    #: Requests by operation.
    operations: Mapping[str, int]
    objects: int
    #: The sum over the objects of the last size seen.
    footprint_bytes: int
    mean_object_size: float
    mean_request_size: float
    #: Whether every size is 1: capacities count entries.
    unit_sizes: bool
    #: The share of the objects that are requested once.
    one_hit_wonder_ratio: float
    #: Objects over requests: no cache that does not prefetch misses less.
    compulsory_miss_ratio: float
    popularity: Popularity
    #: Requests between two for the same object.
    reuse_times: tuple[Octave, ...] = field(repr=False)
    object_sizes: tuple[Octave, ...] = field(repr=False)
    requests_with_ttl: int
    ttls: tuple[Octave, ...] = field(repr=False)
    first_time: int
    time_span_seconds: int
    #: None where the trace is too short to tell.
    predictability: Predictability | None
    #: Malformed records left out, by what was wrong.
    skipped: Mapping[str, int]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Inspection":
        """From the findings of the core."""
        foretold = found["predictability"]
        return cls(
            **{
                **found,
                "popularity": Popularity(**found["popularity"]),
                "predictability": Predictability.of(foretold) if foretold else None,
                "reuse_times": octaves(found["reuse_times"]),
                "object_sizes": octaves(found["object_sizes"]),
                "ttls": octaves(found["ttls"]),
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """The findings as plain dictionaries, lists and numbers."""
        return asdict(self)


def octaves(found: Iterable[Mapping[str, int]]) -> tuple[Octave, ...]:
    """A histogram from the findings of the core."""
    return tuple(Octave(octave["from"], octave["to"], octave["count"]) for octave in found)
