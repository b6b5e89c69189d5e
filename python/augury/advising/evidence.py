"""What was measured: how much less than the policy in use each other one misses.

A trace of up to five million requests is replayed whole, under every policy. The first quarter
counts for nothing: the cache fills and learners learn. The policy is chosen by the second quarter
and its saving is told of the second half, which nobody has looked at before: else the best of
several would look better than it is, by the luck for which it was chosen. A longer trace is judged
from a sample of its objects (:mod:`augury.laboratory.meter`), with intervals wide enough for all
policies at once; learners see fewer requests there and err more than sampling alone tells
(docs/decisions/0017), so theirs are twice as wide.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from augury import _core
from augury.advising.interval import Interval, of_sample, over_time
from augury.laboratory.jobs import Pool, Task
from augury.laboratory.meter import Meter
from augury.laboratory.prefetch import DEFAULT_BUDGET, DEFAULT_PREFETCHER

__all__ = ["CANDIDATES", "Ahead", "Evidence", "Measurement", "measure", "of_ahead", "of_replays"]

#: The policies that are tried, beside the one in use.
CANDIDATES = ("auto", "lru", "sieve", "s3fifo", "wtinylfu", "gdsf", "lfu")
#: Those that learn while they run.
LEARNERS = frozenset({"auto", "survival"})
#: Requests that are replayed whole, and with which fetching ahead is tried.
MOST_REQUESTS = 5_000_000


@dataclass(frozen=True, slots=True)
class Measurement:
    """One policy at the capacity. Ratios are shares of the reads."""

    policy: str
    object_miss_ratio: float
    byte_miss_ratio: float | None
    #: How much less than the policy in use it misses: where it is chosen, and where it is judged.
    first: float = 0.0
    second: Interval | None = None


@dataclass(frozen=True, slots=True)
class Ahead:
    """A replay that fetches ahead beside the same without."""

    fewer: Interval | None
    issued: int
    used: int
    misses: int
    misses_without: int
    requests: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was measured."""

    present: Measurement
    bound_miss_ratio: float
    others: tuple[Measurement, ...]
    sampled: float
    #: Of the policy in use, in the part that is judged.
    judged_miss_ratio: float
    #: Whether the policy in use ever put anything out; unknown, and so true, in a sample.
    evicts: bool
    ahead: Ahead | None


def measure(
    trace: "_core.Trace",
    capacity: int,
    against: str,
    seed: int,
    jobs: int,
    progress: Callable[[float, str], None],
    most_requests: int = MOST_REQUESTS,
) -> Evidence:
    """Replay every policy at the capacity, or judge them from a sample of the objects."""
    work = Work(trace, capacity, against, seed, most_requests)
    return work.sampled(jobs, progress) if work.is_sampled else work.whole(jobs, progress)


class Work:
    """One measurement."""

    def __init__(
        self, trace: "_core.Trace", capacity: int, against: str, seed: int, most_requests: int
    ) -> None:
        self._trace = trace
        self._capacity = capacity
        self._against = against
        self._seed = seed
        self._most_requests = most_requests
        self._ticker = _core.Ticker()
        self._lock = Lock()
        self._bound = "belady" if trace.footprint == trace.objects else "beladysize"
        self._policies = tuple(dict.fromkeys((against, *CANDIDATES)))
        self._outcomes: dict[str, Any] = {}
        is_long = trace.requests > most_requests
        self._meter = Meter(
            trace, self._ticker, seed=seed, exact=not is_long, capacities=[capacity]
        )
        self._ratio = self._meter.ratio(capacity) if is_long else 1.0
        #: A small cache cannot be judged from a sample, however long the trace.
        self.is_sampled = self._ratio < 1.0

    def whole(self, jobs: int, progress: Callable[[float, str], None]) -> Evidence:
        """By replays of everything."""
        tasks = [partial(self._replay, name) for name in (*self._policies, "auto ahead")]
        self._run([*tasks, partial(self._point, self._bound)], jobs, progress)
        bound = self._meter.measure(self._bound, self._capacity).object_miss_ratio
        outcomes = {name: self._outcomes[name] for name in self._policies}
        return of_replays(outcomes, self._against, bound, self._ahead())

    def sampled(self, jobs: int, progress: Callable[[float, str], None]) -> Evidence:
        """From a sample of the objects; fetching ahead, which needs the order, from the start."""
        names = [*self._policies, self._bound]
        tasks: list[Task] = [partial(self._point, name) for name in names]
        tasks += [partial(self._replay, name) for name in ("auto", "auto ahead")]
        self._run(tasks, jobs, progress)
        points = {name: self._meter.measure(name, self._capacity) for name in names}
        present = points[self._against]
        others = []
        for name in self._policies:
            if name != self._against:
                fewer = present.object_miss_ratio - points[name].object_miss_ratio
                error = points[name].standard_error + present.standard_error
                error *= 2 if name in LEARNERS else 1
                others.append(
                    Measurement(
                        name, points[name].object_miss_ratio, None, fewer, of_sample(fewer, error)
                    )
                )
        return Evidence(
            present=Measurement(self._against, present.object_miss_ratio, None),
            bound_miss_ratio=points[self._bound].object_miss_ratio,
            others=tuple(others),
            sampled=self._ratio,
            judged_miss_ratio=present.object_miss_ratio,
            evicts=True,
            ahead=self._ahead(),
        )

    def _run(self, tasks: list[Task], jobs: int, progress: Callable[[float, str], None]) -> None:
        expected = len(tasks) * min(self._trace.requests, self._most_requests)
        try:
            Pool(tasks).run(
                jobs,
                lambda: progress(min(self._ticker.requests / max(expected, 1), 1.0), "replaying"),
            )
        except BaseException:
            self._ticker.cancel()
            raise

    def _replay(self, name: str) -> list[Task]:
        policy, _, ahead = name.partition(" ")
        outcome = self._trace.replay(
            policy, (None, self._capacity), self._seed, self._ticker,
            until=self._most_requests if self.is_sampled else None,
            prefetch=(DEFAULT_BUDGET, DEFAULT_PREFETCHER) if ahead else None,
        )  # fmt: skip
        with self._lock:
            self._outcomes[name] = outcome
        return []

    def _point(self, policy: str) -> list[Task]:
        self._meter.measure(policy, self._capacity)
        return []

    def _ahead(self) -> Ahead:
        return of_ahead(self._outcomes["auto"], self._outcomes["auto ahead"])


Windows = list[tuple[int, int, str | None]]


def of_replays(
    outcomes: Mapping[str, Any], against: str, bound_miss_ratio: float, ahead: Ahead | None
) -> Evidence:
    """What whole replays came to: as ``Trace.replay`` of the core tells them, by policy."""
    present = outcomes[against]
    others = [beside(name, outcomes[name], present) for name in outcomes if name != against]
    judged = second_half(present["windows"])
    return Evidence(
        present=measurement(against, present),
        bound_miss_ratio=bound_miss_ratio,
        others=tuple(others),
        sampled=1.0,
        judged_miss_ratio=sum(window[1] for window in judged)
        / max(sum(window[0] for window in judged), 1),
        evicts=present["evictions"] > 0 or present["rejections"] > 0,
        ahead=ahead,
    )


def beside(name: str, found: Any, present: Any) -> Measurement:
    """A policy beside the one in use, in both halves."""
    fewer = differences(present["windows"], found["windows"])
    half = len(fewer) // 2
    chosen_by = fewer[half // 2 : half]
    first = sum(value for _, value in chosen_by)
    first /= max(sum(count for count, _ in chosen_by), 1)
    return measurement(name, found, first, over_time(fewer[half:]))


def of_ahead(without: Any, found: Any) -> Ahead:
    """A replay that fetches ahead beside the same without."""
    fewer = differences(without["windows"], found["windows"])
    issued, used = found["prefetch"] or (0, 0)
    return Ahead(
        fewer=over_time(fewer[len(fewer) // 2 :]),
        issued=issued,
        used=used,
        misses=found["misses"],
        misses_without=without["misses"],
        requests=found["requests"],
    )


def measurement(
    policy: str, outcome: Any, first: float = 0.0, second: Interval | None = None
) -> Measurement:
    """What one replay came to."""
    return Measurement(
        policy,
        outcome["misses"] / max(outcome["requests"], 1),
        outcome["missed_bytes"] / max(outcome["requested_bytes"], 1),
        first,
        second,
    )


def differences(more: Windows, fewer: Windows) -> list[tuple[int, float]]:
    """Misses of one replay less those of another, stretch by stretch of the same requests."""
    return [
        (requests, float(misses - others))
        for (requests, misses, _), (_, others, _) in zip(more, fewer, strict=True)
    ]


def second_half(windows: Windows) -> Windows:
    """The part that is judged."""
    return windows[len(windows) // 2 :]
