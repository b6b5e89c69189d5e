"""A plan being carried out: traces decoded once, their cells replayed on all threads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Lock

from augury import _core
from augury.capacity import Capacity
from augury.errors import CapacityError
from augury.laboratory.cell import Cell, Window
from augury.laboratory.curve import Curve, Point, between
from augury.laboratory.jobs import Pool, Task
from augury.laboratory.meter import Meter
from augury.laboratory.peers import PeerTrace, run_peer
from augury.laboratory.plan import Plan
from augury.laboratory.policies import is_learned, is_peer, load_model
from augury.laboratory.result import ReplayResult
from augury.reading import fits_in_memory

__all__ = ["Execution", "Progress"]

#: The policy whose curve needs no replays.
EXACT = "lru"
#: Places in the plan: of the trace, the capacity, the policy and the seed.
Place = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is."""

    replays_done: int
    replays: int
    #: Requests replayed so far, over all replays.
    requests: int
    #: Between 0 and 1. An estimate: a trace not yet read counts as long as the mean of the others.
    fraction: float


class Execution:
    """One carrying out of a plan."""

    def __init__(self, plan: Plan, jobs: int) -> None:
        self._plan = plan
        self._jobs = jobs
        self._names = plan.names()
        self._models = {name: load_model(name) for name in plan.policies if is_learned(name)}
        self._prefetch = None if plan.prefetch is None else plan.prefetch.load()
        self._ticker = _core.Ticker()
        self._lock = Lock()
        self._lengths: list[int] = []
        self._done = 0
        self._replays = plan.replays
        self._cells: dict[Place, Cell] = {}
        self._points: dict[tuple[int, int], list[Point]] = {}
        self._fine: dict[tuple[int, int], tuple[Point, ...]] = {}
        self._notes: dict[Place, str] = {}
        #: Capacities that come to nothing, each for a trace.
        self._refused: dict[Place, str] = {}

    def result(self, progress: Callable[[Progress], None] | None) -> ReplayResult:
        """Run everything."""

        def report() -> None:
            if progress is not None:
                progress(self._progress())

        decodings = [partial(self._decode, place) for place in range(len(self._plan.sources))]
        try:
            Pool(decodings).run(self._jobs, report)
        except BaseException:
            self._ticker.cancel()
            raise
        report()
        if self._refused and not self._cells:
            raise CapacityError(min(self._refused.items())[1])
        return ReplayResult(
            cells=tuple(cell for _, cell in sorted(self._cells.items())),
            notes=tuple(dict.fromkeys(note for _, note in sorted(self._notes.items()))),
            curves=tuple(
                Curve(
                    self._names[trace],
                    self._plan.policies[policy],
                    tuple(sorted(points)),
                    self._fine.get((trace, policy), ()),
                )
                for (trace, policy), points in sorted(self._points.items())
            ),
        )

    def _progress(self) -> Progress:
        with self._lock:
            done, replays, lengths = self._done, self._replays, list(self._lengths)
        requests = self._ticker.requests
        expected = sum(lengths) / len(lengths) * replays if lengths else 0.0
        share = min(requests / expected, 0.999) if expected else 0.0
        return Progress(done, replays, requests, 1.0 if done == replays else share)

    def _decode(self, place: int) -> list[Task]:
        """Read one trace; its replays follow."""
        source, stream = self._plan.sources[place], self._plan.stream
        if stream is None:
            stream = not fits_in_memory(source, min(self._jobs, len(self._plan.sources)))
        trace = self._plan.reading.measured(source, in_memory=not stream)
        with self._lock:
            self._lengths.append(trace.requests)
            if trace.skipped:
                self._notes[place, -1, -1, -1] = skipping(self._names[place], trace)
            if stream and self._plan.stream is None:
                self._notes[place, -1, -1, 0] = (
                    f"{self._names[place]}: streamed, as it may not fit in memory; "
                    "seconds hold the reading"
                )
        return [*self._cells_of(place, trace), *self._points_of(place, trace)]

    def _cells_of(self, place: int, trace: "_core.Trace") -> list[Task]:
        plan = self._plan
        file = PeerTrace(trace) if any(map(is_peer, plan.policies)) else None
        tasks: list[Task] = []
        for number, capacity in enumerate(plan.capacities):
            if not self._holds(trace, place, number):
                continue
            for policy_number, policy in enumerate(plan.policies):
                for seed_number, seed in enumerate(plan.seeds):
                    at = (place, number, policy_number, seed_number)
                    measure: Callable[[str], Cell | str]
                    if file is not None and is_peer(policy):
                        measure = partial(self._peer, trace, file, policy, capacity, seed)
                    else:
                        measure = partial(self._own, trace, policy, capacity, seed)
                    tasks.append(partial(self._cell, at, measure))
        return tasks

    def _holds(self, trace: "_core.Trace", place: int, number: int) -> bool:
        """Whether a capacity comes to anything for this trace; noted if not."""
        try:
            trace.resolve(self._plan.capacities[number].asked)
        except CapacityError as error:
            word = f"{self._names[place]}: {error}"
            with self._lock:
                self._replays -= len(self._plan.policies) * len(self._plan.seeds)
                self._refused[place, number, -1, -1] = word
                self._notes[place, number, -1, -1] = word
            return False
        return True

    def _cell(self, at: Place, measure: Callable[[str], Cell | str]) -> list[Task]:
        """Measure one cell, or note why there is none."""
        outcome = measure(self._names[at[0]])
        with self._lock:
            self._done += 1
            if isinstance(outcome, str):
                self._notes[at] = outcome
            else:
                self._cells[at] = outcome
                if not outcome.requests:
                    self._notes[at[0], -1, -1, 1] = f"{outcome.trace}: no reads, so nothing missed"
        return []

    def _own(
        self, trace: "_core.Trace", policy: str, capacity: Capacity, seed: int, name: str
    ) -> Cell:
        model = self._models.get(policy)
        engine = "auto" if model else policy
        outcome = trace.replay(
            engine, capacity.asked, seed, self._ticker, model, prefetch=self._prefetch
        )
        requests, misses = outcome["requests"], outcome["misses"]
        issued, used = outcome["prefetch"] or (None, None)
        seconds = outcome["seconds"]
        return Cell(
            trace=name,
            policy=policy,
            capacity=capacity.label,
            capacity_bytes=outcome["capacity_bytes"],
            requests=requests,
            misses=misses,
            object_miss_ratio=misses / requests if requests else 0.0,
            byte_miss_ratio=outcome["missed_bytes"] / max(outcome["requested_bytes"], 1),
            seconds=seconds,
            requests_per_second=requests / seconds if seconds else 0.0,
            seed=seed,
            version=_core.__version__,
            skipped=sum(trace.skipped.values()),
            insertions=outcome["insertions"],
            rejections=outcome["rejections"],
            evictions=outcome["evictions"],
            expired=outcome["expired"],
            resident=outcome["resident"],
            memory_bytes=outcome["memory_bytes"],
            capacity_objects=room_of(trace, outcome["capacity_bytes"]),
            demand_misses=None if issued is None else misses,
            prefetches_issued=issued,
            prefetches_used=used,
            origin_requests=None if issued is None else misses + issued,
            windows=tuple(Window(*window) for window in outcome["windows"]),
        )

    def _peer(
        self,
        trace: "_core.Trace",
        file: PeerTrace,
        policy: str,
        capacity: Capacity,
        seed: int,
        name: str,
    ) -> Cell | str:
        size = trace.resolve(capacity.asked)
        return run_peer(trace, file, name, policy, (capacity.label, size), seed)

    def _points_of(self, place: int, trace: "_core.Trace") -> list[Task]:
        """The points of the curves, but those where nothing would fit."""
        policies = [at for at in enumerate(self._plan.policies) if not is_peer(at[1])]
        sweep = [capacity for capacity in self._plan.sweep if holds_something(capacity, trace)]
        with self._lock:
            self._replays -= len(policies) * (len(self._plan.sweep) - len(sweep))
        tasks: list[Task] = []
        if self._plan.sampled and sweep:
            return [partial(self._sampled_points, place, trace, policies, sweep)]
        for number, policy in policies:
            if policy == EXACT and sweep and self._plan.prefetch is None:
                tasks.append(partial(self._exact_curve, (place, number), trace, sweep))
            else:
                tasks += self._replayed((place, number), trace, policy, sweep)
        return tasks

    def _exact_curve(
        self, at: tuple[int, int], trace: "_core.Trace", sweep: list[Capacity]
    ) -> list[Task]:
        """The whole curve of `lru` by one pass; replays follow where that is not exact."""
        sizes = [trace.resolve(capacity.asked) for capacity in sweep]
        fine = dict(trace.lru_curve(sizes + between(sizes[0], sizes[-1]), self._ticker))
        told = [size for size in sizes if size in fine]
        with self._lock:
            self._done += 1
            self._replays += 1 - len(told)
            self._fine[at] = tuple(sorted(fine.items()))
            self._points.setdefault(at, []).extend((size, fine[size]) for size in told)
        rest = [capacity for capacity, size in zip(sweep, sizes, strict=True) if size not in fine]
        return self._replayed(at, trace, EXACT, rest)

    def _sampled_points(
        self,
        place: int,
        trace: "_core.Trace",
        policies: list[tuple[int, str]],
        sweep: list[Capacity],
    ) -> list[Task]:
        """LRU's curve, then the others' points: from samples, where that spares time."""
        sizes = [trace.resolve(capacity.asked) for capacity in sweep]
        meter = Meter(trace, self._ticker, seed=self._plan.seeds[0], exact=False, capacities=sizes)
        tasks: list[Task] = []
        for number, policy in policies:
            if is_learned(policy):
                tasks += self._replayed((place, number), trace, policy, sweep)
            else:
                at = (place, number)
                tasks += [partial(self._measured, at, meter, policy, size) for size in sizes]
        return tasks

    def _measured(self, at: tuple[int, int], meter: Meter, policy: str, size: int) -> list[Task]:
        """One point of a curve by the meter."""
        found = meter.measure(policy, size)
        with self._lock:
            self._done += 1
            self._points.setdefault(at, []).append((size, found.object_miss_ratio))
            if found.sampled < 1:
                self._notes[at[0], -1, -1, 2] = (
                    f"{self._names[at[0]]}: points of curves at large capacities are from samples"
                )
        return []

    def _replayed(
        self, at: tuple[int, int], trace: "_core.Trace", policy: str, sweep: list[Capacity]
    ) -> list[Task]:
        """A replay per point."""
        return [partial(self._point, at, trace, policy, capacity) for capacity in sweep]

    def _point(
        self, at: tuple[int, int], trace: "_core.Trace", policy: str, capacity: Capacity
    ) -> list[Task]:
        """Measure one point of a curve."""
        cell = self._own(trace, policy, capacity, self._plan.seeds[0], self._names[at[0]])
        with self._lock:
            self._done += 1
            points = self._points.setdefault(at, [])
            points.append((cell.capacity_bytes, cell.object_miss_ratio))
        return []


def room_of(trace: "_core.Trace", capacity: int) -> float:
    """How many objects of the trace's mean size a capacity holds."""
    return capacity * trace.objects / max(trace.footprint, 1)


def holds_something(capacity: Capacity, trace: "_core.Trace") -> bool:
    """Whether a share of the trace's footprint comes to anything."""
    return capacity.fraction is None or capacity.fraction * trace.footprint >= 1


def skipping(name: str, trace: "_core.Trace") -> str:
    """How many records of a trace were left out, and why."""
    total = sum(trace.skipped.values())
    reasons = ", ".join(f"{code}: {count:,}" for code, count in trace.skipped.items())
    records = "record was" if total == 1 else "records were"
    return f"{name}: {total:,} malformed {records} left out ({reasons})"
