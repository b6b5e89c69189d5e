"""Data sets: feature rows at random decision points, and how long each object waited.

They come from a replay or from a running cache.

The engine takes the rows (`augury_core::sampler`), with the same code that serving uses. Here they
become labels, and are split in time so that no label leaks.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from augury import _core
from augury.cache import Cache
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.learn.schema import FEATURES
from augury.reading import Reading

__all__ = ["DEFAULT_CAPACITY", "DEFAULT_ROWS", "Cleaning", "DataSet", "build_dataset", "dataset_of"]

#: Horizon of a label, in mean residences. Short: what decides is how soon, and an object reused
#: only at the end of its stay has cost its room all the while (docs/decisions/0013).
RESIDENCES = 0.2
DEFAULT_ROWS = 200_000
DEFAULT_CAPACITY = "1%"

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What was left out, counted."""

    #: Malformed records of the trace.
    malformed: int
    #: Rows whose object had not come back before the end, too early to tell.
    unresolved: int


@dataclass(frozen=True, slots=True)
class DataSet:
    """Feature rows with waits, in the order of time.

    ``X`` has shape (rows, features), single precision, columns as in
    :data:`~augury.learn.FEATURES`. ``ticks`` (when, in requests), ``waits`` (requests until the
    next access, or until the end of what was seen) and ``observed`` (whether the next access was
    seen) have shape (rows,).
    """

    X: Floats
    ticks: Ints
    waits: Ints
    observed: Bools
    #: Requests seen; waits end here at the latest.
    requests: int
    #: Capacity of the cache that was replayed, in bytes (entries for size-1 traces).
    capacity_bytes: int
    #: Requests that a resident stayed in it, on average.
    residence: float
    #: Name of the trace, and its malformed records.
    trace: str = ""
    malformed: int = 0

    def __len__(self) -> int:
        return len(self.ticks)

    def horizon(self, residences: float = RESIDENCES) -> int:
        """Requests within which a next access counts as reuse, given in mean residences."""
        return max(int(residences * self.residence), 1)

    def take(self, rows: Any) -> "DataSet":
        """The rows of an index, a mask or a slice."""
        return replace(
            self,
            X=self.X[rows],
            ticks=self.ticks[rows],
            waits=self.waits[rows],
            observed=self.observed[rows],
        )

    def before(self, tick: int) -> "DataSet":
        """What could be known at a tick: rows before it, waits that outlast it censored."""
        past = self.take(self.ticks < tick)
        left = tick - past.ticks
        return replace(
            past,
            waits=np.minimum(past.waits, left),
            observed=past.observed & (past.waits <= left),
            requests=min(tick, self.requests),
        )

    def after(self, tick: int) -> "DataSet":
        """The rows from a tick on."""
        return self.take(self.ticks >= tick)

    def labelled(self, horizon: int) -> tuple["DataSet", Bools, Cleaning]:
        """Rows whose label is certain, and the labels: whether reused within ``horizon`` requests.

        Rows of the last ``horizon`` requests are left out and counted, those that were reused by
        then too: to keep only these would make reuse look likelier than it is.
        """
        known = self.ticks + horizon <= self.requests
        rows = self.take(known)
        labels = rows.observed & (rows.waits <= horizon)
        return rows, labels, Cleaning(self.malformed, int(len(self) - known.sum()))

    def folds(self, count: int, gap: int) -> list[tuple[Ints, Ints]]:
        """Places of training and test rows: time-series cross-validation.

        The rows are cut into ``count + 1`` stretches of time. Each fold tests on one stretch and
        trains on what lies before it by at least ``gap`` requests: with the horizon for a gap, all
        labels it trains on were certain before the first row it is tested on.

        Raises:
            ConfigError: there are too few rows, or no folds.
        """
        if count < 1 or len(self) < 20 * (count + 1):
            raise ConfigError(
                f"{count} folds of {len(self)} rows cannot be: at least one fold, and 20 rows for "
                "each; take more rows or fewer folds"
            )
        edges = self.ticks[np.linspace(0, len(self) - 1, count + 2).astype(int)]
        folds = []
        for start, end in pairwise(edges[1:]):
            earlier = np.flatnonzero(self.ticks < start - gap)
            later = np.flatnonzero((self.ticks >= start) & (self.ticks <= end))
            if len(earlier) >= 20 and len(later):
                folds.append((earlier, later))
        if not folds:
            raise ConfigError(
                f"no fold has 20 rows that lie {gap:,} requests (the horizon) before its test: the "
                "trace is too short for cross-validation at this capacity; take a smaller one"
            )
        return folds


def build_dataset(
    trace: str | os.PathLike[str],
    *,
    capacity: str | float | Capacity = DEFAULT_CAPACITY,
    rows: int = DEFAULT_ROWS,
    until: float = 1.0,
    seed: int = 1,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
) -> DataSet:
    """Feature rows of a trace, sampled while `auto` replays it.

    Args:
        trace: A file, or ``synthetic:NAME``.
        capacity: Of the cache that is replayed: rows are of its residents, and ages are measured
            by it.
        rows: How many, about; fewer where the cache is slow to fill.
        until: Share of the trace that is seen, above 0 and at most 1. Nothing after it is known.
        seed: Of the sampling.
        trace_format: As in :func:`augury.replay`.
        columns: As in :func:`augury.replay`.
        skip_bad: As in :func:`augury.replay`.

    Raises:
        TraceError: the trace cannot be read.
        CapacityError: the capacity cannot be.
        ConfigError: ``rows`` or ``until`` cannot be.

    >>> from augury.learn import FEATURES, build_dataset
    >>> data = build_dataset("synthetic:zipf?n=50000", capacity="1%", rows=1000)
    >>> data.X.shape[1] == len(FEATURES)
    True
    """
    source = os.fspath(trace)
    reading = Reading.of(trace_format, columns, skip_bad).measured(source, in_memory=True)
    name = _core.trace_name(source)
    return sampled(reading, name, Capacity.parse(capacity), rows, until, seed)


def sampled(
    trace: "_core.Trace",
    name: str,
    capacity: Capacity,
    rows: int,
    until: float,
    seed: int,
) -> DataSet:
    """The data set of a trace that has been read."""
    if rows < 1 or rows > 100_000_000:
        raise ConfigError(f"{rows} rows cannot be: from 1 to 100,000,000")
    if not 0 < until <= 1:
        raise ConfigError(f"until {until} is not a share above 0 and at most 1 of the trace")
    last = int(trace.requests * until)
    found = trace.dataset(capacity.asked, rows, last, seed, _core.Ticker())
    return data_set_of(found, name, sum(trace.skipped.values()))


def dataset_of(cache: Cache[Any, Any]) -> DataSet:
    """The latest feature rows of a cache at work, with what has become of them so far.

    Rows are of residents at random moments between two gets, seen by the code that serves a model;
    a wait is answered by the next get of the key. Times are in gets.

    Raises:
        ConfigError: the cache keeps none; make it with ``sample_rows=100_000``.

    >>> import augury
    >>> from augury.learn import FEATURES, dataset_of
    >>> cache = augury.Cache(100, sample_rows=1_000)
    >>> for request in augury.traces.synthetic("zipf", n=5_000):
    ...     if cache.get(request.key) is None:
    ...         _ = cache.set(request.key, request.size)
    >>> data = dataset_of(cache)
    >>> data.X.shape == (len(data), len(FEATURES)) and len(data) > 100
    True
    """
    return data_set_of(cache.sampled(), "a running cache", 0)


def data_set_of(found: "_core._Dataset", trace: str, malformed: int = 0) -> DataSet:
    """A data set from what the extension tells."""
    return DataSet(
        X=np.frombuffer(found["rows"], "<f4").reshape(-1, len(FEATURES)),
        ticks=np.frombuffer(found["ticks"], "<u8").astype(np.int64),
        waits=np.frombuffer(found["waits"], "<u8").astype(np.int64),
        observed=np.frombuffer(found["observed"], np.bool_),
        requests=found["requests"],
        capacity_bytes=found["capacity_bytes"],
        residence=found["residence"],
        trace=trace,
        malformed=malformed,
    )
