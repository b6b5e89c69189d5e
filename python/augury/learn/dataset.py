"""Data sets: feature rows at random decision points of a replay, and how long each object waited.

The engine takes the rows (`augury_core::sampler`), with the same code that serving uses. Here they
become labels, and are split in time so that no label leaks.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from augury import _core
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.learn.schema import FEATURES
from augury.reading import Reading

__all__ = ["DEFAULT_CAPACITY", "DEFAULT_ROWS", "Cleaning", "DataSet", "build_dataset"]

#: Horizon of a label, in mean residences: an object that waits longer is not worth its room.
RESIDENCES = 2.0
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

    @property
    def horizon(self) -> int:
        """Requests within which a next access counts as reuse: twice the mean residence."""
        return max(int(RESIDENCES * self.residence), 1)

    def take(self, rows: Any) -> "DataSet":
        """The rows of an index, a mask or a slice."""
        return replace(
            self,
            X=self.X[rows],
            ticks=self.ticks[rows],
            waits=self.waits[rows],
            observed=self.observed[rows],
        )

    def known_at(self, tick: int) -> "DataSet":
        """What could be known at a tick: rows before it, waits that outlast it censored."""
        past = self.take(self.ticks < tick)
        left = tick - past.ticks
        return replace(
            past,
            waits=np.minimum(past.waits, left),
            observed=past.observed & (past.waits <= left),
            requests=min(tick, self.requests),
        )

    def reused(self, horizon: int) -> tuple["DataSet", Bools, Cleaning]:
        """Rows whose label is known, and the labels: whether reused within ``horizon`` requests.

        A row that is still waiting when the data ends, before the horizon is over, has no label
        and is left out and counted.
        """
        known = self.observed | (self.waits >= horizon)
        rows = self.take(known)
        labels = rows.observed & (rows.waits <= horizon)
        return rows, labels, Cleaning(self.malformed, int(len(self) - known.sum()))

    def folds(self, count: int) -> Iterator[tuple["DataSet", "DataSet"]]:
        """Pairs of earlier and later rows: time-series cross-validation.

        The rows are cut into ``count + 1`` stretches of time. Each fold tests on one stretch and
        trains on all before it, as known when that stretch begins: a label that was not yet
        certain then is censored, so none leaks.

        Raises:
            ConfigError: there are too few rows, or no folds.
        """
        if count < 1 or len(self) < 20 * (count + 1):
            raise ConfigError(
                f"{count} folds of {len(self)} rows cannot be: at least one fold, and 20 rows for "
                "each; take more rows or fewer folds"
            )
        edges = self.ticks[np.linspace(0, len(self) - 1, count + 2).astype(int)]
        for at in range(1, count + 1):
            start, end = int(edges[at]), int(edges[at + 1])
            inside = (self.ticks >= start) & (self.ticks <= end)
            yield self.known_at(start), self.take(inside)


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
    progress: Callable[[float], None] | None = None,
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
        progress: Told the share done, now and then, from the calling thread.

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
    return sampled(
        reading, _core.trace_name(source), Capacity.parse(capacity), rows, until, seed, progress
    )


def sampled(
    trace: "_core.Trace",
    name: str,
    capacity: Capacity,
    rows: int,
    until: float,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> DataSet:
    """The data set of a trace that has been read."""
    if rows < 1 or rows > 100_000_000:
        raise ConfigError(f"{rows} rows cannot be: from 1 to 100,000,000")
    if not 0 < until <= 1:
        raise ConfigError(f"until {until} is not a share above 0 and at most 1 of the trace")
    last = int(trace.requests * until)
    with ticking(progress, last) as ticker:
        found = trace.dataset(capacity.asked, rows, last, seed, ticker)
    return DataSet(
        X=np.frombuffer(found["rows"], "<f4").reshape(-1, len(FEATURES)),
        ticks=np.frombuffer(found["ticks"], "<u8").astype(np.int64),
        waits=np.frombuffer(found["waits"], "<u8").astype(np.int64),
        observed=np.frombuffer(found["observed"], np.bool_),
        requests=found["requests"],
        capacity_bytes=found["capacity_bytes"],
        residence=found["residence"],
        trace=name,
        malformed=sum(trace.skipped.values()),
    )


class ticking:  # noqa: N801 - a context manager, used as a verb
    """A ticker whose progress is told from another thread while the engine works."""

    def __init__(self, progress: Callable[[float], None] | None, total: int) -> None:
        self._progress = progress
        self._total = max(total, 1)
        self._ticker = _core.Ticker()

    def __enter__(self) -> "_core.Ticker":
        return self._ticker

    def __exit__(self, *_: object) -> None:
        if self._progress is not None:
            self._progress(1.0)
