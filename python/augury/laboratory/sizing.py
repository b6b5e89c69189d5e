"""How large a cache to have, from a trace: what other capacities would give, reach, and cost."""

import csv
import io
import json
import os
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from augury import _core
from augury.capacity import Capacity
from augury.errors import CapacityError, ConfigError
from augury.laboratory.jobs import Pool, Task
from augury.laboratory.meter import Measured, Meter, ladder
from augury.laboratory.plan import read_jobs, read_seeds
from augury.laboratory.policies import is_learned, is_peer, resolve_policies
from augury.reading import Reading, fits_in_memory
from augury.sizing import Prices

__all__ = ["FIELDS", "SCALES", "SizePoint", "Sizing", "Target", "size"]

#: Multiples of the present capacity that are always told.
SCALES = (0.5, 1.0, 2.0, 4.0)
#: Where the cheapest is looked for: this far around the present capacity, so many per doubling.
REACH = 8
PER_DOUBLING = 2


@dataclass(frozen=True, slots=True)
class SizePoint:
    """What one capacity would give. Ratios are shares of the reads."""

    #: In multiples of the present capacity.
    scale: float
    #: Bytes, or entries where every object has size 1.
    capacity: int
    object_miss_ratio: float
    #: Of sampling; 0 where the whole trace was replayed.
    standard_error: float
    #: The share of the objects that was replayed.
    sampled: float
    lru_object_miss_ratio: float | None = None
    #: Of a cache that knows the future.
    bound_object_miss_ratio: float | None = None
    #: In the currency of the prices; None without prices.
    cost_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """The smallest capacity that reaches a miss ratio."""

    object_miss_ratio: float
    #: None where no capacity up to the footprint reaches it.
    point: SizePoint | None
    #: What a cache as large as the footprint misses.
    least_object_miss_ratio: float
    #: The smallest capacity is smaller than the one told by less than this share.
    resolution: float


@dataclass(frozen=True, slots=True)
class Sizing:
    """The answer of :func:`size`."""

    trace: str
    policy: str
    seed: int
    requests: int
    objects: int
    #: The sum over the objects of the last size seen.
    footprint: int
    #: Whether capacities count entries.
    unit_sizes: bool
    requests_per_second: float | None
    points: tuple[SizePoint, ...]
    target: Target | None
    #: The cheapest of the capacities tried, and all of them; None and empty without prices.
    cheapest: SizePoint | None
    tried: tuple[SizePoint, ...]

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain dictionaries, lists and numbers."""
        return {**asdict(self), "version": _core.__version__}

    def to_json(self) -> str:
        """A JSON object."""
        return json.dumps(self.to_dict(), indent=2)

    def to_csv(self) -> str:
        """A header and one line per capacity; ``role`` is scale, target or cheapest."""
        text = io.StringIO()
        names = ("trace", "policy", "role", *FIELDS)
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        for role, point in self.roles():
            writer.writerow(
                {"trace": self.trace, "policy": self.policy, "role": role, **asdict(point)}
            )
        return text.getvalue()

    def roles(self) -> list[tuple[str, SizePoint]]:
        """The points by what they stand for."""
        found = [("scale", point) for point in self.points]
        if self.target is not None and self.target.point is not None:
            found.append(("target", self.target.point))
        if self.cheapest is not None:
            found.append(("cheapest", self.cheapest))
        return found


#: The fields of a point, as CSV has them.
FIELDS = tuple(SizePoint.__dataclass_fields__)


def size(
    trace: str | os.PathLike[str],
    *,
    capacity: str | float | Capacity = "1%",
    policy: str = "auto",
    target_miss_ratio: float | None = None,
    price_per_gb_hour: float | None = None,
    price_per_miss: float | None = None,
    requests_per_second: float | None = None,
    object_bytes: float | None = None,
    exact: bool = False,
    seed: int = 1,
    stream: bool | None = None,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
    jobs: int | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Sizing:
    """What half, one, two and four times the capacity would give, and which to have.

    Args:
        trace: A file, or ``synthetic:NAME``.
        capacity: The present one: a share of the footprint, a number or a size.
        policy: A name of ours.
        target_miss_ratio: Also find the smallest capacity that reaches this object miss ratio.
        price_per_gb_hour: With ``price_per_miss``: also find the cheapest capacity, from an eighth
            to eight times the present one.
        price_per_miss: In the same currency.
        requests_per_second: Of the traffic; the trace's own times if None.
        object_bytes: What an entry takes, where every object has size 1 and prices are given.
        exact: Replay the whole trace at every capacity, however large; otherwise large ones from a
            sample of the objects, with its standard error.
        seed: Of the policy.
        stream: Read the trace anew for every replay; by its size if None.
        trace_format: As for :func:`augury.replay`.
        columns: As for :func:`augury.replay`.
        skip_bad: Count and leave out malformed records instead of raising.
        jobs: Threads; the number of processors if None.
        progress: Told the share done and what is being done, from the calling thread.

    Raises:
        TraceError: The trace cannot be read.
        ConfigError: An option cannot be, or another one is needed beside it.
        CapacityError: The capacity is malformed, or comes to nothing.

    >>> from augury.laboratory import size
    >>> found = size("synthetic:loop", capacity="10%", policy="lru", target_miss_ratio=0.1)
    >>> [point.scale for point in found.points]
    [0.5, 1.0, 2.0, 4.0]
    >>> found.target.point.capacity <= found.footprint
    True
    """
    asked = Capacity.parse(capacity)
    (name,) = resolve_policies([policy])
    if is_peer(name) or is_learned(name):
        raise ConfigError(f"policy {name!r} cannot be sized: choose one of ours, such as auto")
    check_target_ratio(target_miss_ratio)
    prices = read_prices(price_per_gb_hour, price_per_miss)
    workers, (number,) = read_jobs(jobs), read_seeds(seed)
    source = os.fspath(trace)
    streamed = not fits_in_memory(source, 1) if stream is None else stream
    reading = Reading.of(trace_format, columns, skip_bad)
    opened = reading.measured(source, in_memory=not streamed)
    work = Work(opened, _core.trace_name(source), asked, name, number, exact=exact)
    rate = None
    if prices is not None:
        rate = read_rate(opened, requests_per_second)
        work.set_prices(prices, rate, object_bytes)
    return work.result(workers, target_miss_ratio, progress or (lambda _share, _what: None))


class Work:
    """One answer being worked out."""

    def __init__(
        self,
        trace: "_core.Trace",
        name: str,
        capacity: Capacity,
        policy: str,
        seed: int,
        *,
        exact: bool,
    ) -> None:
        self._trace = trace
        self._name = name
        self._policy = policy
        self._seed = seed
        self._present = trace.resolve(capacity.asked)
        if not trace.requests:
            raise CapacityError(f"{name}: has no requests, so every capacity is as good")
        self._unit_sizes = trace.footprint == trace.objects
        self._bound = "belady" if self._unit_sizes else "beladysize"
        scales = (max(round(self._present * scale), 1) for scale in SCALES)
        self._scales = dict(zip(SCALES, scales, strict=True))
        self._ladder = ladder(1, max(trace.footprint, 1))
        self._ticker = _core.Ticker()
        self._exact = exact
        self._prices: tuple[Prices, float, float] | None = None

    def set_prices(self, prices: Prices, rate: float, object_bytes: float | None) -> None:
        """Costs are asked for too."""
        self._prices = prices, rate, read_unit(self._trace, self._name, object_bytes)

    def result(
        self, jobs: int, target: float | None, progress: Callable[[float, str], None]
    ) -> Sizing:
        """Measure everything."""
        progress(0.05, "lru")
        tried = self._priced() if self._prices is not None else []
        capacities = sorted({*self._scales.values(), *self._ladder, *tried})
        meter = Meter(
            self._trace, self._ticker, seed=self._seed, exact=self._exact, capacities=capacities
        )
        wanted = [
            (policy, at) for policy in (self._policy, "lru", self._bound)
            for at in self._scales.values()
        ]  # fmt: skip
        wanted += [(self._policy, at) for at in tried]
        self._measure_all(meter, list(dict.fromkeys(wanted)), jobs, progress)
        costed = tuple(self._point(meter.measure(self._policy, at)) for at in tried)
        return Sizing(
            trace=self._name,
            policy=self._policy,
            seed=self._seed,
            requests=self._trace.requests,
            objects=self._trace.objects,
            footprint=self._trace.footprint,
            unit_sizes=self._unit_sizes,
            requests_per_second=self._prices[1] if self._prices else None,
            points=tuple(
                self._point(
                    meter.measure(self._policy, at),
                    scale,
                    meter.measure("lru", at).object_miss_ratio,
                    meter.measure(self._bound, at).object_miss_ratio,
                )
                for scale, at in self._scales.items()
            ),
            target=None if target is None else self._reach(meter, target, progress),
            cheapest=min(costed, key=lambda point: point.cost_per_hour or 0.0, default=None),
            tried=costed,
        )

    def _priced(self) -> list[int]:
        """The capacities among which the cheapest is looked for."""
        lowest = max(self._present / REACH, 1.0)
        highest = max(min(self._present * REACH, self._trace.footprint), lowest)
        steps = 0
        found = {round(lowest), round(highest)}
        while (at := lowest * 2 ** (steps / PER_DOUBLING)) < highest:
            found.add(round(at))
            steps += 1
        return sorted(found)

    def _measure_all(
        self,
        meter: Meter,
        wanted: list[tuple[str, int]],
        jobs: int,
        progress: Callable[[float, str], None],
    ) -> None:
        """Measure side by side."""
        done: list[None] = []

        def task(policy: str, capacity: int) -> list[Task]:
            meter.measure(policy, capacity)
            done.append(None)
            return []

        tasks = [partial(task, policy, capacity) for policy, capacity in wanted]
        try:
            Pool(tasks).run(
                jobs, lambda: progress(0.1 + 0.7 * len(done) / len(wanted), "replaying")
            )
        except BaseException:
            self._ticker.cancel()
            raise

    def _reach(self, meter: Meter, target: float, progress: Callable[[float, str], None]) -> Target:
        """The smallest capacity that reaches the target, by bisection over the ladder."""
        rungs = self._ladder
        least = meter.measure(self._policy, rungs[-1])
        if least.object_miss_ratio > target:
            return Target(target, None, least.object_miss_ratio, 0.0)
        steps = len(rungs).bit_length()
        told: list[None] = []

        def reaches(capacity: int) -> bool:
            told.append(None)
            progress(0.8 + 0.2 * min(len(told) / steps, 1.0), f"trying {capacity:,}")
            return meter.measure(self._policy, capacity).object_miss_ratio <= target

        at = rungs[min(bisect_left(rungs, True, key=reaches), len(rungs) - 1)]
        place = rungs.index(at)
        before = rungs[place - 1] if place else at
        point = self._point(
            meter.measure(self._policy, at), None, meter.measure("lru", at).object_miss_ratio
        )
        return Target(target, point, least.object_miss_ratio, (at - before) / at)

    def _point(
        self,
        found: Measured,
        scale: float | None = None,
        lru: float | None = None,
        bound: float | None = None,
    ) -> SizePoint:
        cost = None
        if self._prices is not None:
            prices, rate, unit = self._prices
            cost = prices.hourly(found.capacity * unit, rate * found.object_miss_ratio)
        return SizePoint(
            scale=found.capacity / self._present if scale is None else scale,
            capacity=found.capacity,
            object_miss_ratio=found.object_miss_ratio,
            standard_error=found.standard_error,
            sampled=found.sampled,
            lru_object_miss_ratio=lru,
            bound_object_miss_ratio=bound,
            cost_per_hour=cost,
        )


def check_target_ratio(target: float | None) -> None:
    """Refuse a target that is no share."""
    if target is not None and not 0 <= target <= 1:
        raise ConfigError(f"target miss ratio {target!r} is not a share from 0 to 1")


def read_unit(trace: "_core.Trace", name: str, object_bytes: float | None) -> float:
    """Bytes of a unit of capacity: what an entry takes where every object has size 1, else 1."""
    has_unit_sizes = trace.footprint == trace.objects
    if has_unit_sizes and object_bytes is None:
        raise ConfigError(
            f"{name}: every object has size 1, so a price per GB says nothing: give the bytes that "
            "an entry takes (--object-bytes, object_bytes=)"
        )
    if object_bytes is not None and not object_bytes > 0:
        raise ConfigError(f"object bytes {object_bytes!r}: expected more than 0")
    return (object_bytes or 1.0) if has_unit_sizes else 1.0


def read_prices(per_gb_hour: float | None, per_miss: float | None) -> Prices | None:
    """Both prices, or none."""
    if per_gb_hour is None and per_miss is None:
        return None
    if per_gb_hour is None or per_miss is None:
        given, missing = ("miss", "GB and hour") if per_gb_hour is None else ("GB and hour", "miss")
        option = "--price-per-gb-hour" if missing == "GB and hour" else "--price-per-miss"
        raise ConfigError(
            f"a price per {given} alone decides nothing: give one per {missing} too ({option})"
        )
    return Prices(per_gb_hour, per_miss)


def read_rate(trace: "_core.Trace", given: float | None) -> float:
    """Requests per second: as given, or by the trace's times."""
    if given is not None:
        if not given > 0:
            raise ConfigError(f"requests per second {given!r}: expected more than 0")
        return given
    seconds = trace.seconds
    if not seconds or seconds == trace.requests - 1:
        raise ConfigError(
            "the trace does not tell its requests per second: give them "
            "(--requests-per-second, requests_per_second=)"
        )
    return trace.requests / seconds
