"""Tasks of training on many traces: what is taken from, and what is replayed on, one shard.

Where it stands: between the executor and training. A shard is the part of a trace's objects that
one node of a cluster has, by a hash of the key, replayed by a cache of its part of the capacity; so
its ages are in requests that this node sees. A task is plain data, and so is its result: both
travel to and from other machines. It must not know who executes.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from augury import _core
from augury.capacity import Capacity
from augury.errors import ConfigError, TraceError
from augury.learn.artifact import Artifact
from augury.learn.dataset import DataSet, sampled
from augury.learn.judging import Replays, replays_of
from augury.reading import Reading

__all__ = ["Shard", "Trial", "data_of", "judge_shard", "opened", "try_shard"]

#: A record of the format oracleGeneral.
RECORD = np.dtype([("time", "<u4"), ("id", "<u8"), ("size", "<u4"), ("next", "<i8")])
#: Odd, so that it loses no bit of an id: the golden ratio of 64 bits (Knuth, 6.4).
MULTIPLIER = np.uint64(0x9E37_79B9_7F4A_7C15)


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a trace, and how it is sampled."""

    trace: str
    number: int
    of: int
    capacity: str
    rows: int
    until: float
    seed: int
    reading: Reading

    @property
    def label(self) -> str:
        """The trace's name, and which part."""
        name = _core.trace_name(self.trace)
        return name if self.of == 1 else f"{name} {self.number + 1}/{self.of}"

    def share(self, whole: "_core.Trace") -> Capacity:
        """The capacity of this node's cache: its part of what the whole trace resolves to."""
        asked = Capacity.parse(self.capacity)
        if self.of == 1:
            return asked
        return Capacity.parse(max(whole.resolve(asked.asked) // self.of, 1))


@contextmanager
def opened(shard: Shard) -> Iterator[tuple["_core.Trace", Capacity]]:
    """The requests of a shard, in memory, and the capacity of its cache.

    Raises:
        TraceError: the trace cannot be read, or the shard has no request.
    """
    whole = shard.reading.measured(shard.trace, in_memory=True)
    capacity = shard.share(whole)
    if shard.of == 1:
        yield whole, capacity
        return
    with tempfile.TemporaryDirectory(prefix="augury-shard-") as folder:
        path = Path(folder) / "shard.oracleGeneral"
        whole.write_oracle_general(os.fspath(path))
        records = np.fromfile(path, RECORD)
        places = part_of(records["id"], shard.of) == shard.number
        if not places.any():
            raise TraceError(f"{shard.label}: no request: take fewer shards", "empty")
        own = records[places]
        own["next"] = next_of(own["id"])
        own.tofile(path)
        yield Reading("oracleGeneral").measured(os.fspath(path), in_memory=True), capacity


def part_of(ids: Any, parts: int) -> Any:
    """Which part each object is in, by the upper bits of its id's product."""
    with np.errstate(over="ignore"):
        mixed = (ids.astype(np.uint64) * MULTIPLIER) >> np.uint64(32)
    return (mixed * np.uint64(parts)) >> np.uint64(32)


def next_of(ids: Any) -> Any:
    """The place of the next request for the same object, -1 where there is none."""
    order = np.argsort(ids, kind="stable")
    found = np.full(len(ids), -1, np.int64)
    same = ids[order][1:] == ids[order][:-1]
    found[order[:-1][same]] = order[1:][same]
    return found


def data_of(shard: Shard) -> DataSet:
    """The feature rows of one shard."""
    with opened(shard) as (trace, capacity):
        data = sampled(trace, shard.label, capacity, shard.rows, shard.until, shard.seed)
    # Buffers of the extension's do not travel.
    return replace(
        data,
        X=data.X.copy(),
        ticks=data.ticks.copy(),
        waits=data.waits.copy(),
        observed=data.observed.copy(),
    )


@dataclass(frozen=True, slots=True)
class Trial:
    """A model, as bytes, to be tried or judged on one shard."""

    shard: Shard
    model: bytes


def try_shard(trial: Trial) -> Replays:
    """Replays of the last quarter of what was trained on."""
    from augury.learn.training import TRIED

    shard = trial.shard
    with opened(shard) as (trace, capacity):
        last = int(trace.requests * shard.until)
        model = Artifact(trial.model).native
        return replays_of(
            trace, capacity, model, int(last * (1 - TRIED)), until=last, seed=shard.seed
        )


def judge_shard(trial: Trial) -> dict[str, Any] | None:
    """Both judgements on what comes after what was trained on, as JSON; None where it is little."""
    from augury.learn.training import judged

    shard = trial.shard
    with opened(shard) as (trace, capacity):
        start = int(trace.requests * shard.until)
        try:
            found = judged(trace, capacity, Artifact(trial.model), start, shard.rows, shard.seed)
        except ConfigError:
            return None
    return found.to_dict()
