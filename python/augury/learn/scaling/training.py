"""Training one model on many traces and shards.

Where it stands: over the tasks of `shards`, whoever executes them. Each shard is sampled, tried and
judged by itself; what is learned from is the rows of all, in the order of relative time, so that
what is late in its own trace is late among all. The horizon is the median of the shards'.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean, median
from typing import Any

import numpy as np

from augury import _core
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.learn.artifact import Artifact
from augury.learn.dataset import DEFAULT_CAPACITY, DEFAULT_ROWS, DataSet
from augury.learn.fitting import fit
from augury.learn.kinds import kind_of
from augury.learn.scaling.executing import Executor, here
from augury.learn.scaling.shards import Shard, Trial, data_of, judge_shard, try_shard
from augury.learn.schema import FEATURES, SCHEMA_VERSION
from augury.learn.training import LIMITS, TRIED, Model
from augury.reading import Reading

__all__ = ["ManyTraining", "merged", "train_many"]

#: Relative times are counted in so many steps.
STEPS = 2**40
MOST_SHARDS = 1_024


@dataclass(frozen=True, slots=True)
class ManyTraining:
    """What training on many shards came to."""

    artifact: Artifact
    data: DataSet
    #: By shard: its label, and both judgements as JSON holds them; None where there was too little.
    judgements: tuple[tuple[str, dict[str, Any] | None], ...]


def train_many(
    traces: Sequence[str | os.PathLike[str]],
    *,
    shards: int = 1,
    model: str = "gbm",
    capacity: str | float = DEFAULT_CAPACITY,
    rows: int = DEFAULT_ROWS,
    until: float = 0.5,
    horizon: int | None = None,
    seed: int = 1,
    jobs: int | None = None,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
    execute: Executor = here,
    progress: Callable[[float, str], None] | None = None,
) -> ManyTraining:
    """Train a model on the beginnings of many traces, and judge it on the rest of each.

    The result is the same whoever executes.

    Args:
        traces: Files, or ``synthetic:NAME``; where workers are on other machines, paths there.
        shards: Nodes that each trace's objects are split over, each with its part of the capacity.
        model: One of :data:`~augury.learn.KINDS`.
        capacity: Of all caches of a trace together.
        rows: Feature rows to take, of all shards together.
        until: Share of each trace to train on, above 0 and at most 1.
        horizon: Requests within which an access is reuse; the median of the shards' if None.
        seed: Of everything random.
        jobs: Threads of the fit; the number of processors if None.
        trace_format: As in :func:`augury.replay`.
        columns: As in :func:`augury.replay`.
        skip_bad: As in :func:`augury.replay`.
        execute: By whom tasks are executed, :func:`here` or what :func:`on_ray` gives.
        progress: Told the share done and what is being done.

    Raises:
        ConfigError: an option cannot be, or there is not enough to learn from.
        TraceError: a trace cannot be read.

    >>> from augury.learn import train_many
    >>> loops = [f"synthetic:loop?n=20000&objects={objects}" for objects in (500, 900)]
    >>> found = train_many(loops, model="survival", capacity="10%", rows=4_000)
    >>> len(found.judgements)
    2
    """
    tell = progress or (lambda share, what: None)
    kind = kind_of(model)
    if not traces or not 1 <= shards <= MOST_SHARDS:
        raise ConfigError(
            f"{len(traces)} traces in {shards} shards cannot be: at least one, in 1 to "
            f"{MOST_SHARDS:,}"
        )
    label = Capacity.parse(capacity).label
    count = len(traces) * shards
    reading = Reading.of(trace_format, columns, skip_bad)
    parts = [
        Shard(os.fspath(trace), number, shards, label, max(rows // count, 1), until, seed, reading)
        for trace in traces
        for number in range(shards)
    ]

    def stage(begin: float, end: float, what: str) -> Callable[[int], object]:
        tell(begin, what)
        return lambda done: tell(begin + (end - begin) * done / count, what)

    found = execute(data_of, parts, stage(0.0, 0.4, f"sampling {count} shards"))
    span = round(median(data.horizon() for data in found)) if horizon is None else horizon
    threads = jobs or len(os.sched_getaffinity(0))
    given: dict[str, Any] = {"parameters": {}, "seed": seed, "jobs": threads}
    earlier = [data.before(int(data.requests * (1 - TRIED))) for data in found]
    tell(0.4, "fitting without the last quarters")
    data = merged(earlier, span)
    first = Model.of(fit(kind, data, span, **given), data).artifact(span, gain=1.0)
    trials = [Trial(shard, bytes(first.native.data)) for shard in parts]
    tried = execute(try_shard, trials, stage(0.5, 0.65, "replaying the last quarters"))
    gain = fmean(one.gain for one in tried)
    tell(0.65, "fitting")
    data = merged(found, span)
    final = fit(kind, data, span, **given)
    model_of = Model.of(final, data)
    judgements: list[dict[str, Any] | None] = []
    if until < 1:
        unjudged = bytes(model_of.artifact(span, gain=gain).native.data)
        trials = [Trial(shard, unjudged) for shard in parts]
        judgements = execute(judge_shard, trials, stage(0.75, 1.0, "judging on later data"))
    labelled = tuple((shard.label, one) for shard, one in zip(parts, judgements, strict=until < 1))
    card = {
        "model": kind.name,
        "description": kind.description,
        "parameters": {},
        "trained": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": _core.__version__,
        "trace": f"{len(traces)} traces",
        "traces": [_core.trace_name(os.fspath(trace)) for trace in traces],
        "shards": shards,
        "trained_on": {
            "requests": sum(one.requests for one in found),
            "share": until,
            "rows": final.rows,
            "malformed_records": data.malformed,
            "unresolved_rows": sum(len(one) for one in found) - len(data),
        },
        "capacity": label,
        "capacity_bytes": [one.capacity_bytes for one in found],
        "residence": [one.residence for one in found],
        "horizon": span,
        "schema": SCHEMA_VERSION,
        "features": list(FEATURES),
        "distillation": model_of.distillation_card(),
        "tried": {"gains": [one.gain for one in tried], "gain": gain},
        "judgement": [{"shard": name, **(one or {})} for name, one in labelled] or None,
        "limits": LIMITS.replace("one trace", f"{len(traces)} traces"),
    }
    artifact = model_of.artifact(span, gain=gain, card=card)
    tell(1.0, "done")
    return ManyTraining(artifact, data, labelled)


def merged(parts: Sequence[DataSet], horizon: int) -> DataSet:
    """The rows of all parts whose label is certain, by relative time.

    What is not certain in its own part is left out here, and all that is left counts as certain.
    """
    known = [part.labelled(horizon)[0] for part in parts]
    times = [
        (rows.ticks * (STEPS / max(part.requests, 1))).astype(np.int64)
        for rows, part in zip(known, parts, strict=True)
    ]
    ticks = np.concatenate(times)
    order = np.argsort(ticks, kind="stable")
    return DataSet(
        X=np.concatenate([rows.X for rows in known])[order],
        ticks=ticks[order],
        waits=np.concatenate([rows.waits for rows in known])[order],
        observed=np.concatenate([rows.observed for rows in known])[order],
        requests=STEPS + horizon,
        capacity_bytes=sum(part.capacity_bytes for part in parts),
        residence=fmean(part.residence for part in parts),
        trace=f"{len(parts)} shards",
        malformed=sum(part.malformed for part in parts),
    )
