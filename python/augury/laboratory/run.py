"""The call: traces, policies and capacities in, a result out."""

import os
from collections.abc import Callable, Iterable, Mapping

from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.laboratory.execution import Execution, Progress
from augury.laboratory.peers import require_peers
from augury.laboratory.plan import (
    Plan,
    read_capacities,
    read_jobs,
    read_seeds,
    read_sources,
)
from augury.laboratory.policies import DEFAULT_POLICIES, is_peer, resolve_policies
from augury.laboratory.prefetch import read_prefetch
from augury.laboratory.result import ReplayResult
from augury.reading import Reading

__all__ = ["DEFAULT_CAPACITIES", "replay"]

DEFAULT_CAPACITIES = ("0.1%", "1%", "10%")


def replay(
    traces: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    policies: str | Iterable[str] = DEFAULT_POLICIES,
    capacity: str | float | Capacity | Iterable[str | float | Capacity] = DEFAULT_CAPACITIES,
    seed: int | Iterable[int] = 1,
    peers: bool = False,
    curve: bool = False,
    sampled: bool = False,
    stream: bool | None = None,
    trace_format: str | None = None,
    columns: str | Mapping[str, str] | None = None,
    skip_bad: bool = False,
    prefetch: bool | float | str | None = None,
    prefetcher: str | None = None,
    jobs: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> ReplayResult:
    """Replay recorded traffic under each policy at each capacity with each seed.

    Args:
        traces: Files, or ``synthetic:NAME``; see :mod:`augury.traces`.
        policies: Names, as a list or separated by commas.
        capacity: Shares of the footprint (``"1%"``, ``0.01``), numbers (``1000``: entries where
            every object has size 1, else bytes) or sizes (``"64MB"``).
        seed: One or several. Policies without randomness run once per seed all the same.
        peers: Also run libCacheSim's policies, as ``peer:NAME``; needs ``augury[peers]``.
        curve: Also measure miss ratio curves: by replays at twelve shares of the footprint, but
            `lru` exactly by one pass over its stack distances, where the trace has neither TTLs
            nor conditional writes and the capacity holds the largest object.
        sampled: With ``curve``: take the points of large capacities on large traces from a sample
            of the objects, in a fraction of the time (see :mod:`augury.laboratory.meter`). Saved
            models are replayed all the same.
        stream: Read a trace anew for every replay, in bounded memory, in place of decoding it once.
            If None, that is done with traces that would take more than half of the free memory.
            The oracles then need oracleGeneral, and ``seconds`` hold the reading.
        trace_format: ``oracleGeneral``, ``twitter``, ``csv`` or ``keys``; told from the file
            if None.
        columns: Which column of a CSV holds what, by name or number: ``"key=object,size=3"`` or
            a mapping. Roles: ``time key size key_size op ttl session namespace``; found
            by usual names if None.
        skip_bad: Count and leave out malformed records instead of raising.
        prefetch: Fetch ahead what is predicted to be asked for: True, or how many requests to the
            origin that may add, as a share of those without (``0.1``, ``"10%"``; True is 0.1).
            Peers do not. Cells then tell what was fetched and used.
        prefetcher: Who predicts: ``successor`` (if None), ``mithril``, or ``learned:PATH``, a
            sequence model saved by :func:`augury.learn.train_sequence`.
        jobs: Threads; the number of processors if None.
        progress: Called about ten times a second, from the calling thread.

    Raises:
        TraceError: A trace cannot be read.
        ConfigError: A policy, a seed, a budget, a prefetcher or a number of jobs cannot be.
        CapacityError: A capacity is malformed, or comes to nothing for a trace.

    >>> import augury
    >>> result = augury.replay("synthetic:loop", policies="lru,belady", capacity="10%")
    >>> [(cell.policy, cell.capacity) for cell in result]
    [('lru', '10%'), ('belady', '10%')]
    """
    asked = read_prefetch(prefetch, prefetcher)
    if sampled and (not curve or asked is not None):
        raise ConfigError("sampled is about the points of curves without prefetch: ask for curve")
    plan = Plan(
        sources=read_sources(traces),
        policies=resolve_policies(policies, peers=peers),
        capacities=read_capacities(capacity),
        seeds=read_seeds(seed),
        curve=curve,
        stream=stream,
        reading=Reading.of(trace_format, columns, skip_bad),
        prefetch=asked,
        sampled=sampled,
    )
    if any(map(is_peer, plan.policies)):
        require_peers()
    return Execution(plan, read_jobs(jobs)).result(progress)
