"""The call: a trace in, advice out."""

import os
import time
from collections.abc import Callable, Mapping
from functools import partial

from augury import _core, traces
from augury.advising.advice import Advice, Verdict
from augury.advising.evidence import CANDIDATES, MOST_REQUESTS, measure
from augury.advising.judging import Rate, beforehand, foresight, judge, saving_of, standings
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.laboratory import Sizing, size
from augury.laboratory.plan import read_jobs, read_seeds
from augury.laboratory.policies import is_learned, is_oracle, is_peer, resolve_policies
from augury.laboratory.sizing import check_target_ratio, read_prices, read_rate, read_unit
from augury.reading import Reading, fits_in_memory

__all__ = ["advise"]

#: Told the share done and what is being done.
Told = Callable[[float, str], None]


def advise(
    trace: str | os.PathLike[str],
    *,
    capacity: str | float | Capacity = "1%",
    against: str = "lru",
    target_miss_ratio: float | None = None,
    price_per_gb_hour: float | None = None,
    price_per_miss: float | None = None,
    requests_per_second: float | None = None,
    object_bytes: float | None = None,
    seed: int = 1,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
    jobs: int | None = None,
    progress: Told | None = None,
) -> Advice:
    """What a cache of this capacity would save on this traffic, how sure that is, and what to do.

    A trace of up to five million requests is replayed whole under seven policies: one is chosen by
    the second quarter, and what it saves is told of the second half, with a confidence interval of
    95% from batches of time. A longer trace is judged from a sample of its objects.

    Args:
        trace: A file, or ``synthetic:NAME``; not ``-``, since it is read more than once.
        capacity: A share of the footprint, a number or a size.
        against: The policy in use, with which the others are compared.
        target_miss_ratio: Also the smallest capacity that reaches this object miss ratio.
        price_per_gb_hour: With ``price_per_miss``: also what the saving is worth, and the cheapest
            capacity.
        price_per_miss: In the same currency.
        requests_per_second: Of the traffic; the trace's own times if None.
        object_bytes: What an entry takes, where every object has size 1 and prices are given.
        seed: Of the policies.
        trace_format: As for :func:`augury.replay`.
        columns: As for :func:`augury.replay`.
        skip_bad: Count and leave out malformed records instead of raising.
        jobs: Threads; the number of processors if None.
        progress: Told the share done and what is being done, from the calling thread.

    Raises:
        TraceError: The trace cannot be read.
        ConfigError: An option cannot be, or another one is needed beside it.
        CapacityError: The capacity is malformed, or comes to nothing.

    >>> import augury
    >>> found = augury.advise("synthetic:loop", capacity="20%")
    >>> str(found.verdict), found.policy
    ('gain', 'auto')
    """
    started = time.monotonic()
    told = progress or (lambda _share, _what: None)
    source = os.fspath(trace)
    if source == "-":
        raise ConfigError(
            "standard input can be read once, and advice reads a trace more than once: save it to "
            "a file first"
        )
    asked, workers, (number,) = Capacity.parse(capacity), read_jobs(jobs), read_seeds(seed)
    against = read_against(against)
    prices = read_prices(price_per_gb_hour, price_per_miss)
    check_target_ratio(target_miss_ratio)
    told(0.0, "inspecting")
    reading = Reading.of(trace_format, columns, skip_bad)
    opened = reading.measured(source, in_memory=fits_in_memory(source, 2))
    room = opened.resolve(asked.asked)
    rate = rate_of(opened, requests_per_second, price_per_miss, is_needed=prices is not None)
    if prices is not None:
        read_unit(opened, _core.trace_name(source), object_bytes)
    found = traces.inspect(source, trace_format=trace_format, columns=columns, skip_bad=skip_bad)
    answer = partial(
        Advice,
        trace=found.trace,
        inspection=found,
        capacity=asked.label,
        capacity_bytes=room,
        against=against,
    )
    early = beforehand(found, room * opened.objects / max(opened.footprint, 1))
    if early is not None:
        return answer(
            sampled=1.0, verdict=early, present_miss_ratio=None, bound_miss_ratio=None,
            standings=(), policy=against, saving=None, prefetch=None, sizing=None,
            seconds=time.monotonic() - started,
        )  # fmt: skip
    evidence = measure(
        opened, room, against, number, workers, lambda part, what: told(0.1 + 0.5 * part, what),
        MOST_REQUESTS,
    )  # fmt: skip
    verdict, chosen = judge(evidence)
    del opened
    sizing: Sizing | None = None
    if verdict not in (Verdict.TOO_SHORT, Verdict.NO_REUSE):
        sizing = size(
            source,
            capacity=room,
            policy=chosen.policy,
            target_miss_ratio=target_miss_ratio,
            price_per_gb_hour=price_per_gb_hour,
            price_per_miss=price_per_miss,
            requests_per_second=requests_per_second,
            object_bytes=object_bytes,
            seed=number,
            trace_format=trace_format,
            columns=columns,
            skip_bad=skip_bad,
            jobs=workers,
            progress=lambda part, what: told(0.6 + 0.4 * part, what),
        )
    return answer(
        sampled=evidence.sampled,
        verdict=verdict,
        present_miss_ratio=evidence.present.object_miss_ratio,
        bound_miss_ratio=evidence.bound_miss_ratio,
        standings=standings(evidence),
        policy=chosen.policy,
        saving=saving_of(chosen, evidence, rate) if verdict == Verdict.GAIN else None,
        prefetch=None if verdict == Verdict.TOO_SHORT else foresight(evidence.ahead),
        sizing=sizing,
        seconds=time.monotonic() - started,
    )


def read_against(policy: str) -> str:
    """The policy in use, if it is one that a cache can run."""
    (name,) = resolve_policies([policy])
    if is_peer(name) or is_learned(name) or is_oracle(name):
        raise ConfigError(
            f"{name!r} is none that a cache in use can have: name one such as "
            f"{', '.join(CANDIDATES)}"
        )
    return name


def rate_of(
    trace: "_core.Trace", given: float | None, per_miss: float | None, *, is_needed: bool
) -> Rate | None:
    """Requests per second and the price of a miss; None where the trace does not tell them.

    Raises :class:`~augury.ConfigError` where they are needed and not told.
    """
    try:
        return Rate(read_rate(trace, given), per_miss)
    except ConfigError:
        if is_needed or given is not None:
            raise
        return None
