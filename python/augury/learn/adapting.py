"""A replay in which the cache trains, exchanges and lets go of its model, beside one without."""

import os
import time
from collections.abc import Callable, Mapping

from augury import _core
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.learn.adaptation import Adaptation, Stretch
from augury.learn.adapter import STEP, Adapter
from augury.learn.artifact import Artifact
from augury.learn.budget import Budget
from augury.learn.dataset import DEFAULT_CAPACITY
from augury.learn.kinds import kind_of
from augury.learn.retraining import LEAST_ROWS
from augury.reading import Reading

__all__ = ["DEFAULT_BUDGET", "adapt"]

DEFAULT_BUDGET = 0.1
DEFAULT_KEPT = 20_000
#: Rows per request at most.
RATE_MAX = 0.25
#: Periods between trainings that the kept rows go back.
PERIODS = 2
STRETCHES = 20


def adapt(
    trace: str | os.PathLike[str],
    *,
    model: str = "gbm",
    capacity: str | float | Capacity = DEFAULT_CAPACITY,
    artifact: Artifact | str | os.PathLike[str] | None = None,
    every: int | None = None,
    budget: float = DEFAULT_BUDGET,
    rows: int = DEFAULT_KEPT,
    pace: float | None = None,
    synchronous: bool = False,
    seed: int = 1,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
    cpu: Callable[[], float] = time.thread_time,
    progress: Callable[[float, str], None] | None = None,
) -> Adaptation:
    """Replay a trace in a cache that trains its model while it runs.

    Beside it runs the same cache without a model, `auto`, on the same requests.

    Args:
        trace: A file, or ``synthetic:NAME``.
        model: One of :data:`~augury.learn.KINDS`.
        capacity: Of the cache.
        artifact: The model to begin with, or its file; none if None.
        every: Requests between two trainings, at least; a tenth of the trace if None. After drift
            the next comes as soon as there are rows enough.
        budget: CPU time that trainings may take, as a share of the time since the last one.
        rows: Feature rows that are kept, the latest; they go back two times ``every``.
        pace: Requests per second, for the budget; the trace's own times if None.
        synchronous: The cache waits for trainings, so that results repeat; else they run in a
            thread of their own while the replay goes on.
        seed: Of everything random.
        trace_format: As in :func:`augury.replay`.
        columns: As in :func:`augury.replay`.
        skip_bad: As in :func:`augury.replay`.
        cpu: CPU seconds of the calling thread.
        progress: Told the share done and what is being done, from the calling thread.

    Raises:
        ConfigError: an option cannot be.
        ArtifactError: the model cannot be read.
        TraceError: the trace cannot be read.

    >>> from augury.learn import adapt
    >>> result = adapt("synthetic:zipf?n=60000&objects=5000", model="frequency", synchronous=True)
    >>> result.of("drift")
    []
    """
    tell = progress or (lambda share, what: None)
    kind, asked = kind_of(model), Capacity.parse(capacity)
    purse = Budget(budget)
    if not 2 * LEAST_ROWS <= rows <= 10_000_000:
        raise ConfigError(f"{rows} rows cannot be kept: from {2 * LEAST_ROWS:,} to 10,000,000")
    if pace is not None and not pace > 0:
        raise ConfigError(f"a pace of {pace} requests per second cannot be: a number above 0")
    given = artifact if isinstance(artifact, Artifact | None) else Artifact.load(artifact)
    source = os.fspath(trace)
    tell(0.0, "reading the trace")
    requests = Reading.of(trace_format, columns, skip_bad).measured(source, in_memory=True)
    total = requests.requests
    period = every if every is not None else max(total // 10, 1_000)
    if period < 1_000:
        raise ConfigError(f"a training every {period} requests cannot be: every 1,000 at most")
    rate = min(rows / (PERIODS * period), RATE_MAX)
    session = _core.Session(requests, asked.asked, seed, rate, rows)
    beside = _core.Session(requests, asked.asked, seed, 0.0, 1)
    adapter = Adapter(
        session,
        kind,
        capacity=asked.label,
        every=period,
        budget=purse,
        rate=rate,
        trace=_core.trace_name(source),
        seed=seed,
        synchronous=synchronous,
        pace=pace,
        cpu=cpu,
    )
    stretches: list[Stretch] = []
    try:
        if given is not None:
            adapter.load(given)
        stretch = max(total // STRETCHES, STEP)
        while session.advance(STEP):
            beside.advance(STEP)
            adapter.step()
            at = adapter.tick
            if at == total or at >= stretch * (len(stretches) + 1):
                stretches.append(stretch_of(stretches, adapter, beside))
                tell(at / max(total, 1), f"replaying, {len(adapter.events)} events")
    finally:
        adapter.finish()
    return Adaptation(
        trace=adapter.trace,
        model=kind.name,
        capacity_bytes=requests.resolve(asked.asked),
        events=tuple(adapter.events),
        stretches=tuple(stretches),
        artifact=adapter.artifact,
        training_seconds=purse.total,
    )


def stretch_of(before: list[Stretch], adapter: Adapter, beside: "_core.Session") -> Stretch:
    """What has happened since the stretches before."""
    reads, misses = adapter.session.counts
    _, auto_misses = beside.counts
    return Stretch(
        start=before[-1].end if before else 0,
        end=adapter.tick,
        requests=reads - sum(stretch.requests for stretch in before),
        misses=misses - sum(stretch.misses for stretch in before),
        auto_misses=auto_misses - sum(stretch.auto_misses for stretch in before),
        ruling=adapter.session.ruling or "",
        has_model=adapter.artifact is not None,
    )
