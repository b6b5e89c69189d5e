"""A near cache: values of a Redis or Valkey, or of a cluster of them, kept in this process.

The verbs of the caller, over the parts that do the work: a hit is the extension's own
(`augury._core.Leased`); what is missing is loaded by :class:`augury.Cache`, once for all who ask,
from `source`; what may be kept and served is decided by `coherence`, which `driver` drives.
"""

import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet, finalize

from augury import _core
from augury.cache import Cache, CacheStats
from augury.capacity import Capacity
from augury.errors import ConfigError
from augury.near.coherence import Counts
from augury.near.memory import Memory
from augury.near.origins import origin_of
from augury.near.slots import SLOTS
from augury.near.source import Source, checked

__all__ = ["NearCache", "NearStats"]

#: Seconds: below it renewals would be a load of their own, above it "near" says little.
LEAST_STALENESS, MOST_STALENESS = 0.05, 3600.0
MOST_PREFIXES = 64
MISSING: Any = object()
ALL: "WeakSet[NearCache]" = WeakSet()


@dataclass(frozen=True, slots=True)
class NearStats:
    """What a near cache has done since it was made."""

    #: Of the entries in memory: hits, misses, evictions.
    memory: CacheStats
    #: Keys that were read by the client alone and not kept, as nobody vouched for them.
    plain_reads: int
    #: Keys that a server said were changed, and times that it said so of all.
    invalidations: int
    flushes: int
    #: Renewals of leases, and leases that ran out.
    renewals: int
    lapses: int
    #: Tracking connections that were made, and that were lost.
    connections: int
    losses: int
    #: Slots whose entries were forgotten as they may be elsewhere.
    slots_forgotten: int
    #: Slots that are vouched for now; 16,384 are all, and a server that is no cluster has them all.
    slots: int
    #: The latest reason why something was not served from memory; empty where there was none.
    trouble: str

    @property
    def hit_ratio(self) -> float:
        """Share of the reads of memory that it has answered."""
        reads = self.memory.hits + self.memory.misses
        return self.memory.hits / reads if reads else 0.0


class NearCache(_core.Leased):
    """Reads a client's values from memory, as long as nobody has changed them.

    Values are bytes, or text where the client decodes them. A read never returns a value older than
    a write acknowledged anywhere more than ``max_staleness`` before the read began, nor one older
    than the latest write acknowledged through this near cache: ``docs/near-cache.md`` has the
    promise, what it rests on, and what it leaves out. Where nobody can vouch for what is in memory,
    reads go to the client as if there were no near cache. Absent keys are not remembered.

    Safe to use from many threads. With an asyncio client, await :meth:`aget` and the others of that
    kind; hits come from memory by :meth:`get` too.

    Args:
        client: A client of redis-py, valkey-py or valkey-glide, plain or asyncio, of one primary or
        of
            a cluster. Its connections stay as they are: the tracking connections are made beside
            them, with its credentials, in RESP3.
        capacity: As for :class:`augury.Cache`: of all values in memory with their keys.
        max_staleness: Seconds, from 0.05 to 3,600. Renewals of the leases cost each server a few
            commands in this time.
        prefixes: None has the servers remember which keys were read here. With prefixes they tell
        of
            every change of a key that begins so, whoever has read it, and remember nothing; other
            keys are read by the client alone. ``("",)`` is every key.
        policy: As for :class:`augury.Cache`, as are ``sizeof``, ``model``, ``seed``, ``ttl``,
            ``prefetch`` and ``refresh_ahead``, which needs a ``ttl``.

    Raises:
        ConfigError: An option cannot be, the client is none, or a package is missing.
        CapacityError: The capacity cannot be.
    """

    def __init__(
        self,
        client: Any,
        capacity: int | str | Capacity = "64 MB",
        *,
        max_staleness: float = 1.0,
        prefixes: Iterable[str | bytes] | None = None,
        policy: str = "auto",
        sizeof: Callable[[Any, Any], int] | None = None,
        model: Any = None,
        ttl: float | None = None,
        prefetch: float | None = None,
        refresh_ahead: float | None = None,
        seed: int = 1,
    ) -> None:
        check_staleness(max_staleness)
        self._origin = origin = origin_of(client)
        # With sockets and TLS, which nobody needs who makes no near cache.
        from augury.near.driver import Driver

        drive = partial(
            Driver,
            dial=origin.dial,
            start=origin.start,
            is_cluster=origin.is_cluster,
            max_staleness=float(max_staleness),
            prefixes=checked_prefixes(prefixes),
        )
        self._source = source = Source(origin, drive)
        self._cache: Cache[Any, Any] = Cache(
            capacity,
            policy=policy,
            sizeof=sizeof,
            model=model,
            ttl=ttl,
            prefetch=prefetch,
            refresh_ahead=refresh_ahead,
            seed=seed,
            loader=source.aload if origin.is_async else source.load,
            bulk_loader=source.aload_many if origin.is_async else source.load_many,
        )
        source.memory = Memory(self._cache, self)
        self.lease(self._cache, source.ask)
        ALL.add(self)
        _ = source.driver
        finalize(self, source.stop).atexit = False

    if TYPE_CHECKING:

        def get(self, key: Any, default: Any = None, *, session: Hashable = None) -> Any:
            """The value under the key, or the default; ``session`` as for `Cache.get`."""

    def get_many(self, keys: Iterable[Any], *, session: Hashable = None) -> dict[Any, Any]:
        """Keys and values of those that there are; what is missing by one MGET for each slot.

        Raises:
            ConfigError: The client is asyncio's.
        """
        self._source.refuse_asyncio("aget_many")
        asked = list(dict.fromkeys(keys))
        vouched, others = self._source.split(asked, self.is_vouched)
        found = self._cache.get_or_load_many(vouched, session=session) if vouched else {}
        return in_order(asked, found, self._source.read_many(others))

    def mget(self, keys: Sequence[Any]) -> list[Any]:
        """Values in the order of the keys, None for what is not there."""
        found = self.get_many(keys)
        return [found.get(key) for key in keys]

    async def aget(self, key: Any, default: Any = None, *, session: Hashable = None) -> Any:
        """As :meth:`get`, in a task; a hit waits for nothing."""
        found = self.held(key, MISSING, session)
        if found is not MISSING:
            return found
        return await self._source.aask(key, default, session, self.is_vouched)

    async def aget_many(self, keys: Iterable[Any], *, session: Hashable = None) -> dict[Any, Any]:
        """As :meth:`get_many`, in a task."""
        asked = list(dict.fromkeys(keys))
        vouched, others = self._source.split(asked, self.is_vouched)
        found = await self._cache.aget_or_load_many(vouched, session=session) if vouched else {}
        return in_order(asked, found, await self._source.aread_many(others))

    def set(self, key: Any, value: Any, *arguments: Any, **options: Any) -> Any:
        """The client's `set`, with its arguments; the next read here returns what was written."""
        return self.call("set", key, value, *arguments, **options)

    async def aset(self, key: Any, value: Any, *arguments: Any, **options: Any) -> Any:
        """As :meth:`set`, in a task."""
        return await self.acall("set", key, value, *arguments, **options)

    def set_many(self, entries: Mapping[Any, Any]) -> Any:
        """Several values by the client's `mset`; in a cluster one for each slot or node."""
        self._source.refuse_asyncio("aset_many")
        with self.writing(*entries):
            return self._origin.write_many(entries)

    async def aset_many(self, entries: Mapping[Any, Any]) -> Any:
        """As :meth:`set_many`, in a task."""
        with self.writing(*entries):
            return await self._source.awaited(self._origin.write_many, entries)

    def delete(self, *keys: Any) -> Any:
        """The client's `delete`."""
        self._source.refuse_asyncio("adelete")
        with self.writing(*keys):
            return self._origin.delete(keys)

    async def adelete(self, *keys: Any) -> Any:
        """As :meth:`delete`, in a task."""
        with self.writing(*keys):
            return await self._source.awaited(self._origin.delete, keys)

    def call(self, name: str, key: Any, *arguments: Any, **options: Any) -> Any:
        """Any method of the client that changes one key, such as ``call("incrby", key, 5)``."""
        self._source.refuse_asyncio("acall")
        verb = getattr(self._origin.client, name)
        with self.writing(key):
            return verb(key, *arguments, **options)

    async def acall(self, name: str, key: Any, *arguments: Any, **options: Any) -> Any:
        """As :meth:`call`, in a task."""
        verb = getattr(self._origin.client, name)
        with self.writing(key):
            return await self._source.awaited(verb, key, *arguments, **options)

    @contextmanager
    def writing(self, *keys: Any) -> Iterator[None]:
        """While the client itself changes these keys; around an `await` too.

        Reads that begin after the block return nothing older, whether it has raised or not.
        """
        owners = self._source.owners(keys)
        try:
            yield
        finally:
            for key, owner in owners.items():
                self._source.wrote(key, owner)

    def changed(self, *keys: Any) -> None:
        """These were changed by the client itself: reads from here on return nothing older."""
        for key in keys:
            self._source.wrote(checked(key), None)

    def wait(self, timeout: float = 5.0) -> bool:
        """Wait until all slots are vouched for; whether they are within so many seconds."""
        ends, turn = self.clock() + timeout, Event()
        while not self._is_ready():
            if self.clock() >= ends:
                return False
            turn.wait(0.005)
        return True

    def _is_ready(self) -> bool:
        return self._source.driver.coherence.vouched_slots == SLOTS and self.is_vouched

    def stats(self) -> NearStats:
        """What it has done."""
        coherence, counts = self._source.driver.coherence, self._source.driver.coherence.counts
        return NearStats(
            memory=self._cache.stats(),
            plain_reads=self._source.plain,
            slots=coherence.vouched_slots,
            **{name: getattr(counts, name) for name in Counts.__slots__},
        )

    @property
    def cache(self) -> Cache[Any, Any]:
        """What is in memory, to look into: `explain`, `stats`, `prefetches`, `load_model`.

        What is read or written there directly is outside the promise.
        """
        return self._cache

    def close(self) -> None:
        """Let go of connections, threads and values; from here on all reads are the client's."""
        self._source.driver.stop()
        self._source.driver.join(5.0)
        self._cache.close()

    async def aclose(self) -> None:
        """As :meth:`close`, in a task."""
        from asyncio import to_thread

        await to_thread(self.close)

    def __enter__(self) -> Self:
        """The near cache itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it; the client stays open."""
        self.close()

    async def __aenter__(self) -> Self:
        """The near cache itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it; the client stays open."""
        await self.aclose()

    def __repr__(self) -> str:
        """Entries, and the client."""
        return f"<augury.NearCache of {len(self._cache):,} entries before {self._origin.client!r}>"

    def _begin_anew(self) -> None:
        """In the child of a fork: with connections of its own, when they are first wanted."""
        self.vouch(0.0)
        self._source.disown()
        self._cache.clear()


def in_order(
    asked: list[Any], found: Mapping[Any, Any], others: Mapping[Any, Any]
) -> dict[Any, Any]:
    """Keys and values in the order in which they were asked for."""
    both = {**found, **others}
    return {key: both[key] for key in asked if key in both}


def check_staleness(seconds: object) -> None:
    """Refuse what is no number of seconds within the bounds."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not LEAST_STALENESS <= seconds <= MOST_STALENESS:  # type: ignore[operator]
        raise ConfigError(
            f"max_staleness {seconds!r}: expected seconds from {LEAST_STALENESS} to "
            f"{MOST_STALENESS:,.0f}"
        )


def checked_prefixes(prefixes: Iterable[str | bytes] | None) -> tuple[bytes, ...] | None:
    """Prefixes as the server takes them: none of which begins with another.

    >>> checked_prefixes(["user:", b"page:"]), checked_prefixes(None)
    ((b'user:', b'page:'), None)
    """
    if prefixes is None:
        return None
    if isinstance(prefixes, str | bytes):
        raise ConfigError(f"prefixes {prefixes!r}: expected several; one is ({prefixes!r},)")
    found = tuple(dict.fromkeys(checked(prefix) for prefix in prefixes))
    if not 1 <= len(found) <= MOST_PREFIXES:
        raise ConfigError(
            f"{len(found)} prefixes: expected 1 to {MOST_PREFIXES}, or None for the keys read here"
        )
    for one in found:
        for other in found:
            if one is not other and one.startswith(other):
                raise ConfigError(
                    f"prefix {one!r} begins with {other!r}: the server refuses that; leave out the "
                    "longer one"
                )
    return found


def begin_anew() -> None:
    """In the child of a fork."""
    for near in list(ALL):
        near._begin_anew()


os.register_at_fork(after_in_child=begin_anew)
