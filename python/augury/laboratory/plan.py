"""What to replay, checked before anything is read."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from augury import _core
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.laboratory.curve import SWEEP
from augury.laboratory.policies import is_peer
from augury.laboratory.prefetch import Prefetch
from augury.reading import Reading

__all__ = ["Plan", "read_capacities", "read_jobs", "read_seeds", "read_sources"]

LARGEST_SEED = 2**64 - 1
MOST_JOBS = 1024

Source = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay."""

    sources: tuple[str, ...]
    policies: tuple[str, ...]
    capacities: tuple[Capacity, ...]
    seeds: tuple[int, ...]
    curve: bool
    #: Read anew for every replay, in place of decoding in memory; None decides by size.
    stream: bool | None
    reading: Reading
    prefetch: Prefetch | None = None
    #: Points of curves come from samples of the objects where capacity and trace are large.
    sampled: bool = False

    @property
    def sweep(self) -> tuple[Capacity, ...]:
        """The capacities of the curves."""
        return tuple(map(Capacity.parse, SWEEP)) if self.curve else ()

    @property
    def replays(self) -> int:
        """How many replays that makes, the points of curves included."""
        own = sum(not is_peer(policy) for policy in self.policies)
        cells = len(self.policies) * len(self.capacities) * len(self.seeds)
        return len(self.sources) * (cells + own * len(self.sweep))

    def names(self) -> tuple[str, ...]:
        """The traces' names in results: short, but the path where two would be the same."""
        short = [_core.trace_name(source) for source in self.sources]
        return tuple(
            name if short.count(name) == 1 else source
            for name, source in zip(short, self.sources, strict=True)
        )


def read_sources(traces: Source | Iterable[Source]) -> tuple[str, ...]:
    """The traces, each once, in order."""
    listed: Iterable[Source] = [traces] if isinstance(traces, str | os.PathLike) else traces
    found = dict.fromkeys(os.fspath(trace) for trace in listed)
    if not found:
        raise ConfigError("no trace given: name a file, or synthetic:NAME")
    return tuple(found)


def read_capacities(
    asked: str | float | Capacity | Iterable[str | float | Capacity],
) -> tuple[Capacity, ...]:
    """The capacities, each once, in order; text may hold several, separated by commas."""
    if isinstance(asked, str | int | float | Capacity):
        asked = [asked]
    texts = [part for one in asked for part in (one.split(",") if isinstance(one, str) else [one])]
    found = dict.fromkeys(map(Capacity.parse, texts))
    if not found:
        raise ConfigError("no capacity given: name at least one, such as 1%")
    return tuple(found)


def read_seeds(asked: int | Iterable[int]) -> tuple[int, ...]:
    """The seeds, each once, in order."""
    listed: Iterable[object] = [asked] if isinstance(asked, int) else asked
    found: list[int] = []
    for seed in listed:
        if not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
            raise ConfigError(f"seed {seed!r} is not a whole number from 0 to {LARGEST_SEED}")
        found.append(seed)
    if not found:
        raise ConfigError("no seed given: name at least one, such as 1")
    return tuple(dict.fromkeys(found))


def read_jobs(asked: int | None) -> int:
    """The number of threads."""
    jobs = len(os.sched_getaffinity(0)) if asked is None else asked
    if not 1 <= jobs <= MOST_JOBS:
        raise ConfigError(f"jobs {jobs!r} is outside the range from 1 to {MOST_JOBS}")
    return jobs
